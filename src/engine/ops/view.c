/*
 * The same values seen differently: reshape, and the wall that no gradient passes. Neither has a kernel; the
 * plan lets the result be its input.
 */
#include "engine/ops/kernel.h"

/* One size may be 0: it follows from the others. Sizes may be multiples of the batch size (negative). */
static truce_status reshape_shape(engine_shape_call *call) {
    char from[ENGINE_SHAPE_TEXT_BYTES], to[ENGINE_SHAPE_TEXT_BYTES];
    truce_shape wanted = {.n_dims = (int)call->settings->i[0]};
    int64_t known = 1, size = truce_shape_size(&call->in[0]);
    int open = -1, n_open = 0;
    for (int i = 0; i < wanted.n_dims; i++) {
        wanted.dims[i] = call->settings->i[1 + i];
        if (wanted.dims[i])
            known *= wanted.dims[i];
        else
            open = i, n_open++;
    }
    bool fits = n_open == 0 ? known == size : n_open == 1 && known && size % known == 0;
    if (!fits)
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "%s cannot become %s",
                         engine_shape_text(&call->in[0], from), engine_shape_text(&wanted, to));
    if (open >= 0) wanted.dims[open] = size / known;
    call->out = wanted;
    call->out_type = call->in_type[0];
    return TRUCE_OK;
}

static truce_status same_shape(engine_shape_call *call) {
    call->out_type = call->in_type[0];
    return TRUCE_OK;
}

KERNEL_OP(reshape) = {.name = "reshape",
                      .min_inputs = 1,
                      .max_inputs = 1,
                      .flags = ENGINE_VIEW | ENGINE_DIFFERENTIABLE,
                      .shape = reshape_shape};

KERNEL_OP(stop_gradient) = {
    .name = "stop_gradient", .min_inputs = 1, .max_inputs = 1, .flags = ENGINE_VIEW, .shape = same_shape};

#ifdef ENGINE_BUILDERS

truce_node truce_op_reshape(truce_graph *graph, truce_node x, truce_shape shape) {
    engine_settings settings = {.i = {shape.n_dims}};
    if (shape.n_dims < 0 || shape.n_dims > TRUCE_MAX_DIMS)
        return engine_graph_mistake(graph, TRUCE_ERROR_SHAPE, "reshape: at most %d axes", TRUCE_MAX_DIMS);
    for (int i = 0; i < shape.n_dims; i++) settings.i[1 + i] = shape.dims[i];
    return engine_graph_add(graph, ENGINE_OP_reshape, 1, &x, &settings);
}

truce_node truce_op_stop_gradient(truce_graph *graph, truce_node x) {
    return engine_graph_add1(graph, ENGINE_OP_stop_gradient, x);
}

#endif
