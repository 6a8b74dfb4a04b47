/*
 * Weights of one over the number of tasks that have labels.
 */
#include "balance/numbers.h"
#include "balance/table.h"

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    (void)balancer;
    (void)self;
    balance_set_all(step->n, 1.0 / step->n, weights);
    return TRUCE_OK;
}

const balance_method balance_mean = {
    .about = {.name = "mean",
              .title = "Mean of the losses",
              .reference = "equal weighting, the baseline",
              .summary = "Averages the losses.",
              .properties = TRUCE_LINEAR_SCALING | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED},
    .bytes = 1,
    .weigh = weigh,
};
