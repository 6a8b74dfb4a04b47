/*
 * Which tasks a node serves: those whose loss can be reached from it by edges that carry gradients.
 */
#ifndef ENGINE_REACH_H
#define ENGINE_REACH_H

#include "engine/graph.h"

typedef struct engine_reach {
    int n_tasks, n_words;
    uint64_t *tasks; /* [n_nodes][n_words] a bit per task */
    bool *depends;   /* [n_nodes] on a trainable parameter */
} engine_reach;

truce_status engine_reach_create(const truce_graph *graph, engine_reach *out);
void engine_reach_free(truce_context *context, engine_reach *reach);

/* Number of tasks that a node serves; whether it serves this one; the next one after `after` (-1 for the
 * first), or -1. */
int engine_reach_count(const engine_reach *reach, int node);
bool engine_reach_has(const engine_reach *reach, int node, int task);
int engine_reach_next(const engine_reach *reach, int node, int after);

/* How many of the node's tasks come before this one. */
int engine_reach_rank(const engine_reach *reach, int node, int task);

/* Whether gradients flow from the node to its i-th input. */
bool engine_reach_flows(const engine_reach *reach, const truce_graph *graph, int node, int i);

/* Whether the node has a gradient at all: it depends on a parameter and serves a task. */
bool engine_reach_active(const engine_reach *reach, int node);

#endif
