#include "data/make.h"

#include "base/rng.h"

static void mark_last_rows(truce_context *context, truce_dataset *dataset, int n_test) {
    truce_split splits[1000];
    int64_t n = truce_dataset_rows(dataset);
    for (int64_t i = 0; i < n; i++) splits[i] = i >= n - n_test ? TRUCE_TEST : TRUCE_TRAIN;
    assert_ok(context, truce_dataset_assign(dataset, splits));
}

static void training_rows_alone_are_fitted(void **state) {
    truce_context *context = *state;
    const float x[] = {1, 10, 3, 10, 5, 10, 1000, 11};
    double mean[2], scale[2];
    truce_dataset *dataset = make_rows(context, 4);
    add_numbers(context, dataset, "x", 2, x);
    mark_last_rows(context, dataset, 1);
    assert_ok(context, truce_dataset_standardise_input(dataset, 0, mean, scale));
    assert_true(mean[0] == 3 && mean[1] == 10 && scale[1] == 1);
    assert_near(scale[0], sqrt(8.0 / 3), 1e-15);
    float *out = read_all_inputs(context, dataset, 0);
    assert_near(out[0], -2 / sqrt(8.0 / 3), 1e-7);
    assert_near(out[6], 997 / sqrt(8.0 / 3), 1e-7);
    assert_true(out[1] == 0 && out[7] == 1);
    free(out);
    truce_dataset_destroy(dataset);
}

static void values_that_are_missing_neither_count_nor_change(void **state) {
    truce_context *context = *state;
    const float y[] = {2, NAN, 6, 100, NAN};
    truce_dataset *dataset = make_rows(context, 5);
    add_regression(context, dataset, "y", y);
    add_numbers(context, dataset, "x", 1, y);
    mark_last_rows(context, dataset, 2);
    assert_ok(context, truce_dataset_standardise_target(dataset, 0));
    assert_ok(context, truce_dataset_standardise_input(dataset, 0, NULL, NULL));
    const truce_target *about = truce_dataset_target(dataset, 0);
    assert_true(about->mean == 4 && about->scale == 2);
    float *out = read_all_targets(dataset, 0);
    assert_true(out[0] == -1 && isnan(out[1]) && out[2] == 1 && out[3] == 48 && isnan(out[4]));
    free(out);
    truce_dataset_destroy(dataset);
}

static void a_large_offset_does_not_eat_the_spread(void **state) {
    truce_context *context = *state;
    enum { N = 1000 };
    float x[N];
    for (int i = 0; i < N; i++) x[i] = 16777216.0f - (float)(i % 2);
    double mean, scale;
    truce_dataset *dataset = make_rows(context, N);
    add_numbers(context, dataset, "x", 1, x);
    assert_ok(context, truce_dataset_standardise_input(dataset, 0, &mean, &scale));
    assert_true(mean == 16777215.5 && scale == 0.5);
    truce_dataset_destroy(dataset);
}

static void constants_lose_their_mean_only(void **state) {
    truce_context *context = *state;
    static const float constants[] = {0, 0.1f, -3e38f, 1e-45f};
    for (int k = 0; k < 4; k++) {
        float x[777];
        for (int i = 0; i < 777; i++) x[i] = constants[k];
        double mean, scale;
        truce_dataset *dataset = make_rows(context, 777);
        add_numbers(context, dataset, "x", 1, x);
        assert_ok(context, truce_dataset_standardise_input(dataset, 0, &mean, &scale));
        float *out = read_all_inputs(context, dataset, 0);
        assert_true(scale == 1 && mean == (double)constants[k] && out[0] == 0 && out[776] == 0);
        free(out);
        truce_dataset_destroy(dataset);
    }
}

static void what_has_no_training_value_stays(void **state) {
    truce_context *context = *state;
    const float y[] = {NAN, NAN, 7};
    truce_dataset *dataset = make_rows(context, 3);
    add_regression(context, dataset, "y", y);
    mark_last_rows(context, dataset, 1);
    assert_ok(context, truce_dataset_standardise_target(dataset, 0));
    float *out = read_all_targets(dataset, 0);
    assert_true(isnan(out[0]) && out[2] == 7);
    free(out);
    truce_dataset_destroy(dataset);
}

static void mean_and_scale_lead_back_after_any_number_of_times(void **state) {
    truce_context *context = *state;
    enum { N = 500, WIDTH = 2 };
    float y[N * WIDTH];
    base_rng rng = base_rng_make(11, "test", 0, 0);
    for (int i = 0; i < N * WIDTH; i++) y[i] = (float)(40 + 7 * base_rng_normal(&rng));
    truce_dataset *dataset = make_rows(context, N);
    truce_target target = {.name = "y", .width = WIDTH, .mean = 100, .scale = 3};
    assert_ok(context, truce_dataset_add_target(dataset, &target, y));
    mark_last_rows(context, dataset, 100);
    for (int times = 0; times < 3; times++) assert_ok(context, truce_dataset_standardise_target(dataset, 0));
    const truce_target *about = truce_dataset_target(dataset, 0);
    float *out = read_all_targets(dataset, 0);
    for (int i = 0; i < N * WIDTH; i++)
        assert_near(about->mean + about->scale * (double)out[i], 100 + 3 * (double)y[i], 1e-6);
    free(out);
    truce_dataset_destroy(dataset);
}

static truce_status nothing(void *user, const int64_t *rows, int64_t n, float *out) {
    (void)user;
    (void)rows;
    for (int64_t i = 0; i < n; i++) out[i] = 0;
    return TRUCE_OK;
}

static void only_stored_numbers_can_be_standardised(void **state) {
    truce_context *context = *state;
    const int32_t k[] = {0, 1}, cardinality[] = {2};
    const float image[8] = {0};
    truce_dataset *dataset = make_rows(context, 2);
    truce_input categories = {"c", TRUCE_INPUT_CATEGORIES, truce_shape_of(1, 1), cardinality};
    truce_input lazy = {.name = "lazy", .row_shape = truce_shape_of(1, 1)};
    truce_input square = {.name = "square", .row_shape = truce_shape_of(2, 2, 2)};
    assert_ok(context, truce_dataset_add_input(dataset, &categories, k));
    assert_ok(context, truce_dataset_add_lazy_input(dataset, &lazy, nothing, NULL, NULL));
    assert_ok(context, truce_dataset_add_input(dataset, &square, image));
    add_classes(context, dataset, "t", 2, k);
    for (int i = 0; i < 3; i++)
        assert_fails(context, TRUCE_ERROR_UNSUPPORTED, "only stored numbers with one axis",
                     truce_dataset_standardise_input(dataset, i, NULL, NULL));
    assert_fails(context, TRUCE_ERROR_UNSUPPORTED, "'t' cannot be standardised",
                 truce_dataset_standardise_target(dataset, 0));
    truce_dataset_destroy(dataset);
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    const float x[] = {1, 2};
    truce_dataset *dataset = make_rows(context, 2);
    add_numbers(context, dataset, "x", 1, x);
    assert_survives_failing_allocations(context, truce_dataset_standardise_input(dataset, 0, NULL, NULL),
                                        (void)0);
    truce_dataset_destroy(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(training_rows_alone_are_fitted),
        TEST(values_that_are_missing_neither_count_nor_change),
        TEST(a_large_offset_does_not_eat_the_spread),
        TEST(constants_lose_their_mean_only),
        TEST(what_has_no_training_value_stays),
        TEST(mean_and_scale_lead_back_after_any_number_of_times),
        TEST(only_stored_numbers_can_be_standardised),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
