/*
 * The best worst case in a ball around a center, for a step's gradients (linalg/maximin.h): CAGrad and its
 * relatives.
 */
#ifndef BALANCE_BALL_H
#define BALANCE_BALL_H

#include "balance/method.h"

typedef struct balance_ball {
    double *linear; /* [T], set by the caller: g_i . center; destroyed by the solution */
    double *correlation, *row, *work;
} balance_ball;

truce_status balance_ball_prepare(truce_balancer *balancer, balance_ball *ball);

/* v [n] with |sum_i v_i g_i| <= radius that makes min_i (linear_i + g_i . sum_j v_j g_j) largest. */
void balance_ball_solve(const balance_ball *ball, const balance_step *step, double radius, double *v);

#endif
