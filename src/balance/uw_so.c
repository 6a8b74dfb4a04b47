/*
 * Soft optimal uncertainty weighting: w = softmax_i((1 / L_i) / tau). The paper tunes tau for each data set;
 * it publishes no default, and 1 is ours.
 */
#include "balance/numbers.h"
#include "balance/table.h"

typedef struct uw_so {
    double tau;
} uw_so;

static const truce_option options[] = {
    BALANCE_REAL(uw_so, tau, "1", 1e-9, 1e9, "temperature of the softmax"),
};

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const uw_so *m = self;
    (void)balancer;
    for (int i = 0; i < step->n; i++) weights[i] = 1 / (step->losses[i] * m->tau);
    balance_softmax(step->n, weights, weights);
    return TRUCE_OK;
}

const balance_method balance_uw_so = {
    .about = {.name = "uw_so",
              .title = "Soft optimal uncertainty weighting",
              .reference = "Kirchdorfer et al., GCPR 2024, arXiv 2408.07985",
              .summary = "Weighs the losses by a softmax of their inverses.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(uw_so),
    .internal = BALANCE_POSITIVE_LOSSES,
    .weigh = weigh,
};
