/*
 * IMGrad: cagrad with an eye on imbalance. With t = cos(g_0, g_m), g_m the shortest vector of the hull (mgda)
 * and g_0 the mean gradient, w minimises
 *
 *     (1.5 - t) g_w . g_0 + t c |g_0| |g_w|
 *
 * on the simplex, and d = g_0 + (c |g_0| / |g_w|) g_w as in cagrad, divided by 1 + c^2. The formula is read
 * from the official code (its three-task file); in the two-task file the factor 1.5 - t multiplies a part of
 * the first term only, by operator precedence. At a Pareto-stationary point, where g_m has no direction, t
 * is 1.
 */
#include "balance/ball.h"
#include "balance/hull.h"
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/small.h"

#include <math.h>

typedef struct imgrad {
    int rescale;
    double c;
    balance_ball ball;
    balance_hull hull;
    double *center, *nearest; /* [T] */
} imgrad;

static const truce_option options[] = {
    BALANCE_REAL(imgrad, c, "0.8", 0, 1e6, "how far d may be from the mean gradient, of its length"),
    BALANCE_CHOICE(imgrad, rescale, "1+c2", "none|1+c2|1+c", "what d is divided by"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    imgrad *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_ball_prepare(balancer, &m->ball));
    BASE_TRY(balance_hull_prepare(balancer, &m->hull));
    BASE_TRY(balance_scratch(balancer, tasks, &m->center));
    return balance_scratch(balancer, tasks, &m->nearest);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    imgrad *m = self;
    int n = step->n;
    (void)balancer;
    balance_set_all(n, 1.0 / n, m->center);
    double mean = balance_length(step, m->center),
           shortest = balance_hull_nearest(&m->hull, step, m->nearest);
    double inner = linalg_form(n, step->gramian, m->center, m->nearest);
    double t = shortest > 0 && mean > 0 ? fmin(1, fmax(0, inner / (shortest * mean))) : 1;
    linalg_times(n, step->gramian, m->center, m->ball.linear);
    balance_scale_all(n, 1.5 - t, m->ball.linear);
    balance_ball_solve(&m->ball, step, t * m->c * mean, weights); /* t times the addition to g_0 */
    double divisor = m->rescale == 1 ? 1 + m->c * m->c : m->rescale == 2 ? 1 + m->c : 1;
    for (int i = 0; i < n; i++) weights[i] = (m->center[i] + (t > 0 ? weights[i] / t : 0)) / divisor;
    return TRUCE_OK;
}

const balance_method balance_imgrad = {
    .about = {.name = "imgrad",
              .title = "Imbalance-sensitive gradient descent",
              .reference = "Zhou et al., IJCAI 2025, arXiv 2503.08006 (formula inferred from its code)",
              .summary = "CAGrad that leans to the worst-off task the more the gradients are out of balance.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(imgrad),
    .prepare = prepare,
    .weigh = weigh,
};
