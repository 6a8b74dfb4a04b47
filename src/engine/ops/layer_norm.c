/*
 * layer_norm over the last axis (Ba, Kiros and Hinton, arXiv 1607.06450):
 *
 *     y = xhat scale + shift,  xhat = (x - mean) r,  r = 1 / sqrt(variance + epsilon)
 *     dx = r (g - mean(g) - xhat mean(g xhat)),  g = dy scale;   dscale = sum dy xhat,  dshift = sum dy
 *
 * with the biased variance of the row, found in a second pass over it. `saved` holds mean and r of every row.
 * Sums over rows belong to chunks of columns, each walked in the order of the rows.
 */
#include "engine/ops/kernel.h"

enum { X, MAX_INPUTS = 3, COLUMNS = 64, ROWS = 256 };

typedef struct layer_job {
    int64_t n; /* of a row */
    real epsilon;
    const real *x, *dy, *scale, *shift;
    const real *t, *t_scale, *t_shift;
    real *mean, *r, *out;
    bool adds;
    int64_t n_rows;
    real *d_scale, *d_shift;
    bool adds_scale, adds_shift;
} layer_job;

/* settings: i[0], i[1] where scale and shift stand among the inputs, 0 for none; r[0] epsilon */
static truce_status shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[X];
    char xt[ENGINE_SHAPE_TEXT_BYTES], st[ENGINE_SHAPE_TEXT_BYTES];
    if (x->n_dims < 1 || call->in_type[X] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "x is %s, but must be rows of real numbers",
                         engine_shape_text(x, xt));
    for (int i = 1; i < call->n_inputs; i++)
        if (call->in[i].n_dims != 1 || call->in[i].dims[0] != x->dims[x->n_dims - 1])
            return base_fail(call->context, TRUCE_ERROR_SHAPE, "the %s is %s, but x is %s",
                             call->settings->i[0] == i ? "scale" : "shift",
                             engine_shape_text(&call->in[i], st), engine_shape_text(x, xt));
    return TRUCE_OK;
}

static const void *input(const engine_call *call, int which) {
    int64_t i = call->settings->i[which];
    return i ? call->in[i] : NULL;
}

static layer_job make_job(const engine_call *call) {
    const truce_shape *x = &call->in_shape[X];
    layer_job job = {.n = x->dims[x->n_dims - 1],
                     .epsilon = (real)call->settings->r[0],
                     .x = call->in[X],
                     .scale = input(call, 0),
                     .shift = input(call, 1)};
    job.n_rows = 1;
    for (int i = 0; i < x->n_dims - 1; i++) job.n_rows *= x->dims[i];
    job.mean = call->saved;
    job.r = job.mean ? job.mean + job.n_rows : NULL;
    return job;
}

static size_t saved_bytes(const engine_call *call) {
    return 2 * sizeof(real) * (size_t)make_job(call).n_rows;
}

static void run(const engine_call *call, layer_job *job, base_chunk_fn rows) {
    base_parallel(call->team, job->n_rows, 1 + KERNEL_GRAIN / (job->n + 1), rows, job);
}

static void find_moments(const layer_job *job, int64_t row) {
    const real *x = job->x + row * job->n;
    double sum = 0;
    const real mean = (real)(kernel_total(x, job->n) / (double)job->n);
    for (int64_t i = 0; i < job->n; i += KERNEL_BLOCK)
        sum += (double)simd_squares(x + i, mean, BASE_MIN(job->n - i, KERNEL_BLOCK));
    job->mean[row] = mean;
    job->r[row] = (real)(1 / sqrt(sum / (double)job->n + (double)job->epsilon));
}

static void normalise_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const layer_job *job = arg;
    (void)worker;
    for (int64_t row = begin; row < end && job->n; row++) {
        find_moments(job, row);
        const real mean = job->mean[row], r = job->r[row], *x = job->x + row * job->n;
        const real *scale = job->scale, *shift = job->shift;
        real *RESTRICT y = job->out + row * job->n;
        if (scale && shift)
            for (int64_t i = 0; i < job->n; i++) y[i] = (x[i] - mean) * r * scale[i] + shift[i];
        else
            for (int64_t i = 0; i < job->n; i++)
                y[i] = (x[i] - mean) * r * (scale ? scale[i] : 1) + (shift ? shift[i] : 0);
    }
}

/* mean(g) and mean(g xhat) of a row, g = dy scale. */
static void row_means(const layer_job *job, int64_t row, const real *dy, real *mean_g, real *mean_gx) {
    const real mean = job->mean[row], r = job->r[row], *x = job->x + row * job->n, *scale = job->scale;
    double sum = 0, product = 0;
    for (int64_t i = 0; i < job->n; i += KERNEL_BLOCK) {
        int64_t n = BASE_MIN(job->n - i, KERNEL_BLOCK);
        sum += (double)(scale ? simd_dot(dy + i, scale + i, n) : simd_sum(dy + i, n));
        product += (double)(scale ? simd_moment_of_product(x + i, mean, dy + i, scale + i, n)
                                  : simd_moment(x + i, mean, dy + i, n));
    }
    *mean_g = (real)(sum / (double)job->n);
    *mean_gx = (real)(product / (double)job->n) * r;
}

static void rows_back(void *arg, int64_t begin, int64_t end, int worker) {
    const layer_job *job = arg;
    const real *scale = job->scale;
    (void)worker;
    for (int64_t row = begin; row < end && job->n; row++) {
        const real *dy = job->dy + row * job->n, *x = job->x + row * job->n;
        const real mean = job->mean[row], r = job->r[row];
        real *RESTRICT dx = job->out + row * job->n, mean_g, mean_gx;
        row_means(job, row, dy, &mean_g, &mean_gx);
        if (job->adds)
            for (int64_t i = 0; i < job->n; i++)
                dx[i] += r * (dy[i] * (scale ? scale[i] : 1) - mean_g - (x[i] - mean) * r * mean_gx);
        else
            for (int64_t i = 0; i < job->n; i++)
                dx[i] = r * (dy[i] * (scale ? scale[i] : 1) - mean_g - (x[i] - mean) * r * mean_gx);
    }
}

static void put(double sum, real *to, bool adds) {
    *to = adds ? *to + (real)sum : (real)sum;
}

/* dscale and dshift of a chunk of columns. */
static void columns_back(void *arg, int64_t begin, int64_t end, int worker) {
    const layer_job *job = arg;
    int64_t width = end - begin;
    double scale[COLUMNS] = {0}, shift[COLUMNS] = {0};
    (void)worker;
    for (int64_t row = 0; row < job->n_rows; row += ROWS) {
        real scale_part[COLUMNS] = {0}, shift_part[COLUMNS] = {0};
        for (int64_t q = row; q < BASE_MIN(row + ROWS, job->n_rows); q++) {
            const real *x = job->x + q * job->n + begin, *dy = job->dy + q * job->n + begin;
            const real mean = job->mean[q], r = job->r[q];
            for (int64_t j = 0; j < width; j++) {
                scale_part[j] += dy[j] * ((x[j] - mean) * r);
                shift_part[j] += dy[j];
            }
        }
        for (int64_t j = 0; j < width; j++) {
            scale[j] += (double)scale_part[j];
            shift[j] += (double)shift_part[j];
        }
    }
    for (int64_t j = 0; j < width; j++) {
        if (job->d_scale) put(scale[j], &job->d_scale[begin + j], job->adds_scale);
        if (job->d_shift) put(shift[j], &job->d_shift[begin + j], job->adds_shift);
    }
}

static real *gradient_of(const engine_call *call, int which, int k, bool *adds) {
    int i = (int)call->settings->i[which];
    if (!i || !call->d_in[i]) return NULL;
    *adds = kernel_adds(call, i);
    return kernel_d_in(call, i, k);
}

static void vjp(const engine_call *call) {
    layer_job job = make_job(call);
    for (int k = 0; k < call->n_rows; k++) {
        job.dy = kernel_cotangent(call, k);
        job.d_scale = gradient_of(call, 0, k, &job.adds_scale);
        job.d_shift = gradient_of(call, 1, k, &job.adds_shift);
        if (call->d_in[X]) {
            job.out = kernel_d_in(call, X, k);
            job.adds = kernel_adds(call, X);
            run(call, &job, rows_back);
        }
        if (job.d_scale || job.d_shift) base_parallel(call->team, job.n, COLUMNS, columns_back, &job);
    }
}

static void forward(const engine_call *call) {
    layer_job job = make_job(call);
    job.out = call->out;
    run(call, &job, normalise_rows);
}

/* t_y = scale r (t - mean(t) - xhat mean(t xhat)) + xhat t_scale + t_shift */
static void rows_tangent(void *arg, int64_t begin, int64_t end, int worker) {
    const layer_job *job = arg;
    layer_job plain = *job;
    plain.scale = NULL;
    (void)worker;
    for (int64_t row = begin; row < end && job->n; row++) {
        const real *t = job->t ? job->t + row * job->n : NULL, *x = job->x + row * job->n;
        const real mean = job->mean[row], r = job->r[row];
        real mean_t = 0, mean_tx = 0;
        if (t) row_means(&plain, row, t, &mean_t, &mean_tx);
        for (int64_t i = 0; i < job->n; i++) {
            real xhat = (x[i] - mean) * r, y = t ? r * (t[i] - mean_t - xhat * mean_tx) : 0;
            if (job->scale) y *= job->scale[i];
            if (job->t_scale) y += xhat * job->t_scale[i];
            if (job->t_shift) y += job->t_shift[i];
            job->out[row * job->n + i] = y;
        }
    }
}

static const void *tangent(const engine_call *call, int which) {
    int64_t i = call->settings->i[which];
    return i ? call->t_in[i] : NULL;
}

static void jvp(const engine_call *call) {
    layer_job job = make_job(call);
    job.t = call->t_in[X];
    job.t_scale = tangent(call, 0);
    job.t_shift = tangent(call, 1);
    job.out = call->t_out;
    run(call, &job, rows_tangent);
}

static double flops(const engine_call *call) {
    return 8.0 * (double)kernel_size(&call->out_shape);
}

KERNEL_OP(layer_norm) = {.name = "layer_norm",
                         .min_inputs = 1,
                         .max_inputs = MAX_INPUTS,
                         .flags = ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_INPUTS,
                         .shape = shape,
                         .forward = forward,
                         .vjp = vjp,
                         .jvp = jvp,
                         .flops = flops,
                         .saved_bytes = saved_bytes};

#ifdef ENGINE_BUILDERS

truce_node truce_op_layer_norm(truce_graph *graph, truce_node x, const truce_norm *norm) {
    truce_node inputs[MAX_INPUTS] = {x};
    engine_settings settings = {.r = {norm->epsilon > 0 ? norm->epsilon : 1e-5}};
    int n = 1;
    if (norm->scale != TRUCE_NONE) settings.i[0] = n, inputs[n++] = norm->scale;
    if (norm->shift != TRUCE_NONE) settings.i[1] = n, inputs[n++] = norm->shift;
    return engine_graph_add(graph, ENGINE_OP_layer_norm, n, inputs, &settings);
}

#endif
