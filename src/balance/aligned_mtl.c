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
#include "linalg/spectral.h"

#include <float.h>
#include <math.h>

enum { MIN, MEDIAN, RMSE };
enum { PAPER, TORCHJD };

typedef struct aligned_mtl {
    int variant, scale;
    double rank_epsilon;
    truce_reals preference;
    double *values, *sorted, *p, *coefficients, *work;
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
    BASE_TRY(balance_scratch(balancer, tasks, &m->sorted));
    BASE_TRY(balance_scratch(balancer, tasks, &m->p));
    BASE_TRY(balance_scratch(balancer, tasks, &m->coefficients));
    return balance_scratch(balancer, linalg_spectral_room((int)tasks), &m->work);
}

/* The eigenvalues above `least` in ascending order, into m->sorted; returns how many. */
static int sort_kept(const aligned_mtl *m, int n, double least) {
    int kept = 0;
    for (int i = 0; i < n; i++) {
        int k = kept;
        if (!(m->values[i] > least)) continue;
        for (; k > 0 && m->sorted[k - 1] > m->values[i]; k--) m->sorted[k] = m->sorted[k - 1];
        m->sorted[k] = m->values[i];
        kept++;
    }
    return kept;
}

/* s, of the kept eigenvalues; the lower of two medians. */
static double common_square(const aligned_mtl *m, int kept) {
    if (m->scale == MIN) return m->sorted[0];
    if (m->scale == MEDIAN) return m->sorted[(kept - 1) / 2];
    return balance_total(kept, m->sorted) / kept;
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const aligned_mtl *m = self;
    int n = step->n;
    double *c = m->coefficients;
    (void)balancer;
    balance_take_list(step, &m->preference, m->variant == TORCHJD ? 1.0 / n : 1, m->p);
    linalg_spectral_split(n, step->gramian, m->p, m->values, c, m->work);
    double least = fmin(0.999999, n * m->rank_epsilon) * balance_largest(n, m->values);
    double square = common_square(m, sort_kept(m, n, least));
    for (int k = 0; k < n; k++) c[k] *= m->values[k] > least ? sqrt(square / m->values[k]) : 0;
    linalg_spectral_join(n, c, weights, m->work);
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
