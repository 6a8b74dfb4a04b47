#include "support/matrix.h"
#include "support/test.h"

#include "linalg/eigen.h"
#include "linalg/small.h"
#include "linalg/spectral.h"

#include <math.h>
#include <stdlib.h>

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A random symmetric matrix: a Gramian of some rank, or one with eigenvalues of both signs, or a sparse one.
 */
static void make(base_rng *rng, int n, int kind, double *a) {
    double *j = calloc((size_t)(n * n), 8);
    if (kind == 0) {
        test_matrix(rng, TEST_ROWS_NORMAL, n, n, 1 + (int)base_rng_below(rng, (uint64_t)n), j);
        test_gramian(n, n, j, a);
    } else {
        for (int i = 0; i < n; i++)
            for (int k = 0; k <= i; k++) {
                double value = kind == 1 || base_rng_below(rng, 4) == 0 ? base_rng_normal(rng) : 0;
                a[i * n + k] = a[k * n + i] = value;
            }
    }
    free(j);
}

typedef struct space {
    double a[64 * 64], x[64], values[64], sorted[64], coefficients[64], y[64], expected[64], vectors[64 * 64];
} space;

static double distance(int n, const double *x, const double *y) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sqrt(sum);
}

/* Values against Jacobi's; joining unchanged coefficients gives x back, and multiplied by the values A x. */
static void splitting_and_joining_is_multiplying(void **state) {
    (void)state;
    space *s = calloc(1, sizeof *s);
    static const int sizes[] = {1, 2, 3, 4, 7, 16, 40, 64};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (uint64_t seed = 0; seed < 60; seed++) {
            int n = sizes[k];
            base_rng rng = base_rng_make(seed, "spectral", k, 0);
            double *work = calloc(linalg_spectral_room(n), 8), *more = calloc(linalg_eigen_room(n), 8);
            make(&rng, n, (int)(seed % 3), s->a);
            for (int i = 0; i < n; i++) s->x[i] = base_rng_normal(&rng);
            linalg_spectral_split(n, s->a, s->x, s->values, s->coefficients, work);
            linalg_eigen(n, s->a, s->expected, s->vectors, more);
            double scale = fmax(fabs(s->expected[0]), fabs(s->expected[n - 1]));
            memcpy(s->sorted, s->values, sizeof s->sorted);
            qsort(s->sorted, (size_t)n, sizeof *s->sorted, compare_numbers);
            if (distance(n, s->sorted, s->expected) > 1e-13 * n * scale)
                fail_msg("order %d seed %d: values", n, (int)seed);
            linalg_spectral_join(n, s->coefficients, s->y, work);
            if (distance(n, s->y, s->x) > 1e-13 * n)
                fail_msg("order %d seed %d: x does not come back", n, (int)seed);
            for (int i = 0; i < n; i++) s->coefficients[i] *= s->values[i];
            linalg_spectral_join(n, s->coefficients, s->y, work);
            linalg_times(n, s->a, s->x, s->expected);
            if (distance(n, s->y, s->expected) > 1e-12 * n * scale)
                fail_msg("order %d seed %d: A x", n, (int)seed);
            free(more);
            free(work);
        }
    free(s);
}

static void scale_does_not_matter(void **state) {
    (void)state;
    static const double scales[] = {1e-300, 1e-100, 1e100, 1e290};
    double *work = calloc(linalg_spectral_room(3), 8), x[] = {1, -2, 0.5};
    for (size_t k = 0; k < 4; k++) {
        double a[] = {2, 1, 0.5, 1, 3, -1, 0.5, -1, 1}, plain[3], values[3], one[3], two[3];
        linalg_spectral_split(3, a, x, plain, one, work);
        for (int i = 0; i < 9; i++) a[i] *= scales[k];
        linalg_spectral_split(3, a, x, values, two, work);
        for (int i = 0; i < 3; i++) {
            assert_near(values[i] / scales[k], plain[i], 1e-14);
            assert_near(one[i], two[i], 1e-13);
        }
    }
    free(work);
}

static void zero_and_diagonal_matrices_are_fine(void **state) {
    (void)state;
    double *work = calloc(linalg_spectral_room(3), 8), zero[9] = {0},
           diagonal[] = {3, 0, 0, 0, 1, 0, 0, 0, 2};
    double x[] = {1, 2, 3}, values[3], c[3], y[3];
    linalg_spectral_split(3, zero, x, values, c, work);
    linalg_spectral_join(3, c, y, work);
    for (int i = 0; i < 3; i++) assert_true(values[i] == 0 && y[i] == x[i]);
    linalg_spectral_split(3, diagonal, x, values, c, work);
    for (int i = 0; i < 3; i++) assert_true(values[i] == diagonal[4 * i] && c[i] == x[i]);
    free(work);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(splitting_and_joining_is_multiplying),
        TEST(scale_does_not_matter),
        TEST(zero_and_diagonal_matrices_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
