/*
 * delta_m, delta_p and mean rank against the numbers published for both families.
 */
#include "support/test.h"

#include "base/context.h"
#include "train/score.h"

#include <math.h>

/* Two tasks with two metrics and one: relative changes -3/96, -1/98 ... computed by hand from the
 * definitions. */
static void both_families_on_a_small_example(void **state) {
    const train_score_entry entries[] = {{0, true, 96, 93}, {0, false, 98, 99}, {1, true, 0.2, 0.5}};
    (void)state;
    assert_near(train_delta_p(entries, 3), 73.96, 1e-4);
    assert_near(train_delta_m(entries, 3), -48.62, 1e-4);
}

/* NYUv2 as published: single-task reference, rows of two methods, and both deltas of each. */
static void published_rows_of_nyuv2(void **state) {
    static const double base[] = {38.30, 63.76, .6754, .2780, 25.01, 19.21, 30.14, 57.20, 69.15};
    static const bool higher[] = {true, true, false, false, false, false, true, true, true};
    static const int task[] = {0, 0, 1, 1, 2, 2, 2, 2, 2};
    static const struct {
        double values[9], delta_m, delta_p;
    } rows[] = {
        {{39.29, 65.33, .5493, .2263, 28.15, 23.96, 22.09, 47.50, 61.08}, 5.59, 0.88},
        {{40.13, 65.93, .5261, .2171, 25.26, 20.08, 28.40, 55.47, 68.15}, -4.05, 7.65},
        {{40.89, 66.14, .5524, .2347, 27.27, 22.41, 24.38, 50.18, 63.36}, 2.35, 3.02},
        {{38.82, 64.45, .5718, .2366, 28.09, 23.65, 22.54, 47.76, 61.27}, 6.21, -0.46},
        {{40.50, 65.65, .5358, .2222, 27.58, 22.93, 23.30, 49.16, 62.57}, 2.94, 3.18},
        {{39.34, 64.88, .5294, .2242, 26.47, 21.30, 25.86, 52.40, 65.47}, -0.09, 4.60},
        {{29.91, 60.06, .5901, .2432, 24.55, 18.63, 30.49, 58.02, 70.14}, -0.70, 0.17},
        {{40.12, 65.65, .5213, .2180, 25.50, 19.84, 28.46, 55.39, 67.85}, -4.03, 7.63},
        {{40.61, 65.89, .5416, .2287, 26.97, 22.05, 24.68, 50.90, 64.05}, 1.36, 3.88},
        {{40.90, 65.50, .5766, .2438, 27.26, 22.39, 24.55, 50.22, 63.34}, 3.14, 1.76},
        {{41.19, 66.37, .5323, .2237, 26.06, 20.77, 26.76, 53.48, 66.32}, -2.03, 6.45},
        {{40.00, 65.61, .5886, .2517, 28.05, 23.54, 22.81, 48.01, 61.33}, 6.30, -0.82},
        {{41.27, 66.70, .5409, .2356, 25.35, 19.81, 28.44, 55.47, 68.05}, -3.64, 6.94},
        {{40.66, 66.25, .5339, .2266, 25.11, 19.59, 28.70, 55.97, 68.52}, -4.37, 7.57},
        {{40.72, 66.33, .5689, .2455, 27.11, 22.40, 24.11, 50.19, 63.61}, 3.05, 1.95},
        {{40.15, 66.05, .5520, .2291, 25.37, 19.89, 28.30, 55.29, 67.95}, -3.12, 6.30},
    };
    (void)state;
    for (size_t r = 0; r < BASE_COUNT(rows); r++) {
        train_score_entry entries[9];
        for (int k = 0; k < 9; k++)
            entries[k] = (train_score_entry){task[k], higher[k], base[k], rows[r].values[k]};
        assert_true(fabs(train_delta_m(entries, 9) - rows[r].delta_m) < 0.0101);
        assert_true(fabs(train_delta_p(entries, 9) - rows[r].delta_p) < 0.0101);
    }
}

static void a_negative_reference_keeps_the_sign(void **state) {
    const train_score_entry better = {0, true, -0.5, -0.25}, zero = {0, true, 0, 1};
    (void)state;
    assert_near(train_delta_m(&better, 1), -50, 1e-12);
    assert_near(train_delta_p(&better, 1), 50, 1e-12);
    assert_true(isnan(train_delta_m(&zero, 1)));
    assert_true(isnan(train_delta_p(NULL, 0)));
}

static void equal_values_share_a_rank(void **state) {
    truce_context *context = *state;
    const double values[] = {0.9, 10, 0.9, 20, 0.8, 10, NAN, NAN};
    const bool higher[] = {true, false};
    double ranks[4];
    assert_ok(context, train_mean_ranks(context, 4, 2, values, higher, ranks));
    assert_near(ranks[0], 1, 0);
    assert_near(ranks[1], 1.5, 0);
    assert_near(ranks[2], 1.5, 0);
    assert_near(ranks[3], 3, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(both_families_on_a_small_example),
        TEST(published_rows_of_nyuv2),
        TEST(a_negative_reference_keeps_the_sign),
        TEST(equal_values_share_a_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
