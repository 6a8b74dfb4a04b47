/*
 * The run store: one SQLite database per output folder (run.sqlite) that holds every run made there, its
 * scalars over time and its matrices.
 *
 * Tables (documented in docs/formats.md):
 *   run(id, name, kind, method, seed, recipe, status, started, finished, version)
 *   scalar(run, step, epoch, split, task, name, value)
 *   matrix(run, step, name, n_rows, n_columns, values)   row-major little-endian doubles
 *   note(run, key, value)
 * Writes are collected in one transaction per flush; what was flushed survives a crash.
 */
#ifndef IO_STORE_H
#define IO_STORE_H

#include "base/context.h"

typedef struct io_store io_store;

/* Opens or makes the database; `fresh` removes runs that it holds. Fails if it is of another format. */
typedef enum io_store_mode { IO_STORE_READ, IO_STORE_APPEND, IO_STORE_FRESH } io_store_mode;
truce_status io_store_open(truce_context *context, const char *path, io_store_mode mode, io_store **out);

/* Flushes and closes. NULL is fine. */
truce_status io_store_close(io_store *store);

typedef struct io_run {
    int64_t id;
    const char *name;   /* "adult" */
    const char *kind;   /* "train", "single" (one task alone, for reference) */
    const char *method; /* the balancer */
    int64_t seed;
    const char *recipe; /* resolved, YAML */
    const char *status; /* "running", "done", "failed: ..." */
} io_run;

/* Adds a run with the fields of `run`; its id goes to *out_id. */
truce_status io_store_begin_run(io_store *store, const io_run *run, int64_t *out_id);
truce_status io_store_end_run(io_store *store, int64_t run, const char *status);

typedef struct io_scalar {
    int64_t step, epoch;
    const char *split; /* "train", "validation", "test", or "" */
    const char *task;  /* "" where it belongs to none */
    const char *name;  /* "loss", "accuracy", "weight", ... */
    double value;      /* NaN is stored as null and read back as NaN */
} io_scalar;

truce_status io_store_add_scalar(io_store *store, int64_t run, const io_scalar *scalar);
truce_status io_store_add_matrix(io_store *store, int64_t run, int64_t step, const char *name, int n_rows,
                                 int n_columns, const double *values);
truce_status io_store_add_note(io_store *store, int64_t run, const char *key, const char *value);
truce_status io_store_flush(io_store *store);

/* Readers call back once per row, in the order of writing; texts are valid during the call. */
typedef truce_status (*io_run_fn)(void *user, const io_run *run);
typedef truce_status (*io_scalar_fn)(void *user, const io_scalar *scalar);
typedef truce_status (*io_matrix_fn)(void *user, int64_t step, int n_rows, int n_columns,
                                     const double *values);

truce_status io_store_each_run(io_store *store, io_run_fn fn, void *user);

/* Scalars of a run; split, task or name NULL means any. */
truce_status io_store_each_scalar(io_store *store, int64_t run, const char *split, const char *task,
                                  const char *name, io_scalar_fn fn, void *user);
truce_status io_store_each_matrix(io_store *store, int64_t run, const char *name, io_matrix_fn fn,
                                  void *user);

/* A note of a run as a new text, or NULL in *out where there is none. */
truce_status io_store_note(io_store *store, int64_t run, const char *key, char **out);

#endif
