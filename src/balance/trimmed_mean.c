/*
 * Trimmed mean, from Byzantine-robust learning: at each coordinate the `trim` lowest and highest values are
 * dropped and the rest averaged. Needs T >= 2 trim + 1; where missing tasks leave fewer, fewer are dropped.
 */
#include "balance/columns.h"
#include "balance/table.h"

typedef struct trimmed_mean {
    int64_t trim;
} trimmed_mean;

static const truce_option options[] = {
    BALANCE_INTEGER(trimmed_mean, trim, "1", 0, 1e9, "values dropped at either end"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    const trimmed_mean *m = self;
    int tasks = balance_tasks(balancer);
    if (tasks > 2 * m->trim) return TRUCE_OK;
    return balance_fail(balancer, TRUCE_ERROR_ARGUMENT, "%d tasks are too few to drop %lld at either end",
                        tasks, (long long)m->trim);
}

typedef struct trimming {
    int n, trim;
} trimming;

/* Sorts the values of column c, which lie BALANCE_BLOCK apart. */
static void sort_column(double *column, int n) {
    for (int i = 1; i < n; i++) {
        double value = column[i * BALANCE_BLOCK];
        int k = i;
        for (; k > 0 && column[(k - 1) * BALANCE_BLOCK] > value; k--)
            column[k * BALANCE_BLOCK] = column[(k - 1) * BALANCE_BLOCK];
        column[k * BALANCE_BLOCK] = value;
    }
}

static void fill(void *arg, const balance_block *block) {
    const trimming *t = arg;
    for (int c = 0; c < block->n; c++) {
        sort_column(block->rows + c, t->n);
        for (int i = t->trim; i < t->n - t->trim; i++) block->out[c] += block->rows[i * BALANCE_BLOCK + c];
        block->out[c] /= t->n - 2 * t->trim;
    }
}

static truce_status aggregate(truce_balancer *balancer, void *self, const balance_step *step,
                              void *direction) {
    const trimmed_mean *m = self;
    trimming t = {step->n, (int)BASE_MIN(m->trim, (step->n - 1) / 2)};
    return balance_fill_columns(balancer, step, fill, &t, direction);
}

const balance_method balance_trimmed_mean = {
    .about = {.name = "trimmed_mean",
              .title = "Trimmed mean",
              .reference = "Yin et al., ICML 2018, arXiv 1803.01498",
              .summary = "Averages the gradients coordinate by coordinate, without the extremes.",
              .needs = TRUCE_NEEDS_JACOBIAN,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(trimmed_mean),
    .prepare = prepare,
    .aggregate = aggregate,
};
