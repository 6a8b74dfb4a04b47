/*
 * Smooth Tchebycheff scalarisation. The plain form is
 *
 *     mu log sum_i exp(lambda_i (L_i - z_i) / mu),   w = lambda_i softmax_i(lambda_i (L_i - z_i) / mu);
 *
 * the recipe of the paper's experiments trains on sum_i log L_i for `warmup` epochs, for one more epoch while
 * it averages each loss into nadir_i, and from then on on T mu log sum_i exp(log(L_i / nadir_i) / mu), which
 * means w_i = T softmax_i(log(L_i / nadir_i) / mu) / L_i. A task that had no labels in that epoch takes its
 * nadir from the next one in which it has some. lambda is 1 / T unless given; mu has no published default in
 * the plain form.
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

enum { RECIPE, PLAIN };

typedef struct stch {
    int form;
    double mu;
    int64_t warmup;
    truce_reals weights, reference;
    double *nadir;              /* [T] state, NaN while not known */
    double *lambda, *ideal, *y; /* [T] */
} stch;

static const truce_option options[] = {
    BALANCE_CHOICE(stch, form, "recipe", "recipe|plain",
                   "the recipe of the experiments, or the formula alone"),
    BALANCE_REAL(stch, mu, "1", 1e-9, 1e9, "smoothness: the maximum as mu goes to 0"),
    BALANCE_INTEGER(stch, warmup, "4", 0, 1e9, "epochs on log L before the one that is averaged (recipe)"),
    BALANCE_LIST(stch, weights, 0, 1e12, "lambda_i; 1 / T for all where left out (plain)"),
    BALANCE_LIST(stch, reference, 0, 0, "z_i, the ideal losses; 0 for all where left out (plain)"),
};

static unsigned needs(const void *self) {
    const stch *m = self;
    if (m->form == PLAIN) return TRUCE_NEEDS_LOSSES;
    return TRUCE_NEEDS_LOSSES | TRUCE_NEEDS_EPOCH_LOSSES | BALANCE_POSITIVE_LOSSES;
}

static truce_status prepare(truce_balancer *balancer, void *self) {
    stch *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_check_list(balancer, "weights", &m->weights));
    BASE_TRY(balance_check_list(balancer, "reference", &m->reference));
    BASE_TRY(balance_keep(balancer, "nadir", BALANCE_TASK, (double)NAN, &m->nadir));
    BASE_TRY(balance_scratch(balancer, tasks, &m->lambda));
    BASE_TRY(balance_scratch(balancer, tasks, &m->ideal));
    return balance_scratch(balancer, tasks, &m->y);
}

static void weigh_plain(const stch *m, const balance_step *step, double *weights) {
    balance_take_list(step, &m->weights, 1.0 / step->n, m->lambda);
    balance_take_list(step, &m->reference, 0, m->ideal);
    for (int i = 0; i < step->n; i++) m->y[i] = m->lambda[i] * (step->losses[i] - m->ideal[i]) / m->mu;
    balance_softmax(step->n, m->y, weights);
    for (int i = 0; i < step->n; i++) weights[i] *= m->lambda[i];
}

/* Tasks without a nadir stay on log L, whose weight is what the softmax gives when all are alike. */
static void weigh_recipe(const stch *m, const balance_step *step, double *weights) {
    for (int i = 0; i < step->n; i++)
        m->y[i] = isnan(m->nadir[i]) ? 0 : log(step->losses[i] / m->nadir[i]) / m->mu;
    balance_softmax(step->n, m->y, weights);
    for (int i = 0; i < step->n; i++) weights[i] *= step->n / step->losses[i];
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    (void)balancer;
    if (((const stch *)self)->form == PLAIN)
        weigh_plain(self, step, weights);
    else
        weigh_recipe(self, step, weights);
    return TRUCE_OK;
}

static truce_status end_epoch(truce_balancer *balancer, void *self, const balance_step *step) {
    stch *m = self;
    for (int i = 0; i < step->n; i++)
        if (balance_epochs(balancer) >= m->warmup && isnan(m->nadir[i])) m->nadir[i] = step->losses[i];
    return TRUCE_OK;
}

const balance_method balance_stch = {
    .about = {.name = "stch",
              .title = "Smooth Tchebycheff scalarisation",
              .reference = "Lin et al., ICML 2024, arXiv 2402.19078",
              .summary = "Trains on a smooth maximum of the losses.",
              .needs = TRUCE_NEEDS_LOSSES | TRUCE_NEEDS_EPOCH_LOSSES,
              .properties = TRUCE_SCALE_INVARIANT | TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(stch),
    .internal = BALANCE_POSITIVE_LOSSES,
    .prepare = prepare,
    .weigh = weigh,
    .end_epoch = end_epoch,
    .needs = needs,
};
