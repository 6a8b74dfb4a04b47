#include "support/test.h"

#include "base/memory.h"
#include "base/team.h"

typedef struct sum_job {
    base_team *team;
    double *partial;
    int64_t grain;
    atomic_int nested_workers;
} sum_job;

static void sum_chunk(void *arg, int64_t begin, int64_t end, int worker) {
    sum_job *job = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i++) job->partial[begin / job->grain] += 1.0 / (double)(i + 1);
}

static double chunked_sum(truce_context *context, int n_threads, int64_t n, int64_t grain) {
    base_team *team;
    double *partial, sum = 0;
    int64_t n_chunks = (n + grain - 1) / grain;
    assert_ok(context, base_team_create(context, n_threads, &team));
    assert_ok(context, base_alloc(context, (size_t)n_chunks, sizeof *partial, &partial));
    sum_job job = {.team = team, .partial = partial, .grain = grain};
    base_parallel(team, n, grain, sum_chunk, &job);
    for (int64_t i = 0; i < n_chunks; i++) sum += partial[i];
    base_free(context, partial);
    base_team_destroy(context, team);
    return sum;
}

static void sums_do_not_depend_on_threads(void **state) {
    truce_context *context = *state;
    for (int64_t n = 0; n < 5000; n = 2 * n + 1)
        for (int64_t grain = 1; grain < 300; grain *= 7) {
            double one = chunked_sum(context, 1, n, grain);
            for (int n_threads = 2; n_threads <= 5; n_threads++) {
                double many = chunked_sum(context, n_threads, n, grain);
                assert_memory_equal(&one, &many, sizeof one);
            }
        }
}

static void inner_chunk(void *arg, int64_t begin, int64_t end, int worker) {
    (void)begin;
    (void)end;
    atomic_int *expected = arg;
    assert_int_equal(atomic_load(expected), worker);
}

static void outer_chunk(void *arg, int64_t begin, int64_t end, int worker) {
    sum_job *job = arg;
    (void)begin;
    (void)end;
    atomic_int self = worker;
    base_parallel(job->team, 8, 1, inner_chunk, &self);
    atomic_fetch_add(&job->nested_workers, 1);
}

static void a_nested_call_stays_in_its_worker(void **state) {
    truce_context *context = *state;
    base_team *team;
    assert_ok(context, base_team_create(context, 3, &team));
    sum_job job = {.team = team};
    for (int i = 0; i < 100; i++) base_parallel(team, 16, 1, outer_chunk, &job);
    assert_int_equal(1600, job.nested_workers);
    base_team_destroy(context, team);
}

static void no_team_means_one_thread(void **state) {
    (void)state;
    sum_job job = {.grain = 10, .partial = (double[3]){0}};
    base_parallel(NULL, 30, 10, sum_chunk, &job);
    assert_true(job.partial[0] > job.partial[2]);
    assert_int_equal(1, base_team_size(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(sums_do_not_depend_on_threads),
        TEST(a_nested_call_stays_in_its_worker),
        TEST(no_team_means_one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
