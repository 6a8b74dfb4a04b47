#include "balance/numbers.h"

#include "linalg/small.h"

#include <math.h>

void balance_set_all(int n, double value, double *x) {
    for (int i = 0; i < n; i++) x[i] = value;
}

void balance_scale_all(int n, double factor, double *x) {
    for (int i = 0; i < n; i++) x[i] *= factor;
}

double balance_total(int n, const double *x) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return sum;
}

double balance_largest(int n, const double *x) {
    double largest = x[0];
    for (int i = 1; i < n; i++) largest = fmax(largest, x[i]);
    return largest;
}

void balance_softmax(int n, const double *x, double *out) {
    double top = balance_largest(n, x);
    for (int i = 0; i < n; i++) out[i] = exp(x[i] - top);
    balance_scale_all(n, 1 / balance_total(n, out), out);
}

void balance_share_out(int n, double *x) {
    double total = balance_total(n, x);
    if (total > 0)
        balance_scale_all(n, 1 / total, x);
    else
        balance_set_all(n, 1.0 / n, x);
}

void balance_correlate(const balance_step *step, double *c) {
    int n = step->n;
    for (int i = 0; i < n; i++) {
        double unit = 1 / step->norms[i];
        for (int j = 0; j < n; j++) {
            double cosine = step->gramian[i * n + j] * unit / step->norms[j];
            c[i * n + j] = cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;
        }
        c[i * (n + 1)] = 1;
    }
}

void balance_rescale(const balance_step *step, const double *factors, double *gramian) {
    int n = step->n;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) gramian[i * n + j] = step->gramian[i * n + j] * factors[i] * factors[j];
}

double balance_length(const balance_step *step, const double *weights) {
    return sqrt(fmax(0, linalg_form(step->n, step->gramian, weights, weights)));
}

void balance_clip(const balance_step *step, double max_norm, double *weights) {
    if (!(max_norm > 0)) return;
    double length = balance_length(step, weights);
    if (length > max_norm) balance_scale_all(step->n, max_norm / length, weights);
}

#define BETA_1 0.9
#define BETA_2 0.999
#define EPSILON 1e-8

truce_status balance_adam_prepare(truce_balancer *balancer, balance_adam *adam) {
    BASE_TRY(balance_keep(balancer, "adam_first", BALANCE_TASK, 0, &adam->first));
    BASE_TRY(balance_keep(balancer, "adam_second", BALANCE_TASK, 0, &adam->second));
    return balance_keep(balancer, "adam_count", BALANCE_TASK, 0, &adam->count);
}

void balance_adam_step(balance_adam *adam, int n, double rate, const double *gradient, double *x) {
    for (int i = 0; i < n; i++) {
        adam->count[i]++;
        adam->first[i] = BETA_1 * adam->first[i] + (1 - BETA_1) * gradient[i];
        adam->second[i] = BETA_2 * adam->second[i] + (1 - BETA_2) * gradient[i] * gradient[i];
        double first = adam->first[i] / (1 - pow(BETA_1, adam->count[i]));
        double second = adam->second[i] / (1 - pow(BETA_2, adam->count[i]));
        x[i] -= rate * first / (sqrt(second) + EPSILON);
    }
}
