/*
 * Euclidean projection on the probability simplex.
 */
#ifndef LINALG_SIMPLEX_H
#define LINALG_SIMPLEX_H

/* The point with x >= 0 and sum x = 1 that is nearest to `x` [n], in place; n >= 1. */
void linalg_project_simplex(int n, double *x);

#endif
