/*
 * The run store: one SQLite database per output folder (run.sqlite) that holds every run made there, its
 * scalars over time and its matrices.
 *
 * Tables (documented in docs/formats.md):
 *   run(id, name, kind, method, seed, recipe, status, started, finished, version)
 *   scalar(run, step, epoch, split, task, name, value)
 *   matrix(run, step, name, n_rows, n_columns, cells)   row-major little-endian doubles
 *   note(run, key, value)
 * Scalars, matrices and notes are collected and written in one transaction per flush: what was flushed
 * survives a crash, and the database is locked only while it is written, so that several programs can share
 * it. If a flush fails (a full disk, a lock), what was collected stays for the next one.
 */
#ifndef IO_STORE_H
#define IO_STORE_H

#include "base/context.h"

typedef struct io_store io_store;

/* Opens or makes the database; `fresh` removes runs that it holds. Fails if it is of another format. */
typedef enum io_store_mode { IO_STORE_READ, IO_STORE_APPEND, IO_STORE_FRESH } io_store_mode;
truce_status io_store_open(truce_context *context, const char *path, io_store_mode mode, io_store **out);

/* Flushes and closes, also if the flush fails. NULL is fine. */
truce_status io_store_close(io_store *store);

typedef struct io_run {
    int64_t id;
    const char *name;   /* "adult" */
    const char *kind;   /* "train", "single" (one task alone, for reference) */
    const char *method; /* the balancer */
    int64_t seed;
    const char *recipe; /* resolved, YAML */
    const char *status; /* "running", "done", "failed: ..." */

    /* Filled in by the store: UTC as in "2024-05-01T12:00:00Z", "" before the end; version of the library. */
    const char *started, *finished, *version;
} io_run;

/* Adds a run with the fields of `run` (texts may be NULL), at once; its id goes to *out_id. */
truce_status io_store_begin_run(io_store *store, const io_run *run, int64_t *out_id);

/* Flushes, and gives the run its final status. */
truce_status io_store_end_run(io_store *store, int64_t run, const char *status);

/*
 * Takes a run back to a step, for resuming it from there: flushes, removes scalars and matrices of later
 * steps, and sets it running again.
 */
truce_status io_store_rewind_run(io_store *store, int64_t run, int64_t step);

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

/* A note of the same key takes the place of an earlier one. */
truce_status io_store_add_note(io_store *store, int64_t run, const char *key, const char *value);
truce_status io_store_flush(io_store *store);

/*
 * Readers call back once per row, in the order of writing; texts are valid during the call, which may use the
 * store itself. A callback that fails ends the reading. What was not flushed yet is flushed first.
 */
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
