/*
 * UTF-8 text as people see it: code points, and the room they take on a terminal or in a drawing.
 */
#ifndef REPORT_UTF8_H
#define REPORT_UTF8_H

#include "base/text.h"

#define REPORT_REPLACEMENT 0xFFFDu

/*
 * The code point at *text, which moves behind it. What cannot be shown (a byte that begins no code point, a
 * control character, a reversal of the writing direction) counts as U+FFFD. 0 at the end, which it never
 * passes.
 */
uint32_t report_utf8_next(const char **text);

/* Appends a code point. */
void report_utf8_add(truce_context *context, base_text *text, uint32_t code);

/* The room of one code point. */
typedef double (*report_measure)(uint32_t code);

/* Cells of a terminal: 0, 1, or 2 for East Asian and picture characters. */
double report_measure_cells(uint32_t code);

/* Ems of a sans-serif font, on the wide side: no common system font needs more. */
double report_measure_ems(uint32_t code);

/* The room of a text. */
double report_measure_text(const char *text, report_measure measure);

/* Bytes of the longest beginning with room for an ellipsis, or all of them if the text fits without one. */
size_t report_fit_text(const char *text, double room, report_measure measure);

#endif
