/*
 * Rows of a CSV file under named columns, whether the names stand in the file or in the recipe.
 */
#ifndef DATA_READER_H
#define DATA_READER_H

#include "data/table.h"
#include "io/csv.h"

typedef struct data_reader {
    truce_context *context;
    const data_dialect *dialect;
    const char *path;
    io_csv *csv;
    base_names names; /* of the columns */
    const char *const *fields;
    int n_fields;
    bool pending;     /* the row in `fields` has not been handed out */
    bool begins[256]; /* bytes that a text for "no value" may begin with */
} data_reader;

/* Reads up to the first row of values. */
truce_status data_reader_open(truce_context *context, const data_dialect *dialect, const char *path,
                              data_reader *out);
void data_reader_close(data_reader *reader);

/* The next row into reader->fields; *more is false at the end. */
truce_status data_reader_next(data_reader *reader, bool *more);

bool data_reader_is_missing(const data_reader *reader, const char *text);

#endif
