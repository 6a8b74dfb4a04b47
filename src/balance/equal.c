#include "balance/equal.h"

#include "balance/numbers.h"
#include "linalg/small.h"
#include "linalg/spectral.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define INDEPENDENT 1e-4 /* least sine of a gradient's angle to the span of those before it */
#define ROUNDING 10 /* times n * epsilon: what correlations, and what is computed from them, are off by */

truce_status balance_equal_prepare(truce_balancer *balancer, balance_equal *equal) {
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &equal->matrix));
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &equal->factor));
    BASE_TRY(balance_scratch(balancer, tasks, &equal->values));
    BASE_TRY(balance_scratch(balancer, tasks, &equal->coefficients));
    return balance_scratch(balancer, linalg_spectral_room((int)tasks), &equal->work);
}

/* Eigenvalues, and shares of x along their vectors, that rounding explains count as zero. */
static void apply_inverse(const balance_equal *equal, const double *matrix, int n, const double *x,
                          double *y) {
    double noise = ROUNDING * n * DBL_EPSILON, length = sqrt(linalg_dot(n, x, x)), *c = equal->coefficients;
    linalg_spectral_split(n, matrix, x, equal->values, c, equal->work);
    double largest = balance_largest(n, equal->values);
    for (int k = 0; k < n; k++) {
        bool counts = equal->values[k] > noise * largest && fabs(c[k]) > noise * length;
        c[k] = counts ? c[k] / equal->values[k] : 0;
    }
    linalg_spectral_join(n, c, y, equal->work);
}

/* Where the gradients are clearly independent C^+ is the plain inverse, which a Cholesky factor applies. */
static bool solve_plainly(const balance_equal *equal, int n, const double *x, double *y) {
    memcpy(equal->factor, equal->matrix, (size_t)n * (size_t)n * sizeof *equal->factor);
    if (!linalg_cholesky(n, equal->factor)) return false;
    for (int i = 0; i < n; i++)
        if (equal->factor[i * (n + 1)] < INDEPENDENT) return false;
    memcpy(y, x, (size_t)n * sizeof *y);
    linalg_cholesky_solve(n, equal->factor, n, y);
    return true;
}

void balance_equal_solve(const balance_equal *equal, const balance_step *step, const double *x, double *y) {
    balance_correlate(step, equal->matrix);
    if (!solve_plainly(equal, step->n, x, y)) apply_inverse(equal, equal->matrix, step->n, x, y);
}

void balance_equal_solve_plain(const balance_equal *equal, const balance_step *step, const double *x,
                               double *y) {
    apply_inverse(equal, step->gramian, step->n, x, y);
}
