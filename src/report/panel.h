/*
 * One area with data, as plots and grids of plots are made of: axes, bands, lines, points and their labels.
 */
#ifndef REPORT_PANEL_H
#define REPORT_PANEL_H

#include "report/frame.h"

/* What the series of a plot, or of several, need. */
typedef struct report_extent {
    report_range x, y;
    report_omitted omitted;
    bool has_cloud; /* points without a line */
} report_extent;

report_extent report_extent_begin(const report_axis *x, const report_axis *y);
void report_extent_add(report_extent *extent, const report_plot *plot);

typedef struct report_panel {
    const report_plot *plot;
    report_box box;
    report_scale x, y; /* their px are set by report_panel_put */
    report_ticks x_ticks, y_ticks;
    bool has_cloud, hides_x, hides_y; /* hides: no numbers at the axis */
} report_panel;

/* Finds scales and ticks for the extent in an area of so many px. */
void report_panel_fit(report_panel *panel, const report_extent *extent, const report_axis *x,
                      const report_axis *y, report_point size);

/* Puts the panel in its place. */
void report_panel_put(report_panel *panel, report_box box);

/* Width of the widest number of an axis, px. */
double report_ticks_width(const report_ticks *ticks);

truce_status report_panel_draw(report_pen pen, const report_panel *panel);

/* Lines and numbers of the axes; part of report_panel_draw. */
void report_axes_draw(report_pen pen, const report_panel *panel);

/* The value of x of a point. */
double report_series_x(const report_series *series, int i);

#endif
