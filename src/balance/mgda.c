/*
 * Multiple gradient descent: d is the shortest vector in the convex hull of the gradients,
 *
 *     min over w >= 0, sum w = 1 of |sum_i w_i r_i|,   r_i = g_i or a normalised g_i.
 *
 * It is solved exactly. The official code and its copies stop Frank-Wolfe or projected-gradient steps early
 * and replace the end points 1 and 0 of two tasks by 0.999 and 0.001; TorchJD makes 100 Frank-Wolfe steps.
 * Both are options. The official code applies w, found for normalised rows, to the plain losses; LibMTL
 * applies it to the normalised rows. With `log` losses the rows are g_i / L_i throughout (LOG_MGDA of the
 * FAMO repository).
 */
#include "balance/hull.h"
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/small.h"

#include <math.h>

enum { NONE, L2, LOSS, LOSS_L2 };
enum { EXACT, FRANK_WOLFE };

typedef struct mgda {
    int variant, normalise, apply, solver, losses;
    double end_point, epsilon;
    int64_t iterations;
    balance_hull hull;
    double *factors, *norms, *product; /* [T] */
    double *gramian;                   /* [T][T], of the normalised rows */
} mgda;

static const truce_option options[] = {
    BALANCE_CHOICE(mgda, variant, "paper", "paper|libmtl|torchjd", "whose choices to follow"),
    BALANCE_CHOICE(mgda, normalise, "none", "none|l2|loss|loss_l2", "divide g_i by |g_i|, by L_i, by both"),
    BALANCE_CHOICE(mgda, apply, "losses", "losses|rows",
                   "whether w multiplies plain or normalised gradients"),
    BALANCE_CHOICE(mgda, losses, "plain", "plain|log", "balance the losses or their logarithms"),
    BALANCE_CHOICE(mgda, solver, "exact", "exact|frank_wolfe", "how to find w"),
    BALANCE_INTEGER(mgda, iterations, "100", 1, 1e9, "most steps of frank_wolfe"),
    BALANCE_REAL(mgda, epsilon, "0.001", 0, 1, "step length at which frank_wolfe stops"),
    BALANCE_REAL(mgda, end_point, "0", 0, 0.5,
                 "least weight of either of two tasks (0.001 in the official code)"),
};

static const balance_preset presets[] = {
    {"libmtl", "apply", "rows"},
    {"libmtl", "end_point", "0.001"},
    {"torchjd", "solver", "frank_wolfe"},
};

static unsigned needs(const void *self) {
    const mgda *m = self;
    bool divides = m->normalise == LOSS || m->normalise == LOSS_L2 || m->losses;
    return TRUCE_NEEDS_GRAMIAN | (divides ? TRUCE_NEEDS_LOSSES | BALANCE_POSITIVE_LOSSES : 0);
}

static truce_status prepare(truce_balancer *balancer, void *self) {
    mgda *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_hull_prepare(balancer, &m->hull));
    BASE_TRY(balance_scratch(balancer, tasks, &m->factors));
    BASE_TRY(balance_scratch(balancer, tasks, &m->norms));
    BASE_TRY(balance_scratch(balancer, tasks, &m->product));
    return balance_scratch(balancer, tasks * tasks, &m->gramian);
}

/* What g_i is multiplied by to make r_i. */
static double factor_of(const mgda *m, const balance_step *step, int i) {
    double factor = 1;
    if (m->normalise == LOSS || m->normalise == LOSS_L2) factor /= step->losses[i];
    if (m->normalise == L2 || m->normalise == LOSS_L2) factor /= step->norms[i];
    if (m->losses) factor /= m->normalise == LOSS || m->normalise == LOSS_L2 ? 1 : step->losses[i];
    return factor;
}

/* One step towards the row that the direction helps least; returns the step's length. */
static double step_frank_wolfe(const double *g, int n, const double *product, double *w) {
    int t = 0;
    for (int i = 1; i < n; i++)
        if (product[i] < product[t]) t = i;
    double a = product[t], b = linalg_dot(n, product, w), c = g[t * (n + 1)];
    double length = c <= a ? 1 : b <= a ? 0 : (b - a) / (b + c - 2 * a);
    balance_scale_all(n, 1 - length, w);
    w[t] += length;
    return length;
}

static void solve(mgda *m, const balance_step *rows, double *w) {
    int n = rows->n;
    if (m->solver == EXACT) {
        balance_hull_nearest(&m->hull, rows, w);
    } else {
        balance_set_all(n, 1.0 / n, w);
        for (int64_t k = 0; k < m->iterations; k++) {
            linalg_times(n, rows->gramian, w, m->product);
            if (step_frank_wolfe(rows->gramian, n, m->product, w) < m->epsilon) break;
        }
    }
    if (n != 2) return;
    for (int i = 0; i < 2; i++) w[i] = fmin(fmax(w[i], m->end_point), 1 - m->end_point);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    mgda *m = self;
    balance_step rows = *step;
    (void)balancer;
    for (int i = 0; i < step->n; i++) {
        m->factors[i] = factor_of(m, step, i);
        m->norms[i] = step->norms[i] * m->factors[i];
    }
    balance_rescale(step, m->factors, m->gramian);
    rows.gramian = m->gramian;
    rows.norms = m->norms;
    solve(m, &rows, weights);
    for (int i = 0; i < step->n; i++) {
        if (m->apply) weights[i] *= m->factors[i];
        if (m->losses && !m->apply) weights[i] /= step->losses[i];
    }
    return TRUCE_OK;
}

const balance_method balance_mgda = {
    .about = {.name = "mgda",
              .title = "Multiple gradient descent",
              .reference =
                  "Sener and Koltun, NeurIPS 2018, arXiv 1810.04650; Desideri, C. R. Math. 350, 2012",
              .summary = "Follows the shortest vector in the convex hull of the gradients.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_NON_CONFLICTING | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(mgda),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
    .needs = needs,
};
