#include "data/reader.h"

#include <stdio.h>
#include <string.h>

static truce_status read_row(data_reader *reader) {
    return io_csv_next(reader->csv, &reader->fields, &reader->n_fields);
}

/* Takes the row in `fields` for the header. Columns without a name are called by their place. */
static truce_status take_header(data_reader *reader) {
    for (int i = 0; i < reader->n_fields; i++) {
        char number[32];
        int64_t index = 0;
        const char *name = reader->fields[i];
        snprintf(number, sizeof number, "column%d", i + 1);
        BASE_TRY(base_names_add(reader->context, &reader->names, *name ? name : number, &index));
        if (index != i)
            return base_fail(reader->context, TRUCE_ERROR_FORMAT,
                             "%s:%lld: columns %lld and %d are both named '%s'", reader->path,
                             (long long)io_csv_line(reader->csv), (long long)index + 1, i + 1,
                             reader->names.names[index]);
    }
    return TRUCE_OK;
}

static bool is_header(const data_reader *reader, const base_names *names) {
    for (int i = 0; i < reader->n_fields; i++)
        if (strcmp(reader->fields[i], names->names[i]) != 0) return false;
    return true;
}

/* Takes the names from the dialect; a first row that repeats them is a header after all. */
static truce_status take_given_names(data_reader *reader) {
    const base_names *names = reader->dialect->names;
    if ((size_t)reader->n_fields != names->n)
        return base_fail(reader->context, TRUCE_ERROR_FORMAT,
                         "%s:%lld: the row has %d fields, but %zu columns are named for it", reader->path,
                         (long long)io_csv_line(reader->csv), reader->n_fields, names->n);
    for (size_t i = 0; i < names->n; i++) {
        int64_t index;
        BASE_TRY(base_names_add(reader->context, &reader->names, names->names[i], &index));
    }
    reader->pending = !is_header(reader, names);
    return TRUCE_OK;
}

static truce_status begin(data_reader *reader) {
    const io_csv_config config = {.delimiter = reader->dialect->delimiter};
    BASE_TRY(io_csv_open(reader->context, reader->path, &config, &reader->csv));
    BASE_TRY(read_row(reader));
    if (reader->n_fields == 0)
        return base_fail(reader->context, TRUCE_ERROR_FORMAT, "%s: the file is empty", reader->path);
    return reader->dialect->names ? take_given_names(reader) : take_header(reader);
}

truce_status data_reader_open(truce_context *context, const data_dialect *dialect, const char *path,
                              data_reader *out) {
    *out = (data_reader){.context = context, .dialect = dialect, .path = path};
    for (int i = 0; i < dialect->missing.n; i++)
        out->begins[(unsigned char)dialect->missing.items[i][0]] = true;
    truce_status status = begin(out);
    if (status) data_reader_close(out);
    return status;
}

void data_reader_close(data_reader *reader) {
    io_csv_close(reader->csv);
    base_names_free(reader->context, &reader->names);
    reader->csv = NULL;
}

truce_status data_reader_next(data_reader *reader, bool *more) {
    if (!reader->pending) BASE_TRY(read_row(reader));
    reader->pending = false;
    *more = reader->n_fields > 0;
    return TRUCE_OK;
}

bool data_reader_is_missing(const data_reader *reader, const char *text) {
    if (!*text) return true;
    return reader->begins[(unsigned char)*text] && data_texts_hold(&reader->dialect->missing, text);
}
