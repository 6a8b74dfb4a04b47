/*
 * truce/engine.h: tensors, graphs, and gradients of several tasks.
 *
 *     graph       what to compute: built once by truce_graph_* and truce_op_* calls
 *     parameters  the trainable numbers of a graph, in one block
 *     program     a graph compiled for a purpose; running it allocates nothing
 *     jacobian    what a program knows of its tasks' gradients after a forward run
 *
 * A loss belongs to a task. From reachability the engine knows which tasks each parameter serves; a parameter
 * that serves two or more is *shared*. In the block shared parameters come first, so the shared part of a
 * gradient is one contiguous row.
 *
 * Building never has to be checked call by call: after a first mistake every further call returns TRUCE_NONE,
 * and truce_parameters_create reports the mistake with the name of its node.
 */
#ifndef TRUCE_ENGINE_H
#define TRUCE_ENGINE_H

#include "truce/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- graphs ------------------------------------------------------------------------------------------ */

typedef struct truce_graph truce_graph;

/* A node of a graph. */
typedef int32_t truce_node;
#define TRUCE_NONE ((truce_node)-1)

/* In shapes of a graph: the number of rows in the batch, known only when a program runs. */
#define TRUCE_BATCH (-1)

TRUCE_API truce_status truce_graph_create(truce_context *context, truce_graph **out);

/* Parameters and programs made from the graph must be gone. NULL is fine. */
TRUCE_API void truce_graph_destroy(truce_graph *graph);

/* The first mistake in building, or TRUCE_OK; the message is then in the context. */
TRUCE_API truce_status truce_graph_status(const truce_graph *graph);

typedef enum truce_value_type { TRUCE_REAL, TRUCE_INDEX } truce_value_type;

/* A value that is given at each run: reals in the program's precision, or int32 indices. */
TRUCE_API truce_node truce_graph_input(truce_graph *graph, const char *name, truce_value_type type,
                                       truce_shape shape);

typedef enum truce_init_kind {
    TRUCE_INIT_CONSTANT, /* a */
    TRUCE_INIT_UNIFORM,  /* in -a .. a */
    TRUCE_INIT_NORMAL    /* mean 0, standard deviation a */
} truce_init_kind;

typedef struct truce_init {
    truce_init_kind kind;
    double a;
} truce_init;

/* A trainable array. Names are unique in a graph and name the tensors in files. No batch size in its shape.
 */
TRUCE_API truce_node truce_graph_parameter(truce_graph *graph, const char *name, truce_shape shape,
                                           truce_init init);

/* An array that training updates without a gradient (running means of batch norm); saved with the parameters.
 */
TRUCE_API truce_node truce_graph_state(truce_graph *graph, const char *name, truce_shape shape,
                                       truce_init init);

/* Names a node for messages, truce_graph_find and outputs. Returns the node. */
TRUCE_API truce_node truce_graph_name(truce_graph *graph, truce_node node, const char *name);
TRUCE_API truce_node truce_graph_find(const truce_graph *graph, const char *name); /* or TRUCE_NONE */

/* Declares a scalar node as the loss of a new task; returns the task's number, or -1. */
TRUCE_API int truce_graph_task(truce_graph *graph, const char *name, truce_node loss);
TRUCE_API int truce_graph_tasks(const truce_graph *graph);
TRUCE_API const char *truce_graph_task_name(const truce_graph *graph, int task);

/* Shape of a node (negative sizes are multiples of the batch size). */
TRUCE_API truce_shape truce_graph_shape(const truce_graph *graph, truce_node node);

/* ---- operators ---------------------------------------------------------------------------------------
 * Axes may be negative: -1 is the last. B stands for any leading sizes. docs/operators.md gives formulas.
 */

/* x [B][in], weight [out][in], bias [out] or TRUCE_NONE -> x weight^T + bias [B][out] */
TRUCE_API truce_node truce_op_linear(truce_graph *graph, truce_node x, truce_node weight, truce_node bias);

typedef enum truce_transpose {
    TRUCE_PLAIN = 0,
    TRUCE_TRANSPOSE_A = 1,
    TRUCE_TRANSPOSE_B = 2
} truce_transpose;

/* a [B][m][k], b [B][k][n] or [k][n] -> [B][m][n]; `transpose` (flags) swaps the last two axes of a, b first.
 */
TRUCE_API truce_node truce_op_matmul(truce_graph *graph, truce_node a, truce_node b, unsigned transpose);

/* Elementwise, with NumPy's broadcasting. */
TRUCE_API truce_node truce_op_add(truce_graph *graph, truce_node a, truce_node b);
TRUCE_API truce_node truce_op_subtract(truce_graph *graph, truce_node a, truce_node b);
TRUCE_API truce_node truce_op_multiply(truce_graph *graph, truce_node a, truce_node b);
TRUCE_API truce_node truce_op_divide(truce_graph *graph, truce_node a, truce_node b);
TRUCE_API truce_node truce_op_maximum(truce_graph *graph, truce_node a, truce_node b);
TRUCE_API truce_node truce_op_minimum(truce_graph *graph, truce_node a, truce_node b);

/* scale * x + shift */
TRUCE_API truce_node truce_op_affine(truce_graph *graph, truce_node x, double scale, double shift);

/* Elementwise functions. gelu is x Phi(x) with the exact normal distribution; leaky_relu has slope `a` below
 * 0; power is x^a, for x > 0 unless a is whole. */
TRUCE_API truce_node truce_op_relu(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_leaky_relu(truce_graph *graph, truce_node x, double a);
TRUCE_API truce_node truce_op_gelu(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_silu(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_tanh(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_sigmoid(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_softplus(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_exp(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_log(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_sqrt(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_square(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_abs(truce_graph *graph, truce_node x);
TRUCE_API truce_node truce_op_power(truce_graph *graph, truce_node x, double a);

/* Reductions over the listed axes, which disappear; no axes means all of them. Ties of max share the gradient
 * of the first. */
TRUCE_API truce_node truce_op_sum(truce_graph *graph, truce_node x, int n_axes, const int *axes);
TRUCE_API truce_node truce_op_mean(truce_graph *graph, truce_node x, int n_axes, const int *axes);
TRUCE_API truce_node truce_op_max(truce_graph *graph, truce_node x, int n_axes, const int *axes);

/* The same values under another shape; one size may be 0, which then follows from the others. */
TRUCE_API truce_node truce_op_reshape(truce_graph *graph, truce_node x, truce_shape shape);

/* Axis i of the result is axis order[i] of x. */
TRUCE_API truce_node truce_op_transpose(truce_graph *graph, truce_node x, const int *order);
TRUCE_API truce_node truce_op_concat(truce_graph *graph, int n, const truce_node *parts, int axis);

/* Elements begin, begin + step, ... before end along one axis. */
TRUCE_API truce_node truce_op_slice(truce_graph *graph, truce_node x, int axis, int64_t begin, int64_t end,
                                    int64_t step);

/* x [..., n, ...] at `axis`, indices [I...] -> [..., I..., ...]. An index out of range stops the run. */
TRUCE_API truce_node truce_op_gather(truce_graph *graph, truce_node x, truce_node indices, int axis);

/* table [n][width], indices [I...] -> [I...][width] */
TRUCE_API truce_node truce_op_embedding(truce_graph *graph, truce_node table, truce_node indices);

/* The value of x, through which no gradient flows. */
TRUCE_API truce_node truce_op_stop_gradient(truce_graph *graph, truce_node x);

TRUCE_API truce_node truce_op_softmax(truce_graph *graph, truce_node x, int axis);
TRUCE_API truce_node truce_op_log_softmax(truce_graph *graph, truce_node x, int axis);

/* In training programs: each element is zeroed with probability `rate`, the others divided by 1 - rate. */
TRUCE_API truce_node truce_op_dropout(truce_graph *graph, truce_node x, double rate);

typedef struct truce_window {
    int64_t size[2];     /* height, width */
    int64_t stride[2];   /* 0 means 1 for convolutions, the size for pools */
    int64_t padding[2];  /* zeros on each side */
    int64_t dilation[2]; /* 0 means 1 */
    int64_t groups;      /* 0 means 1; convolutions only */
} truce_window;

/* x [B][in][H][W], weight [out][in / groups][h][w], bias [out] or TRUCE_NONE -> [B][out][H'][W'] */
TRUCE_API truce_node truce_op_conv2d(truce_graph *graph, truce_node x, truce_node weight, truce_node bias,
                                     const truce_window *window);

/* x [B][C][H][W] -> [B][C][H'][W']; padding counts as -infinity (max), is left out of the mean (average) */
TRUCE_API truce_node truce_op_max_pool(truce_graph *graph, truce_node x, const truce_window *window);
TRUCE_API truce_node truce_op_average_pool(truce_graph *graph, truce_node x, const truce_window *window);

/* x [B][C][...] -> [B][C], the mean over all further axes */
TRUCE_API truce_node truce_op_global_pool(truce_graph *graph, truce_node x);

/*
 * x [B][C] or [B][C][...]; scale, shift, running mean and variance [C]. Training programs normalise by the
 * batch's statistics (biased variance) and move the running ones by `momentum` (towards the unbiased
 * variance), as PyTorch does; others normalise by the running ones.
 */
typedef struct truce_norm {
    truce_node scale, shift;                   /* TRUCE_NONE: 1, 0 */
    truce_node running_mean, running_variance; /* batch norm: both needed */
    double epsilon;                            /* 0 means 1e-5 */
    double momentum;                           /* 0 means 0.1 */
} truce_norm;

TRUCE_API truce_node truce_op_batch_norm(truce_graph *graph, truce_node x, const truce_norm *norm);

/* Normalises over the last axis; scale, shift [last size]. */
TRUCE_API truce_node truce_op_layer_norm(truce_graph *graph, truce_node x, const truce_norm *norm);

/*
 * Losses: the mean over labelled elements, 0 if there are none. Targets are missing where they are NaN
 * (reals) or negative (indices). For class losses `x` holds logits with the classes on `axis`, `target` has
 * x's shape without that axis.
 */
TRUCE_API truce_node truce_op_cross_entropy(truce_graph *graph, truce_node x, truce_node target, int axis);
TRUCE_API truce_node truce_op_binary_cross_entropy(truce_graph *graph, truce_node x, truce_node target);
TRUCE_API truce_node truce_op_squared_error(truce_graph *graph, truce_node x, truce_node target);
TRUCE_API truce_node truce_op_absolute_error(truce_graph *graph, truce_node x, truce_node target);

/* Quadratic below `delta`, linear beyond: e^2 / 2, then delta (|e| - delta / 2). */
TRUCE_API truce_node truce_op_huber(truce_graph *graph, truce_node x, truce_node target, double delta);

/* ---- parameters -------------------------------------------------------------------------------------- */

typedef struct truce_parameters truce_parameters;

/*
 * Lays out the graph's parameters in one 64-byte aligned block of `dtype` (TRUCE_FLOAT32 or TRUCE_FLOAT64),
 * each at an aligned offset: shared ones, then each task's own, then those that serve no task. The graph must
 * not grow afterwards. Values are drawn by truce_parameters_init.
 */
TRUCE_API truce_status truce_parameters_create(truce_graph *graph, truce_dtype dtype, truce_parameters **out);
TRUCE_API void truce_parameters_destroy(truce_parameters *parameters);

/* Draws every array by its init from (seed, its name); arrays of the same name and shape get the same values
 * whatever else the graph holds. */
TRUCE_API void truce_parameters_init(truce_parameters *parameters, uint64_t seed);

typedef struct truce_parameter {
    const char *name;
    truce_shape shape;
    int trainable;  /* 0 for state */
    int n_tasks;    /* that it serves; shared if 2 or more */
    int task;       /* whose own it is, or -1 */
    int64_t offset; /* in the block, in elements; state lies in a block of its own */
    int64_t size;
    void *values;
} truce_parameter;

TRUCE_API int truce_parameters_count(const truce_parameters *parameters);
TRUCE_API const truce_parameter *truce_parameters_at(const truce_parameters *parameters, int i);
TRUCE_API const truce_parameter *truce_parameters_find(const truce_parameters *parameters, const char *name);
TRUCE_API truce_dtype truce_parameters_dtype(const truce_parameters *parameters);

/* The trainable block and its length in elements, padding included; the first n_shared of them are shared. */
TRUCE_API void *truce_parameters_block(truce_parameters *parameters, int64_t *n, int64_t *n_shared);

/* Numbers that are trained, without padding: all of them, and the shared ones. */
TRUCE_API int64_t truce_parameters_trained(const truce_parameters *parameters, int64_t *n_shared);

/*
 * Writes all arrays, state included, as a safetensors file; reads them back by name. Every array must be in
 * the file with its shape; what else the file holds is ignored. `metadata` (may be NULL) is a NULL-terminated
 * list of keys and values in turn.
 */
TRUCE_API truce_status truce_parameters_save(truce_parameters *parameters, const char *path,
                                             const char *const *metadata);
TRUCE_API truce_status truce_parameters_load(truce_parameters *parameters, const char *path);

/* ---- programs ---------------------------------------------------------------------------------------- */

typedef struct truce_program truce_program;

typedef enum truce_gradients {
    TRUCE_GRADIENT_NONE,     /* forward only */
    TRUCE_GRADIENT_WEIGHTED, /* gradient of a weighted sum of losses, by one reverse sweep */
    TRUCE_GRADIENT_GRAMIAN,  /* also the tasks' Gramian, by one sweep with a cotangent per task */
    TRUCE_GRADIENT_JACOBIAN  /* also each task's gradient on the shared parameters, T x P of memory */
} truce_gradients;

typedef struct truce_program_config {
    int64_t max_batch; /* the largest number of rows of a run */
    truce_gradients gradients;
    int training;              /* 1: dropout acts, batch norm uses the batch's statistics */
    const truce_node *outputs; /* nodes whose values can be read after a run, besides the losses */
    int n_outputs;
    int without_losses; /* 1: compute the outputs only */
} truce_program_config;

/* Compiles: prunes what is not needed, lays out one arena. The parameters must outlive the program. */
TRUCE_API truce_status truce_program_create(truce_parameters *parameters, const truce_program_config *config,
                                            truce_program **out);
TRUCE_API void truce_program_destroy(truce_program *program);

/* Where to put an input's values before a run (room for max_batch rows), or to read an output's after it.
 * NULL for a node that the program does not use. */
TRUCE_API void *truce_program_values(truce_program *program, truce_node node);

typedef struct truce_run {
    int64_t n_rows; /* of this batch, at most max_batch */
    uint64_t seed;  /* of dropout; with `step` it names the random numbers of the run */
    uint64_t step;
    int freeze_state; /* 1: running statistics stay as they are */
} truce_run;

/* Computes the losses and outputs. */
TRUCE_API truce_status truce_program_forward(truce_program *program, const truce_run *run);

/* Bytes of the arena; flops of a forward run of max_batch rows. */
TRUCE_API size_t truce_program_bytes(const truce_program *program);
TRUCE_API double truce_program_flops(const truce_program *program);

/* ---- the Jacobian ------------------------------------------------------------------------------------ */

/*
 * The gradients of the tasks after a forward run, computed when they are asked for and kept until the next
 * run. Task i is the i-th of the graph; a task without labels in the batch has loss NaN and a zero gradient.
 */
typedef struct truce_jacobian truce_jacobian;

/* The program's Jacobian, owned by it. */
TRUCE_API truce_jacobian *truce_program_jacobian(truce_program *program);

/* [T]; NaN where the batch holds no label for the task. */
TRUCE_API void truce_jacobian_losses(truce_jacobian *jacobian, double *losses);

/* [T][T], inner products of the tasks' gradients on the shared parameters. Needs TRUCE_GRADIENT_GRAMIAN or
 * TRUCE_GRADIENT_JACOBIAN. */
TRUCE_API truce_status truce_jacobian_gramian(truce_jacobian *jacobian, double *gramian);

/* The rows [T][n_shared] in the parameters' dtype, `stride` elements apart; owned by the program. Needs
 * TRUCE_GRADIENT_JACOBIAN. */
TRUCE_API truce_status truce_jacobian_rows(truce_jacobian *jacobian, const void **rows, int64_t *stride);

/* What the tasks' own parameters receive. */
typedef enum truce_own_gradient { TRUCE_OWN_PLAIN, TRUCE_OWN_WEIGHTED } truce_own_gradient;

/*
 * The gradient: sum of weights[i] times task i's gradient on the shared parameters; on a task's own
 * parameters its gradient, plain or weighted. By the cheapest way: from what truce_jacobian_gramian or _rows
 * left, else by one reverse sweep. *out points to the block's length of numbers, owned by the program, valid
 * until the next run.
 */
TRUCE_API truce_status truce_jacobian_combine(truce_jacobian *jacobian, const double *weights,
                                              truce_own_gradient own, void **out);

#ifdef __cplusplus
}
#endif

#endif
