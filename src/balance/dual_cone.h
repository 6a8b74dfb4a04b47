/*
 * Projection on the directions that conflict with no task, in coefficients: UPGrad and DualProj.
 */
#ifndef BALANCE_DUAL_CONE_H
#define BALANCE_DUAL_CONE_H

#include "balance/method.h"

typedef struct balance_dual_cone {
    double *matrix, *box, *linear, *v, *work;
} balance_dual_cone;

/* What is added to the Gramian, for comparison with TorchJD; both 0 for the exact projection. */
typedef struct balance_ridge {
    double reg_eps;  /* of the trace, on the diagonal */
    double norm_eps; /* a trace below this counts as zero */
} balance_ridge;

truce_status balance_dual_cone_prepare(truce_balancer *balancer, balance_dual_cone *cone);

/* Readies the cone for a step's gradients. */
void balance_dual_cone_begin(const balance_dual_cone *cone, const balance_step *step,
                             const balance_ridge *ridge);

/* weights [n] += those of the projection of sum_i u_i g_i. */
void balance_dual_cone_project(const balance_dual_cone *cone, const balance_step *step, const double *u,
                               double *weights);

#endif
