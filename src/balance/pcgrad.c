/*
 * Gradient surgery: each gradient in turn is projected off every other one that it conflicts with,
 *
 *     p = g_i;  for j in random order: if p . g_j < 0, p -= (p . g_j / |g_j|^2) g_j;   d = sum_i p,
 *
 * here on coefficients: p = c G. The official code shuffles a copy and so keeps the tasks' order; a popular
 * port averages instead of adding up; LibMTL also visits j = i, and adds 1e-8 to the denominators.
 */
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/small.h"

typedef struct pcgrad {
    int variant, order, reduction, include_self;
    double epsilon;
    double *c, *products; /* [T]: coefficients of p, and p . g_j */
    int64_t *visits;      /* [T] */
} pcgrad;

enum { RANDOM, INDEX };
enum { SUM, MEAN };

static const truce_option options[] = {
    BALANCE_CHOICE(pcgrad, variant, "paper", "paper|libmtl|official", "whose choices to follow"),
    BALANCE_CHOICE(pcgrad, order, "random", "random|index", "in which order to visit the other tasks"),
    BALANCE_CHOICE(pcgrad, reduction, "sum", "sum|mean", "how to join the projected gradients"),
    BALANCE_SWITCH(pcgrad, include_self, "false", "visit a task's own gradient as well"),
    BALANCE_REAL(pcgrad, epsilon, "0", 0, 1, "added to |g_j|^2 below the fraction"),
};

static const balance_preset presets[] = {
    {"libmtl", "include_self", "true"},
    {"libmtl", "epsilon", "1e-8"},
    {"official", "order", "index"},
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    pcgrad *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    double *visits = NULL;
    BASE_TRY(balance_scratch(balancer, tasks, &m->c));
    BASE_TRY(balance_scratch(balancer, tasks, &m->products));
    BASE_TRY(balance_scratch(balancer, tasks, &visits));
    m->visits = (int64_t *)(void *)visits;
    return TRUCE_OK;
}

/* Projects gradient i; its coefficients are left in m->c. */
static void project(pcgrad *m, const balance_step *step, int i) {
    int n = step->n;
    balance_set_all(n, 0, m->c);
    m->c[i] = 1;
    for (int k = 0; k < n; k++) m->products[k] = step->gramian[i * n + k];
    for (int k = 0; k < n; k++) {
        int j = (int)m->visits[k];
        if ((j == i && !m->include_self) || m->products[j] >= 0) continue;
        const double *row = step->gramian + j * n;
        double share = m->products[j] / (row[j] + m->epsilon);
        m->c[j] -= share;
        for (int l = 0; l < n; l++) m->products[l] -= share * row[l];
    }
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    pcgrad *m = self;
    balance_set_all(step->n, 0, weights);
    for (int i = 0; i < step->n; i++) {
        base_rng rng = balance_rng(balancer, (uint64_t)i);
        for (int k = 0; k < step->n; k++) m->visits[k] = k;
        if (m->order == RANDOM) base_rng_shuffle(&rng, m->visits, step->n);
        project(m, step, i);
        for (int k = 0; k < step->n; k++) weights[k] += m->c[k];
    }
    if (m->reduction == MEAN) balance_scale_all(step->n, 1.0 / step->n, weights);
    return TRUCE_OK;
}

const balance_method balance_pcgrad = {
    .about = {.name = "pcgrad",
              .title = "Projecting conflicting gradients",
              .reference = "Yu et al., NeurIPS 2020, arXiv 2001.06782",
              .summary = "Projects each gradient off the others that it conflicts with, and adds them up.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_LINEAR_SCALING | TRUCE_WEIGHTED | TRUCE_STOCHASTIC,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(pcgrad),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
