/*
 * What an update rule is: a row of the table in optimizer.c.
 */
#ifndef OPTIM_RULE_H
#define OPTIM_RULE_H

#include "base/option.h"
#include "engine/op.h"
#include "truce/optim.h"

#define OPTIM_MAX_ARRAYS 4

/* What a rule works with. `step` counts from 1. */
typedef struct optim_call {
    const engine_updates *updates;
    const void *settings; /* the rule's options */
    int64_t step;
    engine_update update; /* values, gradient, moments and rate are set */
} optim_call;

typedef struct optim_rule {
    truce_optimizer_method method;
    size_t settings_bytes;
    const char *arrays[OPTIM_MAX_ARRAYS];          /* names of the state arrays, each as long as the block */
    engine_update_fn (*prepare)(optim_call *call); /* fills call->update; returns the loop to run */
} optim_rule;

extern const optim_rule optim_sgd, optim_adam, optim_adamw;

#endif
