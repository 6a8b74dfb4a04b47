/*
 * NTKMTL with one sub-batch: w_i = (tr G / G_ii)^e. With e = 1/2 the direction is the sum of the unit
 * gradients. The official code multiplies d by T and clips it to length 1. (Its SR variant takes eigenvalues
 * of sub-batch Gramians at the representation, which a step's T x T numbers do not hold.)
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

typedef struct ntkmtl {
    int variant;
    double exponent, max_norm;
} ntkmtl;

static const truce_option options[] = {
    BALANCE_CHOICE(ntkmtl, variant, "paper", "paper|official", "whose choices to follow"),
    BALANCE_REAL(ntkmtl, exponent, "0.5", 0, 10, "e; 0.75 in the official NYUv2 runs"),
    BALANCE_REAL(ntkmtl, max_norm, "0", 0, 1e12, "longest direction; 0 for any"),
};

static const balance_preset presets[] = {{"official", "max_norm", "1"}};

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const ntkmtl *m = self;
    double length = 0;
    (void)balancer;
    for (int i = 0; i < step->n; i++) length = hypot(length, step->norms[i]);
    for (int i = 0; i < step->n; i++) weights[i] = pow(length / step->norms[i], 2 * m->exponent);
    balance_clip(step, m->max_norm, weights);
    return TRUCE_OK;
}

const balance_method balance_ntkmtl = {
    .about = {.name = "ntkmtl",
              .title = "Neural-tangent-kernel balance",
              .reference = "Qin et al., NeurIPS 2025, arXiv 2510.18258",
              .summary = "Adds up the gradients, shortened to a common length.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_SCALE_INVARIANT | TRUCE_WEIGHTED,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(ntkmtl),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .weigh = weigh,
};
