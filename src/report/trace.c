/*
 * One series in a panel. It is turned into px once and thinned to what a screen can show. Points have
 * tooltips as long as they are few enough to be met with a mouse.
 */
#include "report/trace.h"

#include "report/thin.h"

#include <math.h>

#define FAR 5000       /* px outside the area that coordinates are limited to */
#define COLUMN 0.5     /* px of a column of a thinned line */
#define MOST_TIPS 400  /* points of a line with tooltips */
#define MOST_DOTS 1000 /* points that are drawn without looking whether others cover them */
#define CELL 2         /* px within which one point of many is enough */

static double limit(double px, double from, double to) {
    return fmin(fmax(px, from - FAR), to + FAR);
}

static double px_of_y(const report_panel *p, double value) {
    double px = report_scale_px(&p->y, value);
    return isnan(px) ? px : limit(px, p->box.top, p->box.bottom);
}

/* The lower end of a spread that reaches zero on a logarithmic axis is below the picture. */
static double px_of_low(const report_panel *p, double value) {
    return p->y.log && value <= 0 ? p->box.bottom + FAR : px_of_y(p, value);
}

static void place_point(report_trace *t, int i) {
    const report_panel *p = t->panel;
    double x = report_scale_px(&p->x, report_series_x(t->series, i));
    t->x[i] = isnan(x) ? x : limit(x, p->box.left, p->box.right);
    t->y[i] = px_of_y(p, t->series->y[i]);
    t->low[i] = t->series->low ? px_of_low(p, t->series->low[i]) : NAN;
    t->high[i] = t->series->high ? px_of_y(p, t->series->high[i]) : NAN;
    if (isnan(t->x[i]) || isnan(t->y[i])) t->x[i] = t->y[i] = NAN;
    if (isnan(t->x[i]) || isnan(t->low[i]) || isnan(t->high[i])) t->low[i] = t->high[i] = NAN;
}

static size_t cell_of(double px, double from) {
    return (size_t)fmax(floor((px - from) / CELL), 0);
}

static truce_status make_cells(truce_context *context, report_trace *t) {
    const report_box *box = &t->panel->box;
    t->n_across = cell_of(box->right, box->left) + 2;
    return base_alloc(context, t->n_across, cell_of(box->bottom, box->top) + 2, &t->covered);
}

/* Whether a point (of the area) lies where one has been drawn; from now on it does. */
static bool is_covered(const report_trace *t, size_t i) {
    if (!t->covered) return false;
    const report_box *box = &t->panel->box;
    bool *cell = &t->covered[cell_of(t->y[i], box->top) * t->n_across + cell_of(t->x[i], box->left)];
    bool was_covered = *cell;
    *cell = true;
    return was_covered;
}

static bool is_seen(const report_trace *t, size_t i) {
    return report_box_holds(&t->panel->box, (report_point){t->x[i], t->y[i]}) && !is_covered(t, i);
}

truce_status report_trace_begin(truce_context *context, const report_panel *panel, int s, report_trace *t) {
    const report_series *series = &panel->plot->series[s];
    *t = (report_trace){.panel = panel,
                        .series = series,
                        .look = report_look_of(series, s),
                        .n = (size_t)BASE_MAX(series->n, 0)};
    BASE_TRY(base_alloc(context, t->n + 1, 4 * sizeof *t->x, &t->x));
    t->y = t->x + t->n;
    t->low = t->y + t->n;
    t->high = t->low + t->n;
    for (int i = 0; i < series->n; i++) place_point(t, i);
    BASE_TRY(base_alloc(context, t->n + 1, sizeof *t->kept, &t->kept));
    return t->n > MOST_DOTS ? make_cells(context, t) : TRUCE_OK;
}

void report_trace_end(truce_context *context, report_trace *t) {
    base_free(context, t->covered);
    base_free(context, t->kept);
    base_free(context, t->x);
}

static bool is_gap(const report_trace *t, size_t i) {
    return isnan(t->x[i]);
}

static void draw_line(report_pen pen, const report_trace *t) {
    size_t n = report_thin(t->x, t->y, t->n, COLUMN, t->kept);
    bool is_down = false;
    if (!n) return;
    report_svg_path(pen, report_line_class(t->look));
    for (size_t k = 0; k < n; k++) {
        size_t i = t->kept[k];
        if (!is_gap(t, i)) report_svg_move(pen, is_down ? 'L' : 'M', (report_point){t->x[i], t->y[i]});
        is_down = !is_gap(t, i);
    }
    report_put(pen, "'>");
    if (t->series->name) {
        report_put(pen, "<title>");
        report_put_text(pen, t->series->name);
        report_put(pen, "</title>");
    }
    report_put(pen, "</path>\n");
}

/* Points without neighbours make no line; a dot stands for each. */
static void draw_lone_points(report_pen pen, const report_trace *t) {
    for (size_t i = 0; i < t->n; i++) {
        bool has_left = i > 0 && !is_gap(t, i - 1), has_right = i + 1 < t->n && !is_gap(t, i + 1);
        if (is_gap(t, i) || has_left || has_right || !is_seen(t, i)) continue;
        report_svg_mark(pen, 0, (report_point){t->x[i], t->y[i]}, 3);
        report_put(pen, "/>\n");
    }
}

/* The thinned edge of a band from `first` on, there or back. */
static void draw_edge(report_pen pen, const report_trace *t, const double *y, size_t first, size_t n) {
    bool is_upper = y == t->high;
    size_t n_kept = report_thin(t->x + first, y + first, n, COLUMN, t->kept);
    for (size_t k = 0; k < n_kept; k++) {
        size_t i = first + t->kept[is_upper ? k : n_kept - 1 - k];
        report_svg_move(pen, is_upper && k == 0 ? 'M' : 'L', (report_point){t->x[i], y[i]});
    }
}

static void draw_band(report_pen pen, const report_trace *t) {
    report_svg_path(pen, "band");
    for (size_t first = 0, end; first < t->n; first = end + 1) {
        for (end = first; end < t->n && !isnan(t->low[end]); end++) {
        }
        if (end < first + 2) continue;
        draw_edge(pen, t, t->high, first, end - first);
        draw_edge(pen, t, t->low, first, end - first);
        report_put(pen, "Z");
    }
    report_put(pen, "'/>\n");
}

void report_trace_draw_lines(report_pen pen, const report_trace *t) {
    if (t->series->mark == REPORT_POINTS) return;
    report_open_look(pen, t->look);
    if (t->series->low && t->series->high) draw_band(pen, t);
    draw_line(pen, t);
    if (t->series->mark == REPORT_LINE) draw_lone_points(pen, t);
    report_put(pen, "</g>\n");
}

/* "name (label)", then x, y and the spread, a line each. */
static void put_tip(report_pen pen, const report_trace *t, int i) {
    const report_series *s = t->series;
    const char *label = s->labels ? s->labels[i] : NULL;
    report_put(pen, "<title>");
    if (s->name) report_put_text(pen, s->name);
    if (label) report_put(pen, s->name ? ": " : "");
    if (label) report_put_text(pen, label);
    if (label || s->name) report_put(pen, "\n");
    report_put_text(pen, t->panel->plot->x.label ? t->panel->plot->x.label : "x");
    report_put(pen, ": %.6g\n", report_series_x(s, i));
    report_put_text(pen, t->panel->plot->y.label ? t->panel->plot->y.label : "y");
    report_put(pen, ": %.6g", s->y[i]);
    if (!isnan(t->low[i])) report_put(pen, " (%.6g to %.6g)", s->low[i], s->high[i]);
    report_put(pen, "</title>");
}

static void draw_whisker(report_pen pen, const report_trace *t, size_t i) {
    const report_box *box = &t->panel->box;
    double high = fmin(fmax(t->high[i], box->top), box->bottom), x = t->x[i];
    double low = fmin(fmax(t->low[i], box->top), box->bottom);
    report_svg_line(pen, "whisker", (report_point){x, low}, (report_point){x, high});
}

static void draw_point(report_pen pen, const report_trace *t, size_t i) {
    report_point at = {t->x[i], t->y[i]};
    bool is_cloud = t->series->mark == REPORT_POINTS;
    if (is_cloud && !isnan(t->low[i])) draw_whisker(pen, t, i);
    if (t->series->mark != REPORT_LINE)
        report_svg_mark(pen, t->look.shape, at, 4);
    else
        report_put(pen, "<path class='hit' d='M%g %ga7 7 0 1 0 14 0a7 7 0 1 0 -14 0Z'", report_px(at.x - 7),
                   report_px(at.y));
    report_put(pen, ">");
    put_tip(pen, t, (int)i);
    report_put(pen, "</path>\n");
}

void report_trace_draw_points(report_pen pen, const report_trace *t) {
    if (t->series->mark == REPORT_LINE && t->n > MOST_TIPS) return;
    report_open_look(pen, t->look);
    for (size_t i = 0; i < t->n; i++)
        if (is_seen(t, i)) draw_point(pen, t, i);
    report_put(pen, "</g>\n");
}
