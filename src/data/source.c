/*
 * From a recipe to data: which kind of data it is, what all kinds have in common, and what is said about
 * them.
 */
#include "data/source.h"

#include <stdio.h>
#include <string.h>

/* One line of the log for each line of a text. */
static void log_lines(truce_context *context, char *text) {
    for (char *end; *text; text = end + 1) {
        end = strchr(text, '\n');
        if (!end) return;
        *end = 0;
        base_log(context, TRUCE_LOG_INFO, "data: %s", text);
    }
}

static truce_status log_source(const data_source *source) {
    base_text text = {0};
    data_source_describe(source, &text);
    truce_status status = text.status;
    if (!status) log_lines(source->context, text.bytes);
    base_text_free(source->context, &text);
    return status;
}

static truce_status open_format(data_recipe *recipe, data_source *source) {
    data_format format;
    BASE_TRY(data_recipe_format(recipe, &format));
    switch (format) {
    case DATA_FORMAT_NPY:
    case DATA_FORMAT_IDX: return data_open_arrays(recipe, format, source);
    case DATA_FORMAT_GLYPHS:
    case DATA_FORMAT_TABULAR:
    case DATA_FORMAT_DIGIT_PAIRS: return data_open_generated(recipe, format, source);
    default: return data_open_csv(recipe, source);
    }
}

static truce_status check(data_recipe *recipe, const data_source *source) {
    truce_status status = truce_dataset_check(source->dataset);
    return status ? io_yaml_fail_at(recipe->context, recipe->data, status) : TRUCE_OK;
}

truce_status data_source_open(truce_context *context, const data_request *request, data_source **out) {
    data_source *source = NULL;
    data_recipe recipe;
    BASE_TRY(base_alloc(context, 1, sizeof *source, &source));
    source->context = context;
    truce_status status = data_recipe_read(context, request, &recipe);
    if (!status) status = open_format(&recipe, source);
    if (!status) status = check(&recipe, source);
    if (!status) status = log_source(source);
    data_recipe_free(&recipe);
    if (status)
        data_source_destroy(source);
    else
        *out = source;
    return status;
}

void data_source_destroy(data_source *source) {
    if (!source) return;
    truce_dataset_destroy(source->dataset);
    data_encoding_destroy(source->encoding);
    base_free(source->context, source);
}

/* Describing. */

static void describe_rows(const data_source *source, base_text *out) {
    int64_t n[TRUCE_N_SPLITS];
    for (int split = 0; split < TRUCE_N_SPLITS; split++)
        truce_dataset_split_rows(source->dataset, (truce_split)split, &n[split]);
    base_text_add(source->context, out, "%lld rows: %lld train, %lld validation, %lld test\n",
                  (long long)truce_dataset_rows(source->dataset), (long long)n[TRUCE_TRAIN],
                  (long long)n[TRUCE_VALIDATION], (long long)n[TRUCE_TEST]);
}

static void describe_columns(const data_source *source, base_text *out) {
    const data_encoding *encoding = source->encoding;
    int n_categories = 0;
    for (int i = 0; i < encoding->n_features; i++) n_categories += encoding->features[i].category;
    base_text_add(source->context, out, " from %d column(s) of numbers and %d of categories",
                  encoding->n_features - n_categories, n_categories);
}

static void describe_input(const data_source *source, int i, base_text *out) {
    const truce_input *input = truce_dataset_input(source->dataset, i);
    base_text_add(source->context, out, "input %s: %s [", input->name,
                  input->kind == TRUCE_INPUT_NUMBERS ? "numbers" : "categories");
    for (int axis = 0; axis < input->row_shape.n_dims; axis++)
        base_text_add(source->context, out, "%s%lld", axis ? ", " : "",
                      (long long)input->row_shape.dims[axis]);
    base_text_add(source->context, out, "]");
    if (source->encoding->is_table && i == 0) describe_columns(source, out);
    base_text_add(source->context, out, "\n");
}

static int64_t count_labels(const truce_dataset *dataset, int i) {
    const data_target *target = dataset->targets[i];
    int64_t n, count = 0;
    const int64_t *rows = truce_dataset_split_rows(dataset, TRUCE_TRAIN, &n);
    for (int64_t k = 0; k < n; k++) {
        const char *value = (const char *)target->values + (size_t)rows[k] * target->row_bytes;
        int32_t class;
        float number;
        memcpy(&class, value, sizeof class);
        memcpy(&number, value, sizeof number);
        count += target->about.kind == TRUCE_TARGET_CLASSES ? class >= 0 : number == number;
    }
    return count;
}

static void describe_kind(truce_context *context, const truce_target *target, base_text *out) {
    char mean[BASE_REAL_BYTES], scale[BASE_REAL_BYTES];
    switch (target->kind) {
    case TRUCE_TARGET_REGRESSION:
        base_text_add(context, out, "regression");
        if (target->width > 1) base_text_add(context, out, " of %d numbers", target->width);
        snprintf(mean, sizeof mean, "%.4g", target->mean);
        snprintf(scale, sizeof scale, "%.4g", target->scale);
        base_text_add(context, out, ", mean %s, deviation %s", mean, scale);
        return;
    case TRUCE_TARGET_BINARY:
        base_text_add(context, out, "binary");
        if (target->class_names)
            base_text_add(context, out, ", '%s' against '%s'", target->class_names[1],
                          target->class_names[0]);
        return;
    case TRUCE_TARGET_CLASSES: base_text_add(context, out, "%d classes", target->n_classes); return;
    }
}

static void describe_task(const data_source *source, int i, base_text *out) {
    const truce_target *target = truce_dataset_target(source->dataset, i);
    base_text_add(source->context, out, "task %s: ", target->name);
    describe_kind(source->context, target, out);
    base_text_add(source->context, out, "; %lld training labels\n",
                  (long long)count_labels(source->dataset, i));
}

void data_source_describe(const data_source *source, base_text *out) {
    describe_rows(source, out);
    for (int i = 0; i < truce_dataset_inputs(source->dataset); i++) describe_input(source, i, out);
    for (int i = 0; i < truce_dataset_targets(source->dataset); i++) describe_task(source, i, out);
}
