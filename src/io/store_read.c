/* Reading the run store. Every query has a statement of its own, so that a callback may start another one. */
#include "io/store.h"

#include "base/memory.h"
#include "io/bytes.h"
#include "io/store_sql.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

static const char *text_at(sqlite3_stmt *statement, int i) {
    const unsigned char *text = sqlite3_column_text(statement, i);
    return text ? (const char *)text : "";
}

/* Calls back with one row of a query. */
typedef struct row_reader {
    truce_status (*read)(io_store *store, sqlite3_stmt *statement, const struct row_reader *reader);
    io_run_fn run;
    io_scalar_fn scalar;
    io_matrix_fn matrix;
    void *user;
} row_reader;

static truce_status each_row(io_store *store, sqlite3_stmt *statement, const row_reader *reader) {
    bool more = true;
    truce_status status = TRUCE_OK;
    while (!status && more) {
        status = io_store_next(store, statement, &more);
        if (!status && more) status = reader->read(store, statement, reader);
    }
    return status;
}

static truce_status read_run(io_store *store, sqlite3_stmt *statement, const row_reader *reader) {
    (void)store;
    io_run run = {.id = sqlite3_column_int64(statement, 0),
                  .name = text_at(statement, 1),
                  .kind = text_at(statement, 2),
                  .method = text_at(statement, 3),
                  .seed = sqlite3_column_int64(statement, 4),
                  .recipe = text_at(statement, 5),
                  .status = text_at(statement, 6),
                  .started = text_at(statement, 7),
                  .finished = text_at(statement, 8),
                  .version = text_at(statement, 9)};
    return reader->run(reader->user, &run);
}

truce_status io_store_each_run(io_store *store, io_run_fn fn, void *user) {
    sqlite3_stmt *statement = NULL;
    row_reader reader = {.read = read_run, .run = fn, .user = user};
    BASE_TRY(io_store_flush(store));
    BASE_TRY(
        io_store_prepare(store,
                         "SELECT id, name, kind, method, seed, recipe, status, started, finished, version"
                         " FROM run ORDER BY id",
                         &statement));
    truce_status status = each_row(store, statement, &reader);
    sqlite3_finalize(statement);
    return status;
}

static truce_status read_scalar(io_store *store, sqlite3_stmt *statement, const row_reader *reader) {
    (void)store;
    bool none = sqlite3_column_type(statement, 5) == SQLITE_NULL;
    io_scalar scalar = {.step = sqlite3_column_int64(statement, 0),
                        .epoch = sqlite3_column_int64(statement, 1),
                        .split = text_at(statement, 2),
                        .task = text_at(statement, 3),
                        .name = text_at(statement, 4),
                        .value = none ? (double)NAN : sqlite3_column_double(statement, 5)};
    return reader->scalar(reader->user, &scalar);
}

/* Binds a text that may be NULL, in which case the query does not mention it. */
static void bind_given(sqlite3_stmt *statement, int i, const char *text) {
    if (text) io_store_bind_text(statement, i, text);
}

truce_status io_store_each_scalar(io_store *store, int64_t run, const char *split, const char *task,
                                  const char *name, io_scalar_fn fn, void *user) {
    sqlite3_stmt *statement = NULL;
    char sql[256];
    row_reader reader = {.read = read_scalar, .scalar = fn, .user = user};
    snprintf(sql, sizeof sql,
             "SELECT step, epoch, split, task, name, value FROM scalar WHERE run = ?1%s%s%s ORDER BY rowid",
             split ? " AND split = ?2" : "", task ? " AND task = ?3" : "", name ? " AND name = ?4" : "");
    BASE_TRY(io_store_flush(store));
    BASE_TRY(io_store_prepare(store, sql, &statement));
    sqlite3_bind_int64(statement, 1, run);
    bind_given(statement, 2, split);
    bind_given(statement, 3, task);
    bind_given(statement, 4, name);
    truce_status status = each_row(store, statement, &reader);
    sqlite3_finalize(statement);
    return status;
}

static truce_status read_matrix(io_store *store, sqlite3_stmt *statement, const row_reader *reader) {
    int64_t step = sqlite3_column_int64(statement, 0), n_rows = sqlite3_column_int64(statement, 1),
            n_columns = sqlite3_column_int64(statement, 2);
    const unsigned char *cells = sqlite3_column_blob(statement, 3);
    size_t bytes = (size_t)sqlite3_column_bytes(statement, 3), n = bytes / 8;
    double *values = NULL;
    if (n_rows < 0 || n_rows > INT_MAX || n_columns < 0 || n_columns > INT_MAX || bytes % 8 ||
        (uint64_t)(n_rows * n_columns) != n)
        return base_fail(store->context, TRUCE_ERROR_FORMAT, "%s: a matrix at step %lld is damaged",
                         store->path, (long long)step);
    BASE_TRY(base_alloc(store->context, n, sizeof *values, &values));
    for (size_t i = 0; i < n; i++) values[i] = io_double_of_bits(io_load(cells + 8 * i, 8, false));
    truce_status status = reader->matrix(reader->user, step, (int)n_rows, (int)n_columns, values);
    base_free(store->context, values);
    return status;
}

truce_status io_store_each_matrix(io_store *store, int64_t run, const char *name, io_matrix_fn fn,
                                  void *user) {
    sqlite3_stmt *statement = NULL;
    row_reader reader = {.read = read_matrix, .matrix = fn, .user = user};
    BASE_TRY(io_store_flush(store));
    BASE_TRY(io_store_prepare(store,
                              "SELECT step, n_rows, n_columns, cells FROM matrix WHERE run = ?1 AND name = ?2"
                              " ORDER BY rowid",
                              &statement));
    sqlite3_bind_int64(statement, 1, run);
    io_store_bind_text(statement, 2, name);
    truce_status status = each_row(store, statement, &reader);
    sqlite3_finalize(statement);
    return status;
}

truce_status io_store_note(io_store *store, int64_t run, const char *key, char **out) {
    sqlite3_stmt *statement = NULL;
    bool more = false;
    char *text = NULL;
    BASE_TRY(io_store_flush(store));
    BASE_TRY(io_store_prepare(store, "SELECT value FROM note WHERE run = ?1 AND key = ?2", &statement));
    sqlite3_bind_int64(statement, 1, run);
    io_store_bind_text(statement, 2, key);
    truce_status status = io_store_next(store, statement, &more);
    if (!status && more) status = base_copy_text(store->context, text_at(statement, 0), &text);
    sqlite3_finalize(statement);
    if (!status) *out = text;
    return status;
}
