/*
 * Metrics on small cases worked out by hand, and AUROC against the count over all pairs.
 */
#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "train/metrics.h"

#include <math.h>

static double value_of(const truce_task_result *result, const char *name) {
    for (int i = 0; i < result->n_metrics; i++)
        if (strcmp(result->metrics[i].name, name) == 0) return result->metrics[i].value;
    fail_msg("there is no metric %s", name);
    return NAN;
}

static void classes_with_missing_labels(void **state) {
    truce_context *context = *state;
    const truce_target target = {.name = "digit", .kind = TRUCE_TARGET_CLASSES, .n_classes = 3};
    const float logits[] = {5, 1, 0, 0, 2, 1, 0, 3, 9, 1, 0, 0, 7, 0, 0};
    const int32_t classes[] = {0, 1, 1, -1, 2};
    const train_predictions p = {&target, 5, 3, logits, NULL, classes};
    truce_task_result result;
    assert_ok(context, train_measure(context, &p, &result));
    assert_int_equal(4, result.n_labelled);
    assert_near(value_of(&result, "accuracy"), 0.5, 0);
    /* class 0: 2/3 (one hit, two guesses); class 1: 2/3 (one hit of two); class 2: no hit */
    assert_near(value_of(&result, "macro_f1"), (2.0 / 3 + 2.0 / 3 + 0) / 3, 1e-12);
}

static void absent_classes_do_not_count(void **state) {
    truce_context *context = *state;
    const truce_target target = {.kind = TRUCE_TARGET_CLASSES, .n_classes = 100};
    float logits[200] = {0};
    const int32_t classes[] = {0, 0};
    const train_predictions p = {&target, 2, 100, logits, NULL, classes};
    truce_task_result result;
    assert_ok(context, train_measure(context, &p, &result));
    assert_near(value_of(&result, "macro_f1"), 1, 0);
}

static void auroc_counts_pairs(void **state) {
    truce_context *context = *state;
    enum { N = 60 };
    const truce_target target = {.kind = TRUCE_TARGET_BINARY, .n_classes = 2};
    for (uint64_t seed = 0; seed < 50; seed++) {
        base_rng rng = base_rng_make(seed, "auroc", 0, 0);
        float logits[N], values[N];
        double wins = 0, pairs = 0;
        for (int i = 0; i < N; i++) {
            logits[i] = (float)base_rng_below(&rng, 8); /* many ties */
            values[i] = base_rng_below(&rng, 10) == 0 ? NAN : (float)base_rng_below(&rng, 2);
        }
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                if (!(values[i] == 1 && values[j] == 0)) continue;
                wins += logits[i] > logits[j] ? 1 : logits[i] == logits[j] ? 0.5 : 0;
                pairs++;
            }
        const train_predictions p = {&target, N, 1, logits, values, NULL};
        truce_task_result result;
        assert_ok(context, train_measure(context, &p, &result));
        assert_near(value_of(&result, "auroc"), wins / pairs, 1e-12);
    }
}

static void numbers_are_in_their_own_units(void **state) {
    truce_context *context = *state;
    /* stored 0, 1, 2 with scale 10 and mean 5 are 5, 15, 25 */
    const truce_target target = {.kind = TRUCE_TARGET_REGRESSION, .mean = 5, .scale = 10};
    const float outputs[] = {0.1f, 1, 2.3f, 9}, values[] = {0, 1, 2, NAN};
    const train_predictions p = {&target, 4, 1, outputs, values, NULL};
    truce_task_result result;
    assert_ok(context, train_measure(context, &p, &result));
    assert_int_equal(3, result.n_labelled);
    assert_near(value_of(&result, "mse"), (1.0 + 0 + 9) / 3, 1e-5);
    assert_near(value_of(&result, "rmse"), sqrt(10.0 / 3), 1e-5);
    assert_near(value_of(&result, "mae"), 4.0 / 3, 1e-5);
    assert_near(value_of(&result, "nmse"), 10.0 / 200, 1e-5);
    assert_near(value_of(&result, "r2"), 1 - 10.0 / 200, 1e-5);
}

static void what_is_not_defined_is_nan(void **state) {
    truce_context *context = *state;
    const truce_target number = {.kind = TRUCE_TARGET_REGRESSION}, binary = {.kind = TRUCE_TARGET_BINARY};
    const float outputs[] = {1, 2}, same[] = {3, 3}, missing[] = {NAN, NAN}, ones[] = {1, 1};
    truce_task_result result;
    assert_ok(context,
              train_measure(context, &(train_predictions){&number, 2, 1, outputs, same, NULL}, &result));
    assert_true(isnan(value_of(&result, "nmse")));
    assert_near(value_of(&result, "mse"), 2.5, 1e-12);
    assert_ok(context,
              train_measure(context, &(train_predictions){&number, 2, 1, outputs, missing, NULL}, &result));
    assert_true(isnan(value_of(&result, "mse")));
    assert_ok(context,
              train_measure(context, &(train_predictions){&binary, 2, 1, outputs, ones, NULL}, &result));
    assert_true(isnan(value_of(&result, "auroc")));
    assert_near(value_of(&result, "accuracy"), 1, 0);
    assert_ok(context,
              train_measure(context, &(train_predictions){&binary, 0, 1, NULL, NULL, NULL}, &result));
    assert_true(isnan(value_of(&result, "accuracy")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(classes_with_missing_labels),    TEST(absent_classes_do_not_count), TEST(auroc_counts_pairs),
        TEST(numbers_are_in_their_own_units), TEST(what_is_not_defined_is_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
