/*
 * The looks of charts: palettes and the style sheet, for light and dark surroundings.
 */
#ifndef REPORT_STYLE_H
#define REPORT_STYLE_H

#include "report/chart.h"
#include "report/colour.h"
#include "report/markup.h"

#define REPORT_N_COLOURS 7
#define REPORT_N_DASHES 6  /* the first is a whole line */
#define REPORT_N_LEVELS 25 /* of a palette of cells; odd, so that zero has a colour of its own */

/* Sizes of letters in charts, px. */
#define REPORT_TEXT_SIZE 12
#define REPORT_SMALL_SIZE 10
#define REPORT_TITLE_SIZE 15

/* The reader's own sans-serif font. */
#define REPORT_FONTS "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans',Arial,sans-serif"

typedef struct report_theme {
    report_colour paper, ink, soft, rule; /* background, text, lesser text, lines of grids */
    report_colour series[REPORT_N_COLOURS], muted;
    report_colour sequential[3], diverging[5]; /* stations of the palettes, from low to high */
    report_colour on_light, on_dark;           /* numbers in light and in dark cells */
} report_theme;

extern const report_theme report_light, report_dark;

/* The colour of a level of a palette, and of the numbers on it. */
report_colour report_level_colour(const report_theme *theme, report_palette palette, int level);
report_colour report_level_ink(const report_theme *theme, report_palette palette, int level);

/* The style sheet of all charts, light, and dark where the reader's screen is. */
void report_put_chart_style(report_pen pen);

#endif
