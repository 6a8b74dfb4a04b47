/*
 * truce/optim.h: update rules, learning-rate schedules, gradient clipping.
 *
 * An optimiser turns a gradient into a change of the parameters. It works on the whole block at once; its
 * state is explicit and can be saved with a checkpoint.
 */
#ifndef TRUCE_OPTIM_H
#define TRUCE_OPTIM_H

#include "truce/engine.h"
#include "truce/option.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One row of the table of optimisers. */
typedef struct truce_optimizer_method {
    const char *name;      /* "adam" */
    const char *title;     /* "Adam" */
    const char *reference; /* "Kingma and Ba, ICLR 2015, arXiv 1412.6980" */
    const char *summary;   /* the formula in words */
    const truce_option *options;
    int n_options;
} truce_optimizer_method;

/* The i-th optimiser, NULL past the end. */
TRUCE_API const truce_optimizer_method *truce_optimizer_method_at(int i);

typedef struct truce_optimizer truce_optimizer;

/* Makes an optimiser of that name for these parameters, with default options. The parameters must outlive it.
 */
TRUCE_API truce_status truce_optimizer_create(truce_parameters *parameters, const char *name,
                                              truce_optimizer **out);
TRUCE_API void truce_optimizer_destroy(truce_optimizer *optimizer);

/* Sets an option by its text ("0.9"); before the first step only. */
TRUCE_API truce_status truce_optimizer_set(truce_optimizer *optimizer, const char *option, const char *value);

/* Moves the parameters against `gradient` (the block's length, in its dtype) with learning rate `rate`. */
TRUCE_API void truce_optimizer_step(truce_optimizer *optimizer, const void *gradient, double rate);

/* State for a checkpoint: the i-th array where it lies, to be written out or read back in place; 0 past the
 * end. */
typedef struct truce_optimizer_state {
    const char *name;
    truce_dtype dtype;
    int64_t n;
    void *values;
} truce_optimizer_state;

TRUCE_API int truce_optimizer_state_at(truce_optimizer *optimizer, int i, truce_optimizer_state *out);

typedef enum truce_schedule_kind {
    TRUCE_SCHEDULE_CONSTANT,
    TRUCE_SCHEDULE_STEP,   /* times `factor` after every `every` steps */
    TRUCE_SCHEDULE_COSINE, /* half a cosine from 1 down to `floor` */
    TRUCE_SCHEDULE_LINEAR  /* a straight line from 1 down to `floor` */
} truce_schedule_kind;

/* How the learning rate moves over total_steps. Zeroed: constant. */
typedef struct truce_schedule {
    truce_schedule_kind kind;
    int64_t warmup;      /* steps of linear rise from 0 before the rest */
    int64_t every;       /* step */
    double factor;       /* step */
    double floor;        /* cosine, linear: share of the rate at the end */
    int64_t total_steps; /* cosine, linear */
} truce_schedule;

/* The factor on the learning rate at a step, from 0. */
TRUCE_API double truce_schedule_factor(const truce_schedule *schedule, int64_t step);

/*
 * Scales the first n numbers of a gradient so that their Euclidean norm is at most max_norm (0: leave them).
 * Returns the norm before; NaN or infinity if the gradient holds any.
 */
TRUCE_API double truce_clip(truce_parameters *parameters, void *gradient, int64_t n, double max_norm);

#ifdef __cplusplus
}
#endif

#endif
