/*
 * The one quadratic program behind most balancing methods,
 *
 *     minimise 1/2 v' A v + q' v   subject to   v >= 0   and, optionally,   a' v = total,
 *
 * for a small positive semi-definite A, solved exactly by an active-set method (see qp.c).
 *
 *   - the point of smallest norm in a convex hull (MGDA):             A = G, a = 1, total = 1
 *   - a box program min w' G w, w >= u (UPGrad, DualProj), w = u + v:  A = G, q = G u
 *   - the path that CAGrad's solution lies on:                         A = G, q = G 1/T, a = 1, all totals
 *
 * The caller makes A comparable in its rows (a correlation matrix is best): a row that is 1e-8 as long as
 * another would drown in rounding otherwise. Tolerances are relative to the numbers that a residual is the
 * difference of.
 */
#ifndef LINALG_QP_H
#define LINALG_QP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct linalg_qp {
    int n;
    const double *matrix; /* A [n][n] */
    const double *linear; /* q [n], or NULL for zero */
    const double *row;    /* a [n], all positive; NULL: no equality */
    double total;         /* of a' v; positive */
} linalg_qp;

/* Doubles of workspace for n unknowns. */
size_t linalg_qp_room(int n);

/*
 * v [n]; `slope` [n] (may be NULL) receives dv/dtotal while the set of non-zero v stays as it is. Returns
 * false where there is no solution (no equality, and q' v falls without end along some v >= 0 with A v = 0);
 * v is then what was reached.
 */
bool linalg_qp_solve(const linalg_qp *problem, double *v, double *slope, double *work);

#endif
