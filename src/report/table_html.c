/*
 * A table as HTML. Numbers are right-aligned in tabular figures; since all numbers of a column have the same
 * decimals, the points stand above each other. Where only some have a spread, the others leave room for one.
 */
#include "report/markup.h"
#include "report/table_rows.h"

#include <string.h>

typedef struct layout {
    const char *side;
    int64_t best; /* row of the best number or -1 */
    int spread;   /* characters that the longest spread takes; 0: none has one */
} layout;

typedef struct writer {
    const report_table *table;
    report_pen pen;
    layout *layouts; /* [n_columns] */
} writer;

static layout measure_column(const report_table *table, int column) {
    layout l = {.side = report_table_reads_right(table, column) ? "right" : "left",
                .best = report_table_best(table, column)};
    for (size_t i = 0; i < table->n_rows; i++) {
        if (report_table_cell(table, i, column)->kind != REPORT_CELL_NUMBER) continue;
        report_number number = report_table_show(table, i, column, REPORT_TYPESET);
        int n = (int)report_measure_text(number.spread, report_measure_cells);
        l.spread = BASE_MAX(l.spread, n);
    }
    return l;
}

static void put_header(writer *w, int column) {
    const report_column *c = &w->table->columns[column];
    report_put(w->pen, "<th scope='col' class='%s'>", w->layouts[column].side);
    report_put_text(w->pen, c->header);
    if (c->unit) {
        report_put(w->pen, " <span class='unit'>(");
        report_put_text(w->pen, c->unit);
        report_put(w->pen, ")</span>");
    }
    report_put(w->pen, "</th>");
}

static void put_headers(writer *w) {
    report_put(w->pen, "<thead><tr>");
    for (int i = 0; i < w->table->n_columns; i++) put_header(w, i);
    report_put(w->pen, "</tr></thead>\n");
}

/* An empty spread keeps its column's numbers in line. */
static void put_spread(writer *w, int column, const char *spread) {
    int room = w->layouts[column].spread;
    if (!room) return;
    report_put(w->pen, "<span class='spread' style='min-width:%dch'>", room + 2);
    if (*spread) report_put(w->pen, "%s%s", report_spread_sign(REPORT_TYPESET), spread);
    report_put(w->pen, "</span>");
}

static void put_number(writer *w, size_t row, int column) {
    report_number number = report_table_show(w->table, row, column, REPORT_TYPESET);
    bool is_best = report_table_is_best(w->table, row, column, w->layouts[column].best);
    report_put(w->pen, "<td class='%s%s'><span class='value'>%s</span>", w->layouts[column].side,
               is_best ? " best" : "", number.value);
    put_spread(w, column, number.spread);
    report_put(w->pen, "</td>");
}

/* The first text of a row names it. */
static void put_text(writer *w, size_t text, int column) {
    const char *tag = column ? "td" : "th";
    report_put(w->pen, "<%s%s class='%s'>", tag, column ? "" : " scope='row'", w->layouts[column].side);
    report_put_text(w->pen, report_table_text_at(w->table, text));
    report_put(w->pen, "</%s>", tag);
}

static void put_cell(writer *w, size_t row, int column) {
    const report_cell *cell = report_table_cell(w->table, row, column);
    if (cell->kind == REPORT_CELL_NUMBER) {
        put_number(w, row, column);
    } else if (cell->kind == REPORT_CELL_TEXT) {
        put_text(w, cell->text, column);
    } else {
        report_put(w->pen, "<td class='%s missing'>–", w->layouts[column].side);
        put_spread(w, column, "");
        report_put(w->pen, "</td>");
    }
}

static void put_group(writer *w, size_t row) {
    const report_row *group = &w->table->rows[row];
    if (row > 0) report_put(w->pen, "</tbody>\n<tbody>\n");
    if (!group->has_title) return;
    report_put(w->pen, "<tr class='group'><th scope='rowgroup' colspan='%d'><span>", w->table->n_columns);
    report_put_text(w->pen, report_table_text_at(w->table, group->title));
    report_put(w->pen, "</span></th></tr>\n");
}

static void put_row(writer *w, size_t row) {
    if (w->table->rows[row].kind == REPORT_ROW_GROUP) {
        put_group(w, row);
        return;
    }
    report_put(w->pen, w->table->rows[row].kind == REPORT_ROW_REFERENCE ? "<tr class='reference'>" : "<tr>");
    for (int i = 0; i < w->table->n_columns; i++) put_cell(w, row, i);
    report_put(w->pen, "</tr>\n");
}

static void put_caption(writer *w, const char *caption) {
    if (!caption) return;
    report_put(w->pen, "<caption>");
    report_put_text(w->pen, caption);
    report_put(w->pen, "</caption>\n");
}

static void put_table(writer *w, const char *caption) {
    for (int i = 0; i < w->table->n_columns; i++) w->layouts[i] = measure_column(w->table, i);
    report_put(w->pen, "<table>\n");
    put_caption(w, caption);
    put_headers(w);
    report_put(w->pen, "<tbody>\n");
    for (size_t i = 0; i < w->table->n_rows; i++) put_row(w, i);
    report_put(w->pen, "</tbody>\n</table>\n");
}

truce_status report_table_html(const report_table *table, const char *caption, base_text *out) {
    if (table->status) return table->status;
    truce_context *context = table->context;
    base_text text = {0};
    writer w = {.table = table, .pen = {context, &text}};
    BASE_TRY(base_alloc(context, (size_t)table->n_columns, sizeof *w.layouts, &w.layouts));
    put_table(&w, caption);
    truce_status status = report_deliver(w.pen, out);
    base_free(context, w.layouts);
    return status;
}
