/*
 * Work on the Jacobian's columns, a block at a time, on the context's threads. Blocks come as doubles
 * whatever the Jacobian's type. Sums are added up in an order that does not depend on the number of threads.
 */
#ifndef BALANCE_COLUMNS_H
#define BALANCE_COLUMNS_H

#include "balance/method.h"

#define BALANCE_BLOCK 256 /* columns */

typedef struct balance_block {
    int64_t first; /* column */
    int n;         /* columns, at most BALANCE_BLOCK */
    double *rows;  /* [step->n][BALANCE_BLOCK]; zero beyond n */
    double *out;   /* [BALANCE_BLOCK], zeroed: columns of the direction */
} balance_block;

/* Room for the work on n_parameters columns; from the core's prepare. */
truce_status balance_columns_prepare(truce_balancer *balancer);

/* Writes a direction, block by block: `fill` puts it into block->out. Fails if a number is not finite. */
typedef void (*balance_fill_fn)(void *arg, const balance_block *block);
truce_status balance_fill_columns(truce_balancer *balancer, const balance_step *step, balance_fill_fn fill,
                                  void *arg, void *direction);

/* Adds up k numbers (at most T * T) over all blocks into `sums`: `add` adds the block's share. */
typedef void (*balance_add_fn)(void *arg, const balance_block *block, double *sums);
void balance_sum_columns(truce_balancer *balancer, const balance_step *step, balance_add_fn add, void *arg,
                         int k, double *sums);

/* sums [rows][rows] += X X', X [rows][BALANCE_BLOCK]. */
void balance_add_gramian(int rows, const double *x, double *sums);

/* G [n][n] of the step's rows. */
void balance_gramian_of_rows(truce_balancer *balancer, const balance_step *step, double *gramian);

/* |g_i|^2 [n] of the step's rows. */
void balance_norms_of_rows(truce_balancer *balancer, const balance_step *step, double *squares);

/* The direction sum_i w_i g_i. */
truce_status balance_combine_rows(truce_balancer *balancer, const balance_step *step, const double *weights,
                                  void *direction);

#endif
