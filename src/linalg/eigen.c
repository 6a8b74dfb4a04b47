/*
 * Small matrices by cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5), which find small
 * eigenvalues to high relative accuracy and need no library: 0.4 ms at order 40, where LAPACK is no faster
 * alone and far slower once its threads wait for a busy processor. Larger ones by LAPACK's dsyev, in one
 * thread.
 */
#include "linalg/eigen.h"

#include "linalg/blas.h"
#include "linalg/lapack.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define JACOBI_LARGEST 64
#define SWEEPS 60 /* six to ten are usual */
#define WORK_PER_ROW 34

size_t linalg_eigen_room(int n) {
    size_t size = (size_t)n, work = n > JACOBI_LARGEST ? WORK_PER_ROW * size : 0;
    return size * size + work;
}

/* Rotates rows and columns p and q of A so that a[p][q] becomes zero, and rows p and q of the vectors. */
static void rotate(int n, double *a, double *vectors, int p, int q) {
    double *row_p = a + (size_t)p * (size_t)n, *row_q = a + (size_t)q * (size_t)n;
    double theta = (row_q[q] - row_p[p]) / (2 * row_p[q]);
    double t = copysign(1, theta) / (fabs(theta) + hypot(theta, 1)), c = 1 / sqrt(t * t + 1), s = t * c;
    for (int k = 0; k < n; k++) {
        double *column = a + (size_t)k * (size_t)n, kp = column[p], kq = column[q];
        column[p] = c * kp - s * kq;
        column[q] = s * kp + c * kq;
    }
    double *x = vectors + (size_t)p * (size_t)n, *y = vectors + (size_t)q * (size_t)n;
    for (int k = 0; k < n; k++) {
        double pk = row_p[k], qk = row_q[k], xk = x[k], yk = y[k];
        row_p[k] = c * pk - s * qk;
        row_q[k] = s * pk + c * qk;
        x[k] = c * xk - s * yk;
        y[k] = s * xk + c * yk;
    }
    row_p[q] = row_q[p] = 0;
}

/* One rotation per pair that still matters; false if none did. */
static bool sweep(int n, double *a, double *vectors) {
    bool any = false;
    for (int p = 0; p < n; p++)
        for (int q = p + 1; q < n; q++) {
            double off = fabs(a[(size_t)p * (size_t)n + (size_t)q]);
            double scale =
                sqrt(fabs(a[(size_t)p * (size_t)(n + 1)])) * sqrt(fabs(a[(size_t)q * (size_t)(n + 1)]));
            if (off <= 0.25 * DBL_EPSILON * scale || off < DBL_MIN) continue;
            rotate(n, a, vectors, p, q);
            any = true;
        }
    return any;
}

static void swap_rows(int n, double *x, double *y) {
    for (int k = 0; k < n; k++) {
        double kept = x[k];
        x[k] = y[k];
        y[k] = kept;
    }
}

static void sort_ascending(int n, double *values, double *vectors) {
    for (int i = 0; i < n; i++) {
        int lowest = i;
        for (int j = i + 1; j < n; j++)
            if (values[j] < values[lowest]) lowest = j;
        if (lowest == i) continue;
        swap_rows(1, &values[i], &values[lowest]);
        swap_rows(n, vectors + (size_t)i * (size_t)n, vectors + (size_t)lowest * (size_t)n);
    }
}

static void jacobi(int n, double *a, double *values, double *vectors) {
    memset(vectors, 0, (size_t)n * (size_t)n * sizeof *vectors);
    for (int i = 0; i < n; i++) vectors[(size_t)i * (size_t)(n + 1)] = 1;
    for (int round = 0; round < SWEEPS && sweep(n, a, vectors); round++) {
    }
    for (int i = 0; i < n; i++) values[i] = a[(size_t)i * (size_t)(n + 1)];
    sort_ascending(n, values, vectors);
}

void linalg_eigen(int n, const double *a, double *values, double *vectors, double *work) {
    size_t bytes = (size_t)n * (size_t)n * sizeof *a;
    if (n > JACOBI_LARGEST) {
        int n_work = WORK_PER_ROW * n, info;
        linalg_single_thread();
        memcpy(vectors, a,
               bytes); /* symmetric, so the order of its axes does not matter; columns come back */
        dsyev_("V", "U", &n, vectors, &n, values, work, &n_work, &info, 1, 1);
        if (info == 0) return;
    }
    memcpy(work, a, bytes);
    jacobi(n, work, values, vectors);
}
