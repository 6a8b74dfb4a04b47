/*
 * truce/balance.h: settling the conflict between task gradients.
 *
 * Notation: T tasks; g_i, a row of J [T][P], is the gradient of loss L_i on the shared parameters; G = J J^T
 * [T][T] is the Gramian. A method turns what it needs of these into weights w [T], with direction
 * d = J^T w, or directly into d [P]; the step is then along -d. All arithmetic is in double.
 *
 * This part stands alone: it needs no graph, no trainer, and only a context for memory and messages. A
 * balancer is used like this:
 *
 *     truce_balancer *b;
 *     truce_balancer_create(context, "cagrad", n_tasks, &b);
 *     truce_balancer_set(b, "c", "0.4");
 *     for each step: truce_balancer_weigh(b, &(truce_balance_input){.gramian = G}, w);
 *     truce_balancer_destroy(b);
 *
 * Nothing but the first step (or truce_balancer_prepare) allocates. docs/methods.md describes every method.
 */
#ifndef TRUCE_BALANCE_H
#define TRUCE_BALANCE_H

#include "truce/option.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a method must be given at each step; a trainer runs the cheapest program that yields it. */
enum {
    TRUCE_NEEDS_LOSSES = 1 << 0,         /* L [T] */
    TRUCE_NEEDS_GRAMIAN = 1 << 1,        /* G [T][T] */
    TRUCE_NEEDS_JACOBIAN = 1 << 2,       /* J [T][P], coordinates and all */
    TRUCE_NEEDS_CROSS_GRAMIAN = 1 << 3,  /* J1 J2^T of two batches drawn independently */
    TRUCE_NEEDS_LOSSES_AFTER = 1 << 4,   /* truce_balancer_observe after each update, on the same batch */
    TRUCE_NEEDS_EPOCH_LOSSES = 1 << 5,   /* truce_balancer_end_epoch after each epoch */
    TRUCE_NEEDS_VALIDATION_PASS = 1 << 6 /* bilevel: validation_gramian of the input, see there */
};

/* What is proved of a method with its default options; each claim is tested. */
enum {
    TRUCE_NON_CONFLICTING = 1 << 0, /* G w >= 0: no task's loss rises, to first order */
    TRUCE_LINEAR_SCALING = 1 << 1,  /* linear in a positive rescaling of the rows */
    TRUCE_SCALE_INVARIANT = 1 << 2, /* direction does not change when single losses are rescaled */
    TRUCE_WEIGHTED = 1 << 3,        /* d is a combination of rows: weights exist */
    TRUCE_STOCHASTIC = 1 << 4,      /* draws random numbers */
    TRUCE_STATEFUL = 1 << 5,        /* remembers earlier steps */
    TRUCE_ORDER_DEPENDENT = 1 << 6  /* the order of tasks matters beyond random draws */
};

/* Which gradient the task's own parameters get, by the method's paper. */
typedef enum truce_head_rule {
    TRUCE_HEADS_OWN,      /* of the task's own loss */
    TRUCE_HEADS_WEIGHTED, /* of w_i times it */
    TRUCE_HEADS_LOG       /* of its logarithm: that of the loss, divided by the loss */
} truce_head_rule;

/* One row of the table of methods. */
typedef struct truce_method {
    const char *name;      /* "cagrad" */
    const char *title;     /* "Conflict-averse gradient descent" */
    const char *reference; /* "Liu et al., NeurIPS 2021, arXiv 2110.14048" */
    const char *summary;   /* one sentence: what it does */
    unsigned needs, properties;
    truce_head_rule heads;
    const truce_option *options;
    int n_options;
} truce_method;

/* The table: i-th method (NULL past the end), or by name (NULL if there is none). */
TRUCE_API const truce_method *truce_method_at(int i);
TRUCE_API const truce_method *truce_method_find(const char *name);

typedef struct truce_balancer truce_balancer;

/*
 * Makes a balancer with the method's default options, random draws seeded by the context. n_tasks >= 1.
 * An unknown name fails with the nearest one.
 */
TRUCE_API truce_status truce_balancer_create(truce_context *context, const char *method, int n_tasks,
                                             truce_balancer **out);

/* NULL is fine. */
TRUCE_API void truce_balancer_destroy(truce_balancer *balancer);

/*
 * Sets an option by its text ("0.4", "l2", "1, 2, 0.5"); before truce_balancer_prepare and the first step
 * only. Many methods have an option `variant`, which sets those options that were not set by hand to what a
 * known implementation uses (libmtl, torchjd, official). The wrapper cr_mogm takes its inner method's options
 * with "inner." before the name.
 */
TRUCE_API truce_status truce_balancer_set(truce_balancer *balancer, const char *option, const char *value);

/* The option's value now as text, into `text` (cut at `bytes`). */
TRUCE_API truce_status truce_balancer_get(const truce_balancer *balancer, const char *option, char *text,
                                          size_t bytes);

TRUCE_API const truce_method *truce_balancer_method(const truce_balancer *balancer);

/* What this balancer needs with its options as they are; at most the method's `needs` and what options add.
 */
TRUCE_API unsigned truce_balancer_needs(const truce_balancer *balancer);

/* Seeds the random draws, before the first step; they depend on the seed, the method and the step only. */
TRUCE_API truce_status truce_balancer_seed(truce_balancer *balancer, uint64_t seed);

/* Names for messages ("task 'depth'" in place of "task 2"); [T], borrowed, NULL for none. */
TRUCE_API void truce_balancer_name_tasks(truce_balancer *balancer, const char *const *names);

/*
 * Checks the options against the number of tasks and allocates all that steps need; the first step does it by
 * itself. Call it before reading a checkpoint's state in, and to learn of mistakes early. `n_parameters` is P
 * where Jacobians will be given, else 0.
 */
TRUCE_API truce_status truce_balancer_prepare(truce_balancer *balancer, int64_t n_parameters);

/* What a step knows. Fields that the balancer does not need may be left out. */
typedef struct truce_balance_input {
    const double *losses; /* [T]; NaN for a task without labels in this batch */
    const double
        *gramian; /* [T][T]; rows and columns of absent tasks are zero. From the Jacobian if left out */
    const double *cross_gramian; /* [T][T], J1 J2^T; a task is missing here by its loss alone */
    truce_dtype dtype;           /* of jacobian and direction: TRUCE_FLOAT32 or TRUCE_FLOAT64 */
    const void *jacobian;        /* [T] rows of n_parameters numbers */
    int64_t n_parameters;
    int64_t row_stride; /* elements from one row to the next; 0 means n_parameters */
    /*
     * [T][T], for bilevel methods. They train on the weights that truce_balancer_weigh returns without this
     * field (which changes nothing), look ahead along d = J^T w by a plain step to other parameters, and put
     * here in row i, column j the product of task i's validation gradient there with g_j here. The weights
     * that come back are those of the real step.
     */
    const double *validation_gramian;
    const double
        *scores; /* [T], NULL for none: how far each task is behind its reference, in percent (pivrg) */
    double learning_rate; /* of this step, over that of the first; 0 counts as 1 (cr_mogm's paper schedule) */
} truce_balance_input;

/*
 * The weights of this step, [T]. A task without labels (its loss is NaN; or its row of the Gramian or
 * Jacobian is zero, where the method looks at one) gets weight 0 and the others are weighed as if it did not
 * exist; without any task all weights are 0. Fails with TRUCE_ERROR_NUMERIC, naming the task, on NaN or
 * infinity; with TRUCE_ERROR_DATA, naming it too, where the method is not defined for a loss (negative, say);
 * with TRUCE_ERROR_UNSUPPORTED for a method without weights (see truce_balancer_aggregate).
 */
TRUCE_API truce_status truce_balancer_weigh(truce_balancer *balancer, const truce_balance_input *input,
                                            double *weights);

/*
 * The direction of this step, [P] numbers of input->dtype, from the Jacobian; works for every method.
 * `weights`
 * ([T], may be NULL) receives the weights, or NaN where the method has none. For a cross-batch method the
 * Jacobian is that of the batch which the step is made on.
 */
TRUCE_API truce_status truce_balancer_aggregate(truce_balancer *balancer, const truce_balance_input *input,
                                                void *direction, double *weights);

/* After the update: losses of the same batch [T] (TRUCE_NEEDS_LOSSES_AFTER). Ignored by other methods. */
TRUCE_API truce_status truce_balancer_observe(truce_balancer *balancer, const double *losses);

/*
 * After an epoch: means of the unweighted training losses [T], NaN for a task that had none
 * (TRUCE_NEEDS_EPOCH_LOSSES). Ignored by other methods.
 */
TRUCE_API truce_status truce_balancer_end_epoch(truce_balancer *balancer, const double *mean_losses);

/* Forgets all earlier steps. */
TRUCE_API void truce_balancer_reset(truce_balancer *balancer);

/*
 * State for a checkpoint: the i-th array of it, where it lies in the balancer, to be written out or read back
 * in place. Returns 0 past the end, else 1. There is none before truce_balancer_prepare or the first step. A
 * balancer with the same method, options and seed into which the state is read goes on as if it had never
 * stopped. NaN is a value like any other here: it stands for "not yet known".
 */
typedef struct truce_balance_state {
    const char *name;
    truce_dtype dtype;
    int64_t n;
    void *values;
} truce_balance_state;

TRUCE_API int truce_balancer_state(truce_balancer *balancer, int i, truce_balance_state *out);

#ifdef __cplusplus
}
#endif

#endif
