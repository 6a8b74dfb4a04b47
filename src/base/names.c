#include "base/names.h"

#include "base/rng.h"

#include <string.h>

static size_t slot_of(const base_names *names, const char *name) {
    size_t mask = names->n_slots - 1, slot = (size_t)base_hash_text(name) & mask;
    while (names->slots[slot] && strcmp(names->names[names->slots[slot] - 1], name) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

int64_t base_names_find(const base_names *names, const char *name) {
    if (names->n == 0) return -1;
    return (int64_t)names->slots[slot_of(names, name)] - 1;
}

static truce_status widen_slots(truce_context *context, base_names *names) {
    size_t n_slots = names->n_slots ? 2 * names->n_slots : 16;
    uint32_t *slots = NULL, *old = names->slots;
    BASE_TRY(base_alloc(context, n_slots, sizeof *slots, &slots));
    names->slots = slots;
    names->n_slots = n_slots;
    for (size_t i = 0; i < names->n; i++) slots[slot_of(names, names->names[i])] = (uint32_t)i + 1;
    base_free(context, old);
    return TRUCE_OK;
}

truce_status base_names_add(truce_context *context, base_names *names, const char *name, int64_t *out_index) {
    int64_t found = base_names_find(names, name);
    if (found >= 0) {
        *out_index = found;
        return TRUCE_OK;
    }
    if (2 * (names->n + 1) > names->n_slots) BASE_TRY(widen_slots(context, names));
    BASE_TRY(base_grow(context, &names->names, &names->capacity, names->n + 1, sizeof *names->names));
    char *copy = NULL;
    BASE_TRY(base_copy_text(context, name, &copy));
    names->slots[slot_of(names, name)] = (uint32_t)names->n + 1;
    names->names[names->n] = copy;
    *out_index = (int64_t)names->n++;
    return TRUCE_OK;
}

void base_names_free(truce_context *context, base_names *names) {
    for (size_t i = 0; i < names->n; i++) base_free(context, names->names[i]);
    base_free(context, names->names);
    base_free(context, names->slots);
    *names = (base_names){0};
}

const char *base_name_of_names(const void *names, int i) {
    return ((const base_names *)names)->names[i];
}
