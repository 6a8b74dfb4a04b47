/*
 * Rows are parsed in place in a buffer that is filled in blocks: a field becomes a text by a NUL written over
 * what ended it. A NUL behind the last byte stops every inner loop, so that they look at one thing only. A
 * field that meets the end of the buffer is parsed again after more was read; since what is read grows with
 * the row, each byte is looked at a bounded number of times.
 */
#include "io/csv.h"

#include "io/stream.h"

#include <string.h>

enum { BLOCK_BYTES = 256 * 1024, MAX_ROW_BYTES = 64 * 1024 * 1024 };

struct io_csv {
    truce_context *context;
    io_stream *stream;
    char *path;
    char delimiter;
    bool ends_plain[256]; /* characters that end an unquoted field */
    char *buffer;         /* [capacity + 1] */
    size_t capacity;
    size_t begin, n;        /* the unparsed part of the buffer: offset, and bytes from there */
    bool at_end;            /* the stream has no more */
    int64_t line, row_line; /* where parsing stands; where the last row began */
    size_t *offsets;        /* of fields, from the row's begin */
    const char **fields;
    size_t n_fields, offset_capacity, field_capacity;
    size_t n_columns; /* of the first row; 0 before it */
    truce_status failed;
};

/* How a field ends. */
typedef enum field_end { AT_DELIMITER, AT_ROW_END, AT_BUFFER_END, AT_ERROR } field_end;

static truce_status fail_row(io_csv *csv, const char *what) {
    return base_fail(csv->context, TRUCE_ERROR_FORMAT, "%s:%lld: %s", csv->path, (long long)csv->line, what);
}

/* Reads on: the row so far moves to the front, and at least as much again becomes free behind it. */
static truce_status read_on(io_csv *csv) {
    size_t got = 0, wanted = BASE_MAX(2 * csv->n, BLOCK_BYTES);
    if (csv->n > MAX_ROW_BYTES) return fail_row(csv, "a row of more than 64 MB; a quote may not be closed");
    if (wanted > csv->capacity) {
        char *grown = NULL;
        BASE_TRY(base_alloc(csv->context, wanted + 1, 1, &grown));
        if (csv->n) memcpy(grown, csv->buffer + csv->begin, csv->n);
        base_free(csv->context, csv->buffer);
        csv->buffer = grown;
        csv->capacity = wanted;
    } else {
        memmove(csv->buffer, csv->buffer + csv->begin, csv->n);
    }
    csv->begin = 0;
    BASE_TRY(io_stream_read(csv->stream, csv->buffer + csv->n, csv->capacity - csv->n, &got));
    csv->at_end = csv->n + got < csv->capacity;
    csv->n += got;
    csv->buffer[csv->n] = 0;
    return TRUCE_OK;
}

static truce_status skip_mark(io_csv *csv) {
    const unsigned char *bytes = (const unsigned char *)csv->buffer;
    if (csv->n >= 2 && ((bytes[0] == 0xff && bytes[1] == 0xfe) || (bytes[0] == 0xfe && bytes[1] == 0xff)))
        return fail_row(csv, "the file is in UTF-16; save it as UTF-8");
    if (csv->n >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf) {
        csv->begin = 3;
        csv->n -= 3;
    }
    return TRUCE_OK;
}

static char guess_delimiter(const char *path) {
    static const char *const ends[] = {".tsv", ".tab", ".tsv.gz", ".tab.gz"};
    for (size_t i = 0; i < BASE_COUNT(ends); i++)
        if (io_ends_with(path, ends[i])) return '\t';
    return ',';
}

truce_status io_csv_open(truce_context *context, const char *path, const io_csv_config *config,
                         io_csv **out) {
    io_csv *csv = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *csv, &csv));
    csv->context = context;
    csv->line = 1;
    csv->delimiter = config && config->delimiter ? config->delimiter : guess_delimiter(path);
    csv->ends_plain[0] = csv->ends_plain['\n'] = csv->ends_plain['\r'] = true;
    csv->ends_plain[(unsigned char)csv->delimiter] = true;
    truce_status status = base_copy_text(context, path, &csv->path);
    if (!status) status = io_stream_open(context, path, &csv->stream);
    if (!status) status = read_on(csv);
    if (!status) status = skip_mark(csv);
    if (status)
        io_csv_close(csv);
    else
        *out = csv;
    return status;
}

void io_csv_close(io_csv *csv) {
    if (!csv) return;
    truce_context *context = csv->context;
    io_stream_close(csv->stream);
    base_free(context, csv->fields);
    base_free(context, csv->offsets);
    base_free(context, csv->buffer);
    base_free(context, csv->path);
    base_free(context, csv);
}

static bool is_blank(const io_csv *csv, char c) {
    return (c == ' ' || c == '\t') && c != csv->delimiter;
}

/* What stands at `at`, where a field has to end; *next is behind it. */
static field_end end_at(io_csv *csv, const char *row, size_t at, size_t *next) {
    *next = at + 1;
    if (row[at] == csv->delimiter) return AT_DELIMITER;
    if (row[at] == '\n') return AT_ROW_END;
    size_t cr = at;
    while (row[cr] == '\r') cr++;
    if (cr == csv->n) {
        *next = cr;
        return csv->at_end ? AT_ROW_END : AT_BUFFER_END;
    }
    if (cr > at && row[cr] == '\n') {
        *next = cr + 1;
        return AT_ROW_END;
    }
    csv->failed = fail_row(csv, cr > at   ? "a carriage return inside a line; lines must end in LF or CRLF"
                                : row[at] ? "text behind a closing quote; quotes inside of quotes are doubled"
                                          : "a NUL byte; this is no text, or not in UTF-8");
    return AT_ERROR;
}

/* An unquoted field that begins at `from`; its blanks at the end are dropped. */
static field_end parse_plain(io_csv *csv, char *row, size_t from, size_t *next) {
    size_t at = from;
    while (!csv->ends_plain[(unsigned char)row[at]]) at++;
    field_end end = end_at(csv, row, at, next);
    if (end == AT_BUFFER_END) return end;
    while (at > from && is_blank(csv, row[at - 1])) at--;
    row[at] = 0;
    return end;
}

/* Makes a text of what stands between the quotes: doubled ones become one, and lines are counted. */
static bool unquote(io_csv *csv, char *text, size_t n) {
    char *to = text;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == 0) return false;
        csv->line += text[i] == '\n';
        *to++ = text[i];
        i += text[i] == '"';
    }
    *to = 0;
    return true;
}

/* A field whose text begins at `from`, behind the quote. */
static field_end parse_quoted(io_csv *csv, char *row, size_t from, size_t *next) {
    size_t close = from;
    while (true) {
        const char *quote = memchr(row + close, '"', csv->n - close);
        if (!quote) break;
        close = (size_t)(quote - row);
        if (row[close + 1] != '"') break;
        close += 2;
    }
    if (row[close] != '"') {
        if (!csv->at_end) return AT_BUFFER_END;
        csv->failed = fail_row(csv, "the quote that opens here is not closed");
        return AT_ERROR;
    }
    size_t at = close + 1;
    while (is_blank(csv, row[at])) at++;
    field_end end = end_at(csv, row, at, next);
    if (end == AT_BUFFER_END || end == AT_ERROR) return end;
    if (unquote(csv, row + from, close - from)) return end;
    csv->failed = fail_row(csv, "a NUL byte; this is no text, or not in UTF-8");
    return AT_ERROR;
}

/* One field from *at on, which then stands behind it. */
static truce_status parse_field(io_csv *csv, size_t *at, field_end *end, bool *quoted) {
    size_t begin, next;
    char *row;
    for (*end = AT_BUFFER_END; true;) {
        row = csv->buffer + csv->begin;
        for (begin = *at; is_blank(csv, row[begin]);) begin++;
        *quoted = row[begin] == '"';
        begin += *quoted;
        *end = *quoted ? parse_quoted(csv, row, begin, &next) : parse_plain(csv, row, begin, &next);
        if (*end != AT_BUFFER_END) break;
        BASE_TRY(read_on(csv));
    }
    if (*end == AT_ERROR) return csv->failed;
    if (csv->n_fields == csv->offset_capacity)
        BASE_TRY(base_grow(csv->context, &csv->offsets, &csv->offset_capacity, csv->n_fields + 1,
                           sizeof *csv->offsets));
    csv->offsets[csv->n_fields++] = begin;
    *at = next;
    return TRUCE_OK;
}

/* One line or, where quotes hold line breaks, several. No fields at the end and for a blank line. */
static truce_status parse_row(io_csv *csv) {
    size_t at = 0;
    field_end end = AT_DELIMITER;
    bool quoted = false;
    csv->n_fields = 0;
    csv->row_line = csv->line;
    while (end == AT_DELIMITER) BASE_TRY(parse_field(csv, &at, &end, &quoted));
    char *row = csv->buffer + csv->begin;
    if (csv->n_fields == 1 && !quoted && row[csv->offsets[0]] == 0) csv->n_fields = 0;
    BASE_TRY(base_grow(csv->context, &csv->fields, &csv->field_capacity, csv->n_fields, sizeof *csv->fields));
    for (size_t i = 0; i < csv->n_fields; i++) csv->fields[i] = row + csv->offsets[i];
    csv->begin += at;
    csv->n -= at;
    csv->line++;
    return TRUCE_OK;
}

static truce_status check_columns(io_csv *csv) {
    if (csv->n_columns == 0) csv->n_columns = csv->n_fields;
    if (csv->n_fields == csv->n_columns) return TRUCE_OK;
    return base_fail(csv->context, TRUCE_ERROR_FORMAT,
                     "%s:%lld: the row has %zu fields, the first row has %zu", csv->path,
                     (long long)csv->row_line, csv->n_fields, csv->n_columns);
}

truce_status io_csv_next(io_csv *csv, const char *const **fields, int *n_fields) {
    if (csv->failed) return csv->failed;
    csv->n_fields = 0;
    while (csv->n_fields == 0 && !csv->failed) {
        if (csv->n == 0 && !csv->at_end) csv->failed = read_on(csv);
        if (csv->n == 0 && csv->at_end) break;
        if (!csv->failed) csv->failed = parse_row(csv);
    }
    if (csv->n_fields && !csv->failed) csv->failed = check_columns(csv);
    if (csv->failed) return csv->failed;
    *fields = csv->fields;
    *n_fields = (int)csv->n_fields;
    return TRUCE_OK;
}

int64_t io_csv_line(const io_csv *csv) {
    return csv->row_line;
}

/* Whether the text must be quoted to read back as it is. An empty one too, where it could be a blank line. */
static bool needs_quotes(const char *field, bool first) {
    size_t n = strlen(field);
    if (n == 0) return first;
    if (field[strcspn(field, ",\"\r\n")] || strchr(" \t", field[n - 1])) return true;
    return strchr(" \t\xef\xfe\xff", field[0]) != NULL;
}

truce_status io_csv_write_field(io_output *output, const char *field, bool first) {
    if (!first) BASE_TRY(io_output_write(output, ",", 1));
    if (!needs_quotes(field, first)) return io_output_write(output, field, strlen(field));
    BASE_TRY(io_output_write(output, "\"", 1));
    for (const char *quote; (quote = strchr(field, '"')); field = quote + 1) {
        BASE_TRY(io_output_write(output, field, (size_t)(quote - field) + 1));
        BASE_TRY(io_output_write(output, "\"", 1));
    }
    BASE_TRY(io_output_write(output, field, strlen(field)));
    return io_output_write(output, "\"", 1);
}
