#define _XOPEN_SOURCE 700 /* realpath */
/* Outputs that appear whole or not at all; see io/file.h. */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 65536 };

struct io_output {
    truce_context *context;
    char *path;      /* as the caller named it, for messages */
    char *target;    /* what is replaced: `path` without symbolic links */
    char *temporary; /* beside the target; NULL where the target is written to directly */
    int fd;
    int error; /* errno of the first failure; nothing is written after it */
    size_t n;
    unsigned char buffer[BUFFER_BYTES];
};

static truce_status fail_output(io_output *output) {
    return io_fail_system(output->context, output->path, output->error);
}

static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* ".name.PID-COUNT.tmp" in the target's folder: hidden, and telling what it was to become. */
static truce_status name_temporary(io_output *output) {
    static atomic_uint count;
    size_t n = folder_length(output->target), room = n + 200;
    if (!output->temporary) BASE_TRY(base_alloc(output->context, room, 1, &output->temporary));
    snprintf(output->temporary, room, "%.*s.%.100s.%ld-%u.tmp", (int)n, output->target, output->target + n,
             (long)getpid(), atomic_fetch_add(&count, 1));
    return TRUCE_OK;
}

static truce_status open_temporary(io_output *output, mode_t mode) {
    do {
        BASE_TRY(name_temporary(output));
        output->fd = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode ? mode : 0666);
    } while (output->fd < 0 && errno == EEXIST);
    if (output->fd < 0) return io_fail_system(output->context, output->path, errno);
    if (mode && fchmod(output->fd, mode) != 0) return io_fail_system(output->context, output->path, errno);
    return TRUCE_OK;
}

static truce_status open_device(io_output *output) {
    output->fd = open(output->path, O_WRONLY | O_CLOEXEC);
    return output->fd < 0 ? io_fail_system(output->context, output->path, errno) : TRUCE_OK;
}

/* Decides what is written where. */
static truce_status open_target(io_output *output) {
    char resolved[PATH_MAX];
    struct stat about;
    truce_context *context = output->context;
    const char *path = output->path;
    if (!*path) return base_fail(context, TRUCE_ERROR_IO, "the name of an output is empty");
    bool exists = stat(path, &about) == 0;
    if (!exists && errno != ENOENT) return io_fail_system(context, path, errno);
    if (exists && S_ISDIR(about.st_mode))
        return base_fail(context, TRUCE_ERROR_IO, "%s is a folder; name a file in it", path);
    if (exists && !S_ISREG(about.st_mode)) return open_device(output);
    if (exists && (access(path, W_OK) != 0 || !realpath(path, resolved)))
        return io_fail_system(context, path, errno);
    BASE_TRY(base_copy_text(context, exists ? resolved : path, &output->target));
    return open_temporary(output, exists ? about.st_mode & 0777 : 0);
}

truce_status io_output_open(truce_context *context, const char *path, io_output **out) {
    io_output *output = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *output, &output));
    output->context = context;
    output->fd = -1;
    truce_status status = base_copy_text(context, path, &output->path);
    if (!status) status = open_target(output);
    if (status)
        io_output_discard(output);
    else
        *out = output;
    return status;
}

static truce_status write_through(io_output *output, const unsigned char *bytes, size_t n) {
    while (n && !output->error) {
        ssize_t written = write(output->fd, bytes, BASE_MIN(n, (size_t)SSIZE_MAX));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            output->error = written < 0 ? errno : EIO;
            break;
        }
        bytes += written;
        n -= (size_t)written;
    }
    return output->error ? fail_output(output) : TRUCE_OK;
}

static truce_status flush_buffer(io_output *output) {
    size_t n = output->n;
    output->n = 0;
    return write_through(output, output->buffer, n);
}

truce_status io_output_write(io_output *output, const void *bytes, size_t n) {
    if (output->error) return fail_output(output);
    if (n > BUFFER_BYTES - output->n) BASE_TRY(flush_buffer(output));
    if (n >= BUFFER_BYTES) return write_through(output, bytes, n);
    if (n) memcpy(output->buffer + output->n, bytes, n);
    output->n += n;
    return TRUCE_OK;
}

truce_status io_output_print(io_output *output, const char *format, ...) {
    char text[512], *longer = NULL;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    truce_status status = TRUCE_OK;
    int printed = vsnprintf(text, sizeof text, format, args);
    size_t n = printed > 0 ? (size_t)printed : 0;
    if (n >= sizeof text) {
        status = base_alloc(output->context, n + 1, 1, &longer);
        if (!status) vsnprintf(longer, n + 1, format, again);
    }
    if (!status) status = io_output_write(output, longer ? longer : text, n);
    base_free(output->context, longer);
    va_end(again);
    va_end(args);
    return status;
}

/* Pipes, devices and some network file systems cannot be flushed, and need not be. */
static int flush_to_disk(int fd) {
    if (fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS) return 0;
    return errno;
}

/* Makes the new name last; a folder that cannot be read cannot be flushed either, which is no failure. */
static int flush_folder(const io_output *output) {
    char folder[PATH_MAX] = ".";
    size_t n = folder_length(output->target);
    if (n >= sizeof folder) return 0;
    if (n) memcpy(folder, output->target, n);
    if (n) folder[n] = 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return 0;
    int error = flush_to_disk(fd);
    close(fd);
    return error;
}

static void free_output(io_output *output) {
    truce_context *context = output->context;
    if (output->fd >= 0) close(output->fd);
    base_free(context, output->temporary);
    base_free(context, output->target);
    base_free(context, output->path);
    base_free(context, output);
}

truce_status io_output_commit(io_output *output) {
    truce_status status = output->error ? fail_output(output) : flush_buffer(output);
    if (!status) output->error = flush_to_disk(output->fd);
    if (close(output->fd) != 0 && !output->error) output->error = errno;
    output->fd = -1;
    if (output->temporary && !output->error) {
        if (rename(output->temporary, output->target) != 0)
            output->error = errno;
        else
            output->temporary[0] = 0;
    }
    if (output->temporary && !output->error) output->error = flush_folder(output);
    if (output->error) status = fail_output(output);
    io_output_discard(output);
    return status;
}

void io_output_discard(io_output *output) {
    if (!output) return;
    if (output->temporary && output->temporary[0]) unlink(output->temporary);
    free_output(output);
}

truce_status io_write_text(truce_context *context, const char *path, const char *text) {
    io_output *output = NULL;
    BASE_TRY(io_output_open(context, path, &output));
    truce_status status = io_output_write(output, text, strlen(text));
    if (!status) return io_output_commit(output);
    io_output_discard(output);
    return status;
}
