#include "linalg/small.h"

#include <math.h>

double linalg_dot(int n, const double *x, const double *y) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

void linalg_times(int n, const double *a, const double *x, double *y) {
    for (int i = 0; i < n; i++) y[i] = linalg_dot(n, a + (long)i * n, x);
}

double linalg_form(int n, const double *a, const double *x, const double *y) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * linalg_dot(n, a + (long)i * n, y);
    return sum;
}

bool linalg_cholesky(int n, double *a) {
    for (int i = 0; i < n; i++) {
        double *row = a + (long)i * n;
        for (int j = 0; j < i; j++) {
            const double *other = a + (long)j * n;
            row[j] = (row[j] - linalg_dot(j, row, other)) / other[j];
        }
        double pivot = row[i] - linalg_dot(i, row, row);
        if (!(pivot > 0)) return false;
        row[i] = sqrt(pivot);
    }
    return true;
}

void linalg_cholesky_solve(int n, const double *l, int stride, double *x) {
    for (int i = 0; i < n; i++) {
        const double *row = l + (long)i * stride;
        x[i] = (x[i] - linalg_dot(i, row, x)) / row[i];
    }
    for (int i = n - 1; i >= 0; i--) {
        const double *row = l + (long)i * stride;
        x[i] /= row[i];
        for (int j = 0; j < i; j++) x[j] -= row[j] * x[i];
    }
}
