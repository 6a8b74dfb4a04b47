#include "support/test.h"

#include "base/rng.h"
#include "linalg/simplex.h"

#include <math.h>

/* Second formulation: the shift by bisection. */
static void project_by_bisection(int n, const double *x, double *out) {
    double low = -1e9, high = 1e9;
    for (int round = 0; round < 200; round++) {
        double middle = 0.5 * (low + high), sum = 0;
        for (int i = 0; i < n; i++) sum += fmax(x[i] - middle, 0);
        if (sum > 1)
            low = middle;
        else
            high = middle;
    }
    for (int i = 0; i < n; i++) out[i] = fmax(x[i] - high, 0);
}

static void projection_agrees_with_bisection(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        base_rng rng = base_rng_make(seed, "simplex", 0, 0);
        int n = 1 + (int)base_rng_below(&rng, 40);
        double x[40], expected[40], scale = pow(10, 4 * base_rng_uniform(&rng) - 2), sum = 0;
        for (int i = 0; i < n; i++) x[i] = scale * base_rng_normal(&rng);
        if (seed % 5 == 0)
            for (int i = 1; i < n; i += 2) x[i] = x[i - 1];
        project_by_bisection(n, x, expected);
        linalg_project_simplex(n, x);
        for (int i = 0; i < n; i++) {
            if (fabs(x[i] - expected[i]) > 1e-9) fail_msg("seed %d: entry %d", (int)seed, i);
            sum += x[i];
        }
        assert_near(sum, 1, 1e-13);
    }
}

static void points_of_the_simplex_stay(void **state) {
    (void)state;
    double x[] = {0.25, 0, 0.75}, corner[] = {1e300, 0, -1e300}, one[] = {-7};
    linalg_project_simplex(3, x);
    assert_true(x[0] == 0.25 && x[1] == 0 && x[2] == 0.75);
    linalg_project_simplex(3, corner);
    assert_true(corner[0] == 1 && corner[1] == 0 && corner[2] == 0);
    linalg_project_simplex(1, one);
    assert_true(one[0] == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(projection_agrees_with_bisection),
        TEST(points_of_the_simplex_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
