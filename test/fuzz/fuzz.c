#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

truce_context *fuzz_context(void) {
    static truce_context *context;
    if (!context)
        fuzz_check(truce_context_create(&(truce_context_config){.n_threads = 1}, &context) == TRUCE_OK,
                   "a context can be made");
    return context;
}

const char *fuzz_file(const uint8_t *data, size_t n) {
    static int fd = -1;
    static char path[64];
    if (fd < 0) fd = memfd_create("fuzz", 0);
    fuzz_check(fd >= 0 && ftruncate(fd, 0) == 0, "a file in memory can be made");
    for (size_t done = 0; done < n;) {
        ssize_t written = pwrite(fd, data + done, n - done, (off_t)done);
        fuzz_check(written > 0, "a file in memory can be written");
        done += (size_t)written;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

void fuzz_check(bool holds, const char *property) {
    if (holds) return;
    fprintf(stderr, "does not hold: %s\n", property);
    abort();
}
