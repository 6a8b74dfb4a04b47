/*
 * Bars that lie, with whiskers for the spread and the number at the end. A bar's length is its value, so bars
 * begin at zero; where differences far from zero matter, dots show them without that claim. Every name has a
 * band with one row per series.
 */
#include "report/number.h"
#include "report/panel.h"
#include "report/style.h"

#include <assert.h>
#include <math.h>

#define WIDTH 720
#define LEAST_WIDTH 320
#define LEAST_HEIGHT 30
#define LONGEST 200  /* px of a name */
#define BAND_GAP 10  /* between names */
#define FOOT 24      /* numbers of the axis */
#define LABEL_ROW 20 /* its label */
#define EDGE 1

typedef struct picture {
    const report_bars *bars;
    report_panel panel; /* the values are its x */
    report_omitted omitted;
    report_legend legend;
    double width, height, head, row; /* row: px of one bar with its gap */
} picture;

static report_range range_of(const report_bars *bars, report_omitted *omitted) {
    report_range range = report_range_begin(bars->value.log);
    if (!bars->dots) report_range_add(&range, 0);
    for (int s = 0; s < bars->n_series; s++)
        for (int i = 0; i < bars->n_names; i++) {
            const report_series *series = &bars->series[s];
            report_omit(omitted, &range, series->y[i]);
            if (!report_range_takes(&range, series->y[i])) continue;
            report_range_add(&range, series->y[i]);
            if (series->low) report_range_add(&range, series->low[i]);
            if (series->high) report_range_add(&range, series->high[i]);
        }
    return range;
}

static report_number number_of(const report_bars *bars, double value) {
    return report_format_number(value, NAN, (report_format){REPORT_FIXED, bars->digits}, REPORT_TYPESET);
}

static double number_size(const report_bars *bars) {
    return bars->n_series > 1 ? REPORT_SMALL_SIZE : REPORT_TEXT_SIZE;
}

/* Room for the widest number beside a bar that goes to the left (sign < 0) or to the right. */
static double number_room(const report_bars *bars, int sign) {
    double widest = 0;
    for (int s = 0; s < bars->n_series; s++)
        for (int i = 0; i < bars->n_names; i++) {
            double value = bars->series[s].y[i];
            bool is_left = value < 0 && !bars->dots;
            if (!isfinite(value) || is_left != (sign < 0)) continue;
            report_number number = number_of(bars, value);
            widest = fmax(widest, report_text_width(number.value, number_size(bars)) + 8);
        }
    return widest;
}

static double names_width(const report_bars *bars) {
    double widest = 0;
    for (int i = 0; i < bars->n_names; i++)
        widest = fmax(widest, report_text_width(bars->names[i], REPORT_TEXT_SIZE));
    return fmin(widest, LONGEST);
}

static void lay_out(picture *p) {
    const report_bars *bars = p->bars;
    report_range range = range_of(bars, &p->omitted);
    p->width = BASE_MAX(bars->width > 0 ? bars->width : WIDTH, LEAST_WIDTH);
    p->legend = (report_legend){
        .series = bars->series, .n = bars->n_series, .key = bars->dots ? REPORT_KEY_MARK : REPORT_KEY_SQUARE};
    p->head = report_head_height(bars->title, &p->legend, p->width) + 4;
    p->row = bars->n_series > 1 ? 14 : 20;
    double left = EDGE + names_width(bars) + 10 + number_room(bars, -1);
    double right = p->width - EDGE - fmax(number_room(bars, 1), 24);
    double band = p->row * bars->n_series + BAND_GAP;
    p->panel.x = report_scale_fit(&bars->value, &range, bars->dots ? REPORT_PADDED : REPORT_TO_TICKS,
                                  (int)fmax(4, fmin((right - left) / 70 + 1, 9)), &p->panel.x_ticks);
    p->panel.has_cloud = true;
    report_panel_put(&p->panel,
                     (report_box){left, p->head, right, p->head + fmax(band * bars->n_names, LEAST_HEIGHT)});
    p->height =
        p->panel.box.bottom + FOOT + (bars->value.label ? LABEL_ROW : 0) + report_foot_height(&p->omitted);
}

/* Place of a value inside the area; NaN if it cannot be shown. */
static double place(const picture *p, double value) {
    const report_box *box = &p->panel.box;
    double px = report_scale_px(&p->panel.x, value);
    return isnan(px) ? px : fmin(fmax(px, box->left), box->right);
}

/* One bar, and the middle of its height. */
typedef struct slot {
    const picture *p;
    const report_series *series;
    report_look look;
    int name;
    double y;
} slot;

static bool has_spread(const report_series *series, int i) {
    return series->low && series->high && !isnan(series->low[i]) && !isnan(series->high[i]);
}

static void put_tip(report_pen pen, const slot *bar) {
    const report_series *series = bar->series;
    int i = bar->name;
    report_put(pen, "<title>");
    if (series->name) report_put_text(pen, series->name);
    if (series->name) report_put(pen, "\n");
    report_put_text(pen, bar->p->bars->names[i]);
    report_put(pen, ": %.6g", series->y[i]);
    if (has_spread(series, i)) report_put(pen, " (%.6g to %.6g)", series->low[i], series->high[i]);
    report_put(pen, "</title>\n");
}

/* The ends of the spread; those of the value itself where there is none. */
static void find_spread(const slot *bar, double *low, double *high) {
    const report_series *series = bar->series;
    *low = *high = place(bar->p, series->y[bar->name]);
    if (!has_spread(series, bar->name)) return;
    double from = place(bar->p, series->low[bar->name]), to = place(bar->p, series->high[bar->name]);
    *low = isnan(from) ? bar->p->panel.box.left : fmin(from, *low);
    *high = isnan(to) ? bar->p->panel.box.right : fmax(to, *high);
}

static void draw_value(report_pen pen, const slot *bar) {
    const picture *p = bar->p;
    double x = place(p, bar->series->y[bar->name]), half = p->row / 2 - 1.5;
    if (p->bars->dots) {
        report_svg_mark(pen, bar->look.shape, (report_point){x, bar->y}, 4);
        report_put(pen, "/>\n");
        return;
    }
    double zero = place(p, 0);
    report_svg_rect(pen, "bar", (report_box){fmin(x, zero), bar->y - half, fmax(x, zero), bar->y + half});
}

static void draw_number(report_pen pen, const slot *bar, double low, double high) {
    double value = bar->series->y[bar->name];
    bool is_left = value < 0 && !bar->p->bars->dots;
    report_number number = number_of(bar->p->bars, value);
    report_label label = {.text = number.value,
                          .class = bar->p->bars->n_series > 1 ? "small halo" : "halo",
                          .at = {is_left ? low - 6 : high + (bar->p->bars->dots ? 9 : 6), bar->y},
                          .anchor = is_left ? REPORT_END : REPORT_START,
                          .size = number_size(bar->p->bars)};
    report_svg_label(pen, &label);
}

static void draw_missing(report_pen pen, const slot *bar) {
    const report_box *box = &bar->p->panel.box;
    double zero = bar->p->bars->dots ? box->left : place(bar->p, 0);
    report_label label = {.text = "–", .at = {zero + 6, bar->y}};
    report_svg_label(pen, &label);
}

static void draw_bar(report_pen pen, const slot *bar) {
    double low, high;
    if (isnan(report_scale_px(&bar->p->panel.x, bar->series->y[bar->name]))) {
        draw_missing(pen, bar);
        return;
    }
    find_spread(bar, &low, &high);
    report_open_look(pen, bar->look);
    put_tip(pen, bar);
    draw_value(pen, bar);
    if (high > low)
        report_svg_line(pen, bar->p->bars->dots ? "whisker" : "whisker over", (report_point){low, bar->y},
                        (report_point){high, bar->y});
    report_put(pen, "</g>\n");
    draw_number(pen, bar, low, high);
}

static void draw_band(report_pen pen, const picture *p, int name) {
    const report_bars *bars = p->bars;
    double band = p->row * bars->n_series + BAND_GAP, top = p->panel.box.top + band * name;
    report_label label = {.text = bars->names[name],
                          .class = "name",
                          .at = {EDGE + names_width(bars), top + band / 2},
                          .anchor = REPORT_END,
                          .room = LONGEST};
    report_svg_label(pen, &label);
    for (int s = 0; s < bars->n_series; s++) {
        slot bar = {p, &bars->series[s], report_look_of(&bars->series[s], s), name,
                    top + BAND_GAP / 2.0 + p->row * (s + 0.5)};
        draw_bar(pen, &bar);
    }
}

static void draw_picture(report_pen pen, const picture *p) {
    const report_box *box = &p->panel.box;
    report_svg_open(pen, p->width, p->height, p->bars->title);
    report_draw_head(pen, p->bars->title, &p->legend, p->width);
    report_axes_draw(pen, &p->panel);
    for (int i = 0; i < p->bars->n_names; i++) draw_band(pen, p, i);
    if (!p->bars->n_names || !p->bars->n_series) report_draw_nothing(pen, *box);
    report_label label = {.text = p->bars->value.label,
                          .at = {(box->left + box->right) / 2, box->bottom + FOOT + 7},
                          .anchor = REPORT_MIDDLE,
                          .room = p->width - 2 * EDGE};
    if (label.text) report_svg_label(pen, &label);
    report_draw_foot(pen, &p->omitted, p->height - report_foot_height(&p->omitted));
    report_svg_close(pen);
}

truce_status report_draw_bars(truce_context *context, const report_bars *bars, base_text *out) {
    assert(bars->dots || !bars->value.log);
    base_text text = {0};
    report_pen pen = {context, &text};
    picture p = {.bars = bars};
    lay_out(&p);
    draw_picture(pen, &p);
    return report_deliver(pen, out);
}
