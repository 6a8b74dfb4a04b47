/*
 * Impartial multi-task learning, its loss half: with learned s the loss is sum_i [ e^(s_i) L_i - s_i ], so
 * that w_i = e^(s_i), which settles at 1 / L_i. IMTL-L(s) = 2 UW(-s). The original trains s with the model's
 * optimiser; here it has an Adam of its own.
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

typedef struct imtl_l {
    double rate;
    double *s, *gradient; /* [T] */
    balance_adam adam;
} imtl_l;

static const truce_option options[] = {
    BALANCE_REAL(imtl_l, rate, "0.025", 0, 1, "of Adam for s"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    imtl_l *m = self;
    BASE_TRY(balance_keep(balancer, "log_scale", BALANCE_TASK, 0, &m->s));
    BASE_TRY(balance_adam_prepare(balancer, &m->adam));
    return balance_scratch(balancer, (size_t)balance_tasks(balancer), &m->gradient);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    imtl_l *m = self;
    (void)balancer;
    for (int i = 0; i < step->n; i++) {
        weights[i] = exp(m->s[i]);
        m->gradient[i] = weights[i] * step->losses[i] - 1;
    }
    balance_adam_step(&m->adam, step->n, m->rate, m->gradient, m->s);
    return TRUCE_OK;
}

const balance_method balance_imtl_l = {
    .about = {.name = "imtl_l",
              .title = "Impartial multi-task learning, loss balance",
              .reference = "Liu et al., ICLR 2021",
              .summary = "Learns scales that make all losses one.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(imtl_l),
    .prepare = prepare,
    .weigh = weigh,
};
