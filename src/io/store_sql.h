/*
 * SQLite as the run store uses it: a connection, its statements, and its errors as ours.
 */
#ifndef IO_STORE_SQL_H
#define IO_STORE_SQL_H

#include "io/store.h"

#include <sqlite3.h>
#include <stdbool.h>

/* Statements that are kept prepared. */
typedef enum io_store_statement {
    IO_STORE_ADD_SCALAR,
    IO_STORE_ADD_MATRIX,
    IO_STORE_ADD_NOTE,
    IO_STORE_N_STATEMENTS
} io_store_statement;

struct io_store {
    truce_context *context;
    char *path;
    sqlite3 *db;
    bool read_only;
    bool pending; /* rows wait in temporary tables */
    sqlite3_stmt *statements[IO_STORE_N_STATEMENTS];
};

/* Fails with what SQLite says, by path; a full disk and a lock in our own words. `code` is not SQLITE_OK. */
truce_status io_store_fail(io_store *store, int code);

/* Runs statements without results. */
truce_status io_store_run_sql(io_store *store, const char *sql);

truce_status io_store_prepare(io_store *store, const char *sql, sqlite3_stmt **out);

/* Runs a bound statement without results, and makes it ready for the next use. */
truce_status io_store_step(io_store *store, sqlite3_stmt *statement);

/* The next row of a query: *more says whether there is one. */
truce_status io_store_next(io_store *store, sqlite3_stmt *statement, bool *more);

/* One number that a query without parameters gives. */
truce_status io_store_number(io_store *store, const char *sql, int64_t *out);

/* The whole of a transaction: begins it, or ends it by a commit or, if `status` is a failure, a rollback. */
truce_status io_store_begin(io_store *store);
truce_status io_store_end(io_store *store, truce_status status);

/* Binds a text, "" for NULL; it must stay until the statement has run. */
void io_store_bind_text(sqlite3_stmt *statement, int i, const char *text);

#endif
