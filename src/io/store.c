/* Opening and closing the run store, and SQLite's errors. Writing and reading are in files of their own. */
#include "io/store.h"

#include "io/file.h"
#include "io/store_sql.h"

#include <errno.h>
#include <string.h>

#define APPLICATION_ID 1414681923 /* "TRUC" */
#define FORMAT_VERSION 1
#define TEXT_OF(x) #x
#define PRAGMA(name, value) "PRAGMA " #name " = " TEXT_OF(value) ";"

enum { BUSY_TIMEOUT_MS = 10000 };

static const char schema[] =
    "CREATE TABLE run(id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL,"
    " method TEXT NOT NULL, seed INTEGER NOT NULL, recipe TEXT NOT NULL,"
    " status TEXT NOT NULL, started TEXT NOT NULL, finished TEXT, version TEXT NOT NULL);"
    "CREATE TABLE scalar(run INTEGER NOT NULL REFERENCES run(id), step INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL, split TEXT NOT NULL, task TEXT NOT NULL, name TEXT NOT NULL,"
    " value REAL);"
    "CREATE INDEX scalar_by_name ON scalar(run, name, task, split);"
    "CREATE TABLE matrix(run INTEGER NOT NULL REFERENCES run(id), step INTEGER NOT NULL,"
    " name TEXT NOT NULL, n_rows INTEGER NOT NULL, n_columns INTEGER NOT NULL,"
    " cells BLOB NOT NULL);"
    "CREATE INDEX matrix_by_name ON matrix(run, name);"
    "CREATE TABLE note(run INTEGER NOT NULL REFERENCES run(id), key TEXT NOT NULL,"
    " value TEXT NOT NULL, PRIMARY KEY(run, key));" PRAGMA(application_id, APPLICATION_ID)
        PRAGMA(user_version, FORMAT_VERSION);

/* Where rows wait for the next flush, outside of the database and its lock. */
static const char pending_schema[] =
    "CREATE TEMP TABLE pending_scalar(run, step, epoch, split, task, name, value);"
    "CREATE TEMP TABLE pending_matrix(run, step, name, n_rows, n_columns, cells);"
    "CREATE TEMP TABLE pending_note(run, key, value);";

static truce_status fail_foreign(io_store *store) {
    return base_fail(store->context, TRUCE_ERROR_FORMAT, "%s is not a Truce run store", store->path);
}

/* The system's error number behind an error of SQLite, or 0; SQLite keeps it in one of two places. */
static int system_error(io_store *store) {
    int error = sqlite3_system_errno(store->db);
    if (!error && store->db) sqlite3_file_control(store->db, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

truce_status io_store_fail(io_store *store, int code) {
    truce_context *context = store->context;
    int error = system_error(store);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return base_fail(context, TRUCE_ERROR_MEMORY, "%s: out of memory in the database", store->path);
    case SQLITE_FULL: return io_fail_system(context, store->path, ENOSPC);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return base_fail(context, TRUCE_ERROR_IO,
                         "%s is locked by another program; try again when it is done", store->path);
    case SQLITE_NOTADB: return fail_foreign(store);
    case SQLITE_CONSTRAINT:
        return base_fail(context, TRUCE_ERROR_NAME, "%s does not hold the run that is written to",
                         store->path);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        if (error) return io_fail_system(context, store->path, error);
        break;
    case SQLITE_CORRUPT:
        return base_fail(context, TRUCE_ERROR_FORMAT, "%s is damaged: %s", store->path,
                         sqlite3_errmsg(store->db));
    default: break;
    }
    return base_fail(context, TRUCE_ERROR_IO, "%s: %s", store->path, sqlite3_errmsg(store->db));
}

truce_status io_store_run_sql(io_store *store, const char *sql) {
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? TRUCE_OK : io_store_fail(store, code);
}

truce_status io_store_prepare(io_store *store, const char *sql, sqlite3_stmt **out) {
    int code = sqlite3_prepare_v2(store->db, sql, -1, out, NULL);
    return code == SQLITE_OK ? TRUCE_OK : io_store_fail(store, code);
}

truce_status io_store_step(io_store *store, sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    truce_status status = code == SQLITE_DONE ? TRUCE_OK : io_store_fail(store, code);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

truce_status io_store_next(io_store *store, sqlite3_stmt *statement, bool *more) {
    int code = sqlite3_step(statement);
    *more = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? TRUCE_OK : io_store_fail(store, code);
}

truce_status io_store_number(io_store *store, const char *sql, int64_t *out) {
    sqlite3_stmt *statement = NULL;
    bool more = false;
    BASE_TRY(io_store_prepare(store, sql, &statement));
    truce_status status = io_store_next(store, statement, &more);
    if (more) *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return status;
}

truce_status io_store_begin(io_store *store) {
    return io_store_run_sql(store, "BEGIN IMMEDIATE");
}

truce_status io_store_end(io_store *store, truce_status status) {
    if (!status) status = io_store_run_sql(store, "COMMIT");
    if (status && !sqlite3_get_autocommit(store->db)) sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

void io_store_bind_text(sqlite3_stmt *statement, int i, const char *text) {
    sqlite3_bind_text(statement, i, text ? text : "", -1, SQLITE_STATIC);
}

static truce_status check_format(io_store *store, bool *empty) {
    int64_t id = 0, version = 0, n_tables = 0;
    BASE_TRY(io_store_number(store, "PRAGMA application_id", &id));
    BASE_TRY(io_store_number(store, "PRAGMA user_version", &version));
    BASE_TRY(io_store_number(store, "SELECT count(*) FROM sqlite_master", &n_tables));
    *empty = id == 0 && version == 0 && n_tables == 0;
    if (*empty) return TRUCE_OK;
    if (id != APPLICATION_ID) return fail_foreign(store);
    if (version == FORMAT_VERSION) return TRUCE_OK;
    return base_fail(store->context, TRUCE_ERROR_UNSUPPORTED,
                     "%s has format %lld, this version of Truce reads format %d", store->path,
                     (long long)version, FORMAT_VERSION);
}

static truce_status prepare_for_writing(io_store *store, io_store_mode mode) {
    bool empty = false;
    BASE_TRY(io_store_begin(store));
    truce_status status = check_format(store, &empty);
    if (!status && empty) status = io_store_run_sql(store, schema);
    if (!status && mode == IO_STORE_FRESH)
        status = io_store_run_sql(store, "DELETE FROM note; DELETE FROM matrix; DELETE FROM scalar;"
                                         "DELETE FROM run");
    BASE_TRY(io_store_end(store, status));
    return io_store_run_sql(store, pending_schema);
}

static truce_status prepare_for_reading(io_store *store) {
    bool empty = false;
    BASE_TRY(check_format(store, &empty));
    if (empty) return fail_foreign(store);
    return io_store_run_sql(store, "PRAGMA query_only = ON");
}

/*
 * Opened for writing in every mode, since what a killed program left half written is rolled back by whoever
 * comes next; a database that is write-protected is opened for reading. The "./" keeps SQLite from taking
 * names such as
 * ":memory:" for something else.
 */
static truce_status open_database(io_store *store, io_store_mode mode) {
    char *file = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    const char *path = store->path;
    if (!*path) return base_fail(store->context, TRUCE_ERROR_IO, "the name of a run store is empty");
    if (mode != IO_STORE_READ) flags |= SQLITE_OPEN_CREATE;
    BASE_TRY(io_join(store->context, ".", path, &file));
    int code = sqlite3_open_v2(file, &store->db, flags, NULL);
    base_free(store->context, file);
    if (code != SQLITE_OK) return io_store_fail(store, code);
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
    return io_store_run_sql(store, "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
                                   "PRAGMA foreign_keys = ON");
}

truce_status io_store_open(truce_context *context, const char *path, io_store_mode mode, io_store **out) {
    io_store *store = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *store, &store));
    store->context = context;
    store->read_only = mode == IO_STORE_READ;
    truce_status status = base_copy_text(context, path, &store->path);
    if (!status) status = open_database(store, mode);
    if (!status) status = store->read_only ? prepare_for_reading(store) : prepare_for_writing(store, mode);
    if (status)
        io_store_close(store);
    else
        *out = store;
    return status;
}

truce_status io_store_close(io_store *store) {
    if (!store) return TRUCE_OK;
    truce_context *context = store->context;
    truce_status status = store->pending ? io_store_flush(store) : TRUCE_OK;
    for (int i = 0; i < IO_STORE_N_STATEMENTS; i++) sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->db);
    base_free(context, store->path);
    base_free(context, store);
    return status;
}
