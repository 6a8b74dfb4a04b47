/*
 * Gradient vaccine: like pcgrad, but a gradient p is moved towards g_j until their cosine is a target, where
 * it is below it; targets h_ij are moving averages of the cosines met:
 *
 *     phi = cos(p, g_j);  if phi < h_ij: p += |p| (h sqrt(1 - phi^2) - phi sqrt(1 - h^2)) / (|g_j| sqrt(1 -
 * h^2)) g_j; h_ij <- (1 - beta) h_ij + beta phi.
 *
 * The first step (h = 0) is pcgrad's. One balancer per layer or per matrix makes the paper's finer groups.
 * TorchJD and LibMTL add 1e-8 to the denominators; a copy (SamsungLabs) updates h only inside the `if`.
 */
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/small.h"

#include <math.h>

enum { RANDOM, INDEX };
enum { ALWAYS, BELOW };

typedef struct gradvac {
    int variant, order, update;
    double beta, epsilon;
    double *target;       /* [T][T] state */
    double *c, *products; /* [T]: coefficients of p, and p . g_j */
    int64_t *visits;      /* [T] */
} gradvac;

static const truce_option options[] = {
    BALANCE_CHOICE(gradvac, variant, "paper", "paper|libmtl|torchjd", "whose choices to follow"),
    BALANCE_REAL(gradvac, beta, "0.5", 0, 1, "rate of the moving averages"),
    BALANCE_REAL(gradvac, epsilon, "0", 0, 1, "added to the denominators"),
    BALANCE_CHOICE(gradvac, order, "random", "random|index", "in which order to visit the other tasks"),
    BALANCE_CHOICE(gradvac, update, "always", "always|below", "when a target follows the cosine"),
};

static const balance_preset presets[] = {
    {"libmtl", "epsilon", "1e-8"},
    {"torchjd", "epsilon", "1e-8"},
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    gradvac *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    double *visits = NULL;
    BASE_TRY(balance_keep(balancer, "target_cosines", BALANCE_PAIR, 0, &m->target));
    BASE_TRY(balance_scratch(balancer, tasks, &m->c));
    BASE_TRY(balance_scratch(balancer, tasks, &m->products));
    BASE_TRY(balance_scratch(balancer, tasks, &visits));
    m->visits = (int64_t *)(void *)visits;
    return TRUCE_OK;
}

/* How much of g_j brings p, of length `length` and cosine phi, to the target cosine. */
static double share_of(const gradvac *m, double length, double norm, double phi, double target) {
    double sine = sqrt(fmax(0, 1 - phi * phi)), target_sine = sqrt(fmax(0, 1 - target * target));
    double denominator = norm * target_sine + m->epsilon;
    return denominator > 0 ? length * (target * sine - phi * target_sine) / denominator : 0;
}

static void move_towards(gradvac *m, const balance_step *step, int i, int j) {
    int n = step->n;
    const double *row = step->gramian + j * n;
    double *target = &m->target[i * n + j];
    double length = sqrt(fmax(0, linalg_dot(n, m->c, m->products))),
           norms = length * step->norms[j] + m->epsilon;
    double phi = norms > 0 ? fmin(1, fmax(-1, m->products[j] / norms)) : 0;
    bool below = phi < *target;
    if (below) {
        double share = share_of(m, length, step->norms[j], phi, *target);
        m->c[j] += share;
        for (int k = 0; k < n; k++) m->products[k] += share * row[k];
    }
    if (below || m->update == ALWAYS) *target = (1 - m->beta) * *target + m->beta * phi;
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    gradvac *m = self;
    int n = step->n;
    balance_set_all(n, 0, weights);
    for (int i = 0; i < n; i++) {
        base_rng rng = balance_rng(balancer, (uint64_t)i);
        for (int k = 0; k < n; k++) m->visits[k] = k;
        if (m->order == RANDOM) base_rng_shuffle(&rng, m->visits, n);
        balance_set_all(n, 0, m->c);
        m->c[i] = 1;
        for (int k = 0; k < n; k++) m->products[k] = step->gramian[i * n + k];
        for (int k = 0; k < n; k++)
            if (m->visits[k] != i) move_towards(m, step, i, (int)m->visits[k]);
        for (int k = 0; k < n; k++) weights[k] += m->c[k];
    }
    return TRUCE_OK;
}

const balance_method balance_gradvac = {
    .about = {.name = "gradvac",
              .title = "Gradient vaccine",
              .reference = "Wang et al., ICLR 2021, arXiv 2010.05874",
              .summary = "Turns gradients towards each other until their cosines are as high as usual.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED | TRUCE_STOCHASTIC | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(gradvac),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
