/*
 * The axes of a panel: quiet lines across the data at the numbers of y, short strokes at those of x. Where
 * numbers of x would touch each other, only every second or third is written.
 */
#include "report/panel.h"
#include "report/style.h"

#include <math.h>

#define STROKE 4

double report_ticks_width(const report_ticks *ticks) {
    double widest = 0;
    for (int i = 0; i < ticks->n; i++) {
        char text[REPORT_TICK_BYTES];
        report_tick_text(ticks, i, text);
        widest = fmax(widest, report_text_width(text, REPORT_TEXT_SIZE));
    }
    return widest;
}

static void draw_y(report_pen pen, const report_panel *p) {
    for (int i = 0; i < p->y_ticks.n; i++) {
        char text[REPORT_TICK_BYTES];
        double y = report_scale_tick_px(&p->y, p->y_ticks.at[i]);
        bool is_zero = p->y_ticks.at[i] == 0;
        report_svg_line(pen, is_zero ? "axis" : "grid", (report_point){p->box.left, y},
                        (report_point){p->box.right, y});
        if (p->hides_y) continue;
        report_tick_text(&p->y_ticks, i, text);
        report_label label = {.text = text, .at = {p->box.left - 8, y}, .anchor = REPORT_END};
        report_svg_label(pen, &label);
    }
}

/* Ticks per written number. */
static int stride_of(const report_panel *p) {
    double nearest = INFINITY, needed = report_ticks_width(&p->x_ticks) + 10;
    for (int i = 1; i < p->x_ticks.n; i++) {
        double left = report_scale_tick_px(&p->x, p->x_ticks.at[i - 1]);
        nearest = fmin(nearest, report_scale_tick_px(&p->x, p->x_ticks.at[i]) - left);
    }
    return nearest >= needed ? 1 : (int)fmin(ceil(needed / fmax(nearest, 1)), REPORT_MAX_TICKS);
}

static void draw_x_tick(report_pen pen, const report_panel *p, int i, bool with_text) {
    char text[REPORT_TICK_BYTES];
    double x = report_scale_tick_px(&p->x, p->x_ticks.at[i]);
    report_svg_line(pen, "axis", (report_point){x, p->box.bottom}, (report_point){x, p->box.bottom + STROKE});
    if (!with_text || p->hides_x) return;
    report_tick_text(&p->x_ticks, i, text);
    report_label label = {.text = text, .at = {x, p->box.bottom + 13}, .anchor = REPORT_MIDDLE};
    report_svg_label(pen, &label);
}

static void draw_columns(report_pen pen, const report_panel *p) {
    for (int i = 0; i < p->x_ticks.n; i++) {
        double x = report_scale_tick_px(&p->x, p->x_ticks.at[i]);
        report_svg_line(pen, p->x_ticks.at[i] == 0 ? "axis" : "grid", (report_point){x, p->box.top},
                        (report_point){x, p->box.bottom});
    }
}

void report_axes_draw(report_pen pen, const report_panel *panel) {
    int stride = stride_of(panel);
    if (panel->has_cloud) draw_columns(pen, panel);
    draw_y(pen, panel);
    report_svg_line(pen, "axis", (report_point){panel->box.left, panel->box.bottom},
                    (report_point){panel->box.right, panel->box.bottom});
    for (int i = 0; i < panel->x_ticks.n; i++) draw_x_tick(pen, panel, i, i % stride == 0);
}
