/*
 * What the file of a method is written against: the step it sees, the arrays it keeps, and its row in the
 * table.
 *
 * A method's file holds a struct with its options and its arrays, a table of the options, a few functions,
 * and the descriptor `balance_<name>` that table.c lists. The core (balancer.c, step.c) reads options, checks
 * the input, leaves out tasks without labels, calls the method with what remains, and checks what comes back:
 * a method never sees a missing task, a NaN, or a zero row.
 */
#ifndef BALANCE_METHOD_H
#define BALANCE_METHOD_H

#include "base/memory.h"
#include "base/option.h"
#include "base/rng.h"
#include "truce/balance.h"

/* One step as a method sees it: the n >= 1 tasks with labels, renumbered. */
typedef struct balance_step {
    int n;
    const int *task;          /* [n] their numbers among all tasks */
    const double *losses;     /* [n], finite; NULL if not given */
    const double *gramian;    /* [n][n], symmetric, finite, positive diagonal; NULL if not needed */
    const double *norms;      /* [n] |g_i| > 0, with a Gramian or a Jacobian */
    const double *cross;      /* [n][n]; NULL if not needed */
    const double *validation; /* [n][n]; NULL if not given */
    const double *scores;     /* [n]; NULL if not given */
    const truce_balance_input *input;
} balance_step;

/* What an implementation that the option `variant` names does differently: option = value. */
typedef struct balance_preset {
    const char *variant, *option, *value;
} balance_preset;

/* Among needs: a negative loss is an error, a zero one leaves its task out of the step. */
#define BALANCE_POSITIVE_LOSSES (1u << 30)

typedef struct balance_method {
    truce_method about; /* `needs` with default options; internal bits are stripped from what callers see */
    size_t bytes; /* of the method's own struct, which begins zeroed; options are at their offsets in it */
    unsigned internal; /* BALANCE_ bits of the needs */
    bool wraps;        /* has an inner balancer (option `inner`) */
    const balance_preset *presets;
    int n_presets;

    /* Checks options against the number of tasks, asks for arrays. Optional, like all that follow. */
    truce_status (*prepare)(truce_balancer *balancer, void *self);

    /* Weights [n]. */
    truce_status (*weigh)(truce_balancer *balancer, void *self, const balance_step *step, double *weights);

    /* The direction [P] where the method needs the Jacobian; without it the core combines the weighted rows.
     */
    truce_status (*aggregate)(truce_balancer *balancer, void *self, const balance_step *step,
                              void *direction);

    /* Only `losses` of the step are set: after an update, after an epoch. */
    truce_status (*observe)(truce_balancer *balancer, void *self, const balance_step *step);
    truce_status (*end_epoch)(truce_balancer *balancer, void *self, const balance_step *step);

    /* Needs with the options as they are, where that depends on them. */
    unsigned (*needs)(const void *self);
} balance_method;

/* How large an array is, and how it follows the tasks: what has a task for an axis is gathered for the step.
 */
typedef enum balance_extent {
    BALANCE_ONE,        /* [1] */
    BALANCE_TASK,       /* [T] */
    BALANCE_PAIR,       /* [T][T] */
    BALANCE_PARAMETERS, /* [P] */
    BALANCE_ROWS        /* [T][P]; never gathered: index it by step->task */
} balance_extent;

/*
 * Asks for an array of state, from `prepare`: saved in checkpoints under its name, set to `initial` at the
 * start and by a reset. *pointer is its place; during a step it holds the present tasks only.
 */
truce_status balance_keep(truce_balancer *balancer, const char *name, balance_extent extent, double initial,
                          double **pointer);

/* Asks for n doubles of workspace, from `prepare`. */
truce_status balance_scratch(truce_balancer *balancer, size_t n, double **pointer);

truce_context *balance_context(const truce_balancer *balancer);
int balance_tasks(const truce_balancer *balancer);
int64_t balance_parameters(const truce_balancer *balancer);
int64_t balance_steps(const truce_balancer *balancer);  /* made before this one */
int64_t balance_epochs(const truce_balancer *balancer); /* ended so far */
truce_balancer *balance_inner(truce_balancer *balancer);

/* The stream of random numbers of this step for `purpose` a (a task, a block of columns). */
base_rng balance_rng(const truce_balancer *balancer, uint64_t a);

/* "task 'depth'", or "task 2" where tasks have no names. `i` counts all tasks. */
#define BALANCE_TASK_BYTES 160
const char *balance_task_text(const truce_balancer *balancer, int i, char text[BALANCE_TASK_BYTES]);

/* Fails with "method 'name': ...", which every message of a method begins with. */
truce_status balance_fail(const truce_balancer *balancer, truce_status status, const char *format, ...)
    BASE_PRINTF(3, 4);

/* A list with one value per task must be empty or have T of them. */
truce_status balance_check_list(const truce_balancer *balancer, const char *option, const truce_reals *list);

/* The list's values for the present tasks, or `fallback` for all where it is empty. */
void balance_take_list(const balance_step *step, const truce_reals *list, double fallback, double *out);

/* Rows of an options table, from the method's struct. */
#define BALANCE_REAL(type, field, fallback, low, high, help)                                                 \
    { #field, TRUCE_OPTION_REAL, fallback, NULL, low, high, help, offsetof(type, field) }
#define BALANCE_INTEGER(type, field, fallback, low, high, help)                                              \
    { #field, TRUCE_OPTION_INTEGER, fallback, NULL, low, high, help, offsetof(type, field) }
#define BALANCE_SWITCH(type, field, fallback, help)                                                          \
    { #field, TRUCE_OPTION_SWITCH, fallback, NULL, 0, 0, help, offsetof(type, field) }
#define BALANCE_CHOICE(type, field, fallback, choices, help)                                                 \
    { #field, TRUCE_OPTION_CHOICE, fallback, choices, 0, 0, help, offsetof(type, field) }
#define BALANCE_LIST(type, field, low, high, help)                                                           \
    { #field, TRUCE_OPTION_REALS, NULL, NULL, low, high, help, offsetof(type, field) }

#endif
