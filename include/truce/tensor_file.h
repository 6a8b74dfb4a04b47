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

/*
 * One row per storage type: name in files (and of the enumerator), bits of an element. The packed types below
 * a byte and those of other hardware are listed and passed on as bytes.
 */
#define TRUCE_STORAGE_TABLE(X)                                                                               \
    X(F64, 64)                                                                                               \
    X(F32, 32)                                                                                               \
    X(F16, 16)                                                                                               \
    X(BF16, 16)                                                                                              \
    X(I64, 64)                                                                                               \
    X(I32, 32)                                                                                               \
    X(I16, 16)                                                                                               \
    X(I8, 8)                                                                                                 \
    X(U8, 8)                                                                                                 \
    X(BOOL, 8)                                                                                               \
    X(U64, 64)                                                                                               \
    X(U32, 32)                                                                                               \
    X(U16, 16)                                                                                               \
    X(F8_E4M3, 8)                                                                                            \
    X(F8_E5M2, 8)                                                                                            \
    X(F8_E8M0, 8)                                                                                            \
    X(F8_E4M3FNUZ, 8)                                                                                        \
    X(F8_E5M2FNUZ, 8)                                                                                        \
    X(C64, 64)                                                                                               \
    X(F6_E2M3, 6)                                                                                            \
    X(F6_E3M2, 6)                                                                                            \
    X(F4, 4)

typedef enum truce_storage {
#define X(name, bits) TRUCE_STORE_##name,
    TRUCE_STORAGE_TABLE(X)
#undef X
} truce_storage;

TRUCE_API const char *truce_storage_name(truce_storage storage); /* "F32" */
TRUCE_API int truce_storage_bits(truce_storage storage);         /* of one element */
TRUCE_API size_t truce_storage_bytes(truce_storage storage); /* of one element; 0 where it is no whole byte */

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
 * names are checked first; a file that is truncated, overlapping or oversized is refused by name, and so is a
 * tensor of more than TRUCE_MAX_DIMS axes. The file must not be changed while it is open.
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

/*
 * Copies a floating-point tensor (F64, F32, F16, BF16) into an array of float or double, on the context's
 * threads. Exact, infinities and NaN included, but for F64 into float, which rounds to nearest.
 */
TRUCE_API truce_status truce_tensor_file_read(truce_tensor_file *file, const truce_tensor_info *tensor,
                                              truce_dtype dtype, void *out);

typedef struct truce_tensor_writer truce_tensor_writer;

/*
 * Writes a safetensors file: first every tensor is announced, then their values are given in the same order
 * (so a file larger than memory can be written), then the file is renamed into place. Names and metadata are
 * UTF-8. After a failed call the writer can only be discarded, or committed, which fails.
 */
TRUCE_API truce_status truce_tensor_writer_create(truce_context *context, const char *path,
                                                  truce_tensor_writer **out);

/* An entry of __metadata__; a later one of the same key takes its place. */
TRUCE_API truce_status truce_tensor_writer_metadata(truce_tensor_writer *writer, const char *key,
                                                    const char *value);

/* The next tensor. A name that was announced before is an error. */
TRUCE_API truce_status truce_tensor_writer_announce(truce_tensor_writer *writer, const char *name,
                                                    truce_storage storage, const truce_shape *shape);

/*
 * The next announced tensor's values, n_bytes of them in its storage type, little-endian; may come in several
 * pieces, of which none goes beyond its tensor. A tensor without elements needs no call.
 */
TRUCE_API truce_status truce_tensor_writer_write(truce_tensor_writer *writer, const void *bytes,
                                                 size_t n_bytes);

/* Completes the file. Frees the writer, also on failure, when nothing is left behind. */
TRUCE_API truce_status truce_tensor_writer_commit(truce_tensor_writer *writer);

/* Gives the file up: nothing of it stays. NULL is fine. */
TRUCE_API void truce_tensor_writer_discard(truce_tensor_writer *writer);

#ifdef __cplusplus
}
#endif

#endif
