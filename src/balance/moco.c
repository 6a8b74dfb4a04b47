/*
 * MoCo: min-norm weights from gradients that are tracked over the batches, which removes the bias of mgda's
 * on noisy ones. At step k
 *
 *     y_i <- y_i - beta_k (y_i - g_i),   lambda <- lambda - gamma_k (Y Y' + rho I) lambda on the simplex,   d
 * = Y' lambda,
 *
 * with beta_k = beta / k^beta_decay and gamma_k likewise. LibMTL's version first scales g_i to the length
 * L_i, and takes a softmax of the new lambda for the projection, which keeps it near uniform. gamma
 * multiplies squared gradients: it has to fit their scale. State: T x P numbers.
 */
#include "balance/columns.h"
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/simplex.h"
#include "linalg/small.h"

#include <math.h>

enum { SIMPLEX, SOFTMAX };
enum { NONE, LOSS };

typedef struct moco {
    int variant, project, normalise;
    double beta, beta_decay, gamma, gamma_decay, rho;
    double *y, *lambda; /* [T][P] and [T] state */
    double *factors, *product, *gramian;
} moco;

static const truce_option options[] = {
    BALANCE_CHOICE(moco, variant, "paper", "paper|libmtl", "whose choices to follow"),
    BALANCE_REAL(moco, beta, "0.5", 0, 1, "rate of the tracked gradients"),
    BALANCE_REAL(moco, beta_decay, "0.5", 0, 2, "beta is divided by k to this power"),
    BALANCE_REAL(moco, gamma, "0.1", 0, 1e12, "step length of the weights"),
    BALANCE_REAL(moco, gamma_decay, "0.5", 0, 2, "gamma is divided by k to this power"),
    BALANCE_REAL(moco, rho, "0", 0, 1e12, "quadratic penalty on the weights"),
    BALANCE_CHOICE(moco, project, "simplex", "simplex|softmax",
                   "how the weights are kept positive with sum 1"),
    BALANCE_CHOICE(moco, normalise, "none", "none|loss", "scale g_i to the length L_i first"),
};

static const balance_preset presets[] = {
    {"libmtl", "project", "softmax"},
    {"libmtl", "normalise", "loss"},
};

static unsigned needs(const void *self) {
    const moco *m = self;
    return TRUCE_NEEDS_JACOBIAN | (m->normalise == LOSS ? TRUCE_NEEDS_LOSSES : 0);
}

static truce_status prepare(truce_balancer *balancer, void *self) {
    moco *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_keep(balancer, "tracked_gradients", BALANCE_ROWS, 0, &m->y));
    BASE_TRY(balance_keep(balancer, "weights", BALANCE_TASK, 1.0 / (double)tasks, &m->lambda));
    BASE_TRY(balance_scratch(balancer, tasks, &m->factors));
    BASE_TRY(balance_scratch(balancer, tasks, &m->product));
    return balance_scratch(balancer, tasks * tasks, &m->gramian);
}

typedef struct tracking {
    const moco *m;
    const balance_step *step;
    int64_t n_parameters;
    double rate;
} tracking;

static double *tracked(const tracking *t, int i, int64_t first) {
    return t->m->y + t->step->task[i] * t->n_parameters + first;
}

/* Moves the tracked gradients and adds up their Gramian. */
static void track(void *arg, const balance_block *block, double *sums) {
    const tracking *t = arg;
    for (int i = 0; i < t->step->n; i++) {
        double *row = block->rows + i * BALANCE_BLOCK, *y = tracked(t, i, block->first);
        for (int c = 0; c < block->n; c++) row[c] = y[c] -= t->rate * (y[c] - t->m->factors[i] * row[c]);
    }
    balance_add_gramian(t->step->n, block->rows, sums);
}

static void fill(void *arg, const balance_block *block) {
    const tracking *t = arg;
    for (int i = 0; i < t->step->n; i++) {
        const double *y = tracked(t, i, block->first);
        for (int c = 0; c < block->n; c++) block->out[c] += t->m->lambda[i] * y[c];
    }
}

static void update_weights(moco *m, int n, double rate) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) m->gramian[j * n + i] = m->gramian[i * n + j];
    balance_share_out(n, m->lambda); /* among the present tasks */
    linalg_times(n, m->gramian, m->lambda, m->product);
    for (int i = 0; i < n; i++) m->lambda[i] -= rate * (m->product[i] + m->rho * m->lambda[i]);
    if (m->project == SOFTMAX)
        balance_softmax(n, m->lambda, m->lambda);
    else
        linalg_project_simplex(n, m->lambda);
}

static truce_status aggregate(truce_balancer *balancer, void *self, const balance_step *step,
                              void *direction) {
    moco *m = self;
    double k = (double)balance_steps(balancer) + 1;
    tracking t = {m, step, balance_parameters(balancer), m->beta / pow(k, m->beta_decay)};
    for (int i = 0; i < step->n; i++)
        m->factors[i] = m->normalise == LOSS ? step->losses[i] / step->norms[i] : 1;
    balance_sum_columns(balancer, step, track, &t, step->n * step->n, m->gramian);
    update_weights(m, step->n, m->gamma / pow(k, m->gamma_decay));
    return balance_fill_columns(balancer, step, fill, &t, direction);
}

const balance_method balance_moco = {
    .about = {.name = "moco",
              .title = "Multi-objective correction",
              .reference = "Fernando et al., ICLR 2023, arXiv 2210.12624",
              .summary = "Follows the hull of tracked gradients, with weights that move step by step.",
              .needs = TRUCE_NEEDS_JACOBIAN,
              .properties = TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(moco),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .aggregate = aggregate,
    .needs = needs,
};
