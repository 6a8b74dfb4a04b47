#include "data/make.h"

#include "base/rng.h"

static void new_rows_are_training_rows(void **state) {
    truce_context *context = *state;
    truce_dataset *dataset = make_rows(context, 5);
    int64_t n;
    const int64_t *rows = truce_dataset_split_rows(dataset, TRUCE_TRAIN, &n);
    assert_int_equal(5, n);
    for (int i = 0; i < 5; i++) assert_int_equal(i, rows[i]);
    assert_int_equal(0, count_split(dataset, TRUCE_TEST));
    truce_dataset_destroy(dataset);
}

static void assigned_rows_are_listed_in_order(void **state) {
    truce_context *context = *state;
    truce_dataset *dataset = make_rows(context, 5);
    const truce_split splits[] = {TRUCE_TEST, TRUCE_TRAIN, TRUCE_VALIDATION, TRUCE_TRAIN, TRUCE_TEST};
    assert_ok(context, truce_dataset_assign(dataset, splits));
    int64_t n;
    const int64_t *test = truce_dataset_split_rows(dataset, TRUCE_TEST, &n);
    assert_true(n == 2 && test[0] == 0 && test[1] == 4);
    const int64_t *train = truce_dataset_split_rows(dataset, TRUCE_TRAIN, &n);
    assert_true(n == 2 && train[0] == 1 && train[1] == 3);
    const truce_split wrong[] = {TRUCE_TEST, TRUCE_TRAIN, (truce_split)7, TRUCE_TRAIN, TRUCE_TEST};
    assert_fails(context, TRUCE_ERROR_RANGE, "row 2", truce_dataset_assign(dataset, wrong));
    assert_int_equal(2, count_split(dataset, TRUCE_TEST));
    truce_dataset_destroy(dataset);
    assert_string_equal("validation", truce_split_name(TRUCE_VALIDATION));
}

static void every_row_is_in_one_split_and_the_shares_hold(void **state) {
    truce_context *context = *state;
    static const struct {
        int64_t n;
        double validation, test;
        int64_t n_validation, n_test;
    } table[] = {{100, 0.1, 0.2, 10, 20}, {101, 0.1, 0.2, 10, 20},   {3, 0.34, 0.33, 1, 1},
                 {10, 0, 0.25, 0, 3},     {10, 0.9, 0, 9, 0},        {7, 0, 0, 0, 0},
                 {100, 0.29, 0, 29, 0},   {5000, 0.001, 0.001, 5, 5}};
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        truce_dataset *dataset = make_rows(context, table[k].n);
        truce_split_config config = {.validation = table[k].validation, .test = table[k].test, .seed = 3};
        assert_ok(context, truce_dataset_divide(dataset, &config));
        assert_int_equal(table[k].n_validation, count_split(dataset, TRUCE_VALIDATION));
        assert_int_equal(table[k].n_test, count_split(dataset, TRUCE_TEST));
        assert_int_equal(table[k].n - table[k].n_validation - table[k].n_test,
                         count_split(dataset, TRUCE_TRAIN));
        truce_dataset_destroy(dataset);
    }
}

static void the_seed_alone_decides(void **state) {
    truce_context *context = *state;
    int64_t n;
    truce_dataset *sets[3];
    for (int i = 0; i < 3; i++) {
        truce_split_config config = {.test = 0.5, .seed = i == 2 ? 8 : 7};
        sets[i] = make_rows(context, 1000);
        assert_ok(context, truce_dataset_divide(sets[i], &config));
    }
    const int64_t *a = truce_dataset_split_rows(sets[0], TRUCE_TEST, &n);
    assert_memory_equal(a, truce_dataset_split_rows(sets[1], TRUCE_TEST, &n), 500 * sizeof *a);
    assert_memory_not_equal(a, truce_dataset_split_rows(sets[2], TRUCE_TEST, &n), 500 * sizeof *a);
    for (int i = 0; i < 3; i++) truce_dataset_destroy(sets[i]);
}

static void rows_of_other_splits_stay_there(void **state) {
    truce_context *context = *state;
    truce_split splits[50];
    for (int i = 0; i < 50; i++) splits[i] = i < 40 ? TRUCE_TRAIN : TRUCE_TEST;
    truce_dataset *dataset = make_rows(context, 50);
    assert_ok(context, truce_dataset_assign(dataset, splits));
    truce_split_config config = {.validation = 0.25};
    assert_ok(context, truce_dataset_divide(dataset, &config));
    int64_t n;
    const int64_t *test = truce_dataset_split_rows(dataset, TRUCE_TEST, &n);
    assert_true(n == 10 && test[0] == 40);
    assert_int_equal(10, count_split(dataset, TRUCE_VALIDATION));
    truce_dataset_destroy(dataset);
}

/* How many rows of a key are in a split. */
static int64_t count_key(const truce_dataset *dataset, truce_split split, const int64_t *keys, int64_t key) {
    int64_t n, count = 0;
    const int64_t *rows = truce_dataset_split_rows(dataset, split, &n);
    for (int64_t i = 0; i < n; i++) count += keys[rows[i]] == key;
    return count;
}

static void strata_are_divided_in_proportion(void **state) {
    truce_context *context = *state;
    enum { N = 1000 };
    int64_t keys[N], sizes[4] = {0};
    base_rng rng = base_rng_make(5, "test", 0, 0);
    for (int i = 0; i < N; i++) {
        double u = base_rng_uniform(&rng);
        keys[i] = u < 0.02 ? -3 : u < 0.1 ? 0 : u < 0.4 ? 1 : 99;
        sizes[u < 0.02 ? 0 : u < 0.1 ? 1 : u < 0.4 ? 2 : 3]++;
    }
    truce_dataset *dataset = make_rows(context, N);
    truce_split_config config = {0.15, 0.2, TRUCE_SPLIT_STRATIFIED, keys, 1};
    assert_ok(context, truce_dataset_divide(dataset, &config));
    assert_int_equal(150, count_split(dataset, TRUCE_VALIDATION));
    assert_int_equal(200, count_split(dataset, TRUCE_TEST));
    static const int64_t names[] = {-3, 0, 1, 99};
    for (int k = 0; k < 4; k++) {
        double v = 0.15 * (double)sizes[k], t = 0.2 * (double)sizes[k];
        assert_true(fabs((double)count_key(dataset, TRUCE_VALIDATION, keys, names[k]) - v) < 1);
        assert_true(fabs((double)count_key(dataset, TRUCE_TEST, keys, names[k]) - t) < 1);
    }
    truce_dataset_destroy(dataset);
}

/* Quotas 0.8, 0.8, 0.4, 2.0 of 4 rows: two go by remainder to the keys 5 and 6, none to 7. */
static void remainders_go_to_the_largest_first(void **state) {
    truce_context *context = *state;
    const int64_t keys[] = {5, 5, 6, 6, 7, 8, 8, 8, 8, 8};
    truce_dataset *dataset = make_rows(context, 10);
    truce_split_config config = {0.4, 0, TRUCE_SPLIT_STRATIFIED, keys, 9};
    assert_ok(context, truce_dataset_divide(dataset, &config));
    assert_int_equal(1, count_key(dataset, TRUCE_VALIDATION, keys, 5));
    assert_int_equal(1, count_key(dataset, TRUCE_VALIDATION, keys, 6));
    assert_int_equal(0, count_key(dataset, TRUCE_VALIDATION, keys, 7));
    assert_int_equal(2, count_key(dataset, TRUCE_VALIDATION, keys, 8));
    truce_dataset_destroy(dataset);
}

static void strata_of_one_row_fill_both_splits(void **state) {
    truce_context *context = *state;
    enum { N = 11 };
    int64_t keys[N];
    for (int i = 0; i < N; i++) keys[i] = i;
    truce_dataset *dataset = make_rows(context, N);
    truce_split_config config = {0.5, 0.4, TRUCE_SPLIT_STRATIFIED, keys, 0};
    assert_ok(context, truce_dataset_divide(dataset, &config));
    assert_int_equal(6, count_split(dataset, TRUCE_VALIDATION)); /* 5.5 */
    assert_int_equal(4, count_split(dataset, TRUCE_TEST));
    assert_int_equal(1, count_split(dataset, TRUCE_TRAIN));
    truce_dataset_destroy(dataset);
}

static void groups_stay_whole(void **state) {
    truce_context *context = *state;
    enum { N = 600, GROUPS = 42 };
    int64_t keys[N];
    base_rng rng = base_rng_make(6, "test", 0, 0);
    for (uint64_t seed = 0; seed < 20; seed++) {
        for (int i = 0; i < N; i++) keys[i] = (int64_t)base_rng_below(&rng, GROUPS) * 1000003 - 7;
        truce_dataset *dataset = make_rows(context, N);
        truce_split_config config = {0.1, 0.2, TRUCE_SPLIT_GROUPED, keys, seed};
        assert_ok(context, truce_dataset_divide(dataset, &config));
        for (int g = 0; g < GROUPS; g++) {
            int n_splits = 0;
            for (int split = 0; split < TRUCE_N_SPLITS; split++)
                n_splits += count_key(dataset, (truce_split)split, keys, g * 1000003 - 7) > 0;
            assert_true(n_splits <= 1);
        }
        assert_true(labs((long)count_split(dataset, TRUCE_VALIDATION) - 60) <= 12);
        assert_true(labs((long)count_split(dataset, TRUCE_TEST) - 120) <= 12);
        truce_dataset_destroy(dataset);
    }
}

static void shares_that_cannot_be_met_are_explained(void **state) {
    truce_context *context = *state;
    static const int64_t halves[] = {1, 1, 1, 1, 1, 2, 2, 2, 2, 2};
    static const struct {
        truce_split_config config;
        truce_status status;
        const char *text;
    } table[] = {
        {{.validation = -0.1},
         TRUCE_ERROR_RANGE,
         "validation share must be at least 0 and below 1, but is -0.1"},
        {{.test = 1}, TRUCE_ERROR_RANGE, "test share"},
        {{.test = NAN}, TRUCE_ERROR_RANGE, "test share"},
        {{.validation = 0.5, .test = 0.5}, TRUCE_ERROR_RANGE, "leave nothing to train on"},
        {{.validation = 0.04},
         TRUCE_ERROR_DATA,
         "validation split would be empty: its share 0.04 of 10 rows"},
        {{.test = 0.01}, TRUCE_ERROR_DATA, "test split would be empty"},
        {{.test = 0.97}, TRUCE_ERROR_DATA, "train split would be empty"},
        {{.test = 0.1, .rule = TRUCE_SPLIT_GROUPED}, TRUCE_ERROR_ARGUMENT, "needs keys"},
        {{.test = 0.1, .rule = TRUCE_SPLIT_STRATIFIED}, TRUCE_ERROR_ARGUMENT, "needs keys"},
        {{0, 0.1, TRUCE_SPLIT_GROUPED, halves, 0},
         TRUCE_ERROR_DATA,
         "the 2 groups stay whole and the smallest has 5"},
        {{0.4, 0.4, TRUCE_SPLIT_GROUPED, halves, 0}, TRUCE_ERROR_DATA, "train split would be empty"},
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        truce_dataset *dataset = make_rows(context, 10);
        assert_fails(context, table[k].status, table[k].text,
                     truce_dataset_divide(dataset, &table[k].config));
        assert_int_equal(10, count_split(dataset, TRUCE_TRAIN));
        truce_dataset_destroy(dataset);
    }
    truce_dataset *empty = make_rows(context, 0);
    truce_split_config config = {.test = 0.5};
    assert_fails(context, TRUCE_ERROR_DATA, "test split would be empty",
                 truce_dataset_divide(empty, &config));
    truce_dataset_destroy(empty);
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    int64_t keys[100];
    for (int i = 0; i < 100; i++) keys[i] = i / 3;
    truce_dataset *dataset = make_rows(context, 100);
    truce_split_config config = {0.1, 0.2, TRUCE_SPLIT_GROUPED, keys, 1};
    assert_survives_failing_allocations(context, truce_dataset_divide(dataset, &config),
                                        assert_true(count_split(dataset, TRUCE_TEST) > 0));
    truce_dataset_destroy(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(new_rows_are_training_rows),
        TEST(assigned_rows_are_listed_in_order),
        TEST(every_row_is_in_one_split_and_the_shares_hold),
        TEST(the_seed_alone_decides),
        TEST(rows_of_other_splits_stay_there),
        TEST(strata_are_divided_in_proportion),
        TEST(remainders_go_to_the_largest_first),
        TEST(strata_of_one_row_fill_both_splits),
        TEST(groups_stay_whole),
        TEST(shares_that_cannot_be_met_are_explained),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
