/*
 * Conflict-averse gradient descent: the best worst case near the mean gradient g_0,
 *
 *     d = argmax over |d - g_0| <= c |g_0| of min_i g_i . d,
 *
 * optionally divided by 1 + c^2 or 1 + c. In the paper's dual, w minimises g_w . g_0 + c |g_0| |g_w| on the
 * simplex and d = g_0 + (c |g_0| / |g_w|) g_w; linalg/maximin.c finds (c |g_0| / |g_w|) w exactly. Where g_w
 * is zero (a Pareto-stationary point with a large enough c) the formula is empty; d is then what it tends to,
 * the projection of g_0 on the directions that conflict with no task. TorchJD returns zero there, the
 * official code g_0. With `log` losses all of this happens to the gradients of log L_i (LOG_CAGrad of the
 * FAMO repository).
 */
#include "balance/ball.h"
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/small.h"

typedef struct cagrad {
    int variant, rescale, losses;
    double c;
    balance_ball ball;
    double *factors, *norms, *center; /* [T] */
    double *gramian;                  /* [T][T] */
} cagrad;

enum { BY_NOTHING, BY_SQUARE, BY_SUM };

static const truce_option options[] = {
    BALANCE_CHOICE(cagrad, variant, "paper", "paper|torchjd", "whose choices to follow"),
    BALANCE_REAL(cagrad, c, "0.5", 0, 1e6, "how far d may be from the mean gradient, of its length"),
    BALANCE_CHOICE(cagrad, rescale, "1+c2", "none|1+c2|1+c", "what d is divided by"),
    BALANCE_CHOICE(cagrad, losses, "plain", "plain|log", "balance the losses or their logarithms"),
};

static const balance_preset presets[] = {{"torchjd", "rescale", "none"}};

static unsigned needs(const void *self) {
    const cagrad *m = self;
    return TRUCE_NEEDS_GRAMIAN | (m->losses ? TRUCE_NEEDS_LOSSES | BALANCE_POSITIVE_LOSSES : 0);
}

static truce_status prepare(truce_balancer *balancer, void *self) {
    cagrad *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_ball_prepare(balancer, &m->ball));
    BASE_TRY(balance_scratch(balancer, tasks, &m->factors));
    BASE_TRY(balance_scratch(balancer, tasks, &m->norms));
    BASE_TRY(balance_scratch(balancer, tasks, &m->center));
    return balance_scratch(balancer, tasks * tasks, &m->gramian);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    cagrad *m = self;
    int n = step->n;
    balance_step rows = *step;
    (void)balancer;
    for (int i = 0; i < n; i++) {
        m->factors[i] = m->losses ? 1 / step->losses[i] : 1;
        m->norms[i] = step->norms[i] * m->factors[i];
    }
    balance_rescale(step, m->factors, m->gramian);
    rows.gramian = m->gramian;
    rows.norms = m->norms;
    balance_set_all(n, 1.0 / n, m->center);
    double radius = m->c * balance_length(&rows, m->center);
    linalg_times(n, rows.gramian, m->center, m->ball.linear);
    balance_ball_solve(&m->ball, &rows, radius, weights);
    double divisor = m->rescale == BY_SQUARE ? 1 + m->c * m->c : m->rescale == BY_SUM ? 1 + m->c : 1;
    for (int i = 0; i < n; i++) weights[i] = (m->center[i] + weights[i]) * m->factors[i] / divisor;
    return TRUCE_OK;
}

const balance_method balance_cagrad = {
    .about = {.name = "cagrad",
              .title = "Conflict-averse gradient descent",
              .reference = "Liu et al., NeurIPS 2021, arXiv 2110.14048",
              .summary = "Improves the worst-off task as much as it can near the mean gradient.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(cagrad),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
    .needs = needs,
};
