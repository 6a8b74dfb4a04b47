/*
 * Files read whole, and outputs that appear whole or not at all.
 *
 * An output is written beside its target under a temporary name, flushed to the disk, and renamed into place
 * by io_output_commit: an interrupted command or a full disk leaves the old file or the new one, never half.
 * What is no plain file (a pipe, /dev/stdout) is written to directly. A symbolic link stays: the file that it
 * points to is replaced. The permissions of a file that is replaced are kept.
 */
#ifndef IO_FILE_H
#define IO_FILE_H

#include "base/text.h"

/* A file in memory. Mapped where the file is plain, decompressed into memory where its name ends in .gz. */
typedef struct io_bytes {
    const unsigned char *bytes; /* never NULL after io_bytes_read */
    size_t n;
    void *mapping; /* what io_bytes_free unmaps; NULL if `bytes` is from the context's allocator */
} io_bytes;

truce_status io_bytes_read(truce_context *context, const char *path, io_bytes *out);
void io_bytes_free(truce_context *context, io_bytes *bytes);

typedef struct io_output io_output;

/* Begins an output; folders on the way to `path` must exist. */
truce_status io_output_open(truce_context *context, const char *path, io_output **out);
truce_status io_output_write(io_output *output, const void *bytes, size_t n);
truce_status io_output_print(io_output *output, const char *format, ...) BASE_PRINTF(2, 3);

/* Flushes, renames into place and frees the output; on failure removes the temporary file and frees it too.
 */
truce_status io_output_commit(io_output *output);

/* Gives the output up: nothing of it stays. NULL is fine. */
void io_output_discard(io_output *output);

/* One text as a whole file. */
truce_status io_write_text(truce_context *context, const char *path, const char *text);

/* The folder and those above it, as far as they are missing. */
truce_status io_make_folders(truce_context *context, const char *path);

bool io_exists(const char *path);

/* "folder/file" into a new text; only `file` where it is absolute or folder is empty or NULL. */
truce_status io_join(truce_context *context, const char *folder, const char *file, char **out);

/* Fails with TRUCE_ERROR_IO and what the system says of the error number: "PATH: No such file or directory".
 */
truce_status io_fail_system(truce_context *context, const char *path, int error);

#endif
