/*
 * Multi-Krum, from Byzantine-robust learning: the score of a gradient is the sum of its squared distances to
 * the T - f - 2 nearest others, and the `selected` gradients of lowest score are averaged. TorchJD adds up
 * plain distances. Equal scores go to the task that comes first. Needs T >= f + 3; where missing tasks leave
 * fewer, f shrinks along with them.
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

enum { PAPER, TORCHJD };

typedef struct krum {
    int variant;
    int64_t byzantine, selected;
    double *scores, *distances; /* [T] */
} krum;

static const truce_option options[] = {
    BALANCE_CHOICE(krum, variant, "paper", "paper|torchjd", "squared distances, or TorchJD's plain ones"),
    BALANCE_INTEGER(krum, byzantine, "1", 0, 1e9, "f, the gradients that may be wild"),
    BALANCE_INTEGER(krum, selected, "1", 1, 1e9, "gradients that are averaged"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    krum *m = self;
    int tasks = balance_tasks(balancer);
    if (tasks < m->byzantine + 3 || tasks < m->selected)
        return balance_fail(balancer, TRUCE_ERROR_ARGUMENT,
                            "%d tasks are too few for byzantine %lld (three more) and selected %lld", tasks,
                            (long long)m->byzantine, (long long)m->selected);
    BASE_TRY(balance_scratch(balancer, (size_t)tasks, &m->scores));
    return balance_scratch(balancer, (size_t)tasks, &m->distances);
}

/* Moves the `count` largest of n to the end. */
static void drop_largest(int n, int count, double *x) {
    for (int last = n - 1; last >= n - count; last--) {
        int farthest = last;
        for (int i = 0; i < last; i++)
            if (x[i] > x[farthest]) farthest = i;
        double kept = x[last];
        x[last] = x[farthest];
        x[farthest] = kept;
    }
}

/* The sum of the distances to all others but the `dropped` farthest. */
static double score_of(const krum *m, const balance_step *step, int i, int dropped) {
    int n = step->n, count = 0;
    for (int j = 0; j < n; j++) {
        double squared =
            step->gramian[i * (n + 1)] + step->gramian[j * (n + 1)] - 2 * step->gramian[i * n + j];
        if (j == i) continue;
        squared = squared > 0 ? squared : 0;
        m->distances[count++] = m->variant == TORCHJD ? sqrt(squared) : squared;
    }
    drop_largest(count, dropped, m->distances);
    return balance_total(count - dropped, m->distances);
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    const krum *m = self;
    int n = step->n, byzantine = (int)BASE_MIN(m->byzantine, BASE_MAX(0, n - 3));
    int dropped = BASE_MIN(byzantine + 1, n - 1), selected = (int)BASE_MIN(m->selected, n);
    (void)balancer;
    for (int i = 0; i < n; i++) m->scores[i] = score_of(m, step, i, dropped);
    balance_set_all(n, 0, weights);
    for (int k = 0; k < selected; k++) {
        int best = -1;
        for (int i = 0; i < n; i++)
            if (weights[i] == 0 && (best < 0 || m->scores[i] < m->scores[best])) best = i;
        weights[best] = 1.0 / selected;
    }
    return TRUCE_OK;
}

const balance_method balance_krum = {
    .about = {.name = "krum",
              .title = "Multi-Krum",
              .reference = "Blanchard et al., NeurIPS 2017, arXiv 1703.02757",
              .summary = "Averages the gradients that are closest to their neighbours and drops the others.",
              .needs = TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED | TRUCE_ORDER_DEPENDENT,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(krum),
    .prepare = prepare,
    .weigh = weigh,
};
