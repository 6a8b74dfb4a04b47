/*
 * A balancer as the core sees it.
 */
#ifndef BALANCE_BALANCER_H
#define BALANCE_BALANCER_H

#include "balance/method.h"

#define BALANCE_MOST_ARRAYS 16
#define BALANCE_MOST_SCRATCH 32

typedef struct balance_array {
    const char *name;
    balance_extent extent;
    double initial;
    int64_t n;
    double *values;   /* all tasks; what a checkpoint holds */
    double *gathered; /* the present tasks, while some are missing */
    double **pointer; /* the method's view: one of the two */
} balance_array;

struct truce_balancer {
    truce_context *context;
    const balance_method *method;
    void *self; /* the method's struct */
    int n_tasks;
    uint64_t seed;
    uint64_t by_hand; /* bit per option: set by the user, so that a variant leaves it alone */
    const char *const *names;
    bool prepared;
    int64_t n_parameters;

    truce_balancer *inner; /* of a wrapper */
    char **inner_names;    /* of its state */
    int n_inner;

    balance_array arrays[BALANCE_MOST_ARRAYS];
    int n_arrays;
    double *scratch[BALANCE_MOST_SCRATCH];
    int n_scratch;
    double *steps, *epochs; /* [1], state like any other */

    /* The step at hand. */
    int *task;                                 /* [T] */
    double *losses, *norms, *scores, *weights; /* [T] */
    double *gramian, *cross, *validation;      /* [T][T], gathered */
    double *from_rows;                         /* [T][T], of all rows of a Jacobian */
    double *blocks, *partial;                  /* of columns.c */
    int n_chunks;
};

/* Points the method's views at the present tasks' state, and back again, taking changes along if `keep`. */
void balance_gather_state(truce_balancer *balancer, const balance_step *step);
void balance_scatter_state(truce_balancer *balancer, const balance_step *step);

/* Needs with internal bits. */
unsigned balance_needs(const truce_balancer *balancer);

#endif
