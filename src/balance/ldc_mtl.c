/*
 * Loss discrepancy control, the form of the official code that needs no extra network: router weights
 * v_i = sigmoid(W_i) with a free W, normalised losses l, and one loss for both levels,
 *
 *     sum_i v_i l_i / sg(sum_j v_j) + lambda sum_{i < T} | v_i l_i - v_{i+1} l_{i+1} |,
 *
 * trained together with W (Adam here). The losses are taken as they are (CelebA in the paper), divided by
 * their first values over the least of these (NYUv2), or as log(L / first value), the first value anew in
 * each epoch (QM9). The sum over neighbours depends on the order of the tasks.
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

enum { NONE, RATIO, LOG };

typedef struct ldc_mtl {
    int normalise;
    double lambda, rate, initial;
    double *router, *first;           /* [T] state: W, and the first losses, NaN while not known */
    double *v, *l, *slope, *gradient; /* [T] */
    balance_adam adam;
} ldc_mtl;

static const truce_option options[] = {
    BALANCE_REAL(ldc_mtl, lambda, "0.01", 0, 1e6, "weight of the discrepancies"),
    BALANCE_REAL(ldc_mtl, rate, "0.001", 0, 1, "of Adam for the router"),
    BALANCE_REAL(ldc_mtl, initial, "1", -100, 100, "value of W to begin with"),
    BALANCE_CHOICE(ldc_mtl, normalise, "none", "none|ratio|log", "how losses are made comparable"),
};

static unsigned needs(const void *self) {
    const ldc_mtl *m = self;
    if (m->normalise == NONE) return TRUCE_NEEDS_LOSSES;
    unsigned epochs = m->normalise == LOG ? TRUCE_NEEDS_EPOCH_LOSSES : 0;
    return TRUCE_NEEDS_LOSSES | epochs | BALANCE_POSITIVE_LOSSES;
}

static truce_status prepare(truce_balancer *balancer, void *self) {
    ldc_mtl *m = self;
    double **vectors[] = {&m->v, &m->l, &m->slope, &m->gradient};
    BASE_TRY(balance_keep(balancer, "router", BALANCE_TASK, m->initial, &m->router));
    BASE_TRY(balance_keep(balancer, "first_losses", BALANCE_TASK, (double)NAN, &m->first));
    BASE_TRY(balance_adam_prepare(balancer, &m->adam));
    for (size_t i = 0; i < BASE_COUNT(vectors); i++)
        BASE_TRY(balance_scratch(balancer, (size_t)balance_tasks(balancer), vectors[i]));
    return TRUCE_OK;
}

/* l_i, and dl_i / dL_i into `slope`. */
static void normalise(ldc_mtl *m, const balance_step *step) {
    double least = INFINITY;
    for (int i = 0; i < step->n; i++) {
        if (isnan(m->first[i])) m->first[i] = step->losses[i];
        least = fmin(least, m->first[i]);
    }
    for (int i = 0; i < step->n; i++) {
        double loss = step->losses[i], ratio = m->first[i] / least;
        m->l[i] = m->normalise == NONE    ? loss
                  : m->normalise == RATIO ? loss / ratio
                                          : log(loss / m->first[i]);
        m->slope[i] = m->normalise == NONE ? 1 : m->normalise == RATIO ? 1 / ratio : 1 / loss;
    }
}

static double sign(double x) {
    return (x > 0) - (x < 0);
}

/* The derivative of the sum of discrepancies with respect to v_i l_i. */
static double pull_of_neighbours(const ldc_mtl *m, int n, int i) {
    double own = m->v[i] * m->l[i];
    double next = i + 1 < n ? sign(own - m->v[i + 1] * m->l[i + 1]) : 0;
    double previous = i > 0 ? sign(own - m->v[i - 1] * m->l[i - 1]) : 0;
    return next + previous;
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    ldc_mtl *m = self;
    int n = step->n;
    (void)balancer;
    normalise(m, step);
    for (int i = 0; i < n; i++) m->v[i] = 1 / (1 + exp(-m->router[i]));
    double total = balance_total(n, m->v);
    for (int i = 0; i < n; i++) {
        double pull = 1 / total + m->lambda * pull_of_neighbours(m, n, i); /* on v_i l_i */
        weights[i] = pull * m->v[i] * m->slope[i];
        m->gradient[i] = pull * m->l[i] * m->v[i] * (1 - m->v[i]);
    }
    balance_adam_step(&m->adam, n, m->rate, m->gradient, m->router);
    return TRUCE_OK;
}

static truce_status end_epoch(truce_balancer *balancer, void *self, const balance_step *step) {
    ldc_mtl *m = self;
    (void)balancer;
    for (int i = 0; i < step->n && m->normalise == LOG; i++) m->first[i] = (double)NAN;
    return TRUCE_OK;
}

const balance_method balance_ldc_mtl = {
    .about = {.name = "ldc_mtl",
              .title = "Loss discrepancy control",
              .reference = "Xiao et al., 2025, arXiv 2502.08585",
              .summary = "Learns router weights that also keep the weighted losses close to each other.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL | TRUCE_ORDER_DEPENDENT,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(ldc_mtl),
    .prepare = prepare,
    .weigh = weigh,
    .end_epoch = end_epoch,
    .needs = needs,
};
