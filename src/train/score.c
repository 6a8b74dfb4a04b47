#include "train/score.h"

#include <math.h>

/* Relative change for the better. */
static double improvement(const train_score_entry *e) {
    if (e->base == 0) return NAN;
    double change = (e->value - e->base) / fabs(e->base);
    return e->higher_is_better ? change : -change;
}

double train_delta_m(const train_score_entry *entries, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum -= improvement(&entries[i]);
    return n ? 100 * sum / n : (double)NAN;
}

double train_delta_p(const train_score_entry *entries, int n) {
    double sum = 0;
    int n_tasks = 0;
    for (int begin = 0, end; begin < n; begin = end) {
        double task_sum = 0;
        for (end = begin; end < n && entries[end].task == entries[begin].task; end++)
            task_sum += improvement(&entries[end]);
        sum += task_sum / (end - begin);
        n_tasks++;
    }
    return n_tasks ? 100 * sum / n_tasks : (double)NAN;
}

/* Whether `a` is better than `b`; NaN is worse than anything else. */
static bool better(double a, double b, bool higher) {
    if (isnan(a) || isnan(b)) return !isnan(a) && isnan(b);
    return higher ? a > b : a < b;
}

static bool equal(double a, double b) {
    return a == b || (isnan(a) && isnan(b));
}

/* 1 + the number of different values that are better. */
static int dense_rank(const double *column, int n, int at, bool higher) {
    int rank = 1;
    for (int i = 0; i < n; i++) {
        bool counted = false;
        for (int j = 0; j < i; j++) counted = counted || equal(column[j], column[i]);
        rank += !counted && better(column[i], column[at], higher);
    }
    return rank;
}

truce_status train_mean_ranks(truce_context *context, int n_methods, int n_metrics, const double *values,
                              const bool *higher_is_better, double *ranks) {
    double *column = NULL;
    BASE_TRY(base_alloc(context, (size_t)n_methods, sizeof *column, &column));
    for (int m = 0; m < n_methods; m++) ranks[m] = n_metrics ? 0 : (double)NAN;
    for (int k = 0; k < n_metrics; k++) {
        for (int m = 0; m < n_methods; m++) column[m] = values[m * n_metrics + k];
        for (int m = 0; m < n_methods; m++)
            ranks[m] += (double)dense_rank(column, n_methods, m, higher_is_better[k]) / n_metrics;
    }
    base_free(context, column);
    return TRUCE_OK;
}
