/*
 * The table of optimisers and what they have in common: options, state arrays, and one loop over the block.
 */
#include "engine/parameters.h"
#include "optim/rule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const optim_rule *const rules[] = {&optim_sgd, &optim_adam, &optim_adamw};

struct truce_optimizer {
    truce_parameters *parameters;
    const optim_rule *rule;
    const engine_backend *backend;
    void *settings;
    void *arrays[OPTIM_MAX_ARRAYS];
    double n_steps; /* taken so far; a double, so that it can stand with the state */
};

const truce_optimizer_method *truce_optimizer_method_at(int i) {
    return i >= 0 && (size_t)i < BASE_COUNT(rules) ? &rules[i]->method : NULL;
}

static const char *rule_name(const void *list, int i) {
    (void)list;
    return rules[i]->method.name;
}

static const optim_rule *find_rule(const char *name) {
    for (size_t i = 0; i < BASE_COUNT(rules); i++)
        if (strcmp(rules[i]->method.name, name) == 0) return rules[i];
    return NULL;
}

/* The owner's text is what messages call it. */
static base_options options_of(const optim_rule *rule, char owner[64]) {
    snprintf(owner, 64, "optimizer '%s'", rule->method.name);
    return (base_options){.owner = owner, .rows = rule->method.options, .n = rule->method.n_options};
}

static truce_status allocate(truce_optimizer *o) {
    truce_context *context = o->parameters->context;
    BASE_TRY(base_alloc(context, 1, o->rule->settings_bytes, &o->settings));
    for (int i = 0; i < OPTIM_MAX_ARRAYS && o->rule->arrays[i]; i++)
        BASE_TRY(base_alloc_aligned(context, (size_t)o->parameters->n,
                                    truce_dtype_bytes(o->parameters->dtype), &o->arrays[i]));
    return TRUCE_OK;
}

truce_status truce_optimizer_create(truce_parameters *parameters, const char *name, truce_optimizer **out) {
    truce_context *context = parameters->context;
    truce_optimizer *o = NULL;
    char owner[64];
    const optim_rule *rule = find_rule(name);
    if (!rule) return base_fail_name(context, "optimizer", name, rule_name, NULL, (int)BASE_COUNT(rules));
    BASE_TRY(base_alloc(context, 1, sizeof *o, &o));
    o->parameters = parameters;
    o->rule = rule;
    o->backend = engine_backend_best(parameters->dtype);
    truce_status status = allocate(o);
    if (status) {
        truce_optimizer_destroy(o);
        return status;
    }
    base_options options = options_of(rule, owner);
    base_option_defaults(&options, o->settings);
    *out = o;
    return TRUCE_OK;
}

void truce_optimizer_destroy(truce_optimizer *o) {
    if (!o) return;
    truce_context *context = o->parameters->context;
    for (int i = 0; i < OPTIM_MAX_ARRAYS; i++) base_free_aligned(context, o->arrays[i]);
    base_free(context, o->settings);
    base_free(context, o);
}

truce_status truce_optimizer_set(truce_optimizer *o, const char *option, const char *value) {
    char owner[64];
    base_options options = options_of(o->rule, owner);
    return base_option_set(o->parameters->context, &options, o->settings, option, value);
}

typedef struct step_job {
    engine_update update;
    engine_update_fn loop;
} step_job;

static void step_part(void *arg, int64_t begin, int64_t end, int worker) {
    const step_job *job = arg;
    (void)worker;
    job->loop(&job->update, begin, end);
}

#define GRAIN 32768

void truce_optimizer_step(truce_optimizer *o, const void *gradient, double rate) {
    o->n_steps++;
    optim_call call = {.updates = o->backend->updates,
                       .settings = o->settings,
                       .step = (int64_t)o->n_steps,
                       .update = {.values = o->parameters->block,
                                  .first = o->arrays[0],
                                  .second = o->arrays[1],
                                  .gradient = gradient,
                                  .rate = rate}};
    step_job job = {.loop = o->rule->prepare(&call)};
    job.update = call.update;
    base_parallel(o->parameters->context->team, o->parameters->n, GRAIN, step_part, &job);
}

int truce_optimizer_state_at(truce_optimizer *o, int i, truce_optimizer_state *out) {
    const truce_parameters *p = o->parameters;
    if (i < 0 || i > OPTIM_MAX_ARRAYS) return 0;
    if (i == 0) {
        *out =
            (truce_optimizer_state){.name = "steps", .dtype = TRUCE_FLOAT64, .n = 1, .values = &o->n_steps};
        return 1;
    }
    if (!o->rule->arrays[i - 1]) return 0;
    *out = (truce_optimizer_state){
        .name = o->rule->arrays[i - 1], .dtype = p->dtype, .n = p->n, .values = o->arrays[i - 1]};
    return 1;
}

double truce_clip(truce_parameters *p, void *gradient, int64_t n, double max_norm) {
    const engine_vectors *vectors = engine_backend_best(p->dtype)->vectors;
    double norm = sqrt(vectors->squares(gradient, n));
    if (max_norm > 0 && norm > max_norm && isfinite(norm)) vectors->scale(gradient, max_norm / norm, n);
    return norm;
}
