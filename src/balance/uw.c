/*
 * Uncertainty weighting: with learned s_i = log sigma_i^2 the loss is
 *
 *     sum_i [ L_i / (2 e^(s_i)) + s_i / 2 ],   w_i = e^(-s_i) / 2,   ds_i = (1 - L_i e^(-s_i)) / 2.
 *
 * The paper leaves out the half before L_i for classification; all public code keeps it. The originals train
 * s with the model's optimiser; here it has an Adam of its own, with the rate that Nash-MTL's repository
 * gives it.
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

typedef struct uw {
    int variant;
    double rate, initial;
    double *s, *gradient; /* [T] */
    balance_adam adam;
} uw;

static const truce_option options[] = {
    BALANCE_CHOICE(uw, variant, "paper", "paper|libmtl|torchjd", "whose choices to follow"),
    BALANCE_REAL(uw, rate, "0.025", 0, 1, "of Adam for s"),
    BALANCE_REAL(uw, initial, "0", -100, 100, "value of s to begin with"),
};

static const balance_preset presets[] = {{"libmtl", "initial", "-0.5"}};

static truce_status prepare(truce_balancer *balancer, void *self) {
    uw *m = self;
    BASE_TRY(balance_keep(balancer, "log_variance", BALANCE_TASK, m->initial, &m->s));
    BASE_TRY(balance_adam_prepare(balancer, &m->adam));
    return balance_scratch(balancer, (size_t)balance_tasks(balancer), &m->gradient);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    uw *m = self;
    (void)balancer;
    for (int i = 0; i < step->n; i++) {
        weights[i] = 0.5 * exp(-m->s[i]);
        m->gradient[i] = 0.5 - step->losses[i] * weights[i];
    }
    balance_adam_step(&m->adam, step->n, m->rate, m->gradient, m->s);
    return TRUCE_OK;
}

const balance_method balance_uw = {
    .about = {.name = "uw",
              .title = "Uncertainty weighting",
              .reference = "Kendall et al., CVPR 2018, arXiv 1705.07115",
              .summary = "Learns each task's noise and weighs its loss by the inverse.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(uw),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
