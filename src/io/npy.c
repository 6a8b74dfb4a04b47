/*
 * NumPy's .npy (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): the magic
 * "\x93NUMPY", a version, the length of the header (2 bytes little-endian in version 1, 4 from 2 on), the
 * header, which is a Python dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)} padded with
 * blanks, the elements.
 *
 * The dictionary is parsed as exactly that: three keys, each once, in any order. Nothing is evaluated.
 */
#include "io/array.h"

#include "io/array_load.h"
#include "io/bytes.h"

#include <stdio.h>
#include <string.h>

typedef struct reader {
    truce_context *context;
    io_array_header *header;
    const char *at, *end; /* what is left of the dictionary */
} reader;

static truce_status fail_header(const reader *r, const char *what) {
    return base_fail(r->context, TRUCE_ERROR_FORMAT, "%s: the header of the .npy file is damaged: %s",
                     r->header->path, what);
}

static void skip_blanks(reader *r) {
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) r->at++;
}

/* Whether the next character but blanks is this one; if so it is taken. */
static bool take(reader *r, char c) {
    skip_blanks(r);
    bool there = r->at < r->end && *r->at == c;
    r->at += there;
    return there;
}

static bool take_word(reader *r, const char *word) {
    size_t n = strlen(word);
    skip_blanks(r);
    bool there = (size_t)(r->end - r->at) >= n && memcmp(r->at, word, n) == 0;
    r->at += there ? n : 0;
    return there;
}

/* A text in quotes, of printable characters without escapes, shorter than `bytes`. */
static bool take_text(reader *r, char *text, size_t bytes) {
    char quote = '\'';
    size_t n = 0;
    if (!take(r, quote)) {
        quote = '"';
        if (!take(r, quote)) return false;
    }
    for (; r->at < r->end && *r->at != quote; r->at++) {
        if (n + 1 == bytes || *r->at < ' ' || *r->at > '~' || *r->at == '\\') return false;
        text[n++] = *r->at;
    }
    text[n] = 0;
    return take(r, quote);
}

static bool take_size(reader *r, int64_t *out) {
    int64_t value = 0;
    skip_blanks(r);
    const char *begin = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        int digit = *r->at - '0';
        if (value > (INT64_MAX - digit) / 10) return false;
        value = 10 * value + digit;
    }
    bool any = r->at > begin;
    if (r->at < r->end && *r->at == 'L') r->at++; /* Python 2 wrote long integers so */
    *out = value;
    return any;
}

/* (), (3,) or (3, 4) */
static truce_status read_shape(reader *r) {
    truce_shape *shape = &r->header->shape;
    bool comma = true;
    if (!take(r, '(')) return fail_header(r, "its shape is no tuple");
    while (!take(r, ')')) {
        int64_t size;
        if (!comma || !take_size(r, &size)) return fail_header(r, "its shape is no tuple of sizes");
        if (shape->n_dims == TRUCE_MAX_DIMS)
            return base_fail(r->context, TRUCE_ERROR_UNSUPPORTED, "%s: the array has more than %d axes",
                             r->header->path, TRUCE_MAX_DIMS);
        shape->dims[shape->n_dims++] = size;
        comma = take(r, ',');
    }
    if (shape->n_dims == 1 && !comma) return fail_header(r, "its shape is no tuple");
    return TRUCE_OK;
}

static truce_status read_order(reader *r) {
    r->header->fortran_order = take_word(r, "True");
    return r->header->fortran_order || take_word(r, "False")
               ? TRUCE_OK
               : fail_header(r, "its order is not True or False");
}

/* What dtypes hold that are no numbers for us, by the letter of their kind. */
static const char *foreign_dtype(char kind) {
    switch (kind) {
    case 'O': return "Python objects";
    case 'S':
    case 'a': return "byte strings";
    case 'U': return "texts";
    case 'V': return "raw records";
    case 'c': return "complex numbers";
    case 'M': return "dates";
    case 'm': return "time spans";
    case 'f': return "floating-point numbers of an unusual size";
    default: return "elements of an unknown type";
    }
}

static bool find_element(const char *code, io_element *out) {
    static const char *const codes[IO_N_ELEMENTS] = {
        [IO_ELEMENT_F2] = "f2", [IO_ELEMENT_F4] = "f4", [IO_ELEMENT_F8] = "f8", [IO_ELEMENT_I1] = "i1",
        [IO_ELEMENT_I2] = "i2", [IO_ELEMENT_I4] = "i4", [IO_ELEMENT_I8] = "i8", [IO_ELEMENT_U1] = "u1",
        [IO_ELEMENT_U2] = "u2", [IO_ELEMENT_U4] = "u4", [IO_ELEMENT_U8] = "u8", [IO_ELEMENT_BOOL] = "b1"};
    for (int i = 0; i < IO_N_ELEMENTS; i++)
        if (strcmp(codes[i], code) == 0) {
            *out = (io_element)i;
            return true;
        }
    return false;
}

static truce_status read_dtype(reader *r) {
    char text[32];
    if (take(r, '['))
        return base_fail(
            r->context, TRUCE_ERROR_UNSUPPORTED,
            "%s: holds records of several fields (a structured dtype); save each field as an array",
            r->header->path);
    if (!take_text(r, text, sizeof text)) return fail_header(r, "its dtype is no text");
    if (!*text || !strchr("<>|", *text)) return fail_header(r, "its dtype has no byte order");
    if (!find_element(text + 1, &r->header->element))
        return base_fail(r->context, TRUCE_ERROR_UNSUPPORTED,
                         "%s: holds %s (dtype '%s'), which cannot be read; save it as integers or f4, f8",
                         r->header->path, foreign_dtype(text[1]), text);
    if (*text == '|' && text[2] != '1') return fail_header(r, "its dtype has no byte order");
    r->header->big_endian = *text == '>';
    return TRUCE_OK;
}

static truce_status read_dictionary(reader *r) {
    enum { DTYPE = 1, ORDER = 2, SHAPE = 4, ALL = 7 };
    int seen = 0;
    bool comma = true;
    if (!take(r, '{')) return fail_header(r, "it is no dictionary");
    while (!take(r, '}')) {
        char key[32];
        if (!comma || !take_text(r, key, sizeof key) || !take(r, ':'))
            return fail_header(r, "it is no dictionary");
        int which = strcmp(key, "descr") == 0           ? DTYPE
                    : strcmp(key, "fortran_order") == 0 ? ORDER
                    : strcmp(key, "shape") == 0         ? SHAPE
                                                        : 0;
        if (!which || (seen & which)) return fail_header(r, "a key is unknown or there twice");
        seen |= which;
        BASE_TRY(which == DTYPE ? read_dtype(r) : which == ORDER ? read_order(r) : read_shape(r));
        comma = take(r, ',');
    }
    skip_blanks(r);
    if (seen != ALL) return fail_header(r, "dtype, order or shape is missing");
    return r->at == r->end ? TRUCE_OK : fail_header(r, "something follows the dictionary");
}

static truce_status load(truce_context *context, const char *path, const io_bytes *file, io_array *out) {
    io_array_header header = {.path = path};
    const unsigned char *bytes = file->bytes;
    reader r = {.context = context, .header = &header};
    if (file->n < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return base_fail(context, TRUCE_ERROR_FORMAT, "%s: this is no .npy file", path);
    if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
        return base_fail(context, TRUCE_ERROR_UNSUPPORTED, "%s: version %d.%d of .npy is not known", path,
                         bytes[6], bytes[7]);
    size_t head = bytes[6] == 1 ? 10 : 12;
    size_t n = file->n < head ? SIZE_MAX : (size_t)io_load(bytes + 8, (int)head - 8, false);
    if (file->n < head || n > file->n - head)
        return base_fail(context, TRUCE_ERROR_FORMAT, "%s: the file ends within its header", path);
    r.at = (const char *)bytes + head;
    r.end = r.at + n;
    BASE_TRY(read_dictionary(&r));
    return io_array_load(context, &header, bytes + head + n, file->n - head - n, out);
}

truce_status io_npy_read(truce_context *context, const char *path, io_array *out) {
    io_bytes file = {0};
    BASE_TRY(io_bytes_read(context, path, &file));
    truce_status status = load(context, path, &file, out);
    io_bytes_free(context, &file);
    return status;
}

static const char *dtype_of(io_array_kind kind) {
    switch (kind) {
    case IO_ARRAY_F64: return "f8";
    case IO_ARRAY_F32: return "f4";
    case IO_ARRAY_I64: return "i8";
    case IO_ARRAY_I32: return "i4";
    case IO_ARRAY_U8: return "u1";
    }
    return "";
}

/* Magic, length and dictionary, padded so that the elements begin at a multiple of 64. */
static size_t make_head(const io_array *array, char head[512]) {
    const truce_shape *shape = &array->shape;
    char order = array->kind == IO_ARRAY_U8 ? '|' : io_is_big_endian() ? '>' : '<';
    int n = 10 + snprintf(head + 10, 400, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", order,
                          dtype_of(array->kind));
    for (int i = 0; i < shape->n_dims; i++)
        n += snprintf(head + n, (size_t)(400 - n), "%s%lld", i ? ", " : "", (long long)shape->dims[i]);
    n += snprintf(head + n, (size_t)(400 - n), "%s), }", shape->n_dims == 1 ? "," : "");
    size_t whole = ((size_t)n + 1 + 63) / 64 * 64;
    memset(head + n, ' ', whole - (size_t)n - 1);
    head[whole - 1] = '\n';
    memcpy(head, "\x93NUMPY\x01\x00", 8);
    io_put_little(whole - 10, (unsigned char *)head + 8, 2);
    return whole;
}

truce_status io_npy_write(truce_context *context, const char *path, const io_array *array) {
    char head[512];
    io_output *output = NULL;
    size_t n = make_head(array, head);
    size_t bytes = (size_t)truce_shape_size(&array->shape) * io_array_kind_bytes(array->kind);
    BASE_TRY(io_output_open(context, path, &output));
    truce_status status = io_output_write(output, head, n);
    if (!status) status = io_output_write(output, array->values, bytes);
    if (!status) return io_output_commit(output);
    io_output_discard(output);
    return status;
}
