/*
 * Greedy by size: the largest buffer first, each at the lowest offset where it overlaps no placed buffer that
 * lives at the same time (Pisarchyk and Lee, arXiv 2001.03288, found this close to optimal for inference
 * graphs).
 */
#include "engine/plan.h"

#include <stdlib.h>

truce_status engine_plan_add(truce_context *context, engine_plan *plan, size_t bytes, int first, int last,
                             int *out) {
    size_t n = (size_t)plan->n_buffers;
    BASE_TRY(base_grow(context, &plan->buffers, &plan->capacity, n + 1, sizeof *plan->buffers));
    bytes = (bytes + BASE_ALIGNMENT - 1) / BASE_ALIGNMENT * BASE_ALIGNMENT;
    plan->buffers[n] = (engine_buffer){.bytes = bytes, .first = first, .last = last};
    *out = plan->n_buffers++;
    return TRUCE_OK;
}

void engine_plan_use(engine_plan *plan, int buffer, int time) {
    engine_buffer *b = &plan->buffers[buffer];
    b->first = BASE_MIN(b->first, time);
    b->last = BASE_MAX(b->last, time);
}

static int larger_first(const void *a, const void *b) {
    const engine_buffer *x = *(engine_buffer *const *)a, *y = *(engine_buffer *const *)b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* `placed` is sorted by offset: the lowest gap that is wide enough among those alive at the same time. */
static size_t lowest_offset(engine_buffer *const *placed, int n_placed, const engine_buffer *buffer) {
    size_t offset = 0;
    for (int i = 0; i < n_placed; i++) {
        const engine_buffer *other = placed[i];
        if (other->last < buffer->first || other->first > buffer->last) continue;
        if (offset + buffer->bytes <= other->offset) break;
        offset = BASE_MAX(offset, other->offset + other->bytes);
    }
    return offset;
}

static void insert_by_offset(engine_buffer **placed, int n_placed, engine_buffer *buffer) {
    int at = n_placed;
    while (at > 0 && placed[at - 1]->offset > buffer->offset) {
        placed[at] = placed[at - 1];
        at--;
    }
    placed[at] = buffer;
}

truce_status engine_plan_solve(truce_context *context, engine_plan *plan) {
    size_t n = (size_t)plan->n_buffers;
    engine_buffer **order = NULL, **placed = NULL;
    truce_status status = base_alloc(context, n, sizeof *order, &order);
    if (!status) status = base_alloc(context, n, sizeof *placed, &placed);
    if (!status) {
        for (size_t i = 0; i < n; i++) order[i] = &plan->buffers[i];
        if (n) qsort(order, n, sizeof *order, larger_first);
        plan->bytes = 0;
        for (int i = 0; i < plan->n_buffers; i++) {
            order[i]->offset = lowest_offset(placed, i, order[i]);
            insert_by_offset(placed, i, order[i]);
            plan->bytes = BASE_MAX(plan->bytes, order[i]->offset + order[i]->bytes);
        }
    }
    base_free(context, placed);
    base_free(context, order);
    return status;
}

void engine_plan_free(truce_context *context, engine_plan *plan) {
    base_free(context, plan->buffers);
    *plan = (engine_plan){0};
}
