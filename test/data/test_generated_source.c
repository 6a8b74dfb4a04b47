#include "data/open.h"

static void all_targets_are_tasks_unless_some_are_chosen(void **state) {
    truce_context *context = *state;
    data_source *source =
        open_recipe(context, "data: {format: glyphs, rows: 200, test_rows: 50, validation: 0.1, noise: 0}\n");
    assert_int_equal(6, truce_dataset_targets(source->dataset));
    assert_int_equal(180, count_split(source->dataset, TRUCE_TRAIN));
    assert_int_equal(20, count_split(source->dataset, TRUCE_VALIDATION));
    assert_int_equal(50, count_split(source->dataset, TRUCE_TEST));
    data_source_destroy(source);
    source = open_recipe(
        context,
        "data: {format: glyphs, rows: 200, test_rows: 50}\n"
        "tasks: {ink: {standardise: false, loss: mse}, twin: {target: same}, 's*': {type: regression}}\n");
    static const char *const names[] = {"ink", "twin", "sum", "slant"};
    assert_int_equal(4, truce_dataset_targets(source->dataset));
    for (int i = 0; i < 4; i++) assert_string_equal(names[i], truce_dataset_target(source->dataset, i)->name);
    assert_true(target_at(source, 0, 0) > 0.05f && truce_dataset_target(source->dataset, 0)->scale == 1);
    assert_true(truce_dataset_target(source->dataset, 2)->scale > 2);
    assert_int_equal(TRUCE_TARGET_BINARY, truce_dataset_target(source->dataset, 1)->kind);
    data_source_destroy(source);
}

static void settings_reach_the_generator(void **state) {
    truce_context *context = *state;
    data_source *source =
        open_recipe(context, "data: {format: tabular, rows: 300, test_rows: 10, n_inputs: 7, n_tasks: 3,\n"
                             "       n_binary: 1, seed: 4, split: stratified, validation: 0.2}\n");
    truce_tabular_config config = truce_tabular_defaults();
    config.rows = 300;
    config.test_rows = 10;
    config.n_inputs = 7;
    config.n_tasks = 3;
    config.n_binary = 1;
    config.seed = 4;
    truce_dataset *plain = NULL;
    assert_ok(context, truce_tabular_create(context, &config, &plain));
    float *x = read_all_inputs(context, plain, 0), *t = read_all_targets(plain, 2);
    const data_array *array = &source->encoding->arrays[0];
    for (int row = 0; row < 310; row++) {
        assert_true(target_at(source, 2, row) == t[row]);
        for (int c = 0; c < 7; c++)
            assert_near(array->mean[c] + array->scale[c] * (double)number_at(source, row, c),
                        (double)x[row * 7 + c], 1e-6);
    }
    int64_t n;
    const int64_t *rows = truce_dataset_split_rows(source->dataset, TRUCE_VALIDATION, &n);
    int ones = 0;
    for (int64_t i = 0; i < n; i++) ones += target_at(source, 2, rows[i]) == 1;
    assert_true(n == 60 && ones == 30);
    free(x), free(t);
    truce_dataset_destroy(plain);
    data_source_destroy(source);
}

static void the_encoding_tells_what_was_standardised(void **state) {
    truce_context *context = *state;
    data_source *source = open_recipe(context, "data: {format: tabular, rows: 100, n_binary: 1}\n");
    base_text json = {0};
    data_encoding *loaded = NULL;
    assert_ok(context, data_encoding_save(source->encoding, &json));
    assert_ok(context, data_encoding_load(context, json.bytes, json.n, "model.json", &loaded));
    assert_int_equal(4, loaded->n_labels);
    for (int i = 0; i < 3; i++) {
        assert_true(loaded->labels[i].mean == truce_dataset_target(source->dataset, i)->mean);
        assert_true(loaded->labels[i].scale == truce_dataset_target(source->dataset, i)->scale);
    }
    assert_int_equal(2, loaded->labels[3].classes.n);
    data_encoding_destroy(loaded);
    base_text_free(context, &json);
    data_source_destroy(source);
}

static void faults_are_named(void **state) {
    truce_context *context = *state;
    test_write_text("short.npy", "x");
    static const struct {
        const char *recipe;
        truce_status status;
        const char *message;
    } rows[] = {
        {"data: {format: glyphs, rows: 0}\n", TRUCE_ERROR_RANGE,
         "recipe.yaml:1: section 'data': 'rows' must lie between 1 and"},
        {"data: {format: glyphs, nois: 1}\n", TRUCE_ERROR_NAME,
         "option 'nois' is not known; did you mean 'noise'?"},
        {"data: {format: glyphs, test: 0.1}\n", TRUCE_ERROR_NAME, "option 'test' is not known"},
        {"data: {format: glyphs, validation: a.csv}\n", TRUCE_ERROR_TYPE, "'validation' takes a share"},
        {"data: {format: glyphs, rows: 50}\ntasks: [lift]\n", TRUCE_ERROR_NAME,
         "recipe.yaml:2: task 'lift': target 'lift' is not known; did you mean 'left'?"},
        {"data: {format: glyphs, rows: 50}\ntasks: {left: {type: regression}}\n", TRUCE_ERROR_TYPE,
         "task 'left': the generated target 'left' is classes"},
        {"data: {format: glyphs, rows: 50}\ntasks: {left: , other: {target: left}}\n", TRUCE_ERROR_NAME,
         "tasks 'left' and 'other' have the same target"},
        {"data: {format: glyphs, rows: 50}\ntasks: {q*: }\n", TRUCE_ERROR_NAME, "task 'q*' matches nothing"},
        {"data: {format: tabular, relatedness: -0.9}\n", TRUCE_ERROR_RANGE,
         "recipe.yaml:1: tabular: 4 vectors cannot all"},
        {"data: {format: tabular, validation: 0.1, split: stratified}\n", TRUCE_ERROR_NAME,
         "'split_by' must name one"},
        {"data: {format: digit_pairs}\n", TRUCE_ERROR_FORMAT, "digit_pairs needs 'images'"},
        {"data: {format: digit_pairs, images: nowhere}\n", TRUCE_ERROR_IO, "'nowhere' was not found"},
        {"data: {format: digit_pairs, images: short.npy}\n", TRUCE_ERROR_FORMAT, "short.npy"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_recipe_fails(context, rows[i].status, rows[i].message, rows[i].recipe);
}

static void real_digits_make_pairs(void **state) {
    truce_context *context = *state;
    if (!test_data("mnist-t10k/t10k-images-idx3-ubyte.gz")) return;
    data_source *source =
        open_recipe(context, "name: mnist-t10k\n"
                             "data: {format: digit_pairs, images: t10k-images-idx3-ubyte.gz,\n"
                             "       labels: t10k-labels-idx1-ubyte.gz, rows: 500, test_rows: 100}\n"
                             "tasks: [right, left]\n");
    assert_string_equal("right", truce_dataset_target(source->dataset, 0)->name);
    assert_int_equal(36, truce_dataset_input(source->dataset, 0)->row_shape.dims[1]);
    data_source_destroy(source);
    assert_recipe_fails(context, TRUCE_ERROR_SHAPE,
                        "digit_pairs takes images of 28 x 28, but these are [10000]",
                        "name: mnist-t10k\n"
                        "data: {format: digit_pairs, images: t10k-labels-idx1-ubyte.gz, labels: "
                        "t10k-labels-idx1-ubyte.gz}\n");
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    data_source *source = NULL;
    assert_survives_failing_allocations(context,
                                        open_text(context,
                                                  "data: {format: tabular, rows: 60, test_rows: 5, n_binary: "
                                                  "2, validation: 0.2, split: stratified}\n"
                                                  "tasks: {'task*': , one: {target: task1}}\n",
                                                  &source),
                                        data_source_destroy(source));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(all_targets_are_tasks_unless_some_are_chosen),
        TEST(settings_reach_the_generator),
        TEST(the_encoding_tells_what_was_standardised),
        TEST(faults_are_named),
        TEST(real_digits_make_pairs),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
