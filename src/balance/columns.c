/*
 * Blocks are grouped into chunks that depend on P and T only; each chunk sums in the order of its
 * blocks, and the chunks' sums are added in their order. The Gramian's kernel keeps eight partial sums per
 * product in a fixed order, so that it gives the same bits whatever vector unit runs it.
 */
#include "balance/columns.h"

#include "balance/balancer.h"
#include "base/team.h"

#include <math.h>
#include <string.h>

#define MOST_CHUNKS 32
#define MOST_PARTIAL_SUMS ((size_t)1 << 22)

static int64_t count_blocks(const truce_balancer *balancer) {
    return (balancer->n_parameters + BALANCE_BLOCK - 1) / BALANCE_BLOCK;
}

truce_status balance_columns_prepare(truce_balancer *balancer) {
    if (balancer->n_parameters == 0 || balancer->blocks) return TRUCE_OK;
    size_t tasks = (size_t)balancer->n_tasks, n_workers = (size_t)base_team_size(balancer->context->team);
    balancer->n_chunks = (int)BASE_MAX(1, BASE_MIN(MOST_PARTIAL_SUMS / (tasks * tasks), MOST_CHUNKS));
    BASE_TRY(balance_scratch(balancer, (size_t)balancer->n_chunks * tasks * tasks, &balancer->partial));
    return balance_scratch(balancer, n_workers * (tasks + 1) * BALANCE_BLOCK, &balancer->blocks);
}

typedef struct column_job {
    truce_balancer *balancer;
    const balance_step *step;
    void *arg;
    balance_fill_fn fill;
    balance_add_fn add;
    void *direction;
    int k; /* sums per chunk */
    int64_t grain;
    atomic_int bad;
} column_job;

static void load(const truce_balance_input *input, int task, const balance_block *block, double *out) {
    int64_t stride = input->row_stride ? input->row_stride : input->n_parameters;
    int64_t at = task * stride + block->first;
    memset(out + block->n, 0, (size_t)(BALANCE_BLOCK - block->n) * sizeof *out);
    if (input->dtype == TRUCE_FLOAT64) {
        memcpy(out, (const double *)input->jacobian + at, (size_t)block->n * sizeof *out);
        return;
    }
    const float *values = (const float *)input->jacobian + at;
    for (int i = 0; i < block->n; i++) out[i] = (double)values[i];
}

static balance_block open_block(const column_job *job, int64_t i, int worker) {
    const truce_balancer *balancer = job->balancer;
    size_t room = (size_t)(balancer->n_tasks + 1) * BALANCE_BLOCK;
    balance_block block = {.first = i * BALANCE_BLOCK, .rows = balancer->blocks + (size_t)worker * room};
    block.n = (int)BASE_MIN(BALANCE_BLOCK, balancer->n_parameters - block.first);
    block.out = block.rows + (size_t)balancer->n_tasks * BALANCE_BLOCK;
    for (int t = 0; t < job->step->n; t++)
        load(job->step->input, job->step->task[t], &block, block.rows + (size_t)t * BALANCE_BLOCK);
    return block;
}

/* Stores a block of the direction; false if a number is not finite in the direction's type. */
static bool store(const column_job *job, const balance_block *block) {
    double check = 0;
    if (job->step->input->dtype == TRUCE_FLOAT64) {
        memcpy((double *)job->direction + block->first, block->out, (size_t)block->n * sizeof *block->out);
        for (int i = 0; i < block->n; i++) check += 0 * block->out[i];
        return check == 0;
    }
    float *direction = (float *)job->direction + block->first;
    for (int i = 0; i < block->n; i++) {
        direction[i] = (float)block->out[i];
        check += 0 * (double)direction[i];
    }
    return check == 0;
}

static void fill_chunk(void *arg, int64_t begin, int64_t end, int worker) {
    column_job *job = arg;
    for (int64_t i = begin; i < end; i++) {
        balance_block block = open_block(job, i, worker);
        memset(block.out, 0, BALANCE_BLOCK * sizeof *block.out);
        job->fill(job->arg, &block);
        if (!store(job, &block)) atomic_store(&job->bad, 1);
    }
}

truce_status balance_fill_columns(truce_balancer *balancer, const balance_step *step, balance_fill_fn fill,
                                  void *arg, void *direction) {
    column_job job = {.balancer = balancer, .step = step, .arg = arg, .fill = fill, .direction = direction};
    base_parallel(balancer->context->team, count_blocks(balancer), 16, fill_chunk, &job);
    if (!atomic_load(&job.bad)) return TRUCE_OK;
    return balance_fail(balancer, TRUCE_ERROR_NUMERIC,
                        "the direction is not finite; are the gradients near the largest %s?",
                        truce_dtype_name(step->input->dtype));
}

static void sum_chunk(void *arg, int64_t begin, int64_t end, int worker) {
    column_job *job = arg;
    double *sums = job->balancer->partial + (size_t)(begin / job->grain) * (size_t)job->k;
    memset(sums, 0, (size_t)job->k * sizeof *sums);
    for (int64_t i = begin; i < end; i++) {
        balance_block block = open_block(job, i, worker);
        job->add(job->arg, &block, sums);
    }
}

void balance_sum_columns(truce_balancer *balancer, const balance_step *step, balance_add_fn add, void *arg,
                         int k, double *sums) {
    int64_t n = count_blocks(balancer), grain = (n + balancer->n_chunks - 1) / balancer->n_chunks;
    column_job job = {.balancer = balancer, .step = step, .arg = arg, .add = add, .k = k, .grain = grain};
    base_parallel(balancer->context->team, n, grain, sum_chunk, &job);
    memset(sums, 0, (size_t)k * sizeof *sums);
    for (int64_t chunk = 0; chunk * grain < n; chunk++)
        for (int i = 0; i < k; i++) sums[i] += balancer->partial[chunk * k + i];
}

/* One build per vector unit, chosen when the program is loaded; sanitizers are not ready that early. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(SANITIZED)
#define EVERY_VECTOR_UNIT __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EVERY_VECTOR_UNIT
#endif

#if defined(__GNUC__)
typedef double lanes __attribute__((vector_size(64), aligned(8), may_alias));
#else
#error "the kernel below is written with the vector types of GCC and Clang"
#endif

static double add_lanes(const lanes *x) {
    return (((*x)[0] + (*x)[1]) + ((*x)[2] + (*x)[3])) + (((*x)[4] + (*x)[5]) + ((*x)[6] + (*x)[7]));
}

/* Two rows against two: four products at a time, each number loaded once for two of them. */
EVERY_VECTOR_UNIT static void add_products(int rows, const double *x, double *sums) {
    for (int i = 0; i < rows; i += 2)
        for (int j = 0; j <= i; j += 2) {
            int i1 = BASE_MIN(i + 1, rows - 1), j1 = BASE_MIN(j + 1, rows - 1);
            const lanes *a = (const void *)(x + (size_t)i * BALANCE_BLOCK);
            const lanes *b = (const void *)(x + (size_t)i1 * BALANCE_BLOCK);
            const lanes *c = (const void *)(x + (size_t)j * BALANCE_BLOCK);
            const lanes *d = (const void *)(x + (size_t)j1 * BALANCE_BLOCK);
            lanes ac = {0}, ad = {0}, bc = {0}, bd = {0};
            for (int k = 0; k < BALANCE_BLOCK / 8; k++) {
                ac += a[k] * c[k];
                ad += a[k] * d[k];
                bc += b[k] * c[k];
                bd += b[k] * d[k];
            }
            sums[(size_t)i * (size_t)rows + (size_t)j] += add_lanes(&ac);
            if (j1 > j) sums[(size_t)i * (size_t)rows + (size_t)j1] += add_lanes(&ad);
            if (i1 > i) sums[(size_t)i1 * (size_t)rows + (size_t)j] += add_lanes(&bc);
            if (i1 > i && j1 > j) sums[(size_t)i1 * (size_t)rows + (size_t)j1] += add_lanes(&bd);
        }
}

void balance_add_gramian(int rows, const double *x, double *sums) {
    add_products(rows, x, sums);
}

static void add_gramian(void *arg, const balance_block *block, double *sums) {
    const balance_step *step = arg;
    balance_add_gramian(step->n, block->rows, sums);
}

void balance_gramian_of_rows(truce_balancer *balancer, const balance_step *step, double *gramian) {
    balance_step rows = *step;
    balance_sum_columns(balancer, step, add_gramian, &rows, step->n * step->n, gramian);
    for (int i = 0; i < step->n; i++)
        for (int j = 0; j < i; j++) gramian[j * step->n + i] = gramian[i * step->n + j];
}

static void add_squares(void *arg, const balance_block *block, double *sums) {
    const balance_step *step = arg;
    for (int t = 0; t < step->n; t++)
        for (int i = 0; i < block->n; i++)
            sums[t] += block->rows[t * BALANCE_BLOCK + i] * block->rows[t * BALANCE_BLOCK + i];
}

void balance_norms_of_rows(truce_balancer *balancer, const balance_step *step, double *squares) {
    balance_step rows = *step;
    balance_sum_columns(balancer, step, add_squares, &rows, step->n, squares);
}

typedef struct combination {
    const balance_step *step;
    const double *weights;
} combination;

static void fill_combination(void *arg, const balance_block *block) {
    const combination *sum = arg;
    for (int t = 0; t < sum->step->n; t++)
        for (int i = 0; i < BALANCE_BLOCK; i++)
            block->out[i] += sum->weights[t] * block->rows[t * BALANCE_BLOCK + i];
}

truce_status balance_combine_rows(truce_balancer *balancer, const balance_step *step, const double *weights,
                                  void *direction) {
    combination sum = {step, weights};
    return balance_fill_columns(balancer, step, fill_combination, &sum, direction);
}
