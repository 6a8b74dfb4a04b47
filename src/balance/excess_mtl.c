/*
 * ExcessMTL: weights grow with the estimated excess risk of each task. With S_i the sum of squared gradients
 * so far, coordinate by coordinate,
 *
 *     e_i = sum_c g_ic^2 / sqrt(S_ic + 1e-7),   w_i <- w_i exp(eta e_i / e_i(0)), normalised,
 *
 * e(0) from the first step, or the mean over `warmup` steps. The official code and LibMTL keep sum w = T and
 * leave the weights alone at the first step; TorchJD keeps sum 1, has eta = 1, and applies the first e as it
 * is. State: T x P.
 */
#include "balance/columns.h"
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

#define EPSILON 1e-7

enum { PAPER, TORCHJD };

typedef struct excess_mtl {
    int variant;
    double eta;
    int64_t warmup;
    double *squares;                           /* [T][P] state: S */
    double *log_weights, *first, *met, *total; /* [T] state: log w, e(0), steps and sum of e in the warm-up */
    double *e;                                 /* [T] */
} excess_mtl;

static const truce_option options[] = {
    BALANCE_CHOICE(excess_mtl, variant, "paper", "paper|torchjd", "whose choices to follow"),
    BALANCE_REAL(excess_mtl, eta, "0.01", 0, 1e6, "robust step size"),
    BALANCE_INTEGER(excess_mtl, warmup, "0", 0, 1e15, "steps that e(0) is averaged over"),
};

static const balance_preset presets[] = {{"torchjd", "eta", "1"}};

static truce_status prepare(truce_balancer *balancer, void *self) {
    excess_mtl *m = self;
    BASE_TRY(balance_keep(balancer, "squared_gradients", BALANCE_ROWS, 0, &m->squares));
    BASE_TRY(balance_keep(balancer, "log_weights", BALANCE_TASK, 0, &m->log_weights));
    BASE_TRY(balance_keep(balancer, "first_excess", BALANCE_TASK, (double)NAN, &m->first));
    BASE_TRY(balance_keep(balancer, "warmup_steps", BALANCE_TASK, 0, &m->met));
    BASE_TRY(balance_keep(balancer, "warmup_excess", BALANCE_TASK, 0, &m->total));
    return balance_scratch(balancer, (size_t)balance_tasks(balancer), &m->e);
}

typedef struct estimate {
    const excess_mtl *m;
    const balance_step *step;
    int64_t n_parameters;
} estimate;

static void add_excess(void *arg, const balance_block *block, double *sums) {
    const estimate *e = arg;
    for (int i = 0; i < e->step->n; i++) {
        double *squares = e->m->squares + e->step->task[i] * e->n_parameters + block->first;
        for (int c = 0; c < block->n; c++) {
            double square = block->rows[i * BALANCE_BLOCK + c] * block->rows[i * BALANCE_BLOCK + c];
            squares[c] += square;
            sums[i] += square / sqrt(squares[c] + EPSILON);
        }
    }
}

/* What eta multiplies for task i. */
static double growth_of(excess_mtl *m, int i) {
    if (m->met[i] < (double)m->warmup) {
        m->met[i]++;
        m->total[i] += m->e[i];
        return 0;
    }
    bool begins = isnan(m->first[i]);
    if (begins) m->first[i] = m->warmup ? m->total[i] / m->met[i] : m->e[i];
    if (begins && !m->warmup) return m->variant == TORCHJD ? m->e[i] : 0;
    double first = m->first[i] + (m->variant == TORCHJD ? EPSILON : 0);
    return first > 0 ? m->e[i] / first : 0;
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    excess_mtl *m = self;
    estimate e = {m, step, balance_parameters(balancer)};
    balance_sum_columns(balancer, step, add_excess, &e, step->n, m->e);
    for (int i = 0; i < step->n; i++) m->log_weights[i] += m->eta * growth_of(m, i);
    balance_softmax(step->n, m->log_weights, weights);
    if (m->variant != TORCHJD) balance_scale_all(step->n, step->n, weights);
    return TRUCE_OK;
}

const balance_method balance_excess_mtl = {
    .about = {.name = "excess_mtl",
              .title = "Robust multi-task learning by excess risks",
              .reference = "He et al., ICML 2024, arXiv 2402.02009",
              .summary = "Gives weight to tasks that are still far from their own optimum.",
              .needs = TRUCE_NEEDS_JACOBIAN,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(excess_mtl),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
