/*
 * Dual-balancing: gradients of log(L_i + 1e-8), averaged over the steps and brought to the length of the
 * longest,
 *
 *     h_i <- l_i + (beta / k^sigma) (h_i - l_i),   l_i = g_i / (L_i + 1e-8),   d = sum_i (max_j |h_j| /
 * |h_i|) h_i.
 *
 * With beta = 0 there is no average, the Gramian is enough, and weights exist. State otherwise: T x P
 * numbers.
 */
#include "balance/columns.h"
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

#define EPSILON 1e-8

typedef struct db_mtl {
    double beta, sigma;
    int log;
    double *average;           /* [T][P] state */
    double *factors, *squares; /* [T] */
} db_mtl;

static const truce_option options[] = {
    BALANCE_REAL(db_mtl, beta, "0.9", 0, 1, "share of the average that stays"),
    BALANCE_REAL(db_mtl, sigma, "0", 0, 2, "beta is divided by k to this power"),
    BALANCE_SWITCH(db_mtl, log, "true", "balance the logarithms of the losses"),
};

static unsigned needs(const void *self) {
    const db_mtl *m = self;
    unsigned rows = m->beta > 0 ? TRUCE_NEEDS_JACOBIAN : TRUCE_NEEDS_GRAMIAN;
    return rows | (m->log ? TRUCE_NEEDS_LOSSES : 0);
}

static truce_status prepare(truce_balancer *balancer, void *self) {
    db_mtl *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    if (m->beta > 0) BASE_TRY(balance_keep(balancer, "average_gradients", BALANCE_ROWS, 0, &m->average));
    BASE_TRY(balance_scratch(balancer, tasks, &m->factors));
    return balance_scratch(balancer, tasks, &m->squares);
}

/* What g_i is multiplied by to become l_i. */
static truce_status find_factors(truce_balancer *balancer, const db_mtl *m, const balance_step *step) {
    char task[BALANCE_TASK_BYTES];
    for (int i = 0; i < step->n; i++) {
        double shifted = m->log ? step->losses[i] + EPSILON : 1;
        if (!(shifted > 0))
            return balance_fail(balancer, TRUCE_ERROR_DATA, "the loss of %s is %g, which has no logarithm",
                                balance_task_text(balancer, step->task[i], task), step->losses[i]);
        m->factors[i] = 1 / shifted;
    }
    return TRUCE_OK;
}

/* Turns squared lengths into what brings each to the longest one. */
static void lengthen(int n, double *squares) {
    double longest = balance_largest(n, squares);
    for (int i = 0; i < n; i++) squares[i] = squares[i] > 0 ? sqrt(longest / squares[i]) : 0;
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    db_mtl *m = self;
    if (m->beta > 0)
        return balance_fail(balancer, TRUCE_ERROR_UNSUPPORTED, "it has weights with beta = 0 only");
    BASE_TRY(find_factors(balancer, m, step));
    for (int i = 0; i < step->n; i++) m->squares[i] = pow(step->norms[i] * m->factors[i], 2);
    lengthen(step->n, m->squares);
    for (int i = 0; i < step->n; i++) weights[i] = m->squares[i] * m->factors[i];
    return TRUCE_OK;
}

typedef struct averaging {
    const db_mtl *m;
    const balance_step *step;
    int64_t n_parameters;
    double stays;
} averaging;

static double *average_of(const averaging *a, int i, int64_t first) {
    return a->m->average + a->step->task[i] * a->n_parameters + first;
}

static void average(void *arg, const balance_block *block, double *sums) {
    const averaging *a = arg;
    for (int i = 0; i < a->step->n; i++) {
        double *h = average_of(a, i, block->first);
        for (int c = 0; c < block->n; c++) {
            double l = a->m->factors[i] * block->rows[i * BALANCE_BLOCK + c];
            h[c] = l + a->stays * (h[c] - l);
            sums[i] += h[c] * h[c];
        }
    }
}

static void fill(void *arg, const balance_block *block) {
    const averaging *a = arg;
    for (int i = 0; i < a->step->n; i++) {
        const double *h = average_of(a, i, block->first);
        for (int c = 0; c < block->n; c++) block->out[c] += a->m->squares[i] * h[c];
    }
}

static truce_status aggregate(truce_balancer *balancer, void *self, const balance_step *step,
                              void *direction) {
    db_mtl *m = self;
    double k = (double)balance_steps(balancer) + 1;
    averaging a = {m, step, balance_parameters(balancer), m->beta / pow(k, m->sigma)};
    BASE_TRY(find_factors(balancer, m, step));
    balance_sum_columns(balancer, step, average, &a, step->n, m->squares);
    lengthen(step->n, m->squares);
    return balance_fill_columns(balancer, step, fill, &a, direction);
}

const balance_method balance_db_mtl = {
    .about = {.name = "db_mtl",
              .title = "Dual-balancing multi-task learning",
              .reference = "Lin et al., 2023, arXiv 2308.12029",
              .summary =
                  "Balances the logarithms of the losses and brings their averaged gradients to one length.",
              .needs = TRUCE_NEEDS_LOSSES | TRUCE_NEEDS_JACOBIAN,
              .properties = TRUCE_SCALE_INVARIANT | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_LOG,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(db_mtl),
    .prepare = prepare,
    .weigh = weigh,
    .aggregate = aggregate,
    .needs = needs,
};
