/*
 * The shortest vector in the convex hull of a step's gradients, which several methods start from.
 */
#ifndef BALANCE_HULL_H
#define BALANCE_HULL_H

#include "balance/method.h"

typedef struct balance_hull {
    double *correlation; /* [T][T] */
    double *row;         /* [T] */
    double *work;
} balance_hull;

truce_status balance_hull_prepare(truce_balancer *balancer, balance_hull *hull);

/*
 * w [n] on the simplex with the smallest |sum_i w_i g_i|, which is returned; 0 if it is zero to rounding,
 * that is, if the step is Pareto-stationary.
 */
double balance_hull_nearest(const balance_hull *hull, const balance_step *step, double *weights);

#endif
