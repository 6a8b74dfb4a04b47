#include "support/matrix.h"
#include "support/test.h"

#include "linalg/eigen.h"
#include "linalg/small.h"

#include <math.h>
#include <stdlib.h>

typedef struct decomposition {
    int n;
    double *a, *values, *vectors, *work;
} decomposition;

static decomposition make(int n) {
    size_t size = (size_t)n;
    return (decomposition){n, calloc(size * size, 8), calloc(size, 8), calloc(size * size, 8),
                           calloc(linalg_eigen_room(n), 8)};
}

static void unmake(decomposition *d) {
    free(d->a);
    free(d->values);
    free(d->vectors);
    free(d->work);
}

/* The largest |A - X' diag X|, and |X X' - I| with it, in units of the largest eigenvalue. */
static double error_of(const decomposition *d) {
    int n = d->n;
    double worst = 0, scale = fmax(fabs(d->values[0]), fabs(d->values[n - 1]));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double a = 0, unit = linalg_dot(n, d->vectors + (long)i * n, d->vectors + (long)j * n);
            for (int k = 0; k < n; k++)
                a += d->values[k] * d->vectors[(long)k * n + i] * d->vectors[(long)k * n + j];
            worst = fmax(worst, fabs(unit - (i == j)));
            if (scale > 0) worst = fmax(worst, fabs(a - d->a[(long)i * n + j]) / scale);
        }
    return worst;
}

static void decompositions_give_the_matrix_back(void **state) {
    (void)state;
    static const int sizes[] = {1, 2, 3, 5, 8, 16, 17, 40, 64, 65, 100};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int rank = 1; rank <= sizes[s]; rank += 1 + sizes[s] / 3) {
            base_rng rng = base_rng_make(1, "eigen", (uint64_t)sizes[s], (uint64_t)rank);
            decomposition d = make(sizes[s]);
            double *j = calloc((size_t)sizes[s] * (size_t)sizes[s], 8);
            test_matrix(&rng, TEST_ROWS_NORMAL, sizes[s], sizes[s], rank, j);
            test_gramian(sizes[s], sizes[s], j, d.a);
            linalg_eigen(d.n, d.a, d.values, d.vectors, d.work);
            assert_true(error_of(&d) < 1e-13);
            for (int i = 1; i < d.n; i++) assert_true(d.values[i] >= d.values[i - 1]);
            free(j);
            unmake(&d);
        }
}

static void small_eigenvalues_are_accurate(void **state) {
    (void)state;
    decomposition d = make(3);
    /* D C D with a well-conditioned C: all eigenvalues to full relative accuracy (Demmel and Veselic) */
    double scale[] = {1, 1e-6, 1e-12}, c[] = {1, 0.5, 0.25, 0.5, 1, 0.5, 0.25, 0.5, 1};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) d.a[3 * i + j] = scale[i] * c[3 * i + j] * scale[j];
    linalg_eigen(3, d.a, d.values, d.vectors, d.work);
    /* determinants of leading blocks give the values up to terms of 1e-12 */
    assert_near(d.values[2], 1, 1e-11);
    assert_near(d.values[1] / (0.75e-12), 1, 1e-11);
    assert_near(d.values[0] / (0.75e-24), 1, 1e-11);
    unmake(&d);
}

static void zero_and_diagonal_matrices_are_fine(void **state) {
    (void)state;
    decomposition d = make(4);
    linalg_eigen(4, d.a, d.values, d.vectors, d.work);
    assert_true(error_of(&d) == 0);
    for (int i = 0; i < 4; i++) d.a[5 * i] = 4 - i;
    linalg_eigen(4, d.a, d.values, d.vectors, d.work);
    for (int i = 0; i < 4; i++) assert_true(d.values[i] == 1 + i);
    unmake(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(decompositions_give_the_matrix_back),
        TEST(small_eigenvalues_are_accurate),
        TEST(zero_and_diagonal_matrices_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
