/*
 * Writing safetensors: the header is known before the first value, so values go straight to the disk. It is
 * padded with blanks to a multiple of 8 bytes, as the reference implementation does, and lists the tensors in
 * the order of their announcement, which is the order of their data.
 */
#include "truce/tensor_file.h"

#include "io/bytes.h"
#include "io/file.h"
#include "io/shape.h"
#include "io/tensor_header.h"
#include "io/utf8.h"

#include <string.h>

typedef struct announced {
    truce_storage storage;
    truce_shape shape;
    size_t n_bytes;
} announced;

struct truce_tensor_writer {
    truce_context *context;
    char *path;
    io_output *output;
    base_names names, metadata;
    announced *tensors; /* [names.n] */
    size_t tensor_capacity;
    char **metadata_values; /* [metadata.n] */
    size_t metadata_capacity;
    bool begun;              /* the header is written */
    size_t current, written; /* the tensor that is being written, and bytes of it so far */
    size_t total;            /* bytes of all tensors */
    truce_status failed;
};

static truce_status create(truce_tensor_writer *writer, const char *path) {
    BASE_TRY(base_copy_text(writer->context, path, &writer->path));
    return io_output_open(writer->context, path, &writer->output);
}

truce_status truce_tensor_writer_create(truce_context *context, const char *path, truce_tensor_writer **out) {
    truce_tensor_writer *writer = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *writer, &writer));
    writer->context = context;
    truce_status status = create(writer, path);
    if (status)
        truce_tensor_writer_discard(writer);
    else
        *out = writer;
    return status;
}

static void free_writer(truce_tensor_writer *writer) {
    truce_context *context = writer->context;
    for (size_t i = 0; i < writer->metadata.n; i++) base_free(context, writer->metadata_values[i]);
    base_free(context, writer->metadata_values);
    base_names_free(context, &writer->metadata);
    base_free(context, writer->tensors);
    base_names_free(context, &writer->names);
    base_free(context, writer->path);
    base_free(context, writer);
}

void truce_tensor_writer_discard(truce_tensor_writer *writer) {
    if (!writer) return;
    io_output_discard(writer->output);
    free_writer(writer);
}

static truce_status check_text(truce_tensor_writer *writer, const char *text) {
    if (io_utf8_is_valid(text, strlen(text))) return TRUCE_OK;
    return base_fail(writer->context, TRUCE_ERROR_FORMAT, "%s: '%s' is not in UTF-8", writer->path, text);
}

static truce_status check_not_begun(truce_tensor_writer *writer) {
    if (writer->failed) return writer->failed;
    if (!writer->begun) return TRUCE_OK;
    return base_fail(writer->context, TRUCE_ERROR_STATE,
                     "%s: values are being written; tensors and metadata come before them", writer->path);
}

static truce_status add_metadata(truce_tensor_writer *writer, const char *key, const char *value) {
    truce_context *context = writer->context;
    char *copy = NULL;
    int64_t i;
    BASE_TRY(check_not_begun(writer));
    BASE_TRY(check_text(writer, key));
    BASE_TRY(check_text(writer, value));
    BASE_TRY(base_grow(context, &writer->metadata_values, &writer->metadata_capacity, writer->metadata.n + 1,
                       sizeof *writer->metadata_values));
    BASE_TRY(base_copy_text(context, value, &copy));
    size_t n = writer->metadata.n;
    truce_status status = base_names_add(context, &writer->metadata, key, &i);
    if (status) {
        base_free(context, copy);
        return status;
    }
    if ((size_t)i < n) base_free(context, writer->metadata_values[i]);
    writer->metadata_values[i] = copy;
    return TRUCE_OK;
}

truce_status truce_tensor_writer_metadata(truce_tensor_writer *writer, const char *key, const char *value) {
    return writer->failed = add_metadata(writer, key, value);
}

static truce_status announce(truce_tensor_writer *writer, const char *name, const announced *tensor) {
    truce_context *context = writer->context;
    char shape[IO_SHAPE_TEXT_BYTES];
    announced made = *tensor;
    size_t n = writer->names.n, total;
    int64_t i;
    BASE_TRY(check_not_begun(writer));
    BASE_TRY(check_text(writer, name));
    io_shape_text(&made.shape, shape);
    if (!io_storage_size(made.storage, &made.shape, &made.n_bytes) ||
        !base_add(writer->total, made.n_bytes, &total))
        return base_fail(context, TRUCE_ERROR_SHAPE, "%s: tensor '%s': %s of %s is no possible size",
                         writer->path, name, shape, truce_storage_name(made.storage));
    BASE_TRY(base_grow(context, &writer->tensors, &writer->tensor_capacity, n + 1, sizeof made));
    if (strcmp(name, "__metadata__") == 0)
        return base_fail(context, TRUCE_ERROR_NAME, "%s: no tensor can be named __metadata__", writer->path);
    BASE_TRY(base_names_add(context, &writer->names, name, &i));
    if ((size_t)i < n)
        return base_fail(context, TRUCE_ERROR_NAME, "%s: tensor '%s' is announced twice", writer->path, name);
    writer->tensors[i] = made;
    writer->total = total;
    return TRUCE_OK;
}

truce_status truce_tensor_writer_announce(truce_tensor_writer *writer, const char *name,
                                          truce_storage storage, const truce_shape *shape) {
    return writer->failed = announce(writer, name, &(announced){.storage = storage, .shape = *shape});
}

static void add_json_text(truce_context *context, base_text *out, const char *text) {
    base_text_add(context, out, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            base_text_add(context, out, "\\%c", c);
        else if (c < 0x20)
            base_text_add(context, out, "\\u%04x", c);
        else
            base_text_add_n(context, out, text, 1);
    }
    base_text_add(context, out, "\"");
}

static void add_metadata_json(truce_tensor_writer *writer, base_text *out) {
    truce_context *context = writer->context;
    if (writer->metadata.n == 0) return;
    base_text_add(context, out, "\"__metadata__\":{");
    for (size_t i = 0; i < writer->metadata.n; i++) {
        if (i) base_text_add(context, out, ",");
        add_json_text(context, out, writer->metadata.names[i]);
        base_text_add(context, out, ":");
        add_json_text(context, out, writer->metadata_values[i]);
    }
    base_text_add(context, out, "}%s", writer->names.n ? "," : "");
}

static truce_status make_header(truce_tensor_writer *writer, base_text *out) {
    truce_context *context = writer->context;
    char shape[IO_SHAPE_TEXT_BYTES];
    size_t offset = 0;
    base_text_add(context, out, "{");
    add_metadata_json(writer, out);
    for (size_t i = 0; i < writer->names.n; i++) {
        const announced *tensor = &writer->tensors[i];
        io_shape_text(&tensor->shape, shape);
        if (i) base_text_add(context, out, ",");
        add_json_text(context, out, writer->names.names[i]);
        base_text_add(context, out, ":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
                      truce_storage_name(tensor->storage), shape, offset, offset + tensor->n_bytes);
        offset += tensor->n_bytes;
    }
    base_text_add(context, out, "}");
    base_text_add_n(context, out, "        ", -out->n % 8);
    if (!out->status && out->n > IO_TENSOR_MAX_HEADER)
        return base_fail(context, TRUCE_ERROR_RANGE,
                         "%s: names and metadata take %zu bytes, above the limit of %d", writer->path, out->n,
                         (int)IO_TENSOR_MAX_HEADER);
    return out->status;
}

/* Steps over tensors that are complete, those without elements among them. */
static void skip_complete(truce_tensor_writer *writer) {
    while (writer->current < writer->names.n && writer->written == writer->tensors[writer->current].n_bytes) {
        writer->current++;
        writer->written = 0;
    }
}

static truce_status begin_values(truce_tensor_writer *writer) {
    base_text header = {0};
    unsigned char length[8];
    if (writer->begun) return TRUCE_OK;
    truce_status status = make_header(writer, &header);
    io_put_little(header.n, length, 8);
    if (!status) status = io_output_write(writer->output, length, sizeof length);
    if (!status) status = io_output_write(writer->output, header.bytes, header.n);
    base_text_free(writer->context, &header);
    writer->begun = !status;
    skip_complete(writer);
    return status;
}

static truce_status write_values(truce_tensor_writer *writer, const void *bytes, size_t n) {
    if (writer->failed) return writer->failed;
    BASE_TRY(begin_values(writer));
    if (n == 0) return TRUCE_OK;
    if (writer->current == writer->names.n)
        return base_fail(writer->context, TRUCE_ERROR_STATE, "%s: every announced tensor is complete",
                         writer->path);
    if (n > writer->tensors[writer->current].n_bytes - writer->written)
        return base_fail(writer->context, TRUCE_ERROR_STATE, "%s: tensor '%s' takes %zu bytes, not more",
                         writer->path, writer->names.names[writer->current],
                         writer->tensors[writer->current].n_bytes);
    BASE_TRY(io_output_write(writer->output, bytes, n));
    writer->written += n;
    skip_complete(writer);
    return TRUCE_OK;
}

truce_status truce_tensor_writer_write(truce_tensor_writer *writer, const void *bytes, size_t n_bytes) {
    return writer->failed = write_values(writer, bytes, n_bytes);
}

static truce_status complete(truce_tensor_writer *writer) {
    if (writer->failed) return writer->failed;
    BASE_TRY(begin_values(writer));
    if (writer->current == writer->names.n) return TRUCE_OK;
    return base_fail(writer->context, TRUCE_ERROR_STATE, "%s: tensor '%s' got %zu of its %zu bytes",
                     writer->path, writer->names.names[writer->current], writer->written,
                     writer->tensors[writer->current].n_bytes);
}

truce_status truce_tensor_writer_commit(truce_tensor_writer *writer) {
    truce_status status = complete(writer);
    if (status) {
        truce_tensor_writer_discard(writer);
        return status;
    }
    status = io_output_commit(writer->output);
    free_writer(writer);
    return status;
}
