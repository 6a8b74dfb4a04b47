#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT_BYTES = 65536 };

struct io_stream {
    truce_context *context;
    char *path;
    int fd;
    bool compressed, at_member_end, at_end;
    z_stream z;           /* next_in and avail_in are the unread bytes of `input`, compressed or not */
    bool inflating;       /* z must be ended */
    unsigned char *input; /* only where the name ends in .gz */
};

bool io_ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

truce_status io_open_input(truce_context *context, const char *path, int *out_fd, size_t *out_bytes) {
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return io_fail_system(context, path, errno);
    truce_status status = TRUCE_OK;
    if (fstat(fd, &about) != 0)
        status = io_fail_system(context, path, errno);
    else if (S_ISDIR(about.st_mode))
        status = base_fail(context, TRUCE_ERROR_IO, "%s is a folder, not a file", path);
    if (status) {
        close(fd);
        return status;
    }
    *out_fd = fd;
    *out_bytes = S_ISREG(about.st_mode) ? (size_t)about.st_size : 0;
    return TRUCE_OK;
}

/* Reads until n bytes are there or the file ends. */
static truce_status read_file(io_stream *stream, void *bytes, size_t n, size_t *out_n) {
    size_t have = 0;
    while (have < n) {
        ssize_t got = read(stream->fd, (char *)bytes + have, BASE_MIN(n - have, (size_t)SSIZE_MAX));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_fail_system(stream->context, stream->path, errno);
        if (got == 0) break;
        have += (size_t)got;
    }
    *out_n = have;
    return TRUCE_OK;
}

static truce_status fill_input(io_stream *stream) {
    size_t n = 0;
    BASE_TRY(read_file(stream, stream->input, INPUT_BYTES, &n));
    stream->z.next_in = stream->input;
    stream->z.avail_in = (uInt)n;
    return TRUCE_OK;
}

static void *allocate_for_zlib(void *context, uInt n, uInt size) {
    void *block = NULL;
    return base_alloc(context, n, size, &block) ? NULL : block;
}

static void free_for_zlib(void *context, void *block) {
    base_free(context, block);
}

static truce_status begin_inflate(io_stream *stream) {
    BASE_TRY(base_alloc(stream->context, INPUT_BYTES, 1, &stream->input));
    BASE_TRY(fill_input(stream));
    const unsigned char *head = stream->z.next_in;
    stream->compressed = stream->z.avail_in >= 2 && head[0] == 0x1f && head[1] == 0x8b;
    if (!stream->compressed) return TRUCE_OK;
    stream->z.zalloc = allocate_for_zlib;
    stream->z.zfree = free_for_zlib;
    stream->z.opaque = stream->context;
    if (inflateInit2(&stream->z, 15 + 16) != Z_OK) return TRUCE_ERROR_MEMORY;
    stream->inflating = true;
    return TRUCE_OK;
}

truce_status io_stream_open(truce_context *context, const char *path, io_stream **out) {
    io_stream *stream = NULL;
    size_t bytes;
    BASE_TRY(base_alloc(context, 1, sizeof *stream, &stream));
    stream->context = context;
    stream->fd = -1;
    truce_status status = base_copy_text(context, path, &stream->path);
    if (!status) status = io_open_input(context, path, &stream->fd, &bytes);
    if (!status && io_ends_with(path, ".gz")) status = begin_inflate(stream);
    if (status)
        io_stream_close(stream);
    else
        *out = stream;
    return status;
}

void io_stream_close(io_stream *stream) {
    if (!stream) return;
    truce_context *context = stream->context;
    if (stream->inflating) inflateEnd(&stream->z);
    if (stream->fd >= 0) close(stream->fd);
    base_free(context, stream->input);
    base_free(context, stream->path);
    base_free(context, stream);
}

/* Behind a member: another one follows, or the end, which may be padded with zeros. */
static truce_status next_member(io_stream *stream) {
    z_stream *z = &stream->z;
    while (true) {
        if (z->avail_in == 0) BASE_TRY(fill_input(stream));
        if (z->avail_in == 0) {
            stream->at_end = true;
            return TRUCE_OK;
        }
        if (*z->next_in != 0) break;
        z->next_in++;
        z->avail_in--;
    }
    if (*z->next_in != 0x1f)
        return base_fail(stream->context, TRUCE_ERROR_FORMAT,
                         "%s: something else follows the compressed data; the file is damaged", stream->path);
    inflateReset(z);
    stream->at_member_end = false;
    return TRUCE_OK;
}

/* One step: fills the output as far as the input at hand goes. */
static truce_status inflate_some(io_stream *stream) {
    z_stream *z = &stream->z;
    if (z->avail_in == 0) BASE_TRY(fill_input(stream));
    if (z->avail_in == 0)
        return base_fail(stream->context, TRUCE_ERROR_FORMAT,
                         "%s: the compressed data ends early; the file is truncated", stream->path);
    switch (inflate(z, Z_NO_FLUSH)) {
    case Z_OK:
    case Z_BUF_ERROR: return TRUCE_OK;
    case Z_STREAM_END: stream->at_member_end = true; return TRUCE_OK;
    case Z_MEM_ERROR: return TRUCE_ERROR_MEMORY;
    default:
        return base_fail(stream->context, TRUCE_ERROR_FORMAT, "%s: the compressed data is damaged (%s)",
                         stream->path, z->msg ? z->msg : "unknown reason");
    }
}

static truce_status read_compressed(io_stream *stream, void *bytes, size_t n, size_t *out_n) {
    z_stream *z = &stream->z;
    size_t have = 0;
    while (have < n && !stream->at_end) {
        size_t room = BASE_MIN(n - have, (size_t)UINT_MAX);
        z->next_out = (unsigned char *)bytes + have;
        z->avail_out = (uInt)room;
        BASE_TRY(stream->at_member_end ? next_member(stream) : inflate_some(stream));
        have += room - z->avail_out;
    }
    *out_n = have;
    return TRUCE_OK;
}

truce_status io_stream_read(io_stream *stream, void *bytes, size_t n, size_t *out_n) {
    if (stream->compressed) return read_compressed(stream, bytes, n, out_n);
    size_t early = BASE_MIN(n, (size_t)stream->z.avail_in), rest = 0;
    if (early) {
        memcpy(bytes, stream->z.next_in, early);
        stream->z.next_in += early;
        stream->z.avail_in -= (uInt)early;
    }
    BASE_TRY(read_file(stream, (char *)bytes + early, n - early, &rest));
    *out_n = early + rest;
    return TRUCE_OK;
}
