/*
 * ConicGrad: the best worst case among directions whose cosine with the mean gradient g_0 is at least c,
 *
 *     maximise min_i g_i . d   over |d| <= 1, g_0 . d >= c |g_0| |d|,
 *
 * then brought to the length of g_0. The paper's exact equations were not at hand; this problem is inferred
 * from its abstract and solved exactly as follows. By duality w minimises the length of the projection of g_w
 * = sum_i w_i g_i on the cone. Either the shortest vector of the hull lies in the cone, and is the answer, or
 * the projection is on the cone's mantle: with unit e = g_0 / |g_0| and x the part of g_w across e, w
 * minimises c (g_w . e) + sqrt(1 - c^2) |x|, which linalg/maximin.c solves for the parts across e, and d = c
 * e + sqrt(1 - c^2) x / |x|. At a Pareto-stationary point no direction helps all, and d is zero.
 */
#include "balance/hull.h"
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/maximin.h"
#include "linalg/small.h"

#include <math.h>

typedef struct conicgrad {
    double c;
    balance_hull hull;
    double *center, *cosines, *linear, *row; /* [T] */
    double *across, *work;                   /* [T][T] */
} conicgrad;

static const truce_option options[] = {
    BALANCE_REAL(conicgrad, c, "0.5", 0, 1, "least cosine of d with the mean gradient"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    conicgrad *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    double **vectors[] = {&m->center, &m->cosines, &m->linear, &m->row};
    BASE_TRY(balance_hull_prepare(balancer, &m->hull));
    for (size_t i = 0; i < BASE_COUNT(vectors); i++) BASE_TRY(balance_scratch(balancer, tasks, vectors[i]));
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &m->across));
    return balance_scratch(balancer, linalg_maximin_room((int)tasks), &m->work);
}

/* The answer on the mantle, as coefficients of a direction of some length. `mean` is |g_0|. */
static void solve_on_mantle(const conicgrad *m, const balance_step *step, double mean, double *weights) {
    int n = step->n;
    double shortest = step->norms[0], along = 0;
    balance_correlate(step, m->across);
    linalg_times(n, step->gramian, m->center, m->cosines);
    for (int i = 0; i < n; i++) {
        shortest = fmin(shortest, step->norms[i]);
        m->cosines[i] /= mean * step->norms[i];
        m->linear[i] = m->c * m->cosines[i];
    }
    for (int i = 0; i < n; i++) {
        m->row[i] = shortest / step->norms[i];
        for (int j = 0; j < n; j++) m->across[i * n + j] -= m->cosines[i] * m->cosines[j];
        m->across[i * (n + 1)] = fmax(0, m->across[i * (n + 1)]);
    }
    linalg_maximin unit = {n, m->across, m->linear, m->row, sqrt(1 - m->c * m->c)};
    linalg_maximin_solve(&unit, weights, m->work);
    for (int i = 0; i < n; i++) along += weights[i] * m->cosines[i];
    for (int i = 0; i < n; i++) weights[i] = weights[i] / step->norms[i] + (m->c - along) / (mean * n);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const conicgrad *m = self;
    int n = step->n;
    (void)balancer;
    balance_set_all(n, 1.0 / n, m->center);
    double mean = balance_length(step, m->center), shortest = balance_hull_nearest(&m->hull, step, weights);
    if (!(shortest > 0 && mean > 0)) {
        balance_set_all(n, 0, weights);
        return TRUCE_OK;
    }
    double inner = linalg_form(n, step->gramian, m->center, weights);
    if (inner < m->c * shortest * mean) solve_on_mantle(m, step, mean, weights);
    double length = balance_length(step, weights);
    balance_scale_all(n, length > 0 ? mean / length : 0, weights);
    return TRUCE_OK;
}

const balance_method balance_conicgrad = {
    .about = {.name = "conicgrad",
              .title = "Conic gradient descent (inferred)",
              .reference = "Hassanpour et al., 2025, arXiv 2502.00217 (problem inferred from its abstract)",
              .summary = "Improves the worst-off task as much as a cone around the mean gradient allows.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(conicgrad),
    .prepare = prepare,
    .weigh = weigh,
};
