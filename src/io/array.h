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

/*
 * Reads format versions 1 to 3, either byte order, C or Fortran order, at most TRUCE_MAX_DIMS axes, and
 * widens exactly: f8 to F64; f2, f4 to F32; i1, i2, i4, u2 to I32; i8, u4, u8 to I64; u1, bool to U8 (bool: 0
 * or 1). A u8 beyond the largest I64 is refused, and so is every other dtype, by name.
 */
truce_status io_npy_read(truce_context *context, const char *path, io_array *out);

/* Version 1.0, C order, the machine's byte order. */
truce_status io_npy_write(truce_context *context, const char *path, const io_array *array);

/* IDX: magic, sizes, big-endian values of all six element types; i8 and i16 become I32. */
truce_status io_idx_read(truce_context *context, const char *path, io_array *out);

void io_array_free(truce_context *context, io_array *array);

/* Bytes of one element. */
size_t io_array_kind_bytes(io_array_kind kind);

/* Element i (row-major) as a double. */
double io_array_get(const io_array *array, int64_t i);

#endif
