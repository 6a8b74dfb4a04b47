#include "data/make.h"

static void gathered_rows_are_the_rows_that_were_stored(void **state) {
    truce_context *context = *state;
    enum { N = 17 };
    for (int width = 1; width <= 5; width++) {
        float values[N * 5];
        for (int k = 0; k < N * width; k++) values[k] = (float)k;
        truce_dataset *dataset = make_rows(context, N);
        add_numbers(context, dataset, "x", width, values);
        const int64_t rows[] = {16, 0, 3, 3};
        float out[4 * 5];
        assert_ok(context, truce_dataset_read_input(dataset, 0, rows, 4, out));
        for (int i = 0; i < 4; i++)
            for (int c = 0; c < width; c++) assert_true(out[i * width + c] == (float)(rows[i] * width + c));
        assert_ok(context, truce_dataset_read_input(dataset, 0, NULL, 0, NULL));
        truce_dataset_destroy(dataset);
    }
}

static void targets_come_back_with_their_descriptions(void **state) {
    truce_context *context = *state;
    truce_dataset *dataset = make_rows(context, 3);
    char name[] = "marital", single[] = "single";
    const char *names[] = {single, "married"};
    const int32_t classes[] = {1, -1, 0};
    const float wide[] = {1, 2, 3, 4, 5, 6}, flags[] = {1, NAN, 0};
    truce_target marital = {name, TRUCE_TARGET_CLASSES, 2, names, 0, 0, 0};
    truce_target place = {.name = "place", .width = 2, .mean = 5, .scale = 2};
    truce_target flag = {.name = "flag", .kind = TRUCE_TARGET_BINARY};
    assert_ok(context, truce_dataset_add_target(dataset, &marital, classes));
    name[0] = single[0] = '!';
    const truce_target *kept = truce_dataset_target(dataset, 0);
    assert_ok(context, truce_dataset_add_target(dataset, &place, wide));
    assert_ok(context, truce_dataset_add_target(dataset, &flag, flags));
    assert_string_equal("marital", kept->name);
    assert_string_equal("single", kept->class_names[0]);
    assert_int_equal(2, truce_dataset_target(dataset, 2)->n_classes);
    assert_int_equal(1, truce_dataset_find_target(dataset, "place"));
    assert_int_equal(-1, truce_dataset_find_target(dataset, "absent"));
    assert_true(truce_dataset_target(dataset, 1)->mean == 5 && truce_dataset_target(dataset, 1)->scale == 2);
    const int64_t rows[] = {2, 0, 1};
    int32_t got[3];
    float got_wide[6];
    truce_dataset_read_target(dataset, 0, rows, 3, got);
    truce_dataset_read_target(dataset, 1, rows, 3, got_wide);
    assert_true(got[0] == 0 && got[1] == 1 && got[2] == -1);
    assert_true(got_wide[0] == 5 && got_wide[1] == 6 && got_wide[2] == 1 && got_wide[5] == 4);
    truce_dataset_destroy(dataset);
}

static void categories_come_back(void **state) {
    truce_context *context = *state;
    truce_dataset *dataset = make_rows(context, 2);
    int32_t cardinality[] = {3, 5};
    const int32_t values[] = {2, 4, 0, 1};
    truce_input input = {"where", TRUCE_INPUT_CATEGORIES, truce_shape_of(1, 2), cardinality};
    assert_ok(context, truce_dataset_add_input(dataset, &input, values));
    cardinality[0] = 0;
    assert_int_equal(3, truce_dataset_input(dataset, 0)->cardinality[0]);
    int32_t out[2];
    const int64_t row = 1;
    assert_ok(context, truce_dataset_read_input(dataset, 0, &row, 1, out));
    assert_true(out[0] == 0 && out[1] == 1);
    truce_dataset_destroy(dataset);
}

static truce_status count_up(void *user, const int64_t *rows, int64_t n, float *out) {
    (void)user;
    for (int64_t i = 0; i < n; i++) out[i] = (float)rows[i] / 2;
    return TRUCE_OK;
}

static int n_released;

static void note_release(void *user) {
    (void)user;
    n_released++;
}

static void lazy_inputs_are_made_when_read_and_released_once(void **state) {
    truce_context *context = *state;
    truce_input input = {.name = "x", .row_shape = truce_shape_of(1, 1)};
    truce_dataset *dataset = make_rows(context, 10);
    n_released = 0;
    assert_ok(context, truce_dataset_add_lazy_input(dataset, &input, count_up, NULL, note_release));
    const int64_t rows[] = {7, 2};
    float out[2];
    assert_ok(context, truce_dataset_read_input(dataset, 0, rows, 2, out));
    assert_true(out[0] == 3.5f && out[1] == 1.0f);
    assert_fails(context, TRUCE_ERROR_NAME, "two inputs 'x'",
                 truce_dataset_add_lazy_input(dataset, &input, count_up, NULL, note_release));
    assert_int_equal(1, n_released);
    truce_dataset_destroy(dataset);
    assert_int_equal(2, n_released);
}

static void an_empty_data_set_is_one(void **state) {
    truce_context *context = *state;
    truce_dataset *dataset = make_rows(context, 0);
    add_numbers(context, dataset, "x", 3, NULL);
    int64_t n = 5;
    truce_dataset_split_rows(dataset, TRUCE_TRAIN, &n);
    assert_int_equal(0, n);
    assert_int_equal(0, truce_dataset_rows(dataset));
    truce_dataset_destroy(dataset);
    truce_dataset_destroy(NULL);
}

static void descriptions_that_make_no_sense_are_refused(void **state) {
    truce_context *context = *state;
    truce_dataset *dataset = make_rows(context, 2), *none = NULL;
    const float x[] = {1, 2};
    const int32_t zero[] = {0};
    const struct {
        truce_input input;
        truce_status status;
        const char *text;
    } rows[] = {
        {{.name = NULL, .row_shape = truce_shape_of(1, 1)}, TRUCE_ERROR_ARGUMENT, "needs a name"},
        {{.name = "", .row_shape = truce_shape_of(1, 1)}, TRUCE_ERROR_ARGUMENT, "needs a name"},
        {{.name = "x", .row_shape = truce_shape_of(1, 1)}, TRUCE_ERROR_NAME, "two inputs 'x'"},
        {{.name = "y", .row_shape = {1, {0}}}, TRUCE_ERROR_SHAPE, "axis 0"},
        {{.name = "y", .row_shape = {2, {3, -1}}}, TRUCE_ERROR_SHAPE, "axis 1"},
        {{.name = "y", .row_shape = {TRUCE_MAX_DIMS, {0}}}, TRUCE_ERROR_SHAPE, "axes"},
        {{.name = "y", .row_shape = {2, {INT64_MAX, 8}}}, TRUCE_ERROR_MEMORY, "any memory"},
        {{.name = "y", .row_shape = {1, {INT64_MAX / 4}}}, TRUCE_ERROR_MEMORY, "memory"},
        {{"y", TRUCE_INPUT_CATEGORIES, truce_shape_of(1, 1), NULL}, TRUCE_ERROR_SHAPE, "cardinality"},
        {{"y", TRUCE_INPUT_CATEGORIES, truce_shape_of(2, 1, 1), zero}, TRUCE_ERROR_SHAPE, "one axis"},
        {{"y", TRUCE_INPUT_CATEGORIES, truce_shape_of(1, 1), zero}, TRUCE_ERROR_RANGE, "0 categories"},
    };
    add_numbers(context, dataset, "x", 1, x);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_fails(context, rows[i].status, rows[i].text,
                     truce_dataset_add_input(dataset, &rows[i].input, x));
    assert_int_equal(1, truce_dataset_inputs(dataset));
    add_regression(context, dataset, "t", x);
    truce_target again = {.name = "t"}, nameless = {.name = ""}, narrow = {.name = "n", .width = -1};
    truce_target classless = {.name = "c", .kind = TRUCE_TARGET_CLASSES};
    assert_fails(context, TRUCE_ERROR_NAME, "two tasks 't'", truce_dataset_add_target(dataset, &again, x));
    assert_fails(context, TRUCE_ERROR_ARGUMENT, "name of its task",
                 truce_dataset_add_target(dataset, &nameless, x));
    assert_fails(context, TRUCE_ERROR_SHAPE, "-1 numbers", truce_dataset_add_target(dataset, &narrow, x));
    assert_fails(context, TRUCE_ERROR_RANGE, "0 classes", truce_dataset_add_target(dataset, &classless, x));
    assert_int_equal(1, truce_dataset_targets(dataset));
    truce_dataset_destroy(dataset);
    assert_fails(context, TRUCE_ERROR_ARGUMENT, "-1 rows", truce_dataset_create(context, -1, &none));
    assert_fails(context, TRUCE_ERROR_MEMORY, "memory", truce_dataset_create(context, INT64_MAX, &none));
    assert_null(none);
}

static truce_status make_everything(truce_context *context, truce_dataset **out) {
    static const char *const names[] = {"a", "b"};
    static const float x[] = {1, 2, 3};
    static const int32_t k[] = {0, 1, -1}, cardinality[] = {2};
    truce_input numbers = {.name = "x", .row_shape = truce_shape_of(1, 1)};
    truce_input lazy = {.name = "lazy", .row_shape = truce_shape_of(1, 1)};
    truce_input categories = {"c", TRUCE_INPUT_CATEGORIES, truce_shape_of(1, 1), cardinality};
    truce_target classes = {"t", TRUCE_TARGET_CLASSES, 2, names, 0, 0, 0};
    truce_dataset *dataset = NULL;
    truce_status status = truce_dataset_create(context, 3, &dataset);
    if (status) return status;
    status = truce_dataset_add_input(dataset, &numbers, x);
    if (!status) status = truce_dataset_add_input(dataset, &categories, k);
    if (!status) status = truce_dataset_add_lazy_input(dataset, &lazy, count_up, NULL, note_release);
    if (!status) status = truce_dataset_add_target(dataset, &classes, k);
    if (status)
        truce_dataset_destroy(dataset);
    else
        *out = dataset;
    return status;
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    truce_dataset *dataset = NULL;
    assert_survives_failing_allocations(context, make_everything(context, &dataset),
                                        truce_dataset_destroy(dataset));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(gathered_rows_are_the_rows_that_were_stored),
        TEST(targets_come_back_with_their_descriptions),
        TEST(categories_come_back),
        TEST(lazy_inputs_are_made_when_read_and_released_once),
        TEST(an_empty_data_set_is_one),
        TEST(descriptions_that_make_no_sense_are_refused),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
