/*
 * A compiled graph: what runs, where every value lies, and how gradients travel.
 *
 * Time, for the lifetimes of buffers: node i runs forward at i, in reverse at 2N-1-i, and, where the gradient
 * of its parameters waits for the weights, once more at 3N-1-i ("combining"); N is the number of nodes.
 *
 * In a sweep with a cotangent per task, a node that serves the tasks S holds |S| cotangents ("rows") in the
 * order of the tasks. Parameters are treated in one of these ways:
 *
 *     direct     one row: straight into the gradient (own parameters; everything in a weighted sweep)
 *     jacobian   a row per task, into the Jacobian
 *     kept       rows formed and kept for combining, where they are small beside the activations' cotangents
 *     formed     rows formed, multiplied for the Gramian, and dropped; combining runs the operator again with
 * the weighted sum of its cotangents product    the operator multiplies the rows without forming them;
 * combining as for formed
 */
#ifndef ENGINE_PROGRAM_H
#define ENGINE_PROGRAM_H

#include "engine/parameters.h"
#include "engine/plan.h"

typedef enum engine_way {
    ENGINE_DIRECT,
    ENGINE_JACOBIAN,
    ENGINE_KEPT,
    ENGINE_FORMED,
    ENGINE_PRODUCT
} engine_way;

/* Where the gradient of one input of one node goes in a sweep. */
typedef struct engine_edge {
    char *base;      /* NULL: no gradient is wanted */
    int64_t stride;  /* elements between rows; 0: the size of the input's node in this run */
    int first_row;   /* row of `base` for the node's first cotangent */
    const int *rows; /* row of each cotangent where they are not consecutive, else NULL */
    bool adds;       /* to what earlier calls wrote there */
    int clears;      /* rows of `base` to be zeroed first, because this call fills only some of them */
} engine_edge;

/* One way of going back through the program. */
typedef struct engine_sweep {
    int *n_rows;        /* [n_nodes] cotangents of each node; 0: none */
    engine_edge *edges; /* [n_edges] as in the graph */
    int *row_lists;     /* what edges' rows point into */
} engine_sweep;

typedef struct engine_step {
    engine_call call;
    int value, cotangent, saved; /* buffers, or -1 */
    bool needed, active;         /* computed at all; takes part in sweeps */
    bool combines;               /* runs once more when weights are known */
    unsigned products;           /* bits of inputs that are parameters of the way "product" */
    unsigned again;              /* bits of inputs whose gradient is formed when combining, */
    unsigned again_adds;         /* and those of them that add to an earlier one */
    int own_task;                /* the only task it serves, or -1 */
} engine_step;

struct truce_program {
    truce_context *context;
    truce_graph *graph;
    truce_parameters *parameters;
    const engine_backend *backend;
    truce_program_config config;
    size_t element;      /* bytes of a real */
    engine_step *steps;  /* [n_nodes] */
    truce_shape *shapes; /* [n_nodes] of this run */
    const void **in;     /* [n_edges] */
    truce_shape *in_shapes;
    engine_plan plan;
    char *arena;
    int scratch; /* buffer */
    size_t scratch_bytes;
    bool *is_output; /* [n_nodes] */
    engine_sweep weighted, per_task;
    engine_way *ways; /* [n_items] of shared parameters in the per-task sweep */
    int *row_buffers; /* [n_items] of formed or kept rows, or -1 */
    int *n_uses;      /* [n_items] active edges to it */
    int *last_use;    /* [n_items] the node whose reverse call completes its rows, or -1 */
    char *gradient, *jacobian_rows;
    struct truce_jacobian *jacobian;
    /* scratch of sweeps, sized at compile time */
    void **d_in;
    int64_t *d_stride;
    bool *adds;
    double *small_gramian; /* [T][T] */
    double *row_weights;   /* [T] */
    truce_run run;
    truce_status run_status;
    double flops;
};

static inline int engine_time_back(const truce_program *p, int node) {
    return 2 * p->graph->n_nodes - 1 - node;
}
static inline int engine_time_combine(const truce_program *p, int node) {
    return 3 * p->graph->n_nodes - 1 - node;
}
static inline int engine_time_end(const truce_program *p) {
    return 3 * p->graph->n_nodes;
}

static inline char *engine_buffer_at(const truce_program *p, int buffer) {
    return buffer < 0 ? NULL : p->arena + p->plan.buffers[buffer].offset;
}

/* Sizes of a shape when the batch holds n_rows. */
truce_shape engine_resolve(const truce_shape *shape, int64_t n_rows);

/* Decides ways and rows before buffers are laid out; fills in addresses afterwards. */
truce_status engine_sweeps_prepare(truce_program *program);
truce_status engine_sweeps_connect(truce_program *program);
void engine_sweeps_free(truce_program *program);

/* Goes back with one cotangent everywhere: seeds are the losses' weights. Under TRUCE_OWN_PLAIN a task's own
 * nodes see seed 1 and the weight is applied where gradients enter shared nodes. */
void engine_sweep_weighted(truce_program *program, const double *weights, truce_own_gradient own);

/* Goes back with a cotangent per task; adds up the Gramian [T][T] unless it is NULL. */
void engine_sweep_per_task(truce_program *program, double *gramian);

/* After engine_sweep_per_task: the weighted sum of rows of all shared parameters, into the gradient. */
void engine_sweep_combine(truce_program *program, const double *weights);

truce_status engine_jacobian_create(truce_program *program);
void engine_jacobian_destroy(truce_program *program);
void engine_jacobian_reset(truce_program *program);

#endif
