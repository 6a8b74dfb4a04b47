/*
 * Labels in arrays. They pass through a table of one column, so that they are fitted and encoded as those of
 * CSV files are; only several numbers for each row go their own way.
 */
#include "data/array_work.h"
#include "data/fit.h"

#include <math.h>
#include <string.h>

static bool is_missing(const data_array_work *work, double value) {
    for (int i = 0; i < work->n_missing; i++)
        if (value == work->missing[i]) return true;
    return isnan(value);
}

/* One column of an array, NaN where a value is missing. */
static void take_column(const data_array_work *work, const io_array *array, int64_t column, double *out) {
    int64_t n = array->shape.dims[0], width = n ? truce_shape_size(&array->shape) / n : 1;
    for (int64_t i = 0; i < n; i++) {
        double value = io_array_get(array, i * width + column);
        out[i] = is_missing(work, value) ? (double)NAN : value;
    }
}

/* Different values are counted until they are many. */
static truce_status summarise(truce_context *context, const double *values, int64_t n, data_summary *out) {
    double seen[DATA_FEW + 1];
    char text[BASE_REAL_BYTES];
    int n_seen = 0;
    for (int64_t i = 0; i < n && !out->many; i++) {
        int k = 0;
        while (k < n_seen && seen[k] != values[i]) k++;
        if (isnan(values[i]) || k < n_seen) continue;
        seen[n_seen++] = values[i];
        base_format_real(values[i], text);
        BASE_TRY(data_summary_add(context, out, text));
    }
    return TRUCE_OK;
}

static truce_status describe_label(data_array_work *work, data_array_label *array, const double *values,
                                   int64_t n, data_label *label) {
    data_summary summary = {0};
    truce_status status = summarise(work->context, values, n, &summary);
    if (!status) label->kind = data_choose_kind(work->context, array->task, &summary);
    data_summary_free(work->context, &summary);
    BASE_TRY(status);
    label->by_number = true;
    for (int i = 0; i < array->task->positive.n; i++) {
        char room[BASE_REAL_BYTES];
        int64_t index;
        BASE_TRY(base_names_add(work->context, &label->positive,
                                data_one_writing(array->task->positive.items[i], room), &index));
    }
    BASE_TRY(data_table_init(work->context, 1, &array->table));
    array->table.columns[0].name = label->column;
    if (label->kind != TRUCE_TARGET_REGRESSION) array->table.columns[0].cells = DATA_CELLS_TEXTS;
    return TRUCE_OK;
}

static truce_status fill_table(data_array_work *work, data_array_label *array, const data_array_parts *parts,
                               double *room, data_label *label) {
    int64_t column = BASE_MAX(0, array->task->column);
    take_column(work, &parts->arrays[TRUCE_TRAIN], column, room);
    BASE_TRY(describe_label(work, array, room, work->n_rows[TRUCE_TRAIN], label));
    for (int split = 0; split < TRUCE_N_SPLITS; split++) {
        if (!array->files.paths[split]) continue;
        take_column(work, &parts->arrays[split], column, room);
        BASE_TRY(data_table_add_values(&array->table, array->files.paths[split], (truce_split)split, room,
                                       work->n_rows[split]));
    }
    return TRUCE_OK;
}

/* Several numbers for each row are a regression. */
static truce_status take_wide(data_array_work *work, data_array_label *array, const data_array_parts *parts,
                              data_label *label) {
    if (array->task->type != DATA_TASK_AUTO && array->task->type != DATA_TASK_REGRESSION)
        return io_yaml_fail(work->context, &array->task->at, TRUCE_ERROR_SHAPE,
                            "task '%s': %s has %lld columns; 'column' says which one is meant",
                            array->task->name, array->files.paths[TRUCE_TRAIN], (long long)parts->row_size);
    BASE_TRY(data_array_join(work, parts, &array->wide));
    array->width = parts->row_size;
    label->kind = TRUCE_TARGET_REGRESSION;
    label->width = (int)parts->row_size;
    for (int64_t i = 0; i < data_array_count(work) * array->width; i++)
        if (is_missing(work, (double)array->wide[i])) array->wide[i] = NAN;
    return TRUCE_OK;
}

static truce_status take_labels(data_array_work *work, data_array_label *array, const data_array_parts *parts,
                                data_label *label) {
    double *room = NULL;
    int64_t n_most = 0;
    if (parts->row_size > INT32_MAX || array->task->column >= parts->row_size)
        return io_yaml_fail(work->context, &array->task->at, TRUCE_ERROR_RANGE,
                            "task '%s': %s has %lld columns, counted from 0", array->task->name,
                            array->files.paths[TRUCE_TRAIN], (long long)parts->row_size);
    if (parts->row_size > 1 && array->task->column < 0) return take_wide(work, array, parts, label);
    for (int split = 0; split < TRUCE_N_SPLITS; split++) n_most = BASE_MAX(n_most, work->n_rows[split]);
    BASE_TRY(base_alloc(work->context, (size_t)n_most, sizeof *room, &room));
    truce_status status = fill_table(work, array, parts, room, label);
    base_free(work->context, room);
    return status;
}

truce_status data_array_load_labels(data_array_work *work, int i) {
    data_encoding *encoding = work->encoding;
    data_label *label = &encoding->labels[i];
    data_array_label *array = &work->labels[i];
    data_array_parts parts = {0};
    const char *name = array->files.name, *path = array->files.paths[TRUCE_TRAIN];
    BASE_TRY(base_pool_text(work->context, &encoding->pool, name, strlen(name), &label->name));
    BASE_TRY(base_pool_text(work->context, &encoding->pool, path, strlen(path), &label->column));
    truce_status status = data_array_load(work, &array->files, &parts);
    if (!status) status = take_labels(work, array, &parts, label);
    data_array_free_parts(work, &parts);
    return status;
}

static truce_status add_wide(data_array_work *work, data_array_label *array, data_label *label) {
    const truce_target target = {.name = label->name, .width = label->width};
    int i = truce_dataset_targets(work->dataset);
    BASE_TRY(data_adopt_target(work->dataset, &target, array->wide));
    array->wide = NULL;
    if (!array->task->standardise) return TRUCE_OK;
    BASE_TRY(truce_dataset_standardise_target(work->dataset, i));
    label->mean = truce_dataset_target(work->dataset, i)->mean;
    label->scale = truce_dataset_target(work->dataset, i)->scale;
    return TRUCE_OK;
}

truce_status data_array_add_target(data_array_work *work, data_array_label *array, data_label *label) {
    const data_fit fit = {
        .table = &array->table, .dataset = work->dataset, .standardise = array->task->standardise};
    if (array->wide) return add_wide(work, array, label);
    truce_status status = data_fit_label(&fit, 0, label);
    if (status) return io_yaml_fail_at(work->context, &array->task->at, status);
    return data_encode_label(work->encoding, label, &array->table, 0, work->dataset);
}
