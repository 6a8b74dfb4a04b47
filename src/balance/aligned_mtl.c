/*
 * Aligned-MTL: the gradient system is made orthogonal with one length. With G = sum_k l_k x_k x_k',
 *
 *     w = sqrt(s) sum_k l_k^(-1/2) x_k x_k' p   over eigenvalues l_k > l_max T epsilon,
 *
 * s the least kept eigenvalue, their median, or their mean ("rmse"). p is ones in the official code and 1 / T
 * in TorchJD. The bound is that of single precision in both, and so it is here: gradients are computed in it.
 */
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/eigen.h"
#include "linalg/small.h"

#include <float.h>
#include <math.h>

enum { MIN, MEDIAN, RMSE };
enum { PAPER, TORCHJD };

typedef struct aligned_mtl {
    int variant, scale;
    double rank_epsilon;
    truce_reals preference;
    double *values, *vectors, *p, *work;
} aligned_mtl;

static const truce_option options[] = {
    BALANCE_CHOICE(aligned_mtl, variant, "paper", "paper|torchjd", "whose choices to follow"),
    BALANCE_CHOICE(aligned_mtl, scale, "min", "min|median|rmse", "the common squared length"),
    BALANCE_LIST(aligned_mtl, preference, 0, 1e12,
                 "p, one per task; 1 for all where left out (torchjd: 1 / T)"),
    BALANCE_REAL(aligned_mtl, rank_epsilon, "1.1920929e-07", 0, 1,
                 "eigenvalues below this, times T, are zero"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    aligned_mtl *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_check_list(balancer, "preference", &m->preference));
    BASE_TRY(balance_scratch(balancer, tasks, &m->values));
    BASE_TRY(balance_scratch(balancer, tasks, &m->p));
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &m->vectors));
    return balance_scratch(balancer, linalg_eigen_room((int)tasks), &m->work);
}

/* s, of the n eigenvalues from `first` on, which are in ascending order; the lower of two medians. */
static double common_square(const aligned_mtl *m, int n, int first) {
    int kept = n - first;
    if (m->scale == MIN) return m->values[first];
    if (m->scale == MEDIAN) return m->values[first + (kept - 1) / 2];
    return balance_total(kept, m->values + first) / kept;
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const aligned_mtl *m = self;
    int n = step->n, first = 0;
    (void)balancer;
    balance_take_list(step, &m->preference, m->variant == TORCHJD ? 1.0 / n : 1, m->p);
    linalg_eigen(n, step->gramian, m->values, m->vectors, m->work);
    while (first < n - 1 && !(m->values[first] > m->values[n - 1] * n * m->rank_epsilon)) first++;
    double square = common_square(m, n, first);
    balance_set_all(n, 0, weights);
    for (int k = first; k < n; k++) {
        const double *vector = m->vectors + k * n;
        double share = sqrt(square / m->values[k]) * linalg_dot(n, vector, m->p);
        for (int i = 0; i < n; i++) weights[i] += share * vector[i];
    }
    return TRUCE_OK;
}

const balance_method balance_aligned_mtl = {
    .about = {.name = "aligned_mtl",
              .title = "Independent component alignment",
              .reference = "Senushkin et al., CVPR 2023, arXiv 2305.19000",
              .summary = "Makes the gradients orthogonal and equally long, then adds them up.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(aligned_mtl),
    .prepare = prepare,
    .weigh = weigh,
};
