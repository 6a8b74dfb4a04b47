/*
 * The graph as the engine sees it: nodes in the order they were made, which is a topological order.
 */
#ifndef ENGINE_GRAPH_H
#define ENGINE_GRAPH_H

#include "base/names.h"
#include "engine/op.h"

typedef enum engine_leaf { ENGINE_NOT_A_LEAF, ENGINE_INPUT, ENGINE_PARAMETER, ENGINE_STATE } engine_leaf;

typedef struct engine_node {
    engine_op_id op;
    engine_leaf leaf;
    int first_input, n_inputs; /* in graph->edges */
    engine_settings settings;
    truce_shape shape;
    truce_value_type type;
    int name; /* in graph->names, or -1 */
    truce_init init;
} engine_node;

typedef struct engine_task {
    char *name;
    truce_node loss;
} engine_task;

struct truce_graph {
    truce_context *context;
    engine_node *nodes;
    int n_nodes;
    size_t node_capacity;
    truce_node *edges;
    int n_edges;
    size_t edge_capacity;
    base_names names;
    truce_node *named; /* node of each name */
    size_t named_capacity;
    engine_task *tasks;
    int n_tasks;
    size_t task_capacity;
    truce_status status;
    char message[512]; /* of the first mistake */
};

/* Adds a node of operator `op`: checks the inputs, runs the shape rule. TRUCE_NONE after a mistake. */
truce_node engine_graph_add(truce_graph *graph, engine_op_id op, int n_inputs, const truce_node *inputs,
                            const engine_settings *settings);

/* Shorthand for operators with one or two inputs and no settings. */
truce_node engine_graph_add1(truce_graph *graph, engine_op_id op, truce_node x);
truce_node engine_graph_add2(truce_graph *graph, engine_op_id op, truce_node a, truce_node b);

/* Records a mistake (the first one stays) and returns TRUCE_NONE. */
truce_node engine_graph_mistake(truce_graph *graph, truce_status status, const char *format, ...)
    BASE_PRINTF(3, 4);

/* What a message calls a node: its name, or "relu (node 7)". */
const char *engine_node_text(const truce_graph *graph, truce_node node, char *text, size_t bytes);

static inline const truce_node *engine_inputs(const truce_graph *graph, int node) {
    return graph->edges + graph->nodes[node].first_input;
}

/* The operator's descriptor, the same in every backend but for its kernels; NULL for leaves. */
const engine_op *engine_node_op(const truce_graph *graph, int node);

#endif
