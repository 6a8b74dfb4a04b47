/*
 * Functions of a symmetric matrix applied to a vector, f(A) x = sum_k f(value_k) (x . z_k) z_k, without
 * making the eigenvectors z_k: split x into its coefficients, multiply these, join them again.
 */
#ifndef LINALG_SPECTRAL_H
#define LINALG_SPECTRAL_H

#include <stddef.h>

/* Doubles of workspace for order n. */
size_t linalg_spectral_room(int n);

/* Eigenvalues [n] of A [n][n], in no order, and the coefficients x . z_k [n]. `work` is kept for joining. */
void linalg_spectral_split(int n, const double *a, const double *x, double *values, double *coefficients,
                           double *work);

/* y [n] = sum_k coefficients_k z_k. `work` is what the split left. */
void linalg_spectral_join(int n, const double *coefficients, double *y, const double *work);

#endif
