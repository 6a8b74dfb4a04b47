/*
 * Where an axis carries numbers, and how they are written.
 */
#ifndef REPORT_TICKS_H
#define REPORT_TICKS_H

#include "base/text.h"

#define REPORT_MAX_TICKS 16
#define REPORT_TICK_BYTES 48

typedef struct report_ticks {
    double at[REPORT_MAX_TICKS]; /* rising */
    int n;
    double step; /* 0 where the ticks are not multiples of one */
} report_ticks;

/*
 * Multiples of 1, 2 or 5 times a power of ten, the finest of which at most n_most (3 .. REPORT_MAX_TICKS)
 * cover [low, high]: the first is not above low, the last not below high. `whole` keeps the step at 1 or
 * more.
 */
report_ticks report_ticks_linear(double low, double high, int n_most, bool whole);

/* For 0 < low < high: powers of ten, or 1-2-5, or multiples of a step, at most n_most of them, all inside. */
report_ticks report_ticks_log(double low, double high, int n_most);

/* Leaves those inside [low, high]. */
void report_ticks_clip(report_ticks *ticks, double low, double high);

/* The i-th number: "0.25", "50k" or, far from 1, "2×10⁻⁵". Multiples of one step share decimals and power. */
void report_tick_text(const report_ticks *ticks, int i, char out[REPORT_TICK_BYTES]);

#endif
