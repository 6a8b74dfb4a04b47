/*
 * Pools over images [planes][H][W]: the largest value in a window, the mean of the values in it, the mean of
 * a whole image.
 *
 * A row of the result is made tap by tap (row y, column x of the window), so that the inner loop runs along
 * the row. Windows of 2 x 2 that do not overlap have loops of their own. `saved` of max_pool says where each
 * maximum was found: an int32 in its image, -1 for a window that sees nothing but padding; for 2 x 2 windows
 * a byte, 2 y + x. The first of equal values is taken; a NaN is larger than all numbers.
 */
#include "engine/ops/window.h"

typedef struct pool {
    window_axis h, w;
    int64_t n_planes, in_size, out_size; /* of a plane */
    bool quarters;                       /* 2 x 2 windows side by side */
} pool;

typedef struct pool_job {
    pool pool;
    const real *x, *dy;
    real *out, *dx;
    bool adds;
    int32_t *found;
    unsigned char *corner; /* found, of 2 x 2 windows */
    /* in scratch, for other windows */
    const window_tap *rows, *columns; /* taps */
    const real *row_share,
        *column_share; /* 1 / taps that see the image, for each row and column of the result */
} pool_job;

static truce_status shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[0];
    char text[ENGINE_SHAPE_TEXT_BYTES];
    if (call->in_type[0] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_TYPE, "takes real numbers, not indices");
    if (x->n_dims < 2 || x->dims[x->n_dims - 1] < 0 || x->dims[x->n_dims - 2] < 0)
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "x is %s, which holds no images of a known size",
                         engine_shape_text(x, text));
    if ((double)x->dims[x->n_dims - 1] * (double)x->dims[x->n_dims - 2] > INT32_MAX)
        return base_fail(call->context, TRUCE_ERROR_RANGE, "images of %s are too large",
                         engine_shape_text(x, text));
    return window_shape(call);
}

static pool pool_of(const engine_call *call) {
    pool p = {.h = window_of(call->settings, &call->in_shape[0], &call->out_shape, 0),
              .w = window_of(call->settings, &call->in_shape[0], &call->out_shape, 1),
              .n_planes = 1};
    for (int i = 0; i < call->out_shape.n_dims - 2; i++) p.n_planes *= call->out_shape.dims[i];
    p.in_size = p.h.n_in * p.w.n_in;
    p.out_size = p.h.n_out * p.w.n_out;
    p.quarters = window_is(&p.h, 2, 2) && window_is(&p.w, 2, 2);
    return p;
}

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

static void fill_tables(const engine_call *call, pool_job *job) {
    const pool *p = &job->pool;
    window_tap *rows = call->scratch, *columns = rows + p->h.size;
    real *row_share = (real *)(columns + p->w.size), *column_share = row_share + p->h.n_out;
    fill_axis(&p->h, rows, row_share);
    fill_axis(&p->w, columns, column_share);
    job->rows = rows, job->columns = columns;
    job->row_share = row_share, job->column_share = column_share;
}

static void run(const engine_call *call, pool_job *job, base_chunk_fn planes) {
    job->pool = pool_of(call);
    if (!job->pool.quarters) fill_tables(call, job);
    base_parallel(call->team, job->pool.n_planes, 1 + KERNEL_GRAIN / (job->pool.in_size + 1), planes, job);
}

static double flops(const engine_call *call) {
    const int64_t *i = call->settings->i;
    return (double)kernel_size(&call->out_shape) * (double)(i[WINDOW_SIZE] * i[WINDOW_SIZE + 1]);
}

/* ---- max_pool ---------------------------------------------------------------------------------------- */

static size_t max_saved_bytes(const engine_call *call) {
    size_t n = (size_t)kernel_size(&call->out_shape);
    return pool_of(call).quarters ? n : n * sizeof(int32_t);
}

static void quarters_max(const pool *p, const real *x, real *out, unsigned char *corner) {
    for (int64_t i = 0; i < p->h.n_out; i++) {
        const real *RESTRICT top = x + 2 * i * p->w.n_in, *RESTRICT bottom = top + p->w.n_in;
        real *RESTRICT to = out + i * p->w.n_out;
        unsigned char *RESTRICT at = corner + i * p->w.n_out;
#pragma omp simd
        for (int64_t j = 0; j < p->w.n_out; j++) {
            const real a = top[2 * j], b = top[2 * j + 1], c = bottom[2 * j], d = bottom[2 * j + 1];
            real best = a;
            int32_t found = 0;
            found = b > best || b != b ? 1 : found, best = b > best || b != b ? b : best;
            found = c > best || c != c ? 2 : found, best = c > best || c != c ? c : best;
            found = d > best || d != d ? 3 : found, best = d > best || d != d ? d : best;
            to[j] = best;
            at[j] = (unsigned char)found;
        }
    }
}

/* One tap of a row of the result; `element` is where x[0] of the tap's row lies in the image. */
static inline void max_of_tap(const real *RESTRICT x, int64_t stride, window_tap tap, int64_t element,
                              real *RESTRICT best, int32_t *RESTRICT found) {
#pragma omp simd
    for (int64_t j = tap.begin; j < tap.end; j++) {
        const real v = x[j * stride + tap.offset];
        const bool larger = v > best[j] || v != v;
        found[j] = larger ? (int32_t)(element + j * stride + tap.offset) : found[j];
        best[j] = larger ? v : best[j];
    }
}

static void max_row(const pool_job *job, int64_t i, const real *x, real *best, int32_t *found) {
    const pool *p = &job->pool;
    for (int64_t j = 0; j < p->w.n_out; j++) {
        best[j] = -(real)INFINITY;
        found[j] = -1;
    }
    for (int64_t y = 0; y < p->h.size; y++) {
        const window_tap row = job->rows[y];
        if (i < row.begin || i >= row.end) continue;
        int64_t element = (i * p->h.stride + row.offset) * p->w.n_in;
        for (int64_t column = 0; column < p->w.size; column++) {
            const window_tap tap = job->columns[column];
            if (p->w.stride == 1)
                max_of_tap(x + element, 1, tap, element, best, found);
            else if (p->w.stride == 2)
                max_of_tap(x + element, 2, tap, element, best, found);
            else
                max_of_tap(x + element, p->w.stride, tap, element, best, found);
        }
    }
}

static void max_planes(void *arg, int64_t begin, int64_t end, int worker) {
    const pool_job *job = arg;
    const pool *p = &job->pool;
    (void)worker;
    for (int64_t plane = begin; plane < end; plane++) {
        const real *x = job->x + plane * p->in_size;
        real *out = job->out + plane * p->out_size;
        if (p->quarters)
            quarters_max(p, x, out, job->corner + plane * p->out_size);
        else
            for (int64_t i = 0; i < p->h.n_out; i++)
                max_row(job, i, x, out + i * p->w.n_out, job->found + plane * p->out_size + i * p->w.n_out);
    }
}

/* Each cotangent goes to one of the four elements, which belong to no other window. */
static void quarters_back(const pool *p, const unsigned char *corner, const real *dy, real *dx, bool adds) {
    for (int64_t i = 0; i < p->h.n_out; i++) {
        const unsigned char *RESTRICT at = corner + i * p->w.n_out;
        const real *RESTRICT g = dy + i * p->w.n_out;
        real *RESTRICT top = dx + 2 * i * p->w.n_in, *RESTRICT bottom = top + p->w.n_in;
#pragma omp simd
        for (int64_t j = 0; j < p->w.n_out; j++) {
            const int32_t c = at[j];
            top[2 * j] = (adds ? top[2 * j] : 0) + (c == 0 ? g[j] : 0);
            top[2 * j + 1] = (adds ? top[2 * j + 1] : 0) + (c == 1 ? g[j] : 0);
            bottom[2 * j] = (adds ? bottom[2 * j] : 0) + (c == 2 ? g[j] : 0);
            bottom[2 * j + 1] = (adds ? bottom[2 * j + 1] : 0) + (c == 3 ? g[j] : 0);
        }
    }
}

/* An odd last row or column is in no 2 x 2 window. */
static void clear_rest(const pool *p, real *dx) {
    for (int64_t i = 0; i < 2 * p->h.n_out && 2 * p->w.n_out < p->w.n_in; i++)
        dx[i * p->w.n_in + p->w.n_in - 1] = 0;
    if (2 * p->h.n_out < p->h.n_in)
        memset(dx + 2 * p->h.n_out * p->w.n_in, 0, (size_t)p->w.n_in * sizeof(real));
}

static void max_planes_back(void *arg, int64_t begin, int64_t end, int worker) {
    const pool_job *job = arg;
    const pool *p = &job->pool;
    (void)worker;
    for (int64_t plane = begin; plane < end; plane++) {
        const real *dy = job->dy + plane * p->out_size;
        real *dx = job->dx + plane * p->in_size;
        if (p->quarters) {
            if (!job->adds) clear_rest(p, dx);
            quarters_back(p, job->corner + plane * p->out_size, dy, dx, job->adds);
            continue;
        }
        const int32_t *found = job->found + plane * p->out_size;
        if (!job->adds) memset(dx, 0, (size_t)p->in_size * sizeof(real));
        for (int64_t i = 0; i < p->out_size; i++)
            if (found[i] >= 0) dx[found[i]] += dy[i];
    }
}

/* The tangent of the element that was found. */
static void max_planes_tangent(void *arg, int64_t begin, int64_t end, int worker) {
    const pool_job *job = arg;
    const pool *p = &job->pool;
    (void)worker;
    for (int64_t plane = begin; plane < end; plane++)
        for (int64_t i = 0; i < p->out_size; i++) {
            const real *t = job->x + plane * p->in_size;
            int64_t at = plane * p->out_size + i;
            if (p->quarters) {
                int64_t c = job->corner[at], row = 2 * (i / p->w.n_out) + c / 2,
                        column = 2 * (i % p->w.n_out);
                job->out[at] = t[row * p->w.n_in + column + c % 2];
            } else {
                job->out[at] = job->found[at] < 0 ? 0 : t[job->found[at]];
            }
        }
}

static void max_pool_forward(const engine_call *call) {
    pool_job job = {.x = call->in[0], .out = call->out, .found = call->saved, .corner = call->saved};
    run(call, &job, max_planes);
}

static void max_pool_vjp(const engine_call *call) {
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        pool_job job = {.dy = kernel_cotangent(call, k),
                        .dx = kernel_d_in(call, 0, k),
                        .adds = kernel_adds(call, 0),
                        .found = call->saved,
                        .corner = call->saved};
        run(call, &job, max_planes_back);
    }
}

static void max_pool_jvp(const engine_call *call) {
    pool_job job = {.x = call->t_in[0], .out = call->t_out, .found = call->saved, .corner = call->saved};
    run(call, &job, max_planes_tangent);
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
static void average_row(const pool_job *job, int64_t i, const real *x, real *sum) {
    const pool *p = &job->pool;
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

static void spread_row(const pool_job *job, int64_t i, const real *dy, real *dx) {
    const pool *p = &job->pool;
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
    const pool_job *job = arg;
    const pool *p = &job->pool;
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
    const pool_job *job = arg;
    const pool *p = &job->pool;
    (void)worker;
    for (int64_t plane = begin; plane < end; plane++) {
        const real *dy = job->dy + plane * p->out_size;
        real *dx = job->dx + plane * p->in_size;
        if (p->quarters) {
            if (!job->adds) clear_rest(p, dx);
            quarters_spread(p, dy, dx, job->adds);
            continue;
        }
        if (!job->adds) memset(dx, 0, (size_t)p->in_size * sizeof(real));
        for (int64_t i = 0; i < p->h.n_out; i++) spread_row(job, i, dy + i * p->w.n_out, dx);
    }
}

static void average_pool_forward(const engine_call *call) {
    pool_job job = {.x = call->in[0], .out = call->out};
    run(call, &job, average_planes);
}

static void average_pool_vjp(const engine_call *call) {
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        pool_job job = {
            .dy = kernel_cotangent(call, k), .dx = kernel_d_in(call, 0, k), .adds = kernel_adds(call, 0)};
        run(call, &job, average_planes_back);
    }
}

static void average_pool_jvp(const engine_call *call) {
    pool_job job = {.x = call->t_in[0], .out = call->t_out};
    run(call, &job, average_planes);
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
    const pool_job *job = arg;
    int64_t n = job->pool.in_size;
    (void)worker;
    for (int64_t plane = begin; plane < end; plane++)
        job->out[plane] = (real)(kernel_total(job->x + plane * n, n) / (double)n);
}

static void spread_planes(void *arg, int64_t begin, int64_t end, int worker) {
    const pool_job *job = arg;
    int64_t n = job->pool.in_size;
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

static void run_global(const engine_call *call, pool_job *job, base_chunk_fn planes) {
    int64_t n_planes = kernel_size(&call->out_shape);
    job->pool.in_size = n_planes ? kernel_size(&call->in_shape[0]) / n_planes : 0;
    base_parallel(call->team, n_planes, 1 + KERNEL_GRAIN / (job->pool.in_size + 1), planes, job);
}

static void global_pool_forward(const engine_call *call) {
    pool_job job = {.x = call->in[0], .out = call->out};
    run_global(call, &job, mean_planes);
}

static void global_pool_vjp(const engine_call *call) {
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        pool_job job = {
            .dy = kernel_cotangent(call, k), .dx = kernel_d_in(call, 0, k), .adds = kernel_adds(call, 0)};
        run_global(call, &job, spread_planes);
    }
}

static void global_pool_jvp(const engine_call *call) {
    pool_job job = {.x = call->t_in[0], .out = call->t_out};
    run_global(call, &job, mean_planes);
}

static double global_flops(const engine_call *call) {
    return (double)kernel_size(&call->in_shape[0]);
}

KERNEL_OP(max_pool) = {.name = "max_pool",
                       .min_inputs = 1,
                       .max_inputs = 1,
                       .flags = ENGINE_DIFFERENTIABLE,
                       .shape = shape,
                       .forward = max_pool_forward,
                       .vjp = max_pool_vjp,
                       .jvp = max_pool_jvp,
                       .flops = flops,
                       .saved_bytes = max_saved_bytes,
                       .scratch_bytes = scratch_bytes};

KERNEL_OP(average_pool) = {.name = "average_pool",
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .flags = ENGINE_DIFFERENTIABLE,
                           .shape = shape,
                           .forward = average_pool_forward,
                           .vjp = average_pool_vjp,
                           .jvp = average_pool_jvp,
                           .flops = flops,
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

static truce_node add_pool(truce_graph *graph, engine_op_id op, truce_node x, const truce_window *window) {
    int64_t stride[2] = {window->size[0], window->size[1]};
    engine_settings settings = window_settings(window, stride);
    return engine_graph_add(graph, op, 1, &x, &settings);
}

truce_node truce_op_max_pool(truce_graph *graph, truce_node x, const truce_window *window) {
    return add_pool(graph, ENGINE_OP_max_pool, x, window);
}

truce_node truce_op_average_pool(truce_graph *graph, truce_node x, const truce_window *window) {
    return add_pool(graph, ENGINE_OP_average_pool, x, window);
}

truce_node truce_op_global_pool(truce_graph *graph, truce_node x) {
    return engine_graph_add1(graph, ENGINE_OP_global_pool, x);
}

#endif
