/*
 * Weights that the user chose: static weighting, as found by a grid search.
 */
#include "balance/numbers.h"
#include "balance/table.h"

typedef struct constant {
    truce_reals weights;
} constant;

static const truce_option options[] = {
    BALANCE_LIST(constant, weights, 0, 1e12, "one weight per task; 1 for all where left out"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    const constant *m = self;
    return balance_check_list(balancer, "weights", &m->weights);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const constant *m = self;
    (void)balancer;
    balance_take_list(step, &m->weights, 1, weights);
    return TRUCE_OK;
}

const balance_method balance_constant = {
    .about = {.name = "constant",
              .title = "Constant weights",
              .reference = "static weighting",
              .summary = "Weighs the losses with numbers that you give.",
              .properties = TRUCE_LINEAR_SCALING | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(constant),
    .prepare = prepare,
    .weigh = weigh,
};
