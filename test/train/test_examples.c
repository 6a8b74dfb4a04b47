/*
 * The recipes in examples/ do what docs/figures.md says of them, on real data where it is there; bands are
 * wide, because trainings here are short.
 */
#include "support/test.h"

#include "truce/train.h"

typedef struct expectation {
    const char *task, *metric;
    double low, high;
} expectation;

typedef struct example {
    const char *recipe, *data, *settings[6];
    expectation expected[4];
} example;

static const example examples[] = {
    {"adult.yaml",
     "adult/adult-train.csv",
     {"train.epochs=3"},
     {{"income", "auroc", 0.85, 0.93},
      {"income", "accuracy", 0.81, 0.87},
      {"never_married", "auroc", 0.85, 0.95}}},
    {"sarcos.yaml",
     "sarcos-test/sarcos_inv_test.csv",
     {"train.epochs=25"},
     {{"tau1", "nmse", 0.005, 0.08}, {"tau4", "nmse", 0.003, 0.04}, {"tau6", "r2", 0.8, 0.99}}},
    {"multi-mnist.yaml",
     "mnist-t10k/t10k-images-idx3-ubyte.gz",
     {"train.epochs=2", "data.rows=9000", "data.test_rows=1000"},
     {{"left", "accuracy", 0.6, 0.97}, {"right", "accuracy", 0.6, 0.97}}},
    {"glyphs.yaml",
     NULL,
     {"train.epochs=4", "data.rows=2000", "data.test_rows=500"},
     {{"left", "accuracy", 0.2, 1}, {"slant", "nmse", 0.05, 1}}},
    {"tabular.yaml", NULL, {"train.epochs=5"}, {{"task1", "nmse", 0.1, 1}, {"task6", "auroc", 0.55, 1}}},
    {"demo.yaml", NULL, {"train.epochs=1", "data.rows=500"}, {{"left", "accuracy", 0.02, 1}}},
};

static const truce_task_result *find_task(const truce_task_result *results, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (strcmp(results[i].task, name) == 0) return &results[i];
    fail_msg("there is no task %s", name);
    return NULL;
}

static void check(const truce_task_result *results, int n, const expectation *e) {
    const truce_task_result *result = find_task(results, n, e->task);
    for (int k = 0; k < result->n_metrics; k++) {
        if (strcmp(result->metrics[k].name, e->metric) != 0) continue;
        double value = result->metrics[k].value;
        if (value >= e->low && value <= e->high) return;
        fail_msg("%s %s is %g, not in %g .. %g", e->task, e->metric, value, e->low, e->high);
    }
    fail_msg("%s has no %s", e->task, e->metric);
}

static void run_example(truce_context *context, const example *x) {
    char path[512];
    truce_recipe *recipe = NULL;
    truce_trainer *trainer = NULL;
    truce_task_result results[16];
    snprintf(path, sizeof path, "%s/examples/%s", TEST_SOURCE_FOLDER, x->recipe);
    assert_ok(context, truce_recipe_read(context, path, &recipe));
    for (int i = 0; i < 6 && x->settings[i]; i++)
        assert_ok(context, truce_recipe_set(recipe, x->settings[i]));
    assert_ok(context, truce_trainer_create(context, recipe, NULL, &trainer));
    assert_ok(context, truce_trainer_run(trainer, NULL));
    assert_ok(context, truce_trainer_evaluate(trainer, TRUCE_TEST, results));
    for (int i = 0; i < 4 && x->expected[i].task; i++)
        check(results, truce_trainer_tasks(trainer), &x->expected[i]);
    truce_trainer_destroy(trainer);
    truce_recipe_destroy(recipe);
}

static void examples_reach_their_figures(void **state) {
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        if (!examples[i].data || test_data(examples[i].data)) run_example(*state, &examples[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(examples_reach_their_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
