#include "data/arrays.h"

#include "io/stream.h"

#include <stdio.h>
#include <string.h>

truce_status data_array_read(truce_context *context, const char *path, io_array *out) {
    io_array array = {0};
    bool npy = io_ends_with(path, ".npy") || io_ends_with(path, ".npy.gz");
    BASE_TRY(npy ? io_npy_read(context, path, &array) : io_idx_read(context, path, &array));
    if (array.shape.n_dims == 0) {
        io_array_free(context, &array);
        return base_fail(context, TRUCE_ERROR_SHAPE, "%s holds a single number, not rows", path);
    }
    *out = array;
    return TRUCE_OK;
}

truce_shape data_array_row_shape(const io_array *array) {
    truce_shape row = {0};
    int n = array->shape.n_dims - 1;
    if (n == 0) return truce_shape_of(1, 1);
    if (n == 2) row.dims[row.n_dims++] = 1;
    for (int i = 0; i < n; i++) row.dims[row.n_dims++] = array->shape.dims[i + 1];
    return row;
}

void data_array_floats(const io_array *array, float *out) {
    int64_t n = truce_shape_size(&array->shape);
    bool picture = array->kind == IO_ARRAY_U8 && array->shape.n_dims > 2;
    const unsigned char *bytes = array->values;
    if (array->kind == IO_ARRAY_F32 && n)
        memcpy(out, array->values, (size_t)n * sizeof *out);
    else if (picture)
        for (int64_t i = 0; i < n; i++) out[i] = (float)bytes[i] / 255;
    else
        for (int64_t i = 0; i < n; i++) out[i] = (float)io_array_get(array, i);
}

void data_format_shape(const truce_shape *shape, char text[DATA_SHAPE_BYTES]) {
    size_t used = (size_t)snprintf(text, DATA_SHAPE_BYTES, "[");
    for (int i = 0; i < shape->n_dims; i++)
        used += (size_t)snprintf(text + used, DATA_SHAPE_BYTES - used, "%s%lld", i ? ", " : "",
                                 (long long)shape->dims[i]);
    snprintf(text + used, DATA_SHAPE_BYTES - used, "]");
}

truce_status data_describe_array(data_encoding *encoding, const truce_dataset *dataset, int i) {
    const truce_input *input = truce_dataset_input(dataset, i);
    data_array *array = &encoding->arrays[i];
    array->shape = input->row_shape;
    return base_pool_text(encoding->context, &encoding->pool, input->name, strlen(input->name), &array->name);
}

truce_status data_standardise_array(data_encoding *encoding, truce_dataset *dataset, int i) {
    data_array *array = &encoding->arrays[i];
    double *mean = NULL, *scale = NULL;
    if (array->shape.n_dims != 1) return TRUCE_OK;
    size_t n = (size_t)array->shape.dims[0];
    BASE_TRY(base_pool_alloc(encoding->context, &encoding->pool, n, sizeof *mean, &mean));
    BASE_TRY(base_pool_alloc(encoding->context, &encoding->pool, n, sizeof *scale, &scale));
    BASE_TRY(truce_dataset_standardise_input(dataset, i, mean, scale));
    array->mean = mean;
    array->scale = scale;
    return TRUCE_OK;
}
