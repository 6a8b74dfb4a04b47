/*
 * softmax and log_softmax along any axis.
 *
 *     y = exp(x - m) / s,  s = sum exp(x - m),  m = max x       dx = y (dy - sum(dy y))
 *     y = x - m - log s                                         dx = dy - exp(y) sum(dy)
 *
 * Along the last axis whole rows are worked on, along others blocks of neighbouring columns. Both may work in
 * place: within a row or column everything is read before it is overwritten.
 */
#include "engine/ops/logsum.h"

typedef struct softmax_job {
    kernel_axis axis;
    bool adds;
    const real *x, *y, *dy;
    real *out;
    int64_t n_blocks; /* of columns */
} softmax_job;

static truce_status shape(engine_shape_call *call) {
    int axis = 0;
    if (call->in_type[0] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_TYPE, "takes real numbers, not indices");
    return engine_axis(call->context, "softmax", call->settings->i[0], call->in[0].n_dims, &axis);
}

static kernel_axis axis_of(const engine_call *call) {
    return kernel_split(&call->out_shape, kernel_axis_at(call->settings->i[0], call->out_shape.n_dims));
}

/* Calls `rows` for the rows of the last axis, or `columns` for blocks of columns of another. */
static void run(const engine_call *call, softmax_job *job, base_chunk_fn rows, base_chunk_fn columns) {
    job->axis = axis_of(call);
    const kernel_axis *a = &job->axis;
    job->n_blocks = (a->inner + LOGSUM_COLUMNS - 1) / LOGSUM_COLUMNS;
    if (a->inner == 1)
        base_parallel(call->team, a->outer, 1 + KERNEL_GRAIN / (a->n + 1), rows, job);
    else
        base_parallel(call->team, a->outer * job->n_blocks, 1 + KERNEL_GRAIN / (LOGSUM_COLUMNS * (a->n + 1)),
                      columns, job);
}

/* Where a block of columns begins, and how wide it is. */
static int64_t locate(const softmax_job *job, int64_t item, int64_t *width) {
    int64_t outer = item / job->n_blocks, column = item % job->n_blocks * LOGSUM_COLUMNS;
    *width = BASE_MIN(LOGSUM_COLUMNS, job->axis.inner - column);
    return outer * job->axis.n * job->axis.inner + column;
}

/* ---- forward ----------------------------------------------------------------------------------------- */

SIMD_INLINE void rows_forward(const softmax_job *job, int64_t begin, int64_t end, const bool log) {
    const int64_t n = job->axis.n, at_once = logsum_rows_at_once(n);
    real max[LOGSUM_PIECE], log_sum[LOGSUM_PIECE];
    for (int64_t row = begin; row < end; row += at_once) {
        const int64_t n_rows = BASE_MIN(at_once, end - row);
        const real *x = job->x + row * n;
        real *out = job->out + row * n;
        logsum_of_rows(x, n_rows, n, max, log_sum);
        for (int64_t r = 0; r < n_rows; r++) {
            const real m = max[r], l = log_sum[r];
            for (int64_t i = r * n; i < (r + 1) * n; i++) out[i] = x[i] - m - l;
        }
        if (log) continue;
#pragma omp simd
        for (int64_t i = 0; i < n_rows * n; i++) out[i] = vec_exp(out[i]);
    }
}

SIMD_INLINE void columns_forward(const softmax_job *job, int64_t begin, int64_t end, const bool log) {
    const int64_t n = job->axis.n, inner = job->axis.inner;
    real max[LOGSUM_COLUMNS], log_sum[LOGSUM_COLUMNS];
    for (int64_t item = begin; item < end; item++) {
        int64_t width, at = locate(job, item, &width);
        logsum_of_columns(job->x + at, n, inner, width, max, log_sum);
        for (int64_t i = 0; i < n; i++) {
            const real *x = job->x + at + i * inner;
            real *out = job->out + at + i * inner;
#pragma omp simd
            for (int64_t j = 0; j < width; j++) {
                const real y = x[j] - max[j] - log_sum[j];
                out[j] = log ? y : vec_exp(y);
            }
        }
    }
}

/* ---- back, and forward mode of softmax, which is the same map ---------------------------------------- */

SIMD_INLINE real slope(const bool log, real y, real dy, real sum) {
    return log ? dy - vec_exp(y) * sum : y * (dy - sum);
}

SIMD_INLINE void rows_back(const softmax_job *job, int64_t begin, int64_t end, const bool log) {
    const int64_t n = job->axis.n;
    for (int64_t row = begin; row < end; row++) {
        const real *y = job->y + row * n, *dy = job->dy + row * n;
        const real sum = log ? simd_sum(dy, n) : simd_dot(y, dy, n);
        real *dx = job->out + row * n;
        if (job->adds)
#pragma omp simd
            for (int64_t i = 0; i < n; i++) dx[i] += slope(log, y[i], dy[i], sum);
        else
#pragma omp simd
            for (int64_t i = 0; i < n; i++) dx[i] = slope(log, y[i], dy[i], sum);
    }
}

SIMD_INLINE void columns_back(const softmax_job *job, int64_t begin, int64_t end, const bool log) {
    const int64_t n = job->axis.n, inner = job->axis.inner;
    for (int64_t item = begin; item < end; item++) {
        int64_t width, at = locate(job, item, &width);
        real sum[LOGSUM_COLUMNS] = {0};
        for (int64_t i = 0; i < n; i++) {
            const real *y = job->y + at + i * inner, *dy = job->dy + at + i * inner;
#pragma omp simd
            for (int64_t j = 0; j < width; j++) sum[j] += log ? dy[j] : y[j] * dy[j];
        }
        for (int64_t i = 0; i < n; i++) {
            const real *y = job->y + at + i * inner, *dy = job->dy + at + i * inner;
            real *dx = job->out + at + i * inner;
            if (job->adds)
#pragma omp simd
                for (int64_t j = 0; j < width; j++) dx[j] += slope(log, y[j], dy[j], sum[j]);
            else
#pragma omp simd
                for (int64_t j = 0; j < width; j++) dx[j] = slope(log, y[j], dy[j], sum[j]);
        }
    }
}

/* ---- forward mode of log_softmax: t - sum(softmax t) ------------------------------------------------- */

SIMD_INLINE void rows_tangent(const softmax_job *job, int64_t begin, int64_t end) {
    const int64_t n = job->axis.n;
    for (int64_t row = begin; row < end; row++) {
        const real *y = job->y + row * n, *t = job->dy + row * n;
        real sum = 0;
        for (int64_t i = 0; i < n; i++) sum += vec_exp(y[i]) * t[i];
        for (int64_t i = 0; i < n; i++) job->out[row * n + i] = t[i] - sum;
    }
}

SIMD_INLINE void columns_tangent(const softmax_job *job, int64_t begin, int64_t end) {
    const int64_t n = job->axis.n, inner = job->axis.inner;
    for (int64_t item = begin; item < end; item++) {
        int64_t width, at = locate(job, item, &width);
        real sum[LOGSUM_COLUMNS] = {0};
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < width; j++)
                sum[j] += vec_exp(job->y[at + i * inner + j]) * job->dy[at + i * inner + j];
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < width; j++)
                job->out[at + i * inner + j] = job->dy[at + i * inner + j] - sum[j];
    }
}

/* ---- calls ------------------------------------------------------------------------------------------- */

#define CHUNK(name, work)                                                                                    \
    static void name(void *arg, int64_t begin, int64_t end, int worker) {                                    \
        const softmax_job *job = arg;                                                                        \
        (void)worker;                                                                                        \
        work;                                                                                                \
    }

CHUNK(softmax_rows, rows_forward(job, begin, end, false))
CHUNK(softmax_columns, columns_forward(job, begin, end, false))
CHUNK(log_softmax_rows, rows_forward(job, begin, end, true))
CHUNK(log_softmax_columns, columns_forward(job, begin, end, true))
CHUNK(softmax_rows_back, rows_back(job, begin, end, false))
CHUNK(softmax_columns_back, columns_back(job, begin, end, false))
CHUNK(log_softmax_rows_back, rows_back(job, begin, end, true))
CHUNK(log_softmax_columns_back, columns_back(job, begin, end, true))
CHUNK(log_softmax_rows_tangent, rows_tangent(job, begin, end))
CHUNK(log_softmax_columns_tangent, columns_tangent(job, begin, end))

static void forward(const engine_call *call, base_chunk_fn rows, base_chunk_fn columns) {
    softmax_job job = {.x = call->in[0], .out = call->out};
    run(call, &job, rows, columns);
}

static void vjp(const engine_call *call, base_chunk_fn rows, base_chunk_fn columns) {
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        softmax_job job = {.adds = kernel_adds(call, 0),
                           .y = call->out,
                           .dy = kernel_cotangent(call, k),
                           .out = kernel_d_in(call, 0, k)};
        run(call, &job, rows, columns);
    }
}

static void jvp(const engine_call *call, base_chunk_fn rows, base_chunk_fn columns) {
    softmax_job job = {.y = call->out, .dy = call->t_in[0], .out = call->t_out};
    run(call, &job, rows, columns);
}

static double flops(const engine_call *call) {
    return 4.0 * (double)kernel_size(&call->out_shape);
}

static void softmax_forward(const engine_call *call) {
    forward(call, softmax_rows, softmax_columns);
}
static void softmax_vjp(const engine_call *call) {
    vjp(call, softmax_rows_back, softmax_columns_back);
}
static void softmax_jvp(const engine_call *call) {
    jvp(call, softmax_rows_back, softmax_columns_back);
}
static void log_softmax_forward(const engine_call *call) {
    forward(call, log_softmax_rows, log_softmax_columns);
}
static void log_softmax_vjp(const engine_call *call) {
    vjp(call, log_softmax_rows_back, log_softmax_columns_back);
}
static void log_softmax_jvp(const engine_call *call) {
    jvp(call, log_softmax_rows_tangent, log_softmax_columns_tangent);
}

KERNEL_OP(softmax) = {.name = "softmax",
                      .min_inputs = 1,
                      .max_inputs = 1,
                      .flags = ENGINE_IN_PLACE | ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_OUTPUT,
                      .shape = shape,
                      .forward = softmax_forward,
                      .vjp = softmax_vjp,
                      .jvp = softmax_jvp,
                      .flops = flops};

KERNEL_OP(log_softmax) = {.name = "log_softmax",
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .flags = ENGINE_IN_PLACE | ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_OUTPUT,
                          .shape = shape,
                          .forward = log_softmax_forward,
                          .vjp = log_softmax_vjp,
                          .jvp = log_softmax_jvp,
                          .flops = flops};

#ifdef ENGINE_BUILDERS

truce_node truce_op_softmax(truce_graph *graph, truce_node x, int axis) {
    return engine_graph_add(graph, ENGINE_OP_softmax, 1, &x, &(engine_settings){.i = {axis}});
}

truce_node truce_op_log_softmax(truce_graph *graph, truce_node x, int axis) {
    return engine_graph_add(graph, ENGINE_OP_log_softmax, 1, &x, &(engine_settings){.i = {axis}});
}

#endif
