/*
 * Pseudo-inverses of a step's correlations: the directions with equal cosines to all gradients, which IMTL-G
 * and ConFIG are made of.
 */
#ifndef BALANCE_EQUAL_H
#define BALANCE_EQUAL_H

#include "balance/method.h"

typedef struct balance_equal {
    double *matrix, *factor, *values, *coefficients, *work;
} balance_equal;

truce_status balance_equal_prepare(truce_balancer *balancer, balance_equal *equal);

/*
 * y [n] = C^+ x for the correlations C: sum_i (y_i / |g_i|) g_i has the product x_i with each unit gradient,
 * or the nearest to that in the least squares sense. Eigenvalues below n * epsilon of the largest count as
 * zero.
 */
void balance_equal_solve(const balance_equal *equal, const balance_step *step, const double *x, double *y);

/* y = G^+ x, the same without regard to the lengths of the gradients. */
void balance_equal_solve_plain(const balance_equal *equal, const balance_step *step, const double *x,
                               double *y);

#endif
