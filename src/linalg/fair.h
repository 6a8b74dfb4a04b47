/*
 * The equations of proportional and alpha-fairness, A x = (p / x)^(1/alpha) with x > 0: Nash-MTL, FairGrad,
 * PIVRG, ConsMTL.
 */
#ifndef LINALG_FAIR_H
#define LINALG_FAIR_H

#include <stdbool.h>
#include <stddef.h>

/* Doubles of workspace for n unknowns. */
size_t linalg_fair_room(int n);

/*
 * x [n] for A [n][n], p [n] > 0 and alpha > 0. A is positive semi-definite with ones on its diagonal (the
 * caller scales). A solution exists where no v >= 0 but zero has A v = 0, and is then unique; otherwise, and
 * within rounding of that, A + LINALG_FAIR_RIDGE I takes the place of A, so that x stays finite. Returns
 * false if Newton's method did not converge.
 */
#define LINALG_FAIR_RIDGE 1e-9
bool linalg_fair_solve(int n, const double *a, const double *p, double alpha, double *x, double *work);

#endif
