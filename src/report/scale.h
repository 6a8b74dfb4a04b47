/*
 * From values to places along an axis.
 */
#ifndef REPORT_SCALE_H
#define REPORT_SCALE_H

#include "report/chart.h"
#include "report/ticks.h"

/* What an axis has to show. */
typedef struct report_range {
    double low, high;   /* low > high: nothing so far */
    bool log, is_whole; /* is_whole: only whole numbers so far */
} report_range;

report_range report_range_begin(bool log);

/* Whether the axis can show the value: below 1e280 in size, and positive where it is logarithmic. */
bool report_range_takes(const report_range *range, double value);

/* Widens the range to a value, if the axis can show it. */
void report_range_add(report_range *range, double value);

typedef struct report_scale {
    double low, high; /* the range shown, never empty */
    bool log;
    double from, to; /* px of low and of high */
} report_scale;

/* How an automatic range ends: at the outermost values, a little beyond, or at a tick. */
typedef enum report_margin { REPORT_TIGHT, REPORT_PADDED, REPORT_TO_TICKS } report_margin;

/* The scale and at most n_most (3 .. REPORT_MAX_TICKS - 2) ticks for the range, or for that of the axis where
 * it says one. */
report_scale report_scale_fit(const report_axis *axis, const report_range *range, report_margin margin,
                              int n_most, report_ticks *ticks);

/* Place of a value, px; NaN if it cannot be shown. Not limited to the axis. */
double report_scale_px(const report_scale *scale, double value);

/* Place of a tick, which may lie a little beyond any value that can be shown. */
double report_scale_tick_px(const report_scale *scale, double tick);

#endif
