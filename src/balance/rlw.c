/*
 * Random loss weighting: w = softmax(x), x ~ N(0, I), drawn anew at each step.
 */
#include "balance/numbers.h"
#include "balance/table.h"

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    (void)self;
    for (int i = 0; i < step->n; i++) {
        base_rng rng = balance_rng(balancer, (uint64_t)step->task[i]);
        weights[i] = base_rng_normal(&rng);
    }
    balance_softmax(step->n, weights, weights);
    return TRUCE_OK;
}

const balance_method balance_rlw = {
    .about = {.name = "rlw",
              .title = "Random loss weighting",
              .reference = "Lin et al., TMLR 2022, arXiv 2111.10603",
              .summary = "Weighs the losses at random at each step: a baseline that is hard to beat.",
              .properties = TRUCE_LINEAR_SCALING | TRUCE_WEIGHTED | TRUCE_STOCHASTIC,
              .heads = TRUCE_HEADS_WEIGHTED},
    .bytes = 1,
    .weigh = weigh,
};
