/*
 * Scale-invariant weighting: the loss is sum_i a_i log L_i, so that w_i = a_i / L_i.
 */
#include "balance/numbers.h"
#include "balance/table.h"

typedef struct si {
    truce_reals weights;
} si;

static const truce_option options[] = {
    BALANCE_LIST(si, weights, 0, 1e12, "a_i, one per task; 1 for all where left out"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    const si *m = self;
    return balance_check_list(balancer, "weights", &m->weights);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const si *m = self;
    (void)balancer;
    balance_take_list(step, &m->weights, 1, weights);
    for (int i = 0; i < step->n; i++) weights[i] /= step->losses[i];
    return TRUCE_OK;
}

const balance_method balance_si = {
    .about = {.name = "si",
              .title = "Scale-invariant weighting",
              .reference = "sum of logarithms, a baseline of Navon et al., ICML 2022, arXiv 2202.01017",
              .summary = "Adds up the logarithms of the losses.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_SCALE_INVARIANT | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(si),
    .internal = BALANCE_POSITIVE_LOSSES,
    .prepare = prepare,
    .weigh = weigh,
};
