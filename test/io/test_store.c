#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "io/file.h"
#include "io/store.h"
#include "io/store_sql.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static io_store *open_store(truce_context *context, const char *path, io_store_mode mode) {
    io_store *store = NULL;
    assert_ok(context, io_store_open(context, path, mode, &store));
    return store;
}

static int64_t begin_run(truce_context *context, io_store *store, const char *name) {
    int64_t id = -1;
    assert_ok(context, io_store_begin_run(store, &(io_run){.name = name, .kind = "train", .seed = 7}, &id));
    return id;
}

static truce_status add_loss(io_store *store, int64_t run, int64_t step, double value) {
    return io_store_add_scalar(
        store, run,
        &(io_scalar){.step = step, .split = "train", .task = "left", .name = "loss", .value = value});
}

static truce_status list_run(void *user, const io_run *run) {
    base_text_add(NULL, user, "%d %s %s %s %d %s %s;", (int)run->id, run->name, run->kind, run->method,
                  (int)run->seed, run->recipe, run->status);
    return TRUCE_OK;
}

static truce_status list_scalar(void *user, const io_scalar *s) {
    base_text *text = user;
    base_text_add(NULL, text, "%d %d %s %s %s %g;", (int)s->step, (int)s->epoch, s->split, s->task, s->name,
                  s->value);
    return TRUCE_OK;
}

static truce_status count_scalar(void *user, const io_scalar *scalar) {
    (void)scalar;
    ++*(int *)user;
    return TRUCE_OK;
}

static int count_scalars(truce_context *context, io_store *store, int64_t run) {
    int n = 0;
    assert_ok(context, io_store_each_scalar(store, run, NULL, NULL, NULL, count_scalar, &n));
    return n;
}

/* A text that callbacks without a context can add to: they get it with room enough. */
static void make_room(truce_context *context, base_text *text) {
    assert_ok(context, base_grow(context, &text->bytes, &text->capacity, 1 << 16, 1));
    text->bytes[0] = 0;
}

static void runs_scalars_and_notes_are_read_as_written(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    int64_t first, second;
    unlink("all.sqlite");
    make_room(context, &text);
    io_store *store = open_store(context, "all.sqlite", IO_STORE_APPEND);
    io_run run = {.name = "adult", .kind = "train", .method = "cagrad", .seed = -3, .recipe = "a: 1\n"};
    assert_ok(context, io_store_begin_run(store, &run, &first));
    assert_ok(context, io_store_begin_run(store, &(io_run){.name = "x", .status = "odd"}, &second));
    io_scalar scalar = {5, 1, "train", "left", "loss", 0.5};
    assert_ok(context, io_store_add_scalar(store, first, &scalar));
    scalar = (io_scalar){6, 1, "test", "right", "loss", NAN};
    assert_ok(context, io_store_add_scalar(store, first, &scalar));
    scalar = (io_scalar){7, 2, NULL, NULL, "rate", -INFINITY};
    assert_ok(context, io_store_add_scalar(store, first, &scalar));
    scalar = (io_scalar){8, 2, "test", "left", "accuracy", 1};
    assert_ok(context, io_store_add_scalar(store, second, &scalar));
    assert_ok(context, io_store_add_note(store, first, "why", "because"));
    assert_ok(context, io_store_add_note(store, first, "why", "it's better"));
    assert_ok(context, io_store_end_run(store, first, "done"));
    for (int again = 0; again < 2; again++) {
        text.n = 0;
        assert_ok(context, io_store_each_run(store, list_run, &text));
        assert_string_equal("1 adult train cagrad -3 a: 1\n done;2 x   0  odd;", text.bytes);
        text.n = 0;
        assert_ok(context, io_store_each_scalar(store, first, NULL, NULL, NULL, list_scalar, &text));
        assert_string_equal("5 1 train left loss 0.5;6 1 test right loss nan;7 2   rate -inf;", text.bytes);
        static const struct {
            const char *split, *task, *name, *found;
        } rows[] = {{"test", NULL, NULL, "6 1 test right loss nan;"},
                    {NULL, "left", NULL, "5 1 train left loss 0.5;"},
                    {NULL, "", NULL, "7 2   rate -inf;"},
                    {NULL, NULL, "loss", "5 1 train left loss 0.5;6 1 test right loss nan;"},
                    {"train", "left", "loss", "5 1 train left loss 0.5;"},
                    {"train", "right", "loss", ""},
                    {"' OR 1=1 --", NULL, NULL, ""}};
        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
            text.n = 0;
            text.bytes[0] = 0;
            assert_ok(context, io_store_each_scalar(store, first, rows[i].split, rows[i].task, rows[i].name,
                                                    list_scalar, &text));
            assert_string_equal(rows[i].found, text.bytes);
        }
        char *note = NULL;
        assert_ok(context, io_store_note(store, first, "why", &note));
        assert_string_equal("it's better", note);
        base_free(context, note);
        assert_ok(context, io_store_note(store, second, "why", &note));
        assert_null(note);
        assert_ok(context, io_store_close(store));
        store = open_store(context, "all.sqlite", IO_STORE_READ);
    }
    assert_ok(context, io_store_close(store));
    assert_ok(context, io_store_close(NULL));
    base_text_free(context, &text);
}

static truce_status check_times(void *user, const io_run *run) {
    int *n = user;
    assert_int_equal(20, strlen(run->started));
    assert_true(run->started[10] == 'T' && run->started[19] == 'Z' && strncmp(run->started, "20", 2) == 0);
    assert_int_equal(*n == 0 ? 20 : 0, strlen(run->finished));
    assert_string_equal(truce_version(), run->version);
    ++*n;
    return TRUCE_OK;
}

static void runs_know_when_and_by_what_they_were_made(void **state) {
    truce_context *context = *state;
    int n = 0;
    io_store *store = open_store(context, "times.sqlite", IO_STORE_FRESH);
    int64_t run = begin_run(context, store, "a");
    begin_run(context, store, "b");
    assert_ok(context, io_store_end_run(store, run, "done"));
    assert_ok(context, io_store_each_run(store, check_times, &n));
    assert_int_equal(2, n);
    assert_ok(context, io_store_close(store));
}

typedef struct matrices {
    const double *expected;
    int n;
} matrices;

static truce_status check_matrix(void *user, int64_t step, int n_rows, int n_columns, const double *values) {
    matrices *m = user;
    assert_int_equal(step, m->n);
    assert_int_equal(m->n, n_rows);
    assert_int_equal(3, n_columns);
    if (n_rows) assert_memory_equal(m->expected, values, sizeof(double) * 3 * (size_t)n_rows);
    m->n++;
    return TRUCE_OK;
}

static void matrices_keep_their_bits(void **state) {
    truce_context *context = *state;
    double values[15] = {0, -0.0, NAN, INFINITY, 5e-324, 1e308};
    base_rng rng = base_rng_make(2, "matrix", 0, 0);
    for (int i = 6; i < 15; i++) values[i] = base_rng_normal(&rng);
    io_store *store = open_store(context, "matrix.sqlite", IO_STORE_FRESH);
    int64_t run = begin_run(context, store, "a");
    for (int n = 0; n < 5; n++)
        assert_ok(context, io_store_add_matrix(store, run, n, "gramian", n, 3, values));
    assert_ok(context, io_store_add_matrix(store, run, 9, "other", 1, 1, values));
    matrices m = {values, 0};
    assert_ok(context, io_store_each_matrix(store, run, "gramian", check_matrix, &m));
    assert_int_equal(5, m.n);
    assert_ok(context, io_store_close(store));
}

static void a_fresh_store_holds_no_runs(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    make_room(context, &text);
    for (int i = 0; i < 2; i++) {
        io_store *store = open_store(context, "fresh.sqlite", i ? IO_STORE_FRESH : IO_STORE_APPEND);
        int64_t run = begin_run(context, store, i ? "new" : "old");
        assert_ok(context, add_loss(store, run, 1, 2));
        assert_ok(context, io_store_add_note(store, run, "k", "v"));
        assert_ok(context, io_store_close(store));
    }
    io_store *store = open_store(context, "fresh.sqlite", IO_STORE_APPEND);
    assert_ok(context, io_store_each_run(store, list_run, &text));
    assert_string_equal("1 new train  7  running;", text.bytes);
    assert_int_equal(1, count_scalars(context, store, 1));
    assert_ok(context, io_store_close(store));
    base_text_free(context, &text);
}

static void a_run_goes_back_to_a_step(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    double one = 1;
    make_room(context, &text);
    io_store *store = open_store(context, "back.sqlite", IO_STORE_FRESH);
    int64_t run = begin_run(context, store, "a"), other = begin_run(context, store, "b");
    for (int i = 0; i < 10; i++) {
        assert_ok(context, add_loss(store, run, i, i));
        assert_ok(context, add_loss(store, other, i, i));
        assert_ok(context, io_store_add_matrix(store, run, i, "g", 1, 1, &one));
    }
    assert_ok(context, io_store_end_run(store, run, "failed: killed"));
    assert_ok(context, io_store_rewind_run(store, run, 4));
    assert_int_equal(5, count_scalars(context, store, run));
    assert_int_equal(10, count_scalars(context, store, other));
    assert_ok(context, add_loss(store, run, 5, 50));
    assert_int_equal(6, count_scalars(context, store, run));
    assert_ok(context, io_store_each_run(store, list_run, &text));
    assert_string_equal("1 a train  7  running;2 b train  7  running;", text.bytes);
    assert_fails(context, TRUCE_ERROR_NAME, "back.sqlite holds no run 99", io_store_rewind_run(store, 99, 1));
    assert_fails(context, TRUCE_ERROR_NAME, "back.sqlite holds no run 99",
                 io_store_end_run(store, 99, "done"));
    assert_ok(context, io_store_close(store));
    base_text_free(context, &text);
}

static truce_status add_while_reading(void *user, const io_scalar *scalar) {
    io_store *store = user;
    int n = 0;
    BASE_TRY(io_store_each_scalar(store, 1, NULL, NULL, NULL, count_scalar, &n));
    BASE_TRY(io_store_add_scalar(store, 2, scalar));
    return io_store_flush(store);
}

static truce_status stop_at_once(void *user, const io_scalar *scalar) {
    ++*(int *)user;
    return scalar->step == 3 ? TRUCE_ERROR_INTERRUPTED : TRUCE_OK;
}

static void callbacks_may_use_the_store_and_stop(void **state) {
    truce_context *context = *state;
    int n = 0;
    io_store *store = open_store(context, "callback.sqlite", IO_STORE_FRESH);
    begin_run(context, store, "a");
    begin_run(context, store, "b");
    for (int i = 0; i < 10; i++) assert_ok(context, add_loss(store, 1, i, i));
    assert_ok(context, io_store_each_scalar(store, 1, NULL, NULL, NULL, add_while_reading, store));
    assert_int_equal(10, count_scalars(context, store, 2));
    assert_int_equal(TRUCE_ERROR_INTERRUPTED,
                     io_store_each_scalar(store, 1, NULL, NULL, NULL, stop_at_once, &n));
    assert_int_equal(4, n);
    assert_ok(context, io_store_close(store));
}

static void what_is_no_store_is_refused_and_left_alone(void **state) {
    truce_context *context = *state;
    io_store *store = NULL;
    sqlite3 *db = NULL;
    unlink("foreign.sqlite");
    unlink("newer.sqlite");
    unlink("empty.sqlite");
    assert_int_equal(SQLITE_OK, sqlite3_open("foreign.sqlite", &db));
    assert_int_equal(SQLITE_OK, sqlite3_exec(db, "CREATE TABLE run(x)", NULL, NULL, NULL));
    sqlite3_close(db);
    assert_int_equal(SQLITE_OK, sqlite3_open("newer.sqlite", &db));
    assert_int_equal(SQLITE_OK, sqlite3_exec(db, "PRAGMA application_id=1414681923; PRAGMA user_version=2",
                                             NULL, NULL, NULL));
    sqlite3_close(db);
    test_write_text("text.sqlite",
                    "this is a text and no database, whatever its name says; long enough to be read"
                    " as the header of one, which takes a hundred bytes");
    test_write_text("empty.sqlite", "");
    for (int mode = IO_STORE_READ; mode <= IO_STORE_FRESH; mode++) {
        io_store_mode m = (io_store_mode)mode;
        assert_fails(context, TRUCE_ERROR_FORMAT, "foreign.sqlite is not a Truce run store",
                     io_store_open(context, "foreign.sqlite", m, &store));
        assert_fails(context, TRUCE_ERROR_FORMAT, "text.sqlite is not a Truce run store",
                     io_store_open(context, "text.sqlite", m, &store));
        assert_fails(context, TRUCE_ERROR_UNSUPPORTED,
                     "newer.sqlite has format 2, this version of Truce reads",
                     io_store_open(context, "newer.sqlite", m, &store));
        assert_fails(context, TRUCE_ERROR_IO, "/tmp", io_store_open(context, "/tmp", m, &store));
        assert_fails(context, TRUCE_ERROR_IO, "empty", io_store_open(context, "", m, &store));
        assert_fails(context, TRUCE_ERROR_IO, "absent/x.sqlite: No such file or directory",
                     io_store_open(context, "absent/x.sqlite", m, &store));
    }
    assert_fails(context, TRUCE_ERROR_IO, "absent.sqlite: No such file or directory",
                 io_store_open(context, "absent.sqlite", IO_STORE_READ, &store));
    assert_fails(context, TRUCE_ERROR_FORMAT, "empty.sqlite is not a Truce run store",
                 io_store_open(context, "empty.sqlite", IO_STORE_READ, &store));
    assert_null(store);
    assert_ok(context, io_store_open(context, ":memory:", IO_STORE_APPEND, &store));
    assert_ok(context, io_store_close(store));
    assert_true(io_exists(":memory:"));
}

static void a_damaged_store_fails_with_its_name(void **state) {
    truce_context *context = *state;
    base_rng rng = base_rng_make(9, "damage", 0, 0);
    io_store *store = open_store(context, "damaged.sqlite", IO_STORE_FRESH);
    int64_t run = begin_run(context, store, "a");
    for (int i = 0; i < 2000; i++) assert_ok(context, add_loss(store, run, i, i));
    assert_ok(context, io_store_close(store));
    io_bytes whole;
    assert_ok(context, io_bytes_read(context, "damaged.sqlite", &whole));
    static unsigned char bytes[1 << 20];
    assert_true(whole.n < sizeof bytes);
    for (int round = 0; round < 40; round++) {
        memcpy(bytes, whole.bytes, whole.n);
        for (int k = 0; k < 300; k++)
            bytes[100 + base_rng_below(&rng, whole.n - 100)] = (unsigned char)base_rng_u32(&rng);
        test_write_file("scratched.sqlite", bytes, round % 4 ? whole.n : base_rng_below(&rng, whole.n));
        int n = 0;
        truce_status status = io_store_open(context, "scratched.sqlite", IO_STORE_READ, &store);
        if (status == TRUCE_OK) {
            status = io_store_each_scalar(store, run, NULL, NULL, NULL, count_scalar, &n);
            io_store_close(store);
        }
        if (status) assert_non_null(strstr(truce_context_message(context), "scratched.sqlite"));
    }
    io_bytes_free(context, &whole);
}

static void a_matrix_that_lies_about_its_size_is_refused(void **state) {
    truce_context *context = *state;
    matrices m = {NULL, 0};
    double one = 1;
    io_store *store = open_store(context, "lies.sqlite", IO_STORE_FRESH);
    int64_t run = begin_run(context, store, "a");
    assert_ok(context, io_store_add_matrix(store, run, 1, "g", 1, 1, &one));
    assert_ok(context, io_store_flush(store));
    static const char *const lies[] = {"UPDATE matrix SET n_rows = 2",
                                       "UPDATE matrix SET n_rows = -1, n_columns = -1",
                                       "UPDATE matrix SET n_rows = 1, n_columns = 1, cells = x'00'"};
    for (size_t i = 0; i < BASE_COUNT(lies); i++) {
        assert_ok(context, io_store_run_sql(store, lies[i]));
        assert_fails(context, TRUCE_ERROR_FORMAT, "lies.sqlite: a matrix at step 1 is damaged",
                     io_store_each_matrix(store, run, "g", check_matrix, &m));
    }
    assert_ok(context, io_store_close(store));
}

static void stores_share_a_file(void **state) {
    truce_context *context = *state;
    io_store *a = open_store(context, "shared.sqlite", IO_STORE_FRESH);
    io_store *b = open_store(context, "shared.sqlite", IO_STORE_APPEND);
    int64_t run_a = begin_run(context, a, "a"), run_b = begin_run(context, b, "b");
    for (int i = 0; i < 50; i++) {
        assert_ok(context, add_loss(a, run_a, i, i));
        assert_ok(context, add_loss(b, run_b, i, i));
        if (i % 10 == 9) assert_ok(context, io_store_flush(a));
    }
    io_store *reader = open_store(context, "shared.sqlite", IO_STORE_READ);
    assert_int_equal(50, count_scalars(context, reader, run_a));
    assert_int_equal(0, count_scalars(context, reader, run_b));
    assert_ok(context, io_store_flush(b));
    assert_int_equal(50, count_scalars(context, reader, run_b));
    assert_fails(context, TRUCE_ERROR_STATE, "shared.sqlite is open for reading only",
                 add_loss(reader, run_a, 1, 1));
    assert_fails(context, TRUCE_ERROR_STATE, "reading only", io_store_end_run(reader, run_a, "done"));
    assert_ok(context, io_store_close(reader));
    assert_ok(context, io_store_close(b));
    assert_ok(context, io_store_close(a));
}

static void a_lock_is_waited_for_and_then_named(void **state) {
    truce_context *context = *state;
    sqlite3 *db = NULL;
    io_store *store = open_store(context, "locked.sqlite", IO_STORE_FRESH);
    int64_t run = begin_run(context, store, "a");
    assert_ok(context, add_loss(store, run, 1, 1));
    assert_int_equal(SQLITE_OK, sqlite3_open("locked.sqlite", &db));
    assert_int_equal(SQLITE_OK, sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL));
    sqlite3_busy_timeout(store->db, 20);
    assert_fails(context, TRUCE_ERROR_IO, "locked.sqlite is locked by another program",
                 io_store_flush(store));
    assert_int_equal(SQLITE_OK, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
    sqlite3_close(db);
    assert_ok(context, io_store_flush(store));
    assert_int_equal(1, count_scalars(context, store, run));
    assert_ok(context, io_store_close(store));
}

static void a_run_that_vanished_is_named(void **state) {
    truce_context *context = *state;
    io_store *store = open_store(context, "vanished.sqlite", IO_STORE_FRESH);
    assert_ok(context, add_loss(store, 5, 1, 1));
    assert_fails(context, TRUCE_ERROR_NAME, "vanished.sqlite does not hold the run", io_store_flush(store));
    assert_fails(context, TRUCE_ERROR_NAME, "vanished.sqlite does not hold the run", io_store_close(store));
}

/* A limit on the size of files stands for a full disk. */
static void a_full_disk_keeps_what_waits(void **state) {
    truce_context *context = *state;
    struct rlimit limit, small;
    struct stat about;
    unlink("full.sqlite"); /* a file that was larger before has room */
    io_store *store = open_store(context, "full.sqlite", IO_STORE_FRESH);
    int64_t run = begin_run(context, store, "a");
    for (int i = 0; i < 100; i++) assert_ok(context, add_loss(store, run, i, i));
    assert_ok(context, io_store_flush(store));
    for (int i = 0; i < 20000; i++) assert_ok(context, add_loss(store, run, i, i));
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(0, stat("full.sqlite", &about));
    assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &limit));
    small = limit;
    small.rlim_cur = (rlim_t)about.st_size + 100000;
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &small));
    truce_status status = io_store_flush(store);
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &limit));
    signal(SIGXFSZ, handler);
    assert_fails(context, TRUCE_ERROR_IO, "full.sqlite: File too large; free some space", status);
    io_store *reader = open_store(context, "full.sqlite", IO_STORE_READ);
    assert_int_equal(100, count_scalars(context, reader, run));
    assert_ok(context, io_store_close(reader));
    assert_ok(context, io_store_flush(store));
    assert_int_equal(20100, count_scalars(context, store, run));
    assert_ok(context, io_store_close(store));
}

static void a_database_that_may_not_grow_is_a_full_disk(void **state) {
    truce_context *context = *state;
    io_store *store = open_store(context, "limit.sqlite", IO_STORE_FRESH);
    int64_t run = begin_run(context, store, "a");
    assert_ok(context, io_store_run_sql(store, "PRAGMA max_page_count = 1"));
    for (int i = 0; i < 20000; i++) assert_ok(context, add_loss(store, run, i, i));
    assert_fails(context, TRUCE_ERROR_IO, "limit.sqlite: No space left on device; free some space",
                 io_store_flush(store));
    assert_ok(context, io_store_run_sql(store, "PRAGMA max_page_count = 100000"));
    assert_int_equal(20000, count_scalars(context, store, run));
    assert_ok(context, io_store_close(store));
    assert_int_equal(0, unlink("limit.sqlite"));
}

enum { BATCH = 500 };

/* Writes batches until it is killed. */
static void write_batches(truce_context *context) {
    io_store *store = NULL;
    if (io_store_open(context, "killed.sqlite", IO_STORE_APPEND, &store)) _exit(1);
    for (int batch = 0;; batch++) {
        for (int i = 0; i < BATCH; i++)
            if (add_loss(store, 1, batch * BATCH + i, i)) _exit(2);
        if (io_store_flush(store)) _exit(3);
    }
}

static void a_killed_program_leaves_whole_flushes(void **state) {
    truce_context *context = *state;
    io_store *store = open_store(context, "killed.sqlite", IO_STORE_FRESH);
    int64_t run = begin_run(context, store, "a");
    assert_ok(context, io_store_close(store));
    int before = 0, result = 0;
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) write_batches(context);
        nanosleep(&(struct timespec){.tv_nsec = 20000000 + 7000000 * round}, NULL);
        assert_int_equal(0, kill(child, SIGKILL));
        assert_int_equal(child, waitpid(child, &result, 0));
        assert_true(WIFSIGNALED(result));
        store = open_store(context, "killed.sqlite", round % 2 ? IO_STORE_READ : IO_STORE_APPEND);
        int64_t good = 0;
        int n = count_scalars(context, store, run);
        assert_int_equal(0, n % BATCH);
        assert_true(n >= before);
        assert_ok(context,
                  io_store_number(store, "SELECT integrity_check = 'ok' FROM pragma_integrity_check", &good));
        assert_int_equal(1, good);
        assert_ok(context, io_store_close(store));
        before = n;
    }
    assert_true(before > 0);
}

static void what_was_not_flushed_is_lost_alone(void **state) {
    truce_context *context = *state;
    int result = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        io_store *store = NULL;
        int64_t run = 0;
        if (io_store_open(context, "lost.sqlite", IO_STORE_FRESH, &store)) _exit(1);
        if (io_store_begin_run(store, &(io_run){.name = "a"}, &run)) _exit(2);
        for (int i = 0; i < 10; i++) add_loss(store, run, i, i);
        if (io_store_flush(store)) _exit(3);
        for (int i = 0; i < 10; i++) add_loss(store, run, i, i);
        _exit(0);
    }
    assert_int_equal(child, waitpid(child, &result, 0));
    assert_int_equal(0, result);
    io_store *store = open_store(context, "lost.sqlite", IO_STORE_READ);
    assert_int_equal(10, count_scalars(context, store, 1));
    assert_ok(context, io_store_close(store));
}

static void the_folder_holds_one_file(void **state) {
    truce_context *context = *state;
    int n = 0;
    assert_ok(context, io_make_folders(context, "alone"));
    io_store *store = open_store(context, "alone/run.sqlite", IO_STORE_FRESH);
    int64_t run = begin_run(context, store, "a");
    assert_ok(context, add_loss(store, run, 1, 1));
    assert_ok(context, io_store_flush(store));
    DIR *folder = opendir("alone");
    for (struct dirent *entry; (entry = readdir(folder));) n += entry->d_name[0] != '.';
    closedir(folder);
    assert_int_equal(1, n);
    assert_ok(context, io_store_close(store));
}

static truce_status use_everything(truce_context *context) {
    io_store *store = NULL;
    double values[4] = {1, 2, 3, 4};
    char *note = NULL;
    int n = 0;
    matrices m = {values, 0};
    BASE_TRY(io_store_open(context, "memory.sqlite", IO_STORE_FRESH, &store));
    int64_t run = 0;
    truce_status status = io_store_begin_run(store, &(io_run){.name = "a"}, &run);
    if (!status) status = add_loss(store, run, 1, 1);
    if (!status) status = io_store_add_matrix(store, run, 0, "g", 0, 3, values);
    if (!status) status = io_store_add_note(store, run, "k", "v");
    if (!status) status = io_store_each_scalar(store, run, "train", NULL, NULL, count_scalar, &n);
    if (!status) status = io_store_each_matrix(store, run, "g", check_matrix, &m);
    if (!status) status = io_store_note(store, run, "k", &note);
    base_free(context, note);
    truce_status closed = io_store_close(store);
    return status ? status : closed;
}

static void every_failing_allocation_is_survived(void **state) {
    truce_context *context = *state;
    for (long k = 1, failed = 1; failed; k++) {
        test_fail_allocation(k);
        truce_status status = use_everything(context);
        failed = test_allocation_failed();
        assert_int_equal(failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(runs_scalars_and_notes_are_read_as_written),
        TEST(runs_know_when_and_by_what_they_were_made),
        TEST(matrices_keep_their_bits),
        TEST(a_fresh_store_holds_no_runs),
        TEST(a_run_goes_back_to_a_step),
        TEST(callbacks_may_use_the_store_and_stop),
        TEST(what_is_no_store_is_refused_and_left_alone),
        TEST(a_damaged_store_fails_with_its_name),
        TEST(a_matrix_that_lies_about_its_size_is_refused),
        TEST(stores_share_a_file),
        TEST(a_lock_is_waited_for_and_then_named),
        TEST(a_run_that_vanished_is_named),
        TEST(a_full_disk_keeps_what_waits),
        TEST(a_database_that_may_not_grow_is_a_full_disk),
        TEST(a_killed_program_leaves_whole_flushes),
        TEST(what_was_not_flushed_is_lost_alone),
        TEST(the_folder_holds_one_file),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
