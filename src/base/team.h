/*
 * A team of worker threads that splits a range into chunks.
 *
 * Chunk boundaries depend on the range and the grain only, never on the number of threads, so a kernel that
 * keeps a partial sum per chunk and adds the sums in order gives the same bits everywhere. Idle workers
 * sleep; they never spin.
 */
#ifndef BASE_TEAM_H
#define BASE_TEAM_H

#include "base/context.h"

/* Works on [begin, end). `worker` is below base_team_size, and no two calls at a time share it. */
typedef void (*base_chunk_fn)(void *arg, int64_t begin, int64_t end, int worker);

truce_status base_team_create(truce_context *context, int n_threads, base_team **out);
void base_team_destroy(truce_context *context, base_team *team);

/* Threads that can work at once, the caller's included. At least 1; 1 for NULL. */
int base_team_size(const base_team *team);

/*
 * Calls fn for every chunk of `grain` elements of [0, n) and returns when all are done. Runs in the calling
 * thread where there is one chunk, one thread, or the caller is itself inside such a call.
 */
void base_parallel(base_team *team, int64_t n, int64_t grain, base_chunk_fn fn, void *arg);

/* Processors that this process may run on. */
int base_processors(void);

#endif
