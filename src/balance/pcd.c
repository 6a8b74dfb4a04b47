/*
 * Priority-constrained descent: one task leads, the others are owed a share. With gradients scaled by their
 * usual length, h_i = g_i / sqrt(v_i + epsilon), v_i the bias-corrected moving average of |g_i|^2,
 *
 *     d = argmin |d - h_1|^2   subject to   h_j . d >= tau |h_j|^2 for the other tasks j,
 *
 * brought to the length of g_1. In coefficients d = h_1 + sum_j u_j h_j with u >= 0 (linalg/qp.c). Where the
 * constraints contradict each other they are dropped, and without labels for the leading task there is no
 * direction.
 */
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/qp.h"
#include "linalg/small.h"

#include <math.h>

#define VANISHES 3e-7 /* of the lengths that a direction is the sum of: rounding */

typedef struct pcd {
    int variant;
    int64_t primary;
    double tau, beta, epsilon;
    double *average, *count;           /* [T] state */
    double *scale, *linear, *u, *ones; /* [T] */
    double *matrix, *work;             /* [T][T] */
    int *others;                       /* [T] */
} pcd;

static const truce_option options[] = {
    BALANCE_CHOICE(pcd, variant, "paper", "paper|torchjd", "whose choices to follow"),
    BALANCE_INTEGER(pcd, primary, "0", 0, 1e9, "the leading task, counted from 0"),
    BALANCE_REAL(pcd, tau, "0.02", 0, 1, "share of its own progress that each other task is owed"),
    BALANCE_REAL(pcd, beta, "0.999", 0, 0.999999999, "decay of the moving averages"),
    BALANCE_REAL(pcd, epsilon, "0", 0, 1, "added to the moving averages"),
};

static const balance_preset presets[] = {{"torchjd", "epsilon", "1e-8"}};

static truce_status prepare(truce_balancer *balancer, void *self) {
    pcd *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    double *others = NULL, **vectors[] = {&m->scale, &m->linear, &m->u, &m->ones, &others};
    if (m->primary >= balance_tasks(balancer))
        return balance_fail(balancer, TRUCE_ERROR_ARGUMENT, "there is no task %lld to lead; they are 0 to %d",
                            (long long)m->primary, balance_tasks(balancer) - 1);
    BASE_TRY(balance_keep(balancer, "squared_norms", BALANCE_TASK, 0, &m->average));
    BASE_TRY(balance_keep(balancer, "count", BALANCE_TASK, 0, &m->count));
    for (size_t i = 0; i < BASE_COUNT(vectors); i++) BASE_TRY(balance_scratch(balancer, tasks, vectors[i]));
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &m->matrix));
    BASE_TRY(balance_scratch(balancer, linalg_qp_room((int)tasks), &m->work));
    m->others = (int *)(void *)others;
    return TRUCE_OK;
}

static void update_scales(pcd *m, const balance_step *step) {
    for (int i = 0; i < step->n; i++) {
        double square = step->gramian[i * (step->n + 1)];
        m->count[i]++;
        m->average[i] = m->beta * m->average[i] + (1 - m->beta) * square;
        m->scale[i] = 1 / sqrt(m->average[i] / (1 - pow(m->beta, m->count[i])) + m->epsilon);
    }
}

/* The correlations of the k others, and their products with the leading gradient less what they are owed. */
static void make_program(pcd *m, const balance_step *step, int lead, int k) {
    int n = step->n;
    for (int a = 0; a < k; a++) {
        int i = m->others[a];
        double norm = step->norms[i];
        m->linear[a] = m->scale[lead] * step->gramian[i * n + lead] / norm - m->tau * m->scale[i] * norm;
        for (int b = 0; b < k; b++) {
            int j = m->others[b];
            m->matrix[a * k + b] = a == b ? 1 : step->gramian[i * n + j] / norm / step->norms[j];
        }
    }
}

/* Progress for all others is possible unless zero lies in the hull of their gradients. */
static bool is_contradiction(pcd *m, int k) {
    if (k == 0 || m->tau == 0) return false;
    balance_set_all(k, 1, m->ones);
    linalg_qp hull = {.n = k, .matrix = m->matrix, .row = m->ones, .total = 1};
    linalg_qp_solve(&hull, m->u, NULL, m->work);
    return linalg_form(k, m->matrix, m->u, m->u) < VANISHES * VANISHES;
}

/* The multipliers u of the k others, in units of each one's length. */
static void find_multipliers(pcd *m, const balance_step *step, int lead, int k) {
    make_program(m, step, lead, k);
    bool contradict = is_contradiction(m, k);
    linalg_qp program = {.n = k, .matrix = m->matrix, .linear = m->linear};
    if (contradict || !linalg_qp_solve(&program, m->u, NULL, m->work)) balance_set_all(k, 0, m->u);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    pcd *m = self;
    int n = step->n, lead = -1, k = 0;
    double terms = 0;
    (void)balancer;
    for (int i = 0; i < n; i++) {
        if (step->task[i] == m->primary)
            lead = i;
        else
            m->others[k++] = i;
    }
    update_scales(m, step);
    balance_set_all(n, 0, weights);
    if (lead < 0) return TRUCE_OK;
    find_multipliers(m, step, lead, k);
    weights[lead] = m->scale[lead];
    for (int a = 0; a < k; a++) weights[m->others[a]] = m->u[a] / step->norms[m->others[a]];
    for (int i = 0; i < n; i++) terms += weights[i] * step->norms[i];
    double length = balance_length(step, weights);
    balance_scale_all(n, length > VANISHES * terms ? step->norms[lead] / length : 0, weights);
    return TRUCE_OK;
}

const balance_method balance_pcd = {
    .about = {.name = "pcd",
              .title = "Priority-constrained descent",
              .reference = "TMLR 2026, arXiv 2606.29521",
              .summary =
                  "Follows one task's gradient as closely as a minimum of progress for the others allows.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL | TRUCE_ORDER_DEPENDENT,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(pcd),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
