/*
 * Means over images [planes][H][W]: in windows (average_pool, padding left out), and of whole images
 * (global_pool).
 *
 * A row of the result is summed tap by tap (row y, column x of the window), so that the inner loop runs along
 * the row. The number of taps that see the image is a product of one number per row and one per column, whose
 * inverses are kept in scratch. Windows of 2 x 2 that do not overlap have loops of their own.
 */
#include "engine/ops/pool.h"

typedef struct mean_job {
    pool p;
    const real *x, *dy;
    real *out, *dx;
    bool adds;
    /* in scratch, for windows that are not 2 x 2 */
    const window_tap *rows, *columns; /* taps */
    const real *row_share,
        *column_share; /* 1 / taps that see the image, for each row and column of the result */
} mean_job;

static size_t scratch_bytes(const engine_call *call) {
    pool p = pool_of(call);
    if (p.quarters) return 0;
    return (size_t)(p.h.size + p.w.size) * sizeof(window_tap) +
           (size_t)(p.h.n_out + p.w.n_out) * sizeof(real);
}

static void fill_axis(const window_axis *w, window_tap *taps, real *shares) {
    for (int64_t j = 0; j < w->n_out; j++) shares[j] = 0;
    for (int64_t tap = 0; tap < w->size; tap++) {
        taps[tap] = window_see(w, tap);
        for (int64_t j = taps[tap].begin; j < taps[tap].end; j++) shares[j] += 1;
    }
    for (int64_t j = 0; j < w->n_out; j++) shares[j] = shares[j] > 0 ? 1 / shares[j] : 0;
}

static mean_job make_job(const engine_call *call) {
    mean_job job = {.p = pool_of(call)};
    const pool *p = &job.p;
    if (p->quarters) return job;
    window_tap *rows = call->scratch, *columns = rows + p->h.size;
    real *row_share = (real *)(columns + p->w.size), *column_share = row_share + p->h.n_out;
    fill_axis(&p->h, rows, row_share);
    fill_axis(&p->w, columns, column_share);
    job.rows = rows, job.columns = columns;
    job.row_share = row_share, job.column_share = column_share;
    return job;
}

/* ---- average_pool ------------------------------------------------------------------------------------ */

static inline void add_tap(const real *RESTRICT x, int64_t stride, window_tap tap, real *RESTRICT sum) {
#pragma omp simd
    for (int64_t j = tap.begin; j < tap.end; j++) sum[j] += x[j * stride + tap.offset];
}

static inline void spread_tap(const real *RESTRICT dy, const real *RESTRICT share, int64_t stride,
                              window_tap tap, real row_share, real *RESTRICT dx) {
#pragma omp simd
    for (int64_t j = tap.begin; j < tap.end; j++) dx[j * stride + tap.offset] += dy[j] * share[j] * row_share;
}

/* One row of the result: sums from x, or spreads over dx. */
static void average_row(const mean_job *job, int64_t i, const real *x, real *sum) {
    const pool *p = &job->p;
    memset(sum, 0, (size_t)p->w.n_out * sizeof(real));
    for (int64_t y = 0; y < p->h.size; y++) {
        const window_tap row = job->rows[y];
        if (i < row.begin || i >= row.end) continue;
        const real *from = x + (i * p->h.stride + row.offset) * p->w.n_in;
        for (int64_t column = 0; column < p->w.size; column++) {
            const window_tap tap = job->columns[column];
            if (p->w.stride == 1)
                add_tap(from, 1, tap, sum);
            else if (p->w.stride == 2)
                add_tap(from, 2, tap, sum);
            else
                add_tap(from, p->w.stride, tap, sum);
        }
    }
    for (int64_t j = 0; j < p->w.n_out; j++) sum[j] *= job->row_share[i] * job->column_share[j];
}

static void spread_row(const mean_job *job, int64_t i, const real *dy, real *dx) {
    const pool *p = &job->p;
    for (int64_t y = 0; y < p->h.size; y++) {
        const window_tap row = job->rows[y];
        if (i < row.begin || i >= row.end) continue;
        real *to = dx + (i * p->h.stride + row.offset) * p->w.n_in;
        for (int64_t column = 0; column < p->w.size; column++) {
            const window_tap tap = job->columns[column];
            if (p->w.stride == 1)
                spread_tap(dy, job->column_share, 1, tap, job->row_share[i], to);
            else
                spread_tap(dy, job->column_share, p->w.stride, tap, job->row_share[i], to);
        }
    }
}

static void quarters_mean(const pool *p, const real *x, real *out) {
    for (int64_t i = 0; i < p->h.n_out; i++) {
        const real *RESTRICT top = x + 2 * i * p->w.n_in, *RESTRICT bottom = top + p->w.n_in;
        real *RESTRICT to = out + i * p->w.n_out;
#pragma omp simd
        for (int64_t j = 0; j < p->w.n_out; j++)
            to[j] = ((top[2 * j] + top[2 * j + 1]) + (bottom[2 * j] + bottom[2 * j + 1])) / 4;
    }
}

static void quarters_spread(const pool *p, const real *dy, real *dx, bool adds) {
    for (int64_t i = 0; i < p->h.n_out; i++)
        for (int64_t row = 2 * i; row < 2 * i + 2; row++) {
            const real *RESTRICT g = dy + i * p->w.n_out;
            real *RESTRICT to = dx + row * p->w.n_in;
#pragma omp simd
            for (int64_t j = 0; j < p->w.n_out; j++) {
                to[2 * j] = (adds ? to[2 * j] : 0) + g[j] / 4;
                to[2 * j + 1] = (adds ? to[2 * j + 1] : 0) + g[j] / 4;
            }
        }
}

static void average_planes(void *arg, int64_t begin, int64_t end, int worker) {
    const mean_job *job = arg;
    const pool *p = &job->p;
    (void)worker;
    for (int64_t plane = begin; plane < end; plane++) {
        const real *x = job->x + plane * p->in_size;
        real *out = job->out + plane * p->out_size;
        if (p->quarters)
            quarters_mean(p, x, out);
        else
            for (int64_t i = 0; i < p->h.n_out; i++) average_row(job, i, x, out + i * p->w.n_out);
    }
}

static void average_planes_back(void *arg, int64_t begin, int64_t end, int worker) {
    const mean_job *job = arg;
    const pool *p = &job->p;
    (void)worker;
    for (int64_t plane = begin; plane < end; plane++) {
        const real *dy = job->dy + plane * p->out_size;
        real *dx = job->dx + plane * p->in_size;
        if (p->quarters) {
            if (!job->adds) pool_clear_rest(p, dx);
            quarters_spread(p, dy, dx, job->adds);
            continue;
        }
        if (!job->adds) memset(dx, 0, (size_t)p->in_size * sizeof(real));
        for (int64_t i = 0; i < p->h.n_out; i++) spread_row(job, i, dy + i * p->w.n_out, dx);
    }
}

static void average_pool_forward(const engine_call *call) {
    mean_job job = make_job(call);
    job.x = call->in[0];
    job.out = call->out;
    pool_run(call, &job.p, average_planes, &job);
}

static void average_pool_vjp(const engine_call *call) {
    mean_job job = make_job(call);
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        job.dy = kernel_cotangent(call, k);
        job.dx = kernel_d_in(call, 0, k);
        job.adds = kernel_adds(call, 0);
        pool_run(call, &job.p, average_planes_back, &job);
    }
}

static void average_pool_jvp(const engine_call *call) {
    mean_job job = make_job(call);
    job.x = call->t_in[0];
    job.out = call->t_out;
    pool_run(call, &job.p, average_planes, &job);
}

/* ---- global_pool ------------------------------------------------------------------------------------- */

static truce_status global_shape(engine_shape_call *call) {
    char text[ENGINE_SHAPE_TEXT_BYTES];
    if (call->in_type[0] != TRUCE_REAL || call->in[0].n_dims < 2)
        return base_fail(call->context, TRUCE_ERROR_SHAPE,
                         "x is %s, but must be [batch, channels, ...] of reals",
                         engine_shape_text(&call->in[0], text));
    call->out.n_dims = 2;
    return TRUCE_OK;
}

static void mean_planes(void *arg, int64_t begin, int64_t end, int worker) {
    const mean_job *job = arg;
    int64_t n = job->p.in_size;
    (void)worker;
    for (int64_t plane = begin; plane < end; plane++)
        job->out[plane] = (real)(kernel_total(job->x + plane * n, n) / (double)n);
}

static void spread_planes(void *arg, int64_t begin, int64_t end, int worker) {
    const mean_job *job = arg;
    int64_t n = job->p.in_size;
    (void)worker;
    for (int64_t plane = begin; plane < end; plane++) {
        const real g = job->dy[plane] / (real)n;
        real *dx = job->dx + plane * n;
        if (job->adds)
            for (int64_t i = 0; i < n; i++) dx[i] += g;
        else
            for (int64_t i = 0; i < n; i++) dx[i] = g;
    }
}

static void run_global(const engine_call *call, mean_job *job, base_chunk_fn planes) {
    int64_t n_planes = kernel_size(&call->out_shape);
    job->p.in_size = n_planes ? kernel_size(&call->in_shape[0]) / n_planes : 0;
    base_parallel(call->team, n_planes, 1 + KERNEL_GRAIN / (job->p.in_size + 1), planes, job);
}

static void global_pool_forward(const engine_call *call) {
    mean_job job = {.x = call->in[0], .out = call->out};
    run_global(call, &job, mean_planes);
}

static void global_pool_vjp(const engine_call *call) {
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        mean_job job = {
            .dy = kernel_cotangent(call, k), .dx = kernel_d_in(call, 0, k), .adds = kernel_adds(call, 0)};
        run_global(call, &job, spread_planes);
    }
}

static void global_pool_jvp(const engine_call *call) {
    mean_job job = {.x = call->t_in[0], .out = call->t_out};
    run_global(call, &job, mean_planes);
}

static double global_flops(const engine_call *call) {
    return (double)kernel_size(&call->in_shape[0]);
}

KERNEL_OP(average_pool) = {.name = "average_pool",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .flags = ENGINE_DIFFERENTIABLE,
                           .shape = pool_shape,
                           .forward = average_pool_forward,
                           .vjp = average_pool_vjp,
                           .jvp = average_pool_jvp,
                           .flops = pool_flops,
                           .scratch_bytes = scratch_bytes};

KERNEL_OP(global_pool) = {.name = "global_pool",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .flags = ENGINE_DIFFERENTIABLE,
                          .shape = global_shape,
                          .forward = global_pool_forward,
                          .vjp = global_pool_vjp,
                          .jvp = global_pool_jvp,
                          .flops = global_flops};

#ifdef ENGINE_BUILDERS

truce_node truce_op_average_pool(truce_graph *graph, truce_node x, const truce_window *window) {
    return pool_add(graph, ENGINE_OP_average_pool, x, window);
}

truce_node truce_op_global_pool(truce_graph *graph, truce_node x) {
    return engine_graph_add1(graph, ENGINE_OP_global_pool, x);
}

#endif
