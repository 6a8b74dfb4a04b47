/*
 * PIVRG: fairgrad with alpha = 2 whose shares follow how far each task is behind its reference. From scores s
 * (percent; larger is worse; zero where none are given)
 *
 *     p = T softmax(s / temperature),  temperature = max((max s - min s) / log(bound), least_temperature),
 *     (G w)_i = sqrt(p_i / w_i).
 *
 * Known from published code only, in which the scores are not wired to the trainers: that they are the tasks'
 * degradation at the last evaluation is inferred.
 */
#include "balance/fairness.h"
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

typedef struct pivrg {
    double bound, least_temperature, max_norm;
    double *p; /* [T] */
    balance_fairness fairness;
} pivrg;

static const truce_option options[] = {
    BALANCE_REAL(pivrg, bound, "2", 1.000001, 1e12, "largest ratio of two tasks' shares"),
    BALANCE_REAL(pivrg, least_temperature, "10", 1e-9, 1e12, "lower bound of the temperature, in percent"),
    BALANCE_REAL(pivrg, max_norm, "1", 0, 1e12, "longest direction; 0 for any"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    pivrg *m = self;
    BASE_TRY(balance_scratch(balancer, (size_t)balance_tasks(balancer), &m->p));
    return balance_fairness_prepare(balancer, &m->fairness);
}

static void find_shares(const pivrg *m, const balance_step *step) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < step->n; i++) {
        m->p[i] = step->scores ? step->scores[i] : 0;
        low = fmin(low, m->p[i]);
        high = fmax(high, m->p[i]);
    }
    double temperature = fmax((high - low) / log(m->bound), m->least_temperature);
    balance_scale_all(step->n, 1 / temperature, m->p);
    balance_softmax(step->n, m->p, m->p);
    balance_scale_all(step->n, step->n, m->p);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const pivrg *m = self;
    find_shares(m, step);
    BASE_TRY(balance_fairness_solve(balancer, &m->fairness, step, m->p, 2, weights));
    balance_clip(step, m->max_norm, weights);
    return TRUCE_OK;
}

const balance_method balance_pivrg = {
    .about = {.name = "pivrg",
              .title = "Performance-informed fairness",
              .reference =
                  "code of the NTKMTL repository (paper not available; the scores' meaning is inferred)",
              .summary = "FairGrad whose shares grow for tasks that are behind their reference.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_NON_CONFLICTING | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(pivrg),
    .prepare = prepare,
    .weigh = weigh,
};
