/*
 * Eigenvalues of a symmetric matrix: A = sum_k value_k x_k x_k'.
 */
#ifndef LINALG_EIGEN_H
#define LINALG_EIGEN_H

#include <stddef.h>

/* Doubles of workspace for order n. */
size_t linalg_eigen_room(int n);

/*
 * Values [n], ascending, and their unit vectors as the rows of `vectors` [n][n]. `a` [n][n], symmetric, is
 * not changed.
 */
void linalg_eigen(int n, const double *a, double *values, double *vectors, double *work);

#endif
