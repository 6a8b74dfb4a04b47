/*
 * Plain loops for matrices with as many rows as there are tasks: row-major, in double, no allocation. For
 * large products there is BLAS; below a hundred rows calling it costs more than the arithmetic.
 */
#ifndef LINALG_SMALL_H
#define LINALG_SMALL_H

#include <stdbool.h>

/* x . y */
double linalg_dot(int n, const double *x, const double *y);

/* y = A x, A [n][n] */
void linalg_times(int n, const double *a, const double *x, double *y);

/* x' A y, A [n][n] */
double linalg_form(int n, const double *a, const double *x, const double *y);

/*
 * Cholesky factor of a symmetric positive definite A [n][n]: its lower triangle is overwritten by L with
 * A = L L'. False if a pivot is not positive; A is then destroyed.
 */
bool linalg_cholesky(int n, double *a);

/* Solves L L' x = b in place. `stride` is the length of a row of L. */
void linalg_cholesky_solve(int n, const double *l, int stride, double *x);

#endif
