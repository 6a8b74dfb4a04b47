/*
 * A plot: head, one panel, labels of the axes, foot. Lines are named at their right ends, in the order of the
 * ends, with a lead from each end to its name; where there are too many, or points without lines, a legend
 * stands above.
 */
#include "report/panel.h"
#include "report/place.h"
#include "report/style.h"

#include <math.h>

#define WIDTH 720
#define HEIGHT 300
#define LEAST_WIDTH 240
#define LEAST_HEIGHT 60
#define ROW 20      /* a row of text about the data */
#define NAME_GAP 15 /* px between names at the ends of lines */
#define LEAD 22     /* from the data to a name */
#define LONGEST 170 /* of a name */
#define MARGIN 16

/* Where a line ends, and whose it is. */
typedef struct ending {
    int series;
    double y, name_y;
    double x;
} ending;

typedef struct picture {
    const report_plot *plot;
    report_panel panel;
    report_extent extent;
    report_legend legend;
    bool names_ends; /* names stand at the ends of lines, not in the legend */
    double width, height, head;
} picture;

static bool has_end(const report_extent *extent, const report_series *series) {
    for (int i = 0; i < series->n; i++) {
        double x = report_series_x(series, i);
        if (report_range_takes(&extent->x, x) && report_range_takes(&extent->y, series->y[i])) return true;
    }
    return false;
}

static bool can_name_ends(const picture *p, double height) {
    int n = p->plot->n_series;
    if (n > REPORT_N_COLOURS || n * NAME_GAP > height || p->width < 2 * LEAST_WIDTH) return false;
    for (int s = 0; s < n; s++) {
        const report_series *series = &p->plot->series[s];
        if (series->name && (series->mark == REPORT_POINTS || !has_end(&p->extent, series))) return false;
    }
    return true;
}

static double names_width(const report_plot *plot) {
    double widest = 0;
    for (int s = 0; s < plot->n_series; s++) {
        if (!plot->series[s].name) continue;
        double width = report_text_width(plot->series[s].name, REPORT_TEXT_SIZE);
        widest = fmax(widest, LEAD + fmin(width, LONGEST));
    }
    return widest;
}

/* Sizes from the outside in, so that the panel gets what is left. */
static void lay_out(picture *p) {
    const report_plot *plot = p->plot;
    double height = BASE_MAX(plot->height > 0 ? plot->height : HEIGHT, LEAST_HEIGHT);
    p->width = BASE_MAX(plot->width > 0 ? plot->width : WIDTH, LEAST_WIDTH);
    p->extent = report_extent_begin(&plot->x, &plot->y);
    report_extent_add(&p->extent, plot);
    p->names_ends = can_name_ends(p, height);
    p->legend = (report_legend){.series = plot->series, .n = p->names_ends ? 0 : plot->n_series};
    p->head = report_head_height(plot->title, &p->legend, p->width);
    double top = p->head + (plot->y.label ? ROW + 4 : 8);
    double right = p->width - MARGIN - (p->names_ends ? names_width(plot) : 0);
    report_panel_fit(&p->panel, &p->extent, &plot->x, &plot->y, (report_point){right - 50, height});
    double left = report_ticks_width(&p->panel.y_ticks) + 14;
    report_panel_put(&p->panel, (report_box){left, top, right, top + height});
    p->height = top + height + ROW + (plot->x.label ? ROW : 4) + report_foot_height(&p->extent.omitted);
}

static ending end_of(const picture *p, int s) {
    const report_series *series = &p->plot->series[s];
    const report_box *box = &p->panel.box;
    ending e = {.series = s};
    for (int i = series->n - 1; i >= 0; i--) {
        e.x = report_scale_px(&p->panel.x, report_series_x(series, i));
        e.y = report_scale_px(&p->panel.y, series->y[i]);
        if (!isnan(e.x) && !isnan(e.y)) break;
    }
    e.x = fmin(fmax(e.x, box->left), box->right);
    e.y = fmin(fmax(e.y, box->top), box->bottom);
    return e;
}

/* Endings of named lines, from the top down. Returns their number. */
static int collect_endings(const picture *p, ending *endings) {
    int n = 0;
    for (int s = 0; s < p->plot->n_series; s++) {
        if (!p->plot->series[s].name) continue;
        ending e = end_of(p, s);
        int k = n++;
        for (; k > 0 && endings[k - 1].y > e.y; k--) endings[k] = endings[k - 1];
        endings[k] = e;
    }
    return n;
}

static void draw_name(report_pen pen, const picture *p, const ending *e) {
    const report_series *series = &p->plot->series[e->series];
    double right = p->panel.box.right;
    report_open_look(pen, report_look_of(series, e->series));
    if (e->x < right - 4)
        report_svg_line(pen, "lead far", (report_point){e->x + 4, e->y}, (report_point){right + 4, e->y});
    report_svg_path(pen, "lead");
    report_svg_move(pen, 'M', (report_point){right + 4, e->y});
    report_svg_move(pen, 'L', (report_point){right + LEAD - 8, e->name_y});
    report_svg_move(pen, 'L', (report_point){right + LEAD - 4, e->name_y});
    report_put(pen, "'/>\n</g>\n");
    report_label label = {
        .text = series->name, .class = "name", .at = {right + LEAD, e->name_y}, .room = LONGEST};
    report_svg_label(pen, &label);
}

static void draw_names(report_pen pen, const picture *p) {
    ending endings[REPORT_N_COLOURS];
    double heights[REPORT_N_COLOURS];
    int n = collect_endings(p, endings);
    for (int i = 0; i < n; i++) heights[i] = endings[i].y;
    report_spread_out(heights, n, NAME_GAP, p->panel.box.top, p->panel.box.bottom);
    for (int i = 0; i < n; i++) {
        endings[i].name_y = heights[i];
        draw_name(pen, p, &endings[i]);
    }
}

static void draw_axis_labels(report_pen pen, const picture *p) {
    const report_box *box = &p->panel.box;
    report_label x = {.text = p->plot->x.label,
                      .at = {(box->left + box->right) / 2, box->bottom + ROW + 11},
                      .anchor = REPORT_MIDDLE,
                      .room = p->width - 2 * MARGIN};
    report_label y = {.text = p->plot->y.label, .at = {1, p->head + 6}, .room = p->width - 2 * MARGIN};
    if (x.text) report_svg_label(pen, &x);
    if (y.text) report_svg_label(pen, &y);
}

static truce_status draw_picture(report_pen pen, const picture *p) {
    bool is_empty = p->extent.y.low > p->extent.y.high;
    report_svg_open(pen, p->width, p->height, p->plot->title);
    report_draw_head(pen, p->plot->title, &p->legend, p->width);
    draw_axis_labels(pen, p);
    truce_status status = report_panel_draw(pen, &p->panel);
    if (is_empty)
        report_draw_nothing(pen, p->panel.box);
    else if (p->names_ends)
        draw_names(pen, p);
    report_draw_foot(pen, &p->extent.omitted, p->height - report_foot_height(&p->extent.omitted));
    report_svg_close(pen);
    return status;
}

truce_status report_draw_plot(truce_context *context, const report_plot *plot, base_text *out) {
    base_text text = {0};
    report_pen pen = {context, &text};
    picture p = {.plot = plot, .panel = {.plot = plot}};
    lay_out(&p);
    truce_status status = draw_picture(pen, &p);
    if (!text.status) text.status = status;
    return report_deliver(pen, out);
}
