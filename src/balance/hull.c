/*
 * In units of each row's length the program is min y' C y subject to sum_i y_i / |g_i| = 1, with C the
 * correlations: rows of very different lengths keep their digits.
 */
#include "balance/hull.h"

#include "balance/numbers.h"
#include "linalg/qp.h"

#include <math.h>

#define STATIONARY                                                                                           \
    1e-13 /* squared length, of the square of the lengths it is made of, that rounding explains */

truce_status balance_hull_prepare(truce_balancer *balancer, balance_hull *hull) {
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &hull->correlation));
    BASE_TRY(balance_scratch(balancer, tasks, &hull->row));
    return balance_scratch(balancer, linalg_qp_room((int)tasks), &hull->work);
}

double balance_hull_nearest(const balance_hull *hull, const balance_step *step, double *weights) {
    int n = step->n;
    double shortest = step->norms[0], terms = 0;
    for (int i = 1; i < n; i++) shortest = fmin(shortest, step->norms[i]);
    for (int i = 0; i < n; i++) hull->row[i] = shortest / step->norms[i];
    balance_correlate(step, hull->correlation);
    linalg_qp program = {.n = n, .matrix = hull->correlation, .row = hull->row, .total = 1};
    linalg_qp_solve(&program, weights, NULL, hull->work);
    for (int i = 0; i < n; i++) weights[i] *= hull->row[i];
    balance_scale_all(n, 1 / balance_total(n, weights), weights);
    for (int i = 0; i < n; i++) terms += weights[i] * step->norms[i];
    double length = balance_length(step, weights);
    return length > sqrt(STATIONARY) * terms ? length : 0;
}
