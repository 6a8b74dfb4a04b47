/*
 * Dynamic weight average: w = T softmax(r / tau), with r_i the mean loss of the epoch before over that of the
 * epoch before it; ones during the first two epochs. The losses' signs only need to stay; a task whose older
 * mean is zero, or which has not had two epochs yet, counts as unchanged (r_i = 1).
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

typedef struct dwa {
    double tau;
    double *newer, *older; /* [T] mean losses, NaN while there are none */
} dwa;

static const truce_option options[] = {
    BALANCE_REAL(dwa, tau, "2", 1e-9, 1e9, "temperature of the softmax"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    dwa *m = self;
    BASE_TRY(balance_keep(balancer, "epoch_losses", BALANCE_TASK, (double)NAN, &m->newer));
    return balance_keep(balancer, "epoch_losses_before", BALANCE_TASK, (double)NAN, &m->older);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const dwa *m = self;
    (void)balancer;
    for (int i = 0; i < step->n; i++) {
        double ratio = m->newer[i] / m->older[i];
        weights[i] = (isfinite(ratio) ? ratio : 1) / m->tau;
    }
    balance_softmax(step->n, weights, weights);
    balance_scale_all(step->n, step->n, weights);
    return TRUCE_OK;
}

static truce_status end_epoch(truce_balancer *balancer, void *self, const balance_step *step) {
    dwa *m = self;
    (void)balancer;
    for (int i = 0; i < step->n; i++) {
        m->older[i] = m->newer[i];
        m->newer[i] = step->losses[i];
    }
    return TRUCE_OK;
}

const balance_method balance_dwa = {
    .about = {.name = "dwa",
              .title = "Dynamic weight average",
              .reference = "Liu et al., CVPR 2019, arXiv 1803.10704",
              .summary = "Gives more weight to losses that fell less between the last two epochs.",
              .needs = TRUCE_NEEDS_EPOCH_LOSSES,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(dwa),
    .prepare = prepare,
    .weigh = weigh,
    .end_epoch = end_epoch,
};
