/*
 * The projection is max(x - t, 0) with the t that makes the sum one. Michelot's method (J. Optim. Theory
 * Appl. 50, 1986) starts with t for all entries and drops those that t makes negative until none is left to
 * drop: t only grows, so that an entry once dropped stays out, and the result is exact after at most n rounds
 * without sorting.
 */
#include "linalg/simplex.h"

#include <math.h>

static double largest(int n, const double *x) {
    double top = x[0];
    for (int i = 1; i < n; i++) top = fmax(top, x[i]);
    return top;
}

/* The shift for the entries above `floor`, and how many those are. */
static double shift_above(int n, const double *x, double floor, int *count) {
    double sum = 0;
    *count = 0;
    for (int i = 0; i < n; i++) {
        if (!(x[i] > floor)) continue;
        sum += x[i];
        (*count)++;
    }
    return (sum - 1) / *count;
}

void linalg_project_simplex(int n, double *x) {
    double top = largest(n, x);
    for (int i = 0; i < n; i++)
        x[i] -= top; /* the projection does not see a common shift, but rounding does */
    int count = -1, before;
    double floor = -1; /* an entry one below the largest is dropped in any case */
    do {
        before = count;
        floor = fmax(floor, shift_above(n, x, floor, &count));
    } while (count != before);
    for (int i = 0; i < n; i++) x[i] = fmax(x[i] - floor, 0);
}
