/*
 * MoDo: weights that descend an unbiased estimate of the hull's squared norm, from two independent batches,
 * and move a batch of its own with them:
 *
 *     lambda <- projection on the simplex of lambda - gamma (J1 J2' lambda + rho lambda),   d = J3' lambda.
 *
 * The batch J3 may be a third one, as in the authors' code, or both of the others, as in the paper. gamma
 * multiplies squared gradients: it has to fit their scale. Defaults are those of the authors' code; TorchJD
 * has gamma 0.1.
 */
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/simplex.h"
#include "linalg/small.h"

typedef struct modo {
    int variant;
    double gamma, rho;
    double *lambda, *product; /* [T], the first is state */
} modo;

static const truce_option options[] = {
    BALANCE_CHOICE(modo, variant, "paper", "paper|torchjd", "whose choices to follow"),
    BALANCE_REAL(modo, gamma, "0.001", 0, 1e12, "step length of the weights"),
    BALANCE_REAL(modo, rho, "0.1", 0, 1e12, "quadratic penalty on the weights"),
};

static const balance_preset presets[] = {{"torchjd", "gamma", "0.1"}};

static truce_status prepare(truce_balancer *balancer, void *self) {
    modo *m = self;
    BASE_TRY(balance_keep(balancer, "weights", BALANCE_TASK, 1.0 / balance_tasks(balancer), &m->lambda));
    return balance_scratch(balancer, (size_t)balance_tasks(balancer), &m->product);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    modo *m = self;
    (void)balancer;
    balance_share_out(step->n, m->lambda); /* among the present tasks */
    linalg_times(step->n, step->cross, m->lambda, m->product);
    for (int i = 0; i < step->n; i++) m->lambda[i] -= m->gamma * (m->product[i] + m->rho * m->lambda[i]);
    linalg_project_simplex(step->n, m->lambda);
    for (int i = 0; i < step->n; i++) weights[i] = m->lambda[i];
    return TRUCE_OK;
}

const balance_method balance_modo = {
    .about = {.name = "modo",
              .title = "Multi-objective gradient with double sampling",
              .reference = "Chen et al., NeurIPS 2023, arXiv 2305.20057",
              .summary = "Moves min-norm weights step by step, without the bias of one batch's Gramian.",
              .needs = TRUCE_NEEDS_CROSS_GRAMIAN,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(modo),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
