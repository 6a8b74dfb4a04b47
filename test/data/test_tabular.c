#include "data/make.h"

#define MANY 100000
#define TOLERANCE 0.03 /* several standard errors of a moment over MANY rows */

static truce_dataset *make(truce_context *context, const truce_tabular_config *config) {
    truce_dataset *dataset = NULL;
    assert_ok(context, truce_tabular_create(context, config, &dataset));
    return dataset;
}

static double mean_product(const float *a, const float *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum / (double)n;
}

static double mean_of(const float *a, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)a[i];
    return sum / (double)n;
}

static void the_defaults_make_a_set_that_can_be_trained_on(void **state) {
    truce_context *context = *state;
    truce_dataset *dataset = make(context, NULL);
    assert_ok(context, truce_dataset_check(dataset));
    assert_int_equal(4000, count_split(dataset, TRUCE_TRAIN));
    assert_int_equal(1000, count_split(dataset, TRUCE_TEST));
    assert_int_equal(4, truce_dataset_targets(dataset));
    assert_int_equal(20, truce_dataset_input(dataset, 0)->row_shape.dims[0]);
    assert_string_equal("task1", truce_dataset_target(dataset, 0)->name);
    truce_dataset_destroy(dataset);
}

static void noise_free_targets_have_variance_one_and_the_chosen_correlation(void **state) {
    truce_context *context = *state;
    static const double table[][2] = {{-1.0 / 2, 0.5}, {0, 1}, {0.5, 0}, {0.8, 0.7}, {1, 0.5}};
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        truce_tabular_config config = truce_tabular_defaults();
        config.rows = MANY;
        config.test_rows = 0;
        config.n_tasks = 3;
        config.n_inputs = 6;
        config.relatedness = table[k][0];
        config.nonlinearity = table[k][1];
        config.noise = 0;
        config.seed = (int64_t)k;
        truce_dataset *dataset = make(context, &config);
        float *targets[3];
        for (int t = 0; t < 3; t++) targets[t] = read_all_targets(dataset, t);
        for (int t = 0; t < 3; t++) {
            assert_near(mean_of(targets[t], MANY), 0, TOLERANCE);
            for (int s = 0; s <= t; s++)
                assert_near(mean_product(targets[s], targets[t], MANY), s == t ? 1 : table[k][0], TOLERANCE);
        }
        for (int t = 0; t < 3; t++) free(targets[t]);
        truce_dataset_destroy(dataset);
    }
}

/* Inputs are independent standard normals, so the linear share is the sum of squared covariances with them.
 */
static void the_linear_share_of_the_variance_is_the_chosen_one(void **state) {
    truce_context *context = *state;
    static const double shares[] = {0, 0.3, 1};
    for (int k = 0; k < 3; k++) {
        enum { D = 8 };
        truce_tabular_config config = truce_tabular_defaults();
        config.rows = MANY;
        config.test_rows = 0;
        config.n_inputs = D;
        config.n_tasks = 2;
        config.nonlinearity = shares[k];
        config.noise = 0;
        truce_dataset *dataset = make(context, &config);
        float *x = read_all_inputs(context, dataset, 0), *column = malloc(MANY * sizeof *column);
        for (int t = 0; t < 2; t++) {
            float *y = read_all_targets(dataset, t);
            double linear = 0;
            for (int c = 0; c < D; c++) {
                for (int i = 0; i < MANY; i++) column[i] = x[i * D + c];
                assert_near(mean_of(column, MANY), 0, TOLERANCE);
                assert_near(mean_product(column, column, MANY), 1, TOLERANCE);
                double covariance = mean_product(column, y, MANY);
                linear += covariance * covariance;
            }
            assert_near(linear, 1 - shares[k], TOLERANCE);
            free(y);
        }
        free(x), free(column);
        truce_dataset_destroy(dataset);
    }
}

static void scales_grow_geometrically_and_noise_is_relative_to_the_signal(void **state) {
    truce_context *context = *state;
    truce_tabular_config config = truce_tabular_defaults();
    config.rows = MANY;
    config.scale_ratio = 1000;
    config.noise = 0.25;
    truce_dataset *dataset = make(context, &config);
    for (int t = 0; t < 4; t++) {
        float *y = read_all_targets(dataset, t);
        assert_near(sqrt(mean_product(y, y, MANY)) / pow(10, t), sqrt(1.25), TOLERANCE);
        free(y);
    }
    truce_dataset_destroy(dataset);
}

static void binary_tasks_are_balanced_and_related_like_their_signals(void **state) {
    truce_context *context = *state;
    truce_tabular_config config = truce_tabular_defaults();
    config.rows = MANY;
    config.n_binary = 2;
    config.nonlinearity = 0;
    config.noise = 0;
    truce_dataset *dataset = make(context, &config);
    assert_int_equal(TRUCE_TARGET_REGRESSION, truce_dataset_target(dataset, 1)->kind);
    assert_int_equal(TRUCE_TARGET_BINARY, truce_dataset_target(dataset, 2)->kind);
    float *a = read_all_targets(dataset, 2), *b = read_all_targets(dataset, 3);
    double agree = 0;
    for (int i = 0; i < MANY; i++) agree += a[i] == b[i];
    assert_true(mean_of(a, MANY) == 0.5 && mean_of(b, MANY) == 0.5);
    /* two normals with correlation 1/2 have the same sign with probability 1/2 + asin(1/2) / pi = 2/3 */
    assert_near(agree / MANY, 2.0 / 3, TOLERANCE / 2);
    free(a), free(b);
    truce_dataset_destroy(dataset);
}

static void rows_carry_all_labels_or_one(void **state) {
    truce_context *context = *state;
    enum { N = 20000, T = 5 };
    static const double overlaps[] = {0, 0.3, 1};
    for (int k = 0; k < 3; k++) {
        truce_tabular_config config = truce_tabular_defaults();
        config.rows = N;
        config.test_rows = 10;
        config.n_tasks = T;
        config.overlap = overlaps[k];
        truce_dataset *dataset = make(context, &config);
        int n_labels[N + 10] = {0}, n_full = 0;
        for (int t = 0; t < T; t++) {
            float *y = read_all_targets(dataset, t);
            int n = 0;
            for (int i = 0; i < N + 10; i++) n_labels[i] += !isnan(y[i]);
            for (int i = 0; i < N; i++) n += !isnan(y[i]);
            assert_near(n / (double)N, overlaps[k] + (1 - overlaps[k]) / T, TOLERANCE);
            free(y);
        }
        for (int i = 0; i < N; i++) {
            assert_true(n_labels[i] == 1 || n_labels[i] == T);
            n_full += n_labels[i] == T;
        }
        assert_near(n_full / (double)N, overlaps[k], TOLERANCE);
        for (int i = N; i < N + 10; i++) assert_int_equal(T, n_labels[i]);
        truce_dataset_destroy(dataset);
    }
}

static void a_row_depends_on_configuration_and_row_alone(void **state) {
    truce_context *context = *state, *alone = NULL;
    truce_context_config one_thread = {.n_threads = 1};
    assert_int_equal(TRUCE_OK, truce_context_create(&one_thread, &alone));
    truce_tabular_config config = truce_tabular_defaults();
    config.rows = 100;
    truce_dataset *a = make(alone, &config);
    config.rows = 777;
    truce_dataset *b = make(context, &config);
    float *x = read_all_inputs(alone, a, 0), *y = read_all_inputs(context, b, 0);
    assert_memory_equal(x, y, 100 * 20 * sizeof *x);
    free(x), free(y);
    for (int t = 0; t < 4; t++) {
        float *p = read_all_targets(a, t), *q = read_all_targets(b, t);
        assert_memory_equal(p, q, 100 * sizeof *p);
        free(p), free(q);
    }
    truce_dataset_destroy(a), truce_dataset_destroy(b);
    truce_context_destroy(alone);
}

static void one_task_on_one_input_will_do(void **state) {
    truce_context *context = *state;
    truce_tabular_config config = truce_tabular_defaults();
    config.rows = 50;
    config.test_rows = 0;
    config.n_inputs = config.n_tasks = 1;
    config.relatedness = -1;
    truce_dataset *dataset = make(context, &config);
    assert_ok(context, truce_dataset_check(dataset));
    truce_dataset_destroy(dataset);
}

static void as_many_tasks_as_inputs_will_do(void **state) {
    truce_context *context = *state;
    truce_tabular_config config = truce_tabular_defaults();
    config.rows = 100;
    config.n_inputs = config.n_tasks = 100;
    config.overlap = 0;
    config.rows = 200;
    truce_dataset *dataset = make(context, &config);
    assert_ok(context, truce_dataset_check(dataset));
    truce_dataset_destroy(dataset);
}

static void configurations_out_of_range_are_refused(void **state) {
    truce_context *context = *state;
    static const struct {
        truce_tabular_config config;
        truce_status status;
        const char *text;
    } table[] = {
        {{0, 0, 20, 4, 0, 0.5, 0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "tabular: 'rows'"},
        {{INT64_MAX, 0, 20, 4, 0, 0.5, 0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "'rows'"},
        {{9, INT64_MIN, 20, 4, 0, 0.5, 0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "'test_rows'"},
        {{9, 0, 0, 4, 0, 0.5, 0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "'n_inputs'"},
        {{9, 0, 20, 0, 0, 0.5, 0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "'n_tasks'"},
        {{9, 0, 3, 4, 0, 0.5, 0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "4 tasks need as many inputs"},
        {{9, 0, 20, 4, 5, 0.5, 0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "5 of 4 tasks cannot be binary"},
        {{9, 0, 20, 4, 0, -0.34, 0.5, 1, 0.1, 1, 0},
         TRUCE_ERROR_RANGE,
         "at least -1/(n_tasks - 1) = -0.333333"},
        {{9, 0, 20, 4, 0, 1.1, 0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "'relatedness'"},
        {{9, 0, 20, 4, 0, NAN, 0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "'relatedness'"},
        {{9, 0, 20, 4, 0, 0.5, -0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "'nonlinearity'"},
        {{9, 0, 20, 4, 0, 0.5, 0.5, 0.5, 0.1, 1, 0}, TRUCE_ERROR_RANGE, "'scale_ratio'"},
        {{9, 0, 20, 4, 0, 0.5, 0.5, 1, -1, 1, 0}, TRUCE_ERROR_RANGE, "'noise'"},
        {{9, 0, 20, 4, 0, 0.5, 0.5, 1, 0.1, 1.01, 0}, TRUCE_ERROR_RANGE, "'overlap'"},
        {{1000000000000000, 0, 4096, 4, 0, 0.5, 0.5, 1, 0.1, 1, 0}, TRUCE_ERROR_MEMORY, "out of memory"},
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        truce_dataset *dataset = NULL;
        assert_fails(context, table[k].status, table[k].text,
                     truce_tabular_create(context, &table[k].config, &dataset));
        assert_null(dataset);
    }
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    truce_tabular_config config = truce_tabular_defaults();
    config.rows = 20;
    config.n_binary = 2;
    truce_dataset *dataset = NULL;
    assert_survives_failing_allocations(context, truce_tabular_create(context, &config, &dataset),
                                        truce_dataset_destroy(dataset));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_defaults_make_a_set_that_can_be_trained_on),
        TEST(noise_free_targets_have_variance_one_and_the_chosen_correlation),
        TEST(the_linear_share_of_the_variance_is_the_chosen_one),
        TEST(scales_grow_geometrically_and_noise_is_relative_to_the_signal),
        TEST(binary_tasks_are_balanced_and_related_like_their_signals),
        TEST(rows_carry_all_labels_or_one),
        TEST(a_row_depends_on_configuration_and_row_alone),
        TEST(one_task_on_one_input_will_do),
        TEST(as_many_tasks_as_inputs_will_do),
        TEST(configurations_out_of_range_are_refused),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
