/*
 * DualProj: the mean gradient, projected on the cone of directions that conflict with no task, as gradient
 * episodic memory does with past tasks: w = argmin over v >= p of v' G v. For the ridge see upgrad.c.
 */
#include "balance/dual_cone.h"
#include "balance/numbers.h"
#include "balance/table.h"

typedef struct dualproj {
    int variant;
    double reg_eps, norm_eps;
    truce_reals preference;
    balance_dual_cone cone;
    double *p; /* [T] */
} dualproj;

static const truce_option options[] = {
    BALANCE_CHOICE(dualproj, variant, "paper", "paper|torchjd", "whose choices to follow"),
    BALANCE_LIST(dualproj, preference, 0, 1e12, "p, one per task; 1 / T for all where left out"),
    BALANCE_REAL(dualproj, reg_eps, "0", 0, 1, "share of the trace added to the diagonal"),
    BALANCE_REAL(dualproj, norm_eps, "0", 0, 1e12, "a trace below this counts as zero"),
};

static const balance_preset presets[] = {
    {"torchjd", "reg_eps", "1e-4"},
    {"torchjd", "norm_eps", "1e-4"},
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    dualproj *m = self;
    BASE_TRY(balance_check_list(balancer, "preference", &m->preference));
    BASE_TRY(balance_dual_cone_prepare(balancer, &m->cone));
    return balance_scratch(balancer, (size_t)balance_tasks(balancer), &m->p);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const dualproj *m = self;
    (void)balancer;
    balance_take_list(step, &m->preference, 1.0 / step->n, m->p);
    balance_dual_cone_begin(&m->cone, step, &(balance_ridge){m->reg_eps, m->norm_eps});
    balance_set_all(step->n, 0, weights);
    balance_dual_cone_project(&m->cone, step, m->p, weights);
    return TRUCE_OK;
}

const balance_method balance_dualproj = {
    .about = {.name = "dualproj",
              .title = "Projection of the mean gradient",
              .reference = "Lopez-Paz and Ranzato, NeurIPS 2017, arXiv 1706.08840",
              .summary = "Projects the mean gradient on the directions that harm no task.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_NON_CONFLICTING | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(dualproj),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
