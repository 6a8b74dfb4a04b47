/*
 * An ordered set of names: each name once, numbered in the order it was first added. For vocabularies,
 * columns, tensors and parameters.
 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include "base/memory.h"

/* Zeroed is empty. */
typedef struct base_names {
    char **names;
    size_t n, capacity;
    uint32_t *slots; /* open addressing: 1 + index, 0 for empty; a power of two of them */
    size_t n_slots;
} base_names;

/* Number of `name`, which is added if new. */
truce_status base_names_add(truce_context *context, base_names *names, const char *name, int64_t *out_index);

/* Number of `name`, or -1. */
int64_t base_names_find(const base_names *names, const char *name);

void base_names_free(truce_context *context, base_names *names);

/* base_name_fn over a base_names. */
const char *base_name_of_names(const void *names, int i);

#endif
