/*
 * Elementwise functions of one value: y = f(x), and dx = dy f'(x), with f' written in terms of whichever of x
 * and y is kept. All of them may work in place.
 */
#include "engine/ops/vecmath.h"

#define SQRT_2_PI_INVERSE ((real)0.398942280401432678) /* 1 / sqrt(2 pi) */

typedef struct unary_job {
    const real *x, *y, *dy;
    real *out;
    real a, b;
} unary_job;

static void run(const engine_call *call, int64_t n, base_chunk_fn fn, unary_job *job) {
    job->a = (real)call->settings->r[0];
    job->b = (real)call->settings->r[1];
    base_parallel(call->team, n, KERNEL_GRAIN, fn, job);
}

static void run_forward(const engine_call *call, base_chunk_fn fn) {
    unary_job job = {.x = call->in[0], .out = call->out};
    run(call, kernel_size(&call->out_shape), fn, &job);
}

static void run_vjp(const engine_call *call, base_chunk_fn overwrite, base_chunk_fn add) {
    if (!call->d_in[0]) return;
    for (int k = 0; k < call->n_rows; k++) {
        unary_job job = {.x = call->in[0],
                         .y = call->out,
                         .dy = kernel_cotangent(call, k),
                         .out = kernel_d_in(call, 0, k)};
        run(call, kernel_size(&call->out_shape), kernel_adds(call, 0) ? add : overwrite, &job);
    }
}

static void run_jvp(const engine_call *call, base_chunk_fn fn) {
    unary_job job = {.x = call->in[0], .y = call->out, .dy = call->t_in[0], .out = call->t_out};
    run(call, kernel_size(&call->out_shape), fn, &job);
}

static truce_status shape_same(engine_shape_call *call) {
    if (call->in_type[0] == TRUCE_REAL) return TRUCE_OK;
    return base_fail(call->context, TRUCE_ERROR_TYPE, "takes real numbers, not indices");
}

/*
 * One function: value(x), slope(x, y) and what its reverse call must find. The loops see plain arrays;
 * forward and the overwriting reverse may have out equal to an input, element by element, so there is no
 * RESTRICT.
 */
#define UNARY_WITH(loop, op, keeps, value, slope)                                                            \
    static void op##_values(void *arg, int64_t begin, int64_t end, int worker) {                             \
        const unary_job *job = arg;                                                                          \
        const real a = job->a, b = job->b;                                                                   \
        (void)worker, (void)a, (void)b;                                                                      \
        loop for (int64_t i = begin; i < end; i++) {                                                         \
            const real x = job->x[i];                                                                        \
            job->out[i] = (value);                                                                           \
        }                                                                                                    \
    }                                                                                                        \
    static void op##_slopes(void *arg, int64_t begin, int64_t end, int worker) {                             \
        const unary_job *job = arg;                                                                          \
        const real a = job->a, b = job->b;                                                                   \
        (void)worker, (void)a, (void)b;                                                                      \
        loop for (int64_t i = begin; i < end; i++) {                                                         \
            const real x = job->x[i], y = job->y[i];                                                         \
            (void)x, (void)y;                                                                                \
            job->out[i] = job->dy[i] * (slope);                                                              \
        }                                                                                                    \
    }                                                                                                        \
    static void op##_add_slopes(void *arg, int64_t begin, int64_t end, int worker) {                         \
        const unary_job *job = arg;                                                                          \
        const real a = job->a, b = job->b;                                                                   \
        (void)worker, (void)a, (void)b;                                                                      \
        loop for (int64_t i = begin; i < end; i++) {                                                         \
            const real x = job->x[i], y = job->y[i];                                                         \
            (void)x, (void)y;                                                                                \
            job->out[i] += job->dy[i] * (slope);                                                             \
        }                                                                                                    \
    }                                                                                                        \
    static void op##_forward(const engine_call *call) {                                                      \
        run_forward(call, op##_values);                                                                      \
    }                                                                                                        \
    static void op##_vjp(const engine_call *call) {                                                          \
        run_vjp(call, op##_slopes, op##_add_slopes);                                                         \
    }                                                                                                        \
    static void op##_jvp(const engine_call *call) {                                                          \
        run_jvp(call, op##_slopes);                                                                          \
    }                                                                                                        \
    KERNEL_OP(op) = {.name = #op,                                                                            \
                     .min_inputs = 1,                                                                        \
                     .max_inputs = 1,                                                                        \
                     .flags = ENGINE_IN_PLACE | ENGINE_DIFFERENTIABLE | (keeps),                             \
                     .shape = shape_same,                                                                    \
                     .forward = op##_forward,                                                                \
                     .vjp = op##_vjp,                                                                        \
                     .jvp = op##_jvp};

/* Most vectorise; those that call the C library do not. */
#define UNARY(op, keeps, value, slope) UNARY_WITH(_Pragma("omp simd"), op, keeps, value, slope)
#define UNARY_BY_LIBRARY(op, keeps, value, slope) UNARY_WITH(, op, keeps, value, slope)

#define INPUT ENGINE_KEEPS_INPUTS
#define OUTPUT ENGINE_KEEPS_OUTPUT

UNARY(affine, 0, a *x + b, a)
UNARY(relu, OUTPUT, x > 0 ? x : 0, y > 0 ? (real)1 : (real)0)
UNARY(leaky_relu, INPUT, x > 0 ? x : a * x, x > 0 ? (real)1 : a)
UNARY(gelu, INPUT, x *vec_normal(x), vec_normal(x) + x * SQRT_2_PI_INVERSE * vec_exp((real)-0.5 * x * x))
UNARY(silu, INPUT, x *vec_sigmoid(x), vec_sigmoid(x) * (1 + x * (1 - vec_sigmoid(x))))
UNARY(tanh, OUTPUT, vec_tanh(x), 1 - y * y)
UNARY(sigmoid, OUTPUT, vec_sigmoid(x), y *(1 - y))
UNARY(softplus, INPUT, vec_softplus(x), vec_sigmoid(x))
UNARY(exp, OUTPUT, vec_exp(x), y)
UNARY(log, INPUT, vec_log(x), 1 / x)
UNARY(sqrt, OUTPUT, vec_sqrt(x), (real)0.5 / y)
UNARY(square, INPUT, x *x, 2 * x)
UNARY(abs, INPUT, vec_abs(x), x > 0 ? (real)1 : x < 0 ? (real)-1 : (real)0)
UNARY_BY_LIBRARY(power, INPUT, (real)pow((double)x, (double)a), a *(real)pow((double)x, (double)a - 1))

#ifdef ENGINE_BUILDERS

static truce_node add(truce_graph *graph, engine_op_id op, truce_node x, double a, double b) {
    return engine_graph_add(graph, op, 1, &x, &(engine_settings){.r = {a, b}});
}

truce_node truce_op_affine(truce_graph *graph, truce_node x, double scale, double shift) {
    return add(graph, ENGINE_OP_affine, x, scale, shift);
}

truce_node truce_op_leaky_relu(truce_graph *graph, truce_node x, double a) {
    return add(graph, ENGINE_OP_leaky_relu, x, a, 0);
}

truce_node truce_op_power(truce_graph *graph, truce_node x, double a) {
    return add(graph, ENGINE_OP_power, x, a, 0);
}

#define BUILDER(name)                                                                                        \
    truce_node truce_op_##name(truce_graph *graph, truce_node x) {                                           \
        return add(graph, ENGINE_OP_##name, x, 0, 0);                                                        \
    }

BUILDER(relu)
BUILDER(gelu)
BUILDER(silu)
BUILDER(tanh)
BUILDER(sigmoid)
BUILDER(softplus)
BUILDER(exp)
BUILDER(log)
BUILDER(sqrt)
BUILDER(square)
BUILDER(abs)

#endif
