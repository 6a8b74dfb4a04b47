/*
 * What surrounds the data of every chart: title, legend, and what had to be left out.
 */
#ifndef REPORT_FRAME_H
#define REPORT_FRAME_H

#include "report/scale.h"
#include "report/svg.h"

/* How a series is told from the others. */
typedef struct report_look {
    int colour, dash, shape; /* colour: -1 is grey */
} report_look;

/* The look of the series in some place (0, 1, ...). */
report_look report_look_of(const report_series *series, int place);

/* Opens a group in the colour of a look; "</g>" closes it. */
void report_open_look(report_pen pen, report_look look);

/* Class of a line in a look: "line", "line dash2". */
const char *report_line_class(report_look look);

/* What stands for a series: its own line and mark, a square, or its mark alone. */
typedef enum report_key { REPORT_KEY_SERIES, REPORT_KEY_SQUARE, REPORT_KEY_MARK } report_key;

/* Names with keys, above the data, in rows. */
typedef struct report_legend {
    const report_series *series;
    int n;
    report_key key;
} report_legend;

/* Title and legend (NULL: none) in a picture so wide. Draws them and returns the room they take, px. */
double report_head_height(const char *title, const report_legend *legend, double width);
void report_draw_head(report_pen pen, const char *title, const report_legend *legend, double width);

/* Values that a chart cannot show. */
typedef struct report_omitted {
    int64_t too_large, not_positive; /* too_large: infinite, or nearly */
} report_omitted;

/* Counts a value unless it can be shown or is missing (NaN). */
void report_omit(report_omitted *omitted, const report_range *range, double value);

/* Lines below a picture that say what was left out: their room, and drawing them from a height on. */
double report_foot_height(const report_omitted *omitted);
void report_draw_foot(report_pen pen, const report_omitted *omitted, double top);

/* "no values" in the middle of an empty chart. */
void report_draw_nothing(report_pen pen, report_box box);

#endif
