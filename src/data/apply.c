/*
 * Applying an encoding to files that were not there when it was fitted.
 */
#include "data/arrays.h"
#include "data/standardise.h"

#include "io/csv.h"

#include <string.h>

truce_status data_encoding_table(const data_encoding *encoding, int n_more, bool labels_optional,
                                 data_table *out) {
    int n = encoding->n_features, n_labels = encoding->n_labels;
    BASE_TRY(data_table_init(encoding->context, n + n_labels + n_more, out));
    for (int i = 0; i < n; i++) {
        const data_feature *f = &encoding->features[i];
        out->columns[i].name = f->name;
        out->columns[i].cells = f->category ? DATA_CELLS_TEXTS : DATA_CELLS_NUMBERS;
    }
    for (int i = 0; i < n_labels; i++) {
        const data_label *label = &encoding->labels[i];
        out->columns[n + i].name = label->column;
        out->columns[n + i].cells =
            label->kind == TRUCE_TARGET_REGRESSION ? DATA_CELLS_NUMBERS : DATA_CELLS_TEXTS;
        out->columns[n + i].optional = labels_optional;
    }
    out->known = &encoding->file_columns;
    return TRUCE_OK;
}

static truce_status count_fields(const data_encoding *encoding, const char *path, size_t *out) {
    const io_csv_config config = {.delimiter = encoding->delimiter};
    const char *const *fields;
    int n = 0;
    io_csv *csv = NULL;
    BASE_TRY(io_csv_open(encoding->context, path, &config, &csv));
    truce_status status = io_csv_next(csv, &fields, &n);
    io_csv_close(csv);
    *out = (size_t)n;
    return status;
}

static bool is_target(const data_encoding *encoding, const char *column) {
    for (int i = 0; i < encoding->n_labels; i++)
        if (strcmp(encoding->labels[i].column, column) == 0) return true;
    return false;
}

/* Names for a file without header: those of the training file, with or without the targets' columns. */
static truce_status name_columns(const data_encoding *encoding, const char *path, base_names *out) {
    const base_names *names = &encoding->file_columns;
    size_t n_fields = 0, n_inputs = 0;
    int64_t index;
    BASE_TRY(count_fields(encoding, path, &n_fields));
    for (size_t i = 0; i < names->n; i++) n_inputs += !is_target(encoding, names->names[i]);
    if (n_fields != names->n && n_fields != n_inputs)
        return base_fail(
            encoding->context, TRUCE_ERROR_DATA,
            "%s has %zu columns; by position it needs the %zu of the training file, or the %zu that are "
            "left without targets",
            path, n_fields, names->n, n_inputs);
    for (size_t i = 0; i < names->n; i++)
        if (n_fields == names->n || !is_target(encoding, names->names[i]))
            BASE_TRY(base_names_add(encoding->context, out, names->names[i], &index));
    return TRUCE_OK;
}

static truce_status load_file(const data_encoding *encoding, const char *path, data_table *table) {
    data_dialect dialect = {.delimiter = encoding->delimiter, .missing = encoding->missing};
    base_names names = {0};
    truce_status status = TRUCE_OK;
    if (!encoding->has_header) {
        status = name_columns(encoding, path, &names);
        dialect.names = &names;
    }
    if (!status) status = data_table_add_file(table, &dialect, path, TRUCE_TEST);
    base_names_free(encoding->context, &names);
    return status;
}

static truce_status encode_table(const data_encoding *encoding, const data_table *table,
                                 truce_dataset *dataset) {
    BASE_TRY(data_table_assign(table, dataset));
    BASE_TRY(data_encode_features(encoding, table, dataset));
    for (int i = 0; i < encoding->n_labels; i++)
        BASE_TRY(data_encode_label(encoding, &encoding->labels[i], table, encoding->n_features + i, dataset));
    return TRUCE_OK;
}

static truce_status apply_to_table(const data_encoding *encoding, const char *const *paths, int n_paths,
                                   truce_dataset **out) {
    data_table table = {.context = encoding->context};
    truce_dataset *dataset = NULL;
    truce_status status = data_encoding_table(encoding, 0, true, &table);
    for (int i = 0; i < n_paths && !status; i++) status = load_file(encoding, paths[i], &table);
    if (!status) status = truce_dataset_create(encoding->context, table.n_rows, &dataset);
    if (!status) status = encode_table(encoding, &table, dataset);
    data_table_free(&table);
    if (status)
        truce_dataset_destroy(dataset);
    else
        *out = dataset;
    return status;
}

/* Arrays. */

static truce_status check_array(const data_encoding *encoding, const data_array *array, const io_array *file,
                                const char *path) {
    char wanted[DATA_SHAPE_BYTES], got[DATA_SHAPE_BYTES];
    truce_shape shape = data_array_row_shape(file);
    if (truce_shape_equal(&shape, &array->shape)) return TRUCE_OK;
    data_format_shape(&array->shape, wanted);
    data_format_shape(&shape, got);
    return base_fail(encoding->context, TRUCE_ERROR_SHAPE, "%s has rows of %s, but input '%s' takes %s", path,
                     got, array->name, wanted);
}

static void standardise_rows(const data_array *array, int64_t n_rows, float *values) {
    int64_t size = truce_shape_size(&array->shape);
    for (int64_t row = 0; array->mean && row < n_rows; row++, values += size)
        for (int64_t c = 0; c < size; c++)
            values[c] = data_standardised((double)values[c], array->mean[c], array->scale[c]);
}

static truce_status make_rows(const data_encoding *encoding, int64_t n_rows, truce_dataset **dataset) {
    BASE_TRY(truce_dataset_create(encoding->context, n_rows, dataset));
    data_mark_test_rows(*dataset, n_rows);
    return TRUCE_OK;
}

static truce_status add_values(const data_array *array, const io_array *file, const char *path,
                               truce_dataset *dataset) {
    const truce_input input = {.name = array->name, .row_shape = array->shape};
    size_t row_bytes = (size_t)truce_shape_size(&array->shape) * sizeof(float);
    float *values = NULL;
    if (file->shape.dims[0] != dataset->n_rows)
        return base_fail(dataset->context, TRUCE_ERROR_SHAPE,
                         "%s has %lld rows, but the file before it has %lld", path,
                         (long long)file->shape.dims[0], (long long)dataset->n_rows);
    BASE_TRY(data_alloc_rows(dataset->context, dataset->n_rows, row_bytes, &values));
    data_array_floats(file, values);
    standardise_rows(array, dataset->n_rows, values);
    truce_status status = data_adopt_input(dataset, &input, values);
    if (status) base_free_aligned(dataset->context, values);
    return status;
}

static truce_status apply_array(const data_encoding *encoding, int i, const char *path,
                                truce_dataset **dataset) {
    io_array file = {0};
    BASE_TRY(data_array_read(encoding->context, path, &file));
    truce_status status = check_array(encoding, &encoding->arrays[i], &file, path);
    if (!status && !*dataset) status = make_rows(encoding, file.shape.dims[0], dataset);
    if (!status) status = add_values(&encoding->arrays[i], &file, path, *dataset);
    io_array_free(encoding->context, &file);
    return status;
}

static truce_status apply_to_arrays(const data_encoding *encoding, const char *const *paths, int n_paths,
                                    truce_dataset **out) {
    truce_dataset *dataset = NULL;
    truce_status status = TRUCE_OK;
    if (n_paths != encoding->n_arrays)
        return base_fail(encoding->context, TRUCE_ERROR_ARGUMENT,
                         "the model takes %d arrays, one file each, but %d files are given",
                         encoding->n_arrays, n_paths);
    for (int i = 0; i < n_paths && !status; i++) status = apply_array(encoding, i, paths[i], &dataset);
    if (status)
        truce_dataset_destroy(dataset);
    else
        *out = dataset;
    return status;
}

truce_status data_encoding_apply(const data_encoding *encoding, const char *const *paths, int n_paths,
                                 truce_dataset **out) {
    return encoding->is_table ? apply_to_table(encoding, paths, n_paths, out)
                              : apply_to_arrays(encoding, paths, n_paths, out);
}
