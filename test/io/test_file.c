#define _GNU_SOURCE /* unshare */
#include "support/test.h"

#include "base/rng.h"
#include "io/file.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

static void assert_holds(truce_context *context, const char *path, const void *bytes, size_t n) {
    io_bytes got;
    assert_ok(context, io_bytes_read(context, path, &got));
    assert_int_equal(n, got.n);
    if (n) assert_memory_equal(bytes, got.bytes, n);
    io_bytes_free(context, &got);
}

static void assert_holds_text(truce_context *context, const char *path, const char *text) {
    assert_holds(context, path, text, strlen(text));
}

static int count_temporaries(const char *folder) {
    int n = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) n += strstr(entry->d_name, ".tmp") != NULL;
    closedir(entries);
    return n;
}

/* Compresses into out[room]; returns the size. */
static size_t compress_gzip(const void *bytes, size_t n, unsigned char *out, size_t room) {
    z_stream z = {0};
    assert_int_equal(Z_OK, deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY));
    z.next_in = (unsigned char *)(uintptr_t)bytes;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(Z_STREAM_END, deflate(&z, Z_FINISH));
    assert_int_equal(Z_OK, deflateEnd(&z));
    return room - z.avail_out;
}

static void files_of_any_size_are_read_whole(void **state) {
    truce_context *context = *state;
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 65536, 300001};
    static unsigned char bytes[300001], packed[400000];
    base_rng rng = base_rng_make(7, "file", 0, 0);
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)base_rng_below(&rng, 7);
    for (size_t i = 0; i < BASE_COUNT(sizes); i++) {
        test_write_file("plain", bytes, sizes[i]);
        test_write_file("packed.gz", packed, compress_gzip(bytes, sizes[i], packed, sizeof packed));
        test_write_file("misnamed.gz", bytes, sizes[i]);
        assert_holds(context, "plain", bytes, sizes[i]);
        assert_holds(context, "packed.gz", bytes, sizes[i]);
        assert_holds(context, "misnamed.gz", bytes, sizes[i]);
    }
}

static void what_has_no_size_is_read_to_its_end(void **state) {
    truce_context *context = *state;
    io_bytes got;
    assert_ok(context, io_bytes_read(context, "/proc/self/status", &got));
    assert_true(got.n > 100 && memcmp(got.bytes, "Name:", 5) == 0);
    io_bytes_free(context, &got);
    assert_holds_text(context, "/dev/null", "");
}

static void members_and_padding_of_gzip_are_read(void **state) {
    truce_context *context = *state;
    unsigned char packed[200];
    size_t n = compress_gzip("one,", 4, packed, sizeof packed);
    n += compress_gzip("two", 3, packed + n, sizeof packed - n);
    memset(packed + n, 0, 40);
    test_write_file("members.gz", packed, n + 40);
    assert_holds_text(context, "members.gz", "one,two");
}

static void damaged_gzip_is_refused(void **state) {
    truce_context *context = *state;
    static unsigned char bytes[100000], packed[200000];
    io_bytes got;
    base_rng rng = base_rng_make(8, "gzip", 0, 0);
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)base_rng_u32(&rng);
    size_t n = compress_gzip(bytes, sizeof bytes, packed, sizeof packed);
    for (size_t cut = 2; cut < n; cut += 1 + n / 50) {
        test_write_file("cut.gz", packed, cut);
        assert_fails(context, TRUCE_ERROR_FORMAT, "cut.gz: the compressed data ends early",
                     io_bytes_read(context, "cut.gz", &got));
    }
    memcpy(packed + n, "trailing", 8);
    test_write_file("tail.gz", packed, n + 8);
    assert_fails(context, TRUCE_ERROR_FORMAT, "tail.gz: something else follows",
                 io_bytes_read(context, "tail.gz", &got));
    packed[n / 2] ^= 1;
    test_write_file("flipped.gz", packed, n);
    assert_fails(context, TRUCE_ERROR_FORMAT, "flipped.gz: the compressed data is damaged",
                 io_bytes_read(context, "flipped.gz", &got));
}

/* 64 MB of zeros in 64 KB: an allocator that says no is where a decompression bomb ends. */
static void a_bomb_ends_where_memory_ends(void **state) {
    truce_context *context = *state;
    size_t n = 64 << 20;
    unsigned char *zeros = calloc(1, n), *packed = malloc(n / 100);
    assert_non_null(zeros);
    assert_non_null(packed);
    test_write_file("bomb.gz", packed, compress_gzip(zeros, n, packed, n / 100));
    free(packed);
    assert_holds(context, "bomb.gz", zeros, n);
    free(zeros);
    io_bytes got;
    for (long k = 1, failed = 1; failed; k++) {
        test_fail_allocation(k);
        truce_status status = io_bytes_read(context, "bomb.gz", &got);
        failed = test_allocation_failed();
        if (!failed) io_bytes_free(context, &got);
        assert_int_equal(failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
    }
}

static void what_cannot_be_read_is_named(void **state) {
    truce_context *context = *state;
    io_bytes got;
    assert_fails(context, TRUCE_ERROR_IO, "absent/file: No such file or directory",
                 io_bytes_read(context, "absent/file", &got));
    assert_fails(context, TRUCE_ERROR_IO, "absent.gz: No such file or directory",
                 io_bytes_read(context, "absent.gz", &got));
    assert_fails(context, TRUCE_ERROR_IO, "/tmp is a folder, not a file",
                 io_bytes_read(context, "/tmp", &got));
    if (geteuid() == 0) {
        printf("skipped: root can read every file\n");
        return;
    }
    test_write_text("secret", "x");
    assert_int_equal(0, chmod("secret", 0));
    assert_fails(context, TRUCE_ERROR_IO, "secret: Permission denied",
                 io_bytes_read(context, "secret", &got));
    assert_int_equal(0, unlink("secret"));
}

static void an_output_appears_at_commit_and_not_before(void **state) {
    truce_context *context = *state;
    io_output *output;
    unlink("fresh");
    assert_ok(context, io_output_open(context, "fresh", &output));
    assert_ok(context, io_output_write(output, "abc", 3));
    assert_false(io_exists("fresh"));
    assert_int_equal(1, count_temporaries("."));
    assert_ok(context, io_output_commit(output));
    assert_holds_text(context, "fresh", "abc");
    assert_ok(context, io_output_open(context, "fresh", &output));
    assert_ok(context, io_output_write(output, "gone", 4));
    io_output_discard(output);
    io_output_discard(NULL);
    assert_holds_text(context, "fresh", "abc");
    assert_int_equal(0, count_temporaries("."));
}

static void large_and_printed_pieces_arrive_in_order(void **state) {
    truce_context *context = *state;
    static char expected[800000], piece[200000];
    size_t n = 0;
    io_output *output;
    assert_ok(context, io_output_open(context, "pieces", &output));
    for (size_t size = 1; size < sizeof piece; size = 3 * size + 1) {
        memset(piece, 'a' + (int)(size % 26), size);
        assert_ok(context, io_output_write(output, piece, size));
        memcpy(expected + n, piece, size);
        n += size;
        piece[size] = 0;
        assert_ok(context, io_output_print(output, "%d:%s\n", 42, piece));
        n += (size_t)sprintf(expected + n, "%d:%s\n", 42, piece);
    }
    assert_ok(context, io_output_write(output, NULL, 0));
    assert_ok(context, io_output_commit(output));
    assert_holds(context, "pieces", expected, n);
}

static void permissions_and_links_of_the_target_stay(void **state) {
    truce_context *context = *state;
    struct stat about;
    unlink("link");
    unlink("private");
    test_write_text("private", "old");
    assert_int_equal(0, chmod("private", 0640));
    assert_int_equal(0, symlink("private", "link"));
    assert_ok(context, io_write_text(context, "link", "new"));
    assert_int_equal(0, lstat("link", &about));
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(0, stat("private", &about));
    assert_int_equal(0640, about.st_mode & 0777);
    assert_holds_text(context, "private", "new");
    mode_t mask = umask(027);
    unlink("fresh");
    assert_ok(context, io_write_text(context, "fresh", "x"));
    umask(mask);
    assert_int_equal(0, stat("fresh", &about));
    assert_int_equal(0640, about.st_mode & 0777);
}

static void outputs_that_cannot_be_are_named(void **state) {
    truce_context *context = *state;
    io_output *output = NULL;
    assert_fails(context, TRUCE_ERROR_IO, "absent/out: No such file or directory",
                 io_output_open(context, "absent/out", &output));
    assert_fails(context, TRUCE_ERROR_IO, "/tmp is a folder; name a file in it",
                 io_output_open(context, "/tmp", &output));
    assert_fails(context, TRUCE_ERROR_IO, "empty", io_output_open(context, "", &output));
    test_write_text("plainfile", "x");
    assert_fails(context, TRUCE_ERROR_IO, "plainfile/out: Not a directory",
                 io_output_open(context, "plainfile/out", &output));
    assert_null(output);
    assert_int_equal(0, count_temporaries("."));
}

static void a_long_name_gets_a_temporary_name_that_fits(void **state) {
    truce_context *context = *state;
    char name[256];
    memset(name, 'n', 255);
    name[255] = 0;
    assert_ok(context, io_write_text(context, name, "x"));
    assert_holds_text(context, name, "x");
    assert_int_equal(0, unlink(name));
}

/* /dev/full says at every write that the disk is full. */
static void a_full_device_is_a_failure_at_commit(void **state) {
    truce_context *context = *state;
    if (!io_exists("/dev/full")) {
        printf("skipped: there is no /dev/full\n");
        return;
    }
    assert_fails(context, TRUCE_ERROR_IO, "/dev/full: No space left on device; free some space",
                 io_write_text(context, "/dev/full", "x"));
}

static truce_status write_megabytes(truce_context *context, const char *path, int n) {
    static char bytes[1 << 20];
    io_output *output = NULL;
    BASE_TRY(io_output_open(context, path, &output));
    truce_status first = TRUCE_OK;
    for (int i = 0; i < n && !first; i++) first = io_output_write(output, bytes, sizeof bytes);
    truce_status at_commit = io_output_commit(output);
    assert_int_equal(first, at_commit);
    return at_commit;
}

static void a_file_size_limit_leaves_the_old_file(void **state) {
    truce_context *context = *state;
    struct rlimit limit, small;
    assert_ok(context, io_write_text(context, "kept", "old"));
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &limit));
    small = limit;
    small.rlim_cur = (3 << 20) + 5;
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &small));
    truce_status status = write_megabytes(context, "kept", 8);
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &limit));
    signal(SIGXFSZ, handler);
    assert_fails(context, TRUCE_ERROR_IO, "kept: File too large; free some space", status);
    assert_holds_text(context, "kept", "old");
    assert_int_equal(0, count_temporaries("."));
}

enum { CHILD_OK = 0, CHILD_WRONG = 1, CHILD_CANNOT = 2 };

/* On a disk of one megabyte that only this process sees. */
static int fill_small_disk(truce_context *context) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("small", "small", "tmpfs", 0, "size=1m") != 0)
        return CHILD_CANNOT;
    if (io_write_text(context, "small/kept", "old")) return CHILD_WRONG;
    if (write_megabytes(context, "small/kept", 3) != TRUCE_ERROR_IO) return CHILD_WRONG;
    if (!strstr(truce_context_message(context), "small/kept: No space left on device; ")) return CHILD_WRONG;
    return count_temporaries("small") ? CHILD_WRONG : CHILD_OK;
}

static void a_full_disk_leaves_the_old_file(void **state) {
    truce_context *context = *state;
    int result = 0;
    assert_ok(context, io_make_folders(context, "small"));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(fill_small_disk(context));
    assert_int_equal(child, waitpid(child, &result, 0));
    assert_true(WIFEXITED(result));
    if (WEXITSTATUS(result) == CHILD_CANNOT)
        printf("skipped: a small disk cannot be mounted here\n");
    else
        assert_int_equal(CHILD_OK, WEXITSTATUS(result));
}

static void folders_are_made_as_far_as_missing(void **state) {
    truce_context *context = *state;
    struct stat about;
    for (int i = 0; i < 2; i++) {
        assert_ok(context, io_make_folders(context, "a/b//c/"));
        assert_int_equal(0, stat("a/b/c", &about));
        assert_true(S_ISDIR(about.st_mode));
    }
    assert_ok(context, io_make_folders(context, "."));
    assert_ok(context, io_make_folders(context, "/"));
    assert_fails(context, TRUCE_ERROR_IO, "No such file or directory", io_make_folders(context, ""));
    test_write_text("a/file", "x");
    assert_fails(context, TRUCE_ERROR_IO, "a/file is a file, not a folder",
                 io_make_folders(context, "a/file"));
    assert_fails(context, TRUCE_ERROR_IO, "a/file is a file, not a folder",
                 io_make_folders(context, "a/file/below"));
}

static void paths_join(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *folder, *file, *path;
    } rows[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"},
                {"", "b", "b"},    {NULL, "b", "b"},   {"a", "/b", "/b"}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        char *path;
        assert_ok(context, io_join(context, rows[i].folder, rows[i].file, &path));
        assert_string_equal(rows[i].path, path);
        base_free(context, path);
    }
}

static truce_status use_everything(truce_context *context) {
    io_bytes got;
    char *path = NULL;
    BASE_TRY(io_make_folders(context, "d/e"));
    BASE_TRY(io_join(context, "d/e", "out", &path));
    truce_status status = io_write_text(context, path, "some text");
    base_free(context, path);
    BASE_TRY(status);
    BASE_TRY(io_bytes_read(context, "members.gz", &got));
    io_bytes_free(context, &got);
    BASE_TRY(io_bytes_read(context, "d/e/out", &got));
    io_bytes_free(context, &got);
    io_output *output = NULL;
    BASE_TRY(io_output_open(context, "long", &output));
    status = io_output_print(output, "%600d", 1);
    if (!status) return io_output_commit(output);
    io_output_discard(output);
    return status;
}

static void every_failing_allocation_is_survived(void **state) {
    truce_context *context = *state;
    assert_ok(context, io_make_folders(context, "d/e"));
    for (long k = 1, failed = 1; failed; k++) {
        test_fail_allocation(k);
        truce_status status = use_everything(context);
        failed = test_allocation_failed();
        assert_int_equal(failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
        assert_int_equal(0, count_temporaries("."));
        assert_int_equal(0, count_temporaries("d/e"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(files_of_any_size_are_read_whole),
        TEST(what_has_no_size_is_read_to_its_end),
        TEST(members_and_padding_of_gzip_are_read),
        TEST(damaged_gzip_is_refused),
        TEST(a_bomb_ends_where_memory_ends),
        TEST(what_cannot_be_read_is_named),
        TEST(an_output_appears_at_commit_and_not_before),
        TEST(large_and_printed_pieces_arrive_in_order),
        TEST(permissions_and_links_of_the_target_stay),
        TEST(outputs_that_cannot_be_are_named),
        TEST(a_long_name_gets_a_temporary_name_that_fits),
        TEST(a_full_device_is_a_failure_at_commit),
        TEST(a_file_size_limit_leaves_the_old_file),
        TEST(a_full_disk_leaves_the_old_file),
        TEST(folders_are_made_as_far_as_missing),
        TEST(paths_join),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
