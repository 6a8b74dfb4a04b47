#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double ratio(double a, double b) {
    return b > 0 ? a / b : (double)NAN;
}

/* ---- labels ------------------------------------------------------------------------------------------ */

static int n_classes(const train_predictions *p) {
    return p->target->kind == TRUCE_TARGET_BINARY ? 2 : p->target->n_classes;
}

/* The true class of a row, or -1. */
static int true_class(const train_predictions *p, int64_t row) {
    if (p->target->kind == TRUCE_TARGET_CLASSES) return p->classes[row];
    float value = p->values[row];
    return isnan(value) ? -1 : value > 0.5f;
}

/* The class with the largest logit; the first of equals. */
static int predicted_class(const train_predictions *p, int64_t row) {
    const float *logits = p->outputs + row * p->n_outputs;
    if (p->target->kind == TRUCE_TARGET_BINARY) return logits[0] > 0;
    int best = 0;
    for (int k = 1; k < p->n_outputs; k++)
        if (logits[k] > logits[best]) best = k;
    return best;
}

int64_t train_count_labels(const train_predictions *p) {
    int64_t n = 0;
    bool regression = p->target->kind == TRUCE_TARGET_REGRESSION;
    for (int64_t i = 0; i < p->n_rows * (regression ? p->n_outputs : 1); i++)
        n += regression ? !isnan(p->values[i]) : true_class(p, i) >= 0;
    return n;
}

static truce_status accuracy(truce_context *context, const train_predictions *p, double *out) {
    int64_t right = 0, n = 0;
    (void)context;
    for (int64_t row = 0; row < p->n_rows; row++) {
        int truth = true_class(p, row);
        if (truth < 0) continue;
        right += predicted_class(p, row) == truth;
        n++;
    }
    *out = ratio((double)right, (double)n);
    return TRUCE_OK;
}

/* Unweighted mean over the classes that occur among labels or predictions of 2 tp / (2 tp + fp + fn). */
static truce_status macro_f1(truce_context *context, const train_predictions *p, double *out) {
    int n = n_classes(p), n_present = 0;
    int64_t *hits = NULL, *truths = NULL, *guesses = NULL;
    double sum = 0;
    truce_status status = base_alloc(context, 3 * (size_t)n, sizeof *hits, &hits);
    if (status) return status;
    truths = hits + n;
    guesses = truths + n;
    for (int64_t row = 0; row < p->n_rows; row++) {
        int truth = true_class(p, row), guess = predicted_class(p, row);
        if (truth < 0) continue;
        truths[truth]++;
        guesses[guess]++;
        hits[truth] += truth == guess;
    }
    for (int k = 0; k < n; k++) {
        if (truths[k] + guesses[k] == 0) continue;
        sum += 2 * (double)hits[k] / (double)(truths[k] + guesses[k]);
        n_present++;
    }
    *out = ratio(sum, n_present);
    base_free(context, hits);
    return TRUCE_OK;
}

typedef struct scored {
    float score;
    bool positive;
} scored;

static int by_score(const void *a, const void *b) {
    float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x > y) - (x < y);
}

/* Sum over positives of their mean rank among all scores, from 1; equal scores share their mean rank. */
static double positive_rank_sum(const scored *sorted, int64_t n) {
    double sum = 0;
    for (int64_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && sorted[end].score == sorted[begin].score;) end++;
        double rank = (double)(begin + 1 + end) / 2;
        for (int64_t i = begin; i < end; i++) sum += sorted[i].positive ? rank : 0;
    }
    return sum;
}

/* Area under the receiver operating characteristic: the Mann-Whitney statistic over pairs. */
static truce_status auroc(truce_context *context, const train_predictions *p, double *out) {
    scored *rows = NULL;
    int64_t n = 0, n_positive = 0;
    BASE_TRY(base_alloc(context, (size_t)p->n_rows, sizeof *rows, &rows));
    for (int64_t row = 0; row < p->n_rows; row++) {
        int truth = true_class(p, row);
        if (truth < 0) continue;
        rows[n++] = (scored){p->outputs[row], truth == 1};
        n_positive += truth == 1;
    }
    if (n) qsort(rows, (size_t)n, sizeof *rows, by_score);
    double positives = (double)n_positive, negatives = (double)(n - n_positive);
    *out = ratio(positive_rank_sum(rows, n) - positives * (positives + 1) / 2, positives * negatives);
    base_free(context, rows);
    return TRUCE_OK;
}

/* ---- numbers, in the target's own units -------------------------------------------------------------- */

typedef struct errors {
    double n, squares, absolutes, variance;
} errors;

static errors measure_errors(const train_predictions *p) {
    errors e = {0};
    double scale = p->target->scale == 0 ? 1 : p->target->scale, mean = 0;
    int64_t n = p->n_rows * p->n_outputs;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(p->values[i])) continue;
        double error = scale * ((double)p->outputs[i] - (double)p->values[i]);
        e.squares += error * error;
        e.absolutes += fabs(error);
        mean += scale * (double)p->values[i];
        e.n++;
    }
    mean = ratio(mean, e.n);
    for (int64_t i = 0; i < n; i++) {
        if (isnan(p->values[i])) continue;
        double deviation = scale * (double)p->values[i] - mean;
        e.variance += deviation * deviation;
    }
    return e;
}

#define NUMBER_METRIC(name, formula)                                                                         \
    static truce_status name(truce_context *context, const train_predictions *p, double *out) {              \
        errors e = measure_errors(p);                                                                        \
        (void)context;                                                                                       \
        *out = formula;                                                                                      \
        return TRUCE_OK;                                                                                     \
    }

NUMBER_METRIC(mse, ratio(e.squares, e.n))
NUMBER_METRIC(rmse, sqrt(ratio(e.squares, e.n)))
NUMBER_METRIC(mae, ratio(e.absolutes, e.n))
NUMBER_METRIC(nmse, ratio(e.squares, e.variance))
NUMBER_METRIC(r2, 1 - ratio(e.squares, e.variance))

/* ---- the table --------------------------------------------------------------------------------------- */

#define NUMBERS (1u << TRUCE_TARGET_REGRESSION)
#define BINARY (1u << TRUCE_TARGET_BINARY)
#define LABELS (BINARY | 1u << TRUCE_TARGET_CLASSES)

static const train_metric metrics[] = {
    {"accuracy", "share of rows with the right class", LABELS, 1, accuracy},
    {"macro_f1", "mean over classes of 2 tp / (2 tp + fp + fn)", LABELS, 1, macro_f1},
    {"auroc", "chance that a positive row scores above a negative one", BINARY, 1, auroc},
    {"mse", "mean squared error", NUMBERS, 0, mse},
    {"rmse", "root of the mean squared error", NUMBERS, 0, rmse},
    {"mae", "mean absolute error", NUMBERS, 0, mae},
    {"nmse", "mean squared error over the variance of the targets of the same rows", NUMBERS, 0, nmse},
    {"r2", "1 - nmse", NUMBERS, 1, r2},
};

const train_metric *train_metric_at(int i) {
    return i >= 0 && (size_t)i < BASE_COUNT(metrics) ? &metrics[i] : NULL;
}

const train_metric *train_metric_find(const char *name) {
    for (size_t i = 0; i < BASE_COUNT(metrics); i++)
        if (strcmp(metrics[i].name, name) == 0) return &metrics[i];
    return NULL;
}

bool train_metric_fits(const train_metric *metric, truce_target_kind kind) {
    return metric->kinds >> kind & 1u;
}

const char *train_metric_default(truce_target_kind kind) {
    switch (kind) {
    case TRUCE_TARGET_REGRESSION: return "nmse";
    case TRUCE_TARGET_BINARY: return "auroc";
    case TRUCE_TARGET_CLASSES: return "accuracy";
    }
    return "";
}

truce_status train_measure(truce_context *context, const train_predictions *p, truce_task_result *out) {
    out->n_metrics = 0;
    out->n_labelled = train_count_labels(p);
    for (size_t i = 0; i < BASE_COUNT(metrics); i++) {
        if (!train_metric_fits(&metrics[i], p->target->kind)) continue;
        truce_metric *metric = &out->metrics[out->n_metrics++];
        *metric = (truce_metric){.name = metrics[i].name, .higher_is_better = metrics[i].higher_is_better};
        BASE_TRY(metrics[i].compute(context, p, &metric->value));
    }
    return TRUCE_OK;
}
