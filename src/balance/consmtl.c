/*
 * ConsMTL, its part on the shared parameters: fairgrad with alpha = 2. The other part belongs to the trainer:
 * each head is updated with its own gradient plus that of -lambda <dL_i/dz_i, sum_j w_j dL_j/dz_j> (lambda 1,
 * z the shared representation), an addition clipped to a tenth of the head's own gradient; it takes second
 * derivatives.
 */
#include "balance/fairness.h"
#include "balance/numbers.h"
#include "balance/table.h"

typedef struct consmtl {
    double alpha, max_norm;
    balance_fairness fairness;
} consmtl;

static const truce_option options[] = {
    BALANCE_REAL(consmtl, alpha, "2", 1e-6, 100, "kind of fairness, as in fairgrad"),
    BALANCE_REAL(consmtl, max_norm, "1", 0, 1e12, "longest direction; 0 for any"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    consmtl *m = self;
    return balance_fairness_prepare(balancer, &m->fairness);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const consmtl *m = self;
    BASE_TRY(balance_fairness_solve(balancer, &m->fairness, step, NULL, m->alpha, weights));
    balance_clip(step, m->max_norm, weights);
    return TRUCE_OK;
}

const balance_method balance_consmtl = {
    .about = {.name = "consmtl",
              .title = "Consistent multi-task learning, shared part",
              .reference = "code of the NTKMTL repository (paper not available)",
              .summary = "FairGrad on the shared parameters; the heads' consistency term is the trainer's.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_NON_CONFLICTING | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(consmtl),
    .prepare = prepare,
    .weigh = weigh,
};
