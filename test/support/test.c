#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* More than this is refused at once: machines differ in whether they promise memory that they do not have. */
#define MOST_BYTES ((size_t)1 << 36)

static long fail_after, n_blocks;
static bool has_failed;

static void *counting_allocate(void *user, void *block, size_t old_bytes, size_t new_bytes) {
    (void)user;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(block);
        n_blocks--;
        return NULL;
    }
    if (fail_after > 0 && --fail_after == 0) {
        has_failed = true;
        return NULL;
    }
    if (new_bytes > MOST_BYTES) return NULL;
    void *made = realloc(block, new_bytes);
    if (made && !block) {
        memset(made, 0xA5, new_bytes);
        n_blocks++;
    }
    return made;
}

int test_setup(void **state) {
    fail_after = 0;
    n_blocks = 0;
    has_failed = false;
    truce_context_config config = {.allocate = counting_allocate, .n_threads = 2, .seed = 1};
    truce_context *context;
    if (truce_context_create(&config, &context)) return -1;
    *state = context;
    return 0;
}

int test_teardown(void **state) {
    fail_after = 0;
    truce_context_destroy(*state);
    if (n_blocks) fprintf(stderr, "%ld blocks were not freed\n", n_blocks);
    return n_blocks ? -1 : 0;
}

void test_fail_allocation(long k) {
    fail_after = k;
    has_failed = false;
}

bool test_allocation_failed(void) {
    return has_failed;
}

void test_assert_near(double a, double b, double tolerance, const char *what, const char *file, int line) {
    double scale = fmax(1, fmax(fabs(a), fabs(b)));
    if (fabs(a - b) <= tolerance * scale) return;
    fprintf(stderr, "%s:%d: %s is %.17g, not %.17g within %g\n", file, line, what, a, b, tolerance);
    fail();
}

const char *test_data(const char *file) {
    static char path[4096];
    const char *folder = getenv("TRUCE_DATA");
    if (folder) {
        snprintf(path, sizeof path, "%s/%s", folder, file);
        if (access(path, R_OK) == 0) return path;
    }
    printf("skipped: %s is not there (TRUCE_DATA=%s)\n", file, folder ? folder : "");
    return NULL;
}

void test_write_file(const char *path, const void *bytes, size_t n) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(n, fwrite(bytes, 1, n, file));
    assert_int_equal(0, fclose(file));
}

void test_write_text(const char *path, const char *text) {
    test_write_file(path, text, strlen(text));
}
