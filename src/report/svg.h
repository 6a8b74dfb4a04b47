/*
 * The pieces that charts are drawn with. Coordinates are px, rounded to a tenth; classes are our own names.
 */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include "report/markup.h"

typedef struct report_point {
    double x, y;
} report_point;

typedef struct report_box {
    double left, top, right, bottom;
} report_box;

/* False also for NaN. */
bool report_box_holds(const report_box *box, report_point point);

/* A coordinate as it is written: to a tenth, never "-0". For "%g". */
double report_px(double value);

/* Opens a picture, with what screen readers say of it; report_svg_close ends it. */
void report_svg_open(report_pen pen, double width, double height, const char *title);
void report_svg_close(report_pen pen);

/* Opens a part of which nothing outside the box is seen. Closed by report_svg_close. */
void report_svg_open_clip(report_pen pen, report_box box);

void report_svg_line(report_pen pen, const char *class, report_point from, report_point to);
void report_svg_rect(report_pen pen, const char *class, report_box box);

/* Where the text stands about its point. */
typedef enum report_anchor { REPORT_START, REPORT_MIDDLE, REPORT_END } report_anchor;

typedef struct report_label {
    const char *text, *class; /* class: NULL is plain */
    report_point at;          /* of the middle of the text's height */
    report_anchor anchor;
    double size;  /* of letters, px; 0: REPORT_TEXT_SIZE */
    double room;  /* px; a longer text is cut, and whole in its tooltip; 0: any */
    double angle; /* degrees, clockwise */
} report_label;

void report_svg_label(report_pen pen, const report_label *label);

/* The width of a text in a drawing, an estimate on the wide side, px. */
double report_text_width(const char *text, double size);

/* Begins the path of a mark for a point, the k-th of six; ends as report_svg_path does. */
void report_svg_mark(report_pen pen, int shape, report_point at, double radius);

/* Opens the path of a shape: <path class='...' d='; the caller puts the moves and the rest of the element. */
void report_svg_path(report_pen pen, const char *class);
void report_svg_move(report_pen pen, char verb, report_point to);

#endif
