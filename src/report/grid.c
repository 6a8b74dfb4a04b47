/*
 * Small multiples: plots in rows and columns that share their scales, so that they can be compared at a
 * glance. Numbers stand at the left and at the bottom of the grid only, unless each plot has its own range of
 * y.
 */
#include "report/panel.h"
#include "report/style.h"

#include "base/names.h"

#include <math.h>

#define WIDTH 720
#define HEIGHT 130
#define LEAST_PLOT 200 /* px of a plot, by which columns are chosen */
#define EDGE 1
#define GAP 18
#define TITLE 20 /* above each plot */
#define FOOT 22  /* numbers below the last plot of a column */
#define LABEL 22 /* a row for the label of an axis */

typedef struct picture {
    const report_grid *grid;
    report_panel *panels;  /* [n_plots] */
    report_plot *plots;    /* [n_plots], copies with the colours of the grid */
    report_series *series; /* of all plots, one after the other */
    report_series *keys;   /* [n names], for the legend */
    base_names names;
    report_legend legend;
    report_omitted omitted;
    int n_columns, n_rows;
    double width, plot_width, plot_height, left, gap, top, height;
} picture;

static size_t count_series(const report_grid *grid) {
    size_t n = 0;
    for (int i = 0; i < grid->n_plots; i++) n += (size_t)grid->plots[i].n_series;
    return n;
}

/* A series takes the colour of its name; the legend learns of new names. */
static truce_status colour_series(truce_context *context, picture *p, report_series *series) {
    int64_t index;
    if (!series->name) return TRUCE_OK;
    size_t n = p->names.n;
    BASE_TRY(base_names_add(context, &p->names, series->name, &index));
    if (series->colour == 0) series->colour = (int)index + 1;
    if (p->names.n > n)
        p->keys[index] =
            (report_series){.name = series->name, .mark = series->mark, .colour = series->colour};
    else
        series->colour = p->keys[index].colour;
    return TRUCE_OK;
}

static truce_status copy_plots(truce_context *context, picture *p) {
    const report_grid *grid = p->grid;
    size_t n = count_series(grid), at = 0;
    BASE_TRY(base_alloc(context, (size_t)grid->n_plots, sizeof *p->panels, &p->panels));
    BASE_TRY(base_alloc(context, (size_t)grid->n_plots, sizeof *p->plots, &p->plots));
    BASE_TRY(base_alloc(context, n, sizeof *p->series, &p->series));
    BASE_TRY(base_alloc(context, n, sizeof *p->keys, &p->keys));
    for (int i = 0; i < grid->n_plots; i++) {
        report_plot *plot = &p->plots[i];
        *plot = grid->plots[i];
        plot->series = p->series + at;
        plot->x = grid->x;
        plot->y = grid->y;
        p->panels[i].plot = plot;
        for (int s = 0; s < plot->n_series; s++) {
            p->series[at] = grid->plots[i].series[s];
            BASE_TRY(colour_series(context, p, &p->series[at++]));
        }
    }
    p->legend = (report_legend){.series = p->keys, .n = (int)p->names.n};
    return TRUCE_OK;
}

static void free_picture(truce_context *context, picture *p) {
    base_names_free(context, &p->names);
    base_free(context, p->keys);
    base_free(context, p->series);
    base_free(context, p->plots);
    base_free(context, p->panels);
}

static report_extent extent_of(const picture *p) {
    report_extent all = report_extent_begin(&p->grid->x, &p->grid->y);
    for (int i = 0; i < p->grid->n_plots; i++) report_extent_add(&all, &p->plots[i]);
    return all;
}

/* Scales of all plots; returns the width of the widest number of y. */
static double fit_panels(picture *p) {
    const report_grid *grid = p->grid;
    report_extent all = extent_of(p);
    double widest = 0;
    p->omitted = all.omitted;
    for (int i = 0; i < grid->n_plots; i++) {
        report_extent extent = all;
        if (grid->own_y) {
            report_extent own = report_extent_begin(&grid->x, &grid->y);
            report_extent_add(&own, &p->plots[i]);
            extent.y = own.y;
        }
        report_panel_fit(&p->panels[i], &extent, &grid->x, &grid->y,
                         (report_point){p->plot_width, p->plot_height});
        widest = fmax(widest, report_ticks_width(&p->panels[i].y_ticks));
    }
    return widest;
}

static bool has_titles(const report_grid *grid) {
    for (int i = 0; i < grid->n_plots; i++)
        if (grid->plots[i].title) return true;
    return false;
}

static void put_panel(picture *p, int i) {
    int row = i / p->n_columns, column = i % p->n_columns;
    double left = p->left + column * (p->plot_width + p->gap);
    double step = p->plot_height + (has_titles(p->grid) ? TITLE : 0) + GAP;
    double top = p->top + row * step + (has_titles(p->grid) ? TITLE : 0);
    p->panels[i].hides_x = i + p->n_columns < p->grid->n_plots;
    p->panels[i].hides_y = column > 0 && !p->grid->own_y;
    report_panel_put(&p->panels[i], (report_box){left, top, left + p->plot_width, top + p->plot_height});
}

static void lay_out(picture *p) {
    const report_grid *grid = p->grid;
    int n = BASE_MAX(grid->n_plots, 1), n_fitting;
    p->width = BASE_MAX(grid->width > 0 ? grid->width : WIDTH, LEAST_PLOT + 40);
    p->plot_height = BASE_MAX(grid->height > 0 ? grid->height : HEIGHT, 60);
    n_fitting = grid->n_columns > 0 ? grid->n_columns : (int)(p->width / LEAST_PLOT);
    p->n_columns = BASE_MIN(BASE_MAX(n_fitting, 1), n);
    p->n_rows = (n + p->n_columns - 1) / p->n_columns;
    p->plot_width = p->width / p->n_columns - 40;
    double numbers = fit_panels(p) + 14;
    p->left = numbers;
    p->gap = GAP + (grid->own_y ? numbers : 0);
    p->plot_width = (p->width - p->left - 16 - p->gap * (p->n_columns - 1)) / p->n_columns;
    p->top = report_head_height(grid->title, &p->legend, p->width) + (grid->y.label ? LABEL : 4);
    for (int i = 0; i < grid->n_plots; i++) put_panel(p, i);
    double step = p->plot_height + (has_titles(grid) ? TITLE : 0) + GAP;
    p->height = p->top + p->n_rows * step - GAP + FOOT + (grid->x.label ? LABEL : 0) +
                report_foot_height(&p->omitted);
}

static truce_status draw_panel(report_pen pen, const picture *p, int i) {
    const report_panel *panel = &p->panels[i];
    report_label title = {.text = panel->plot->title,
                          .class = "name",
                          .at = {panel->box.left, panel->box.top - 11},
                          .room = p->plot_width};
    if (title.text) report_svg_label(pen, &title);
    return report_panel_draw(pen, panel);
}

static void draw_axis_labels(report_pen pen, const picture *p) {
    double foot = report_foot_height(&p->omitted);
    report_label x = {.text = p->grid->x.label,
                      .at = {(p->left + p->width) / 2, p->height - foot - LABEL / 2.0},
                      .anchor = REPORT_MIDDLE,
                      .room = p->width - 2 * EDGE};
    report_label y = {
        .text = p->grid->y.label, .at = {EDGE, p->top - LABEL / 2.0 - 2}, .room = p->width - 2 * EDGE};
    if (x.text) report_svg_label(pen, &x);
    if (y.text) report_svg_label(pen, &y);
}

static truce_status draw_picture(report_pen pen, const picture *p) {
    report_svg_open(pen, p->width, p->height, p->grid->title);
    report_draw_head(pen, p->grid->title, &p->legend, p->width);
    draw_axis_labels(pen, p);
    for (int i = 0; i < p->grid->n_plots; i++) BASE_TRY(draw_panel(pen, p, i));
    if (!p->grid->n_plots)
        report_draw_nothing(pen, (report_box){0, p->top, p->width, p->top + p->plot_height});
    report_draw_foot(pen, &p->omitted, p->height - report_foot_height(&p->omitted));
    report_svg_close(pen);
    return TRUCE_OK;
}

truce_status report_draw_grid(truce_context *context, const report_grid *grid, base_text *out) {
    base_text text = {0};
    report_pen pen = {context, &text};
    picture p = {.grid = grid};
    truce_status status = copy_plots(context, &p);
    if (!status) {
        lay_out(&p);
        status = draw_picture(pen, &p);
    }
    if (!text.status) text.status = status;
    free_picture(context, &p);
    return report_deliver(pen, out);
}
