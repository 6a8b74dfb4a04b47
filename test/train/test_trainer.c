/*
 * Training as a whole, on small data sets in memory.
 */
#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "io/file.h"
#include "train/trainer.h"
#include "truce/tensor_file.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 400, WIDTH = 5 };

/* Three tasks on the same inputs: a sum, a sign, and a class; some labels are missing. */
static truce_dataset *make_data(truce_context *context, double missing) {
    static float x[ROWS][WIDTH], sum[ROWS], sign[ROWS];
    static int32_t kind[ROWS];
    static truce_split splits[ROWS];
    base_rng rng = base_rng_make(5, "data", 0, 0);
    truce_dataset *data = NULL;
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < WIDTH; k++) x[i][k] = (float)base_rng_normal(&rng);
        sum[i] = base_rng_uniform(&rng) < missing ? NAN : x[i][0] + 2 * x[i][1];
        sign[i] = base_rng_uniform(&rng) < missing ? NAN : (float)(x[i][2] - x[i][0] > 0);
        kind[i] = base_rng_uniform(&rng) < missing ? -1 : (x[i][3] > 0) + (x[i][4] > 0);
        splits[i] = i % 5 == 0 ? TRUCE_TEST : i % 5 == 1 ? TRUCE_VALIDATION : TRUCE_TRAIN;
    }
    assert_ok(context, truce_dataset_create(context, ROWS, &data));
    assert_ok(context,
              truce_dataset_add_input(data, &(truce_input){.name = "x", .row_shape = {1, {WIDTH}}}, x));
    assert_ok(context, truce_dataset_add_target(data, &(truce_target){.name = "sum"}, sum));
    assert_ok(context, truce_dataset_add_target(
                           data, &(truce_target){.name = "sign", .kind = TRUCE_TARGET_BINARY}, sign));
    assert_ok(context,
              truce_dataset_add_target(
                  data, &(truce_target){.name = "kind", .kind = TRUCE_TARGET_CLASSES, .n_classes = 3}, kind));
    assert_ok(context, truce_dataset_assign(data, splits));
    return data;
}

static double metric(const truce_task_result *result, const char *name) {
    for (int i = 0; i < result->n_metrics; i++)
        if (strcmp(result->metrics[i].name, name) == 0) return result->metrics[i].value;
    return NAN;
}

typedef struct training {
    truce_dataset *data;
    truce_recipe *recipe;
    truce_trainer *trainer;
} training;

static training open_training(truce_context *context, double missing, const char *recipe) {
    training t = {.data = make_data(context, missing)};
    assert_ok(context, truce_recipe_parse(context, recipe, &t.recipe));
    assert_ok(context, truce_trainer_create(context, t.recipe, t.data, &t.trainer));
    return t;
}

static void close_training(training *t) {
    truce_trainer_destroy(t->trainer);
    truce_recipe_destroy(t->recipe);
    truce_dataset_destroy(t->data);
}

#define SMALL "model: {trunk: {type: mlp, widths: [32]}}\ntrain: {epochs: 30, batch: 32, rate: 0.01, "

static void every_balancer_learns(void **state) {
    truce_context *context = *state;
    for (int i = 0; truce_method_at(i); i++) {
        const truce_method *method = truce_method_at(i);
        char recipe[512];
        truce_task_result results[3];
        if (method->needs & (TRUCE_NEEDS_CROSS_GRAMIAN | TRUCE_NEEDS_VALIDATION_PASS)) continue;
        if (strcmp(method->name, "constant") == 0 || strcmp(method->name, "cr_mogm") == 0) continue;
        if (strcmp(method->name, "krum") == 0) continue; /* picks single tasks; wants more of them */
        snprintf(recipe, sizeof recipe, SMALL "balancer: %s}", method->name);
        training t = open_training(context, 0.1, recipe);
        truce_status status = truce_trainer_run(t.trainer, NULL);
        if (status) fail_msg("%s: %s", method->name, truce_context_message(context));
        assert_ok(context, truce_trainer_evaluate(t.trainer, TRUCE_TEST, results));
        if (!(metric(&results[0], "nmse") < 0.5) || !(metric(&results[1], "auroc") > 0.8) ||
            !(metric(&results[2], "accuracy") > 0.6))
            fail_msg("%s: nmse %g, auroc %g, accuracy %g", method->name, metric(&results[0], "nmse"),
                     metric(&results[1], "auroc"), metric(&results[2], "accuracy"));
        close_training(&t);
    }
}

/* All parameters after a training. */
static double *train_and_copy(truce_context *context, const char *recipe, int64_t *n) {
    training t = open_training(context, 0.2, recipe);
    int64_t n_shared = 0;
    double *copy = NULL;
    assert_ok(context, truce_trainer_run(t.trainer, NULL));
    const void *block = truce_parameters_block(truce_trainer_parameters(t.trainer), n, &n_shared);
    copy = malloc((size_t)*n * sizeof(float));
    memcpy(copy, block, (size_t)*n * sizeof(float));
    close_training(&t);
    return copy;
}

static void threads_do_not_change_a_bit(void **state) {
    static const char *const recipes[] = {
        "model: {trunk: {widths: [256, 256], dropout: 0.2}}\ntrain: {epochs: 2, batch: 120, balancer: "
        "cagrad}",
        "model: {trunk: {widths: [200], norm: batch}}\ntrain: {epochs: 2, batch: 7, balancer: sum}",
    };
    (void)state;
    for (size_t r = 0; r < BASE_COUNT(recipes); r++) {
        double *first = NULL;
        for (int n_threads = 1; n_threads <= 3; n_threads++) {
            truce_context *context = NULL;
            int64_t n = 0;
            assert_int_equal(TRUCE_OK,
                             truce_context_create(&(truce_context_config){.n_threads = n_threads}, &context));
            double *copy = train_and_copy(context, recipes[r], &n);
            if (first) assert_memory_equal(first, copy, (size_t)n * sizeof(float));
            if (first)
                free(copy);
            else
                first = copy;
            truce_context_destroy(context);
        }
        free(first);
    }
}

static void steps_allocate_nothing(void **state) {
    truce_context *context = *state;
    static const char *const balancers[] = {"sum", "mgda", "cagrad", "graddrop"};
    for (size_t b = 0; b < BASE_COUNT(balancers); b++) {
        char recipe[256];
        int64_t rows[64], n = 0;
        snprintf(recipe, sizeof recipe,
                 "model: {trunk: {dropout: 0.1, norm: batch}}\ntrain: {balancer: %s, batch: 64, clip: 1}",
                 balancers[b]);
        if (!truce_method_find(balancers[b])) continue;
        training t = open_training(context, 0.1, recipe);
        const int64_t *train_rows = truce_dataset_split_rows(t.data, TRUCE_TRAIN, &n);
        memcpy(rows, train_rows, sizeof rows);
        assert_ok(context, train_step(t.trainer, rows, 64, true));
        uint64_t before = truce_context_memory(context).requests;
        for (int i = 0; i < 20; i++) assert_ok(context, train_step(t.trainer, rows, 64 - i, i % 2));
        assert_int_equal(before, truce_context_memory(context).requests);
        close_training(&t);
    }
}

/* A batch without labels of a task moves nothing of that task's own, and the shared part as if it did not
 * exist. */
static void absent_tasks_change_nothing(void **state) {
    truce_context *context = *state;
    training t = open_training(context, 0.5,
                               "train: {balancer: sum, optimizer: sgd, rate: 0.1, batch: 8, conflicts: 0}");
    int64_t n = 0, rows[8];
    int n_rows = 0;
    const int64_t *all = truce_dataset_split_rows(t.data, TRUCE_TRAIN, &n);
    for (int64_t i = 0; i < n && n_rows < 8; i++) {
        float value;
        truce_dataset_read_target(t.data, 0, &all[i], 1, &value);
        if (isnan(value)) rows[n_rows++] = all[i];
    }
    const truce_parameter *own =
        truce_parameters_find(truce_trainer_parameters(t.trainer), "head.sum.out.weight");
    assert_non_null(own);
    float before[64];
    memcpy(before, own->values, (size_t)own->size * sizeof(float));
    assert_ok(context, train_step(t.trainer, rows, 8, false));
    assert_memory_equal(before, own->values, (size_t)own->size * sizeof(float));
    assert_true(isnan(t.trainer->losses[0]) != 0);
    assert_true(isnan(t.trainer->losses[1]) == 0);
    close_training(&t);
}

static void a_better_epoch_is_kept(void **state) {
    truce_context *context = *state;
    /* far too large a rate: later epochs are worse than the best one */
    training t = open_training(context, 0, "train: {epochs: 12, batch: 16, rate: 0.3, criterion: sum.nmse}");
    double best = INFINITY;
    int64_t best_epoch = 0, n = 0;
    assert_ok(context, truce_trainer_run(t.trainer, NULL));
    for (size_t i = 0; i < t.trainer->history.n_records; i++) {
        const train_record *r = &t.trainer->history.records[i];
        if (strcmp(r->split, "validation") || strcmp(r->task, "sum") || strcmp(r->name, "nmse")) continue;
        if (r->value < best) {
            best = r->value;
            best_epoch = r->epoch + 1;
        }
    }
    assert_int_equal(best_epoch, truce_trainer_best_epoch(t.trainer));
    truce_task_result results[3];
    truce_dataset_split_rows(t.data, TRUCE_VALIDATION, &n);
    assert_ok(context, truce_trainer_evaluate(t.trainer, TRUCE_VALIDATION, results));
    assert_near(metric(&results[0], "nmse"), best, 1e-12);
    close_training(&t);
}

static void patience_ends_a_training(void **state) {
    truce_context *context = *state;
    training t = open_training(context, 0, "train: {epochs: 500, batch: 16, rate: 0.1, patience: 3}");
    assert_ok(context, truce_trainer_run(t.trainer, NULL));
    assert_true(t.trainer->epoch < 499);
    assert_int_equal(3, t.trainer->epoch - t.trainer->best.epoch);
    close_training(&t);
}

static void numbers_out_of_hand_are_named(void **state) {
    truce_context *context = *state;
    training t = open_training(context, 0,
                               "train: {epochs: 50, optimizer: sgd, rate: 1e6, balancer: sum, conflicts: 0}");
    truce_status status = truce_trainer_run(t.trainer, NULL);
    assert_int_equal(TRUCE_ERROR_NUMERIC, status);
    const char *message = truce_context_message(context);
    assert_non_null(strstr(message, "task '"));
    assert_non_null(strstr(message, "step "));
    assert_non_null(strstr(message, "train.rate"));
    close_training(&t);
}

static void wrong_recipes_are_told(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *recipe, *message;
        truce_status status;
    } rows[] = {
        {"train: {epoch: 3}",
         "recipe:1: section 'train': option 'epoch' is not known; did you mean 'epochs'?", TRUCE_ERROR_NAME},
        {"train:\n  rate: fast", "recipe:2: section 'train': 'rate' takes a number, not 'fast'",
         TRUCE_ERROR_TYPE},
        {"train:\n  epochs: 0", "recipe:2: section 'train': 'epochs' must lie between 1 and",
         TRUCE_ERROR_RANGE},
        {"train:\n\n  balancer: cagard", "recipe:3: method 'cagard' is not known; did you mean 'cagrad'?",
         TRUCE_ERROR_NAME},
        {"train:\n  balancer:\n    method: cagrad\n    d: 1",
         "recipe:4: method 'cagrad': option 'd' is not known", TRUCE_ERROR_NAME},
        {"train: {optimizer: adamx}", "did you mean 'adam'?", TRUCE_ERROR_NAME},
        {"train: {optimizer: {type: sgd, momentun: 0.9}}", "did you mean 'momentum'?", TRUCE_ERROR_NAME},
        {"train: {schedule: cosin}", "did you mean 'cosine'?", TRUCE_ERROR_NAME},
        {"train: {criterion: accuracy}", "criterion 'accuracy' is not known; there are relative_loss",
         TRUCE_ERROR_NAME},
        {"train: {criterion: sum.accuracy}", "task 'sum' has no metric 'accuracy'", TRUCE_ERROR_NAME},
        {"model: {trunk: mpl}", "recipe:1: trunk 'mpl' is not known; did you mean 'mlp'?", TRUCE_ERROR_NAME},
        {"model: {trunk: lenet}", "takes pictures", TRUCE_ERROR_UNSUPPORTED},
        {"model:\n  trunk: {type: mlp, width: 3}", "did you mean 'widths'?", TRUCE_ERROR_NAME},
        {"model: {architecture: mmoo}", "architecture 'mmoo' is not known", TRUCE_ERROR_NAME},
        {"tasks: {sum: {loss: cross_entropy}}", "task 'sum' has numbers to predict", TRUCE_ERROR_UNSUPPORTED},
        {"tasks: {kind: {loss: cros_entropy}}", "did you mean 'cross_entropy'?", TRUCE_ERROR_NAME},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        truce_recipe *recipe = NULL;
        truce_trainer *trainer = NULL;
        truce_dataset *data = make_data(context, 0);
        truce_status status = truce_recipe_parse(context, rows[i].recipe, &recipe);
        if (!status) status = truce_trainer_create(context, recipe, data, &trainer);
        if (!status) status = truce_trainer_run(trainer, NULL);
        if (status != rows[i].status || !strstr(truce_context_message(context), rows[i].message))
            fail_msg("%s: %s: %s", rows[i].recipe, truce_status_name(status), truce_context_message(context));
        truce_trainer_destroy(trainer);
        truce_recipe_destroy(recipe);
        truce_dataset_destroy(data);
    }
    truce_recipe *recipe = NULL;
    assert_fails(context, TRUCE_ERROR_NAME, "did you mean 'train'?",
                 truce_recipe_parse(context, "trian: {}", &recipe));
}

static void double_and_single_precision_agree(void **state) {
    truce_context *context = *state;
    double losses[2];
    for (int k = 0; k < 2; k++) {
        truce_task_result results[3];
        training t =
            open_training(context, 0.1, k ? SMALL "precision: float64}" : SMALL "precision: float32}");
        t.trainer->settings.epochs = 1;
        assert_ok(context, truce_trainer_run(t.trainer, NULL));
        assert_ok(context, truce_trainer_evaluate(t.trainer, TRUCE_TEST, results));
        losses[k] = metric(&results[0], "loss");
        close_training(&t);
    }
    assert_near(losses[0], losses[1], 1e-4);
}

static void predictions_are_in_the_targets_units(void **state) {
    truce_context *context = *state;
    training t = open_training(context, 0, SMALL "seed: 3}");
    int64_t rows[] = {7, 0, 99};
    float sums[3], chances[3], kinds[9];
    assert_ok(context, truce_trainer_run(t.trainer, NULL));
    assert_ok(context, truce_trainer_predict(t.trainer, 0, rows, 3, sums));
    assert_ok(context, truce_trainer_predict(t.trainer, 1, rows, 3, chances));
    assert_ok(context, truce_trainer_predict(t.trainer, 2, rows, 3, kinds));
    for (int i = 0; i < 3; i++) {
        float truth;
        truce_dataset_read_target(t.data, 0, &rows[i], 1, &truth);
        assert_true(fabsf(truth - sums[i]) < 1.5f);
        assert_true(chances[i] >= 0 && chances[i] <= 1);
        assert_near(kinds[3 * i] + kinds[3 * i + 1] + kinds[3 * i + 2], 1, 1e-6);
    }
    assert_fails(context, TRUCE_ERROR_ARGUMENT, "no task 3",
                 truce_trainer_predict(t.trainer, 3, rows, 3, kinds));
    close_training(&t);
}

static void a_run_leaves_readable_files(void **state) {
    truce_context *context = *state;
    static const char *const files[] = {"run.json", "recipe.yaml", "model.safetensors", "run.sqlite",
                                        "history.csv"};
    if (system("rm -rf made")) fail();
    training t = open_training(context, 0.1, SMALL "balancer: mgda}");
    assert_ok(context, truce_trainer_run(t.trainer, "made/here"));
    for (size_t i = 0; i < BASE_COUNT(files); i++) {
        char path[64];
        snprintf(path, sizeof path, "made/here/%s", files[i]);
        if (!io_exists(path)) fail_msg("%s is not there", path);
    }
    truce_tensor_file *file = NULL;
    assert_ok(context, truce_tensor_file_open(context, "made/here/model.safetensors", &file));
    const truce_tensor_info *weight = truce_tensor_file_find(file, "trunk.0.weight");
    assert_non_null(weight);
    assert_int_equal(32, weight->shape.dims[0]);
    assert_memory_equal(weight->bytes,
                        truce_parameters_find(truce_trainer_parameters(t.trainer), "trunk.0.weight")->values,
                        weight->n_bytes);
    truce_tensor_file_close(file);
    assert_fails(context, TRUCE_ERROR_STATE, "holds a run already",
                 truce_trainer_run(t.trainer, "made/here"));
    close_training(&t);
}

/* Creating, one epoch, judging: whichever allocation fails, the status says so and nothing is lost. */
static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    truce_dataset *data = make_data(context, 0.1);
    for (long k = 1;; k++) {
        truce_recipe *recipe = NULL;
        truce_trainer *trainer = NULL;
        truce_task_result results[3];
        test_fail_allocation(k);
        truce_status status = truce_recipe_parse(
            context, "model: {trunk: {widths: [4]}}\ntrain: {epochs: 1, batch: 200, balancer: cagrad}",
            &recipe);
        if (!status) status = truce_trainer_create(context, recipe, data, &trainer);
        if (!status) status = truce_trainer_run(trainer, NULL);
        if (!status) status = truce_trainer_evaluate(trainer, TRUCE_TEST, results);
        bool failed = test_allocation_failed();
        test_fail_allocation(0);
        truce_trainer_destroy(trainer);
        truce_recipe_destroy(recipe);
        if (!failed) {
            assert_int_equal(TRUCE_OK, status);
            break;
        }
        assert_int_equal(TRUCE_ERROR_MEMORY, status);
    }
    truce_dataset_destroy(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_balancer_learns),
        cmocka_unit_test(threads_do_not_change_a_bit),
        TEST(steps_allocate_nothing),
        TEST(absent_tasks_change_nothing),
        TEST(a_better_epoch_is_kept),
        TEST(patience_ends_a_training),
        TEST(numbers_out_of_hand_are_named),
        TEST(wrong_recipes_are_told),
        TEST(double_and_single_precision_agree),
        TEST(predictions_are_in_the_targets_units),
        TEST(a_run_leaves_readable_files),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
