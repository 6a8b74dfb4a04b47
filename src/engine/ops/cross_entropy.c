/*
 * cross_entropy: the mean over labelled positions of -log softmax(x)[target], classes along any axis; targets
 * are missing where they are negative.
 *
 *     loss = log sum exp(x - m) - (x[target] - m),    dx = (softmax(x) - onehot(target)) / labelled
 *
 * `saved` holds the number of labelled positions, then m and log sum exp(x - m) of every position. Partial
 * sums of the loss belong to chunks of fixed size and are added in order. A target that is no class stops the
 * run.
 */
#include "engine/ops/logsum.h"

typedef struct entropy_job {
    kernel_axis axis; /* [outer][classes][inner] */
    int64_t n_blocks; /* of columns */
    const real *x;
    const int32_t *target;
    real *max, *log_sum; /* [outer][inner] */
    double *partial;     /* sum of each chunk */
    int64_t grain;
    /* reverse */
    real *dx, scale;
    bool adds;
    const real *t; /* forward mode: the tangent of x */
} entropy_job;

enum { X, TARGET };

static truce_status shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[X], *target = &call->in[TARGET];
    char xt[ENGINE_SHAPE_TEXT_BYTES], tt[ENGINE_SHAPE_TEXT_BYTES];
    int axis = 0;
    BASE_TRY(engine_axis(call->context, "classes", call->settings->i[0], x->n_dims, &axis));
    if (call->in_type[X] != TRUCE_REAL || call->in_type[TARGET] != TRUCE_INDEX)
        return base_fail(call->context, TRUCE_ERROR_TYPE, "takes real logits and targets that are indices");
    bool fits = target->n_dims == x->n_dims - 1;
    for (int i = 0; fits && i < target->n_dims; i++) fits = target->dims[i] == x->dims[i < axis ? i : i + 1];
    if (!fits)
        return base_fail(call->context, TRUCE_ERROR_SHAPE,
                         "targets are %s, but logits are %s with the classes on axis %d",
                         engine_shape_text(target, tt), engine_shape_text(x, xt), axis);
    call->out = (truce_shape){0};
    return TRUCE_OK;
}

/* Chunks hold rows where the classes are the last axis, else blocks of columns. */
static entropy_job make_job(const engine_call *call) {
    const truce_shape *x = &call->in_shape[X];
    entropy_job job = {.axis = kernel_split(x, kernel_axis_at(call->settings->i[0], x->n_dims)),
                       .x = call->in[X],
                       .target = call->in[TARGET],
                       .partial = call->scratch};
    job.n_blocks = job.axis.inner == 1 ? 1 : (job.axis.inner + LOGSUM_COLUMNS - 1) / LOGSUM_COLUMNS;
    int64_t width = job.axis.inner == 1 ? 1 : LOGSUM_COLUMNS;
    job.grain = 1 + KERNEL_GRAIN / (width * (job.axis.n + 1));
    if (!call->saved) return job;
    job.max = (real *)((int64_t *)call->saved + 1);
    job.log_sum = job.max + job.axis.outer * job.axis.inner;
    return job;
}

static int64_t n_items(const entropy_job *job) {
    return job->axis.outer * job->n_blocks;
}

static int64_t n_chunks(const entropy_job *job) {
    return (n_items(job) + job->grain - 1) / job->grain;
}

static size_t saved_bytes(const engine_call *call) {
    entropy_job job = make_job(call);
    return sizeof(int64_t) + 2 * sizeof(real) * (size_t)(job.axis.outer * job.axis.inner);
}

static size_t scratch_bytes(const engine_call *call) {
    entropy_job job = make_job(call);
    return (size_t)n_chunks(&job) * sizeof(double);
}

static int64_t labelled(const engine_call *call) {
    return *(const int64_t *)call->saved;
}

/* First position of an item, and how many there are in it. */
static int64_t locate(const entropy_job *job, int64_t item, int64_t *width) {
    int64_t outer = item / job->n_blocks, column = item % job->n_blocks * LOGSUM_COLUMNS;
    *width = BASE_MIN(LOGSUM_COLUMNS, job->axis.inner - column);
    return outer * job->axis.inner + column;
}

/* Where class `c` of a position lies in x; -1 for a missing or impossible target. */
static int64_t element_of(const entropy_job *job, int64_t position) {
    int64_t c = job->target[position], inner = job->axis.inner;
    if (c < 0 || c >= job->axis.n) return -1;
    return (position / inner * job->axis.n + c) * inner + position % inner;
}

static double sum_of_losses(const entropy_job *job, int64_t position, int64_t n) {
    double sum = 0;
    for (int64_t p = position; p < position + n; p++) {
        int64_t at = element_of(job, p);
        if (at >= 0) sum += (double)(job->log_sum[p] - (job->x[at] - job->max[p]));
    }
    return sum;
}

static void rows_forward(void *arg, int64_t begin, int64_t end, int worker) {
    const entropy_job *job = arg;
    int64_t n = job->axis.n, at_once = logsum_rows_at_once(n);
    (void)worker;
    for (int64_t row = begin; row < end; row += at_once)
        logsum_of_rows(job->x + row * n, BASE_MIN(at_once, end - row), n, job->max + row, job->log_sum + row);
    job->partial[begin / job->grain] = sum_of_losses(job, begin, end - begin);
}

static void columns_forward(void *arg, int64_t begin, int64_t end, int worker) {
    const entropy_job *job = arg;
    int64_t n = job->axis.n, inner = job->axis.inner;
    double sum = 0;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        int64_t width, at = locate(job, item, &width);
        logsum_of_columns(job->x + at / inner * n * inner + at % inner, n, inner, width, job->max + at,
                          job->log_sum + at);
        sum += sum_of_losses(job, at, width);
    }
    job->partial[begin / job->grain] = sum;
}

static int64_t count_labels(const engine_call *call, const entropy_job *job) {
    int64_t n_labelled = 0, n = job->axis.outer * job->axis.inner;
    bool all_classes = true;
    for (int64_t i = 0; i < n; i++) {
        n_labelled += job->target[i] >= 0;
        all_classes = all_classes && job->target[i] < job->axis.n;
    }
    if (!all_classes) *call->status = TRUCE_ERROR_RANGE;
    return n_labelled;
}

static real mean_of_partials(const engine_call *call, const entropy_job *job) {
    double sum = 0;
    for (int64_t i = 0; i < n_chunks(job); i++) sum += job->partial[i];
    return labelled(call) ? (real)(sum / (double)labelled(call)) : 0;
}

static void forward(const engine_call *call) {
    entropy_job job = make_job(call);
    *(int64_t *)call->saved = count_labels(call, &job);
    base_parallel(call->team, n_items(&job), job.grain, job.axis.inner == 1 ? rows_forward : columns_forward,
                  &job);
    *(real *)call->out = mean_of_partials(call, &job);
}

/* ---- back -------------------------------------------------------------------------------------------- */

/* The part [c, c + width) of the classes of some rows, from their probabilities. */
static void put_rows(const entropy_job *job, int64_t row, const logsum_part *part, int64_t c, const real *p) {
    for (int64_t r = 0; r < part->n_rows; r++) {
        const real scale = job->target[row + r] < 0 ? 0 : job->scale, *from = p + r * part->width;
        real *RESTRICT to = job->dx + (row + r) * part->stride + c;
        int64_t hit = job->target[row + r] - c;
        if (job->adds)
            for (int64_t i = 0; i < part->width; i++) to[i] += scale == 0 ? 0 : scale * from[i];
        else
            for (int64_t i = 0; i < part->width; i++) to[i] = scale == 0 ? 0 : scale * from[i];
        if (hit >= 0 && hit < part->width) to[hit] -= scale;
    }
}

static void rows_back(void *arg, int64_t begin, int64_t end, int worker) {
    const entropy_job *job = arg;
    int64_t n = job->axis.n, at_once = logsum_rows_at_once(n);
    real p[LOGSUM_PIECE];
    (void)worker;
    for (int64_t row = begin; row < end; row += at_once)
        for (int64_t c = 0; c < n; c += LOGSUM_PIECE) {
            logsum_part part = {.x = job->x + row * n + c,
                                .n_rows = BASE_MIN(at_once, end - row),
                                .width = BASE_MIN(LOGSUM_PIECE, n - c),
                                .stride = n,
                                .a = job->max + row,
                                .b = job->log_sum + row};
            logsum_exps(&part, p);
            put_rows(job, row, &part, c, p);
        }
}

static void columns_back(void *arg, int64_t begin, int64_t end, int worker) {
    const entropy_job *job = arg;
    const int64_t n = job->axis.n, inner = job->axis.inner;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        int64_t width, at = locate(job, item, &width), from = at / inner * n * inner + at % inner;
        const real *max = job->max + at, *log_sum = job->log_sum + at;
        real scale[LOGSUM_COLUMNS];
        for (int64_t j = 0; j < width; j++) scale[j] = job->target[at + j] < 0 ? 0 : job->scale;
        for (int64_t c = 0; c < n; c++) {
            const real *x = job->x + from + c * inner;
            real *RESTRICT dx = job->dx + from + c * inner;
            if (!job->adds) memset(dx, 0, (size_t)width * sizeof(real));
#pragma omp simd
            for (int64_t j = 0; j < width; j++) {
                const real g = scale[j] * vec_exp(x[j] - max[j] - log_sum[j]);
                dx[j] += scale[j] != 0 ? g : 0;
            }
        }
        for (int64_t j = 0; j < width; j++) {
            int64_t c = job->target[at + j];
            if (c >= 0 && c < n) job->dx[from + c * inner + j] -= scale[j];
        }
    }
}

static void vjp(const engine_call *call) {
    entropy_job job = make_job(call);
    for (int k = 0; k < call->n_rows && call->d_in[X]; k++) {
        job.dx = kernel_d_in(call, X, k);
        job.adds = kernel_adds(call, X);
        job.scale = labelled(call) ? *kernel_cotangent(call, k) / (real)labelled(call) : 0;
        base_parallel(call->team, n_items(&job), job.grain, job.axis.inner == 1 ? rows_back : columns_back,
                      &job);
    }
}

/* ---- forward mode: sum of softmax t - t[target] ------------------------------------------------------ */

static void positions_tangent(void *arg, int64_t begin, int64_t end, int worker) {
    const entropy_job *job = arg;
    int64_t n = job->axis.n, inner = job->axis.inner;
    double sum = 0;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        int64_t width, first = locate(job, item, &width);
        for (int64_t p = first; p < first + width; p++) {
            int64_t at = element_of(job, p), from = p / inner * n * inner + p % inner;
            if (at < 0) continue;
            for (int64_t c = 0; c < n; c++) {
                int64_t i = from + c * inner;
                sum += (double)(vec_exp(job->x[i] - job->max[p] - job->log_sum[p]) * job->t[i]);
            }
            sum -= (double)job->t[at];
        }
    }
    job->partial[begin / job->grain] = sum;
}

static void jvp(const engine_call *call) {
    entropy_job job = make_job(call);
    job.t = call->t_in[X];
    base_parallel(call->team, n_items(&job), job.grain, positions_tangent, &job);
    *(real *)call->t_out = mean_of_partials(call, &job);
}

static double flops(const engine_call *call) {
    return 4.0 * (double)kernel_size(&call->in_shape[X]);
}

KERNEL_OP(cross_entropy) = {.name = "cross_entropy",
                            .min_inputs = 2,
                            .max_inputs = 2,
                            .flags = ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_INPUTS,
                            .constant_inputs = 1u << TARGET,
                            .shape = shape,
                            .forward = forward,
                            .vjp = vjp,
                            .jvp = jvp,
                            .flops = flops,
                            .saved_bytes = saved_bytes,
                            .scratch_bytes = scratch_bytes,
                            .labelled = labelled};

#ifdef ENGINE_BUILDERS

truce_node truce_op_cross_entropy(truce_graph *graph, truce_node x, truce_node target, int axis) {
    return engine_graph_add(graph, ENGINE_OP_cross_entropy, 2, (truce_node[]){x, target},
                            &(engine_settings){.i = {axis}});
}

#endif
