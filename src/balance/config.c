/*
 * ConFIG: the direction u with equal cosines to all gradients, and a length. With unit rows U, u = U^+ 1 /
 * |U^+ 1| and d = (sum_i g_i . u) u. In coefficients (derived and checked for this library): with y = C^+ 1
 * for the correlations C, u = sum_i k_i g_i for k_i = y_i / |g_i|, made of unit length. Other lengths, from
 * the official package, follow the norms of the gradients: their least, largest, arithmetic, geometric or
 * harmonic mean. A preference replaces the ones. Where the rows are dependent, equal cosines may not exist;
 * the least-squares answer may conflict then.
 */
#include "balance/equal.h"
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/small.h"

#include <math.h>

enum { PROJECTIONS, MIN, MAX, ARITHMETIC, GEOMETRIC, HARMONIC };

typedef struct config {
    int length;
    truce_reals preference;
    balance_equal equal;
    double *p; /* [T] */
} config;

static const truce_option options[] = {
    BALANCE_CHOICE(config, length, "projections", "projections|min|max|arithmetic|geometric|harmonic",
                   "of d: the sum of the gradients' projections on it, or a mean of their norms"),
    BALANCE_LIST(config, preference, 0, 1e12, "wanted cosines, up to a factor; all alike where left out"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    config *m = self;
    BASE_TRY(balance_check_list(balancer, "preference", &m->preference));
    BASE_TRY(balance_equal_prepare(balancer, &m->equal));
    return balance_scratch(balancer, (size_t)balance_tasks(balancer), &m->p);
}

static double mean_norm(int kind, int n, const double *norms) {
    double least = norms[0], largest = norms[0], sum = 0, logs = 0, inverses = 0;
    for (int i = 0; i < n; i++) {
        least = fmin(least, norms[i]);
        largest = fmax(largest, norms[i]);
        sum += norms[i];
        logs += log(norms[i]);
        inverses += 1 / norms[i];
    }
    switch (kind) {
    case MIN: return least;
    case MAX: return largest;
    case ARITHMETIC: return sum / n;
    case GEOMETRIC: return exp(logs / n);
    default: return n / inverses;
    }
}

/* The sum of g_i . u for u = sum_k w_k g_k. */
static double sum_of_projections(const balance_step *step, const double *weights) {
    double sum = 0;
    for (int i = 0; i < step->n; i++) sum += linalg_dot(step->n, step->gramian + i * step->n, weights);
    return sum;
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const config *m = self;
    int n = step->n;
    (void)balancer;
    balance_take_list(step, &m->preference, 1, m->p);
    balance_equal_solve(&m->equal, step, m->p, weights);
    for (int i = 0; i < n; i++) weights[i] /= step->norms[i];
    double length = balance_length(step, weights);
    balance_scale_all(n, length > 0 ? 1 / length : 0, weights);
    balance_scale_all(n,
                      m->length == PROJECTIONS ? sum_of_projections(step, weights)
                                               : mean_norm(m->length, n, step->norms),
                      weights);
    return TRUCE_OK;
}

const balance_method balance_config = {
    .about = {.name = "config",
              .title = "Conflict-free inverse gradients",
              .reference = "Liu et al., ICLR 2025, arXiv 2408.11104",
              .summary = "Finds the direction with equal cosines to all gradients.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_LINEAR_SCALING | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(config),
    .prepare = prepare,
    .weigh = weigh,
};
