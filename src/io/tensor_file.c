/* Opening safetensors files and reading values from them. What the header may say is in tensor_header.c. */
#include "truce/tensor_file.h"

#include "base/team.h"
#include "io/bytes.h"
#include "io/file.h"
#include "io/half.h"
#include "io/tensor_header.h"

#include <string.h>

struct truce_tensor_file {
    truce_context *context;
    char *path;
    io_bytes file;
    io_tensor_header header;
};

static truce_status find_header(truce_tensor_file *file, io_tensor_image *out) {
    truce_context *context = file->context;
    const unsigned char *bytes = file->file.bytes;
    size_t n = file->file.n;
    if (n < 8)
        return base_fail(context, TRUCE_ERROR_FORMAT, "%s: %zu bytes are no safetensors file", file->path, n);
    uint64_t n_header = io_load(bytes, 8, false);
    if (n_header > IO_TENSOR_MAX_HEADER)
        return base_fail(
            context, TRUCE_ERROR_FORMAT,
            "%s: no safetensors file: it announces a header of %llu bytes, above the limit of %d", file->path,
            (unsigned long long)n_header, (int)IO_TENSOR_MAX_HEADER);
    if (n_header > n - 8)
        return base_fail(context, TRUCE_ERROR_FORMAT,
                         "%s: the header should take %llu bytes, but %zu follow; the file is truncated",
                         file->path, (unsigned long long)n_header, n - 8);
    *out = (io_tensor_image){.path = file->path,
                             .header = (const char *)bytes + 8,
                             .n_header = (size_t)n_header,
                             .data = bytes + 8 + n_header,
                             .n_data = n - 8 - (size_t)n_header};
    return TRUCE_OK;
}

truce_status truce_tensor_file_open(truce_context *context, const char *path, truce_tensor_file **out) {
    truce_tensor_file *file = NULL;
    io_tensor_image image;
    BASE_TRY(base_alloc(context, 1, sizeof *file, &file));
    file->context = context;
    truce_status status = base_copy_text(context, path, &file->path);
    if (!status) status = io_bytes_read(context, path, &file->file);
    if (!status) status = find_header(file, &image);
    if (!status) status = io_tensor_header_read(context, &image, &file->header);
    if (status)
        truce_tensor_file_close(file);
    else
        *out = file;
    return status;
}

void truce_tensor_file_close(truce_tensor_file *file) {
    if (!file) return;
    truce_context *context = file->context;
    io_tensor_header_free(context, &file->header);
    io_bytes_free(context, &file->file);
    base_free(context, file->path);
    base_free(context, file);
}

int64_t truce_tensor_file_count(const truce_tensor_file *file) {
    return (int64_t)file->header.names.n;
}

const truce_tensor_info *truce_tensor_file_at(const truce_tensor_file *file, int64_t i) {
    return &file->header.tensors[i];
}

const truce_tensor_info *truce_tensor_file_find(const truce_tensor_file *file, const char *name) {
    int64_t i = base_names_find(&file->header.names, name);
    return i < 0 ? NULL : &file->header.tensors[i];
}

const char *truce_tensor_file_metadata(const truce_tensor_file *file, const char *key) {
    int64_t i = base_names_find(&file->header.metadata, key);
    return i < 0 ? NULL : file->header.metadata_values[i];
}

int truce_tensor_file_metadata_at(const truce_tensor_file *file, int64_t i, const char **key,
                                  const char **value) {
    if (i < 0 || i >= (int64_t)file->header.metadata.n) return 0;
    *key = file->header.metadata.names[i];
    *value = file->header.metadata_values[i];
    return 1;
}

/* A copy that worker threads share. */
typedef struct copy_job {
    truce_storage storage;
    truce_dtype dtype;
    const unsigned char *from;
    void *to;
} copy_job;

static void copy_as_float(const copy_job *job, int64_t begin, int64_t end) {
    const unsigned char *from = job->from;
    float *to = job->to;
    switch (job->storage) {
    case TRUCE_STORE_F64:
        for (int64_t i = begin; i < end; i++)
            to[i] = (float)io_double_of_bits(io_load(from + 8 * i, 8, false));
        return;
    case TRUCE_STORE_F32:
        for (int64_t i = begin; i < end; i++)
            to[i] = io_float_of_bits((uint32_t)io_load(from + 4 * i, 4, false));
        return;
    case TRUCE_STORE_F16:
        for (int64_t i = begin; i < end; i++)
            to[i] = io_f16_to_float((uint16_t)io_load(from + 2 * i, 2, false));
        return;
    default:
        for (int64_t i = begin; i < end; i++)
            to[i] = io_bf16_to_float((uint16_t)io_load(from + 2 * i, 2, false));
        return;
    }
}

static void copy_as_double(const copy_job *job, int64_t begin, int64_t end) {
    const unsigned char *from = job->from;
    double *to = job->to;
    switch (job->storage) {
    case TRUCE_STORE_F64:
        for (int64_t i = begin; i < end; i++) to[i] = io_double_of_bits(io_load(from + 8 * i, 8, false));
        return;
    case TRUCE_STORE_F32:
        for (int64_t i = begin; i < end; i++)
            to[i] = (double)io_float_of_bits((uint32_t)io_load(from + 4 * i, 4, false));
        return;
    case TRUCE_STORE_F16:
        for (int64_t i = begin; i < end; i++)
            to[i] = (double)io_f16_to_float((uint16_t)io_load(from + 2 * i, 2, false));
        return;
    default:
        for (int64_t i = begin; i < end; i++)
            to[i] = (double)io_bf16_to_float((uint16_t)io_load(from + 2 * i, 2, false));
        return;
    }
}

static void copy_chunk(void *arg, int64_t begin, int64_t end, int worker) {
    const copy_job *job = arg;
    (void)worker;
    if (job->dtype == TRUCE_FLOAT32)
        copy_as_float(job, begin, end);
    else
        copy_as_double(job, begin, end);
}

static bool is_real(truce_storage storage) {
    return storage == TRUCE_STORE_F64 || storage == TRUCE_STORE_F32 || storage == TRUCE_STORE_F16 ||
           storage == TRUCE_STORE_BF16;
}

truce_status truce_tensor_file_read(truce_tensor_file *file, const truce_tensor_info *tensor,
                                    truce_dtype dtype, void *out) {
    enum { GRAIN = 1 << 16 };
    truce_context *context = file->context;
    copy_job job = {tensor->storage, dtype, tensor->bytes, out};
    if (!is_real(tensor->storage))
        return base_fail(context, TRUCE_ERROR_TYPE, "%s: tensor '%s' holds %s, not F64, F32, F16 or BF16",
                         file->path, tensor->name, truce_storage_name(tensor->storage));
    if (dtype != TRUCE_FLOAT32 && dtype != TRUCE_FLOAT64)
        return base_fail(context, TRUCE_ERROR_TYPE,
                         "%s: tensor '%s' can be read as float32 or float64, not %s", file->path,
                         tensor->name, truce_dtype_name(dtype));
    base_parallel(context->team, truce_shape_size(&tensor->shape), GRAIN, copy_chunk, &job);
    return TRUCE_OK;
}
