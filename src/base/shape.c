#include "truce/base.h"

#include <assert.h>
#include <stdarg.h>

static const struct {
    const char *name;
    size_t bytes;
} dtypes[] = {
    [TRUCE_FLOAT32] = {"float32", 4},
    [TRUCE_FLOAT64] = {"float64", 8},
    [TRUCE_INT32] = {"int32", 4},
};

size_t truce_dtype_bytes(truce_dtype dtype) {
    return dtypes[dtype].bytes;
}

const char *truce_dtype_name(truce_dtype dtype) {
    return dtypes[dtype].name;
}

truce_shape truce_shape_of(int n_dims, ...) {
    assert(n_dims >= 0 && n_dims <= TRUCE_MAX_DIMS);
    truce_shape shape = {.n_dims = n_dims};
    va_list args;
    va_start(args, n_dims);
    for (int i = 0; i < n_dims; i++) shape.dims[i] = va_arg(args, int);
    va_end(args);
    return shape;
}

int64_t truce_shape_size(const truce_shape *shape) {
    int64_t size = 1;
    for (int i = 0; i < shape->n_dims; i++) size *= shape->dims[i];
    return size;
}

int truce_shape_equal(const truce_shape *a, const truce_shape *b) {
    if (a->n_dims != b->n_dims) return 0;
    for (int i = 0; i < a->n_dims; i++)
        if (a->dims[i] != b->dims[i]) return 0;
    return 1;
}
