#include "io/shape.h"

#include <stdio.h>

bool io_shape_count(const truce_shape *shape, int64_t *out) {
    int64_t product = 1;
    bool empty = false;
    for (int i = 0; i < shape->n_dims; i++) {
        int64_t size = shape->dims[i];
        if (size < 0 || (size && product > INT64_MAX / 64 / size)) return false;
        if (size == 0)
            empty = true;
        else
            product *= size;
    }
    *out = empty ? 0 : product;
    return true;
}

void io_shape_text(const truce_shape *shape, char text[IO_SHAPE_TEXT_BYTES]) {
    int n = snprintf(text, IO_SHAPE_TEXT_BYTES, "[");
    for (int i = 0; i < shape->n_dims; i++)
        n += snprintf(text + n, (size_t)(IO_SHAPE_TEXT_BYTES - n), "%s%lld", i ? ", " : "",
                      (long long)shape->dims[i]);
    snprintf(text + n, (size_t)(IO_SHAPE_TEXT_BYTES - n), "]");
}
