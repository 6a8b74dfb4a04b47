/*
 * One series of a panel, in px.
 */
#ifndef REPORT_TRACE_H
#define REPORT_TRACE_H

#include "report/panel.h"

typedef struct report_trace {
    const report_panel *panel;
    const report_series *series;
    report_look look;
    size_t n;
    double *x, *y, *low, *high; /* [n]; NaN in x and y is a gap, in low and high no spread */
    size_t *kept;               /* [n] room for thinning */
    bool *covered;              /* cells of the area that hold a point; NULL where there are few points */
    size_t n_across;            /* cells in a row */
} report_trace;

/* To be ended also where beginning failed. */
truce_status report_trace_begin(truce_context *context, const report_panel *panel, int s, report_trace *t);
void report_trace_end(truce_context *context, report_trace *t);

/* The parts that need clipping, and those in front. */
void report_trace_draw_lines(report_pen pen, const report_trace *t);
void report_trace_draw_points(report_pen pen, const report_trace *t);

#endif
