/*
 * truce/tensor_file.h: named tensors in safetensors files.
 *
 * Format: 8 bytes little-endian header length, a JSON header {name: {dtype, shape, data_offsets}, ...,
 * "__metadata__": {text: text}}, then the data. See https://github.com/huggingface/safetensors.
 */
#ifndef TRUCE_TENSOR_FILE_H
#define TRUCE_TENSOR_FILE_H

#include "truce/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum truce_storage {
    TRUCE_STORE_F64,
    TRUCE_STORE_F32,
    TRUCE_STORE_F16,
    TRUCE_STORE_BF16,
    TRUCE_STORE_I64,
    TRUCE_STORE_I32,
    TRUCE_STORE_I16,
    TRUCE_STORE_I8,
    TRUCE_STORE_U8,
    TRUCE_STORE_BOOL
} truce_storage;

TRUCE_API const char *truce_storage_name(truce_storage storage); /* "F32" */
TRUCE_API size_t truce_storage_bytes(truce_storage storage);     /* of one element */

typedef struct truce_tensor_info {
    const char *name;
    truce_storage storage;
    truce_shape shape;
    const void *bytes; /* the values, borrowed from the open file; little-endian, not necessarily aligned */
    size_t n_bytes;
} truce_tensor_info;

typedef struct truce_tensor_file truce_tensor_file;

/*
 * Opens a safetensors file. It is mapped, not read: values are touched when they are used. Offsets, sizes and
 * names are checked first; a file that is truncated, overlapping or oversized is refused by name.
 */
TRUCE_API truce_status truce_tensor_file_open(truce_context *context, const char *path,
                                              truce_tensor_file **out);
TRUCE_API void truce_tensor_file_close(truce_tensor_file *file);

/* Tensors in the order of their data. */
TRUCE_API int64_t truce_tensor_file_count(const truce_tensor_file *file);
TRUCE_API const truce_tensor_info *truce_tensor_file_at(const truce_tensor_file *file, int64_t i);

/* The tensor of that name, or NULL. */
TRUCE_API const truce_tensor_info *truce_tensor_file_find(const truce_tensor_file *file, const char *name);

/* An entry of __metadata__ by name, or NULL; and the i-th entry (0 past the end, else 1). */
TRUCE_API const char *truce_tensor_file_metadata(const truce_tensor_file *file, const char *key);
TRUCE_API int truce_tensor_file_metadata_at(const truce_tensor_file *file, int64_t i, const char **key,
                                            const char **value);

/* Copies a floating-point tensor (F64, F32, F16, BF16) into an array of float or double. */
TRUCE_API truce_status truce_tensor_file_read(truce_tensor_file *file, const truce_tensor_info *tensor,
                                              truce_dtype dtype, void *out);

typedef struct truce_tensor_writer truce_tensor_writer;

/*
 * Writes a safetensors file: first every tensor is announced, then their values are given in the same order
 * (so a file larger than memory can be written), then the file is renamed into place.
 */
TRUCE_API truce_status truce_tensor_writer_create(truce_context *context, const char *path,
                                                  truce_tensor_writer **out);
TRUCE_API truce_status truce_tensor_writer_metadata(truce_tensor_writer *writer, const char *key,
                                                    const char *value);
TRUCE_API truce_status truce_tensor_writer_announce(truce_tensor_writer *writer, const char *name,
                                                    truce_storage storage, const truce_shape *shape);

/* The next announced tensor's values, n_bytes of them in its storage type; may come in several pieces. */
TRUCE_API truce_status truce_tensor_writer_write(truce_tensor_writer *writer, const void *bytes,
                                                 size_t n_bytes);

/* Completes the file. Frees the writer, also on failure, when nothing is left behind. */
TRUCE_API truce_status truce_tensor_writer_commit(truce_tensor_writer *writer);
TRUCE_API void truce_tensor_writer_discard(truce_tensor_writer *writer);

#ifdef __cplusplus
}
#endif

#endif
