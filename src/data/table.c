/*
 * The second reading of a table, which keeps it: by column, numbers as doubles and texts as codes into the
 * list of different texts, with the line of every row, so that whoever finds fault with a value can say where
 * it stands.
 */
#include "data/table.h"

#include "base/progress.h"
#include "data/number.h"
#include "data/reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROWS_PER_LOOK 4096 /* between looks at the clock and at whether somebody wants to stop */

truce_status data_table_init(truce_context *context, int n_columns, data_table *out) {
    data_table table = {.context = context, .n_columns = n_columns};
    BASE_TRY(base_alloc(context, (size_t)n_columns, sizeof *table.columns, &table.columns));
    *out = table;
    return TRUCE_OK;
}

void data_table_free(data_table *table) {
    truce_context *context = table->context;
    for (int c = 0; table->columns && c < table->n_columns; c++) {
        base_free(context, table->columns[c].numbers);
        base_free(context, table->columns[c].codes);
        base_names_free(context, &table->columns[c].texts);
    }
    base_free(context, table->columns);
    base_free(context, table->files);
    base_free(context, table->lines);
    *table = (data_table){.context = context};
}

static truce_status grow(data_table *table) {
    truce_context *context = table->context;
    size_t room = table->capacity ? 2 * table->capacity : 1024;
    BASE_TRY(base_resize(context, &table->lines, room, sizeof *table->lines));
    for (int c = 0; c < table->n_columns; c++) {
        data_cells_column *column = &table->columns[c];
        if (column->cells == DATA_CELLS_NUMBERS)
            BASE_TRY(base_resize(context, &column->numbers, room, sizeof *column->numbers));
        else
            BASE_TRY(base_resize(context, &column->codes, room, sizeof *column->codes));
    }
    table->capacity = room;
    return TRUCE_OK;
}

static truce_status fail_number(const data_reader *reader, const char *name, const char *text) {
    return base_fail(
        reader->context, TRUCE_ERROR_DATA,
        "%s:%lld: column '%s' holds '%.40s', which is not a number; list the text under 'missing' if it "
        "stands for no value, or the column under 'categorical' or 'exclude'",
        reader->path, (long long)io_csv_line(reader->csv), name, text);
}

static truce_status set_cell(data_reader *reader, data_cells_column *column, int64_t row, const char *text) {
    bool missing = !text || data_reader_is_missing(reader, text);
    if (column->cells == DATA_CELLS_NUMBERS) {
        column->numbers[row] = (double)NAN;
        if (!missing && !data_parse_number(text, &column->numbers[row]))
            return fail_number(reader, column->name, text);
        return TRUCE_OK;
    }
    int64_t code = -1;
    if (!missing) BASE_TRY(base_names_add(reader->context, &column->texts, text, &code));
    column->codes[row] = (int32_t)code;
    return TRUCE_OK;
}

static truce_status fail_column(const data_reader *reader, const char *name) {
    int n = (int)reader->names.n;
    const char *nearest = base_nearest_name(name, base_name_of_names, &reader->names, n);
    return base_fail(reader->context, TRUCE_ERROR_DATA, "%s has no column '%s'%s%s%s", reader->path, name,
                     nearest ? "; is it '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* Where in the file each column of the table stands; -1 for an optional one that is not there. */
static truce_status find_columns(const data_table *table, const data_reader *reader, int64_t *places) {
    for (int c = 0; c < table->n_columns; c++) {
        places[c] = base_names_find(&reader->names, table->columns[c].name);
        if (places[c] < 0 && !table->columns[c].optional) return fail_column(reader, table->columns[c].name);
    }
    return TRUCE_OK;
}

static truce_status add_row(data_table *table, data_reader *reader, const int64_t *places) {
    if ((size_t)table->n_rows == table->capacity) BASE_TRY(grow(table));
    for (int c = 0; c < table->n_columns; c++) {
        const char *text = places[c] < 0 ? NULL : reader->fields[places[c]];
        BASE_TRY(set_cell(reader, &table->columns[c], table->n_rows, text));
    }
    table->lines[table->n_rows++] = io_csv_line(reader->csv);
    return TRUCE_OK;
}

static truce_status add_rows(data_table *table, data_reader *reader, const int64_t *places) {
    base_progress progress = base_progress_begin(table->context, reader->path, "row", 0);
    int64_t first = table->n_rows;
    for (bool more = true;;) {
        if ((table->n_rows - first) % ROWS_PER_LOOK == 0) {
            BASE_TRY(base_check_interrupt(table->context));
            base_progress_to(&progress, table->n_rows - first, NULL);
        }
        BASE_TRY(data_reader_next(reader, &more));
        if (!more) break;
        BASE_TRY(add_row(table, reader, places));
    }
    base_progress_end(&progress, NULL);
    return TRUCE_OK;
}

/* Tells of columns that are not only unused here, but were never heard of. */
static void log_strangers(const data_table *table, const data_reader *reader) {
    const char *example = NULL;
    int n = 0;
    for (size_t i = 0; table->known && i < reader->names.n; i++) {
        if (base_names_find(table->known, reader->names.names[i]) >= 0) continue;
        example = reader->names.names[i];
        n++;
    }
    if (n)
        base_log(table->context, TRUCE_LOG_INFO,
                 "data: %s has %d columns that the training file has not ('%.40s'%s); they are ignored",
                 reader->path, n, example, n > 1 ? ", ..." : "");
}

truce_status data_table_add_file(data_table *table, const data_dialect *dialect, const char *path,
                                 truce_split split) {
    truce_context *context = table->context;
    data_reader reader;
    int64_t *places = NULL;
    BASE_TRY(base_grow(context, &table->files, &table->file_capacity, (size_t)table->n_files + 1,
                       sizeof *table->files));
    BASE_TRY(data_reader_open(context, dialect, path, &reader));
    table->files[table->n_files++] = (data_table_file){path, table->n_rows, split};
    truce_status status = base_alloc(context, (size_t)table->n_columns, sizeof *places, &places);
    if (!status) status = find_columns(table, &reader, places);
    if (!status) log_strangers(table, &reader);
    if (!status) status = add_rows(table, &reader, places);
    base_free(context, places);
    data_reader_close(&reader);
    return status;
}

/* Codes of numbers. Writing one as text is slow next to looking it up, and class labels repeat. */
typedef struct number_codes {
    double values[256];
    int32_t codes[256]; /* -1: unused */
} number_codes;

static truce_status code_of_number(truce_context *context, number_codes *known, base_names *texts,
                                   double value, int32_t *out) {
    char text[BASE_REAL_BYTES];
    int64_t code;
    unsigned slot = (unsigned)(int)fmod(fabs(value), 256);
    if (known->codes[slot] < 0 || known->values[slot] != value) {
        base_format_real(value == 0 ? 0 : value, text); /* no -0 */
        BASE_TRY(base_names_add(context, texts, text, &code));
        known->values[slot] = value;
        known->codes[slot] = (int32_t)code;
    }
    *out = known->codes[slot];
    return TRUCE_OK;
}

static truce_status add_codes(data_table *table, const double *values, int64_t n) {
    data_cells_column *column = &table->columns[0];
    number_codes known;
    memset(known.codes, -1, sizeof known.codes);
    BASE_TRY(base_resize(table->context, &column->codes, (size_t)(table->n_rows + n), sizeof *column->codes));
    for (int64_t i = 0; i < n; i++) {
        int32_t *code = &column->codes[table->n_rows + i];
        *code = -1;
        if (!isnan(values[i]))
            BASE_TRY(code_of_number(table->context, &known, &column->texts, values[i], code));
    }
    return TRUCE_OK;
}

truce_status data_table_add_values(data_table *table, const char *path, truce_split split,
                                   const double *values, int64_t n) {
    truce_context *context = table->context;
    data_cells_column *column = &table->columns[0];
    BASE_TRY(base_grow(context, &table->files, &table->file_capacity, (size_t)table->n_files + 1,
                       sizeof *table->files));
    if (column->cells == DATA_CELLS_NUMBERS) {
        BASE_TRY(
            base_resize(context, &column->numbers, (size_t)(table->n_rows + n), sizeof *column->numbers));
        if (n) memcpy(column->numbers + table->n_rows, values, (size_t)n * sizeof *values);
    } else {
        BASE_TRY(add_codes(table, values, n));
    }
    table->files[table->n_files++] = (data_table_file){path, table->n_rows, split};
    table->n_rows += n;
    return TRUCE_OK;
}

static const data_table_file *file_of(const data_table *table, int64_t row) {
    int i = table->n_files - 1;
    while (i > 0 && table->files[i].first_row > row) i--;
    return &table->files[i];
}

void data_table_place(const data_table *table, int64_t row, char place[DATA_PLACE_BYTES]) {
    const data_table_file *file = file_of(table, row);
    if (table->lines)
        snprintf(place, DATA_PLACE_BYTES, "%s:%lld", file->path, (long long)table->lines[row]);
    else
        snprintf(place, DATA_PLACE_BYTES, "%s: element %lld", file->path, (long long)(row - file->first_row));
}

truce_status data_table_assign(const data_table *table, truce_dataset *dataset) {
    truce_split *splits = NULL;
    BASE_TRY(base_alloc(table->context, (size_t)table->n_rows, sizeof *splits, &splits));
    for (int i = 0; i < table->n_files; i++) {
        int64_t end = i + 1 < table->n_files ? table->files[i + 1].first_row : table->n_rows;
        for (int64_t row = table->files[i].first_row; row < end; row++) splits[row] = table->files[i].split;
    }
    truce_status status = truce_dataset_assign(dataset, splits);
    base_free(table->context, splits);
    return status;
}
