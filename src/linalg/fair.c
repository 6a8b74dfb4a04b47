/*
 * The equations say that the gradient of the strictly convex
 *
 *     f(x) = 1/2 x' A x - sum_i p_i^(1/alpha) psi(x_i),   psi' = x^(-1/alpha),
 *
 * is zero, so that Newton's method with a line search always gets there. The step is cut at 0.99 of the way
 * to the nearest wall x_i = 0. f is bounded below, and the solution finite, unless some v >= 0 has A v = 0,
 * that is, unless zero lies in the convex hull of the rows that A is the Gramian of; the smallest norm in
 * that hull decides, and a ridge helps out. (Derived for this library; the originals use sequences of convex
 * programs or bounded least squares, which stop at 1e-3 to 1e-8.)
 */
#include "linalg/fair.h"

#include "linalg/qp.h"
#include "linalg/small.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define ITERATIONS 500
#define STATIONARY 1e-12 /* smallest x' A x over sum x = 1 that is told from zero */

typedef struct fair {
    int n;
    const double *a;
    const double *p;
    double exponent; /* 1 / alpha */
    double ridge;
    double *x, *product; /* [n]: A x */
    double *pull;        /* [n]: (p / x)^(1/alpha) */
    double *step;        /* [n] */
    double *matrix;      /* [n][n] */
} fair;

size_t linalg_fair_room(int n) {
    size_t size = (size_t)n;
    size_t newton = size * size + 3 * size, hull = 2 * size + linalg_qp_room(n);
    return newton > hull ? newton : hull;
}

static bool is_stationary(int n, const double *a, double *work) {
    double *v = work, *ones = v + n;
    for (int i = 0; i < n; i++) ones[i] = 1;
    linalg_qp hull = {.n = n, .matrix = a, .row = ones, .total = 1};
    linalg_qp_solve(&hull, v, NULL, ones + n);
    return !(linalg_form(n, a, v, v) > STATIONARY);
}

/* A x and the pulls at x; returns the largest relative difference between the two sides. */
static double evaluate(fair *f) {
    double worst = 0;
    linalg_times(f->n, f->a, f->x, f->product);
    for (int i = 0; i < f->n; i++) {
        f->product[i] += f->ridge * f->x[i];
        f->pull[i] = pow(f->p[i] / f->x[i], f->exponent);
        double terms = f->pull[i];
        for (int j = 0; j < f->n; j++)
            terms = fmax(terms, fabs(f->a[(size_t)i * (size_t)f->n + (size_t)j]) * f->x[j]);
        worst = fmax(worst, fabs(f->product[i] - f->pull[i]) / terms);
    }
    return worst;
}

/* Solves (H + shift diag A) step = -gradient; false where that is not positive definite to rounding. */
static bool find_shifted_step(fair *f, double shift) {
    int n = f->n;
    memcpy(f->matrix, f->a, (size_t)n * (size_t)n * sizeof *f->a);
    for (int i = 0; i < n; i++) {
        double *diagonal = &f->matrix[(size_t)i * (size_t)(n + 1)];
        *diagonal += shift * *diagonal + f->ridge + f->exponent * f->pull[i] / f->x[i];
        f->step[i] = f->pull[i] - f->product[i];
    }
    if (!linalg_cholesky(n, f->matrix)) return false;
    linalg_cholesky_solve(n, f->matrix, n, f->step);
    return true;
}

/* The Newton step; where H is singular to rounding, that of the nearest H which is not. */
static bool find_step(fair *f) {
    double shift = 0;
    while (!find_shifted_step(f, shift)) {
        if (shift > 1) return false;
        shift = shift > 0 ? 10 * shift : DBL_EPSILON;
    }
    return true;
}

/* The slope of f along the step at x + t step: negative while f still falls. */
static double slope_at(const fair *f, double t) {
    double slope = 0;
    for (int i = 0; i < f->n; i++) {
        double along = linalg_dot(f->n, f->a + (size_t)i * (size_t)f->n, f->step) + f->ridge * f->step[i];
        double x = f->x[i] + t * f->step[i];
        slope += f->step[i] * (f->product[i] + t * along - pow(f->p[i] / x, f->exponent));
    }
    return slope;
}

/* A step length at which f has fallen: up to the wall, halved while the slope there is clearly uphill. */
static double find_length(const fair *f) {
    double length = 1, begin = slope_at(f, 0);
    for (int i = 0; i < f->n; i++)
        if (f->step[i] < 0) length = fmin(length, -0.99 * f->x[i] / f->step[i]);
    for (int k = 0; k < 60 && slope_at(f, length) > -0.9 * begin; k++) length /= 2;
    return length;
}

static bool newton(fair *f) {
    double worst = evaluate(f);
    for (int k = 0; k < ITERATIONS && worst > 1e-13; k++) {
        if (!find_step(f)) return false;
        double length = find_length(f), change = 0;
        for (int i = 0; i < f->n; i++) {
            double moved = length * f->step[i];
            change = fmax(change, fabs(moved) / f->x[i]);
            f->x[i] += moved;
        }
        worst = evaluate(f);
        if (change < 4 * DBL_EPSILON) break;
    }
    return worst < 1e-8;
}

bool linalg_fair_solve(int n, const double *a, const double *p, double alpha, double *x, double *work) {
    fair f = {.n = n, .a = a, .p = p, .exponent = 1 / alpha, .x = x, .product = work};
    f.ridge = is_stationary(n, a, work) ? LINALG_FAIR_RIDGE : 0;
    f.pull = f.product + n;
    f.step = f.pull + n;
    f.matrix = f.step + n;
    for (int i = 0; i < n; i++) x[i] = pow(p[i], 1 / (1 + alpha)); /* where each would stand alone */
    return newton(&f);
}
