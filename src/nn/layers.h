/*
 * Layers: operators with parameters of their own, named PREFIX.weight, PREFIX.bias, ... as PyTorch names
 * them, and initialised as PyTorch does by default, so that weights and results can be compared.
 */
#ifndef NN_LAYERS_H
#define NN_LAYERS_H

#include "truce/engine.h"

#include <stdbool.h>

/* The order is that of NN_ACTIVATIONS. */
typedef enum nn_activation {
    NN_IDENTITY,
    NN_RELU,
    NN_LEAKY_RELU,
    NN_GELU,
    NN_SILU,
    NN_TANH,
    NN_SIGMOID,
    NN_SOFTPLUS
} nn_activation;
#define NN_ACTIVATIONS "identity|relu|leaky_relu|gelu|silu|tanh|sigmoid|softplus"

typedef enum nn_norm { NN_NO_NORM, NN_BATCH_NORM, NN_LAYER_NORM } nn_norm;
#define NN_NORMS "none|batch|layer"

truce_node nn_activate(truce_graph *graph, nn_activation activation, truce_node x);

/* x [B...][in] -> [B...][out]; weight and bias uniform in +-1/sqrt(in). */
truce_node nn_dense(truce_graph *graph, const char *prefix, truce_node x, int64_t out);

/* x [B][in][H][W] -> [B][out][H'][W']; weight and bias uniform in +-1/sqrt(in h w / groups). */
truce_node nn_conv(truce_graph *graph, const char *prefix, truce_node x, int64_t out,
                   const truce_window *window, bool bias);

/* Scale 1, shift 0; batch norm over axis 1 with running statistics, layer norm over the last axis. */
truce_node nn_normalise(truce_graph *graph, const char *prefix, nn_norm norm, truce_node x);

/* indices [I...] of n things -> [I...][width]; standard normal. */
truce_node nn_embed(truce_graph *graph, const char *prefix, truce_node indices, int64_t n, int64_t width);

/* Dense layers, each followed by norm, activation and dropout; PREFIX.0, PREFIX.1, ... */
typedef struct nn_mlp {
    int n_layers;
    const int64_t *widths;
    nn_activation activation;
    nn_norm norm;
    double dropout;
} nn_mlp;

truce_node nn_stack(truce_graph *graph, const char *prefix, truce_node x, const nn_mlp *mlp);

/*
 * The basic block of residual networks (He et al., arXiv 1512.03385): two 3 x 3 convolutions with batch norm
 * around a shortcut, which is a 1 x 1 convolution where sizes change.
 */
truce_node nn_residual(truce_graph *graph, const char *prefix, truce_node x, int64_t out, int64_t stride);

#endif
