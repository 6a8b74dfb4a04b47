/*
 * conv2d: y[o] = bias[o] + sum over input channels i and taps (r, s) of w[o][i][r][s] x[i] seen through the
 * tap, per group; dx and dw are the same sums turned round. This file knows shapes and gradients;
 * conv_dense.c and conv_depthwise.c do the work.
 */
#include "engine/ops/conv.h"

enum { X, WEIGHT, BIAS };

static truce_status shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[X], *w = &call->in[WEIGHT];
    char xt[ENGINE_SHAPE_TEXT_BYTES], wt[ENGINE_SHAPE_TEXT_BYTES];
    int64_t groups = call->settings->i[WINDOW_GROUPS];
    const int64_t *size = &call->settings->i[WINDOW_SIZE];
    bool fits = x->n_dims >= 3 && w->n_dims == 4 && groups >= 1 && call->in_type[X] == TRUCE_REAL;
    if (!fits || x->dims[x->n_dims - 3] != w->dims[1] * groups || w->dims[0] % groups)
        return base_fail(call->context, TRUCE_ERROR_SHAPE,
                         "x is %s, which does not fit a weight of %s with %lld groups",
                         engine_shape_text(x, xt), engine_shape_text(w, wt), (long long)groups);
    if (size[0] != w->dims[2] || size[1] != w->dims[3])
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "the window is %lld x %lld, but the weight is %s",
                         (long long)size[0], (long long)size[1], engine_shape_text(w, wt));
    if (call->n_inputs > BIAS && (call->in[BIAS].n_dims != 1 || call->in[BIAS].dims[0] != w->dims[0]))
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "the bias is %s, but the weight is %s",
                         engine_shape_text(&call->in[BIAS], xt), engine_shape_text(w, wt));
    call->out.dims[x->n_dims - 3] = w->dims[0];
    return window_shape(call);
}

static conv conv_of(const engine_call *call) {
    const truce_shape *x = &call->in_shape[X], *w = &call->in_shape[WEIGHT];
    conv c = {.n_images = 1, .groups = call->settings->i[WINDOW_GROUPS], .in = w->dims[1]};
    for (int axis = 0; axis < 2; axis++) {
        c.axis[axis] = window_of(call->settings, x, &call->out_shape, axis);
        c.taps[axis] = c.axis[axis].size;
    }
    for (int i = 0; i < x->n_dims - 3; i++) c.n_images *= x->dims[i];
    c.out = w->dims[0] / c.groups;
    c.in_size = c.axis[0].n_in * c.axis[1].n_in;
    c.out_size = c.axis[0].n_out * c.axis[1].n_out;
    c.pointwise = window_is(&c.axis[0], 1, 1) && window_is(&c.axis[1], 1, 1);
    return c;
}

static bool is_depthwise(const conv *c) {
    return c->in == 1 && c->groups > 1;
}

static double flops(const engine_call *call) {
    conv c = conv_of(call);
    return 2.0 * (double)kernel_size(&call->out_shape) * (double)(c.in * c.taps[0] * c.taps[1]);
}

static size_t scratch_bytes(const engine_call *call) {
    conv c = conv_of(call);
    return is_depthwise(&c) ? KERNEL(conv_depthwise_bytes)(call->team, &c)
                            : KERNEL(conv_dense_bytes)(call->team, &c);
}

static conv_room room_of(const engine_call *call) {
    return (conv_room){.base = call->scratch};
}

static void run_y(const engine_call *call, const conv_pass *pass) {
    conv c = conv_of(call);
    if (is_depthwise(&c))
        KERNEL(conv_depthwise_y)(call->team, &c, pass, room_of(call));
    else
        KERNEL(conv_dense_y)(call->team, &c, pass, room_of(call));
}

static void forward(const engine_call *call) {
    run_y(call, &(conv_pass){.from = call->in[X],
                             .weight = call->in[WEIGHT],
                             .bias = call->n_inputs > BIAS ? call->in[BIAS] : NULL,
                             .to = call->out});
}

static void jvp(const engine_call *call) {
    bool tx = call->t_in[X], tw = call->t_in[WEIGHT], tb = call->n_inputs > BIAS && call->t_in[BIAS];
    const conv c = conv_of(call);
    real *out = call->t_out;
    memset(out, 0, (size_t)kernel_size(&call->out_shape) * sizeof(real));
    for (int64_t i = 0; i < kernel_size(&call->out_shape) && tb; i++)
        out[i] = ((const real *)call->t_in[BIAS])[i / c.out_size % (c.groups * c.out)];
    if (tx)
        run_y(call, &(conv_pass){.from = call->t_in[X], .weight = call->in[WEIGHT], .to = out, .adds = true});
    if (tw)
        run_y(call, &(conv_pass){.from = call->in[X], .weight = call->t_in[WEIGHT], .to = out, .adds = true});
}

/* ---- back -------------------------------------------------------------------------------------------- */

static void input_gradient(const engine_call *call, const conv *c, int k) {
    conv_pass pass = {.from = kernel_cotangent(call, k),
                      .weight = call->in[WEIGHT],
                      .to = kernel_d_in(call, X, k),
                      .adds = kernel_adds(call, X)};
    if (is_depthwise(c))
        KERNEL(conv_depthwise_dx)(call->team, c, &pass, room_of(call));
    else
        KERNEL(conv_dense_dx)(call->team, c, &pass, room_of(call));
}

static void weight_gradient(const engine_call *call, const conv *c, int k) {
    conv_pass pass = {
        .from = call->in[X], .to = kernel_d_in(call, WEIGHT, k), .adds = kernel_adds(call, WEIGHT)};
    if (is_depthwise(c))
        KERNEL(conv_depthwise_dw)(call->team, c, &pass, kernel_cotangent(call, k), room_of(call));
    else
        KERNEL(conv_dense_dw)(call->team, c, &pass, kernel_cotangent(call, k), room_of(call));
}

typedef struct bias_job {
    const conv *c;
    const real *dy;
    real *to;
    bool adds;
} bias_job;

static void sum_channels(void *arg, int64_t begin, int64_t end, int worker) {
    const bias_job *job = arg;
    const conv *c = job->c;
    (void)worker;
    for (int64_t channel = begin; channel < end; channel++) {
        double sum = 0;
        for (int64_t image = 0; image < c->n_images; image++)
            sum += kernel_total(job->dy + (image * c->groups * c->out + channel) * c->out_size, c->out_size);
        job->to[channel] = (job->adds ? job->to[channel] : 0) + (real)sum;
    }
}

static void bias_gradient(const engine_call *call, const conv *c, int k) {
    bias_job job = {.c = c,
                    .dy = kernel_cotangent(call, k),
                    .to = kernel_d_in(call, BIAS, k),
                    .adds = kernel_adds(call, BIAS)};
    base_parallel(call->team, c->groups * c->out, 1 + KERNEL_GRAIN / (c->n_images * c->out_size + 1),
                  sum_channels, &job);
}

static void vjp(const engine_call *call) {
    const conv c = conv_of(call);
    for (int k = 0; k < call->n_rows && call->d_in[X]; k++) input_gradient(call, &c, k);
    for (int k = 0; k < call->n_rows && call->d_in[WEIGHT]; k++) weight_gradient(call, &c, k);
    for (int k = 0; k < call->n_rows && call->n_inputs > BIAS && call->d_in[BIAS]; k++)
        bias_gradient(call, &c, k);
}

KERNEL_OP(conv2d) = {.name = "conv2d",
                     .min_inputs = 2,
                     .max_inputs = 3,
                     .flags = ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_INPUTS,
                     .shape = shape,
                     .forward = forward,
                     .vjp = vjp,
                     .jvp = jvp,
                     .flops = flops,
                     .scratch_bytes = scratch_bytes};

#ifdef ENGINE_BUILDERS

truce_node truce_op_conv2d(truce_graph *graph, truce_node x, truce_node weight, truce_node bias,
                           const truce_window *window) {
    engine_settings settings = window_settings(window, (int64_t[2]){1, 1});
    return engine_graph_add(graph, ENGINE_OP_conv2d, bias == TRUCE_NONE ? 2 : 3,
                            (truce_node[]){x, weight, bias}, &settings);
}

#endif
