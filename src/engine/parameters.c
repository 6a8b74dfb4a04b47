/*
 * Laying out parameters: shared ones first, then task by task, then those that serve none; state lies apart.
 */
#include "engine/parameters.h"

#include "base/rng.h"
#include "linalg/blas.h"

#include <string.h>

/* Offsets are multiples of 64 bytes. */
static int64_t padded(const truce_parameters *p, int64_t n) {
    int64_t unit = BASE_ALIGNMENT / (int64_t)truce_dtype_bytes(p->dtype);
    return (n + unit - 1) / unit * unit;
}

static truce_parameter describe(const truce_parameters *p, int node) {
    const truce_graph *graph = p->graph;
    const engine_node *leaf = &graph->nodes[node];
    int n_tasks = leaf->leaf == ENGINE_PARAMETER ? engine_reach_count(&p->reach, node) : 0;
    return (truce_parameter){.name = graph->names.names[leaf->name],
                             .shape = leaf->shape,
                             .trainable = leaf->leaf == ENGINE_PARAMETER,
                             .n_tasks = n_tasks,
                             .task = n_tasks == 1 ? engine_reach_next(&p->reach, node, -1) : -1,
                             .size = truce_shape_size(&leaf->shape)};
}

/* Places every trainable parameter whose class and owner fit, in the order of the graph. */
static void place(truce_parameters *p, bool shared, int owner) {
    for (int i = 0; i < p->n_items; i++) {
        truce_parameter *item = &p->items[i];
        if (!item->trainable || (item->n_tasks >= 2) != shared || item->task != owner) continue;
        item->offset = p->n;
        p->n += padded(p, item->size);
    }
}

static void lay_out(truce_parameters *p) {
    place(p, true, -1);
    p->n_shared = p->n;
    for (int task = 0; task < p->graph->n_tasks; task++) {
        p->own_begin[task] = p->n;
        place(p, false, task);
    }
    p->own_begin[p->graph->n_tasks] = p->n;
    place(p, false, -1);
    for (int i = 0; i < p->n_items; i++) {
        if (p->items[i].trainable) continue;
        p->items[i].offset = p->n_state;
        p->n_state += padded(p, p->items[i].size);
    }
}

static truce_status collect(truce_parameters *p) {
    const truce_graph *graph = p->graph;
    int n = 0;
    for (int node = 0; node < graph->n_nodes; node++)
        n += graph->nodes[node].leaf == ENGINE_PARAMETER || graph->nodes[node].leaf == ENGINE_STATE;
    BASE_TRY(base_alloc(p->context, (size_t)n, sizeof *p->items, &p->items));
    BASE_TRY(base_alloc(p->context, (size_t)graph->n_nodes, sizeof *p->of_node, &p->of_node));
    BASE_TRY(base_alloc(p->context, (size_t)graph->n_tasks + 1, sizeof *p->own_begin, &p->own_begin));
    for (int node = 0; node < graph->n_nodes; node++) {
        bool kept = graph->nodes[node].leaf == ENGINE_PARAMETER || graph->nodes[node].leaf == ENGINE_STATE;
        p->of_node[node] = kept ? p->n_items : -1;
        if (kept) p->items[p->n_items++] = describe(p, node);
    }
    return TRUCE_OK;
}

static truce_status allocate_blocks(truce_parameters *p) {
    size_t bytes = truce_dtype_bytes(p->dtype);
    BASE_TRY(base_alloc_aligned(p->context, (size_t)p->n, bytes, &p->block));
    BASE_TRY(base_alloc_aligned(p->context, (size_t)p->n_state, bytes, &p->state));
    for (int i = 0; i < p->n_items; i++) {
        truce_parameter *item = &p->items[i];
        item->values = (item->trainable ? p->block : p->state) + bytes * (size_t)item->offset;
    }
    return TRUCE_OK;
}

truce_status truce_parameters_create(truce_graph *graph, truce_dtype dtype, truce_parameters **out) {
    truce_parameters *p = NULL;
    BASE_TRY(truce_graph_status(graph));
    if (dtype != TRUCE_FLOAT32 && dtype != TRUCE_FLOAT64)
        return base_fail(graph->context, TRUCE_ERROR_TYPE, "parameters are float32 or float64");
    linalg_single_thread();
    BASE_TRY(base_alloc(graph->context, 1, sizeof *p, &p));
    p->context = graph->context;
    p->graph = graph;
    p->dtype = dtype;
    truce_status status = engine_reach_create(graph, &p->reach);
    if (!status) status = collect(p);
    if (!status) {
        lay_out(p);
        status = allocate_blocks(p);
    }
    if (status) {
        truce_parameters_destroy(p);
        return status;
    }
    *out = p;
    return TRUCE_OK;
}

void truce_parameters_destroy(truce_parameters *p) {
    if (!p) return;
    truce_context *context = p->context;
    base_free_aligned(context, p->state);
    base_free_aligned(context, p->block);
    base_free(context, p->own_begin);
    base_free(context, p->of_node);
    base_free(context, p->items);
    engine_reach_free(context, &p->reach);
    base_free(context, p);
}

static double draw(base_rng *rng, const truce_init *init) {
    switch (init->kind) {
    case TRUCE_INIT_CONSTANT: return init->a;
    case TRUCE_INIT_UNIFORM: return init->a * (2 * base_rng_uniform(rng) - 1);
    case TRUCE_INIT_NORMAL: return init->a * base_rng_normal(rng);
    }
    return 0;
}

void truce_parameters_init(truce_parameters *p, uint64_t seed) {
    for (int node = 0; node < p->graph->n_nodes; node++) {
        if (p->of_node[node] < 0) continue;
        const truce_parameter *item = &p->items[p->of_node[node]];
        const truce_init *init = &p->graph->nodes[node].init;
        base_rng rng = base_rng_make(seed, item->name, 0, 0);
        for (int64_t i = 0; i < item->size; i++) {
            double value = draw(&rng, init);
            if (p->dtype == TRUCE_FLOAT32)
                ((float *)item->values)[i] = (float)value;
            else
                ((double *)item->values)[i] = value;
        }
    }
}

int truce_parameters_count(const truce_parameters *p) {
    return p->n_items;
}

const truce_parameter *truce_parameters_at(const truce_parameters *p, int i) {
    return i >= 0 && i < p->n_items ? &p->items[i] : NULL;
}

const truce_parameter *truce_parameters_find(const truce_parameters *p, const char *name) {
    for (int i = 0; i < p->n_items; i++)
        if (strcmp(p->items[i].name, name) == 0) return &p->items[i];
    return NULL;
}

truce_dtype truce_parameters_dtype(const truce_parameters *p) {
    return p->dtype;
}

void *truce_parameters_block(truce_parameters *p, int64_t *n, int64_t *n_shared) {
    *n = p->n;
    *n_shared = p->n_shared;
    return p->block;
}

int64_t truce_parameters_trained(const truce_parameters *p, int64_t *n_shared) {
    int64_t n = 0;
    *n_shared = 0;
    for (int i = 0; i < p->n_items; i++) {
        if (p->items[i].trainable) n += p->items[i].size;
        if (p->items[i].n_tasks >= 2) *n_shared += p->items[i].size;
    }
    return n;
}
