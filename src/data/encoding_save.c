/*
 * An encoding as JSON; the format is described in docs/data.md. Numbers are written with 17 digits, so they
 * come back as the same bits. A text that is not in UTF-8, which is all that JSON knows, is written as
 * {"hex": "e9"}.
 *
 * jansson refuses NULL where it wants a value, so that a value it had no memory for shows when it is put into
 * its place; the writer remembers that and reports it at the end.
 */
#include "data/encoding_json.h"

#include "io/utf8.h"

#include <stdlib.h>
#include <string.h>

typedef struct writer {
    truce_context *context;
    bool failed;
} writer;

static void put(writer *w, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value)) w->failed = true;
}

static void add(writer *w, json_t *array, json_t *value) {
    if (json_array_append_new(array, value)) w->failed = true;
}

static json_t *hex_of(writer *w, const char *text) {
    base_text hex = {0};
    for (; *text; text++) base_text_add(w->context, &hex, "%02x", (unsigned)(unsigned char)*text);
    json_t *value = hex.status ? NULL : json_pack("{s:s}", "hex", base_text_get(&hex));
    base_text_free(w->context, &hex);
    return value;
}

static json_t *text_of(writer *w, const char *text) {
    return io_utf8_is_valid(text, strlen(text)) ? json_string(text) : hex_of(w, text);
}

static json_t *texts_of(writer *w, const char *const *texts, size_t n) {
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) add(w, array, text_of(w, texts[i]));
    return array;
}

static json_t *names_of(writer *w, const base_names *names) {
    return texts_of(w, (const char *const *)names->names, names->n);
}

static json_t *reals_of(writer *w, const double *values, int64_t n) {
    json_t *array = json_array();
    for (int64_t i = 0; i < n; i++) add(w, array, json_real(values[i]));
    return array;
}

static json_t *feature_of(writer *w, const data_feature *feature) {
    json_t *object = json_object();
    put(w, object, "name", text_of(w, feature->name));
    put(w, object, "kind", json_string(feature->category ? "category" : "number"));
    if (feature->category) {
        put(w, object, "by_number", json_boolean(feature->by_number));
        put(w, object, "values", names_of(w, &feature->categories));
    } else {
        put(w, object, "mean", json_real(feature->mean));
        put(w, object, "scale", json_real(feature->scale));
        put(w, object, "fill", json_real(feature->fill));
        put(w, object, "flagged", json_boolean(feature->flagged));
    }
    return object;
}

static json_t *array_of(writer *w, const data_array *array) {
    json_t *object = json_object(), *shape = json_array();
    int64_t n = truce_shape_size(&array->shape);
    for (int i = 0; i < array->shape.n_dims; i++) add(w, shape, json_integer(array->shape.dims[i]));
    put(w, object, "name", text_of(w, array->name));
    put(w, object, "shape", shape);
    if (array->mean) put(w, object, "mean", reals_of(w, array->mean, n));
    if (array->mean) put(w, object, "scale", reals_of(w, array->scale, n));
    return object;
}

static json_t *label_of(writer *w, const data_label *label) {
    json_t *object = json_object();
    put(w, object, "name", text_of(w, label->name));
    put(w, object, "column", text_of(w, label->column));
    put(w, object, "kind", json_string(data_kind_name(label->kind)));
    if (label->kind == TRUCE_TARGET_REGRESSION) {
        put(w, object, "mean", json_real(label->mean));
        put(w, object, "scale", json_real(label->scale));
        put(w, object, "width", json_integer(label->width));
        return object;
    }
    put(w, object, "by_number", json_boolean(label->by_number));
    put(w, object, "classes", names_of(w, &label->classes));
    if (label->positive.n) put(w, object, "positive", names_of(w, &label->positive));
    return object;
}

static void put_table(writer *w, const data_encoding *encoding, json_t *object) {
    const char delimiter[2] = {encoding->delimiter, 0};
    json_t *features = json_array();
    for (int i = 0; i < encoding->n_features; i++) add(w, features, feature_of(w, &encoding->features[i]));
    put(w, object, "header", json_boolean(encoding->has_header));
    put(w, object, "delimiter", json_string(delimiter));
    put(w, object, "columns", names_of(w, &encoding->file_columns));
    put(w, object, "missing", texts_of(w, encoding->missing.items, (size_t)encoding->missing.n));
    put(w, object, "impute", json_string(data_impute_names[encoding->impute]));
    put(w, object, "categories", json_string(data_embed_names[encoding->embed]));
    put(w, object, "inputs", features);
}

static void put_arrays(writer *w, const data_encoding *encoding, json_t *object) {
    json_t *arrays = json_array();
    for (int i = 0; i < encoding->n_arrays; i++) add(w, arrays, array_of(w, &encoding->arrays[i]));
    put(w, object, "inputs", arrays);
}

static json_t *json_of(writer *w, const data_encoding *encoding) {
    json_t *object = json_object(), *labels = json_array();
    put(w, object, "encoding", json_integer(DATA_ENCODING_VERSION));
    put(w, object, "kind", json_string(encoding->is_table ? "table" : "arrays"));
    put(w, object, "unseen", json_string(data_unseen_names[encoding->unseen]));
    if (encoding->is_table)
        put_table(w, encoding, object);
    else
        put_arrays(w, encoding, object);
    for (int i = 0; i < encoding->n_labels; i++) add(w, labels, label_of(w, &encoding->labels[i]));
    put(w, object, "tasks", labels);
    return object;
}

truce_status data_encoding_save(const data_encoding *encoding, base_text *out) {
    writer w = {.context = encoding->context};
    json_t *object = json_of(&w, encoding);
    char *text = w.failed ? NULL : json_dumps(object, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    if (text) base_text_add_n(encoding->context, out, text, strlen(text));
    truce_status status = out->status;
    if (!text)
        status = base_fail(encoding->context, TRUCE_ERROR_MEMORY,
                           "out of memory: the encoding could not be written");
    free(text);
    json_decref(object);
    return status;
}
