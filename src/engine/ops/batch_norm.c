/*
 * batch_norm (Ioffe and Szegedy, arXiv 1502.03167) over x [B][C][S], S the product of all further sizes:
 *
 *     y = (x - mean) r scale + shift,  r = 1 / sqrt(variance + epsilon), per channel
 *     dx = r scale (dy - mean(dy) - (x - mean) r^2 mean(dy (x - mean)))
 *     dscale = r sum dy (x - mean),  dshift = sum dy
 *
 * Training programs use the batch's mean and biased variance and move the running ones; others use the
 * running ones, which are constants on the way back: dx = r scale dy. Everything an element receives has the
 * form a u + p (x - mean) + q with coefficients of its channel and u = nothing, dy or a tangent, so one loop
 * serves all directions.
 *
 * A channel's numbers are visited twice, the second time from the cache: for sums, then to be changed. Large
 * images (planes) are summed in blocks, each around its own mean; the blocks' means and squares are joined in
 * double. Where S is small neighbouring channels are worked on together as columns, in double around the
 * first row. `saved` holds mean and r of each channel.
 */
#include "engine/ops/kernel.h"

enum { X, RUNNING_MEAN, RUNNING_VARIANCE, MAX_INPUTS = 5 };
enum { BLOCK = 2048, WIDTH = 64, LEAST_PLANE = 32 };

/* Settings. */
enum { AT_SCALE, AT_SHIFT }; /* i: where they stand among the inputs, 0 for none */
enum { EPSILON, MOMENTUM };  /* r */

typedef struct batch_job {
    const engine_call *call;
    int64_t n_rows, n_channels, size; /* B, C, S */
    int64_t group;                    /* channels that are worked on together */
    const real *x, *scale, *shift;
    real *mean, *r; /* saved */
    /* back, and forward mode */
    const real *u, *t_scale, *t_shift;
    real *out;
    bool adds, adds_scale, adds_shift;
    real *d_scale, *d_shift;
} batch_job;

/* What is found of, and done to, the channels of a group: at most WIDTH of them. */
typedef struct group {
    int64_t first, n;                   /* channels */
    double sum[WIDTH], product[WIDTH];  /* of u, and of u (x - mean) */
    double mean[WIDTH], squares[WIDTH]; /* of x, and sum of (x - mean)^2 */
    real a[WIDTH], p[WIDTH], q[WIDTH];
} group;

static truce_status shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[X];
    static const char *const names[] = {"", "running mean", "running variance"};
    char xt[ENGINE_SHAPE_TEXT_BYTES], ct[ENGINE_SHAPE_TEXT_BYTES];
    if (x->n_dims < 2 || x->dims[1] < 0 || call->in_type[X] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_SHAPE,
                         "x is %s, but must be [batch, channels, ...] of reals", engine_shape_text(x, xt));
    for (int i = 1; i < call->n_inputs; i++)
        if (call->in[i].n_dims != 1 || call->in[i].dims[0] != x->dims[1])
            return base_fail(call->context, TRUCE_ERROR_SHAPE, "the %s is %s, but x is %s",
                             i < 3                              ? names[i]
                             : call->settings->i[AT_SCALE] == i ? "scale"
                                                                : "shift",
                             engine_shape_text(&call->in[i], ct), engine_shape_text(x, xt));
    return TRUCE_OK;
}

static const void *optional(const engine_call *call, const void *const *values, int setting) {
    int64_t i = call->settings->i[setting];
    return i ? values[i] : NULL;
}

static batch_job make_job(const engine_call *call) {
    const truce_shape *x = &call->in_shape[X];
    batch_job job = {.call = call,
                     .n_rows = x->dims[0],
                     .n_channels = x->dims[1],
                     .size = 1,
                     .x = call->in[X],
                     .scale = optional(call, call->in, AT_SCALE),
                     .shift = optional(call, call->in, AT_SHIFT),
                     .mean = call->saved};
    for (int i = 2; i < x->n_dims; i++) job.size *= x->dims[i];
    job.group = job.size >= LEAST_PLANE || job.size == 0 ? 1 : WIDTH / job.size;
    job.r = job.mean ? job.mean + job.n_channels : NULL;
    return job;
}

static size_t saved_bytes(const engine_call *call) {
    return 2 * sizeof(real) * (size_t)call->in_shape[X].dims[1];
}

static bool as_planes(const batch_job *job) {
    return job->size >= LEAST_PLANE;
}

static double count_of(const batch_job *job) {
    return (double)job->n_rows * (double)job->size;
}

static const real *plane_of(const batch_job *job, const real *values, int64_t row, int64_t channel) {
    return values + (row * job->n_channels + channel) * job->size;
}

/* ---- mean and squares -------------------------------------------------------------------------------- */

/*
 * Blocks of n numbers with mean m and squares s around it: with d = m - k for some k near the mean,
 * mean = k + sum(n d) / N and squares = sum(s) + sum(n d^2) - sum(n d)^2 / N.
 */
static void plane_moments(const batch_job *job, group *g) {
    double near = 0, sum = 0, sum_of_squares = 0, within = 0, n_all = count_of(job);
    for (int64_t row = 0; row < job->n_rows; row++) {
        const real *x = plane_of(job, job->x, row, g->first);
        for (int64_t begin = 0; begin < job->size; begin += BLOCK) {
            int64_t n = BASE_MIN(BLOCK, job->size - begin);
            real mean = simd_sum(x + begin, n) / (real)n;
            if (row == 0 && begin == 0) near = (double)mean;
            double d = (double)mean - near;
            sum += (double)n * d;
            sum_of_squares += (double)n * d * d;
            within += (double)simd_squares(x + begin, mean, n);
        }
    }
    g->mean[0] = near + sum / n_all;
    g->squares[0] = within + BASE_MAX(0, sum_of_squares - sum * sum / n_all);
}

/* Columns are channels times positions; those of one channel are joined at the end. */
static void column_moments(const batch_job *job, group *g) {
    const int64_t width = g->n * job->size, stride = job->n_channels * job->size;
    const real *x = plane_of(job, job->x, 0, g->first);
    double near[WIDTH], sum[WIDTH] = {0}, squares[WIDTH] = {0}, n = count_of(job);
    for (int64_t j = 0; j < width; j++) near[j] = (double)x[j / job->size * job->size];
    for (int64_t row = 0; row < job->n_rows; row++)
#pragma omp simd
        for (int64_t j = 0; j < width; j++) {
            double d = (double)x[row * stride + j] - near[j];
            sum[j] += d;
            squares[j] += d * d;
        }
    for (int64_t c = 0; c < g->n; c++) {
        double s = 0, q = 0;
        for (int64_t j = c * job->size; j < (c + 1) * job->size; j++) s += sum[j], q += squares[j];
        g->mean[c] = near[c * job->size] + s / n;
        g->squares[c] = BASE_MAX(0, q - s * s / n);
    }
}

/* ---- sums of u and of u (x - mean) ------------------------------------------------------------------- */

static void plane_sums(const batch_job *job, group *g) {
    const real mean = job->mean[g->first];
    for (int64_t row = 0; row < job->n_rows; row++) {
        const real *x = plane_of(job, job->x, row, g->first), *u = plane_of(job, job->u, row, g->first);
        for (int64_t begin = 0; begin < job->size; begin += BLOCK) {
            int64_t n = BASE_MIN(BLOCK, job->size - begin);
            g->sum[0] += (double)simd_sum(u + begin, n);
            g->product[0] += (double)simd_moment(x + begin, mean, u + begin, n);
        }
    }
}

static void column_sums(const batch_job *job, group *g) {
    const int64_t width = g->n * job->size, stride = job->n_channels * job->size;
    const real *x = plane_of(job, job->x, 0, g->first), *u = plane_of(job, job->u, 0, g->first);
    double mean[WIDTH], sum[WIDTH] = {0}, product[WIDTH] = {0};
    for (int64_t j = 0; j < width; j++) mean[j] = (double)job->mean[g->first + j / job->size];
    for (int64_t row = 0; row < job->n_rows; row++)
#pragma omp simd
        for (int64_t j = 0; j < width; j++) {
            double v = (double)u[row * stride + j];
            sum[j] += v;
            product[j] += v * ((double)x[row * stride + j] - mean[j]);
        }
    for (int64_t j = 0; j < width; j++) {
        g->sum[j / job->size] += sum[j];
        g->product[j / job->size] += product[j];
    }
}

static void find_sums(const batch_job *job, group *g) {
    memset(g->sum, 0, sizeof g->sum);
    memset(g->product, 0, sizeof g->product);
    if (!job->u) return;
    if (as_planes(job))
        plane_sums(job, g);
    else
        column_sums(job, g);
}

/* ---- out = a u + p (x - mean) + q -------------------------------------------------------------------- */

static void apply_to_planes(const batch_job *job, const group *g) {
    const real a = g->a[0], p = g->p[0], q = g->q[0], mean = job->mean[g->first];
    for (int64_t row = 0; row < job->n_rows; row++) {
        int64_t at = (row * job->n_channels + g->first) * job->size;
        const real *x = job->x + at, *u = job->u ? job->u + at : NULL;
        real *RESTRICT out = job->out + at;
        if (!u)
            for (int64_t i = 0; i < job->size; i++) out[i] = p * (x[i] - mean) + q;
        else if (p == 0 && q == 0 && !job->adds)
            for (int64_t i = 0; i < job->size; i++) out[i] = a * u[i];
        else if (!job->adds)
            for (int64_t i = 0; i < job->size; i++) out[i] = a * u[i] + p * (x[i] - mean) + q;
        else
            for (int64_t i = 0; i < job->size; i++) out[i] += a * u[i] + p * (x[i] - mean) + q;
    }
}

static void apply_to_columns(const batch_job *job, const group *g) {
    const int64_t width = g->n * job->size, stride = job->n_channels * job->size;
    real a[WIDTH], p[WIDTH], q[WIDTH], mean[WIDTH];
    for (int64_t j = 0; j < width; j++) {
        int64_t c = j / job->size;
        a[j] = g->a[c], p[j] = g->p[c], q[j] = g->q[c], mean[j] = job->mean[g->first + c];
    }
    for (int64_t row = 0; row < job->n_rows; row++) {
        int64_t at = row * stride + g->first * job->size;
        const real *x = job->x + at, *u = job->u ? job->u + at : NULL;
        real *RESTRICT out = job->out + at;
        if (!u)
            for (int64_t j = 0; j < width; j++) out[j] = p[j] * (x[j] - mean[j]) + q[j];
        else if (!job->adds)
            for (int64_t j = 0; j < width; j++) out[j] = a[j] * u[j] + p[j] * (x[j] - mean[j]) + q[j];
        else
            for (int64_t j = 0; j < width; j++) out[j] += a[j] * u[j] + p[j] * (x[j] - mean[j]) + q[j];
    }
}

static void apply(const batch_job *job, const group *g) {
    if (as_planes(job))
        apply_to_planes(job, g);
    else
        apply_to_columns(job, g);
}

/* Work on channels [begin, end), group by group. */
#define EACH_GROUP(job, g, begin, end)                                                                       \
    for (g.first = begin; g.first < end && (g.n = BASE_MIN(job->group, end - g.first)); g.first += g.n)

static void run(const engine_call *call, batch_job *job, base_chunk_fn channels) {
    int64_t each = job->n_rows * job->size * job->group;
    int64_t groups = 1 + KERNEL_GRAIN / (each + 1);
    base_parallel(call->team, job->n_channels, groups * job->group, channels, job);
}

static real scale_of(const batch_job *job, int64_t channel) {
    return job->scale ? job->scale[channel] : 1;
}

/* ---- forward ----------------------------------------------------------------------------------------- */

/* The unbiased variance of a single number is not known: the running one stays. */
static void move_running(const batch_job *job, const group *g) {
    const engine_call *call = job->call;
    const double momentum = call->settings->r[MOMENTUM], n = count_of(job);
    real *mean = (real *)call->in[RUNNING_MEAN];
    real *variance = (real *)call->in[RUNNING_VARIANCE];
    for (int64_t c = 0; c < g->n; c++) {
        int64_t i = g->first + c;
        mean[i] = (real)((1 - momentum) * (double)mean[i] + momentum * g->mean[c]);
        if (n > 1)
            variance[i] = (real)((1 - momentum) * (double)variance[i] + momentum * g->squares[c] / (n - 1));
    }
}

static void use_batch(const batch_job *job, group *g) {
    if (as_planes(job))
        plane_moments(job, g);
    else
        column_moments(job, g);
    if (!job->call->freeze_state) move_running(job, g);
    for (int64_t c = 0; c < g->n; c++) {
        double variance = g->squares[c] / count_of(job);
        job->mean[g->first + c] = (real)g->mean[c];
        job->r[g->first + c] = (real)(1 / sqrt(variance + job->call->settings->r[EPSILON]));
    }
}

static void use_running(const batch_job *job, const group *g) {
    const real *mean = job->call->in[RUNNING_MEAN], *variance = job->call->in[RUNNING_VARIANCE];
    for (int64_t i = g->first; i < g->first + g->n; i++) {
        job->mean[i] = mean[i];
        job->r[i] = (real)(1 / sqrt((double)variance[i] + job->call->settings->r[EPSILON]));
    }
}

static void channels_forward(void *arg, int64_t begin, int64_t end, int worker) {
    const batch_job *job = arg;
    group g;
    (void)worker;
    EACH_GROUP(job, g, begin, end) {
        if (job->call->training)
            use_batch(job, &g);
        else
            use_running(job, &g);
        for (int64_t c = 0; c < g.n; c++) {
            g.p[c] = job->r[g.first + c] * scale_of(job, g.first + c);
            g.q[c] = job->shift ? job->shift[g.first + c] : 0;
        }
        apply(job, &g);
    }
}

static void forward(const engine_call *call) {
    batch_job job = make_job(call);
    job.out = call->out;
    if (count_of(&job) > 0)
        run(call, &job, channels_forward);
    else
        memset(call->saved, 0, saved_bytes(call));
}

/* ---- back -------------------------------------------------------------------------------------------- */

static void put(double sum, real *to, bool adds) {
    *to = adds ? *to + (real)sum : (real)sum;
}

/* Coefficients of r scale (u - mean(u) - (x - mean) r^2 mean(u (x - mean))), or of r scale u. */
static void centre(const batch_job *job, group *g) {
    double n = count_of(job);
    for (int64_t c = 0; c < g->n; c++) {
        real r = job->r[g->first + c], a = r * scale_of(job, g->first + c);
        bool moves = job->call->training;
        g->a[c] = a;
        g->p[c] = moves ? -a * r * r * (real)(g->product[c] / n) : 0;
        g->q[c] = moves ? -a * (real)(g->sum[c] / n) : 0;
    }
}

static void channels_back(void *arg, int64_t begin, int64_t end, int worker) {
    const batch_job *job = arg;
    group g;
    (void)worker;
    EACH_GROUP(job, g, begin, end) {
        if (job->call->training || job->d_scale || job->d_shift) find_sums(job, &g);
        centre(job, &g);
        if (job->out) apply(job, &g);
        for (int64_t c = 0; c < g.n; c++) {
            int64_t i = g.first + c;
            if (job->d_scale) put((double)job->r[i] * g.product[c], &job->d_scale[i], job->adds_scale);
            if (job->d_shift) put(g.sum[c], &job->d_shift[i], job->adds_shift);
        }
    }
}

static real *gradient_of(const engine_call *call, int setting, int k, bool *adds) {
    int i = (int)call->settings->i[setting];
    if (!i || !call->d_in[i]) return NULL;
    *adds = kernel_adds(call, i);
    return kernel_d_in(call, i, k);
}

static void vjp(const engine_call *call) {
    batch_job job = make_job(call);
    for (int k = 0; k < call->n_rows; k++) {
        job.u = kernel_cotangent(call, k);
        job.out = call->d_in[X] ? kernel_d_in(call, X, k) : NULL;
        job.adds = call->d_in[X] && kernel_adds(call, X);
        job.d_scale = gradient_of(call, AT_SCALE, k, &job.adds_scale);
        job.d_shift = gradient_of(call, AT_SHIFT, k, &job.adds_shift);
        run(call, &job, channels_back);
    }
}

/* ---- forward mode ------------------------------------------------------------------------------------ */

static void channels_tangent(void *arg, int64_t begin, int64_t end, int worker) {
    const batch_job *job = arg;
    group g;
    (void)worker;
    EACH_GROUP(job, g, begin, end) {
        find_sums(job, &g);
        centre(job, &g);
        for (int64_t c = 0; c < g.n; c++) {
            if (job->t_scale) g.p[c] += job->r[g.first + c] * job->t_scale[g.first + c];
            if (job->t_shift) g.q[c] += job->t_shift[g.first + c];
        }
        apply(job, &g);
    }
}

static void jvp(const engine_call *call) {
    batch_job job = make_job(call);
    job.u = call->t_in[X];
    job.t_scale = optional(call, call->t_in, AT_SCALE);
    job.t_shift = optional(call, call->t_in, AT_SHIFT);
    job.out = call->t_out;
    run(call, &job, channels_tangent);
}

static double flops(const engine_call *call) {
    return 8.0 * (double)kernel_size(&call->out_shape);
}

KERNEL_OP(batch_norm) = {.name = "batch_norm",
                         .min_inputs = 3,
                         .max_inputs = MAX_INPUTS,
                         .flags = ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_INPUTS | ENGINE_UPDATES_STATE,
                         .constant_inputs = 1u << RUNNING_MEAN | 1u << RUNNING_VARIANCE,
                         .shape = shape,
                         .forward = forward,
                         .vjp = vjp,
                         .jvp = jvp,
                         .flops = flops,
                         .saved_bytes = saved_bytes};

#ifdef ENGINE_BUILDERS

static bool is_state(const truce_graph *graph, truce_node node) {
    return node >= 0 && node < graph->n_nodes && graph->nodes[node].leaf == ENGINE_STATE;
}

truce_node truce_op_batch_norm(truce_graph *graph, truce_node x, const truce_norm *norm) {
    truce_node inputs[MAX_INPUTS] = {x, norm->running_mean, norm->running_variance};
    engine_settings settings = {.r = {[EPSILON] = norm->epsilon > 0 ? norm->epsilon : 1e-5,
                                      [MOMENTUM] = norm->momentum > 0 ? norm->momentum : 0.1}};
    int n = 3;
    if (norm->scale != TRUCE_NONE) settings.i[AT_SCALE] = n, inputs[n++] = norm->scale;
    if (norm->shift != TRUCE_NONE) settings.i[AT_SHIFT] = n, inputs[n++] = norm->shift;
    if (!is_state(graph, norm->running_mean) || !is_state(graph, norm->running_variance))
        return engine_graph_mistake(graph, TRUCE_ERROR_ARGUMENT,
                                    "batch_norm: running mean and variance must be states of the graph");
    return engine_graph_add(graph, ENGINE_OP_batch_norm, n, inputs, &settings);
}

#endif
