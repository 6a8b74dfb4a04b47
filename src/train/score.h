/*
 * One number for a multi-task model against single-task ones. The field uses two families, which can differ
 * in sign:
 *
 *     delta_m = 100/K   sum over all K metrics      of (-1)^h (N - B) / |B|            lower is better
 *     delta_p = 100/T   sum over tasks of the mean over the task's metrics of (-1)^(1-h) (N - B) / |B| higher
 * is better
 *
 * where B is the single-task value, N the multi-task one, and h = 1 where higher is better. delta_m is that
 * of Nash-MTL, FAMO and CAGrad (arXiv 2202.01017), delta_p that of LibMTL (arXiv 2203.14338), in percent
 * here. The sources divide by B; |B| is the same for every metric they use, and keeps the sign right where B
 * is negative (R^2, correlations).
 */
#ifndef TRAIN_SCORE_H
#define TRAIN_SCORE_H

#include "base/memory.h"

#include <stdbool.h>

typedef struct train_score_entry {
    int task; /* entries of a task stand together */
    bool higher_is_better;
    double base, value; /* B and N */
} train_score_entry;

/*
 * NaN if an entry is NaN or a base is 0, where a relative change means nothing.
 */
double train_delta_m(const train_score_entry *entries, int n);
double train_delta_p(const train_score_entry *entries, int n);

/*
 * Mean rank: for each metric the dense rank of a method among all (equal values share a rank, the next is one
 * more), averaged over metrics. values [n_methods][n_metrics]; a method with NaN ranks last. ranks receives
 * [n_methods].
 */
truce_status train_mean_ranks(truce_context *context, int n_methods, int n_metrics, const double *values,
                              const bool *higher_is_better, double *ranks);

#endif
