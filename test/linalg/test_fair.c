#include "support/matrix.h"
#include "support/test.h"

#include "linalg/fair.h"
#include "linalg/small.h"

#include <math.h>
#include <stdlib.h>

#define MOST 64

static void correlate(int n, double *g) {
    double length[MOST];
    for (int i = 0; i < n; i++) length[i] = sqrt(g[i * n + i]);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) g[i * n + j] = i == j ? 1 : g[i * n + j] / (length[i] * length[j]);
}

/* The largest relative difference between the two sides. */
static double residual(int n, const double *a, const double *p, double alpha, const double *x) {
    double worst = 0;
    for (int i = 0; i < n; i++) {
        double pull = pow(p[i] / x[i], 1 / alpha), terms = pull;
        for (int j = 0; j < n; j++) terms = fmax(terms, fabs(a[i * n + j]) * x[j]);
        worst = fmax(worst, fabs(linalg_dot(n, a + (long)i * n, x) - pull) / terms);
    }
    return worst;
}

static const double alphas[] = {0.1, 0.5, 1, 2, 5};

static void equations_hold_on_random_gramians(void **state) {
    (void)state;
    static const int shapes[][3] = {{1, 1, 1},   {2, 3, 2},     {4, 3, 2},   {9, 11, 9},
                                    {20, 10, 5}, {40, 100, 30}, {64, 64, 64}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t e = 0; e < sizeof alphas / sizeof *alphas; e++)
            for (uint64_t seed = 0; seed < 30; seed++) {
                base_rng rng = base_rng_make(seed, "fair", s, e);
                int m = shapes[s][0], n = shapes[s][1];
                double *j = calloc((size_t)(m * n), 8), *g = calloc((size_t)(m * m), 8), p[MOST], x[MOST];
                double *work = calloc(linalg_fair_room(m), 8);
                test_matrix(&rng, TEST_ROWS_NOT_WEAK, m, n, shapes[s][2], j);
                test_gramian(m, n, j, g);
                correlate(m, g);
                for (int i = 0; i < m; i++) p[i] = seed % 2 ? 1 : pow(10, -6 * base_rng_uniform(&rng));
                bool solved = linalg_fair_solve(m, g, p, alphas[e], x, work);
                double r = residual(m, g, p, alphas[e], x);
                if (!solved || !(r < 1e-9))
                    fail_msg("(%d, %d) alpha %g seed %d: %s, residual %g", m, n, alphas[e], (int)seed,
                             solved ? "solved" : "not solved", r);
                free(work);
                free(g);
                free(j);
            }
}

/* Second formulation: one unknown at a time by bisection, round and round. */
static void solve_one_by_one(int n, const double *a, double alpha, double *x) {
    for (int i = 0; i < n; i++) x[i] = 1;
    for (int round = 0; round < 20000; round++)
        for (int i = 0; i < n; i++) {
            double others = linalg_dot(n, a + (long)i * n, x) - x[i], low = 0, high = 1e6;
            for (int k = 0; k < 80; k++) {
                double middle = 0.5 * (low + high);
                if (others + middle < pow(1 / middle, 1 / alpha))
                    low = middle;
                else
                    high = middle;
            }
            if (fabs(x[i] - low) < 1e-15 * low && round > 100) round = 20000;
            x[i] = low;
        }
}

static void solutions_agree_with_bisection(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        base_rng rng = base_rng_make(seed, "fair by bisection", 0, 0);
        double j[9], g[9], p[] = {1, 1, 1}, x[3], y[3], *work = calloc(linalg_fair_room(3), 8);
        test_matrix(&rng, TEST_ROWS_NOT_WEAK, 3, 3, 3, j);
        test_gramian(3, 3, j, g);
        correlate(3, g);
        double alpha = alphas[1 + seed % 3];
        assert_true(linalg_fair_solve(3, g, p, alpha, x, work));
        solve_one_by_one(3, g, alpha, y);
        for (int i = 0; i < 3; i++)
            if (fabs(x[i] - y[i]) > 1e-6 * y[i]) fail_msg("seed %d: %g and %g", (int)seed, x[i], y[i]);
        free(work);
    }
}

static void stationary_rows_give_a_finite_answer(void **state) {
    (void)state;
    double opposite[] = {1, -1, -1, 1}, p[] = {1, 1}, x[2], *work = calloc(linalg_fair_room(2), 8);
    for (size_t e = 0; e < sizeof alphas / sizeof *alphas; e++) {
        assert_true(linalg_fair_solve(2, opposite, p, alphas[e], x, work));
        assert_true(isfinite(x[0]) && x[0] > 0);
        assert_near(x[1] / x[0], 1, 1e-6);
    }
    free(work);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(equations_hold_on_random_gramians),
        TEST(solutions_agree_with_bisection),
        TEST(stationary_rows_give_a_finite_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
