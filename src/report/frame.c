/*
 * What surrounds the data: title, legend and footnotes, each in rows of its own, so that nothing ever lies on
 * data.
 */
#include "report/frame.h"

#include "report/style.h"

#include <math.h>

#define EDGE 1 /* px that stay free at the borders of a picture */
#define TITLE_ROW 28
#define LEGEND_ROW 20
#define FOOT_ROW 16
#define KEY 22    /* width of a key */
#define SQUARE 12 /* or of a key for bars */
#define KEY_GAP 6 /* between a key and its name */
#define ENTRY_GAP 18
#define LONGEST_NAME 200

report_look report_look_of(const report_series *series, int place) {
    if (series->colour < 0) return (report_look){-1, 0, 0};
    int k = series->colour > 0 ? series->colour - 1 : place, round = k / REPORT_N_COLOURS;
    return (report_look){k % REPORT_N_COLOURS, round % REPORT_N_DASHES, round};
}

void report_open_look(report_pen pen, report_look look) {
    if (look.colour < 0)
        report_put(pen, "<g class='muted'>\n");
    else
        report_put(pen, "<g class='s%d'>\n", look.colour);
}

const char *report_line_class(report_look look) {
    static const char *const classes[REPORT_N_DASHES] = {"line",       "line dash1", "line dash2",
                                                         "line dash3", "line dash4", "line dash5"};
    return classes[look.dash];
}

/* The line and the mark of a series. */
static void draw_sample(report_pen pen, report_mark mark, report_look look, report_point at) {
    if (mark != REPORT_POINTS)
        report_svg_line(pen, report_line_class(look), at, (report_point){at.x + KEY, at.y});
    if (mark == REPORT_LINE) return;
    report_svg_mark(pen, look.shape, (report_point){at.x + KEY / 2.0, at.y}, 4);
    report_put(pen, "/>\n");
}

/* What stands for a series, its middle left at a point. */
static void draw_key(report_pen pen, const report_legend *legend, int i, report_point at) {
    report_look look = report_look_of(&legend->series[i], i);
    report_mark mark = legend->key == REPORT_KEY_MARK ? REPORT_POINTS : legend->series[i].mark;
    report_open_look(pen, look);
    if (legend->key != REPORT_KEY_SQUARE)
        draw_sample(pen, mark, look, at);
    else
        report_svg_rect(pen, "bar", (report_box){at.x, at.y - 6, at.x + SQUARE, at.y + 6});
    report_put(pen, "</g>\n");
}

/* From the left end of a key to its name. */
static double name_shift(const report_legend *legend) {
    return (legend->key == REPORT_KEY_SQUARE ? SQUARE : KEY) + KEY_GAP;
}

static double entry_width(const report_legend *legend, const char *name) {
    return name_shift(legend) + fmin(report_text_width(name, REPORT_TEXT_SIZE), LONGEST_NAME) + ENTRY_GAP;
}

/* Entries stand one after the other where one row holds them all, else in columns. */
typedef struct rows {
    int n_columns; /* 0: a single row */
    int n_rows;
    double column;
} rows;

static rows arrange(const report_legend *legend, double width) {
    double sum = 0, widest = 1;
    int n = 0;
    for (int i = 0; legend && i < legend->n; i++) {
        if (!legend->series[i].name) continue;
        double entry = entry_width(legend, legend->series[i].name);
        sum += entry;
        widest = fmax(widest, entry);
        n++;
    }
    if (sum - ENTRY_GAP <= width - 2 * EDGE) return (rows){0, n > 0, 0};
    int n_columns = BASE_MAX(1, (int)((width - 2 * EDGE + ENTRY_GAP) / widest));
    return (rows){n_columns, (n + n_columns - 1) / n_columns, widest};
}

double report_head_height(const char *title, const report_legend *legend, double width) {
    rows r = arrange(legend, width);
    return EDGE + (title ? TITLE_ROW : 0) + r.n_rows * LEGEND_ROW + (r.n_rows ? 6 : 0);
}

static void draw_entry(report_pen pen, const report_legend *legend, int i, report_point at) {
    draw_key(pen, legend, i, at);
    report_label name = {.text = legend->series[i].name,
                         .class = "name",
                         .at = {at.x + name_shift(legend), at.y},
                         .room = LONGEST_NAME};
    report_svg_label(pen, &name);
}

static void draw_legend(report_pen pen, const report_legend *legend, double top, double width) {
    rows r = arrange(legend, width);
    double left = EDGE;
    for (int i = 0, k = 0; legend && i < legend->n; i++) {
        if (!legend->series[i].name) continue;
        int row = r.n_columns ? k / r.n_columns : 0;
        if (r.n_columns) left = EDGE + k % r.n_columns * r.column;
        draw_entry(pen, legend, i, (report_point){left, top + LEGEND_ROW * (row + 0.5)});
        left += entry_width(legend, legend->series[i].name);
        k++;
    }
}

void report_draw_head(report_pen pen, const char *title, const report_legend *legend, double width) {
    if (title) {
        report_label label = {.text = title,
                              .class = "title",
                              .at = {EDGE, EDGE + 9},
                              .size = REPORT_TITLE_SIZE * 1.1,
                              .room = width - 2 * EDGE};
        report_svg_label(pen, &label);
    }
    draw_legend(pen, legend, EDGE + (title ? TITLE_ROW : 0), width);
}

void report_omit(report_omitted *omitted, const report_range *range, double value) {
    if (isnan(value) || report_range_takes(range, value)) return;
    if (range->log && value <= 1)
        omitted->not_positive++;
    else
        omitted->too_large++;
}

double report_foot_height(const report_omitted *omitted) {
    return FOOT_ROW * ((omitted->too_large > 0) + (omitted->not_positive > 0)) + EDGE;
}

static void draw_note(report_pen pen, int64_t n, const char *what, double top) {
    char text[96];
    base_print(text, sizeof text, "%lld %s %s", (long long)n, n == 1 ? "value" : "values", what);
    report_label label = {.text = text, .at = {EDGE, top + FOOT_ROW / 2.0}};
    report_svg_label(pen, &label);
}

void report_draw_foot(report_pen pen, const report_omitted *omitted, double top) {
    if (omitted->too_large) draw_note(pen, omitted->too_large, "not shown: too large", top);
    if (omitted->too_large) top += FOOT_ROW;
    if (omitted->not_positive)
        draw_note(pen, omitted->not_positive, "not shown: not positive, on a logarithmic axis", top);
}

void report_draw_nothing(report_pen pen, report_box box) {
    report_label label = {.text = "no values",
                          .at = {(box.left + box.right) / 2, (box.top + box.bottom) / 2},
                          .anchor = REPORT_MIDDLE};
    report_svg_label(pen, &label);
}
