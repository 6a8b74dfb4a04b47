/*
 * Losses on real targets, which are missing where they are NaN: the mean over the labelled elements of
 *
 *     squared_error e^2,  absolute_error |e|,  huber e^2/2 or delta (|e| - delta/2),  e = x - target.
 *
 * Missing elements add exactly nothing, and a batch without labels gives exactly 0 with gradient 0. `saved`
 * holds the number of labelled elements.
 */
#include "engine/ops/kernel.h"

typedef real (*element_fn)(real e, real delta);

static truce_status shape(engine_shape_call *call) {
    char xt[ENGINE_SHAPE_TEXT_BYTES], tt[ENGINE_SHAPE_TEXT_BYTES];
    if (call->in_type[1] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_TYPE, "targets must be real numbers, not indices");
    if (!truce_shape_equal(&call->in[0], &call->in[1]))
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "predictions are %s, but targets are %s",
                         engine_shape_text(&call->in[0], xt), engine_shape_text(&call->in[1], tt));
    call->out = (truce_shape){0};
    return TRUCE_OK;
}

static size_t saved_bytes(const engine_call *call) {
    (void)call;
    return sizeof(int64_t);
}

static int64_t labelled(const engine_call *call) {
    return *(const int64_t *)call->saved;
}

static void forward_mean(const engine_call *call, element_fn value) {
    const real *x = call->in[0], *target = call->in[1], delta = (real)call->settings->r[0];
    int64_t n = kernel_size(&call->in_shape[0]), n_labelled = 0;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(target[i])) continue;
        sum += (double)value(x[i] - target[i], delta);
        n_labelled++;
    }
    *(int64_t *)call->saved = n_labelled;
    *(real *)call->out = n_labelled ? (real)(sum / (double)n_labelled) : 0;
}

static void vjp_mean(const engine_call *call, element_fn slope) {
    const real *x = call->in[0], *target = call->in[1], delta = (real)call->settings->r[0];
    int64_t n = kernel_size(&call->in_shape[0]), n_labelled = labelled(call);
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        real *d = kernel_d_in(call, 0, k);
        real scale = n_labelled ? *kernel_cotangent(call, k) / (real)n_labelled : 0;
        for (int64_t i = 0; i < n; i++) {
            real g = isnan(target[i]) ? 0 : scale * slope(x[i] - target[i], delta);
            d[i] = kernel_adds(call, 0) ? d[i] + g : g;
        }
    }
}

static void jvp_mean(const engine_call *call, element_fn slope) {
    const real *x = call->in[0], *target = call->in[1], *t = call->t_in[0],
               delta = (real)call->settings->r[0];
    int64_t n = kernel_size(&call->in_shape[0]), n_labelled = labelled(call);
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(target[i])) sum += (double)(slope(x[i] - target[i], delta) * t[i]);
    *(real *)call->t_out = n_labelled ? (real)(sum / (double)n_labelled) : 0;
}

#define REGRESSION(op, value, slope)                                                                         \
    static real op##_value(real e, real delta) {                                                             \
        (void)delta;                                                                                         \
        return value;                                                                                        \
    }                                                                                                        \
    static real op##_slope(real e, real delta) {                                                             \
        (void)delta;                                                                                         \
        return slope;                                                                                        \
    }                                                                                                        \
    static void op##_forward(const engine_call *call) {                                                      \
        forward_mean(call, op##_value);                                                                      \
    }                                                                                                        \
    static void op##_vjp(const engine_call *call) {                                                          \
        vjp_mean(call, op##_slope);                                                                          \
    }                                                                                                        \
    static void op##_jvp(const engine_call *call) {                                                          \
        jvp_mean(call, op##_slope);                                                                          \
    }                                                                                                        \
    KERNEL_OP(op) = {.name = #op,                                                                            \
                     .min_inputs = 2,                                                                        \
                     .max_inputs = 2,                                                                        \
                     .flags = ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_INPUTS,                                   \
                     .constant_inputs = 1u << 1,                                                             \
                     .shape = shape,                                                                         \
                     .forward = op##_forward,                                                                \
                     .vjp = op##_vjp,                                                                        \
                     .jvp = op##_jvp,                                                                        \
                     .saved_bytes = saved_bytes,                                                             \
                     .labelled = labelled};

#define ABS(e) ((e) < 0 ? -(e) : (e))
#define SIGN(e) ((real)((e) > 0) - (real)((e) < 0))

REGRESSION(squared_error, e *e, 2 * e)
REGRESSION(absolute_error, ABS(e), SIGN(e))
REGRESSION(huber, ABS(e) <= delta ? e * e / 2 : delta * (ABS(e) - delta / 2),
           ABS(e) <= delta ? e : delta * SIGN(e))

#ifdef ENGINE_BUILDERS

truce_node truce_op_squared_error(truce_graph *graph, truce_node x, truce_node target) {
    return engine_graph_add2(graph, ENGINE_OP_squared_error, x, target);
}

truce_node truce_op_absolute_error(truce_graph *graph, truce_node x, truce_node target) {
    return engine_graph_add2(graph, ENGINE_OP_absolute_error, x, target);
}

truce_node truce_op_huber(truce_graph *graph, truce_node x, truce_node target, double delta) {
    return engine_graph_add(graph, ENGINE_OP_huber, 2, (truce_node[]){x, target},
                            &(engine_settings){.r = {delta}});
}

#endif
