/*
 * Memory of a context: every block carries a small header with its size, so that the one allocator function
 * of the context always learns the old size, and so that use can be counted.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/context.h"

#include <stdbool.h>

#define BASE_ALIGNMENT 64

/* n x size zeroed bytes into *out (NULL for 0 bytes), checked for overflow. */
truce_status base_alloc(truce_context *context, size_t n, size_t size, void *out);

/* As base_alloc, aligned to 64 bytes for kernels; free with base_free_aligned. */
truce_status base_alloc_aligned(truce_context *context, size_t n, size_t size, void *out);

/* Resizes *block (may point to NULL) to n x size bytes; new bytes are not zeroed; on failure *block stands.
 */
truce_status base_resize(truce_context *context, void *block, size_t n, size_t size);

/* Makes room in a growing array: at least `needed` elements; *capacity follows. New room is not zeroed. */
truce_status base_grow(truce_context *context, void *block, size_t *capacity, size_t needed, size_t size);

void base_free(truce_context *context, void *block);
void base_free_aligned(truce_context *context, void *block);

/* A copy of a text. base_copy_text_n copies the first n bytes. */
truce_status base_copy_text(truce_context *context, const char *text, char **out);
truce_status base_copy_text_n(truce_context *context, const char *text, size_t n, char **out);

/* *out = a * b (or a + b) unless that overflows. */
bool base_multiply(size_t a, size_t b, size_t *out);
bool base_add(size_t a, size_t b, size_t *out);

#endif
