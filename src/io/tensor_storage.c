#include "io/shape.h"
#include "io/tensor_header.h"

#include <string.h>

static const struct {
    const char *name;
    int bits;
} storages[] = {
#define X(name, bits) {#name, bits},
    TRUCE_STORAGE_TABLE(X)
#undef X
};

const char *truce_storage_name(truce_storage storage) {
    return storages[storage].name;
}

int truce_storage_bits(truce_storage storage) {
    return storages[storage].bits;
}

size_t truce_storage_bytes(truce_storage storage) {
    int bits = storages[storage].bits;
    return bits % 8 ? 0 : (size_t)bits / 8;
}

bool io_storage_find(const char *name, truce_storage *out) {
    for (size_t i = 0; i < BASE_COUNT(storages); i++)
        if (strcmp(storages[i].name, name) == 0) {
            *out = (truce_storage)i;
            return true;
        }
    return false;
}

bool io_storage_size(truce_storage storage, const truce_shape *shape, size_t *out) {
    int64_t n = 0; /* at most INT64_MAX / 64, so that bits can be counted */
    if (!io_shape_count(shape, &n)) return false;
    size_t bits = (size_t)n * (size_t)truce_storage_bits(storage);
    *out = bits / 8;
    return bits % 8 == 0;
}
