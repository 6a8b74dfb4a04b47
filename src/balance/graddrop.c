/*
 * Gradient sign dropout: at each coordinate the tasks vote, and a coin decides which sign may pass. With
 * purity P = (1 + sum_i J_i / sum_i |J_i|) / 2 and u uniform,
 *
 *     d = sum_i (leak_i + (1 - leak_i) M_i) J_i,   M_i = [P > u][J_i > 0] + [P < u][J_i < 0].
 *
 * Coordinates where all gradients are zero stay zero. (LibMTL applies it at the representation; SamsungLabs'
 * copy gives leak the opposite meaning.)
 */
#include "balance/columns.h"
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

typedef struct graddrop {
    truce_reals leak;
    double *share; /* [T] */
} graddrop;

static const truce_option options[] = {
    BALANCE_LIST(graddrop, leak, 0, 1, "share of each gradient that always passes; 0 for all where left out"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    graddrop *m = self;
    BASE_TRY(balance_check_list(balancer, "leak", &m->leak));
    return balance_scratch(balancer, (size_t)balance_tasks(balancer), &m->share);
}

typedef struct vote {
    const truce_balancer *balancer;
    const balance_step *step;
    const double *leak;
} vote;

static void fill(void *arg, const balance_block *block) {
    const vote *v = arg;
    base_rng rng = balance_rng(v->balancer, (uint64_t)(block->first / BALANCE_BLOCK));
    for (int c = 0; c < block->n; c++) {
        double sum = 0, size = 0, u = base_rng_uniform(&rng);
        for (int i = 0; i < v->step->n; i++) {
            double value = block->rows[i * BALANCE_BLOCK + c];
            sum += value;
            size += fabs(value);
        }
        double purity = size > 0 ? 0.5 * (1 + sum / size) : 0.5;
        for (int i = 0; i < v->step->n; i++) {
            double value = block->rows[i * BALANCE_BLOCK + c];
            bool passes = value > 0 ? purity > u : purity < u;
            block->out[c] += (passes ? 1 : v->leak[i]) * value;
        }
    }
}

static truce_status aggregate(truce_balancer *balancer, void *self, const balance_step *step,
                              void *direction) {
    const graddrop *m = self;
    vote v = {balancer, step, m->share};
    balance_take_list(step, &m->leak, 0, m->share);
    return balance_fill_columns(balancer, step, fill, &v, direction);
}

const balance_method balance_graddrop = {
    .about = {.name = "graddrop",
              .title = "Gradient sign dropout",
              .reference = "Chen et al., NeurIPS 2020, arXiv 2010.06808",
              .summary = "Lets one sign pass at each coordinate, drawn by the tasks' votes.",
              .needs = TRUCE_NEEDS_JACOBIAN,
              .properties = TRUCE_STOCHASTIC,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(graddrop),
    .prepare = prepare,
    .aggregate = aggregate,
};
