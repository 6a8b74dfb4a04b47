/*
 * CR-MOGM: smooths the weights of another method, lambda <- alpha lambda + (1 - alpha) w, beginning with its
 * first weights. alpha is constant, or 1 - (learning rate / first learning rate) as in the paper's theory,
 * under which nothing is smoothed while the rate stays. The inner method is the option `inner`; its options
 * are `inner.<option>`.
 */
#include "balance/table.h"

#include <math.h>

enum { CONSTANT, RATE };

typedef struct cr_mogm {
    const char *inner;
    double alpha;
    int schedule;
    double *lambda, *weights; /* [T], the first is state */
} cr_mogm;

static const truce_option options[] = {
    {"inner", TRUCE_OPTION_TEXT, "mgda", NULL, 0, 0, "the method whose weights are smoothed",
     offsetof(cr_mogm, inner)},
    BALANCE_REAL(cr_mogm, alpha, "0.9", 0, 1, "share of the weights so far (constant schedule)"),
    BALANCE_CHOICE(cr_mogm, schedule, "constant", "constant|rate",
                   "alpha as it is, or from the learning rate"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    cr_mogm *m = self;
    BASE_TRY(balance_keep(balancer, "weights", BALANCE_TASK, (double)NAN, &m->lambda));
    return balance_scratch(balancer, (size_t)balance_tasks(balancer), &m->weights);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    cr_mogm *m = self;
    double rate = step->input->learning_rate > 0 ? step->input->learning_rate : 1;
    double alpha = m->schedule == RATE ? fmin(1, fmax(0, 1 - rate)) : m->alpha;
    BASE_TRY(truce_balancer_weigh(balance_inner(balancer), step->input, m->weights));
    for (int i = 0; i < step->n; i++) {
        double now = m->weights[step->task[i]];
        m->lambda[i] = isnan(m->lambda[i]) ? now : alpha * m->lambda[i] + (1 - alpha) * now;
        weights[i] = m->lambda[i];
    }
    return TRUCE_OK;
}

const balance_method balance_cr_mogm = {
    .about = {.name = "cr_mogm",
              .title = "Correlation-reduced multi-objective gradient manipulation",
              .reference = "Zhou et al., NeurIPS 2022",
              .summary = "Smooths the weights of another method over the steps.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(cr_mogm),
    .wraps = true,
    .prepare = prepare,
    .weigh = weigh,
};
