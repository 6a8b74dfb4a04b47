/*
 * What is in a table, for the two files that write it.
 */
#ifndef REPORT_TABLE_ROWS_H
#define REPORT_TABLE_ROWS_H

#include "report/table.h"

typedef enum report_cell_kind { REPORT_CELL_MISSING, REPORT_CELL_TEXT, REPORT_CELL_NUMBER } report_cell_kind;

typedef struct report_cell {
    report_cell_kind kind;
    size_t text; /* where it begins in the table's texts */
    double value, spread;
} report_cell;

typedef enum report_row_kind { REPORT_ROW_PLAIN, REPORT_ROW_REFERENCE, REPORT_ROW_GROUP } report_row_kind;

typedef struct report_row {
    report_row_kind kind;
    bool has_title;
    size_t title; /* of a group, in the table's texts */
} report_row;

struct report_table {
    truce_context *context;
    report_column *columns; /* [n_columns], the texts are this table's own */
    int n_columns, at;      /* the next cell of the last row */
    report_row *rows;       /* [n_rows] */
    report_cell *cells;     /* [n_rows][n_columns], missing in the row of a group */
    size_t n_rows, row_capacity, cell_capacity;
    base_text texts; /* each with its terminating 0 */
    truce_status status;
};

const report_cell *report_table_cell(const report_table *table, size_t row, int column);
const char *report_table_text_at(const report_table *table, size_t text);

/* Numbers in the column, or a unit: it reads from the right. */
bool report_table_reads_right(const report_table *table, int column);

/* The cell as it is written. */
report_number report_table_show(const report_table *table, size_t row, int column, report_signs signs);

/* The row of a column's best number, or -1 where fewer than two compete. */
int64_t report_table_best(const report_table *table, int column);

/* Whether the cell looks like the best of its column, and competes. */
bool report_table_is_best(const report_table *table, size_t row, int column, int64_t best);

#endif
