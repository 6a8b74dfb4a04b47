/*
 * Colours as numbers 0xRRGGBB.
 */
#ifndef REPORT_COLOUR_H
#define REPORT_COLOUR_H

#include <stdint.h>

typedef uint32_t report_colour;

/* The colour a fraction t of the way from one to another, even steps of t looking even. */
report_colour report_mix(report_colour from, report_colour to, double t);

/* WCAG 2 contrast of two colours, 1 to 21. */
double report_contrast(report_colour a, report_colour b);

#endif
