#include "support/matrix.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static double dot(int n, const double *x, const double *y) {
    long double sum = 0;
    for (int i = 0; i < n; i++) sum += (long double)x[i] * y[i];
    return (double)sum;
}

/* Makes `x` orthogonal to `count` unit rows and of unit length; false if nothing of it is left. */
static bool orthonormalise(int n, int count, const double *rows, double *x) {
    for (int round = 0; round < 2; round++)
        for (int k = 0; k < count; k++) {
            double share = dot(n, rows + (long)k * n, x);
            for (int i = 0; i < n; i++) x[i] -= share * rows[(long)k * n + i];
        }
    double length = sqrt(dot(n, x, x));
    for (int i = 0; i < n; i++) x[i] /= length;
    return length > 1e-6;
}

/* Fills rows `from` to `to` with random unit rows, orthogonal to all before them. */
static void random_rows(base_rng *rng, int n, int from, int to, double *rows) {
    for (int k = from; k < to; k++) {
        double *x = rows + (long)k * n;
        do
            for (int i = 0; i < n; i++) x[i] = base_rng_normal(rng);
        while (!orthonormalise(n, k, rows, x));
    }
}

/* A unit vector that is positive on [from, to) and zero elsewhere. */
static void positive_part(base_rng *rng, int n, int from, int to, double *x) {
    for (int i = 0; i < n; i++) x[i] = i >= from && i < to ? 0.1 + fabs(base_rng_normal(rng)) : 0;
    orthonormalise(n, 0, NULL, x);
}

/* Left factors [count][m] that make the kind; the first `*skip` of them are left out of J. */
static void left_factors(base_rng *rng, test_rows kind, int m, int rank, double *left, int *skip) {
    int made = 0;
    *skip = 0;
    if (kind == TEST_ROWS_STRONG) {
        positive_part(rng, m, 0, m, left);
        made = *skip = 1;
    } else if (kind == TEST_ROWS_WEAK) {
        positive_part(rng, m, 0, (m + 1) / 2, left);
        positive_part(rng, m, (m + 1) / 2, m, left + m);
        made = 2;
        *skip = 1;
    } else if (kind == TEST_ROWS_NOT_WEAK) {
        positive_part(rng, m, 0, m, left);
        made = 1;
    }
    random_rows(rng, m, made, *skip + rank, left);
}

void test_matrix(base_rng *rng, test_rows kind, int m, int n, int rank, double *j) {
    double *left = calloc((size_t)(rank + 2) * (size_t)m, sizeof *left);
    double *right = calloc((size_t)rank * (size_t)n + 1, sizeof *right);
    int skip;
    left_factors(rng, kind, m, rank, left, &skip);
    random_rows(rng, n, 0, rank, right);
    for (long i = 0; i < (long)m * n; i++) j[i] = 0;
    for (int k = 0; k < rank; k++) {
        double value = fabs(base_rng_normal(rng));
        for (int i = 0; i < m; i++)
            for (int p = 0; p < n; p++)
                j[(long)i * n + p] += left[(long)(skip + k) * m + i] * value * right[(long)k * n + p];
    }
    free(right);
    free(left);
}

void test_gramian(int m, int n, const double *j, double *g) {
    for (int i = 0; i < m; i++)
        for (int k = 0; k <= i; k++)
            g[(long)i * m + k] = g[(long)k * m + i] = dot(n, j + (long)i * n, j + (long)k * n);
}
