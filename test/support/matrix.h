/*
 * Random matrices with a known rank and a known relation between their rows, for tests of numerical code.
 */
#ifndef TEST_SUPPORT_MATRIX_H
#define TEST_SUPPORT_MATRIX_H

#include "base/rng.h"

/* How the rows of J [m][n] stand to each other. */
typedef enum test_rows {
    TEST_ROWS_NORMAL,   /* J = U S V', U and V orthonormal, S the absolute values of normals */
    TEST_ROWS_STRONG,   /* some positive v has v' J = 0: Pareto-stationary */
    TEST_ROWS_WEAK,     /* a v >= 0 with zeros has v' J = 0, and no positive one has */
    TEST_ROWS_NOT_WEAK, /* no v >= 0 but zero has v' J = 0: a step helps all */
} test_rows;

/* J [m][n] of the given rank; the strong and weak kinds need rank < m and m > 1. */
void test_matrix(base_rng *rng, test_rows kind, int m, int n, int rank, double *j);

/* G = J J' [m][m], every entry rounded once. */
void test_gramian(int m, int n, const double *j, double *g);

#endif
