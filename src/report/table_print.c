/*
 * A table on a terminal or in a plain file: columns apart by two blanks, a rule under the header and above
 * each group, no blanks at the ends of lines. Widths are counted in cells of the terminal, so that names in
 * any script line up. Where colour cannot mark the best numbers, a star does.
 */
#include "report/markup.h"
#include "report/table_rows.h"

#include <string.h>

#define GAP 2
#define LEAST_TEXT 8 /* cut texts keep this much */

#define PLAIN "0"
#define BOLD "1"
#define DIM "2"
#define BEST "1;32"

/* The room that a column takes, in cells of the terminal. */
typedef struct layout {
    int whole, value, spread; /* spread: 0 where no number has one */
    int least;                /* what cutting must leave */
    bool right, starred;
    int64_t best;
} layout;

typedef struct printer {
    const report_table *table;
    const report_terminal *terminal;
    report_pen pen;
    report_signs signs;
    layout *layouts; /* [n_columns] */
} printer;

static int cells_of(const char *text) {
    return (int)report_measure_text(text, report_measure_cells);
}

static int spread_room(const layout *l, report_signs signs) {
    return l->spread ? l->spread + cells_of(report_spread_sign(signs)) : 0;
}

static int header_room(const report_column *column) {
    int room = cells_of(column->header);
    return column->unit ? room + cells_of(column->unit) + 3 : room;
}

static void measure_numbers(printer *p, int column, layout *l) {
    for (size_t i = 0; i < p->table->n_rows; i++) {
        if (report_table_cell(p->table, i, column)->kind != REPORT_CELL_NUMBER) continue;
        report_number number = report_table_show(p->table, i, column, p->signs);
        l->value = BASE_MAX(l->value, cells_of(number.value));
        l->spread = BASE_MAX(l->spread, cells_of(number.spread));
    }
}

static int widest_text(const report_table *table, int column) {
    int widest = 1;
    for (size_t i = 0; i < table->n_rows; i++) {
        const report_cell *cell = report_table_cell(table, i, column);
        if (cell->kind != REPORT_CELL_TEXT) continue;
        widest = BASE_MAX(widest, cells_of(report_table_text_at(table, cell->text)));
    }
    return widest;
}

static layout measure_column(printer *p, int column) {
    layout l = {.right = report_table_reads_right(p->table, column),
                .best = report_table_best(p->table, column)};
    measure_numbers(p, column, &l);
    l.starred = l.best >= 0 && !p->terminal->colour;
    int numbers = l.value + spread_room(&l, p->signs) + l.starred;
    int texts = BASE_MAX(widest_text(p->table, column), header_room(&p->table->columns[column]));
    l.whole = BASE_MAX(numbers, texts);
    l.least = BASE_MAX(numbers, BASE_MIN(texts, LEAST_TEXT));
    return l;
}

static int line_room(const printer *p) {
    int room = GAP * (p->table->n_columns - 1);
    for (int i = 0; i < p->table->n_columns; i++) room += p->layouts[i].whole;
    return room;
}

/* Takes a cell at a time from the widest column that can spare one. */
static void cut_columns(printer *p) {
    for (int excess = line_room(p) - p->terminal->n_columns; excess > 0; excess--) {
        layout *widest = NULL;
        for (int i = 0; i < p->table->n_columns; i++) {
            layout *l = &p->layouts[i];
            if (l->whole > l->least && (!widest || l->whole > widest->whole)) widest = l;
        }
        if (!widest) return;
        widest->whole--;
    }
}

static void put_blanks(printer *p, int n) {
    report_put(p->pen, "%*s", BASE_MAX(n, 0), "");
}

static void put_rule(printer *p) {
    for (int n = line_room(p); n > 0; n--) report_put(p->pen, "%s", p->terminal->utf8 ? "─" : "-");
    report_put(p->pen, "\n");
}

static void put_style(printer *p, const char *style) {
    if (p->terminal->colour) report_put(p->pen, "\033[%sm", style);
}

/* A text cut to the room, in a style unless that is NULL. */
static void put_styled(printer *p, const char *style, const char *text, int room) {
    if (style) put_style(p, style);
    report_put_cells(p->pen, text, room, !p->terminal->utf8);
    if (style) put_style(p, PLAIN);
}

/* Room for a text of this many cells: blanks before it where the column reads from the right, or after it. */
static void put_aligned(printer *p, const layout *l, const char *style, const char *text) {
    int blanks = l->whole - BASE_MIN(cells_of(text), l->whole);
    if (l->right) put_blanks(p, blanks);
    put_styled(p, style, text, l->whole);
    if (!l->right) put_blanks(p, blanks);
}

static void put_spread(printer *p, const layout *l, const char *spread) {
    if (!l->spread) return;
    if (!*spread) {
        put_blanks(p, spread_room(l, p->signs));
        return;
    }
    put_style(p, DIM);
    report_put(p->pen, "%s", report_spread_sign(p->signs));
    put_blanks(p, l->spread - cells_of(spread));
    report_put(p->pen, "%s", spread);
    put_style(p, PLAIN);
}

static void put_number(printer *p, size_t row, int column) {
    const layout *l = &p->layouts[column];
    report_number number = report_table_show(p->table, row, column, p->signs);
    bool is_best = report_table_is_best(p->table, row, column, l->best);
    int blanks = l->whole - l->value - spread_room(l, p->signs) - l->starred;
    put_blanks(p, (l->right ? blanks : 0) + l->value - cells_of(number.value));
    put_styled(p, is_best ? BEST : NULL, number.value, l->value);
    put_spread(p, l, number.spread);
    if (l->starred) report_put(p->pen, "%s", is_best ? "*" : " ");
    if (!l->right) put_blanks(p, blanks);
}

/* Missing numbers stand where the numbers do, left of their spread. */
static void put_missing(printer *p, const layout *l) {
    int after = l->right && l->value ? spread_room(l, p->signs) + l->starred : 0;
    layout narrowed = *l;
    narrowed.whole -= after;
    put_aligned(p, &narrowed, DIM, p->terminal->utf8 ? "–" : "-");
    put_blanks(p, after);
}

static void put_cell(printer *p, size_t row, int column) {
    const report_cell *cell = report_table_cell(p->table, row, column);
    const layout *l = &p->layouts[column];
    if (cell->kind == REPORT_CELL_NUMBER)
        put_number(p, row, column);
    else if (cell->kind == REPORT_CELL_MISSING)
        put_missing(p, l);
    else
        put_aligned(p, l, NULL, report_table_text_at(p->table, cell->text));
}

static void end_line(printer *p) {
    base_text *text = p->pen.text;
    while (text->n && text->bytes[text->n - 1] == ' ') text->bytes[--text->n] = 0;
    report_put(p->pen, "\n");
}

static void put_header(printer *p, int column) {
    const report_column *c = &p->table->columns[column];
    base_text header = {0};
    report_pen pen = {p->pen.context, &header};
    report_put(pen, "%s", c->header);
    if (c->unit) report_put(pen, " (%s)", c->unit);
    put_aligned(p, &p->layouts[column], BOLD, base_text_get(&header));
    if (header.status) p->pen.text->status = header.status;
    base_text_free(p->pen.context, &header);
}

static void put_headers(printer *p) {
    for (int i = 0; i < p->table->n_columns; i++) {
        if (i) put_blanks(p, GAP);
        put_header(p, i);
    }
    end_line(p);
    put_rule(p);
}

static void put_group(printer *p, size_t row) {
    const report_row *group = &p->table->rows[row];
    if (row > 0) put_rule(p);
    if (!group->has_title) return;
    put_styled(p, BOLD, report_table_text_at(p->table, group->title), line_room(p));
    end_line(p);
}

static void put_row(printer *p, size_t row) {
    if (p->table->rows[row].kind == REPORT_ROW_GROUP) {
        put_group(p, row);
        return;
    }
    for (int i = 0; i < p->table->n_columns; i++) {
        if (i) put_blanks(p, GAP);
        put_cell(p, row, i);
    }
    end_line(p);
}

static void put_table(printer *p) {
    for (int i = 0; i < p->table->n_columns; i++) p->layouts[i] = measure_column(p, i);
    if (p->terminal->n_columns > 0) cut_columns(p);
    put_headers(p);
    for (size_t i = 0; i < p->table->n_rows; i++) put_row(p, i);
}

truce_status report_table_print(const report_table *table, const report_terminal *terminal, base_text *out) {
    if (table->status) return table->status;
    truce_context *context = table->context;
    base_text text = {0};
    printer p = {table, terminal, {context, &text}, terminal->utf8 ? REPORT_PLAIN : REPORT_ASCII, NULL};
    BASE_TRY(base_alloc(context, (size_t)table->n_columns, sizeof *p.layouts, &p.layouts));
    put_table(&p);
    truce_status status = report_deliver(p.pen, out);
    base_free(context, p.layouts);
    return status;
}
