#include "engine/reach.h"

#include <string.h>

static uint64_t *words_of(const engine_reach *reach, int node) {
    return reach->tasks + (size_t)node * (size_t)reach->n_words;
}

/* The operator lets gradients through to its i-th input, whatever comes before that. */
static bool edge_differentiable(const truce_graph *graph, int node, int i) {
    const engine_op *op = engine_node_op(graph, node);
    truce_node input = engine_inputs(graph, node)[i];
    if (!op || !(op->flags & ENGINE_DIFFERENTIABLE) || graph->nodes[input].type != TRUCE_REAL) return false;
    return i >= 32 || !(op->constant_inputs >> i & 1u);
}

static void find_dependants(const truce_graph *graph, engine_reach *reach) {
    for (int node = 0; node < graph->n_nodes; node++) {
        reach->depends[node] = graph->nodes[node].leaf == ENGINE_PARAMETER;
        for (int i = 0; i < graph->nodes[node].n_inputs && !reach->depends[node]; i++)
            reach->depends[node] =
                edge_differentiable(graph, node, i) && reach->depends[engine_inputs(graph, node)[i]];
    }
}

static void spread_tasks(const truce_graph *graph, engine_reach *reach) {
    for (int task = 0; task < graph->n_tasks; task++)
        words_of(reach, graph->tasks[task].loss)[task / 64] |= (uint64_t)1 << task % 64;
    for (int node = graph->n_nodes - 1; node >= 0; node--)
        for (int i = 0; i < graph->nodes[node].n_inputs; i++) {
            if (!edge_differentiable(graph, node, i)) continue;
            uint64_t *to = words_of(reach, engine_inputs(graph, node)[i]);
            for (int w = 0; w < reach->n_words; w++) to[w] |= words_of(reach, node)[w];
        }
}

truce_status engine_reach_create(const truce_graph *graph, engine_reach *out) {
    engine_reach reach = {.n_tasks = graph->n_tasks, .n_words = (graph->n_tasks + 63) / 64};
    size_t n_nodes = (size_t)graph->n_nodes;
    truce_status status =
        base_alloc(graph->context, n_nodes * (size_t)reach.n_words, sizeof *reach.tasks, &reach.tasks);
    if (!status) status = base_alloc(graph->context, n_nodes, sizeof *reach.depends, &reach.depends);
    if (status) {
        engine_reach_free(graph->context, &reach);
        return status;
    }
    find_dependants(graph, &reach);
    spread_tasks(graph, &reach);
    *out = reach;
    return TRUCE_OK;
}

void engine_reach_free(truce_context *context, engine_reach *reach) {
    base_free(context, reach->tasks);
    base_free(context, reach->depends);
    *reach = (engine_reach){0};
}

int engine_reach_count(const engine_reach *reach, int node) {
    int count = 0;
    for (int w = 0; w < reach->n_words; w++) count += __builtin_popcountll(words_of(reach, node)[w]);
    return count;
}

bool engine_reach_has(const engine_reach *reach, int node, int task) {
    return words_of(reach, node)[task / 64] >> task % 64 & 1;
}

int engine_reach_next(const engine_reach *reach, int node, int after) {
    for (int task = after + 1; task < reach->n_tasks; task++)
        if (engine_reach_has(reach, node, task)) return task;
    return -1;
}

int engine_reach_rank(const engine_reach *reach, int node, int task) {
    int rank = 0;
    for (int t = engine_reach_next(reach, node, -1); t >= 0 && t < task;
         t = engine_reach_next(reach, node, t))
        rank++;
    return rank;
}

bool engine_reach_flows(const engine_reach *reach, const truce_graph *graph, int node, int i) {
    return edge_differentiable(graph, node, i) && reach->depends[engine_inputs(graph, node)[i]];
}

bool engine_reach_active(const engine_reach *reach, int node) {
    return reach->depends[node] && engine_reach_next(reach, node, -1) >= 0;
}
