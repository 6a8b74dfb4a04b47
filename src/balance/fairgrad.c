/*
 * Fair resource allocation: w > 0 with (G w)_i = w_i^(-1/alpha), the alpha-fair direction. alpha = 1 is
 * Nash-MTL without its clip, alpha -> 0 the mean of the gradients (alpha = 0 is taken as weights 1 / T). The
 * class in the official code has alpha 1; its runs use 2, multiply d by T and clip it to length 1.
 */
#include "balance/fairness.h"
#include "balance/numbers.h"
#include "balance/table.h"

typedef struct fairgrad {
    int variant;
    double alpha, max_norm;
    balance_fairness fairness;
} fairgrad;

static const truce_option options[] = {
    BALANCE_CHOICE(fairgrad, variant, "paper", "paper|official", "whose choices to follow"),
    BALANCE_REAL(fairgrad, alpha, "1", 0, 100,
                 "kind of fairness: 0 total, 1 proportional, large: worst case"),
    BALANCE_REAL(fairgrad, max_norm, "0", 0, 1e12, "longest direction; 0 for any"),
};

static const balance_preset presets[] = {
    {"official", "alpha", "2"},
    {"official", "max_norm", "1"},
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    fairgrad *m = self;
    return balance_fairness_prepare(balancer, &m->fairness);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const fairgrad *m = self;
    if (m->alpha > 0)
        BASE_TRY(balance_fairness_solve(balancer, &m->fairness, step, NULL, m->alpha, weights));
    else
        balance_set_all(step->n, 1.0 / step->n, weights);
    balance_clip(step, m->max_norm, weights);
    return TRUCE_OK;
}

const balance_method balance_fairgrad = {
    .about = {.name = "fairgrad",
              .title = "Fair resource allocation",
              .reference = "Ban and Ji, ICML 2024, arXiv 2402.15638",
              .summary = "Takes the alpha-fair direction among the tasks' improvements.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_NON_CONFLICTING | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(fairgrad),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
