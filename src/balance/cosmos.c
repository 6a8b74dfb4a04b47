/*
 * COSMOS: sum_i r_i L_i - lambda cos(r, L). The preference r is given, or drawn from a Dirichlet distribution
 * at each step as in the paper, where the network reads it as an input: the state array `preference` holds
 * it. The weights are the derivative with respect to L,
 *
 *     w_i = r_i - lambda (r_i / (|r| |L|) - (r . L) L_i / (|r| |L|^3)).
 *
 * The paper's lambda is 0.01 to 8 by data set; 1 is ours.
 */
#include "balance/numbers.h"
#include "balance/random.h"
#include "balance/table.h"
#include "linalg/small.h"

#include <math.h>

typedef struct cosmos {
    double lambda, dirichlet;
    truce_reals preference;
    double *r; /* [T] state */
} cosmos;

static const truce_option options[] = {
    BALANCE_REAL(cosmos, lambda, "1", 0, 1e12, "weight of the cosine between preference and losses"),
    BALANCE_REAL(cosmos, dirichlet, "0", 0, 1e6, "concentration to draw r with; 0 for the given preference"),
    BALANCE_LIST(cosmos, preference, 0, 1e12, "r_i; 1 / T for all where left out"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    cosmos *m = self;
    BASE_TRY(balance_check_list(balancer, "preference", &m->preference));
    return balance_keep(balancer, "preference", BALANCE_TASK, 0, &m->r);
}

static void draw(truce_balancer *balancer, cosmos *m, const balance_step *step) {
    for (int i = 0; i < step->n; i++) {
        base_rng rng = balance_rng(balancer, (uint64_t)step->task[i]);
        m->r[i] = balance_log_gamma(&rng, m->dirichlet);
    }
    balance_softmax(step->n, m->r, m->r); /* gamma variates, over their sum */
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    cosmos *m = self;
    int n = step->n;
    balance_take_list(step, &m->preference, 1.0 / n, m->r);
    if (m->dirichlet > 0) draw(balancer, m, step);
    double r = sqrt(linalg_dot(n, m->r, m->r)), l = sqrt(linalg_dot(n, step->losses, step->losses));
    double inner = linalg_dot(n, m->r, step->losses);
    for (int i = 0; i < n; i++) {
        double slope = r > 0 && l > 0 ? m->r[i] / (r * l) - inner * step->losses[i] / (r * l * l * l) : 0;
        weights[i] = m->r[i] - m->lambda * slope;
    }
    return TRUCE_OK;
}

const balance_method balance_cosmos = {
    .about = {.name = "cosmos",
              .title = "Conditioned one-shot multi-objective search",
              .reference = "Ruchte and Grabocka, ICDM 2021, arXiv 2103.13392",
              .summary = "Adds up the losses by a preference and rewards losses that point along it.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(cosmos),
    .prepare = prepare,
    .weigh = weigh,
};
