/*
 * Building graphs. A mistake is kept, not returned: the graph remembers the first one, and everything built
 * on top of TRUCE_NONE is TRUCE_NONE again.
 */
#include "engine/graph.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

truce_status truce_graph_create(truce_context *context, truce_graph **out) {
    truce_graph *graph = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *graph, &graph));
    graph->context = context;
    *out = graph;
    return TRUCE_OK;
}

void truce_graph_destroy(truce_graph *graph) {
    if (!graph) return;
    truce_context *context = graph->context;
    for (int i = 0; i < graph->n_tasks; i++) base_free(context, graph->tasks[i].name);
    base_free(context, graph->tasks);
    base_names_free(context, &graph->names);
    base_free(context, graph->named);
    base_free(context, graph->edges);
    base_free(context, graph->nodes);
    base_free(context, graph);
}

truce_status truce_graph_status(const truce_graph *graph) {
    return graph->status ? base_fail(graph->context, graph->status, "%s", graph->message) : TRUCE_OK;
}

truce_node engine_graph_mistake(truce_graph *graph, truce_status status, const char *format, ...) {
    if (graph->status) return TRUCE_NONE;
    va_list args;
    va_start(args, format);
    vsnprintf(graph->message, sizeof graph->message, format, args);
    va_end(args);
    graph->status = status;
    return TRUCE_NONE;
}

const engine_op *engine_node_op(const truce_graph *graph, int node) {
    return engine_backend_best(TRUCE_FLOAT64)->ops[graph->nodes[node].op];
}

const char *engine_node_text(const truce_graph *graph, truce_node node, char *text, size_t bytes) {
    const engine_node *n = &graph->nodes[node];
    if (n->name >= 0) return graph->names.names[n->name];
    const engine_op *op = engine_node_op(graph, node);
    snprintf(text, bytes, "%s (node %d)", op ? op->name : "leaf", (int)node);
    return text;
}

/* Makes room for one more node with its edges; the node is counted by the caller once it is right. */
static truce_status make_room(truce_graph *graph, int n_inputs) {
    truce_context *context = graph->context;
    BASE_TRY(base_grow(context, &graph->nodes, &graph->node_capacity, (size_t)graph->n_nodes + 1,
                       sizeof *graph->nodes));
    return base_grow(context, &graph->edges, &graph->edge_capacity, (size_t)(graph->n_edges + n_inputs),
                     sizeof *graph->edges);
}

static truce_node keep_mistake(truce_graph *graph, truce_status status, const char *what) {
    return engine_graph_mistake(graph, status, "%s: %s", what, truce_context_message(graph->context));
}

static bool inputs_exist(const truce_graph *graph, int n_inputs, const truce_node *inputs) {
    for (int i = 0; i < n_inputs; i++)
        if (inputs[i] < 0 || inputs[i] >= graph->n_nodes) return false;
    return true;
}

static truce_status infer_shape(truce_graph *graph, const engine_op *op, engine_node *node,
                                const truce_node *inputs) {
    enum { MAX_INPUTS = 1024 };
    truce_shape shapes[MAX_INPUTS];
    truce_value_type types[MAX_INPUTS];
    if (node->n_inputs > MAX_INPUTS)
        return base_fail(graph->context, TRUCE_ERROR_ARGUMENT, "at most %d inputs", MAX_INPUTS);
    for (int i = 0; i < node->n_inputs; i++) {
        shapes[i] = graph->nodes[inputs[i]].shape;
        types[i] = graph->nodes[inputs[i]].type;
    }
    engine_shape_call call = {.context = graph->context,
                              .n_inputs = node->n_inputs,
                              .in = shapes,
                              .in_type = types,
                              .settings = &node->settings,
                              .out = shapes[0],
                              .out_type = TRUCE_REAL};
    BASE_TRY(op->shape(&call));
    node->shape = call.out;
    node->type = call.out_type;
    return TRUCE_OK;
}

truce_node engine_graph_add(truce_graph *graph, engine_op_id id, int n_inputs, const truce_node *inputs,
                            const engine_settings *settings) {
    if (graph->status) return TRUCE_NONE;
    const engine_op *op = engine_backend_best(TRUCE_FLOAT64)->ops[id];
    if (!inputs_exist(graph, n_inputs, inputs))
        return engine_graph_mistake(graph, TRUCE_ERROR_ARGUMENT, "%s: an input is not a node of this graph",
                                    op->name);
    assert(n_inputs >= op->min_inputs && (op->max_inputs == 0 || n_inputs <= op->max_inputs));
    engine_node node = {.op = id, .first_input = graph->n_edges, .n_inputs = n_inputs, .name = -1};
    if (settings) node.settings = *settings;
    truce_status status = make_room(graph, n_inputs);
    if (!status) status = infer_shape(graph, op, &node, inputs);
    if (status) {
        char what[96];
        snprintf(what, sizeof what, "%s (node %d)", op->name, graph->n_nodes);
        return keep_mistake(graph, status, what);
    }
    for (int i = 0; i < n_inputs; i++) graph->edges[graph->n_edges++] = inputs[i];
    graph->nodes[graph->n_nodes] = node;
    return graph->n_nodes++;
}

truce_node engine_graph_add1(truce_graph *graph, engine_op_id op, truce_node x) {
    return engine_graph_add(graph, op, 1, &x, NULL);
}

truce_node engine_graph_add2(truce_graph *graph, engine_op_id op, truce_node a, truce_node b) {
    return engine_graph_add(graph, op, 2, (truce_node[]){a, b}, NULL);
}

truce_node truce_graph_name(truce_graph *graph, truce_node node, const char *name) {
    if (graph->status || node < 0) return TRUCE_NONE;
    if (base_names_find(&graph->names, name) >= 0)
        return engine_graph_mistake(graph, TRUCE_ERROR_NAME, "two nodes are named '%s'", name);
    int64_t index = 0;
    truce_status status = base_grow(graph->context, &graph->named, &graph->named_capacity, graph->names.n + 1,
                                    sizeof *graph->named);
    if (!status) status = base_names_add(graph->context, &graph->names, name, &index);
    if (status) return keep_mistake(graph, status, name);
    graph->named[index] = node;
    graph->nodes[node].name = (int)index;
    return node;
}

truce_node truce_graph_find(const truce_graph *graph, const char *name) {
    int64_t index = base_names_find(&graph->names, name);
    return index < 0 ? TRUCE_NONE : graph->named[index];
}

static bool shape_is_valid(const truce_shape *shape, bool batch_allowed) {
    if (shape->n_dims < 0 || shape->n_dims > TRUCE_MAX_DIMS) return false;
    int n_batch = 0;
    for (int i = 0; i < shape->n_dims; i++) n_batch += shape->dims[i] < 0;
    return n_batch <= (batch_allowed ? 1 : 0);
}

static truce_node add_leaf(truce_graph *graph, const char *name, const engine_node *leaf) {
    if (graph->status) return TRUCE_NONE;
    char text[ENGINE_SHAPE_TEXT_BYTES];
    if (!shape_is_valid(&leaf->shape, leaf->leaf == ENGINE_INPUT))
        return engine_graph_mistake(graph, TRUCE_ERROR_SHAPE, "'%s' cannot have the shape %s", name,
                                    engine_shape_text(&leaf->shape, text));
    truce_status status = make_room(graph, 0);
    if (status) return keep_mistake(graph, status, name);
    graph->nodes[graph->n_nodes] = *leaf;
    graph->nodes[graph->n_nodes].first_input = graph->n_edges;
    graph->nodes[graph->n_nodes].name = -1;
    return truce_graph_name(graph, graph->n_nodes++, name);
}

truce_node truce_graph_input(truce_graph *graph, const char *name, truce_value_type type, truce_shape shape) {
    return add_leaf(graph, name, &(engine_node){.leaf = ENGINE_INPUT, .type = type, .shape = shape});
}

truce_node truce_graph_parameter(truce_graph *graph, const char *name, truce_shape shape, truce_init init) {
    return add_leaf(graph, name, &(engine_node){.leaf = ENGINE_PARAMETER, .shape = shape, .init = init});
}

truce_node truce_graph_state(truce_graph *graph, const char *name, truce_shape shape, truce_init init) {
    return add_leaf(graph, name, &(engine_node){.leaf = ENGINE_STATE, .shape = shape, .init = init});
}

int truce_graph_task(truce_graph *graph, const char *name, truce_node loss) {
    char text[96];
    if (graph->status || loss < 0) return -1;
    if (graph->nodes[loss].shape.n_dims != 0) {
        engine_graph_mistake(graph, TRUCE_ERROR_SHAPE, "the loss of task '%s', %s, is not a scalar", name,
                             engine_node_text(graph, loss, text, sizeof text));
        return -1;
    }
    engine_task task = {.loss = loss};
    truce_status status = base_grow(graph->context, &graph->tasks, &graph->task_capacity,
                                    (size_t)graph->n_tasks + 1, sizeof *graph->tasks);
    if (!status) status = base_copy_text(graph->context, name, &task.name);
    if (status) {
        keep_mistake(graph, status, name);
        return -1;
    }
    graph->tasks[graph->n_tasks] = task;
    return graph->n_tasks++;
}

int truce_graph_tasks(const truce_graph *graph) {
    return graph->n_tasks;
}

const char *truce_graph_task_name(const truce_graph *graph, int task) {
    return graph->tasks[task].name;
}

truce_shape truce_graph_shape(const truce_graph *graph, truce_node node) {
    return node < 0 ? (truce_shape){0} : graph->nodes[node].shape;
}
