/*
 * A = Q T Q' with a tridiagonal T by Householder reflections, then T = Z D Z' by the implicit QL iteration
 * with Wilkinson's shifts (Golub and Van Loan, Matrix Computations, 8.3). Q and Z are never formed:
 * reflections and rotations are kept and applied to one vector, forwards to split and backwards to join. The
 * cost is that of the reduction, a fraction of a full decomposition. Errors are a few epsilon of the largest
 * eigenvalue.
 */
#include "linalg/spectral.h"

#include "linalg/small.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Room for rotations, times n * n. Below one is usual; what is still beside the diagonal then would be left
 * there. */
#define ROTATIONS_PER_ENTRY 4

/* How the workspace is laid out. */
typedef struct spectral {
    int n;
    double *head;              /* [0] number of rotations */
    double *vectors;           /* [n][n]: row k holds the k-th reflection's unit vector */
    double *matrix;            /* [n][n], reduced */
    double *diagonal, *beside; /* [n] of T */
    double *product;           /* [n] */
    double *rotations;         /* triples: row, cosine, sine */
} spectral;

size_t linalg_spectral_room(int n) {
    size_t size = (size_t)n;
    return 1 + (2 + 3 * ROTATIONS_PER_ENTRY) * size * size + 3 * size;
}

static spectral layout(int n, double *work) {
    size_t size = (size_t)n;
    spectral s = {.n = n, .head = work, .vectors = work + 1};
    s.matrix = s.vectors + size * size;
    s.diagonal = s.matrix + size * size;
    s.beside = s.diagonal + n;
    s.product = s.beside + n;
    s.rotations = s.product + n;
    return s;
}

/* The unit vector v, into row k, for which (I - 2 v v') clears column k below the subdiagonal; what remains
 * there. */
static double make_reflection(const spectral *s, int k) {
    int n = s->n;
    double *v = s->vectors + (size_t)k * (size_t)n, squares = 0;
    memset(v, 0, (size_t)n * sizeof *v);
    for (int i = k + 1; i < n; i++) {
        v[i] = s->matrix[(size_t)i * (size_t)n + (size_t)k];
        if (i > k + 1) squares += v[i] * v[i];
    }
    double first = v[k + 1], length = sqrt(first * first + squares);
    if (squares == 0) {
        v[k + 1] = 0;
        return first;
    }
    double left = -copysign(length, first);
    v[k + 1] = first - left;
    double unit = 1 / sqrt(v[k + 1] * v[k + 1] + squares);
    for (int i = k + 1; i < n; i++) v[i] *= unit;
    return left;
}

/* A <- (I - 2 v v') A (I - 2 v v') on rows and columns beyond k: A - v w' - w v' with w = 2 (A v - (v' A v)
 * v). */
static void reflect_matrix(const spectral *s, int k) {
    int n = s->n;
    const double *v = s->vectors + (size_t)k * (size_t)n;
    double *w = s->product;
    memset(w, 0, (size_t)n * sizeof *w);
    for (int i = k + 1; i < n; i++) {
        const double *row = s->matrix + (size_t)i * (size_t)n;
        for (int j = k + 1; j < n; j++) w[j] += v[i] * row[j];
    }
    double form = linalg_dot(n - k - 1, w + k + 1, v + k + 1);
    for (int i = k + 1; i < n; i++) w[i] = 2 * (w[i] - form * v[i]);
    for (int i = k + 1; i < n; i++) {
        double *row = s->matrix + (size_t)i * (size_t)n, vi = v[i], wi = w[i];
        for (int j = k + 1; j < n; j++) row[j] -= vi * w[j] + wi * v[j];
    }
}

static void reduce(const spectral *s) {
    int n = s->n;
    for (int k = 0; k < n - 1; k++) {
        s->diagonal[k] = s->matrix[(size_t)k * (size_t)(n + 1)];
        s->beside[k] = make_reflection(s, k);
        reflect_matrix(s, k);
    }
    s->diagonal[n - 1] = s->matrix[(size_t)n * (size_t)n - 1];
    s->beside[n - 1] = 0;
}

static void reflect(const spectral *s, int k, double *x) {
    const double *v = s->vectors + (size_t)k * (size_t)s->n;
    double share = 2 * linalg_dot(s->n - k - 1, v + k + 1, x + k + 1);
    for (int i = k + 1; i < s->n; i++) x[i] -= share * v[i];
}

/* The end of the unreduced block of T that begins at `first`. */
static int end_of_block(const spectral *s, int first) {
    int m = first;
    for (; m < s->n - 1; m++)
        if (fabs(s->beside[m]) <= DBL_EPSILON * (fabs(s->diagonal[m]) + fabs(s->diagonal[m + 1]))) break;
    return m;
}

/* One implicit QL sweep on T's block [first, last]; its rotations are appended and applied to x. */
static void sweep(const spectral *s, int first, int last, double *x) {
    double *d = s->diagonal, *e = s->beside, sine = 1, cosine = 1, shift = 0;
    double half = (d[first + 1] - d[first]) / (2 * e[first]);
    double bulge = d[last] - d[first] + e[first] / (half + copysign(sqrt(half * half + 1), half));
    for (int i = last - 1; i >= first; i--) {
        double f = sine * e[i], b = cosine * e[i], r = sqrt(f * f + bulge * bulge);
        e[i + 1] = r;
        if (r == 0) { /* the block falls apart here */
            d[i + 1] -= shift;
            e[last] = 0;
            return;
        }
        sine = f / r;
        cosine = bulge / r;
        bulge = d[i + 1] - shift;
        r = (d[i] - bulge) * sine + 2 * cosine * b;
        shift = sine * r;
        d[i + 1] = bulge + shift;
        bulge = cosine * r - b;
        double *kept = s->rotations + 3 * (size_t)(*s->head)++, upper = x[i];
        kept[0] = i;
        kept[1] = cosine;
        kept[2] = sine;
        x[i] = cosine * upper - sine * x[i + 1];
        x[i + 1] = sine * upper + cosine * x[i + 1];
    }
    d[first] -= shift;
    e[first] = bulge;
    e[last] = 0;
}

static void diagonalise(const spectral *s, double *x) {
    double most = (double)ROTATIONS_PER_ENTRY * s->n * s->n - s->n;
    for (int first = 0; first < s->n; first++)
        for (int last; (last = end_of_block(s, first)) != first && *s->head <= most;)
            sweep(s, first, last, x);
}

void linalg_spectral_split(int n, const double *a, const double *x, double *values, double *coefficients,
                           double *work) {
    spectral s = layout(n, work);
    double largest = 0;
    for (int i = 0; i < n * n; i++) largest = fmax(largest, fabs(a[i]));
    double unit = largest > 0 ? 1 / largest : 1; /* squares neither overflow nor vanish */
    for (int i = 0; i < n * n; i++) s.matrix[i] = unit * a[i];
    memcpy(coefficients, x, (size_t)n * sizeof *x);
    *s.head = 0;
    reduce(&s);
    for (int k = 0; k < n - 1; k++) reflect(&s, k, coefficients);
    diagonalise(&s, coefficients);
    for (int i = 0; i < n; i++) values[i] = s.diagonal[i] / unit;
}

void linalg_spectral_join(int n, const double *coefficients, double *y, const double *work) {
    spectral s = layout(n, (double *)work);
    memcpy(y, coefficients, (size_t)n * sizeof *y);
    for (size_t k = (size_t)*s.head; k-- > 0;) {
        const double *kept = s.rotations + 3 * k;
        int i = (int)kept[0];
        double upper = y[i], cosine = kept[1], sine = kept[2];
        y[i] = cosine * upper + sine * y[i + 1];
        y[i + 1] = cosine * y[i + 1] - sine * upper;
    }
    for (int k = n - 2; k >= 0; k--) reflect(&s, k, y);
}
