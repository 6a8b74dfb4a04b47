/*
 * Plain arrays in files: NumPy's .npy and the IDX format of MNIST (both also gzipped).
 */
#ifndef IO_ARRAY_H
#define IO_ARRAY_H

#include "io/file.h"

typedef enum io_array_kind {
    IO_ARRAY_F64,
    IO_ARRAY_F32,
    IO_ARRAY_I64,
    IO_ARRAY_I32,
    IO_ARRAY_U8
} io_array_kind;

/* An array in memory, row-major whatever the order in the file, values in the machine's byte order. */
typedef struct io_array {
    io_array_kind kind;
    truce_shape shape;
    void *values; /* 64-byte aligned */
} io_array;

/* Reads little- or big-endian f4, f8, i1..i8, u1..u4, bool in C or Fortran order; widens to the kinds above.
 */
truce_status io_npy_read(truce_context *context, const char *path, io_array *out);
truce_status io_npy_write(truce_context *context, const char *path, const io_array *array);

/* IDX: magic, sizes, big-endian values. */
truce_status io_idx_read(truce_context *context, const char *path, io_array *out);

void io_array_free(truce_context *context, io_array *array);

/* Element i (row-major) as a double. */
double io_array_get(const io_array *array, int64_t i);

#endif
