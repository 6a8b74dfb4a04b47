/*
 * Fast adaptive multi-task optimisation: with logits x, z = softmax(x) and D_i = L_i - b_i + 1e-8,
 *
 *     w_i = c z_i / D_i,   c = 1 / sum_j (z_j / D_j),
 *
 * and after the update, from the losses of the same batch, delta_i = log D_i - log D'_i and
 *
 *     gradient_i = z_i (delta_i - sum_j z_j delta_j) + gamma x_i   into Adam on x:
 *
 * tasks that improved most lose weight. The second forward pass must see the same rows and the same dropout.
 * gamma is 1e-3 in most of the published runs (Cityscapes 1e-2, the toy problem 0); the official code also
 * clips the shared gradient to length 1, which is the trainer's to do.
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

#define EPSILON 1e-8

typedef struct famo {
    double rate, gamma;
    truce_reals lower_bound;
    double *logits, *before;      /* [T] state: x, and log D of the last step */
    double *z, *bound, *gradient; /* [T] */
    balance_adam adam;
} famo;

static const truce_option options[] = {
    BALANCE_REAL(famo, rate, "0.025", 0, 1, "of Adam for the logits"),
    BALANCE_REAL(famo, gamma, "0.001", 0, 1, "weight decay of the logits"),
    BALANCE_LIST(famo, lower_bound, 0, 0, "b_i, a bound below each loss; 0 for all where left out"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    famo *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_check_list(balancer, "lower_bound", &m->lower_bound));
    BASE_TRY(balance_keep(balancer, "logits", BALANCE_TASK, 0, &m->logits));
    BASE_TRY(balance_keep(balancer, "log_losses_before", BALANCE_TASK, (double)NAN, &m->before));
    BASE_TRY(balance_adam_prepare(balancer, &m->adam));
    BASE_TRY(balance_scratch(balancer, tasks, &m->z));
    BASE_TRY(balance_scratch(balancer, tasks, &m->bound));
    return balance_scratch(balancer, tasks, &m->gradient);
}

/* D [n] into m->bound. */
static truce_status find_distances(truce_balancer *balancer, famo *m, const balance_step *step) {
    char task[BALANCE_TASK_BYTES];
    balance_take_list(step, &m->lower_bound, 0, m->bound);
    for (int i = 0; i < step->n; i++) {
        double distance = step->losses[i] - m->bound[i] + EPSILON;
        if (!(distance > 0))
            return balance_fail(balancer, TRUCE_ERROR_DATA,
                                "the loss of %s is %g, below its bound %g; give a lower one by lower_bound",
                                balance_task_text(balancer, step->task[i], task), step->losses[i],
                                m->bound[i]);
        m->bound[i] = distance;
    }
    return TRUCE_OK;
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    famo *m = self;
    BASE_TRY(find_distances(balancer, m, step));
    balance_softmax(step->n, m->logits, m->z);
    for (int i = 0; i < step->n; i++) {
        m->before[i] = log(m->bound[i]);
        weights[i] = m->z[i] / m->bound[i];
    }
    balance_scale_all(step->n, 1 / balance_total(step->n, weights), weights);
    return TRUCE_OK;
}

static truce_status observe(truce_balancer *balancer, void *self, const balance_step *step) {
    famo *m = self;
    double mean = 0, *delta = m->gradient;
    BASE_TRY(find_distances(balancer, m, step));
    balance_softmax(step->n, m->logits, m->z);
    for (int i = 0; i < step->n; i++) {
        delta[i] = isnan(m->before[i]) ? 0 : m->before[i] - log(m->bound[i]);
        mean += m->z[i] * delta[i];
    }
    for (int i = 0; i < step->n; i++) m->gradient[i] = m->z[i] * (delta[i] - mean) + m->gamma * m->logits[i];
    balance_adam_step(&m->adam, step->n, m->rate, m->gradient, m->logits);
    return TRUCE_OK;
}

const balance_method balance_famo = {
    .about = {.name = "famo",
              .title = "Fast adaptive multi-task optimisation",
              .reference = "Liu et al., NeurIPS 2023, arXiv 2306.03792",
              .summary =
                  "Learns weights under which all losses fall at one rate, from losses after each update.",
              .needs = TRUCE_NEEDS_LOSSES | TRUCE_NEEDS_LOSSES_AFTER,
              .properties = TRUCE_SCALE_INVARIANT | TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(famo),
    .prepare = prepare,
    .weigh = weigh,
    .observe = observe,
};
