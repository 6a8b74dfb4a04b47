/*
 * A training that is killed at any moment, and again while it is resumed, ends in the same bits as one that
 * never was.
 */
#include "support/test.h"

#include "base/rng.h"
#include "io/file.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILLS = 50 };

/* Starts `truce ARGUMENTS`; its process. */
static pid_t start(const char *const *arguments) {
    const char *argv[16] = {TEST_PROGRAM};
    for (int i = 0; i < 14 && arguments[i]; i++) argv[i + 1] = arguments[i];
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("err.txt", "w", stderr)) _exit(99);
        execv(TEST_PROGRAM, (char *const *)argv);
        _exit(98);
    }
    assert_true(child > 0);
    return child;
}

static int finish(pid_t child) {
    int status = 0;
    assert_int_equal(child, waitpid(child, &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int run(const char *const *arguments) {
    return finish(start(arguments));
}

static void pause_for(double seconds) {
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&t, NULL);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Everything random is in it: dropout, batch norm's state, a balancer with state and draws, a schedule,
 * patience. */
static const char *const recipes[] = {
    "name: cut\n"
    "data: {format: tabular, rows: 600, test_rows: 100, n_tasks: 3, n_binary: 1, validation: 0.2}\n"
    "model: {trunk: {type: mlp, widths: [24, 16], dropout: 0.2, norm: batch}}\n"
    "train: {epochs: 10, batch: 48, balancer: nash_mtl, schedule: {type: cosine, warmup: 1}, checkpoint: "
    "0.01}\n",
    "name: cut\n"
    "data: {format: tabular, rows: 600, test_rows: 100, n_tasks: 4, validation: 0.2}\n"
    "model: {trunk: {type: mlp, widths: [16]}}\n"
    "train: {epochs: 12, batch: 32, balancer: graddrop, optimizer: {type: sgd, momentum: 0.9}, rate: 0.02,\n"
    "        checkpoint: 0, patience: 4}\n",
    "name: cut\n"
    "data: {format: tabular, rows: 400, test_rows: 100, n_tasks: 3, validation: 0.2}\n"
    "model: {trunk: {type: mlp, widths: [16]}}\n"
    "train: {epochs: 10, batch: 32, balancer: famo, optimizer: adamw, checkpoint: 0.005}\n",
};

/* The record without times; models and histories bit by bit. */
static void assert_same_runs(int kill_number) {
    static const char *const commands[] = {
        "cmp runs/whole/model.safetensors runs/cut/model.safetensors",
        "cmp runs/whole/history.csv runs/cut/history.csv",
        "cmp runs/whole/encoding.json runs/cut/encoding.json",
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (system(commands[i])) fail_msg("kill %d: %s", kill_number, commands[i]);
}

static void killed_trainings_end_in_the_same_bits(void **state) {
    base_rng rng = base_rng_make(3, "kill", 0, 0);
    const char *const whole[] = {"train", "cut.yaml", "--out", "runs/whole", NULL};
    const char *const cut[] = {"train", "cut.yaml", "--out", "runs/cut", NULL};
    const char *const resume[] = {"train", "--resume", "runs/cut", NULL};
    int n_kills = 0, n_resumed = 0;
    (void)state;
    for (size_t r = 0; n_kills < KILLS; r = (r + 1) % 3) {
        test_write_text("cut.yaml", recipes[r]);
        assert_int_equal(0, system("rm -rf runs"));
        double began = now();
        assert_int_equal(0, run(whole));
        double whole_seconds = now() - began;
        for (int code = -1, first = 1; code != 0;) {
            pid_t child = start(first || !io_exists("runs/cut/run.json") ? cut : resume);
            pause_for(base_rng_uniform(&rng) * whole_seconds);
            kill(child, SIGKILL);
            code = finish(child);
            if (code != 0 && code != -SIGKILL) {
                assert_int_equal(0, system("cat err.txt"));
                fail_msg("kill %d: exit code %d", n_kills, code);
            }
            n_kills += code != 0;
            n_resumed += !first;
            first = 0;
        }
        assert_same_runs(n_kills);
    }
    assert_true(n_resumed >= KILLS / 2);
}

/* Resuming a run that is done changes nothing. */
static void a_finished_run_may_be_resumed(void **state) {
    const char *const whole[] = {"train", "cut.yaml", "--out", "runs/cut", NULL};
    const char *const resume[] = {"train", "--resume", "runs/cut", NULL};
    (void)state;
    test_write_text("cut.yaml", recipes[0]);
    assert_int_equal(0, system("rm -rf runs"));
    assert_int_equal(0, run(whole));
    assert_int_equal(0, system("cp -r runs/cut runs/whole"));
    assert_int_equal(0, run(resume));
    assert_same_runs(0);
}

/* Ctrl-C ends at a safe point with a message; the run can be resumed. */
static void an_interrupted_run_may_be_resumed(void **state) {
    const char *const whole[] = {"train", "cut.yaml", "--out", "runs/whole", NULL};
    const char *const cut[] = {"train", "cut.yaml", "--out", "runs/cut", NULL};
    const char *const resume[] = {"train", "--resume", "runs/cut", NULL};
    (void)state;
    test_write_text("cut.yaml", recipes[1]);
    assert_int_equal(0, system("rm -rf runs"));
    assert_int_equal(0, run(whole));
    pid_t child = start(cut);
    for (int i = 0; i < 1000 && !io_exists("runs/cut/checkpoint.safetensors"); i++) pause_for(0.001);
    kill(child, SIGINT);
    int code = finish(child);
    assert_true(code == 1 || code == 0);
    assert_int_equal(0, run(resume));
    assert_same_runs(0);
}

static void damaged_checkpoints_are_refused(void **state) {
    const char *const whole[] = {"train", "cut.yaml", "--out", "runs/cut", NULL};
    const char *const resume[] = {"train", "--resume", "runs/cut", NULL};
    (void)state;
    test_write_text("cut.yaml", recipes[0]);
    assert_int_equal(0, system("rm -rf runs"));
    assert_int_equal(0, run(whole));
    assert_int_equal(0, system("cp runs/cut/model.safetensors runs/cut/checkpoint.safetensors"));
    assert_int_equal(1, run(resume));
    assert_int_equal(0, system("grep -q 'does not belong to this recipe' err.txt"));
    test_write_text("runs/cut/checkpoint.safetensors", "not a checkpoint");
    assert_int_equal(1, run(resume));
    assert_int_equal(0, system("grep -q 'checkpoint.safetensors' err.txt"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(killed_trainings_end_in_the_same_bits),
        TEST(a_finished_run_may_be_resumed),
        TEST(an_interrupted_run_may_be_resumed),
        TEST(damaged_checkpoints_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
