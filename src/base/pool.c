#include "base/pool.h"

#include <string.h>

enum { ALIGNMENT = 16, BLOCK_BYTES = 16384 };

struct base_pool_block {
    base_pool_block *next;
    uint64_t unused; /* keeps what follows aligned */
};

/* A new block with `bytes` of room behind its head. */
static truce_status add_block(truce_context *context, base_pool *pool, size_t bytes, char **out) {
    base_pool_block *block = NULL;
    size_t whole;
    if (!base_add(bytes, sizeof *block, &whole))
        return base_fail(context, TRUCE_ERROR_MEMORY, "out of memory: %zu bytes could not be had", bytes);
    BASE_TRY(base_alloc(context, whole, 1, &block));
    block->next = pool->blocks;
    pool->blocks = block;
    *out = (char *)(block + 1);
    return TRUCE_OK;
}

static truce_status cut(truce_context *context, base_pool *pool, size_t bytes, char **out) {
    if (bytes > BLOCK_BYTES / 4 && bytes > pool->n_free) return add_block(context, pool, bytes, out);
    bytes += -bytes % ALIGNMENT;
    if (bytes > pool->n_free) {
        BASE_TRY(add_block(context, pool, BLOCK_BYTES, &pool->free));
        pool->n_free = BLOCK_BYTES;
    }
    *out = pool->free;
    pool->free += bytes;
    pool->n_free -= bytes;
    return TRUCE_OK;
}

truce_status base_pool_alloc(truce_context *context, base_pool *pool, size_t n, size_t size, void *out) {
    size_t bytes;
    char *block = NULL;
    if (!base_multiply(n, size, &bytes))
        return base_fail(context, TRUCE_ERROR_MEMORY, "out of memory: %zu x %zu bytes could not be had", n,
                         size);
    if (bytes) BASE_TRY(cut(context, pool, bytes, &block));
    memcpy(out, &block, sizeof block);
    return TRUCE_OK;
}

truce_status base_pool_text(truce_context *context, base_pool *pool, const char *text, size_t n,
                            const char **out) {
    char *copy = NULL;
    BASE_TRY(base_pool_alloc(context, pool, n + 1, 1, &copy));
    if (n) memcpy(copy, text, n);
    *out = copy;
    return TRUCE_OK;
}

void base_pool_free(truce_context *context, base_pool *pool) {
    for (base_pool_block *block = pool->blocks, *next; block; block = next) {
        next = block->next;
        base_free(context, block);
    }
    *pool = (base_pool){0};
}
