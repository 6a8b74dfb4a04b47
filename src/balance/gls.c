/*
 * Geometric loss strategy: the loss is (prod_i L_i)^(1/T) = exp(mean_i log L_i) = L, so that w_i = L / (T
 * L_i). By logarithms, lest the product overflow. (LibMTL records other weights than it trains with.)
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    double mean = 0;
    (void)balancer;
    (void)self;
    for (int i = 0; i < step->n; i++) mean += log(step->losses[i]) / step->n;
    for (int i = 0; i < step->n; i++) weights[i] = exp(mean - log(step->losses[i])) / step->n;
    return TRUCE_OK;
}

const balance_method balance_gls = {
    .about = {.name = "gls",
              .title = "Geometric loss strategy",
              .reference = "Chennupati et al., CVPR Workshops 2019, arXiv 1904.08492",
              .summary = "Takes the geometric mean of the losses.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_SCALE_INVARIANT | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED},
    .bytes = 1,
    .internal = BALANCE_POSITIVE_LOSSES,
    .weigh = weigh,
};
