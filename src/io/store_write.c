/* Writing to the run store: rows wait in temporary tables, and a flush moves them into the database. */
#include "io/store.h"

#include "base/memory.h"
#include "io/bytes.h"
#include "io/store_sql.h"

#define NOW "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"

static truce_status check_writable(io_store *store) {
    if (!store->read_only) return TRUCE_OK;
    return base_fail(store->context, TRUCE_ERROR_STATE, "%s is open for reading only", store->path);
}

truce_status io_store_begin_run(io_store *store, const io_run *run, int64_t *out_id) {
    sqlite3_stmt *insert = NULL;
    BASE_TRY(check_writable(store));
    BASE_TRY(io_store_prepare(store,
                              "INSERT INTO run(name, kind, method, seed, recipe, status, started, version)"
                              " VALUES(?, ?, ?, ?, ?, ?, " NOW ", ?)",
                              &insert));
    io_store_bind_text(insert, 1, run->name);
    io_store_bind_text(insert, 2, run->kind);
    io_store_bind_text(insert, 3, run->method);
    sqlite3_bind_int64(insert, 4, run->seed);
    io_store_bind_text(insert, 5, run->recipe);
    io_store_bind_text(insert, 6, run->status ? run->status : "running");
    io_store_bind_text(insert, 7, truce_version());
    truce_status status = io_store_step(store, insert);
    sqlite3_finalize(insert);
    if (!status) *out_id = sqlite3_last_insert_rowid(store->db);
    return status;
}

/* The statement that adds a pending row, ready to be bound. */
static truce_status adder(io_store *store, io_store_statement which, sqlite3_stmt **out) {
    static const char *const sql[] = {
        [IO_STORE_ADD_SCALAR] = "INSERT INTO temp.pending_scalar VALUES(?, ?, ?, ?, ?, ?, ?)",
        [IO_STORE_ADD_MATRIX] = "INSERT INTO temp.pending_matrix VALUES(?, ?, ?, ?, ?, ?)",
        [IO_STORE_ADD_NOTE] = "INSERT INTO temp.pending_note VALUES(?, ?, ?)"};
    BASE_TRY(check_writable(store));
    if (!store->statements[which]) BASE_TRY(io_store_prepare(store, sql[which], &store->statements[which]));
    store->pending = true;
    *out = store->statements[which];
    return TRUCE_OK;
}

truce_status io_store_add_scalar(io_store *store, int64_t run, const io_scalar *scalar) {
    sqlite3_stmt *insert = NULL;
    BASE_TRY(adder(store, IO_STORE_ADD_SCALAR, &insert));
    sqlite3_bind_int64(insert, 1, run);
    sqlite3_bind_int64(insert, 2, scalar->step);
    sqlite3_bind_int64(insert, 3, scalar->epoch);
    io_store_bind_text(insert, 4, scalar->split);
    io_store_bind_text(insert, 5, scalar->task);
    io_store_bind_text(insert, 6, scalar->name);
    sqlite3_bind_double(insert, 7, scalar->value);
    return io_store_step(store, insert);
}

truce_status io_store_add_matrix(io_store *store, int64_t run, int64_t step, const char *name, int n_rows,
                                 int n_columns, const double *values) {
    sqlite3_stmt *insert = NULL;
    unsigned char *cells = NULL;
    size_t n = (size_t)n_rows * (size_t)n_columns;
    BASE_TRY(adder(store, IO_STORE_ADD_MATRIX, &insert));
    BASE_TRY(base_alloc(store->context, n, 8, &cells));
    for (size_t i = 0; i < n; i++) io_put_little(io_bits_of_double(values[i]), cells + 8 * i, 8);
    sqlite3_bind_int64(insert, 1, run);
    sqlite3_bind_int64(insert, 2, step);
    io_store_bind_text(insert, 3, name);
    sqlite3_bind_int(insert, 4, n_rows);
    sqlite3_bind_int(insert, 5, n_columns);
    int code = sqlite3_bind_blob64(insert, 6, n ? (void *)cells : "", 8 * n, SQLITE_STATIC);
    truce_status status = code == SQLITE_OK ? io_store_step(store, insert) : io_store_fail(store, code);
    base_free(store->context, cells);
    return status;
}

truce_status io_store_add_note(io_store *store, int64_t run, const char *key, const char *value) {
    sqlite3_stmt *insert = NULL;
    BASE_TRY(adder(store, IO_STORE_ADD_NOTE, &insert));
    sqlite3_bind_int64(insert, 1, run);
    io_store_bind_text(insert, 2, key);
    io_store_bind_text(insert, 3, value);
    return io_store_step(store, insert);
}

static truce_status move_pending(io_store *store) {
    if (!store->pending) return TRUCE_OK;
    return io_store_run_sql(store,
                            "INSERT INTO main.scalar SELECT * FROM temp.pending_scalar ORDER BY rowid;"
                            "INSERT INTO main.matrix SELECT * FROM temp.pending_matrix ORDER BY rowid;"
                            "INSERT OR REPLACE INTO main.note SELECT * FROM temp.pending_note ORDER BY rowid;"
                            "DELETE FROM temp.pending_scalar; DELETE FROM temp.pending_matrix;"
                            "DELETE FROM temp.pending_note");
}

/* A flush, with one more change in the same transaction: sql with the run as ?1 and text or number as ?2. */
typedef struct change {
    const char *sql;
    int64_t run;
    const char *text; /* NULL: bind `number` */
    int64_t number;
} change;

static truce_status apply(io_store *store, const change *c) {
    sqlite3_stmt *statement = NULL;
    BASE_TRY(io_store_prepare(store, c->sql, &statement));
    sqlite3_bind_int64(statement, 1, c->run);
    if (c->text)
        io_store_bind_text(statement, 2, c->text);
    else
        sqlite3_bind_int64(statement, 2, c->number);
    truce_status status = io_store_step(store, statement);
    sqlite3_finalize(statement);
    return status;
}

static truce_status flush_with(io_store *store, const change *changes, int n) {
    BASE_TRY(check_writable(store));
    BASE_TRY(io_store_begin(store));
    truce_status status = move_pending(store);
    for (int i = 0; i < n && !status; i++) status = apply(store, &changes[i]);
    if (!status && n && sqlite3_changes(store->db) == 0)
        status = base_fail(store->context, TRUCE_ERROR_NAME, "%s holds no run %lld", store->path,
                           (long long)changes[0].run);
    status = io_store_end(store, status);
    if (!status) store->pending = false;
    return status;
}

truce_status io_store_flush(io_store *store) {
    return store->pending ? flush_with(store, NULL, 0) : TRUCE_OK;
}

truce_status io_store_end_run(io_store *store, int64_t run, const char *status) {
    change changes[] = {
        {.sql = "UPDATE run SET status = ?2, finished = " NOW " WHERE id = ?1", .run = run, .text = status}};
    return flush_with(store, changes, 1);
}

truce_status io_store_rewind_run(io_store *store, int64_t run, int64_t step) {
    change changes[] = {
        {.sql = "DELETE FROM scalar WHERE run = ?1 AND step > ?2", .run = run, .number = step},
        {.sql = "DELETE FROM matrix WHERE run = ?1 AND step > ?2", .run = run, .number = step},
        {.sql = "UPDATE run SET status = ?2, finished = NULL WHERE id = ?1", .run = run, .text = "running"}};
    return flush_with(store, changes, 3);
}
