#include "data/make.h"

enum { N = 6 }; /* four training rows, one of validation, one of test */

typedef struct parts {
    float x[2 * N], y[N], flag[N];
    int32_t class[N], category[N];
    truce_split splits[N];
} parts;

static const parts good = {
    .x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
    .y = {1, 2, NAN, 4, 5, NAN},
    .flag = {0, 1, NAN, 1, 1, 0},
    .class = {0, 1, 2, -1, 2, 1},
    .category = {0, 1, 2, 0, 1, 2},
    .splits = {TRUCE_TRAIN, TRUCE_TRAIN, TRUCE_TRAIN, TRUCE_TRAIN, TRUCE_VALIDATION, TRUCE_TEST},
};

static truce_dataset *build(truce_context *context, const parts *p) {
    static const char *const names[] = {"single", "married", "widowed"};
    static const int32_t cardinality[] = {3};
    truce_dataset *dataset = make_rows(context, N);
    add_numbers(context, dataset, "x", 2, p->x);
    truce_input categories = {"c", TRUCE_INPUT_CATEGORIES, truce_shape_of(1, 1), cardinality};
    truce_target marital = {"marital", TRUCE_TARGET_CLASSES, 3, names, 0, 0, 0};
    truce_target flag = {.name = "flag", .kind = TRUCE_TARGET_BINARY};
    truce_target tau = {.name = "tau1", .mean = 10, .scale = 2};
    assert_ok(context, truce_dataset_add_input(dataset, &categories, p->category));
    assert_ok(context, truce_dataset_add_target(dataset, &tau, p->y));
    assert_ok(context, truce_dataset_add_target(dataset, &marital, p->class));
    assert_ok(context, truce_dataset_add_target(dataset, &flag, p->flag));
    assert_ok(context, truce_dataset_assign(dataset, p->splits));
    return dataset;
}

static void good_data_pass(void **state) {
    truce_context *context = *state;
    truce_dataset *dataset = build(context, &good);
    assert_ok(context, truce_dataset_check(dataset));
    assert_survives_failing_allocations(context, truce_dataset_check(dataset), (void)0);
    truce_dataset_destroy(dataset);
}

static void assert_bad(truce_context *context, const parts *p, const char *text) {
    truce_dataset *dataset = build(context, p);
    assert_fails(context, TRUCE_ERROR_DATA, text, truce_dataset_check(dataset));
    truce_dataset_destroy(dataset);
}

static void each_fault_gets_its_sentence(void **state) {
    truce_context *context = *state;
    parts p = good;
    p.x[7] = NAN;
    assert_bad(context, &p, "NaN in input 'x' at row 3, element 1");
    p = good;
    p.x[10] = -INFINITY;
    assert_bad(context, &p, "-infinity in input 'x' at row 5, element 0");
    p = good;
    p.category[4] = 3;
    assert_bad(context, &p, "input 'c' at row 4, column 0: category 3 is not in 0 .. 2");
    p.category[4] = -1;
    assert_bad(context, &p, "category -1");
    p = good;
    p.y[5] = INFINITY;
    assert_bad(context, &p, "infinity in the target of task 'tau1' at row 5");
    p = good;
    p.y[0] = p.y[1] = p.y[3] = 1;
    assert_bad(context, &p, "the target of task 'tau1' is the same (12) in all its 3 training labels");
    p.y[0] = p.y[1] = p.y[3] = NAN;
    assert_bad(context, &p, "task 'tau1' has no label in any of the 4 training rows");
    p = good;
    p.flag[1] = 0.5f;
    assert_bad(context, &p, "label 0.5 of task 'flag' at row 1 is not one of 0, 1 or NaN (missing)");
    p = good;
    p.flag[0] = NAN;
    assert_bad(context, &p, "task 'flag' is the same (class '1') in all its 2 training labels");
    p.flag[1] = p.flag[3] = NAN;
    assert_bad(context, &p, "task 'flag' has no label");
    p = good;
    p.class[0] = 3;
    assert_bad(context, &p, "label 3 of task 'marital' at row 0 is not one of 0 .. 2 or -1 (missing)");
    p.class[0] = INT32_MAX;
    assert_bad(context, &p, "label 2147483647 of task 'marital'");
    p.class[0] = -2;
    assert_bad(context, &p, "label -2 of task 'marital'");
    p = good;
    p.class[1] = 0;
    assert_bad(context, &p, "class 'married' of task 'marital' occurs in test rows only (1 of them)");
    p.class[4] = 1;
    assert_bad(context, &p,
               "class 'married' of task 'marital' occurs in validation and test rows only (2 of them)");
    p = good;
    p.class[2] = 0;
    assert_bad(context, &p, "class 'widowed' of task 'marital' occurs in validation rows only");
    p = good;
    for (int i = 0; i < N; i++) p.splits[i] = TRUCE_TEST;
    assert_bad(context, &p, "no training rows");
}

static void unused_classes_are_no_fault(void **state) {
    truce_context *context = *state;
    parts p = good;
    p.class[2] = p.class[4] = 0;
    truce_dataset *dataset = build(context, &p);
    assert_ok(context, truce_dataset_check(dataset));
    truce_dataset_destroy(dataset);
}

static void without_inputs_or_tasks_nothing_can_be_trained(void **state) {
    truce_context *context = *state;
    truce_dataset *dataset = make_rows(context, N);
    assert_fails(context, TRUCE_ERROR_DATA, "no input", truce_dataset_check(dataset));
    add_numbers(context, dataset, "x", 2, good.x);
    assert_fails(context, TRUCE_ERROR_DATA, "no task", truce_dataset_check(dataset));
    truce_dataset_destroy(dataset);
}

static truce_status bad_at_row(void *user, const int64_t *rows, int64_t n, float *out) {
    int64_t bad = *(int64_t *)user;
    for (int64_t i = 0; i < n; i++) out[i] = rows[i] == bad ? NAN : 0;
    return TRUCE_OK;
}

static truce_status refuse(void *user, const int64_t *rows, int64_t n, float *out) {
    (void)user;
    (void)rows;
    (void)n;
    (void)out;
    return TRUCE_ERROR_IO;
}

static void made_rows_are_checked_to_the_last(void **state) {
    truce_context *context = *state;
    enum { MANY = 600001 };
    float *y = calloc(MANY, sizeof *y);
    y[0] = 1;
    int64_t bad = MANY - 1;
    truce_input input = {.name = "x", .row_shape = truce_shape_of(1, 1)};
    truce_dataset *dataset = make_rows(context, MANY);
    assert_ok(context, truce_dataset_add_lazy_input(dataset, &input, bad_at_row, &bad, NULL));
    add_regression(context, dataset, "y", y);
    assert_fails(context, TRUCE_ERROR_DATA, "NaN in input 'x' at row 600000", truce_dataset_check(dataset));
    bad = -1;
    assert_ok(context, truce_dataset_check(dataset));
    input.name = "z";
    assert_ok(context, truce_dataset_add_lazy_input(dataset, &input, refuse, NULL, NULL));
    assert_int_equal(TRUCE_ERROR_IO, truce_dataset_check(dataset));
    truce_dataset_destroy(dataset);
    free(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(good_data_pass),
        TEST(each_fault_gets_its_sentence),
        TEST(unused_classes_are_no_fault),
        TEST(without_inputs_or_tasks_nothing_can_be_trained),
        TEST(made_rows_are_checked_to_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
