/*
 * A file's bytes from front to back, for files that may be larger than memory.
 *
 * Where the name ends in .gz the bytes are decompressed on the way (RFC 1952, several members in a row too).
 * A file of that name that is not compressed after all is read as it is: browsers unpack what they download
 * and keep the name. Works for pipes and devices.
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include "io/file.h"

typedef struct io_stream io_stream;

truce_status io_stream_open(truce_context *context, const char *path, io_stream **out);

/* The next n bytes; *out_n is less than n only at the end. Data that ends early or is damaged is an error. */
truce_status io_stream_read(io_stream *stream, void *bytes, size_t n, size_t *out_n);

/* NULL is fine. */
void io_stream_close(io_stream *stream);

/* Opens a file for reading; folders are refused. *out_bytes is its size if it is a plain file, else 0. */
truce_status io_open_input(truce_context *context, const char *path, int *out_fd, size_t *out_bytes);

bool io_ends_with(const char *text, const char *end);

#endif
