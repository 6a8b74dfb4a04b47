/*
 * Impartial multi-task learning, both halves: learned scales e^(s_i) make all losses one (imtl_l), and the
 * gradients of the scaled losses are weighed by imtl_g. Its heads get the gradients of the scaled losses.
 */
#include "balance/impartial.h"
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

typedef struct imtl {
    double rate;
    double *s; /* [T] state */
    double *factors, *norms, *ones, *gradient, *gramian;
    balance_equal equal;
    balance_adam adam;
} imtl;

static const truce_option options[] = {
    BALANCE_REAL(imtl, rate, "0.025", 0, 1, "of Adam for s"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    imtl *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    double **vectors[] = {&m->factors, &m->norms, &m->ones, &m->gradient};
    BASE_TRY(balance_keep(balancer, "log_scale", BALANCE_TASK, 0, &m->s));
    BASE_TRY(balance_adam_prepare(balancer, &m->adam));
    BASE_TRY(balance_equal_prepare(balancer, &m->equal));
    for (size_t i = 0; i < BASE_COUNT(vectors); i++) BASE_TRY(balance_scratch(balancer, tasks, vectors[i]));
    return balance_scratch(balancer, tasks * tasks, &m->gramian);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    imtl *m = self;
    balance_step rows = *step;
    (void)balancer;
    for (int i = 0; i < step->n; i++) {
        m->factors[i] = exp(m->s[i]);
        m->norms[i] = step->norms[i] * m->factors[i];
        m->gradient[i] = m->factors[i] * step->losses[i] - 1;
    }
    balance_rescale(step, m->factors, m->gramian);
    rows.gramian = m->gramian;
    rows.norms = m->norms;
    balance_impartial(&m->equal, &rows, false, m->ones, weights);
    for (int i = 0; i < step->n; i++) weights[i] *= m->factors[i];
    balance_adam_step(&m->adam, step->n, m->rate, m->gradient, m->s);
    return TRUCE_OK;
}

const balance_method balance_imtl = {
    .about = {.name = "imtl",
              .title = "Impartial multi-task learning",
              .reference = "Liu et al., ICLR 2021",
              .summary =
                  "Scales losses to one and finds the direction with equal projections on all gradients.",
              .needs = TRUCE_NEEDS_LOSSES | TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(imtl),
    .prepare = prepare,
    .weigh = weigh,
};
