#define _GNU_SOURCE
#include "base/team.h"

#include "base/memory.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <unistd.h>

typedef struct worker {
    base_team *team;
    pthread_t thread;
    int index;
} worker;

/* One job at a time: `ticket` counts jobs, and a worker that sees a new ticket takes chunks until none is
 * left. */
struct base_team {
    int n_workers; /* without the caller */
    worker *workers;
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    uint64_t ticket;
    int n_busy;
    bool stop, in_use;
    int64_t n, grain;
    base_chunk_fn fn;
    void *arg;
    atomic_int_fast64_t next;
};

/* The team for which this thread is working on a chunk (NULL: none), and its number in that team. */
static _Thread_local const base_team *current_team;
static _Thread_local int current_worker;

int base_processors(void) {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return BASE_MAX(1, CPU_COUNT(&set));
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

int base_team_size(const base_team *team) {
    return team ? team->n_workers + 1 : 1;
}

static void take_chunks(base_team *team, int worker_index) {
    const base_team *outer_team = current_team;
    int outer_worker = current_worker;
    current_team = team;
    current_worker = worker_index;
    for (;;) {
        int64_t begin = (int64_t)atomic_fetch_add(&team->next, team->grain);
        if (begin >= team->n) break;
        team->fn(team->arg, begin, BASE_MIN(begin + team->grain, team->n), worker_index);
    }
    current_team = outer_team;
    current_worker = outer_worker;
}

static void *worker_main(void *arg) {
    worker *self = arg;
    base_team *team = self->team;
    uint64_t seen = 0;
    pthread_mutex_lock(&team->lock);
    for (;;) {
        while (!team->stop && team->ticket == seen) pthread_cond_wait(&team->wake, &team->lock);
        if (team->stop) break;
        seen = team->ticket;
        pthread_mutex_unlock(&team->lock);
        take_chunks(team, self->index);
        pthread_mutex_lock(&team->lock);
        if (--team->n_busy == 0) pthread_cond_signal(&team->done);
    }
    pthread_mutex_unlock(&team->lock);
    return NULL;
}

static void stop_workers(base_team *team, int n_started) {
    pthread_mutex_lock(&team->lock);
    team->stop = true;
    pthread_cond_broadcast(&team->wake);
    pthread_mutex_unlock(&team->lock);
    for (int i = 0; i < n_started; i++) pthread_join(team->workers[i].thread, NULL);
}

static void free_team(truce_context *context, base_team *team) {
    pthread_cond_destroy(&team->wake);
    pthread_cond_destroy(&team->done);
    pthread_mutex_destroy(&team->lock);
    base_free(context, team->workers);
    base_free(context, team);
}

truce_status base_team_create(truce_context *context, int n_threads, base_team **out) {
    base_team *team;
    BASE_TRY(base_alloc(context, 1, sizeof *team, &team));
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->wake, NULL);
    pthread_cond_init(&team->done, NULL);
    int wanted = BASE_MAX(n_threads, 1) - 1;
    truce_status status = base_alloc(context, (size_t)wanted, sizeof *team->workers, &team->workers);
    int started = 0;
    while (!status && started < wanted) {
        worker *w = &team->workers[started];
        *w = (worker){.team = team, .index = started + 1};
        if (pthread_create(&w->thread, NULL, worker_main, w))
            status = base_fail(context, TRUCE_ERROR_MEMORY, "thread %d of %d could not be started",
                               started + 2, wanted + 1);
        else
            started++;
    }
    if (status) {
        stop_workers(team, started);
        free_team(context, team);
        return status;
    }
    team->n_workers = wanted;
    *out = team;
    return TRUCE_OK;
}

void base_team_destroy(truce_context *context, base_team *team) {
    if (!team) return;
    stop_workers(team, team->n_workers);
    free_team(context, team);
}

static void run_alone(const base_team *team, int64_t n, int64_t grain, base_chunk_fn fn, void *arg) {
    int worker_index = team && current_team == team ? current_worker : 0;
    for (int64_t begin = 0; begin < n; begin += grain)
        fn(arg, begin, BASE_MIN(begin + grain, n), worker_index);
}

void base_parallel(base_team *team, int64_t n, int64_t grain, base_chunk_fn fn, void *arg) {
    if (n <= 0) return;
    grain = BASE_MAX(grain, 1);
    if (!team || team->n_workers == 0 || n <= grain || current_team == team) {
        run_alone(team, n, grain, fn, arg);
        return;
    }
    pthread_mutex_lock(&team->lock);
    team->n = n;
    team->grain = grain;
    team->fn = fn;
    team->arg = arg;
    atomic_store(&team->next, 0);
    team->n_busy = team->n_workers;
    team->ticket++;
    pthread_cond_broadcast(&team->wake);
    pthread_mutex_unlock(&team->lock);
    take_chunks(team, 0);
    pthread_mutex_lock(&team->lock);
    while (team->n_busy) pthread_cond_wait(&team->done, &team->lock);
    pthread_mutex_unlock(&team->lock);
}
