/*
 * Tables: described once, written for a terminal or as HTML.
 *
 * A table is filled row by row, cell by cell. As with base_text, a failure while filling is kept and returned
 * by the call that writes the table, so that filling needs no checks.
 */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "report/number.h"

/* By default numbers stand to the right and text to the left. */
typedef enum report_align { REPORT_ALIGN_AUTO, REPORT_ALIGN_LEFT, REPORT_ALIGN_RIGHT } report_align;

/* Which number of a column is marked. What looks the same as the best number is marked with it. */
typedef enum report_best { REPORT_BEST_NONE, REPORT_BEST_LOWEST, REPORT_BEST_HIGHEST } report_best;

/* A zeroed column holds text, or numbers without decimals. Texts are copied. */
typedef struct report_column {
    const char *header;
    const char *unit; /* shown with the header; NULL: none */
    report_align align;
    report_format format;
    report_best best;
} report_column;

typedef struct report_table report_table;

truce_status report_table_create(truce_context *context, const report_column *columns, int n_columns,
                                 report_table **out);
void report_table_destroy(report_table *table);

/* Begins a row. Cells that it is not given are missing. */
void report_table_row(report_table *table);

/* Begins a row that takes no part in the search for the best, such as a baseline or a mean. */
void report_table_reference_row(report_table *table);

/* Begins a group of rows behind a rule, under a title unless it is NULL. */
void report_table_group(report_table *table, const char *title);

/* The next cell of the row. NaN is a number that went wrong ("nan"); a value that does not exist is missing.
 */
void report_table_text(report_table *table, const char *text);
void report_table_number(report_table *table, double value);
void report_table_spread(report_table *table, double value, double spread);
void report_table_missing(report_table *table);

/* What a terminal can show. Zeroed is what a plain file takes: ASCII, no colours, lines of any length. */
typedef struct report_terminal {
    bool utf8, colour;
    int n_columns; /* texts are cut, as far as that helps, to keep lines this short; 0: never */
} report_terminal;

/* Appends the table; on failure `out` keeps what it had. */
truce_status report_table_print(const report_table *table, const report_terminal *terminal, base_text *out);

/* Appends a <table> element, with a caption unless it is NULL. Its classes are styled by the page. */
truce_status report_table_html(const report_table *table, const char *caption, base_text *out);

#endif
