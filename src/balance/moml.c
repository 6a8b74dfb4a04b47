/*
 * MOML: multi-objective bilevel weights w = softmax(alpha), as LibMTL runs it. Each task's validation loss
 * after one look-ahead step has a hyper-gradient with respect to alpha; with B_ij as in auto_lambda.c,
 *
 *     H_ik = - w_k (B_ik - sum_j w_j B_ij),   rows brought to length one,
 *
 * the shortest vector in the hull of the rows lowers all of them, and Adam moves alpha along it.
 */
#include "balance/hull.h"
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/small.h"

#include <math.h>

typedef struct moml {
    double rate;
    double *alpha;                                     /* [T] state */
    double *share, *gradient, *norms, *rows, *gramian; /* [T], the last two [T][T] */
    balance_hull hull;
    balance_adam adam;
} moml;

static const truce_option options[] = {
    BALANCE_REAL(moml, rate, "0.001", 0, 1, "of Adam for the logits of the weights"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    moml *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    double **vectors[] = {&m->share, &m->gradient, &m->norms}, **squares[] = {&m->rows, &m->gramian};
    BASE_TRY(balance_keep(balancer, "alpha", BALANCE_TASK, 0, &m->alpha));
    BASE_TRY(balance_adam_prepare(balancer, &m->adam));
    BASE_TRY(balance_hull_prepare(balancer, &m->hull));
    for (size_t i = 0; i < BASE_COUNT(vectors); i++) BASE_TRY(balance_scratch(balancer, tasks, vectors[i]));
    for (size_t i = 0; i < BASE_COUNT(squares); i++)
        BASE_TRY(balance_scratch(balancer, tasks * tasks, squares[i]));
    return TRUCE_OK;
}

/* Unit hyper-gradients that are not zero, one after the other in m->rows; returns how many. */
static int make_rows(moml *m, const balance_step *step, const double *weights) {
    int n = step->n, count = 0;
    for (int i = 0; i < n; i++) {
        const double *products = step->validation + i * n;
        double *row = m->rows + count * n, mean = linalg_dot(n, weights, products);
        for (int k = 0; k < n; k++) row[k] = -weights[k] * (products[k] - mean);
        double length = sqrt(linalg_dot(n, row, row));
        if (!(length > 0)) continue;
        balance_scale_all(n, 1 / length, row);
        m->norms[count++] = 1;
    }
    return count;
}

/* The shortest vector in the hull of the rows. */
static void find_gradient(moml *m, int n, int count) {
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++)
            m->gramian[i * count + j] = i == j ? 1 : linalg_dot(n, m->rows + i * n, m->rows + j * n);
    balance_step rows = {.n = count, .gramian = m->gramian, .norms = m->norms};
    balance_set_all(n, 0, m->gradient);
    if (count == 0 || !(balance_hull_nearest(&m->hull, &rows, m->share) > 0)) return;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < n; k++) m->gradient[k] += m->share[i] * m->rows[i * n + k];
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    moml *m = self;
    (void)balancer;
    balance_softmax(step->n, m->alpha, weights);
    if (!step->validation) return TRUCE_OK;
    find_gradient(m, step->n, make_rows(m, step, weights));
    balance_adam_step(&m->adam, step->n, m->rate, m->gradient, m->alpha);
    balance_softmax(step->n, m->alpha, weights);
    return TRUCE_OK;
}

const balance_method balance_moml = {
    .about = {.name = "moml",
              .title = "Multi-objective meta learning",
              .reference = "Ye et al., NeurIPS 2021, arXiv 2102.07121",
              .summary = "Learns weights under which the validation losses of all tasks fall.",
              .needs = TRUCE_NEEDS_VALIDATION_PASS,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(moml),
    .prepare = prepare,
    .weigh = weigh,
};
