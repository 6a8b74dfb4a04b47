/*
 * An encoding from JSON. The file may come from anywhere, so nothing is taken on trust: every entry must be
 * there, have its type, and fit the others. An error names the entry.
 */
#include "data/encoding_json.h"

#include <string.h>

const char *const data_impute_names[2] = {"mean", "refuse"};
const char *const data_unseen_names[2] = {"error", "missing"};
const char *const data_embed_names[2] = {"onehot", "embedding"};

#define MOST_ENTRIES 10000000     /* inputs, tasks, or values of one list */
#define MOST_ELEMENTS (1LL << 40) /* of a row of an array */

typedef struct loader {
    truce_context *context;
    const char *name;         /* of what is loaded */
    const char *what, *which; /* the entry at hand: "input", "age" */
    data_encoding *encoding;
} loader;

static truce_status fail(const loader *l, const char *key, const char *wanted) {
    return base_fail(l->context, TRUCE_ERROR_FORMAT, "%s: %s%s%s%s: '%s' must be %s", l->name, l->what,
                     l->which ? " '" : "", l->which ? l->which : "", l->which ? "'" : "", key, wanted);
}

static truce_status get_real(const loader *l, const json_t *object, const char *key, double *out) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) return fail(l, key, "a number");
    *out = json_number_value(value);
    return TRUCE_OK;
}

static truce_status get_scale(const loader *l, const json_t *object, double *out) {
    BASE_TRY(get_real(l, object, "scale", out));
    return *out > 0 ? TRUCE_OK : fail(l, "scale", "above 0");
}

static truce_status get_bool(const loader *l, const json_t *object, const char *key, bool *out) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value)) return fail(l, key, "true or false");
    *out = json_is_true(value);
    return TRUCE_OK;
}

/* One of some words, as its number. */
static truce_status get_word(const loader *l, const json_t *object, const char *key, const char *const *words,
                             int n_words, int *out) {
    const char *text = json_string_value(json_object_get(object, key));
    for (int i = 0; text && i < n_words; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return TRUCE_OK;
        }
    return fail(l, key, "one of the words that are known");
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of {"hex": "e9"}; none of them may be 0. */
static truce_status decode_hex(const loader *l, const char *key, const char *hex, base_text *out) {
    for (; *hex; hex += 2) {
        int high = hex_digit(hex[0]), low = high < 0 ? -1 : hex_digit(hex[1]);
        char byte = (char)(high * 16 + low);
        if (low < 0 || byte == 0) return fail(l, key, "a text");
        base_text_add_n(l->context, out, &byte, 1);
    }
    return out->status;
}

/* A text of the file in *out, which wants freeing. */
static truce_status take_text(const loader *l, const json_t *value, const char *key, base_text *out) {
    const char *hex = json_string_value(json_object_get(value, "hex"));
    if (hex) return decode_hex(l, key, hex, out);
    if (!json_is_string(value)) return fail(l, key, "a text");
    base_text_add(l->context, out, "%s", json_string_value(value));
    return out->status;
}

static truce_status get_text(const loader *l, const json_t *object, const char *key, const char **out) {
    base_text text = {0};
    truce_status status = take_text(l, json_object_get(object, key), key, &text);
    if (!status) status = base_pool_text(l->context, &l->encoding->pool, base_text_get(&text), text.n, out);
    base_text_free(l->context, &text);
    return status;
}

static truce_status add_name(const loader *l, const json_t *value, const char *key, base_names *out) {
    base_text text = {0};
    int64_t index = -1, wanted = (int64_t)out->n;
    truce_status status = take_text(l, value, key, &text);
    if (!status) status = base_names_add(l->context, out, base_text_get(&text), &index);
    if (!status && index != wanted) status = fail(l, key, "a list without repetitions");
    base_text_free(l->context, &text);
    return status;
}

static truce_status get_list(const loader *l, const json_t *object, const char *key, const json_t **out,
                             int *n) {
    const json_t *list = json_object_get(object, key);
    if (!json_is_array(list) || json_array_size(list) > MOST_ENTRIES) return fail(l, key, "a list");
    *out = list;
    *n = (int)json_array_size(list);
    return TRUCE_OK;
}

static truce_status get_names(const loader *l, const json_t *object, const char *key, base_names *out) {
    const json_t *list = NULL;
    int n = 0;
    BASE_TRY(get_list(l, object, key, &list, &n));
    for (int i = 0; i < n; i++) BASE_TRY(add_name(l, json_array_get(list, (size_t)i), key, out));
    return TRUCE_OK;
}

static truce_status get_missing(const loader *l, const json_t *object) {
    data_texts *missing = &l->encoding->missing;
    base_names names = {0};
    truce_status status = get_names(l, object, "missing", &names);
    if (!status)
        status =
            base_pool_alloc(l->context, &l->encoding->pool, names.n, sizeof *missing->items, &missing->items);
    for (size_t i = 0; i < names.n && !status; i++) {
        const char *name = names.names[i];
        status = base_pool_text(l->context, &l->encoding->pool, name, strlen(name), &missing->items[i]);
        if (!status) missing->n++;
    }
    base_names_free(l->context, &names);
    return status;
}

static truce_status get_delimiter(const loader *l, const json_t *object) {
    const char *text = json_string_value(json_object_get(object, "delimiter"));
    if (!text || strlen(text) > 1 || strchr("\"\r\n", *text ? *text : ','))
        return fail(l, "delimiter", "one character, or none");
    l->encoding->delimiter = *text;
    return TRUCE_OK;
}

/* Entries. */

static truce_status load_feature(loader *l, const json_t *object, data_feature *feature) {
    static const char *const kinds[] = {"number", "category"};
    int kind = 0;
    BASE_TRY(get_text(l, object, "name", &feature->name));
    l->which = feature->name;
    BASE_TRY(get_word(l, object, "kind", kinds, 2, &kind));
    feature->category = kind == 1;
    if (base_names_find(&l->encoding->file_columns, feature->name) < 0)
        return fail(l, "name", "one of 'columns'");
    if (feature->category) {
        BASE_TRY(get_bool(l, object, "by_number", &feature->by_number));
        BASE_TRY(get_names(l, object, "values", &feature->categories));
        return feature->categories.n ? TRUCE_OK : fail(l, "values", "a list that is not empty");
    }
    BASE_TRY(get_real(l, object, "mean", &feature->mean));
    BASE_TRY(get_scale(l, object, &feature->scale));
    BASE_TRY(get_real(l, object, "fill", &feature->fill));
    return get_bool(l, object, "flagged", &feature->flagged);
}

static truce_status load_shape(const loader *l, const json_t *object, truce_shape *shape) {
    const json_t *list = NULL;
    int n = 0;
    int64_t size = 1;
    BASE_TRY(get_list(l, object, "shape", &list, &n));
    if (n < 1 || n >= TRUCE_MAX_DIMS) return fail(l, "shape", "a list of 1 to 7 sizes");
    for (int i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, (size_t)i);
        int64_t dim = json_is_integer(value) ? json_integer_value(value) : 0;
        if (dim < 1 || dim > MOST_ELEMENTS / size) return fail(l, "shape", "a list of plausible sizes");
        size *= dim;
        shape->dims[shape->n_dims++] = dim;
    }
    return TRUCE_OK;
}

static truce_status load_reals(const loader *l, const json_t *object, const char *key, int64_t n,
                               bool positive, double **out) {
    const json_t *list = json_object_get(object, key);
    double *values = NULL;
    if (!json_is_array(list) || (int64_t)json_array_size(list) != n)
        return fail(l, key, "a list of as many numbers as a row has");
    BASE_TRY(base_pool_alloc(l->context, &l->encoding->pool, (size_t)n, sizeof *values, &values));
    for (int64_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, (size_t)i);
        values[i] = json_number_value(value);
        if (!json_is_number(value) || (positive && !(values[i] > 0)))
            return fail(l, key, positive ? "numbers above 0" : "numbers");
    }
    *out = values;
    return TRUCE_OK;
}

static truce_status load_array(loader *l, const json_t *object, data_array *array) {
    BASE_TRY(get_text(l, object, "name", &array->name));
    l->which = array->name;
    BASE_TRY(load_shape(l, object, &array->shape));
    int64_t n = truce_shape_size(&array->shape);
    if (!json_object_get(object, "mean")) return TRUCE_OK;
    BASE_TRY(load_reals(l, object, "scale", n, true, &array->scale));
    return load_reals(l, object, "mean", n, false, &array->mean);
}

static truce_status load_regression(const loader *l, const json_t *object, data_label *label) {
    const json_t *width = json_object_get(object, "width");
    BASE_TRY(get_real(l, object, "mean", &label->mean));
    BASE_TRY(get_scale(l, object, &label->scale));
    if (!json_is_integer(width) || json_integer_value(width) < 1 || json_integer_value(width) > INT32_MAX)
        return fail(l, "width", "a whole number above 0");
    label->width = (int)json_integer_value(width);
    return TRUCE_OK;
}

static truce_status load_label(loader *l, const json_t *object, data_label *label) {
    const char *const kinds[] = {data_kind_name(TRUCE_TARGET_REGRESSION), data_kind_name(TRUCE_TARGET_BINARY),
                                 data_kind_name(TRUCE_TARGET_CLASSES)};
    int kind = 0;
    BASE_TRY(get_text(l, object, "name", &label->name));
    l->which = label->name;
    BASE_TRY(get_text(l, object, "column", &label->column));
    BASE_TRY(get_word(l, object, "kind", kinds, 3, &kind));
    label->kind = (truce_target_kind)kind;
    if (label->kind == TRUCE_TARGET_REGRESSION) return load_regression(l, object, label);
    BASE_TRY(get_bool(l, object, "by_number", &label->by_number));
    BASE_TRY(get_names(l, object, "classes", &label->classes));
    if (json_object_get(object, "positive")) BASE_TRY(get_names(l, object, "positive", &label->positive));
    if (label->kind == TRUCE_TARGET_BINARY && label->classes.n != 2)
        return fail(l, "classes", "a list of two");
    return label->classes.n ? TRUCE_OK : fail(l, "classes", "a list that is not empty");
}

static truce_status load_table(loader *l, const json_t *root) {
    data_encoding *encoding = l->encoding;
    int embed = 0;
    encoding->is_table = true;
    BASE_TRY(get_bool(l, root, "header", &encoding->has_header));
    BASE_TRY(get_delimiter(l, root));
    BASE_TRY(get_names(l, root, "columns", &encoding->file_columns));
    BASE_TRY(get_missing(l, root));
    BASE_TRY(get_word(l, root, "impute", data_impute_names, 2, &encoding->impute));
    BASE_TRY(get_word(l, root, "categories", data_embed_names, 2, &embed));
    encoding->embed = embed;
    return TRUCE_OK;
}

static truce_status load_inputs(loader *l, const json_t *inputs, int n) {
    for (int i = 0; i < n; i++) {
        const json_t *object = json_array_get(inputs, (size_t)i);
        l->what = "input";
        l->which = NULL;
        if (l->encoding->is_table)
            BASE_TRY(load_feature(l, object, &l->encoding->features[i]));
        else
            BASE_TRY(load_array(l, object, &l->encoding->arrays[i]));
    }
    return TRUCE_OK;
}

static truce_status load_labels(loader *l, const json_t *tasks, int n) {
    for (int i = 0; i < n; i++) {
        l->what = "task";
        l->which = NULL;
        BASE_TRY(load_label(l, json_array_get(tasks, (size_t)i), &l->encoding->labels[i]));
    }
    return TRUCE_OK;
}

static truce_status load(loader *l, const json_t *root) {
    static const char *const kinds[] = {"table", "arrays"};
    const json_t *inputs = NULL, *tasks = NULL;
    int kind = 0, n_inputs = 0, n_tasks = 0;
    l->what = "the encoding";
    if (json_integer_value(json_object_get(root, "encoding")) != DATA_ENCODING_VERSION)
        return fail(l, "encoding", "1");
    BASE_TRY(get_word(l, root, "kind", kinds, 2, &kind));
    BASE_TRY(get_list(l, root, "inputs", &inputs, &n_inputs));
    BASE_TRY(get_list(l, root, "tasks", &tasks, &n_tasks));
    if (n_inputs == 0) return fail(l, "inputs", "a list that is not empty");
    BASE_TRY(data_encoding_create(l->context, kind == 0 ? n_inputs : 0, kind == 0 ? 0 : n_inputs, n_tasks,
                                  &l->encoding));
    BASE_TRY(get_word(l, root, "unseen", data_unseen_names, 2, &l->encoding->unseen));
    if (kind == 0) BASE_TRY(load_table(l, root));
    BASE_TRY(load_inputs(l, inputs, n_inputs));
    BASE_TRY(load_labels(l, tasks, n_tasks));
    data_encoding_arrange(l->encoding);
    return TRUCE_OK;
}

truce_status data_encoding_load(truce_context *context, const char *json, size_t n, const char *name,
                                data_encoding **out) {
    loader l = {.context = context, .name = name};
    json_error_t error;
    json_t *root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return base_fail(context, TRUCE_ERROR_FORMAT, "%s:%d: the encoding is not valid JSON: %s", name,
                         error.line, error.text);
    truce_status status = load(&l, root);
    json_decref(root);
    if (status)
        data_encoding_destroy(l.encoding);
    else
        *out = l.encoding;
    return status;
}
