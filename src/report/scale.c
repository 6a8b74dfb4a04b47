/*
 * From values to places. Ranges are made safe here once, so that nothing later divides by zero or overflows:
 * a range is never empty, nor so narrow that double precision could not tell ten ticks apart.
 */
#include "report/scale.h"

#include <math.h>

#define LARGEST 1e280 /* leaves room for margins */
#define SMALLEST 1e-280
#define NARROWEST 1e-9 /* width of a range relative to its values */

report_range report_range_begin(bool log) {
    return (report_range){.low = INFINITY, .high = -INFINITY, .log = log, .is_whole = true};
}

bool report_range_takes(const report_range *range, double value) {
    return fabs(value) <= LARGEST && (!range->log || value >= SMALLEST);
}

void report_range_add(report_range *range, double value) {
    if (!report_range_takes(range, value)) return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
    if (value != floor(value)) range->is_whole = false;
}

/* Whether the axis says which range it wants, and can have it. */
static bool is_fixed_range(const report_axis *axis) {
    return axis->low < axis->high && fabs(axis->low) <= LARGEST && fabs(axis->high) <= LARGEST &&
           (!axis->log || axis->low >= SMALLEST);
}

/* A range that has a width. */
static void widen(double *low, double *high, bool log) {
    if (*low > *high) {
        *low = log ? 1 : 0;
        *high = log ? 10 : 1;
    }
    double size = fmax(fabs(*low), fabs(*high)), least = fmax(SMALLEST, NARROWEST * size);
    if (*high - *low >= least) return;
    double half = size < SMALLEST ? 1 : 0.05 * size, middle = *low + (*high - *low) / 2;
    *low = middle - half;
    *high = middle + half;
}

static void pad(report_scale *s) {
    if (s->log) {
        double factor = exp(0.04 * (log(s->high) - log(s->low)));
        s->low /= factor;
        s->high *= factor;
    } else {
        double part = 0.04 * (s->high - s->low);
        s->low -= part;
        s->high += part;
    }
}

/* Ticks inside the scale, as many of n_most as there are: those that would enclose it are two too many. */
static report_ticks inner_ticks(const report_scale *s, int n_most, bool whole) {
    for (int n = n_most + 2;; n--) {
        report_ticks ticks = report_ticks_linear(s->low, s->high, n, whole);
        report_ticks_clip(&ticks, s->low, s->high);
        if (ticks.n <= n_most) return ticks;
    }
}

static report_ticks choose_ticks(report_scale *s, report_margin margin, int n_most, bool whole) {
    bool has_whole = ceil(s->low) <= s->high;
    if (s->log) return report_ticks_log(s->low, s->high, n_most);
    if (margin != REPORT_TO_TICKS) return inner_ticks(s, n_most, whole && has_whole);
    report_ticks ticks = report_ticks_linear(s->low, s->high, n_most, whole && has_whole);
    s->low = fmin(s->low, ticks.at[0]);
    s->high = fmax(s->high, ticks.at[ticks.n - 1]);
    return ticks;
}

report_scale report_scale_fit(const report_axis *axis, const report_range *range, report_margin margin,
                              int n_most, report_ticks *ticks) {
    bool is_fixed = is_fixed_range(axis);
    report_scale s = {.low = range->low, .high = range->high, .log = axis->log};
    if (is_fixed) {
        s.low = axis->low;
        s.high = axis->high;
        margin = REPORT_TIGHT;
    }
    widen(&s.low, &s.high, s.log);
    if (margin == REPORT_PADDED || (margin == REPORT_TO_TICKS && s.log)) pad(&s);
    *ticks = choose_ticks(&s, margin, n_most, range->is_whole);
    return s;
}

double report_scale_tick_px(const report_scale *scale, double tick) {
    double part = scale->log ? (log(tick) - log(scale->low)) / (log(scale->high) - log(scale->low))
                             : (tick - scale->low) / (scale->high - scale->low);
    return scale->from + part * (scale->to - scale->from);
}

double report_scale_px(const report_scale *scale, double value) {
    bool is_shown = fabs(value) <= LARGEST && (!scale->log || value >= SMALLEST);
    return is_shown ? report_scale_tick_px(scale, value) : NAN;
}
