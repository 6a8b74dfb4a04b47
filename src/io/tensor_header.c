/*
 * {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..., "__metadata__": {"text": "text"}}
 *
 * Checked as strictly as the reference implementation does: the tensors, sorted by their offsets, must cover
 * the data from its first byte to its last without a gap or an overlap, and each must be as large as its
 * shape and type say. Other entries of a tensor are ignored, as there. JSON itself is jansson's business,
 * names given twice and text that is not UTF-8 included.
 */
#include "io/tensor_header.h"

#include "io/shape.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char metadata_key[] = "__metadata__";

/* A tensor as the header announces it. The name is borrowed from the JSON tree. */
typedef struct entry {
    const char *name;
    truce_storage storage;
    truce_shape shape;
    size_t begin, end, order;
} entry;

typedef struct reader {
    truce_context *context;
    const io_tensor_image *image;
    entry *entries;
    size_t n_entries;
    io_tensor_header header;
} reader;

#define FAIL(r, status, format, ...)                                                                         \
    base_fail((r)->context, status, "%s: " format, (r)->image->path, __VA_ARGS__)

static truce_status fail_json(const reader *r, const json_error_t *error) {
    if (json_error_code(error) == json_error_out_of_memory)
        return base_fail(r->context, TRUCE_ERROR_MEMORY, "%s: out of memory while the header was read",
                         r->image->path);
    if (json_error_code(error) == json_error_duplicate_key)
        return FAIL(r, TRUCE_ERROR_FORMAT, "the header names something twice: %s", error->text);
    return FAIL(r, TRUCE_ERROR_FORMAT, "the header is not valid JSON: %s (byte %d)", error->text,
                error->position);
}

static truce_status read_storage(reader *r, const json_t *tensor, entry *e) {
    const char *name = json_string_value(json_object_get(tensor, "dtype"));
    if (!name) return FAIL(r, TRUCE_ERROR_FORMAT, "tensor '%s' has no dtype", e->name);
    if (io_storage_find(name, &e->storage)) return TRUCE_OK;
    return FAIL(r, TRUCE_ERROR_UNSUPPORTED, "tensor '%s' has dtype '%s', which is not known", e->name, name);
}

static truce_status read_shape(reader *r, const json_t *tensor, entry *e) {
    const json_t *shape = json_object_get(tensor, "shape");
    size_t n = json_array_size(shape);
    if (!json_is_array(shape)) return FAIL(r, TRUCE_ERROR_FORMAT, "tensor '%s' has no shape", e->name);
    if (n > TRUCE_MAX_DIMS)
        return FAIL(r, TRUCE_ERROR_UNSUPPORTED, "tensor '%s' has %zu axes; at most %d can be read", e->name,
                    n, TRUCE_MAX_DIMS);
    e->shape.n_dims = (int)n;
    for (size_t i = 0; i < n; i++) {
        const json_t *size = json_array_get(shape, i);
        if (!json_is_integer(size) || json_integer_value(size) < 0)
            return FAIL(r, TRUCE_ERROR_FORMAT, "tensor '%s': size %zu of its shape is no number of elements",
                        e->name, i);
        e->shape.dims[i] = json_integer_value(size);
    }
    return TRUCE_OK;
}

static truce_status read_offsets(reader *r, const json_t *tensor, entry *e) {
    const json_t *offsets = json_object_get(tensor, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return FAIL(r, TRUCE_ERROR_FORMAT, "tensor '%s': its data_offsets are no [begin, end]", e->name);
    e->begin = (size_t)json_integer_value(begin);
    e->end = (size_t)json_integer_value(end);
    if (e->end > r->image->n_data)
        return FAIL(r, TRUCE_ERROR_FORMAT,
                    "tensor '%s' ends at byte %zu of the data, of which there are %zu; the file is truncated",
                    e->name, e->end, r->image->n_data);
    return TRUCE_OK;
}

static truce_status read_entry(reader *r, const json_t *tensor, entry *e) {
    char shape[IO_SHAPE_TEXT_BYTES];
    size_t bytes = 0;
    if (!json_is_object(tensor)) return FAIL(r, TRUCE_ERROR_FORMAT, "'%s' is no tensor", e->name);
    BASE_TRY(read_storage(r, tensor, e));
    BASE_TRY(read_shape(r, tensor, e));
    BASE_TRY(read_offsets(r, tensor, e));
    io_shape_text(&e->shape, shape);
    if (!io_storage_size(e->storage, &e->shape, &bytes))
        return FAIL(r, TRUCE_ERROR_FORMAT, "tensor '%s': %s of %s is no possible size", e->name, shape,
                    truce_storage_name(e->storage));
    if (bytes != e->end - e->begin)
        return FAIL(r, TRUCE_ERROR_FORMAT, "tensor '%s': %s of %s take %zu bytes, but its offsets leave %zu",
                    e->name, shape, truce_storage_name(e->storage), bytes, e->end - e->begin);
    return TRUCE_OK;
}

static truce_status read_metadata(reader *r, json_t *metadata) {
    const char *key;
    json_t *value;
    int64_t i;
    io_tensor_header *header = &r->header;
    if (json_is_null(metadata)) return TRUCE_OK;
    if (!json_is_object(metadata)) return FAIL(r, TRUCE_ERROR_FORMAT, "%s is no map of texts", metadata_key);
    BASE_TRY(base_alloc(r->context, json_object_size(metadata), sizeof(char *), &header->metadata_values));
    json_object_foreach(metadata, key, value) {
        const char *text = json_string_value(value);
        if (!text) return FAIL(r, TRUCE_ERROR_FORMAT, "%s: '%s' is no text", metadata_key, key);
        BASE_TRY(base_names_add(r->context, &header->metadata, key, &i));
        BASE_TRY(base_copy_text(r->context, text, &header->metadata_values[i]));
    }
    return TRUCE_OK;
}

static truce_status read_entries(reader *r, json_t *root) {
    const char *name;
    json_t *value;
    BASE_TRY(base_alloc(r->context, json_object_size(root), sizeof *r->entries, &r->entries));
    json_object_foreach(root, name, value) {
        if (strcmp(name, metadata_key) == 0) {
            BASE_TRY(read_metadata(r, value));
            continue;
        }
        entry *e = &r->entries[r->n_entries];
        *e = (entry){.name = name, .order = r->n_entries++};
        BASE_TRY(read_entry(r, value, e));
    }
    return TRUCE_OK;
}

/* By place in the data; tensors without elements keep the header's order among themselves. */
static int compare_entries(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static truce_status check_cover(reader *r) {
    size_t covered = 0;
    for (size_t i = 0; i < r->n_entries; i++) {
        const entry *e = &r->entries[i];
        if (e->begin != covered)
            return FAIL(r, TRUCE_ERROR_FORMAT,
                        "tensor '%s' begins at byte %zu of the data, %s the end of '%s' at %zu", e->name,
                        e->begin, e->begin > covered ? "with a gap behind" : "before",
                        i ? r->entries[i - 1].name : "the header", covered);
        covered = e->end;
    }
    if (covered == r->image->n_data) return TRUCE_OK;
    return FAIL(r, TRUCE_ERROR_FORMAT,
                "the tensors end at byte %zu of the data, of which there are %zu; the file is "
                "damaged",
                covered, r->image->n_data);
}

static truce_status make_tensors(reader *r) {
    io_tensor_header *header = &r->header;
    int64_t index;
    BASE_TRY(base_alloc(r->context, r->n_entries, sizeof *header->tensors, &header->tensors));
    for (size_t i = 0; i < r->n_entries; i++) {
        const entry *e = &r->entries[i];
        BASE_TRY(base_names_add(r->context, &header->names, e->name, &index));
        header->tensors[i] = (truce_tensor_info){.name = header->names.names[i],
                                                 .storage = e->storage,
                                                 .shape = e->shape,
                                                 .bytes = r->image->data + e->begin,
                                                 .n_bytes = e->end - e->begin};
    }
    return TRUCE_OK;
}

static truce_status read_root(reader *r, json_t *root) {
    if (!json_is_object(root))
        return base_fail(r->context, TRUCE_ERROR_FORMAT, "%s: the header is no JSON object", r->image->path);
    BASE_TRY(read_entries(r, root));
    if (r->n_entries) qsort(r->entries, r->n_entries, sizeof *r->entries, compare_entries);
    BASE_TRY(check_cover(r));
    return make_tensors(r);
}

truce_status io_tensor_header_read(truce_context *context, const io_tensor_image *image,
                                   io_tensor_header *out) {
    json_error_t error;
    reader r = {.context = context, .image = image};
    json_t *root = json_loadb(image->header, image->n_header, JSON_REJECT_DUPLICATES, &error);
    truce_status status = root ? read_root(&r, root) : fail_json(&r, &error);
    base_free(context, r.entries);
    json_decref(root);
    if (status)
        io_tensor_header_free(context, &r.header);
    else
        *out = r.header;
    return status;
}

void io_tensor_header_free(truce_context *context, io_tensor_header *header) {
    for (size_t i = 0; i < header->metadata.n; i++) base_free(context, header->metadata_values[i]);
    base_free(context, header->metadata_values);
    base_names_free(context, &header->metadata);
    base_names_free(context, &header->names);
    base_free(context, header->tensors);
    *header = (io_tensor_header){0};
}
