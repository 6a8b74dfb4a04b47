/*
 * The JSON header of a safetensors file, for its reader.
 */
#ifndef IO_TENSOR_HEADER_H
#define IO_TENSOR_HEADER_H

#include "base/names.h"
#include "truce/tensor_file.h"

enum { IO_TENSOR_MAX_HEADER = 100000000 /* bytes, as the reference implementation has it */ };

/* What a header says, checked. Zeroed is empty. */
typedef struct io_tensor_header {
    truce_tensor_info *tensors; /* [names.n], in the order of their data; `bytes` point into the file */
    base_names names;           /* of the tensors, in that order */
    base_names metadata;        /* keys */
    char **metadata_values;     /* [metadata.n] */
} io_tensor_header;

/* The file as it lies in memory. */
typedef struct io_tensor_image {
    const char *path;
    const char *header;
    size_t n_header;
    const unsigned char *data;
    size_t n_data;
} io_tensor_image;

truce_status io_tensor_header_read(truce_context *context, const io_tensor_image *image,
                                   io_tensor_header *out);
void io_tensor_header_free(truce_context *context, io_tensor_header *header);

/* The storage type of that name; false if there is none. */
bool io_storage_find(const char *name, truce_storage *out);

/* Bytes that a tensor takes; false if its size is negative, overflows or is no whole number of bytes. */
bool io_storage_size(truce_storage storage, const truce_shape *shape, size_t *out);

#endif
