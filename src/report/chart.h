/*
 * Charts as SVG. Each is described by a struct that is only borrowed while it is drawn; zeroed fields mean
 * the usual. A drawing function appends one <svg> element, which takes its colours from the style sheet of a
 * page (page.h), so that it follows the reader's light or dark mode; report_chart_alone makes a file of its
 * own of it. On failure `out` keeps what it had. The same description gives the same bytes.
 *
 * Texts come from outside and may hold anything. Values that cannot be shown (infinite, or not positive on a
 * logarithmic axis) are left out, and the chart says how many; NaN is a gap and needs no word.
 */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include "base/text.h"

typedef struct report_axis {
    const char *label; /* what it shows, with its unit: "time (s)"; NULL: nothing */
    bool log;
    double low, high; /* the range to show; by default (not low < high) that of the data */
} report_axis;

typedef enum report_mark { REPORT_LINE, REPORT_POINTS, REPORT_LINE_AND_POINTS } report_mark;

#define REPORT_MUTED (-1)

/*
 * One line or cloud of points. Seven colours can be told apart by everybody; further series repeat them with
 * other dashes and marks.
 */
typedef struct report_series {
    const char *name;          /* NULL: not in the legend */
    const double *x;           /* [n]; NULL: 0, 1, 2, ... */
    const double *y;           /* [n]; NaN: missing */
    const double *low, *high;  /* [n] a spread: a band about a line, whiskers at points; both NULL: none */
    const char *const *labels; /* [n] names of points, each may be NULL; NULL: none */
    int n;
    report_mark mark;
    int colour; /* k > 0: the k-th style; 0: by its place among the series; REPORT_MUTED: grey */
} report_series;

/* Lines and points in a plane: curves of training, one loss against another. */
typedef struct report_plot {
    const char *title;
    report_axis x, y;
    const report_series *series;
    int n_series;
    int width, height; /* px of the picture and of the part with the data; by default 720 and 300 */
} report_plot;

truce_status report_draw_plot(truce_context *context, const report_plot *plot, base_text *out);

/* Several plots side by side with the same scales; a series keeps its colour by its name. */
typedef struct report_grid {
    const char *title;
    const report_plot *plots; /* their own sizes and axes are not used */
    int n_plots, n_columns;   /* by default as many columns as have 200 px each */
    report_axis x, y;         /* of all */
    bool own_y;               /* each plot finds its own range of y */
    int width, height;        /* px of the picture and of one plot; by default 720 and 130 */
} report_grid;

truce_status report_draw_grid(truce_context *context, const report_grid *grid, base_text *out);

/* Bars that lie, so that names of any length can be read. Of each series, y and the spread are used. */
typedef struct report_bars {
    const char *title;
    const char *const *names;    /* [n_names] */
    const report_series *series; /* each with n = n_names */
    int n_names, n_series;
    report_axis value; /* bars begin at zero, on a linear axis */
    bool dots;         /* dots in place of bars: the axis need not hold zero, and may be logarithmic */
    int digits;        /* after the point, of the numbers at the bars */
    int width;         /* px; by default 720 */
} report_bars;

truce_status report_draw_bars(truce_context *context, const report_bars *bars, base_text *out);

typedef enum report_palette {
    REPORT_SEQUENTIAL, /* from little to much */
    REPORT_SIGNED,     /* orange below zero, blue above, both as strong at the same distance */
} report_palette;

#define REPORT_MAX_HEAT 256

/* A matrix as coloured cells, with the values in them as long as there is room. */
typedef struct report_heat {
    const char *title;
    const double *values;                     /* [n_rows][n_columns], NaN: missing */
    const char *const *rows, *const *columns; /* names; NULL: none */
    int n_rows, n_columns;                    /* at most REPORT_MAX_HEAT, or TRUCE_ERROR_RANGE */
    const char *row_label, *column_label;     /* what rows and columns are; NULL: nothing */
    report_palette palette;
    double low, high; /* values with the extreme colours; by default (not low < high) those of the data */
    int digits;       /* after the point */
} report_heat;

truce_status report_draw_heat(truce_context *context, const report_heat *heat, base_text *out);

/* A drawn chart as the text of a .svg file, with its styles inside. */
truce_status report_chart_alone(truce_context *context, const char *svg, base_text *out);

#endif
