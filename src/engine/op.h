/*
 * What an operator is: one descriptor with its shape rule and its kernels.
 *
 * Kernels see shapes and pointers, never the graph. The same source file is compiled once per backend
 * (precision x instruction set, see cmake/TruceKernels.cmake), and a backend is nothing but a table of
 * descriptors indexed by engine_op_id. To add an operator: one file in ops/ (or a place in a file of its
 * family), one line in the table below, one row in test/engine/test_ops.c.
 */
#ifndef ENGINE_OP_H
#define ENGINE_OP_H

#include "base/team.h"
#include "truce/engine.h"

#include <stdbool.h>

#define ENGINE_OP_TABLE(X)                                                                                   \
    X(linear)                                                                                                \
    X(add)                                                                                                   \
    X(subtract)                                                                                              \
    X(multiply)                                                                                              \
    X(divide)                                                                                                \
    X(maximum)                                                                                               \
    X(minimum)                                                                                               \
    X(affine)                                                                                                \
    X(relu)                                                                                                  \
    X(leaky_relu)                                                                                            \
    X(gelu)                                                                                                  \
    X(silu)                                                                                                  \
    X(tanh)                                                                                                  \
    X(sigmoid)                                                                                               \
    X(softplus)                                                                                              \
    X(exp)                                                                                                   \
    X(log)                                                                                                   \
    X(sqrt)                                                                                                  \
    X(square)                                                                                                \
    X(abs)                                                                                                   \
    X(power)                                                                                                 \
    X(reshape)                                                                                               \
    X(stop_gradient)                                                                                         \
    X(sum)                                                                                                   \
    X(mean)                                                                                                  \
    X(max)                                                                                                   \
    X(squared_error)                                                                                         \
    X(absolute_error)                                                                                        \
    X(huber)                                                                                                 \
    X(binary_cross_entropy)                                                                                  \
    X(matmul)                                                                                                \
    X(transpose)                                                                                             \
    X(concat)                                                                                                \
    X(slice)                                                                                                 \
    X(gather)                                                                                                \
    X(embedding)                                                                                             \
    X(softmax)                                                                                               \
    X(log_softmax)                                                                                           \
    X(cross_entropy)                                                                                         \
    X(dropout)                                                                                               \
    X(conv2d)                                                                                                \
    X(max_pool)                                                                                              \
    X(average_pool)                                                                                          \
    X(global_pool)                                                                                           \
    X(batch_norm)                                                                                            \
    X(layer_norm)

typedef enum engine_op_id {
    ENGINE_LEAF, /* inputs, parameters, state: nothing to compute */
#define X(name) ENGINE_OP_##name,
    ENGINE_OP_TABLE(X)
#undef X
        ENGINE_N_OPS
} engine_op_id;

/* Settings of a node, whose meaning is the operator's. */
#define ENGINE_MAX_SETTINGS 16
typedef struct engine_settings {
    int64_t i[ENGINE_MAX_SETTINGS];
    double r[4];
} engine_settings;

/* What a shape rule works with. On failure it calls base_fail with a sentence; the node's name is added. */
typedef struct engine_shape_call {
    truce_context *context;
    int n_inputs;
    const truce_shape *in;
    const truce_value_type *in_type;
    const engine_settings *settings;
    truce_shape out;           /* to be filled; starts as in[0] */
    truce_value_type out_type; /* starts as TRUCE_REAL */
} engine_shape_call;

/*
 * What a kernel works with. Shapes hold the sizes of this run. In a reverse call there are n_rows cotangents,
 * one after the other, out-size elements each. For every input i whose gradient is wanted d_in[i] is not
 * NULL: the kernel writes n_rows gradients, d_stride[i] elements apart, adding to what is there if adds[i]
 * and overwriting it if not. Inputs are served in ascending order.
 */
typedef struct engine_call {
    const engine_settings *settings;
    int n_inputs;
    const void *const *in;
    const truce_shape *in_shape;
    void *out;
    truce_shape out_shape;
    void *saved;   /* saved_bytes(), from the forward call to the reverse one */
    void *scratch; /* scratch_bytes(), only during a call */
    base_team *team;
    /* reverse */
    int n_rows;
    const void *cotangent;
    void *const *d_in;
    const int64_t *d_stride;
    const bool *adds;
    /* forward mode: tangents of the inputs (NULL where zero) and of the result */
    const void *const *t_in;
    void *t_out;
    /* the run */
    uint64_t seed, step;
    int node; /* tells random nodes apart */
    bool training, freeze_state;
    truce_status *status; /* kernels that can fail on data (an index out of range) set it */
} engine_call;

/* Properties of an operator. */
enum {
    ENGINE_KEEPS_INPUTS = 1 << 0,   /* the reverse call reads in[] */
    ENGINE_KEEPS_OUTPUT = 1 << 1,   /* the reverse call reads out */
    ENGINE_IN_PLACE = 1 << 2,       /* out may be in[0], and d_in[0] the cotangent: elementwise in input 0 */
    ENGINE_VIEW = 1 << 3,           /* out *is* in[0] under another shape; no kernels */
    ENGINE_DIFFERENTIABLE = 1 << 4, /* has a reverse call */
    ENGINE_UPDATES_STATE = 1 << 5   /* writes its state inputs in training runs */
};

/* Multiply-adds of the ways to the Gramian of n_rows gradients of an operator's parameters. */
typedef struct engine_costs {
    double product; /* without forming the gradients */
    double formed;  /* forming them, and the products of all pairs */
    double again;   /* one gradient more, for a weighted sum of the cotangents */
} engine_costs;

typedef struct engine_op {
    const char *name;
    int min_inputs, max_inputs; /* max_inputs 0: any number */
    unsigned flags;
    unsigned constant_inputs; /* bits of inputs that never get a gradient (targets) */
    truce_status (*shape)(engine_shape_call *call);
    void (*forward)(const engine_call *call);
    void (*vjp)(const engine_call *call);
    void (*jvp)(const engine_call *call);     /* may be NULL */
    double (*flops)(const engine_call *call); /* of forward; NULL: one per element of the result */
    size_t (*saved_bytes)(const engine_call *call);
    size_t (*scratch_bytes)(const engine_call *call); /* enough for forward, vjp (any n_rows up to that) */
    /*
     * For operators with parameters, may be NULL: adds to gramian [n_rows][n_rows] the inner products of the
     * n_rows gradients of all inputs with a bit in `parameters`, without forming them; gramian_bytes is its
     * scratch. gramian_costs says what that takes.
     */
    void (*gramian)(const engine_call *call, unsigned parameters, double *gramian);
    size_t (*gramian_bytes)(const engine_call *call);
    engine_costs (*gramian_costs)(const engine_call *call);
    /* Losses, may be NULL: labelled elements in this batch, after forward. */
    int64_t (*labelled)(const engine_call *call);
} engine_op;

/* n_rows vectors of n numbers, `stride` elements apart. */
typedef struct engine_rows {
    const void *values;
    int64_t stride, n;
    int n_rows;
} engine_rows;

/* Loops over vectors in the backend's precision. */
typedef struct engine_vectors {
    double (*dot)(const void *x, const void *y, int64_t n);
    double (*squares)(const void *x, int64_t n); /* sum of squares, in double throughout */
    void (*combine)(base_team *team, const engine_rows *rows, const double *weights, void *out);
    void (*add)(void *out, const void *x, int64_t n);
    void (*scale)(void *x, double factor, int64_t n);
    void (*set)(void *x, int64_t i, double value);
    double (*get)(const void *x, int64_t i);
} engine_vectors;

/* One step of an update rule; which fields count is the rule's. */
typedef struct engine_update {
    void *values, *first, *second; /* parameters, first and second moments */
    const void *gradient;
    double rate, beta1, beta2, epsilon;
    double decay;  /* coupled weight decay: added to the gradient times the parameters */
    double shrink; /* decoupled weight decay: factor on the parameters */
    double root;   /* factor on the root of the second moment */
    bool nesterov;
} engine_update;

typedef void (*engine_update_fn)(const engine_update *update, int64_t begin, int64_t end);

typedef struct engine_updates {
    engine_update_fn plain, sgd, adam;
} engine_updates;

/* A device and a precision. */
typedef struct engine_backend {
    const char *name;
    truce_dtype dtype;
    const engine_op *const *ops; /* [ENGINE_N_OPS]; NULL for ENGINE_LEAF */
    const engine_vectors *vectors;
    const engine_updates *updates;
} engine_backend;

/* The fastest backend of this precision that the processor runs; or by name ("f32_v3"), NULL if it cannot. */
const engine_backend *engine_backend_best(truce_dtype dtype);
const engine_backend *engine_backend_named(const char *name);
const char *engine_backend_name_at(int i); /* NULL past the end */

/* Shapes as text for messages: "[batch, 64]". Returns `text`. */
#define ENGINE_SHAPE_TEXT_BYTES 160
const char *engine_shape_text(const truce_shape *shape, char text[ENGINE_SHAPE_TEXT_BYTES]);

/* Brings a negative axis into 0 .. n_dims-1; fails by name of the operator if it is out of range. */
truce_status engine_axis(truce_context *context, const char *op, int64_t axis, int n_dims, int *out);

#endif
