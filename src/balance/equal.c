#include "balance/equal.h"

#include "balance/numbers.h"
#include "linalg/eigen.h"
#include "linalg/small.h"

#include <float.h>
#include <math.h>

#define ROUNDING                                                                                             \
    10 /* times n * epsilon: what the entries of a correlation matrix are off by, and what follows */

truce_status balance_equal_prepare(truce_balancer *balancer, balance_equal *equal) {
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &equal->matrix));
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &equal->vectors));
    BASE_TRY(balance_scratch(balancer, tasks, &equal->values));
    return balance_scratch(balancer, linalg_eigen_room((int)tasks), &equal->work);
}

/* Eigenvalues, and shares of x along their vectors, that rounding explains count as zero. */
static void apply_inverse(const balance_equal *equal, const double *matrix, int n, const double *x,
                          double *y) {
    linalg_eigen(n, matrix, equal->values, equal->vectors, equal->work);
    double noise = ROUNDING * n * DBL_EPSILON, length = sqrt(linalg_dot(n, x, x));
    for (int i = 0; i < n; i++) y[i] = 0;
    for (int k = 0; k < n; k++) {
        const double *vector = equal->vectors + k * n;
        double share = linalg_dot(n, vector, x);
        if (!(equal->values[k] > noise * equal->values[n - 1]) || fabs(share) <= noise * length) continue;
        for (int i = 0; i < n; i++) y[i] += share / equal->values[k] * vector[i];
    }
}

void balance_equal_solve(const balance_equal *equal, const balance_step *step, const double *x, double *y) {
    balance_correlate(step, equal->matrix);
    apply_inverse(equal, equal->matrix, step->n, x, y);
}

void balance_equal_solve_plain(const balance_equal *equal, const balance_step *step, const double *x,
                               double *y) {
    apply_inverse(equal, step->gramian, step->n, x, y);
}
