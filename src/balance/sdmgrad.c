/*
 * SDMGrad: direction-oriented min-norm weights from two independent batches. With A = J1 J2' over the squared
 * mean of its diagonal's roots, and p the preference (1 / T),
 *
 *     n_iter times: v <- momentum v + A (w + lambda p),   w <- projection on the simplex of w - lr v,
 *     d = (J3' w + lambda J3' p) / (1 + lambda),
 *
 * w kept from step to step. lr is 10 in the official code and TorchJD, 5 in LibMTL; lambda 0.3 in the runs.
 */
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/simplex.h"
#include "linalg/small.h"

#include <math.h>

typedef struct sdmgrad {
    int variant;
    double lr, momentum, lambda;
    int64_t n_iter;
    truce_reals preference;
    double *w;                      /* [T] state */
    double *p, *v, *sum, *gradient; /* [T] */
} sdmgrad;

static const truce_option options[] = {
    BALANCE_CHOICE(sdmgrad, variant, "paper", "paper|libmtl|torchjd", "whose choices to follow"),
    BALANCE_REAL(sdmgrad, lr, "10", 0, 1e12, "step length of the weights"),
    BALANCE_REAL(sdmgrad, momentum, "0.5", 0, 0.999999, "of these steps"),
    BALANCE_REAL(sdmgrad, lambda, "0.3", 0, 1e12, "pull towards the preferred direction"),
    BALANCE_INTEGER(sdmgrad, n_iter, "20", 1, 1e9, "steps of the weights for each step of the model"),
    BALANCE_LIST(sdmgrad, preference, 0, 1e12, "p, one per task; 1 / T for all where left out"),
};

static const balance_preset presets[] = {{"libmtl", "lr", "5"}};

static truce_status prepare(truce_balancer *balancer, void *self) {
    sdmgrad *m = self;
    double **vectors[] = {&m->p, &m->v, &m->sum, &m->gradient};
    BASE_TRY(balance_check_list(balancer, "preference", &m->preference));
    BASE_TRY(balance_keep(balancer, "weights", BALANCE_TASK, 1.0 / balance_tasks(balancer), &m->w));
    for (size_t i = 0; i < BASE_COUNT(vectors); i++)
        BASE_TRY(balance_scratch(balancer, (size_t)balance_tasks(balancer), vectors[i]));
    return TRUCE_OK;
}

/* 1 / (mean_i sqrt(A_ii))^2, or 0 where the diagonal has nothing positive. */
static double unit_of(const balance_step *step) {
    double mean = 0;
    for (int i = 0; i < step->n; i++) mean += sqrt(fmax(0, step->cross[i * (step->n + 1)])) / step->n;
    return mean > 0 ? 1 / mean / mean : 0;
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    sdmgrad *m = self;
    int n = step->n;
    double unit = unit_of(step);
    (void)balancer;
    balance_take_list(step, &m->preference, 1.0 / n, m->p);
    balance_set_all(n, 0, m->v);
    balance_share_out(n, m->w); /* among the present tasks */
    for (int64_t k = 0; k < m->n_iter; k++) {
        for (int i = 0; i < n; i++) m->sum[i] = m->w[i] + m->lambda * m->p[i];
        linalg_times(n, step->cross, m->sum, m->gradient);
        for (int i = 0; i < n; i++) {
            m->v[i] = m->momentum * m->v[i] + unit * m->gradient[i];
            m->w[i] -= m->lr * m->v[i];
        }
        linalg_project_simplex(n, m->w);
    }
    for (int i = 0; i < n; i++) weights[i] = (m->w[i] + m->lambda * m->p[i]) / (1 + m->lambda);
    return TRUCE_OK;
}

const balance_method balance_sdmgrad = {
    .about = {.name = "sdmgrad",
              .title = "Stochastic direction-oriented multi-objective gradient",
              .reference = "Xiao et al., NeurIPS 2023, arXiv 2305.18409",
              .summary = "Min-norm weights near a preferred direction, from two batches.",
              .needs = TRUCE_NEEDS_CROSS_GRAMIAN,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(sdmgrad),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
