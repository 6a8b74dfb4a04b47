/*
 * Finding room for labels.
 */
#ifndef REPORT_PLACE_H
#define REPORT_PLACE_H

#include "report/svg.h"

#define REPORT_MAX_SPREAD 32

/*
 * Moves n <= REPORT_MAX_SPREAD heights (px, rising) to at least `gap` between neighbours, inside [top,
 * bottom], with the least sum of squared moves. Needs (n - 1) gap <= bottom - top.
 */
void report_spread_out(double *heights, int n, double gap, double top, double bottom);

/* What a label should not cover; a soft obstacle may be covered where there is no other room. */
typedef struct report_obstacle {
    report_box box;
    bool is_soft;
} report_obstacle;

/* Zeroed but for the bounds is empty. */
typedef struct report_placer {
    report_box bounds;
    report_obstacle *obstacles;
    size_t n, capacity;
    bool is_background; /* for the caller: whether what it adds now is soft */
} report_placer;

truce_status report_placer_add(truce_context *context, report_placer *placer, report_obstacle obstacle);
void report_placer_free(truce_context *context, report_placer *placer);

/* Finds room for a label of a width (px) near a point. False where there is none. Adds nothing. */
bool report_placer_find(const report_placer *placer, report_point at, double width, report_box *out);

#endif
