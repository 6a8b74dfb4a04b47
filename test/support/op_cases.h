/*
 * Builders of operators for tables of cases: every number that an operator takes besides its inputs comes
 * from the case's p.
 */
#ifndef TEST_SUPPORT_OP_CASES_H
#define TEST_SUPPORT_OP_CASES_H

#include "support/op_call.h"

/* name: b_<name>(graph, in, p) calls truce_op_<name>(graph, in[0]), or with in[1], or with p[0]. */
#define OP_UNARY(X)                                                                                          \
    X(relu)                                                                                                  \
    X(gelu)                                                                                                  \
    X(silu)                                                                                                  \
    X(tanh) X(sigmoid) X(softplus) X(exp) X(log) X(sqrt) X(square) X(abs) X(stop_gradient) X(global_pool)
#define OP_UNARY_NUMBER(X) X(leaky_relu) X(power) X(dropout)
#define OP_BINARY(X)                                                                                         \
    X(add)                                                                                                   \
    X(subtract)                                                                                              \
    X(multiply)                                                                                              \
    X(divide) X(maximum) X(minimum) X(embedding) X(squared_error) X(absolute_error) X(binary_cross_entropy)
#define OP_AXIS(X) X(softmax) X(log_softmax)
#define OP_AXES(X) X(sum) X(mean) X(max)
#define OP_WINDOW(X) X(max_pool) X(average_pool)

#define DEFINE(name)                                                                                         \
    static inline truce_node b_##name(truce_graph *g, const truce_node *in, const double *p) {               \
        (void)p;                                                                                             \
        return truce_op_##name(g, in[0]);                                                                    \
    }
OP_UNARY(DEFINE)
#undef DEFINE

#define DEFINE(name)                                                                                         \
    static inline truce_node b_##name(truce_graph *g, const truce_node *in, const double *p) {               \
        return truce_op_##name(g, in[0], p[0]);                                                              \
    }
OP_UNARY_NUMBER(DEFINE)
#undef DEFINE

#define DEFINE(name)                                                                                         \
    static inline truce_node b_##name(truce_graph *g, const truce_node *in, const double *p) {               \
        (void)p;                                                                                             \
        return truce_op_##name(g, in[0], in[1]);                                                             \
    }
OP_BINARY(DEFINE)
#undef DEFINE

#define DEFINE(name)                                                                                         \
    static inline truce_node b_##name(truce_graph *g, const truce_node *in, const double *p) {               \
        return truce_op_##name(g, in[0], (int)p[0]);                                                         \
    }
OP_AXIS(DEFINE)
#undef DEFINE

/* p: number of axes, then the axes */
#define DEFINE(name)                                                                                         \
    static inline truce_node b_##name(truce_graph *g, const truce_node *in, const double *p) {               \
        int axes[OP_SETTINGS];                                                                               \
        for (int i = 0; i < (int)p[0]; i++) axes[i] = (int)p[1 + i];                                         \
        return truce_op_##name(g, in[0], (int)p[0], axes);                                                   \
    }
OP_AXES(DEFINE)
#undef DEFINE

/* p: size, stride, padding, dilation (two numbers each), groups */
static inline truce_window op_window(const double *p) {
    truce_window w = {.groups = (int64_t)p[8]};
    for (int i = 0; i < 2; i++) {
        w.size[i] = (int64_t)p[i];
        w.stride[i] = (int64_t)p[2 + i];
        w.padding[i] = (int64_t)p[4 + i];
        w.dilation[i] = (int64_t)p[6 + i];
    }
    return w;
}

#define DEFINE(name)                                                                                         \
    static inline truce_node b_##name(truce_graph *g, const truce_node *in, const double *p) {               \
        truce_window w = op_window(p);                                                                       \
        return truce_op_##name(g, in[0], &w);                                                                \
    }
OP_WINDOW(DEFINE)
#undef DEFINE

/* p[9]: whether there is a bias */
static inline truce_node b_conv2d(truce_graph *g, const truce_node *in, const double *p) {
    truce_window w = op_window(p);
    return truce_op_conv2d(g, in[0], in[1], p[9] != 0 ? in[2] : TRUCE_NONE, &w);
}

static inline truce_node b_affine(truce_graph *g, const truce_node *in, const double *p) {
    return truce_op_affine(g, in[0], p[0], p[1]);
}

static inline truce_node b_linear(truce_graph *g, const truce_node *in, const double *p) {
    return truce_op_linear(g, in[0], in[1], p[0] != 0 ? in[2] : TRUCE_NONE);
}

static inline truce_node b_matmul(truce_graph *g, const truce_node *in, const double *p) {
    return truce_op_matmul(g, in[0], in[1], (unsigned)p[0]);
}

/* p: number of sizes, then the sizes */
static inline truce_node b_reshape(truce_graph *g, const truce_node *in, const double *p) {
    truce_shape shape = {.n_dims = (int)p[0]};
    for (int i = 0; i < shape.n_dims; i++) shape.dims[i] = (int64_t)p[1 + i];
    return truce_op_reshape(g, in[0], shape);
}

static inline truce_node b_transpose(truce_graph *g, const truce_node *in, const double *p) {
    int order[TRUCE_MAX_DIMS];
    for (int i = 0; i < TRUCE_MAX_DIMS; i++) order[i] = (int)p[i];
    return truce_op_transpose(g, in[0], order);
}

/* p: number of parts, axis */
static inline truce_node b_concat(truce_graph *g, const truce_node *in, const double *p) {
    return truce_op_concat(g, (int)p[0], in, (int)p[1]);
}

static inline truce_node b_slice(truce_graph *g, const truce_node *in, const double *p) {
    return truce_op_slice(g, in[0], (int)p[0], (int64_t)p[1], (int64_t)p[2], (int64_t)p[3]);
}

static inline truce_node b_gather(truce_graph *g, const truce_node *in, const double *p) {
    return truce_op_gather(g, in[0], in[1], (int)p[0]);
}

static inline truce_node b_cross_entropy(truce_graph *g, const truce_node *in, const double *p) {
    return truce_op_cross_entropy(g, in[0], in[1], (int)p[0]);
}

static inline truce_node b_huber(truce_graph *g, const truce_node *in, const double *p) {
    return truce_op_huber(g, in[0], in[1], p[0]);
}

/* p[0], p[1]: whether scale and shift are among the inputs, in this order after the others; p[2] epsilon */
static inline truce_norm op_norm(const truce_node *rest, const double *p) {
    truce_norm norm = {.scale = TRUCE_NONE, .shift = TRUCE_NONE, .epsilon = p[2]};
    if (p[0] != 0) norm.scale = *rest++;
    if (p[1] != 0) norm.shift = *rest;
    return norm;
}

static inline truce_node b_layer_norm(truce_graph *g, const truce_node *in, const double *p) {
    truce_norm norm = op_norm(in + 1, p);
    return truce_op_layer_norm(g, in[0], &norm);
}

static inline truce_node b_batch_norm(truce_graph *g, const truce_node *in, const double *p) {
    truce_norm norm = op_norm(in + 3, p);
    norm.running_mean = in[1];
    norm.running_variance = in[2];
    return truce_op_batch_norm(g, in[0], &norm);
}

#endif
