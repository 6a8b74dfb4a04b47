/*
 * The data set as src/data sees it: arrays of rows, and the rows of each split side by side.
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/memory.h"
#include "truce/data.h"

typedef struct data_input {
    truce_input about; /* texts and arrays are owned */
    size_t row_bytes;
    void *values; /* [n_rows][row size], 64-byte aligned; NULL where rows are made when they are read */
    truce_fill_fn fill;
    void *user;
    void (*release)(void *user);
} data_input;

typedef struct data_target {
    truce_target about; /* texts and arrays are owned */
    size_t row_bytes;
    void *values; /* [n_rows][width], 64-byte aligned */
} data_target;

struct truce_dataset {
    truce_context *context;
    int64_t n_rows;
    data_input **inputs;
    data_target **targets;
    size_t n_inputs, n_targets, inputs_capacity, targets_capacity;
    unsigned char *splits;                   /* [n_rows]: truce_split */
    int64_t *split_rows;                     /* [n_rows]: the rows of each split, ascending */
    int64_t split_begin[TRUCE_N_SPLITS + 1]; /* where in split_rows each split begins */
};

/* As the public calls, but take `values` (of base_alloc_aligned) over if they succeed. */
truce_status data_adopt_input(truce_dataset *dataset, const truce_input *input, void *values);
truce_status data_adopt_target(truce_dataset *dataset, const truce_target *target, void *values);

/* Keeps targets which[0 .. n-1] (each at most once) under new names, in this order, and drops the others. */
truce_status data_select_targets(truce_dataset *dataset, const int *which, const char *const *names, int n);

/* Sorts the rows into split_rows after `splits` has changed. */
void data_arrange_splits(truce_dataset *dataset);

/* Puts the last n rows into the test split. */
void data_mark_test_rows(truce_dataset *dataset, int64_t n);

/* Bytes of n_rows rows, or an error that names `what` where no memory could hold them. */
truce_status data_row_bytes(truce_context *context, const char *what, const truce_shape *row_shape,
                            size_t *out);

/* Zeroed room for n_rows rows, 64-byte aligned. */
truce_status data_alloc_rows(truce_context *context, int64_t n_rows, size_t row_bytes, void *out);

#endif
