/*
 * UPGrad: every gradient is projected on the cone of directions that conflict with no task, and the
 * projections are averaged with the preference p: w = sum_i argmin over v >= p_i e_i of v' G v. TorchJD and
 * LibMTL add 1e-4 of the trace to the Gramian's diagonal, and take a trace below 1e-4 for zero; the
 * projection here is exact.
 */
#include "balance/dual_cone.h"
#include "balance/numbers.h"
#include "balance/table.h"

typedef struct upgrad {
    int variant;
    double reg_eps, norm_eps;
    truce_reals preference;
    balance_dual_cone cone;
    double *p, *u; /* [T] */
} upgrad;

static const truce_option options[] = {
    BALANCE_CHOICE(upgrad, variant, "paper", "paper|libmtl|torchjd", "whose choices to follow"),
    BALANCE_LIST(upgrad, preference, 0, 1e12, "p, one per task; 1 / T for all where left out"),
    BALANCE_REAL(upgrad, reg_eps, "0", 0, 1, "share of the trace added to the diagonal"),
    BALANCE_REAL(upgrad, norm_eps, "0", 0, 1e12, "a trace below this counts as zero"),
};

static const balance_preset presets[] = {
    {"libmtl", "reg_eps", "1e-4"},
    {"libmtl", "norm_eps", "1e-4"},
    {"torchjd", "reg_eps", "1e-4"},
    {"torchjd", "norm_eps", "1e-4"},
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    upgrad *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_check_list(balancer, "preference", &m->preference));
    BASE_TRY(balance_dual_cone_prepare(balancer, &m->cone));
    BASE_TRY(balance_scratch(balancer, tasks, &m->p));
    return balance_scratch(balancer, tasks, &m->u);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const upgrad *m = self;
    (void)balancer;
    balance_take_list(step, &m->preference, 1.0 / step->n, m->p);
    balance_dual_cone_begin(&m->cone, step, &(balance_ridge){m->reg_eps, m->norm_eps});
    balance_set_all(step->n, 0, weights);
    for (int i = 0; i < step->n; i++) {
        balance_set_all(step->n, 0, m->u);
        m->u[i] = m->p[i];
        balance_dual_cone_project(&m->cone, step, m->u, weights);
    }
    return TRUCE_OK;
}

const balance_method balance_upgrad = {
    .about = {.name = "upgrad",
              .title = "Unconflicting projection of gradients",
              .reference = "Quinton and Rey, 2024, arXiv 2406.16232",
              .summary = "Averages the gradients after projecting each on the directions that harm no task.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_NON_CONFLICTING | TRUCE_LINEAR_SCALING | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(upgrad),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
