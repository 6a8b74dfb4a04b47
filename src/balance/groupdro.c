/*
 * Group distributionally robust optimisation: w_i grows as e^(eta L_i) from step to step and is normalised to
 * sum T. Kept as logarithms, which do not overflow.
 */
#include "balance/numbers.h"
#include "balance/table.h"

typedef struct groupdro {
    double eta;
    double *log_weights; /* [T] state */
} groupdro;

static const truce_option options[] = {
    BALANCE_REAL(groupdro, eta, "0.01", 0, 1e6, "robust step size"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    groupdro *m = self;
    return balance_keep(balancer, "log_weights", BALANCE_TASK, 0, &m->log_weights);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    groupdro *m = self;
    (void)balancer;
    for (int i = 0; i < step->n; i++) m->log_weights[i] += m->eta * step->losses[i];
    balance_softmax(step->n, m->log_weights, weights);
    balance_scale_all(step->n, step->n, weights);
    return TRUCE_OK;
}

const balance_method balance_groupdro = {
    .about = {.name = "groupdro",
              .title = "Group distributionally robust optimisation",
              .reference = "Sagawa et al., ICLR 2020, arXiv 1911.08731",
              .summary = "Shifts weight, step by step, to the tasks with the largest losses.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(groupdro),
    .prepare = prepare,
    .weigh = weigh,
};
