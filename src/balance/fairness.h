/*
 * The equations G w = (p / w)^(1/alpha) for a step's gradients, which Nash-MTL, FairGrad, PIVRG and ConsMTL
 * solve.
 */
#ifndef BALANCE_FAIRNESS_H
#define BALANCE_FAIRNESS_H

#include "balance/method.h"

typedef struct balance_fairness {
    double *correlation, *p, *work;
} balance_fairness;

truce_status balance_fairness_prepare(truce_balancer *balancer, balance_fairness *fairness);

/* w [n]; `p` [n] may be NULL for ones. */
truce_status balance_fairness_solve(truce_balancer *balancer, const balance_fairness *fairness,
                                    const balance_step *step, const double *p, double alpha, double *weights);

#endif
