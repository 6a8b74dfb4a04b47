#include "nn/layers.h"

#include <math.h>
#include <stdio.h>

enum { NAME_BYTES = 256 };

static truce_node parameter(truce_graph *graph, const char *prefix, const char *name, truce_shape shape,
                            truce_init init) {
    char text[NAME_BYTES];
    snprintf(text, sizeof text, "%s.%s", prefix, name);
    return truce_graph_parameter(graph, text, shape, init);
}

static truce_node state(truce_graph *graph, const char *prefix, const char *name, int64_t n, double value) {
    char text[NAME_BYTES];
    snprintf(text, sizeof text, "%s.%s", prefix, name);
    return truce_graph_state(graph, text, (truce_shape){1, {n}}, (truce_init){TRUCE_INIT_CONSTANT, value});
}

static truce_node vector(truce_graph *graph, const char *prefix, const char *name, int64_t n,
                         truce_init init) {
    return parameter(graph, prefix, name, (truce_shape){1, {n}}, init);
}

static truce_init uniform_by_fan_in(int64_t fan_in) {
    return (truce_init){TRUCE_INIT_UNIFORM, fan_in > 0 ? 1 / sqrt((double)fan_in) : 0};
}

truce_node nn_activate(truce_graph *graph, nn_activation activation, truce_node x) {
    switch (activation) {
    case NN_IDENTITY: return x;
    case NN_RELU: return truce_op_relu(graph, x);
    case NN_LEAKY_RELU: return truce_op_leaky_relu(graph, x, 0.01);
    case NN_GELU: return truce_op_gelu(graph, x);
    case NN_SILU: return truce_op_silu(graph, x);
    case NN_TANH: return truce_op_tanh(graph, x);
    case NN_SIGMOID: return truce_op_sigmoid(graph, x);
    case NN_SOFTPLUS: return truce_op_softplus(graph, x);
    }
    return x;
}

truce_node nn_dense(truce_graph *graph, const char *prefix, truce_node x, int64_t out) {
    if (x == TRUCE_NONE) return TRUCE_NONE;
    truce_shape shape = truce_graph_shape(graph, x);
    int64_t in = shape.n_dims ? shape.dims[shape.n_dims - 1] : 1;
    truce_init init = uniform_by_fan_in(in);
    truce_node weight = parameter(graph, prefix, "weight", (truce_shape){2, {out, in}}, init);
    return truce_op_linear(graph, x, weight, vector(graph, prefix, "bias", out, init));
}

truce_node nn_conv(truce_graph *graph, const char *prefix, truce_node x, int64_t out,
                   const truce_window *window, bool bias) {
    if (x == TRUCE_NONE) return TRUCE_NONE;
    int64_t groups = window->groups ? window->groups : 1, in = truce_graph_shape(graph, x).dims[1] / groups;
    truce_init init = uniform_by_fan_in(in * window->size[0] * window->size[1]);
    truce_shape shape = {4, {out, in, window->size[0], window->size[1]}};
    truce_node weight = parameter(graph, prefix, "weight", shape, init);
    return truce_op_conv2d(graph, x, weight, bias ? vector(graph, prefix, "bias", out, init) : TRUCE_NONE,
                           window);
}

truce_node nn_normalise(truce_graph *graph, const char *prefix, nn_norm norm, truce_node x) {
    if (x == TRUCE_NONE || norm == NN_NO_NORM) return x;
    truce_shape shape = truce_graph_shape(graph, x);
    int64_t n = norm == NN_BATCH_NORM ? shape.dims[1] : shape.dims[shape.n_dims - 1];
    truce_norm settings = {
        .scale = vector(graph, prefix, "weight", n, (truce_init){TRUCE_INIT_CONSTANT, 1}),
        .shift = vector(graph, prefix, "bias", n, (truce_init){TRUCE_INIT_CONSTANT, 0}),
        .running_mean = TRUCE_NONE,
        .running_variance = TRUCE_NONE,
    };
    if (norm == NN_LAYER_NORM) return truce_op_layer_norm(graph, x, &settings);
    settings.running_mean = state(graph, prefix, "running_mean", n, 0);
    settings.running_variance = state(graph, prefix, "running_var", n, 1);
    return truce_op_batch_norm(graph, x, &settings);
}

truce_node nn_embed(truce_graph *graph, const char *prefix, truce_node indices, int64_t n, int64_t width) {
    truce_node table =
        parameter(graph, prefix, "weight", (truce_shape){2, {n, width}}, (truce_init){TRUCE_INIT_NORMAL, 1});
    return truce_op_embedding(graph, table, indices);
}

truce_node nn_stack(truce_graph *graph, const char *prefix, truce_node x, const nn_mlp *mlp) {
    char name[NAME_BYTES];
    for (int i = 0; i < mlp->n_layers; i++) {
        snprintf(name, sizeof name, "%s.%d", prefix, i);
        x = nn_dense(graph, name, x, mlp->widths[i]);
        snprintf(name, sizeof name, "%s.%d.norm", prefix, i);
        x = nn_normalise(graph, name, mlp->norm, x);
        x = nn_activate(graph, mlp->activation, x);
        if (mlp->dropout > 0) x = truce_op_dropout(graph, x, mlp->dropout);
    }
    return x;
}

/* A convolution without bias, and its batch norm. */
static truce_node conv_norm(truce_graph *graph, const char *prefix, const char *which, truce_node x,
                            int64_t out, const truce_window *window) {
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s.conv%s", prefix, which);
    x = nn_conv(graph, name, x, out, window, false);
    snprintf(name, sizeof name, "%s.bn%s", prefix, which);
    return nn_normalise(graph, name, NN_BATCH_NORM, x);
}

truce_node nn_residual(truce_graph *graph, const char *prefix, truce_node x, int64_t out, int64_t stride) {
    if (x == TRUCE_NONE) return TRUCE_NONE;
    truce_window first = {.size = {3, 3}, .stride = {stride, stride}, .padding = {1, 1}};
    truce_window second = {.size = {3, 3}, .padding = {1, 1}};
    truce_window shortcut = {.size = {1, 1}, .stride = {stride, stride}};
    truce_node y = truce_op_relu(graph, conv_norm(graph, prefix, "1", x, out, &first));
    y = conv_norm(graph, prefix, "2", y, out, &second);
    if (stride != 1 || truce_graph_shape(graph, x).dims[1] != out)
        x = conv_norm(graph, prefix, "_shortcut", x, out, &shortcut);
    return truce_op_relu(graph, truce_op_add(graph, y, x));
}
