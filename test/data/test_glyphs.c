#include "data/make.h"

enum { LEFT, RIGHT, SAME, SUM, SLANT, INK, N_TASKS };

static truce_dataset *make(truce_context *context, const truce_glyphs_config *config) {
    truce_dataset *dataset = NULL;
    assert_ok(context, truce_glyphs_create(context, config, &dataset));
    return dataset;
}

static truce_glyphs_config small(int64_t rows, int64_t test_rows) {
    truce_glyphs_config config = truce_glyphs_defaults();
    config.rows = rows;
    config.test_rows = test_rows;
    return config;
}

static void the_defaults_make_a_set_that_can_be_trained_on(void **state) {
    truce_context *context = *state;
    static const char *const names[] = {"left", "right", "same", "sum", "slant", "ink"};
    truce_dataset *dataset = make(context, NULL);
    assert_ok(context, truce_dataset_check(dataset));
    assert_int_equal(4000, count_split(dataset, TRUCE_TRAIN));
    assert_int_equal(1000, count_split(dataset, TRUCE_TEST));
    assert_int_equal(N_TASKS, truce_dataset_targets(dataset));
    for (int i = 0; i < N_TASKS; i++) assert_string_equal(names[i], truce_dataset_target(dataset, i)->name);
    const truce_shape *shape = &truce_dataset_input(dataset, 0)->row_shape;
    assert_true(shape->n_dims == 3 && shape->dims[0] == 1 && shape->dims[1] == 28 && shape->dims[2] == 28);
    float *pixels = read_all_inputs(context, dataset, 0);
    for (int64_t i = 0; i < 5000 * 784; i++) assert_true(pixels[i] >= 0 && pixels[i] <= 1);
    free(pixels);
    truce_dataset_destroy(dataset);
}

static void labels_tell_what_is_drawn(void **state) {
    truce_context *context = *state;
    enum { N = 5000 };
    truce_glyphs_config config = small(N, 0);
    config.noise = 0;
    truce_dataset *dataset = make(context, &config);
    int32_t *left = read_all_targets(dataset, LEFT), *right = read_all_targets(dataset, RIGHT);
    float *same = read_all_targets(dataset, SAME), *sum = read_all_targets(dataset, SUM);
    float *slant = read_all_targets(dataset, SLANT), *ink = read_all_targets(dataset, INK);
    float *pixels = read_all_inputs(context, dataset, 0);
    int counts[2][10] = {{0}}, n_same = 0;
    double mean = 0, square = 0;
    for (int i = 0; i < N; i++) {
        int inked = 0;
        for (int k = 0; k < 784; k++) inked += pixels[i * 784 + k] >= 1.0f / 3;
        assert_true(ink[i] == (float)inked / 784);
        assert_true(sum[i] == (float)(left[i] + right[i]));
        assert_true(same[i] == (float)(left[i] == right[i]));
        counts[0][left[i]]++;
        counts[1][right[i]]++;
        n_same += left[i] == right[i];
        mean += (double)slant[i] / N;
        square += (double)(slant[i] * slant[i]) / N;
    }
    for (int c = 0; c < 20; c++) assert_true(abs(counts[c / 10][c % 10] - N / 10) < 100);
    assert_true(abs(n_same - N / 4) < 130);
    assert_true(fabs(mean) < 0.03 && square > 0.05 && square < 0.5);
    free(left), free(right), free(same), free(sum), free(slant), free(ink), free(pixels);
    truce_dataset_destroy(dataset);
}

static void a_row_depends_on_seed_and_row_alone(void **state) {
    truce_context *context = *state, *alone = NULL;
    truce_context_config one_thread = {.n_threads = 1};
    assert_int_equal(TRUCE_OK, truce_context_create(&one_thread, &alone));
    truce_glyphs_config few = small(40, 10), many = small(40, 300);
    few.spurious = many.spurious = 0.5;
    truce_dataset *a = make(alone, &few), *b = make(context, &many);
    many.seed = 1;
    truce_dataset *c = make(context, &many);
    float *x = read_all_inputs(alone, a, 0), *y = read_all_inputs(context, b, 0);
    float *z = read_all_inputs(context, c, 0);
    assert_memory_equal(x, y, 50 * 784 * sizeof *x);
    assert_memory_not_equal(y, z, 784 * sizeof *x);
    free(x), free(y), free(z);
    for (int task = 0; task < N_TASKS; task++) {
        float *p = read_all_targets(a, task), *q = read_all_targets(b, task);
        assert_memory_equal(p, q, 50 * sizeof *p);
        free(p), free(q);
    }
    truce_dataset_destroy(a), truce_dataset_destroy(b), truce_dataset_destroy(c);
    truce_context_destroy(alone);
}

static void large_sets_are_drawn_when_read_with_the_same_pixels(void **state) {
    truce_context *context = *state;
    truce_glyphs_config lazy = small(513, 0), stored = small(5, 0);
    lazy.size = stored.size = 512;
    lazy.noise = stored.noise = 0;
    truce_dataset *a = make(context, &lazy), *b = make(context, &stored);
    assert_true(truce_context_memory(context).bytes < (size_t)20 << 20);
    const int64_t rows[] = {3, 0};
    const size_t n = 2 * 512 * 512;
    float *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
    assert_ok(context, truce_dataset_read_input(a, 0, rows, 2, x));
    assert_ok(context, truce_dataset_read_input(b, 0, rows, 2, y));
    assert_memory_equal(x, y, n * sizeof *x);
    float *p = read_all_targets(a, INK), *q = read_all_targets(b, INK);
    assert_memory_equal(p, q, 5 * sizeof *p);
    free(x), free(y), free(p), free(q);
    truce_dataset_destroy(a), truce_dataset_destroy(b);
}

static void noise_has_the_deviation_that_was_asked_for(void **state) {
    truce_context *context = *state;
    truce_glyphs_config config = small(300, 0);
    config.noise = 0;
    truce_dataset *clean = make(context, &config);
    config.noise = 0.1;
    truce_dataset *noisy = make(context, &config);
    float *x = read_all_inputs(context, clean, 0), *y = read_all_inputs(context, noisy, 0);
    double square = 0, mean = 0;
    int n = 0;
    for (int i = 0; i < 300 * 784; i++) {
        if (x[i] < 0.45f || x[i] > 0.55f) continue; /* where clipping to 0 .. 1 is five deviations away */
        double d = (double)(y[i] - x[i]);
        mean += d;
        square += d * d;
        n++;
    }
    assert_true(n > 2000);
    assert_near(sqrt(square / n), 0.1, 0.005);
    assert_near(mean / n, 0, 0.008);
    free(x), free(y);
    truce_dataset_destroy(clean), truce_dataset_destroy(noisy);
}

/* The texture that fits an image best, by the stripes of docs/data.md. */
static int find_texture(const float *pixels) {
    int best = 0;
    double best_fit = -1;
    for (int k = 0; k < 10; k++) {
        double angle = 3.14159265358979 * k / 10, wave = 2 * 3.14159265358979 * 5 / 28, re = 0, im = 0;
        for (int i = 0; i < 784; i++) {
            double at = wave * (cos(angle) * (i % 28) + sin(angle) * (i / 28));
            if (pixels[i] > 0.31f) continue; /* ink */
            re += ((double)pixels[i] - 0.15) * cos(at);
            im += ((double)pixels[i] - 0.15) * sin(at);
        }
        if (re * re + im * im > best_fit) best_fit = re * re + im * im, best = k;
    }
    return best;
}

static void the_background_tells_the_left_glyph_in_training_rows_only(void **state) {
    truce_context *context = *state;
    static const double shares[] = {1, 0.5};
    for (int k = 0; k < 2; k++) {
        truce_glyphs_config config = small(1000, 1000);
        config.noise = 0;
        config.spurious = shares[k];
        truce_dataset *dataset = make(context, &config);
        float *pixels = read_all_inputs(context, dataset, 0);
        int32_t *left = read_all_targets(dataset, LEFT);
        int told[2] = {0};
        for (int i = 0; i < 2000; i++) told[i >= 1000] += find_texture(pixels + i * 784) == left[i];
        assert_true(fabs(told[0] / 1000.0 - (shares[k] + (1 - shares[k]) / 10)) < 0.05);
        assert_true(fabs(told[1] / 1000.0 - 0.1) < 0.04);
        free(pixels), free(left);
        truce_dataset_destroy(dataset);
    }
}

static bool is_missing(const truce_dataset *dataset, int task, const void *values, int i) {
    if (truce_dataset_target(dataset, task)->kind == TRUCE_TARGET_CLASSES)
        return ((const int32_t *)values)[i] < 0;
    return isnan(((const float *)values)[i]);
}

static void labels_are_withheld_task_by_task_in_training_rows(void **state) {
    truce_context *context = *state;
    enum { N = 3000 };
    truce_glyphs_config config = small(N, 100);
    config.missing = 0.4;
    truce_dataset *dataset = make(context, &config);
    int n_all = 0, n_of_row[N] = {0};
    for (int task = 0; task < N_TASKS; task++) {
        void *values = read_all_targets(dataset, task);
        int n = 0;
        for (int i = 0; i < N; i++) {
            bool gone = is_missing(dataset, task, values, i);
            n += gone;
            n_of_row[i] += gone;
        }
        for (int i = N; i < N + 100; i++) assert_false(is_missing(dataset, task, values, i));
        assert_true(fabs(n / (double)N - 0.4) < 0.03);
        free(values);
    }
    for (int i = 0; i < N; i++) n_all += n_of_row[i] == 0;
    assert_true(fabs(n_all / (double)N - pow(0.6, 6)) < 0.02); /* independent of each other */
    assert_ok(context, truce_dataset_check(dataset));
    truce_dataset_destroy(dataset);
}

static void no_class_loses_all_its_labels(void **state) {
    truce_context *context = *state;
    static const double shares[] = {0.99, 1};
    for (int k = 0; k < 2; k++) {
        truce_glyphs_config config = small(500, 100);
        config.missing = shares[k];
        truce_dataset *dataset = make(context, &config);
        assert_ok(context, truce_dataset_check(dataset));
        truce_dataset_destroy(dataset);
    }
}

static void two_classes_and_small_images_will_do(void **state) {
    truce_context *context = *state;
    truce_glyphs_config config = small(60, 1);
    config.size = 8;
    config.n_classes = 2;
    config.spurious = 0.9;
    truce_dataset *dataset = make(context, &config);
    assert_ok(context, truce_dataset_check(dataset));
    assert_int_equal(2, truce_dataset_target(dataset, LEFT)->n_classes);
    truce_dataset_destroy(dataset);
    config = small(1, 0);
    config.size = 33;
    truce_dataset_destroy(make(context, &config));
}

static void configurations_out_of_range_are_refused(void **state) {
    truce_context *context = *state;
    static const struct {
        truce_glyphs_config config;
        truce_status status;
        const char *text;
    } table[] = {
        {{0, 0, 28, 10, 0, 0, 0, 0}, TRUCE_ERROR_RANGE, "glyphs: 'rows' must lie between 1 and"},
        {{-5, 0, 28, 10, 0, 0, 0, 0}, TRUCE_ERROR_RANGE, "'rows'"},
        {{INT64_MAX, INT64_MAX, 28, 10, 0, 0, 0, 0}, TRUCE_ERROR_RANGE, "'rows'"},
        {{10, -1, 28, 10, 0, 0, 0, 0}, TRUCE_ERROR_RANGE, "'test_rows'"},
        {{10, 0, 7, 10, 0, 0, 0, 0}, TRUCE_ERROR_RANGE, "'size' must lie between 8 and 512, but is 7"},
        {{10, 0, 1 << 20, 10, 0, 0, 0, 0}, TRUCE_ERROR_RANGE, "'size'"},
        {{10, 0, 28, 1, 0, 0, 0, 0}, TRUCE_ERROR_RANGE, "'n_classes'"},
        {{10, 0, 28, 11, 0, 0, 0, 0}, TRUCE_ERROR_RANGE, "'n_classes'"},
        {{10, 0, 28, 10, -0.1, 0, 0, 0}, TRUCE_ERROR_RANGE, "'noise'"},
        {{10, 0, 28, 10, NAN, 0, 0, 0}, TRUCE_ERROR_RANGE, "'noise'"},
        {{10, 0, 28, 10, 0, -0.1, 0, 0}, TRUCE_ERROR_RANGE, "'missing'"},
        {{10, 0, 28, 10, 0, 0, 1.5, 0}, TRUCE_ERROR_RANGE, "'spurious'"},
        {{1000000000000000, 0, 28, 10, 0, 0, 0, 0}, TRUCE_ERROR_MEMORY, "out of memory"},
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        truce_dataset *dataset = NULL;
        assert_fails(context, table[k].status, table[k].text,
                     truce_glyphs_create(context, &table[k].config, &dataset));
        assert_null(dataset);
    }
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    truce_glyphs_config config = small(30, 5);
    config.missing = 0.5;
    truce_dataset *dataset = NULL;
    assert_survives_failing_allocations(context, truce_glyphs_create(context, &config, &dataset),
                                        truce_dataset_destroy(dataset));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_defaults_make_a_set_that_can_be_trained_on),
        TEST(labels_tell_what_is_drawn),
        TEST(a_row_depends_on_seed_and_row_alone),
        TEST(large_sets_are_drawn_when_read_with_the_same_pixels),
        TEST(noise_has_the_deviation_that_was_asked_for),
        TEST(the_background_tells_the_left_glyph_in_training_rows_only),
        TEST(labels_are_withheld_task_by_task_in_training_rows),
        TEST(no_class_loses_all_its_labels),
        TEST(two_classes_and_small_images_will_do),
        TEST(configurations_out_of_range_are_refused),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
