/*
 * Laying out buffers with known lifetimes in one arena, so that buffers share memory when their lifetimes do
 * not overlap.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "base/memory.h"

/* A buffer is in use from time `first` to time `last`, both included. */
typedef struct engine_buffer {
    size_t bytes, offset;
    int first, last;
} engine_buffer;

typedef struct engine_plan {
    engine_buffer *buffers;
    int n_buffers;
    size_t capacity;
    size_t bytes; /* of the arena, after engine_plan_solve */
} engine_plan;

/* Adds a buffer; its number goes to *out. */
truce_status engine_plan_add(truce_context *context, engine_plan *plan, size_t bytes, int first, int last,
                             int *out);

/* Extends the lifetime of a buffer. */
void engine_plan_use(engine_plan *plan, int buffer, int time);

/* Gives every buffer a 64-byte aligned offset. */
truce_status engine_plan_solve(truce_context *context, engine_plan *plan);

void engine_plan_free(truce_context *context, engine_plan *plan);

#endif
