#include "support/test.h"

#include "base/rng.h"
#include "report/place.h"

#include <math.h>

static void heights_keep_their_distance_and_order(void **state) {
    (void)state;
    base_rng rng = base_rng_make(1, "place", 0, 0);
    for (int round = 0; round < 2000; round++) {
        int n = (int)base_rng_below(&rng, REPORT_MAX_SPREAD + 1);
        double heights[REPORT_MAX_SPREAD], at = 0, bottom = 15.0 * n + 200 * base_rng_uniform(&rng);
        for (int i = 0; i < n; i++) heights[i] = at += (i % 3 ? 4 : 40) * base_rng_uniform(&rng);
        report_spread_out(heights, n, 15, 10, 10 + bottom);
        for (int i = 0; i < n; i++) {
            assert_true(heights[i] >= 10 - 1e-9 && heights[i] <= 10 + bottom + 1e-9);
            assert_true(i == 0 || heights[i] - heights[i - 1] >= 15 - 1e-9);
        }
    }
}

static void heights_that_are_far_apart_stay(void **state) {
    (void)state;
    double heights[] = {20, 60, 100}, near[] = {50, 52};
    report_spread_out(heights, 3, 15, 0, 200);
    assert_true(heights[0] == 20 && heights[1] == 60 && heights[2] == 100);
    report_spread_out(near, 2, 15, 0, 200); /* move as little as they can, evenly */
    assert_near(near[0], 43.5, 1e-12);
    assert_near(near[1], 58.5, 1e-12);
}

static bool overlap(report_box a, report_box b) {
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

static void labels_never_cover_each_other_or_leave_the_area(void **state) {
    truce_context *context = *state;
    base_rng rng = base_rng_make(2, "place", 0, 0);
    report_placer placer = {.bounds = {0, 0, 400, 300}};
    int n = 0;
    for (int i = 0; i < 300; i++) {
        report_point at = {400 * base_rng_uniform(&rng), 300 * base_rng_uniform(&rng)};
        report_box box;
        if (!report_placer_find(&placer, at, 20 + 60 * base_rng_uniform(&rng), &box)) continue;
        assert_true(box.left >= 0 && box.top >= 0 && box.right <= 400 && box.bottom <= 300);
        for (size_t k = 0; k < placer.n; k++) assert_false(overlap(box, placer.obstacles[k].box));
        assert_ok(context, report_placer_add(context, &placer, (report_obstacle){.box = box}));
        n++;
    }
    assert_true(n > 60 && n < 300);
    report_placer_free(context, &placer);
}

static void background_is_covered_only_if_need_be(void **state) {
    truce_context *context = *state;
    report_placer placer = {.bounds = {0, 0, 100, 100}};
    report_box box;
    report_obstacle right = {{55, 40, 100, 60}, true}, all = {{0, 0, 100, 100}, true};
    assert_ok(context, report_placer_add(context, &placer, right));
    assert_true(report_placer_find(&placer, (report_point){50, 50}, 30, &box));
    assert_true(box.right < 50);
    assert_ok(context, report_placer_add(context, &placer, all));
    assert_true(report_placer_find(&placer, (report_point){50, 50}, 30, &box));
    assert_true(box.left > 50);
    all.is_soft = false;
    assert_ok(context, report_placer_add(context, &placer, all));
    assert_false(report_placer_find(&placer, (report_point){50, 50}, 30, &box));
    report_placer_free(context, &placer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(heights_keep_their_distance_and_order),
        TEST(heights_that_are_far_apart_stay),
        TEST(labels_never_cover_each_other_or_leave_the_area),
        TEST(background_is_covered_only_if_need_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
