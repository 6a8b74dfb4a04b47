/*
 * Steps for tests of balancing methods: a random Jacobian with everything that any method may need.
 */
#ifndef TEST_BALANCE_MAKE_H
#define TEST_BALANCE_MAKE_H

#include "support/matrix.h"
#include "support/test.h"

#include "truce/balance.h"

#include <math.h>
#include <stdlib.h>

#define MOST_TASKS 64
#define MOST_PARAMETERS 1000

/* One step's numbers. The Gramians are those of `j`, in which `scales` and `losses` are not yet applied. */
typedef struct made_step {
    int n_tasks, n_parameters;
    double j[MOST_TASKS * MOST_PARAMETERS];
    double g[MOST_TASKS * MOST_TASKS];
    double losses[MOST_TASKS], after[MOST_TASKS];
    double d[MOST_PARAMETERS], w[MOST_TASKS];
} made_step;

static inline void finish_step(made_step *s) {
    test_gramian(s->n_tasks, s->n_parameters, s->j, s->g);
}

static inline void make_step(base_rng *rng, test_rows kind, const int *shape, made_step *s) {
    s->n_tasks = shape[0];
    s->n_parameters = shape[1];
    test_matrix(rng, kind, shape[0], shape[1], shape[2], s->j);
    for (int i = 0; i < s->n_tasks; i++) {
        s->losses[i] = 0.2 + 2 * base_rng_uniform(rng);
        s->after[i] = s->losses[i] * (0.9 + 0.1 * base_rng_uniform(rng));
    }
    finish_step(s);
}

static inline truce_balance_input input_of(const made_step *s) {
    return (truce_balance_input){.losses = s->losses,
                                 .gramian = s->g,
                                 .cross_gramian = s->g,
                                 .dtype = TRUCE_FLOAT64,
                                 .jacobian = s->j,
                                 .n_parameters = s->n_parameters,
                                 .validation_gramian = s->g};
}

static inline truce_balancer *make_balancer(truce_context *context, const char *method, int n_tasks) {
    truce_balancer *balancer = NULL;
    assert_ok(context, truce_balancer_create(context, method, n_tasks, &balancer));
    return balancer;
}

/* Whether the method can work on so few tasks (krum and trimmed_mean cannot). */
static inline bool fits(truce_context *context, const truce_method *method, int n_tasks) {
    truce_balancer *balancer = make_balancer(context, method->name, n_tasks);
    truce_status status = truce_balancer_prepare(balancer, 1);
    truce_balancer_destroy(balancer);
    return status == TRUCE_OK;
}

static inline double length_of(int n, const double *x) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * x[i];
    return sqrt(sum);
}

static inline bool all_finite(int n, const double *x) {
    for (int i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

#endif
