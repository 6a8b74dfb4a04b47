/*
 * Equal weights of one: the sum of the losses, called EW or linear scalarisation in the literature. The
 * baseline of every comparison.
 */
#include "balance/numbers.h"
#include "balance/table.h"

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    (void)balancer;
    (void)self;
    balance_set_all(step->n, 1, weights);
    return TRUCE_OK;
}

const balance_method balance_sum = {
    .about = {.name = "sum",
              .title = "Sum of the losses",
              .reference = "equal weighting, the baseline",
              .summary = "Adds up the losses.",
              .properties = TRUCE_LINEAR_SCALING | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_OWN},
    .bytes = 1,
    .weigh = weigh,
};
