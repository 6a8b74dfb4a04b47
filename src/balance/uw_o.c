/*
 * Uncertainty weighting solved for its optimum: e^(s_i) = L_i, so that w_i = 1 / L_i (without gradient
 * through it), which is the direction of si.
 */
#include "balance/table.h"

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    (void)balancer;
    (void)self;
    for (int i = 0; i < step->n; i++) weights[i] = 1 / step->losses[i];
    return TRUCE_OK;
}

const balance_method balance_uw_o = {
    .about = {.name = "uw_o",
              .title = "Optimal uncertainty weighting",
              .reference = "Kirchdorfer et al., GCPR 2024, arXiv 2408.07985",
              .summary = "Weighs each loss by its inverse, the optimum of uncertainty weighting.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_SCALE_INVARIANT | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED},
    .bytes = 1,
    .internal = BALANCE_POSITIVE_LOSSES,
    .weigh = weigh,
};
