/*
 * The block of trainable numbers as the engine sees it.
 */
#ifndef ENGINE_PARAMETERS_H
#define ENGINE_PARAMETERS_H

#include "engine/graph.h"
#include "engine/reach.h"

struct truce_parameters {
    truce_context *context;
    truce_graph *graph;
    truce_dtype dtype;
    engine_reach reach;
    truce_parameter *items;
    int n_items;
    int *of_node;        /* [n_nodes] index in items, or -1 */
    char *block, *state; /* 64-byte aligned */
    int64_t n, n_shared; /* elements of the block, padding included */
    int64_t n_state;
    int64_t *own_begin; /* [n_tasks + 1] where each task's own parameters begin in the block */
};

#endif
