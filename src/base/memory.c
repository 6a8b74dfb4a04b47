#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Before each block: its size as asked for. 16 bytes keep the block aligned for any type. */
#define HEADER_BYTES 16

static void *block_header(void *block) {
    return (char *)block - HEADER_BYTES;
}

static size_t block_bytes(const void *block) {
    size_t bytes;
    memcpy(&bytes, (const char *)block - HEADER_BYTES, sizeof bytes);
    return bytes;
}

static void count_change(truce_context *context, size_t old_bytes, size_t new_bytes) {
    size_t now = atomic_fetch_add(&context->bytes, new_bytes - old_bytes) + (new_bytes - old_bytes);
    size_t peak = atomic_load(&context->peak_bytes);
    while (now > peak && !atomic_compare_exchange_weak(&context->peak_bytes, &peak, now)) {
    }
    atomic_fetch_add(&context->requests, 1);
}

bool base_multiply(size_t a, size_t b, size_t *out) {
    if (a && b > SIZE_MAX / a) return false;
    *out = a * b;
    return true;
}

bool base_add(size_t a, size_t b, size_t *out) {
    if (b > SIZE_MAX - a) return false;
    *out = a + b;
    return true;
}

static truce_status out_of_memory(truce_context *context, size_t n, size_t size) {
    return base_fail(context, TRUCE_ERROR_MEMORY, "out of memory: %zu x %zu bytes could not be had", n, size);
}

/* Resizes `block` (or makes one from NULL) without touching its bytes. NULL if that cannot be. */
static void *resize_block(truce_context *context, void *block, size_t bytes) {
    size_t old = block ? block_bytes(block) : 0, whole;
    if (!base_add(bytes, HEADER_BYTES, &whole)) return NULL;
    void *made = context->allocate(context->allocate_user, block ? block_header(block) : NULL,
                                   block ? old + HEADER_BYTES : 0, whole);
    if (!made) return NULL;
    memcpy(made, &bytes, sizeof bytes);
    count_change(context, old, bytes);
    return (char *)made + HEADER_BYTES;
}

truce_status base_alloc(truce_context *context, size_t n, size_t size, void *out) {
    size_t bytes;
    void *block = NULL;
    if (!base_multiply(n, size, &bytes)) return out_of_memory(context, n, size);
    if (bytes) {
        block = resize_block(context, NULL, bytes);
        if (!block) return out_of_memory(context, n, size);
        memset(block, 0, bytes);
    }
    memcpy(out, &block, sizeof block);
    return TRUCE_OK;
}

truce_status base_resize(truce_context *context, void *block, size_t n, size_t size) {
    size_t bytes;
    void *old;
    memcpy(&old, block, sizeof old);
    if (!base_multiply(n, size, &bytes)) return out_of_memory(context, n, size);
    void *made = NULL;
    if (bytes) {
        made = resize_block(context, old, bytes);
        if (!made) return out_of_memory(context, n, size);
    } else {
        base_free(context, old);
    }
    memcpy(block, &made, sizeof made);
    return TRUCE_OK;
}

truce_status base_grow(truce_context *context, void *block, size_t *capacity, size_t needed, size_t size) {
    if (needed <= *capacity) return TRUCE_OK;
    size_t room = *capacity ? *capacity : 8;
    while (room < needed) {
        if (room > SIZE_MAX / 2) return out_of_memory(context, needed, size);
        room *= 2;
    }
    BASE_TRY(base_resize(context, block, room, size));
    *capacity = room;
    return TRUCE_OK;
}

void base_free(truce_context *context, void *block) {
    if (!block) return;
    size_t bytes = block_bytes(block);
    atomic_fetch_sub(&context->bytes, bytes);
    context->allocate(context->allocate_user, block_header(block), bytes + HEADER_BYTES, 0);
}

/* An aligned block lies inside a plain one; the plain one's address stands just before it. */
truce_status base_alloc_aligned(truce_context *context, size_t n, size_t size, void *out) {
    size_t bytes, whole;
    char *block = NULL;
    if (!base_multiply(n, size, &bytes) || !base_add(bytes, BASE_ALIGNMENT + sizeof(void *), &whole))
        return out_of_memory(context, n, size);
    BASE_TRY(base_alloc(context, whole, 1, &block));
    uintptr_t first = (uintptr_t)block + sizeof(void *);
    size_t skip = sizeof(void *) + (size_t)(-first % BASE_ALIGNMENT);
    char *aligned = block + skip;
    memcpy(aligned - sizeof(void *), &block, sizeof(void *));
    memcpy(out, &aligned, sizeof aligned);
    return TRUCE_OK;
}

void base_free_aligned(truce_context *context, void *block) {
    if (!block) return;
    void *plain;
    memcpy(&plain, (char *)block - sizeof(void *), sizeof plain);
    base_free(context, plain);
}

truce_status base_copy_text_n(truce_context *context, const char *text, size_t n, char **out) {
    char *copy = NULL;
    BASE_TRY(base_alloc(context, n + 1, 1, &copy));
    memcpy(copy, text, n);
    *out = copy;
    return TRUCE_OK;
}

truce_status base_copy_text(truce_context *context, const char *text, char **out) {
    return base_copy_text_n(context, text, strlen(text), out);
}
