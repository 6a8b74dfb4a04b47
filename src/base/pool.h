/*
 * Small blocks that live and die together, such as the nodes and texts of a parsed file. They are cut from
 * larger blocks in the order of asking and cannot be freed one by one.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/memory.h"

typedef struct base_pool_block base_pool_block;

/* Zeroed is empty. */
typedef struct base_pool {
    base_pool_block *blocks; /* newest first */
    char *free;              /* rest of the block that is being cut */
    size_t n_free;
} base_pool;

/* n x size zeroed bytes, aligned to 16, into *out (NULL for 0 bytes). */
truce_status base_pool_alloc(truce_context *context, base_pool *pool, size_t n, size_t size, void *out);

/* A copy of the first n bytes of a text. */
truce_status base_pool_text(truce_context *context, base_pool *pool, const char *text, size_t n,
                            const char **out);

void base_pool_free(truce_context *context, base_pool *pool);

#endif
