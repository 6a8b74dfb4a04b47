/*
 * Values become numbers.
 *
 *   number     (value - mean) / scale; a missing one is replaced by `fill`, and marked in a column of its own
 * if training rows had missing ones too category   one column per known text, 1 in the one that it is (all 0
 * for unknown and missing); or, to be embedded, its number from 1 (0 for unknown and missing) class      its
 * number; a text that training rows do not hold is an error, or missing if so asked
 *
 * Texts are looked up once per different text of a column, not once per row.
 */
#include "data/encoding.h"

#include "data/standardise.h"

#include <math.h>
#include <string.h>

truce_status data_encoding_create(truce_context *context, int n_features, int n_arrays, int n_labels,
                                  data_encoding **out) {
    data_encoding *encoding = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *encoding, &encoding));
    *encoding = (data_encoding){.context = context};
    truce_status status =
        base_alloc(context, (size_t)n_features, sizeof *encoding->features, &encoding->features);
    if (!status) status = base_alloc(context, (size_t)n_arrays, sizeof *encoding->arrays, &encoding->arrays);
    if (!status) status = base_alloc(context, (size_t)n_labels, sizeof *encoding->labels, &encoding->labels);
    if (status) {
        data_encoding_destroy(encoding);
        return status;
    }
    encoding->n_features = n_features;
    encoding->n_arrays = n_arrays;
    encoding->n_labels = n_labels;
    for (int i = 0; i < n_labels; i++) encoding->labels[i].scale = encoding->labels[i].width = 1;
    *out = encoding;
    return TRUCE_OK;
}

void data_encoding_destroy(data_encoding *encoding) {
    if (!encoding) return;
    truce_context *context = encoding->context;
    for (int i = 0; i < encoding->n_features; i++)
        base_names_free(context, &encoding->features[i].categories);
    for (int i = 0; i < encoding->n_labels; i++) {
        base_names_free(context, &encoding->labels[i].classes);
        base_names_free(context, &encoding->labels[i].positive);
    }
    base_free(context, encoding->features);
    base_free(context, encoding->arrays);
    base_free(context, encoding->labels);
    base_names_free(context, &encoding->file_columns);
    base_pool_free(context, &encoding->pool);
    base_free(context, encoding);
}

void data_encoding_arrange(data_encoding *encoding) {
    int n_numbers = 0, n_categories = 0;
    for (int i = 0; i < encoding->n_features; i++) {
        data_feature *f = &encoding->features[i];
        bool embedded = f->category && encoding->embed;
        int *n = embedded ? &n_categories : &n_numbers;
        f->first = *n;
        f->width = embedded ? 1 : f->category ? (int)f->categories.n : 1 + f->flagged;
        *n += f->width;
    }
}

static int count_columns(const data_encoding *encoding, bool categories) {
    int n = 0;
    for (int i = 0; i < encoding->n_features; i++) {
        const data_feature *f = &encoding->features[i];
        if ((f->category && encoding->embed) == categories) n += f->width;
    }
    return n;
}

int data_encoding_numbers(const data_encoding *encoding) {
    return count_columns(encoding, false);
}

int data_encoding_categories(const data_encoding *encoding) {
    return count_columns(encoding, true);
}

int64_t data_find_value(const base_names *known, bool by_number, const char *text) {
    char room[BASE_REAL_BYTES];
    return base_names_find(known, by_number ? data_one_writing(text, room) : text);
}

void data_encoding_column_name(const data_encoding *encoding, int c, base_text *out) {
    truce_context *context = encoding->context;
    for (int i = 0; i < encoding->n_features; i++) {
        const data_feature *f = &encoding->features[i];
        int k = c - f->first;
        if ((f->category && encoding->embed) || k < 0 || k >= f->width) continue;
        if (f->category)
            base_text_add(context, out, "%s=%s", f->name, f->categories.names[k]);
        else
            base_text_add(context, out, "%s%s", f->name, k ? " missing" : "");
    }
}

/* Inputs being filled. */
typedef struct filling {
    const data_encoding *encoding;
    const data_table *table;
    float *numbers; /* [n_rows][n_numbers], zero at first */
    int64_t n_numbers;
    int32_t *categories; /* [n_rows][n_categories], zero at first */
    int64_t n_categories;
} filling;

static truce_status fail_missing(const filling *f, const data_feature *feature, int64_t row) {
    char place[DATA_PLACE_BYTES];
    data_table_place(f->table, row, place);
    return base_fail(f->table->context, TRUCE_ERROR_DATA,
                     "%s: column '%s' holds no value; 'impute: mean' puts the training mean in its place",
                     place, feature->name);
}

static truce_status fill_number(const filling *f, const data_feature *feature, const double *values) {
    float *out = f->numbers + feature->first;
    int64_t n_filled = 0;
    for (int64_t row = 0; row < f->table->n_rows; row++, out += f->n_numbers) {
        bool missing = isnan(values[row]);
        if (missing && f->encoding->impute == DATA_IMPUTE_REFUSE) return fail_missing(f, feature, row);
        out[0] = data_standardised(missing ? feature->fill : values[row], feature->mean, feature->scale);
        if (feature->flagged) out[1] = missing;
        n_filled += missing;
    }
    if (n_filled && !feature->flagged)
        base_log(f->table->context, TRUCE_LOG_INFO,
                 "data: column '%s' is missing in %lld row(s), but in no training row; the training mean "
                 "stands in",
                 feature->name, (long long)n_filled);
    return TRUCE_OK;
}

static void log_unknown(const filling *f, const data_feature *feature, int64_t n, const char *example) {
    if (n)
        base_log(f->table->context, TRUCE_LOG_INFO,
                 "data: column '%s' holds texts that training rows do not ('%.40s') in %lld row(s); they are "
                 "encoded as "
                 "unknown",
                 feature->name, example, (long long)n);
}

static truce_status fill_category(const filling *f, const data_feature *feature,
                                  const data_cells_column *column) {
    int64_t *known = NULL, n_unknown = 0; /* of each text: its category, or -1 */
    const char *example = "";
    BASE_TRY(base_alloc(f->table->context, column->texts.n, sizeof *known, &known));
    for (size_t i = 0; i < column->texts.n; i++)
        known[i] = data_find_value(&feature->categories, feature->by_number, column->texts.names[i]);
    for (int64_t row = 0; row < f->table->n_rows; row++) {
        int32_t code = column->codes[row];
        if (code < 0) continue;
        if (known[code] < 0) {
            n_unknown++;
            example = column->texts.names[code];
        } else if (f->encoding->embed) {
            f->categories[row * f->n_categories + feature->first] = (int32_t)known[code] + 1;
        } else {
            f->numbers[row * f->n_numbers + feature->first + known[code]] = 1;
        }
    }
    log_unknown(f, feature, n_unknown, example);
    base_free(f->table->context, known);
    return TRUCE_OK;
}

static truce_status fill_features(const filling *f) {
    for (int i = 0; i < f->encoding->n_features; i++) {
        const data_feature *feature = &f->encoding->features[i];
        const data_cells_column *column = &f->table->columns[i];
        BASE_TRY(feature->category ? fill_category(f, feature, column)
                                   : fill_number(f, feature, column->numbers));
    }
    return TRUCE_OK;
}

static truce_status add_numbers(filling *f, truce_dataset *dataset) {
    const truce_input input = {.name = "x", .row_shape = {1, {f->n_numbers}}};
    if (f->n_numbers == 0) return TRUCE_OK;
    BASE_TRY(data_adopt_input(dataset, &input, f->numbers));
    f->numbers = NULL;
    return TRUCE_OK;
}

static truce_status add_categories(filling *f, truce_dataset *dataset) {
    int32_t *cardinality = NULL;
    if (f->n_categories == 0) return TRUCE_OK;
    BASE_TRY(base_alloc(dataset->context, (size_t)f->n_categories, sizeof *cardinality, &cardinality));
    for (int i = 0; i < f->encoding->n_features; i++) {
        const data_feature *feature = &f->encoding->features[i];
        if (feature->category) cardinality[feature->first] = (int32_t)feature->categories.n + 1;
    }
    const truce_input input = {"categories", TRUCE_INPUT_CATEGORIES, {1, {f->n_categories}}, cardinality};
    truce_status status = data_adopt_input(dataset, &input, f->categories);
    if (!status) f->categories = NULL;
    base_free(dataset->context, cardinality);
    return status;
}

truce_status data_encode_features(const data_encoding *encoding, const data_table *table,
                                  truce_dataset *dataset) {
    truce_context *context = table->context;
    filling f = {.encoding = encoding, .table = table};
    f.n_numbers = data_encoding_numbers(encoding);
    f.n_categories = data_encoding_categories(encoding);
    truce_status status =
        data_alloc_rows(context, table->n_rows, (size_t)f.n_numbers * sizeof *f.numbers, &f.numbers);
    if (!status)
        status = data_alloc_rows(context, table->n_rows, (size_t)f.n_categories * sizeof *f.categories,
                                 &f.categories);
    if (!status) status = fill_features(&f);
    if (!status) status = add_numbers(&f, dataset);
    if (!status) status = add_categories(&f, dataset);
    base_free_aligned(context, f.numbers);
    base_free_aligned(context, f.categories);
    return status;
}

/* Targets. */

static void encode_numbers(const data_label *label, const double *values, int64_t n, float *out) {
    for (int64_t row = 0; row < n; row++)
        out[row] = values ? data_standardised(values[row], label->mean, label->scale) : NAN;
}

enum { MISSING = -1, UNSEEN = -2 };

/* Class of a text. */
static int32_t classify(const data_label *label, const char *text) {
    if (label->positive.n) return data_find_value(&label->positive, label->by_number, text) >= 0;
    int64_t class = data_find_value(&label->classes, label->by_number, text);
    return class < 0 ? UNSEEN : (int32_t) class;
}

static truce_status fail_unseen(const data_label *label, const data_table *table, int64_t row,
                                const char *text) {
    char place[DATA_PLACE_BYTES];
    data_table_place(table, row, place);
    return base_fail(
        table->context, TRUCE_ERROR_DATA,
        "%s: column '%s' holds '%.40s', a class of task '%s' that no training row holds; 'unseen: missing' "
        "makes it a missing label%s",
        place, label->column, text, label->name,
        label->kind == TRUCE_TARGET_BINARY ? ", 'positive' lists the values that count as 1" : "");
}

/* Classes [n_rows] as int32_t, MISSING where there is none. */
static truce_status find_classes(const data_encoding *encoding, const data_label *label,
                                 const data_table *table, const data_cells_column *column, int32_t *out) {
    int32_t *classes = NULL; /* of each text */
    truce_status status = base_alloc(table->context, column->texts.n, sizeof *classes, &classes);
    for (size_t i = 0; i < column->texts.n && !status; i++)
        classes[i] = classify(label, column->texts.names[i]);
    for (int64_t row = 0; row < table->n_rows && !status; row++) {
        int32_t code = column->codes[row];
        out[row] = code < 0 ? MISSING : classes[code];
        if (out[row] != UNSEEN) continue;
        out[row] = MISSING;
        if (encoding->unseen == DATA_UNSEEN_ERROR)
            status = fail_unseen(label, table, row, column->texts.names[code]);
    }
    base_free(table->context, classes);
    return status;
}

/* Turns int32_t into float in place: binary targets are 0, 1, or NaN. */
static void to_floats(void *values, int64_t n) {
    for (char *at = values; n > 0; n--, at += sizeof(float)) {
        int32_t class;
        memcpy(&class, at, sizeof class);
        float value = class < 0 ? NAN : (float)class;
        memcpy(at, &value, sizeof value);
    }
}

static truce_status encode_values(const data_encoding *encoding, const data_label *label,
                                  const data_table *table, int column, void *values) {
    const data_cells_column *cells = column < 0 ? NULL : &table->columns[column];
    int64_t n = table->n_rows;
    if (label->kind == TRUCE_TARGET_REGRESSION) {
        encode_numbers(label, cells ? cells->numbers : NULL, n, values);
        return TRUCE_OK;
    }
    for (int64_t row = 0; row < n; row++) ((int32_t *)values)[row] = MISSING;
    if (cells) BASE_TRY(find_classes(encoding, label, table, cells, values));
    if (label->kind == TRUCE_TARGET_BINARY) to_floats(values, n);
    return TRUCE_OK;
}

truce_status data_encode_label(const data_encoding *encoding, const data_label *label,
                               const data_table *table, int column, truce_dataset *dataset) {
    const truce_target target = {.name = label->name,
                                 .kind = label->kind,
                                 .n_classes = (int)label->classes.n,
                                 .class_names = (const char *const *)label->classes.names,
                                 .mean = label->mean,
                                 .scale = label->scale};
    void *values = NULL;
    truce_status status = data_alloc_rows(table->context, table->n_rows, sizeof(float), &values);
    if (!status) status = encode_values(encoding, label, table, column, values);
    if (!status) status = data_adopt_target(dataset, &target, values);
    if (status) base_free_aligned(table->context, values);
    return status;
}
