/*
 * CSV and TSV (RFC 4180): quoted fields with doubled quotes and line breaks inside, CRLF or LF, blanks around
 * fields dropped unless quoted, blank lines skipped, a byte-order mark ignored. Reads a stream, so a file may
 * be larger than memory; .gz is fine.
 */
#ifndef IO_CSV_H
#define IO_CSV_H

#include "io/file.h"

typedef struct io_csv io_csv;

typedef struct io_csv_config {
    char delimiter; /* 0: tab for .tsv and .tab (also .gz), else comma */
} io_csv_config;

/* `config` may be NULL. */
truce_status io_csv_open(truce_context *context, const char *path, const io_csv_config *config, io_csv **out);

/* NULL is fine. */
void io_csv_close(io_csv *csv);

/*
 * The next row: *n_fields texts, valid until the next call; *n_fields is 0 at the end. A row whose number of
 * fields differs from the first row's is an error with file and line; so are a quote that is not closed, text
 * behind a closing quote, a NUL, and a row of more than 64 MB. After an error every call fails.
 */
truce_status io_csv_next(io_csv *csv, const char *const **fields, int *n_fields);

/* Line on which the last row began, from 1. */
int64_t io_csv_line(const io_csv *csv);

/*
 * Writes a field, quoted where it has to be, with a comma before it unless it is the first of its row. The
 * row's
 * "\n" is the caller's.
 */
truce_status io_csv_write_field(io_output *output, const char *field, bool first);

#endif
