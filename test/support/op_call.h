/*
 * One operator called by itself, outside of any program, with inputs, cotangents and tangents of the caller:
 * what tests and benchmarks of operators stand on.
 *
 * Inputs are described by a text, one word each: a letter for what they hold, then the sizes with an x in
 * between, b for the batch (of OP_BATCH rows): "r b x 4" is written "rbx4", a scalar "r".
 *
 *     r  real numbers around 0      t  real targets, some missing     i9:  indices below 9, then sizes
 *     p  positive real numbers      s  state of a graph, positive     c9:  classes below 9, some missing
 *     d  real numbers that are well apart from each other
 */
#ifndef TEST_SUPPORT_OP_CALL_H
#define TEST_SUPPORT_OP_CALL_H

#include "base/rng.h"
#include "engine/program.h"

enum { OP_BATCH = 3, OP_MAX_INPUTS = 8, OP_SETTINGS = 12 };

/* Builds the operator on leaves that hold the inputs; p are the numbers of the case. */
typedef truce_node (*op_builder)(truce_graph *graph, const truce_node *in, const double *p);

typedef struct op_case {
    const char *op; /* its name in ENGINE_OP_TABLE */
    const char *inputs;
    op_builder build;
    double p[OP_SETTINGS];
} op_case;

typedef struct op_input {
    char kind;
    int64_t below; /* of i and c */
    truce_shape shape;
} op_input;

/* Reads the description; returns the number of inputs. With `batch` false b becomes OP_BATCH. */
int op_inputs(const char *text, bool batch, op_input inputs[OP_MAX_INPUTS]);

bool op_input_is_real(const op_input *input); /* not indices */
bool op_input_has_gradient(const op_input *input);

/* Values for an input, as doubles that floats can hold; indices are whole numbers. */
void op_fill(base_rng *rng, const op_input *input, double *values);

/* A leaf for the input under this name. */
truce_node op_leaf(truce_graph *graph, const char *name, const op_input *input);

typedef struct op_call {
    truce_context *context;
    truce_graph *graph;
    const engine_backend *backend;
    const engine_op *op;
    int n_inputs;             /* of the operator, */
    int which[OP_MAX_INPUTS]; /* and which inputs of the case they are */
    truce_shape shape[OP_MAX_INPUTS], out_shape;
    int64_t size[OP_MAX_INPUTS], out_size;
    bool real[OP_MAX_INPUTS]; /* not indices */
    bool out_real;
    int n_rows; /* room for so many cotangents */
    engine_call call;
    void *in[OP_MAX_INPUTS], *t_in[OP_MAX_INPUTS], *d_in[OP_MAX_INPUTS], *cotangent, *t_out;
    void *d_used[OP_MAX_INPUTS];
    const void *t_used[OP_MAX_INPUTS];
    int64_t d_stride[OP_MAX_INPUTS];
    bool adds[OP_MAX_INPUTS];
    size_t saved_bytes, scratch_bytes;
    truce_status status;
} op_call;

/* Elements between the rows of a gradient that belong to nobody. */
enum { OP_GAP = 5 };

/* How to call: n_rows cotangents at most. A NULL team is one thread. */
typedef struct op_manner {
    const engine_backend *backend;
    base_team *team;
    bool training;
    int n_rows;
} op_manner;

truce_status op_open(truce_context *context, const op_case *c, const op_manner *manner, op_call *out);
void op_close(op_call *call);

/* Copies between doubles and an array of the backend's reals; op_set and op_get_out know of indices. */
void op_set(const op_call *call, int i, const double *values);
void op_put(const op_call *call, void *to, const double *values, int64_t n);
void op_get(const op_call *call, const void *from, double *values, int64_t n);
void op_get_out(const op_call *call, double *values);

/* Runs a kernel. `inputs` has a bit for each input whose gradient (whose tangent) is wanted (is there). */
void op_forward(op_call *call);
void op_vjp(op_call *call, int n_rows, unsigned inputs);
void op_jvp(op_call *call, unsigned inputs);

/* Bits of the inputs that have gradients. */
unsigned op_differentiable(const op_call *call);

/* The k-th gradient of input i. */
void *op_gradient(const op_call *call, int i, int k);

/* Whether what lies behind and between the arrays is as it was. */
bool op_guards_hold(const op_call *call);

#endif
