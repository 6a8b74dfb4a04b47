/*
 * Penalty-based boundary intersection: with f = L - z and the unit preference u,
 *
 *     d1 = f . u,  d2 = |f - d1 u|,  loss d1 + theta d2,   w = u + theta (f - d1 u) / d2  (u alone where d2 =
 * 0).
 */
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/small.h"

#include <math.h>

typedef struct pbi {
    double theta;
    truce_reals preference, reference;
    double *u, *off; /* [T] */
} pbi;

static const truce_option options[] = {
    BALANCE_REAL(pbi, theta, "5", 0, 1e12, "penalty on the distance from the preferred direction"),
    BALANCE_LIST(pbi, preference, 0, 1e12, "direction of preference; all alike where left out"),
    BALANCE_LIST(pbi, reference, 0, 0, "z_i, the ideal losses; 0 for all where left out"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    pbi *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_check_list(balancer, "preference", &m->preference));
    BASE_TRY(balance_check_list(balancer, "reference", &m->reference));
    BASE_TRY(balance_scratch(balancer, tasks, &m->u));
    return balance_scratch(balancer, tasks, &m->off);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const pbi *m = self;
    int n = step->n;
    (void)balancer;
    balance_take_list(step, &m->preference, 1, m->u);
    balance_take_list(step, &m->reference, 0, m->off);
    double length = sqrt(linalg_dot(n, m->u, m->u));
    if (length > 0) balance_scale_all(n, 1 / length, m->u);
    for (int i = 0; i < n; i++) m->off[i] = step->losses[i] - m->off[i];
    double along = linalg_dot(n, m->off, m->u);
    for (int i = 0; i < n; i++) m->off[i] -= along * m->u[i];
    double distance = sqrt(linalg_dot(n, m->off, m->off));
    for (int i = 0; i < n; i++) weights[i] = m->u[i] + (distance > 0 ? m->theta * m->off[i] / distance : 0);
    return TRUCE_OK;
}

const balance_method balance_pbi = {
    .about = {.name = "pbi",
              .title = "Penalty-based boundary intersection",
              .reference = "Zhang and Li, IEEE Trans. Evol. Comput. 11, 2007",
              .summary = "Lowers the losses along a preferred direction and penalises straying from it.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(pbi),
    .prepare = prepare,
    .weigh = weigh,
};
