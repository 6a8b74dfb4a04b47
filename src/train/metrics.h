/*
 * How good predictions are, per kind of target, over the rows that carry a label.
 */
#ifndef TRAIN_METRICS_H
#define TRAIN_METRICS_H

#include "base/memory.h"
#include "truce/data.h"
#include "truce/train.h"

/* A task's outputs over the rows of a split, as the model gives them, and its targets as the data set stores
 * them. */
typedef struct train_predictions {
    const truce_target *target;
    int64_t n_rows;
    int n_outputs;          /* classes: logits; binary: one logit; regression: the width */
    const float *outputs;   /* [n_rows][n_outputs] */
    const float *values;    /* binary, regression: [n_rows][n_outputs], NaN where missing */
    const int32_t *classes; /* classes: [n_rows], negative where missing */
} train_predictions;

/* One row of the table of metrics. */
typedef struct train_metric {
    const char *name, *help;
    unsigned kinds; /* bit per truce_target_kind */
    int higher_is_better;
    truce_status (*compute)(truce_context *context, const train_predictions *p, double *out);
} train_metric;

/* The i-th metric, NULL past the end; by name, NULL if there is none. */
const train_metric *train_metric_at(int i);
const train_metric *train_metric_find(const char *name);

/* Whether the metric is defined for this kind of target. */
bool train_metric_fits(const train_metric *metric, truce_target_kind kind);

/* The metric by which methods are compared unless the recipe names others. */
const char *train_metric_default(truce_target_kind kind);

/* All metrics that fit, in the order of the table. A metric that is not defined here (no labels, one class
 * only for auroc, constant targets for nmse) is NaN. */
truce_status train_measure(truce_context *context, const train_predictions *p, truce_task_result *out);

/* Labelled numbers or rows. */
int64_t train_count_labels(const train_predictions *p);

#endif
