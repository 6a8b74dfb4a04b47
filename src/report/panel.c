/*
 * A panel: its scales, and what is drawn in which order. Bands and lines are clipped to the area; points
 * stand in front of them, and names of points where there is room.
 */
#include "report/panel.h"

#include "report/place.h"
#include "report/style.h"
#include "report/trace.h"

#include <math.h>

#define MOST_LABELS 200     /* names of points that are written */
#define MOST_OBSTACLES 2000 /* among which room is looked for */
#define LINE_STEP 6         /* px between obstacles on a line */

double report_series_x(const report_series *series, int i) {
    return series->x ? series->x[i] : i;
}

report_extent report_extent_begin(const report_axis *x, const report_axis *y) {
    return (report_extent){.x = report_range_begin(x->log), .y = report_range_begin(y->log)};
}

static void add_point(report_extent *extent, const report_series *series, int i) {
    double x = report_series_x(series, i), y = series->y[i];
    if (isnan(x) || isnan(y)) return;
    if (!report_range_takes(&extent->x, x)) {
        report_omit(&extent->omitted, &extent->x, x);
        return;
    }
    report_omit(&extent->omitted, &extent->y, y);
    if (!report_range_takes(&extent->y, y)) return;
    report_range_add(&extent->x, x);
    report_range_add(&extent->y, y);
    if (series->low) report_range_add(&extent->y, series->low[i]);
    if (series->high) report_range_add(&extent->y, series->high[i]);
}

void report_extent_add(report_extent *extent, const report_plot *plot) {
    for (int s = 0; s < plot->n_series; s++) {
        for (int i = 0; i < plot->series[s].n; i++) add_point(extent, &plot->series[s], i);
        if (plot->series[s].mark == REPORT_POINTS) extent->has_cloud = true;
    }
}

/* About so many ticks fit when each has this room. */
static int ticks_in(double size, double room) {
    return (int)fmax(4, fmin(floor(size / room) + 1, REPORT_MAX_TICKS - 4));
}

void report_panel_fit(report_panel *panel, const report_extent *extent, const report_axis *x,
                      const report_axis *y, report_point size) {
    panel->has_cloud = extent->has_cloud;
    panel->x = report_scale_fit(x, &extent->x, extent->has_cloud ? REPORT_PADDED : REPORT_TIGHT,
                                ticks_in(size.x, 60), &panel->x_ticks);
    panel->y = report_scale_fit(y, &extent->y, extent->has_cloud ? REPORT_PADDED : REPORT_TO_TICKS,
                                ticks_in(size.y, 40), &panel->y_ticks);
}

void report_panel_put(report_panel *panel, report_box box) {
    panel->box = box;
    panel->x.from = box.left;
    panel->x.to = box.right;
    panel->y.from = box.bottom;
    panel->y.to = box.top;
}

/* The place of a point that can be seen. */
static bool find_point(const report_panel *p, const report_series *series, int i, report_point *out) {
    report_point at = {report_scale_px(&p->x, report_series_x(series, i)),
                       report_scale_px(&p->y, series->y[i])};
    if (!report_box_holds(&p->box, at)) return false;
    *out = at;
    return true;
}

static truce_status avoid(truce_context *context, report_placer *placer, report_point at, double half) {
    if (placer->n >= MOST_OBSTACLES) return TRUCE_OK;
    report_obstacle obstacle = {{at.x - half, at.y - half, at.x + half, at.y + half}, placer->is_background};
    return report_placer_add(context, placer, obstacle);
}

/* Steps along a line. */
static truce_status avoid_line(truce_context *context, report_placer *placer, report_point from,
                               report_point to) {
    int n = (int)fmin(ceil(hypot(to.x - from.x, to.y - from.y) / LINE_STEP), MOST_OBSTACLES);
    for (int k = 1; k < n; k++) {
        double part = (double)k / n;
        report_point at = {from.x + part * (to.x - from.x), from.y + part * (to.y - from.y)};
        BASE_TRY(avoid(context, placer, at, 1));
    }
    return TRUCE_OK;
}

/* What the labels of points must not cover. Grey series are background. */
static truce_status avoid_series(truce_context *context, const report_panel *p, const report_series *series,
                                 report_placer *placer) {
    report_point last = {NAN, NAN}, at;
    placer->is_background = series->colour == REPORT_MUTED;
    for (int i = 0; i < series->n && placer->n < MOST_OBSTACLES; i++) {
        if (!find_point(p, series, i, &at)) continue;
        if (series->mark != REPORT_LINE) BASE_TRY(avoid(context, placer, at, 5));
        if (series->mark != REPORT_POINTS && !isnan(last.x)) BASE_TRY(avoid_line(context, placer, last, at));
        last = at;
    }
    placer->is_background = false;
    return TRUCE_OK;
}

static truce_status draw_point_label(report_pen pen, report_placer *placer, const char *text,
                                     report_point at) {
    report_box box;
    double width = report_text_width(text, REPORT_TEXT_SIZE);
    if (!report_placer_find(placer, at, width, &box)) return TRUCE_OK;
    report_label label = {.text = text, .class = "name halo", .at = {box.left, (box.top + box.bottom) / 2}};
    report_svg_label(pen, &label);
    return report_placer_add(pen.context, placer, (report_obstacle){.box = box});
}

static truce_status draw_labels_of(report_pen pen, const report_panel *p, const report_series *series,
                                   report_placer *placer) {
    for (int i = 0, n = 0; series->labels && i < series->n && n < MOST_LABELS; i++) {
        report_point at;
        if (!series->labels[i] || !find_point(p, series, i, &at)) continue;
        BASE_TRY(draw_point_label(pen, placer, series->labels[i], at));
        n++;
    }
    return TRUCE_OK;
}

static bool has_labels(const report_plot *plot) {
    for (int s = 0; s < plot->n_series; s++)
        if (plot->series[s].labels) return true;
    return false;
}

/* Obstacles before labels: a label that is drawn becomes one for those after it. */
static truce_status draw_labels(report_pen pen, const report_panel *p) {
    report_placer placer = {.bounds = p->box};
    truce_status status = TRUCE_OK;
    for (int s = 0; !status && s < p->plot->n_series; s++)
        status = avoid_series(pen.context, p, &p->plot->series[s], &placer);
    for (int s = 0; !status && placer.n < MOST_OBSTACLES && s < p->plot->n_series; s++)
        status = draw_labels_of(pen, p, &p->plot->series[s], &placer);
    report_placer_free(pen.context, &placer);
    return status;
}

typedef void (*draw_fn)(report_pen pen, const report_trace *trace);

static truce_status draw_series(report_pen pen, const report_panel *panel, draw_fn draw) {
    for (int s = 0; s < panel->plot->n_series; s++) {
        report_trace trace;
        truce_status status = report_trace_begin(pen.context, panel, s, &trace);
        if (!status) draw(pen, &trace);
        report_trace_end(pen.context, &trace);
        if (status) return status;
    }
    return TRUCE_OK;
}

truce_status report_panel_draw(report_pen pen, const report_panel *panel) {
    report_axes_draw(pen, panel);
    report_svg_open_clip(pen, panel->box);
    truce_status status = draw_series(pen, panel, report_trace_draw_lines);
    report_svg_close(pen);
    if (!status) status = draw_series(pen, panel, report_trace_draw_points);
    return status || !has_labels(panel->plot) ? status : draw_labels(pen, panel);
}
