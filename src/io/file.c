#include "io/file.h"

#include "io/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536 };

static bool is_full(int error) {
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

truce_status io_fail_system(truce_context *context, const char *path, int error) {
    char text[256];
    if (strerror_r(error, text, sizeof text) != 0) memcpy(text, "unknown error", sizeof "unknown error");
    return base_fail(context, TRUCE_ERROR_IO, "%s: %s%s", path, text,
                     is_full(error) ? "; free some space or write to another place" : "");
}

/* Where the size is not known beforehand (compressed, a pipe): memory grows with what really comes. */
static truce_status read_stream(truce_context *context, const char *path, io_bytes *out) {
    io_stream *stream = NULL;
    unsigned char *bytes = NULL;
    size_t n = 0, capacity = 0, got = BLOCK_BYTES;
    truce_status status = io_stream_open(context, path, &stream);
    while (!status && n == capacity) {
        status = base_grow(context, &bytes, &capacity, BASE_MAX(n + 1, BLOCK_BYTES), 1);
        if (!status) status = io_stream_read(stream, bytes + n, capacity - n, &got);
        if (!status) n += got;
    }
    if (!status) status = base_resize(context, &bytes, n + 1, 1);
    if (status)
        base_free(context, bytes);
    else
        *out = (io_bytes){.bytes = bytes, .n = n};
    io_stream_close(stream);
    return status;
}

truce_status io_bytes_read(truce_context *context, const char *path, io_bytes *out) {
    int fd = -1;
    size_t n = 0;
    void *mapping = MAP_FAILED;
    if (!io_ends_with(path, ".gz")) {
        BASE_TRY(io_open_input(context, path, &fd, &n));
        if (n) mapping = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
        close(fd);
    }
    if (mapping == MAP_FAILED) return read_stream(context, path, out);
    *out = (io_bytes){.bytes = mapping, .n = n, .mapping = mapping};
    return TRUCE_OK;
}

void io_bytes_free(truce_context *context, io_bytes *bytes) {
    if (bytes->mapping)
        munmap(bytes->mapping, bytes->n);
    else
        base_free(context, (void *)(uintptr_t)bytes->bytes);
    *bytes = (io_bytes){0};
}

static bool is_folder(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static truce_status make_folder(truce_context *context, const char *path) {
    if (mkdir(path, 0777) == 0) return TRUCE_OK;
    int error = errno;
    if (is_folder(path)) return TRUCE_OK;
    if (error == EEXIST) return base_fail(context, TRUCE_ERROR_IO, "%s is a file, not a folder", path);
    return io_fail_system(context, path, error);
}

truce_status io_make_folders(truce_context *context, const char *path) {
    char *prefix = NULL;
    truce_status status = base_copy_text(context, path, &prefix);
    if (status) return status;
    for (char *c = prefix + (*prefix != 0); *c && !status; c++) {
        if (*c != '/') continue;
        *c = 0;
        status = make_folder(context, prefix);
        *c = '/';
    }
    if (!status) status = make_folder(context, prefix);
    base_free(context, prefix);
    return status;
}

bool io_exists(const char *path) {
    return access(path, F_OK) == 0;
}

truce_status io_join(truce_context *context, const char *folder, const char *file, char **out) {
    if (!folder || !*folder || *file == '/') return base_copy_text(context, file, out);
    size_t n = strlen(folder), m = strlen(file);
    bool slash = folder[n - 1] != '/';
    char *path = NULL;
    BASE_TRY(base_alloc(context, n + slash + m + 1, 1, &path));
    memcpy(path, folder, n);
    if (slash) path[n] = '/';
    memcpy(path + n + slash, file, m);
    *out = path;
    return TRUCE_OK;
}
