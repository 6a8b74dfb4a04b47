/*
 * The rows of a table, and which of its numbers are best. Writing is left to table_print.c and table_html.c.
 */
#include "report/table_rows.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static truce_status copy_columns(report_table *table, const report_column *columns) {
    BASE_TRY(base_alloc(table->context, (size_t)table->n_columns, sizeof *columns, &table->columns));
    for (int i = 0; i < table->n_columns; i++) {
        report_column *column = &table->columns[i];
        *column = columns[i];
        column->header = column->unit = NULL;
    }
    for (int i = 0; i < table->n_columns; i++) {
        char *copy = NULL;
        BASE_TRY(base_copy_text(table->context, columns[i].header ? columns[i].header : "", &copy));
        table->columns[i].header = copy;
        if (!columns[i].unit) continue;
        BASE_TRY(base_copy_text(table->context, columns[i].unit, &copy));
        table->columns[i].unit = copy;
    }
    return TRUCE_OK;
}

truce_status report_table_create(truce_context *context, const report_column *columns, int n_columns,
                                 report_table **out) {
    assert(n_columns > 0);
    report_table *table = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *table, &table));
    table->context = context;
    table->n_columns = n_columns;
    truce_status status = copy_columns(table, columns);
    if (status)
        report_table_destroy(table);
    else
        *out = table;
    return status;
}

void report_table_destroy(report_table *table) {
    if (!table) return;
    truce_context *context = table->context;
    base_text_free(context, &table->texts);
    base_free(context, table->cells);
    base_free(context, table->rows);
    for (int i = 0; table->columns && i < table->n_columns; i++) {
        base_free(context, (char *)table->columns[i].unit);
        base_free(context, (char *)table->columns[i].header);
    }
    base_free(context, table->columns);
    base_free(context, table);
}

static truce_status make_room(report_table *table) {
    size_t n_cells = (table->n_rows + 1) * (size_t)table->n_columns;
    BASE_TRY(base_grow(table->context, &table->rows, &table->row_capacity, table->n_rows + 1,
                       sizeof *table->rows));
    return base_grow(table->context, &table->cells, &table->cell_capacity, n_cells, sizeof *table->cells);
}

static void add_row(report_table *table, report_row row) {
    if (!table->status) table->status = make_room(table);
    if (table->status) return;
    size_t n = (size_t)table->n_columns;
    memset(table->cells + table->n_rows * n, 0, n * sizeof *table->cells);
    table->rows[table->n_rows++] = row;
    table->at = row.kind == REPORT_ROW_GROUP ? table->n_columns : 0;
}

/* Keeps a text and returns where. */
static size_t keep_text(report_table *table, const char *text) {
    size_t at = table->texts.n;
    base_text_add_n(table->context, &table->texts, text, strlen(text) + 1);
    if (!table->status) table->status = table->texts.status;
    return at;
}

void report_table_row(report_table *table) {
    add_row(table, (report_row){.kind = REPORT_ROW_PLAIN});
}

void report_table_reference_row(report_table *table) {
    add_row(table, (report_row){.kind = REPORT_ROW_REFERENCE});
}

void report_table_group(report_table *table, const char *title) {
    size_t at = title ? keep_text(table, title) : 0;
    add_row(table, (report_row){.kind = REPORT_ROW_GROUP, .has_title = title != NULL, .title = at});
}

static void add_cell(report_table *table, report_cell cell) {
    if (table->status) return;
    assert(table->n_rows > 0 && table->at < table->n_columns);
    table->cells[(table->n_rows - 1) * (size_t)table->n_columns + (size_t)table->at++] = cell;
}

void report_table_text(report_table *table, const char *text) {
    add_cell(table, (report_cell){.kind = REPORT_CELL_TEXT, .text = keep_text(table, text)});
}

void report_table_number(report_table *table, double value) {
    report_table_spread(table, value, NAN);
}

void report_table_spread(report_table *table, double value, double spread) {
    add_cell(table, (report_cell){.kind = REPORT_CELL_NUMBER, .value = value, .spread = spread});
}

void report_table_missing(report_table *table) {
    add_cell(table, (report_cell){0});
}

const report_cell *report_table_cell(const report_table *table, size_t row, int column) {
    return &table->cells[row * (size_t)table->n_columns + (size_t)column];
}

const char *report_table_text_at(const report_table *table, size_t text) {
    return table->texts.bytes + text;
}

bool report_table_reads_right(const report_table *table, int column) {
    if (table->columns[column].align) return table->columns[column].align == REPORT_ALIGN_RIGHT;
    bool has_number = table->columns[column].unit != NULL;
    for (size_t i = 0; i < table->n_rows; i++) {
        report_cell_kind kind = report_table_cell(table, i, column)->kind;
        if (kind == REPORT_CELL_TEXT) return false;
        has_number = has_number || kind == REPORT_CELL_NUMBER;
    }
    return has_number;
}

report_number report_table_show(const report_table *table, size_t row, int column, report_signs signs) {
    const report_cell *cell = report_table_cell(table, row, column);
    return report_format_number(cell->value, cell->spread, table->columns[column].format, signs);
}

static bool competes(const report_table *table, size_t row, int column) {
    const report_cell *cell = report_table_cell(table, row, column);
    return table->rows[row].kind == REPORT_ROW_PLAIN && cell->kind == REPORT_CELL_NUMBER &&
           !isnan(cell->value);
}

int64_t report_table_best(const report_table *table, int column) {
    report_best wanted = table->columns[column].best;
    int64_t best = -1, n = 0;
    double least = INFINITY;
    for (size_t i = 0; wanted && i < table->n_rows; i++) {
        if (!competes(table, i, column)) continue;
        double value = report_table_cell(table, i, column)->value;
        double cost = wanted == REPORT_BEST_LOWEST ? value : -value;
        n++;
        if (best >= 0 && cost >= least) continue;
        best = (int64_t)i;
        least = cost;
    }
    return n > 1 ? best : -1;
}

bool report_table_is_best(const report_table *table, size_t row, int column, int64_t best) {
    if (best < 0 || !competes(table, row, column)) return false;
    report_number shown = report_table_show(table, row, column, REPORT_PLAIN);
    report_number winner = report_table_show(table, (size_t)best, column, REPORT_PLAIN);
    return strcmp(shown.value, winner.value) == 0;
}
