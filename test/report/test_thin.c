#include "support/test.h"

#include "base/rng.h"
#include "report/thin.h"

#include <math.h>
#include <stdlib.h>

enum { N = 20000 };

static double x[N], y[N];
static size_t kept[N];

/* A noisy line of n points over 500 px, with missing points in a share of places. */
static void draw_numbers(size_t n, double share_missing, uint64_t seed) {
    base_rng rng = base_rng_make(seed, "thin", n, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = 500.0 * (double)i / (double)n;
        y[i] = base_rng_uniform(&rng) < share_missing ? NAN : base_rng_normal(&rng);
    }
}

static void each_column_keeps_its_extremes_and_ends(void **state) {
    (void)state;
    draw_numbers(N, 0.1, 1);
    size_t n = report_thin(x, y, N, 1, kept);
    assert_true(n <= 5 * 500);
    for (int column = 0; column < 500; column++) {
        double low = INFINITY, high = -INFINITY, kept_low = INFINITY, kept_high = -INFINITY;
        for (size_t i = 0; i < N; i++)
            if (floor(x[i]) == column) low = fmin(low, y[i]), high = fmax(high, y[i]);
        for (size_t k = 0; k < n; k++)
            if (floor(x[kept[k]]) == column)
                kept_low = fmin(kept_low, y[kept[k]]), kept_high = fmax(kept_high, y[kept[k]]);
        assert_true(low == kept_low && high == kept_high);
    }
}

static void indices_rise(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        draw_numbers(2000, 0.02 * (double)seed, seed);
        size_t n = report_thin(x, y, 2000, 0.5 + (double)seed / 10, kept);
        assert_true(n <= 2000);
        for (size_t k = 1; k < n; k++) assert_true(kept[k] > kept[k - 1]);
    }
}

static void few_points_all_stay(void **state) {
    (void)state;
    draw_numbers(100, 0, 3);
    assert_int_equal(100, report_thin(x, y, 100, 1, kept));
    assert_int_equal(0, report_thin(x, y, 0, 1, kept));
    assert_int_equal(1, report_thin(x, y, 1, 1, kept));
}

static void a_gap_stays_unless_it_is_within_a_column(void **state) {
    (void)state;
    static const double px[] = {NAN, 0.1, 0.2, 0.3, 1.5, 2.5, 2.6, 2.7, 9, 10};
    static const double py[] = {1, 1, NAN, 2, 1, NAN, NAN, 3, 4, NAN};
    static const size_t expected[] = {1, 3, 4, 5, 7, 8};
    size_t n = report_thin(px, py, 10, 1, kept);
    assert_int_equal(6, n);
    for (size_t k = 0; k < n; k++) assert_int_equal(expected[k], kept[k]);
    y[0] = y[1] = NAN;
    assert_int_equal(0, report_thin(x, y, 2, 1, kept));
}

static void lines_that_turn_back_keep_their_course(void **state) {
    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        x[i] = 100 * cos((double)i / 50);
        y[i] = 100 * sin((double)i / 50);
    }
    size_t n = report_thin(x, y, 1000, 0.5, kept);
    for (size_t k = 1; k < n; k++)
        assert_true(hypot(x[kept[k]] - x[kept[k - 1]], y[kept[k]] - y[kept[k - 1]]) < 25);
    assert_int_equal(0, kept[0]);
    assert_int_equal(999, kept[n - 1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_column_keeps_its_extremes_and_ends),
        TEST(indices_rise),
        TEST(few_points_all_stay),
        TEST(a_gap_stays_unless_it_is_within_a_column),
        TEST(lines_that_turn_back_keep_their_course),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
