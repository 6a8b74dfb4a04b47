/*
 * Impartial multi-task learning, its gradient half: weights with sum 1 under which d has the same projection
 * on every task's unit gradient (impartial.c). Weights may be negative, and the common projection too: the
 * method does not promise descent. With `log` losses the rows are g_i / L_i (LOG_IMTL-G of the FAMO
 * repository).
 */
#include "balance/impartial.h"
#include "balance/numbers.h"
#include "balance/table.h"

typedef struct imtl_g {
    int variant, losses;
    balance_equal equal;
    double *factors, *norms, *ones, *gramian;
} imtl_g;

static const truce_option options[] = {
    BALANCE_CHOICE(imtl_g, variant, "paper", "paper|torchjd", "whose answer for dependent gradients"),
    BALANCE_CHOICE(imtl_g, losses, "plain", "plain|log", "balance the losses or their logarithms"),
};

static unsigned needs(const void *self) {
    const imtl_g *m = self;
    return TRUCE_NEEDS_GRAMIAN | (m->losses ? TRUCE_NEEDS_LOSSES | BALANCE_POSITIVE_LOSSES : 0);
}

static truce_status prepare(truce_balancer *balancer, void *self) {
    imtl_g *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_equal_prepare(balancer, &m->equal));
    BASE_TRY(balance_scratch(balancer, tasks, &m->factors));
    BASE_TRY(balance_scratch(balancer, tasks, &m->norms));
    BASE_TRY(balance_scratch(balancer, tasks, &m->ones));
    return balance_scratch(balancer, tasks * tasks, &m->gramian);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    imtl_g *m = self;
    balance_step rows = *step;
    (void)balancer;
    for (int i = 0; i < step->n; i++) {
        m->factors[i] = m->losses ? 1 / step->losses[i] : 1;
        m->norms[i] = step->norms[i] * m->factors[i];
    }
    balance_rescale(step, m->factors, m->gramian);
    rows.gramian = m->gramian;
    rows.norms = m->norms;
    balance_impartial(&m->equal, &rows, m->variant != 0, m->ones, weights);
    for (int i = 0; i < step->n; i++) weights[i] *= m->factors[i];
    return TRUCE_OK;
}

const balance_method balance_imtl_g = {
    .about = {.name = "imtl_g",
              .title = "Impartial multi-task learning, gradient balance",
              .reference = "Liu et al., ICLR 2021",
              .summary = "Finds the direction with equal projections on all gradients.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(imtl_g),
    .prepare = prepare,
    .weigh = weigh,
    .needs = needs,
};
