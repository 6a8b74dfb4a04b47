/*
 * Multi-task learning as a bargaining game: w > 0 with G w = 1 / w, so that d is as good for each task as any
 * trade can make it. The original solves a sequence of convex programs that stops at 1e-3 and clips d to
 * length `max_norm`; the exact d has length sqrt(T), so that the clip always acts where T > 1 and the method
 * is descent with steps of one length. The equations are solved by Newton's method here (linalg/fair.c). At a
 * Pareto-stationary point they have no solution; a ridge of 1e-9 keeps the weights finite, and d goes to zero
 * with the gradients' hull.
 */
#include "balance/fairness.h"
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

typedef struct nash_mtl {
    double max_norm;
    int64_t update_every;
    double *alpha; /* [T] state: the last solution */
    balance_fairness fairness;
} nash_mtl;

static const truce_option options[] = {
    BALANCE_REAL(nash_mtl, max_norm, "1", 0, 1e12, "longest direction; 0 for any"),
    BALANCE_INTEGER(nash_mtl, update_every, "1", 1, 1e9, "steps that a solution is used for"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    nash_mtl *m = self;
    BASE_TRY(balance_keep(balancer, "solution", BALANCE_TASK, (double)NAN, &m->alpha));
    return balance_fairness_prepare(balancer, &m->fairness);
}

static bool has_solution(const nash_mtl *m, int n) {
    for (int i = 0; i < n; i++)
        if (isnan(m->alpha[i])) return false;
    return true;
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    nash_mtl *m = self;
    if (balance_steps(balancer) % m->update_every == 0 || !has_solution(m, step->n))
        BASE_TRY(balance_fairness_solve(balancer, &m->fairness, step, NULL, 1, m->alpha));
    for (int i = 0; i < step->n; i++) weights[i] = m->alpha[i];
    balance_clip(step, m->max_norm, weights);
    return TRUCE_OK;
}

const balance_method balance_nash_mtl = {
    .about = {.name = "nash_mtl",
              .title = "Multi-task learning as a bargaining game",
              .reference = "Navon et al., ICML 2022, arXiv 2202.01017",
              .summary =
                  "Takes the Nash bargaining solution: all tasks gain, relative to their gradients, alike.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_NON_CONFLICTING | TRUCE_SCALE_INVARIANT | TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(nash_mtl),
    .prepare = prepare,
    .weigh = weigh,
};
