/*
 * Fitting: means, scales and vocabularies of training rows. A vocabulary is sorted (as numbers where all its
 * texts are numbers, else by bytes), so it depends on which rows are for training, not on their order.
 */
#include "data/fit.h"

#include "data/number.h"
#include "data/standardise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static data_moments find_moments(const data_fit *fit, const double *values, int64_t *n_missing) {
    int64_t n;
    const int64_t *rows = truce_dataset_split_rows(fit->dataset, TRUCE_TRAIN, &n);
    data_moments moments = {0};
    for (int64_t i = 0; i < n; i++) data_moments_first(&moments, values[rows[i]]);
    data_moments_between(&moments);
    for (int64_t i = 0; i < n; i++) data_moments_second(&moments, values[rows[i]]);
    data_moments_end(&moments);
    *n_missing = n - moments.n;
    return moments;
}

static truce_status fail_no_value(const data_fit *fit, const char *column) {
    int64_t n;
    truce_dataset_split_rows(fit->dataset, TRUCE_TRAIN, &n);
    return base_fail(fit->table->context, TRUCE_ERROR_DATA,
                     "column '%s' holds no value in any of the %lld training rows; exclude it", column,
                     (long long)n);
}

static truce_status fit_number(const data_fit *fit, const double *values, data_feature *feature) {
    int64_t n_missing;
    data_moments moments = find_moments(fit, values, &n_missing);
    if (moments.n == 0) return fail_no_value(fit, feature->name);
    feature->fill = moments.mean;
    feature->mean = fit->standardise ? moments.mean : 0;
    feature->scale = fit->standardise ? moments.scale : 1;
    feature->flagged = n_missing > 0;
    return TRUCE_OK;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_value(const void *a, const void *b) {
    double x = 0, y = 0;
    data_parse_number(*(const char *const *)a, &x);
    data_parse_number(*(const char *const *)b, &y);
    return (x > y) - (x < y);
}

/* Adds names to `out` in order. */
static truce_status add_sorted(truce_context *context, const base_names *names, bool by_number,
                               base_names *out) {
    const char **sorted = NULL;
    truce_status status = base_alloc(context, names->n, sizeof *sorted, &sorted);
    for (size_t i = 0; i < names->n && !status; i++) sorted[i] = names->names[i];
    if (!status && names->n) qsort(sorted, names->n, sizeof *sorted, by_number ? by_value : by_bytes);
    for (size_t i = 0; i < names->n && !status; i++) {
        int64_t index;
        status = base_names_add(context, out, sorted[i], &index);
    }
    base_free(context, sorted);
    return status;
}

/* The different texts of training rows, as they first appear. */
static truce_status list_texts(const data_fit *fit, const data_cells_column *column, bool by_number,
                               base_names *out) {
    truce_context *context = fit->table->context;
    int64_t n, index;
    const int64_t *rows = truce_dataset_split_rows(fit->dataset, TRUCE_TRAIN, &n);
    char *seen = NULL, room[BASE_REAL_BYTES];
    BASE_TRY(base_alloc(context, column->texts.n, 1, &seen));
    truce_status status = TRUCE_OK;
    for (int64_t i = 0; i < n && !status; i++) {
        int32_t code = column->codes[rows[i]];
        if (code < 0 || seen[code]) continue;
        seen[code] = 1;
        const char *text = column->texts.names[code];
        status = base_names_add(context, out, by_number ? data_one_writing(text, room) : text, &index);
    }
    base_free(context, seen);
    return status;
}

static truce_status find_vocabulary(const data_fit *fit, const data_cells_column *column, bool by_number,
                                    base_names *out) {
    truce_context *context = fit->table->context;
    base_names texts = {0};
    truce_status status = list_texts(fit, column, by_number, &texts);
    if (!status) status = add_sorted(context, &texts, by_number, out);
    base_names_free(context, &texts);
    return status;
}

static truce_status fit_category(const data_fit *fit, const data_cells_column *column,
                                 data_feature *feature) {
    BASE_TRY(find_vocabulary(fit, column, feature->by_number, &feature->categories));
    if (feature->categories.n == 0) return fail_no_value(fit, feature->name);
    if ((int64_t)feature->categories.n <= fit->max_categories) return TRUCE_OK;
    return base_fail(
        fit->table->context, TRUCE_ERROR_DATA,
        "column '%s' holds %zu different texts ('%.40s', ...), more than max_categories: %lld; exclude it, "
        "or raise max_categories under 'categorical'",
        feature->name, feature->categories.n, feature->categories.names[0], (long long)fit->max_categories);
}

truce_status data_fit_feature(const data_fit *fit, int column, data_feature *feature) {
    const data_cells_column *cells = &fit->table->columns[column];
    return feature->category ? fit_category(fit, cells, feature) : fit_number(fit, cells->numbers, feature);
}

/* Labels. */

static void fit_regression(const data_fit *fit, const double *values, data_label *label) {
    int64_t n_missing;
    data_moments moments = find_moments(fit, values, &n_missing);
    label->mean = fit->standardise ? moments.mean : 0;
    label->scale = fit->standardise ? moments.scale : 1;
}

#define LIST_BYTES 400
#define MOST_LISTED 8

/* "'a', 'b', ..." */
static void list_names(const base_names *names, char list[LIST_BYTES]) {
    size_t used = 0;
    list[0] = 0;
    for (size_t i = 0; i < names->n && i <= MOST_LISTED; i++) {
        const char *text = i < MOST_LISTED ? names->names[i] : "...";
        const char *format = i < MOST_LISTED ? "%s'%.40s'" : "%s%.40s";
        used += (size_t)snprintf(list + used, LIST_BYTES - used, format, i ? ", " : "", text);
    }
}

static truce_status add_class(const data_fit *fit, data_label *label, const char *name) {
    int64_t index;
    return base_names_add(fit->table->context, &label->classes, name, &index);
}

/* Names of 0 and 1 where `positive` says what 1 is: the one other text of training rows, or "other". */
static truce_status name_binary(const data_fit *fit, const data_cells_column *column, const base_names *texts,
                                data_label *label) {
    const char *other = NULL;
    int n_others = 0;
    bool found = false;
    for (size_t i = 0; i < texts->n; i++) {
        if (data_find_value(&label->positive, label->by_number, texts->names[i]) >= 0) continue;
        other = texts->names[i];
        n_others++;
    }
    for (size_t i = 0; i < column->texts.n && !found; i++)
        found = data_find_value(&label->positive, label->by_number, column->texts.names[i]) >= 0;
    if (!found && column->texts.n) {
        char list[LIST_BYTES];
        list_names(&column->texts, list);
        return base_fail(
            fit->table->context, TRUCE_ERROR_DATA,
            "task '%s': column '%s' holds none of the values in 'positive' ('%.40s', ...); it holds %s",
            label->name, label->column, label->positive.names[0], list);
    }
    const char *first = label->positive.names[0];
    BASE_TRY(add_class(fit, label, n_others == 1 && strcmp(other, first) != 0 ? other : "other"));
    return add_class(fit, label, strcmp(first, "other") != 0 ? first : "positive");
}

static truce_status take_two(const data_fit *fit, const base_names *texts, data_label *label) {
    char list[LIST_BYTES];
    if (texts->n == 2) return add_sorted(fit->table->context, texts, label->by_number, &label->classes);
    list_names(texts, list);
    return base_fail(fit->table->context, TRUCE_ERROR_DATA,
                     "task '%s' is binary, but column '%s' holds %zu different values in training rows (%s); "
                     "'positive' says which count as 1",
                     label->name, label->column, texts->n, list);
}

static truce_status fit_binary(const data_fit *fit, const data_cells_column *column, data_label *label) {
    base_names texts = {0};
    truce_status status = find_vocabulary(fit, column, label->by_number, &texts);
    if (!status)
        status = label->positive.n ? name_binary(fit, column, &texts, label) : take_two(fit, &texts, label);
    base_names_free(fit->table->context, &texts);
    return status;
}

static truce_status fit_classes(const data_fit *fit, const data_cells_column *column, data_label *label) {
    BASE_TRY(find_vocabulary(fit, column, label->by_number, &label->classes));
    if (label->classes.n) return TRUCE_OK;
    int64_t n;
    truce_dataset_split_rows(fit->dataset, TRUCE_TRAIN, &n);
    return base_fail(fit->table->context, TRUCE_ERROR_DATA,
                     "task '%s' has no label in any of the %lld training rows", label->name, (long long)n);
}

truce_status data_fit_label(const data_fit *fit, int column, data_label *label) {
    const data_cells_column *cells = &fit->table->columns[column];
    switch (label->kind) {
    case TRUCE_TARGET_REGRESSION: fit_regression(fit, cells->numbers, label); return TRUCE_OK;
    case TRUCE_TARGET_BINARY: return fit_binary(fit, cells, label);
    case TRUCE_TARGET_CLASSES: return fit_classes(fit, cells, label);
    }
    return TRUCE_ERROR_TYPE;
}
