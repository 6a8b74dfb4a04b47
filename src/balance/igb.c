/*
 * Improvable gap balancing, version 1: sum_i log L_i for `base_epochs` epochs, the last of which gives the
 * base losses B_i (means); from then on sum_i a_i log L_i with a = T softmax_i(L_i / B_i), so that w_i = a_i
 * / L_i. The official code leaves the number of epochs to its trainers; 1 is ours. (Version 2 picks the
 * weights by a reinforcement-learning agent and is not here.)
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

typedef struct igb {
    int64_t base_epochs;
    double *base; /* [T] state, NaN while not known */
} igb;

static const truce_option options[] = {
    BALANCE_INTEGER(igb, base_epochs, "1", 1, 1e9, "epochs until base losses are known"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    igb *m = self;
    return balance_keep(balancer, "base_losses", BALANCE_TASK, (double)NAN, &m->base);
}

/* A task whose base is not known yet counts as unimproved. */
static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const igb *m = self;
    (void)balancer;
    for (int i = 0; i < step->n; i++) weights[i] = isnan(m->base[i]) ? 1 : step->losses[i] / m->base[i];
    balance_softmax(step->n, weights, weights);
    for (int i = 0; i < step->n; i++) weights[i] *= step->n / step->losses[i];
    return TRUCE_OK;
}

static truce_status end_epoch(truce_balancer *balancer, void *self, const balance_step *step) {
    igb *m = self;
    for (int i = 0; i < step->n; i++)
        if (balance_epochs(balancer) + 1 >= m->base_epochs && isnan(m->base[i])) m->base[i] = step->losses[i];
    return TRUCE_OK;
}

const balance_method balance_igb = {
    .about = {.name = "igb",
              .title = "Improvable gap balancing, version 1",
              .reference = "Dai et al., UAI 2023, arXiv 2307.15429",
              .summary = "Gives more weight to losses that have fallen less since the first epochs.",
              .needs = TRUCE_NEEDS_LOSSES | TRUCE_NEEDS_EPOCH_LOSSES,
              .properties = TRUCE_SCALE_INVARIANT | TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(igb),
    .internal = BALANCE_POSITIVE_LOSSES,
    .prepare = prepare,
    .weigh = weigh,
    .end_epoch = end_epoch,
};
