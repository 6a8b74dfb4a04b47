/*
 * Small data sets for tests, and the loop over failing allocations.
 */
#ifndef TEST_DATA_MAKE_H
#define TEST_DATA_MAKE_H

#include "support/test.h"

#include "truce/data.h"

#include <math.h>
#include <stdlib.h>

/* Runs the call with its 1st, 2nd, ... allocation failing until it succeeds with none failing. */
#define assert_survives_failing_allocations(context, call, on_success)                                       \
    do {                                                                                                     \
        for (long failing_k = 1;; failing_k++) {                                                             \
            test_fail_allocation(failing_k);                                                                 \
            truce_status failing_status = (call);                                                            \
            bool failing_happened = test_allocation_failed();                                                \
            test_fail_allocation(0);                                                                         \
            if (!failing_happened) {                                                                         \
                assert_ok(context, failing_status);                                                          \
                on_success;                                                                                  \
                break;                                                                                       \
            }                                                                                                \
            assert_int_equal(TRUCE_ERROR_MEMORY, failing_status);                                            \
        }                                                                                                    \
    } while (0)

static inline truce_dataset *make_rows(truce_context *context, int64_t n_rows) {
    truce_dataset *dataset = NULL;
    assert_ok(context, truce_dataset_create(context, n_rows, &dataset));
    return dataset;
}

static inline void add_numbers(truce_context *context, truce_dataset *dataset, const char *name, int width,
                               const float *values) {
    truce_input input = {.name = name, .row_shape = truce_shape_of(1, width)};
    assert_ok(context, truce_dataset_add_input(dataset, &input, values));
}

static inline void add_regression(truce_context *context, truce_dataset *dataset, const char *name,
                                  const float *values) {
    truce_target target = {.name = name};
    assert_ok(context, truce_dataset_add_target(dataset, &target, values));
}

static inline void add_classes(truce_context *context, truce_dataset *dataset, const char *name,
                               int n_classes, const int32_t *values) {
    truce_target target = {.name = name, .kind = TRUCE_TARGET_CLASSES, .n_classes = n_classes};
    assert_ok(context, truce_dataset_add_target(dataset, &target, values));
}

/* All rows of a target, or of an input, in order. To be freed. */
static inline void *read_all_targets(const truce_dataset *dataset, int i) {
    int64_t n = truce_dataset_rows(dataset);
    int64_t *rows = malloc((size_t)n * sizeof *rows);
    void *values = malloc((size_t)n * (size_t)truce_dataset_target(dataset, i)->width * sizeof(float));
    for (int64_t r = 0; r < n; r++) rows[r] = r;
    truce_dataset_read_target(dataset, i, rows, n, values);
    free(rows);
    return values;
}

static inline float *read_all_inputs(truce_context *context, const truce_dataset *dataset, int i) {
    int64_t n = truce_dataset_rows(dataset);
    int64_t *rows = malloc((size_t)n * sizeof *rows);
    int64_t size = truce_shape_size(&truce_dataset_input(dataset, i)->row_shape);
    void *values = malloc((size_t)(n * size) * sizeof(float));
    for (int64_t r = 0; r < n; r++) rows[r] = r;
    assert_ok(context, truce_dataset_read_input(dataset, i, rows, n, values));
    free(rows);
    return values;
}

static inline int64_t count_split(const truce_dataset *dataset, truce_split split) {
    int64_t n = 0;
    truce_dataset_split_rows(dataset, split, &n);
    return n;
}

#endif
