/*
 * Arithmetic that several methods share, on a step's tasks.
 */
#ifndef BALANCE_NUMBERS_H
#define BALANCE_NUMBERS_H

#include "balance/method.h"

void balance_set_all(int n, double value, double *x);
void balance_scale_all(int n, double factor, double *x);
double balance_total(int n, const double *x);
double balance_largest(int n, const double *x);

/* out_i = e^(x_i) / sum_j e^(x_j), without overflow. `out` may be x. */
void balance_softmax(int n, const double *x, double *out);

/* Scales what is not negative to sum 1, or makes it uniform where it is all zero. */
void balance_share_out(int n, double *x);

/* C_ij = G_ij / (|g_i| |g_j|), within [-1, 1], ones on the diagonal. */
void balance_correlate(const balance_step *step, double *c);

/* The Gramian of the rows factors_i g_i: of the losses' logarithms for 1 / L_i, of unit rows for 1 / |g_i|.
 */
void balance_rescale(const balance_step *step, const double *factors, double *gramian);

/* |sum_i w_i g_i| from the Gramian. */
double balance_length(const balance_step *step, const double *weights);

/* Shrinks the weights so that the direction is at most `max_norm` long; 0 means any length. */
void balance_clip(const balance_step *step, double max_norm, double *weights);

/* Adam for one number per task (Kingma and Ba, arXiv 1412.6980; 0.9, 0.999, 1e-8). */
typedef struct balance_adam {
    double *first, *second, *count; /* [T], state: a task's own count, for tasks that are missing at times */
} balance_adam;

truce_status balance_adam_prepare(truce_balancer *balancer, balance_adam *adam);

/* x -= rate * Adam's step for `gradient`. */
void balance_adam_step(balance_adam *adam, int n, double rate, const double *gradient, double *x);

#endif
