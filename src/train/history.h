/*
 * What a training leaves behind: numbers over time and matrices, kept in memory until they are written to a
 * run store.
 */
#ifndef TRAIN_HISTORY_H
#define TRAIN_HISTORY_H

#include "base/memory.h"
#include "io/store.h"

typedef struct train_record {
    int64_t step, epoch;
    const char *split, *task, *name; /* borrowed: constants, or owned by the model */
    double value;
} train_record;

typedef struct train_matrix {
    int64_t step;
    const char *name;
    int n;
    double *values; /* [n][n] */
} train_matrix;

/* Zeroed is empty. */
typedef struct train_history {
    train_record *records;
    size_t n_records, record_capacity, n_records_stored;
    train_matrix *matrices;
    size_t n_matrices, matrix_capacity, n_matrices_stored;
} train_history;

truce_status train_history_add(truce_context *context, train_history *history, const train_record *record);
truce_status train_history_add_matrix(truce_context *context, train_history *history, int64_t step,
                                      const char *name, int n, const double *values);

/* Writes what was added since the last call. */
truce_status train_history_store(train_history *history, io_store *store, int64_t run);

void train_history_free(truce_context *context, train_history *history);

#endif
