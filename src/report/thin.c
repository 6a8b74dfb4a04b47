/*
 * The M4 aggregation (Jugel, Jerzak, Hackenbroich and Markl, "M4: a visualization-oriented time series data
 * aggregation", VLDB 2014): a line drawn through the first, lowest, highest and last point of each column of
 * pixels touches the same pixels as the line through all points. Nothing here needs x to rise: a column's run
 * ends where the line leaves it.
 */
#include "report/thin.h"

#include <math.h>
#include <stdbool.h>

typedef struct run {
    double column;
    size_t first, lowest, highest, last;
} run;

/* Keeps the four points of a run, in their order and each once. */
static size_t keep_run(const run *r, size_t *kept, size_t n) {
    size_t early = r->lowest < r->highest ? r->lowest : r->highest;
    size_t late = r->lowest < r->highest ? r->highest : r->lowest;
    const size_t points[] = {r->first, early, late, r->last};
    for (int i = 0; i < 4; i++)
        if (i == 0 || points[i] != points[i - 1]) kept[n++] = points[i];
    return n;
}

static void extend(run *r, const double *y, size_t i) {
    if (y[i] < y[r->lowest]) r->lowest = i;
    if (y[i] > y[r->highest]) r->highest = i;
    r->last = i;
}

size_t report_thin(const double *x, const double *y, size_t n, double width, size_t *kept) {
    size_t n_kept = 0, gap = n; /* gap: the first missing point since the run's last, n if there is none */
    run r = {0};
    bool is_open = false;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]) || isnan(y[i])) {
            if (gap == n) gap = i;
            continue;
        }
        double column = floor(x[i] / width);
        if (is_open && column == r.column) {
            extend(&r, y, i);
        } else {
            if (is_open) n_kept = keep_run(&r, kept, n_kept);
            if (is_open && gap < n) kept[n_kept++] = gap;
            r = (run){column, i, i, i, i};
            is_open = true;
        }
        gap = n;
    }
    return is_open ? keep_run(&r, kept, n_kept) : 0;
}
