/*
 * From arrays in files to a data set: `.npy` files with inputs and one target for each task, or IDX files
 * with images and labels, which is the same with one input and one task. Training rows come first, then those
 * of validation and test files.
 */
#include "data/array_work.h"

#include <string.h>

void data_array_free_parts(data_array_work *work, data_array_parts *parts) {
    for (int split = 0; split < TRUCE_N_SPLITS; split++) io_array_free(work->context, &parts->arrays[split]);
}

/* All files of a split have as many rows as the first one that was read. */
static truce_status check_rows(data_array_work *work, int split, const char *path, int64_t n) {
    if (!work->counted[split]) {
        work->counted[split] = path;
        work->n_rows[split] = n;
    }
    if (work->n_rows[split] == n) return TRUCE_OK;
    return base_fail(work->context, TRUCE_ERROR_SHAPE, "%s has %lld rows, but %s has %lld", path,
                     (long long)n, work->counted[split], (long long)work->n_rows[split]);
}

static truce_status check_shape(const data_array_work *work, const data_array_parts *parts, int split,
                                const char *path) {
    char wanted[DATA_SHAPE_BYTES], got[DATA_SHAPE_BYTES];
    truce_shape shape = data_array_row_shape(&parts->arrays[split]);
    if (split == TRUCE_TRAIN || truce_shape_equal(&shape, &parts->row_shape)) return TRUCE_OK;
    data_format_shape(&parts->row_shape, wanted);
    data_format_shape(&shape, got);
    return base_fail(work->context, TRUCE_ERROR_SHAPE, "%s has rows of %s, but the training rows are %s",
                     path, got, wanted);
}

truce_status data_array_load(data_array_work *work, const data_array_files *files, data_array_parts *parts) {
    for (int split = 0; split < TRUCE_N_SPLITS; split++) {
        const char *path = files->paths[split];
        io_array *array = &parts->arrays[split];
        if (!path) continue;
        BASE_TRY(base_check_interrupt(work->context));
        BASE_TRY(data_array_read(work->context, path, array));
        if (split == TRUCE_TRAIN) {
            size_t bytes;
            parts->row_shape = data_array_row_shape(array);
            BASE_TRY(data_row_bytes(work->context, path, &parts->row_shape, &bytes));
            parts->row_size = truce_shape_size(&parts->row_shape);
        }
        BASE_TRY(check_shape(work, parts, split, path));
        BASE_TRY(check_rows(work, split, path, array->shape.dims[0]));
    }
    return TRUCE_OK;
}

int64_t data_array_count(const data_array_work *work) {
    return work->n_rows[TRUCE_TRAIN] + work->n_rows[TRUCE_VALIDATION] + work->n_rows[TRUCE_TEST];
}

/* All parts, one after the other, as float. */
truce_status data_array_join(data_array_work *work, const data_array_parts *parts, float **out) {
    float *values = NULL;
    BASE_TRY(data_alloc_rows(work->context, data_array_count(work), (size_t)parts->row_size * sizeof *values,
                             &values));
    float *at = values;
    for (int split = 0; split < TRUCE_N_SPLITS; split++) {
        if (parts->arrays[split].values) data_array_floats(&parts->arrays[split], at);
        at += work->n_rows[split] * parts->row_size;
    }
    *out = values;
    return TRUCE_OK;
}

static truce_status make_dataset(data_array_work *work) {
    truce_split *splits = NULL;
    int64_t n = data_array_count(work), row = 0;
    BASE_TRY(truce_dataset_create(work->context, n, &work->dataset));
    BASE_TRY(base_alloc(work->context, (size_t)n, sizeof *splits, &splits));
    for (int split = 0; split < TRUCE_N_SPLITS; split++)
        for (int64_t i = 0; i < work->n_rows[split]; i++) splits[row++] = (truce_split)split;
    truce_status status = truce_dataset_assign(work->dataset, splits);
    base_free(work->context, splits);
    return status;
}

static truce_status add_input(data_array_work *work, const data_array_files *files, data_array_parts *parts) {
    float *values = NULL;
    BASE_TRY(data_array_load(work, files, parts));
    if (!work->dataset) BASE_TRY(make_dataset(work));
    BASE_TRY(data_array_join(work, parts, &values));
    const truce_input input = {.name = files->name, .row_shape = parts->row_shape};
    truce_status status = data_adopt_input(work->dataset, &input, values);
    if (status) base_free_aligned(work->context, values);
    return status;
}

static truce_status add_inputs(data_array_work *work) {
    for (int i = 0; i < work->n_inputs; i++) {
        data_array_parts parts = {0};
        truce_status status = add_input(work, &work->inputs[i], &parts);
        data_array_free_parts(work, &parts);
        if (status) return status;
    }
    return TRUCE_OK;
}

/* Dividing. */

static truce_status keys_of_file(data_array_work *work, const char *file) {
    const io_yaml *at = io_yaml_get(work->recipe->data, "split_by");
    const char *path = NULL;
    io_array array = {0};
    BASE_TRY(data_recipe_find(work->recipe, at, file, &path));
    BASE_TRY(data_array_read(work->context, path, &array));
    int64_t n = truce_shape_size(&array.shape);
    truce_status status = TRUCE_OK;
    if (n != work->n_rows[TRUCE_TRAIN])
        status = io_yaml_fail(work->context, at, TRUCE_ERROR_SHAPE,
                              "%s has %lld elements, but there are %lld rows to divide", path, (long long)n,
                              (long long)work->n_rows[TRUCE_TRAIN]);
    for (int64_t i = 0; i < n && !status; i++) work->keys[i] = (int64_t)io_array_get(&array, i);
    io_array_free(work->context, &array);
    return status;
}

/* Keys by a task with classes (any, if none is named), else from a file. */
static truce_status find_keys(data_array_work *work) {
    const char *by = work->settings.common.split_by;
    bool grouped = work->settings.common.rule == TRUCE_SPLIT_GROUPED;
    BASE_TRY(base_alloc(work->context, (size_t)data_array_count(work), sizeof *work->keys, &work->keys));
    for (int i = 0; i < work->n_labels && (by || !grouped); i++) {
        const int32_t *codes = work->labels[i].table.columns ? work->labels[i].table.columns[0].codes : NULL;
        if (!codes || (by && strcmp(by, work->labels[i].files.name) != 0)) continue;
        for (int64_t row = 0; row < data_array_count(work); row++) work->keys[row] = codes[row];
        return TRUCE_OK;
    }
    if (by) return keys_of_file(work, by);
    return io_yaml_fail(
        work->context, io_yaml_get(work->recipe->data, "split"), TRUCE_ERROR_ARGUMENT,
        "this split needs 'split_by': a task with classes, or an array with a whole number for "
        "each row");
}

static truce_status divide(data_array_work *work) {
    truce_split_config config = {.validation = work->validation,
                                 .test = work->test,
                                 .rule = (truce_split_rule)work->settings.common.rule,
                                 .seed = (uint64_t)work->settings.common.split_seed};
    if (config.rule != TRUCE_SPLIT_RANDOM) BASE_TRY(find_keys(work));
    config.keys = work->keys;
    truce_status status = truce_dataset_divide(work->dataset, &config);
    return status ? io_yaml_fail_at(work->context, work->recipe->data, status) : TRUCE_OK;
}

static truce_status finish(data_array_work *work) {
    for (int i = 0; i < work->n_inputs; i++) {
        BASE_TRY(data_describe_array(work->encoding, work->dataset, i));
        if (work->settings.common.standardise)
            BASE_TRY(data_standardise_array(work->encoding, work->dataset, i));
    }
    for (int i = 0; i < work->n_labels; i++)
        BASE_TRY(data_array_add_target(work, &work->labels[i], &work->encoding->labels[i]));
    return TRUCE_OK;
}

static truce_status open_arrays(data_array_work *work, data_format format) {
    BASE_TRY(data_array_read_settings(work, format));
    BASE_TRY(data_encoding_create(work->context, 0, work->n_inputs, work->n_labels, &work->encoding));
    work->encoding->unseen = work->settings.own.unseen;
    BASE_TRY(add_inputs(work));
    for (int i = 0; i < work->n_labels; i++) BASE_TRY(data_array_load_labels(work, i));
    BASE_TRY(divide(work));
    return finish(work);
}

truce_status data_open_arrays(data_recipe *recipe, data_format format, data_source *source) {
    data_array_work work = {.recipe = recipe, .context = recipe->context};
    truce_status status = open_arrays(&work, format);
    if (status) {
        truce_dataset_destroy(work.dataset);
        data_encoding_destroy(work.encoding);
    } else {
        source->dataset = work.dataset;
        source->encoding = work.encoding;
    }
    for (int i = 0; i < work.n_labels; i++) {
        data_table_free(&work.labels[i].table);
        base_free_aligned(recipe->context, work.labels[i].wide);
    }
    base_free(recipe->context, work.keys);
    return status;
}
