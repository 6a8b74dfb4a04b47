/*
 * Writing HTML and SVG: our own markup as it is, everything from outside escaped.
 */
#ifndef REPORT_MARKUP_H
#define REPORT_MARKUP_H

#include "report/utf8.h"

/* Where markup goes. Failures stay in the text's status. */
typedef struct report_pen {
    truce_context *context;
    base_text *text;
} report_pen;

/* Markup of our own, as printf. No argument may come from outside, except numbers. */
void report_put(report_pen pen, const char *format, ...) BASE_PRINTF(2, 3);

/* A text from outside, for the content of an element or of a quoted attribute. */
void report_put_text(report_pen pen, const char *text);

/* Likewise, cut to the room it may take, with an ellipsis where something was lost. */
void report_put_short(report_pen pen, const char *text, double room, report_measure measure);

/*
 * For terminals: a text from outside as it is, control characters aside, cut to so many cells. `ascii` turns
 * what is not ASCII into "?".
 */
void report_put_cells(report_pen pen, const char *text, int room, bool ascii);

/* Appends what the pen wrote to `out`, which keeps what it had if writing failed, and frees it. */
truce_status report_deliver(report_pen pen, base_text *out);

#endif
