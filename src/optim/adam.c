/*
 * Adam (arXiv 1412.6980) and AdamW (arXiv 1711.05101): with m and v the running means of g and g^2,
 *
 *     x <- (1 - rate decay) x - rate m' / (sqrt(v') + epsilon),   m' = m / (1 - beta1^t), v' = v / (1 -
 * beta2^t),
 *
 * where Adam adds decay x to g instead of shrinking x.
 */
#include "optim/rule.h"

#include <math.h>

typedef struct settings {
    double beta1, beta2, epsilon, weight_decay;
} settings;

static void set_moments(optim_call *call) {
    const settings *s = call->settings;
    engine_update *u = &call->update;
    u->beta1 = s->beta1;
    u->beta2 = s->beta2;
    u->epsilon = s->epsilon;
    u->root = 1 / sqrt(1 - pow(s->beta2, (double)call->step));
    u->shrink = 1;
}

static void correct_rate(optim_call *call) {
    call->update.rate /= 1 - pow(call->update.beta1, (double)call->step);
}

static engine_update_fn prepare_adam(optim_call *call) {
    set_moments(call);
    call->update.decay = ((const settings *)call->settings)->weight_decay;
    correct_rate(call);
    return call->updates->adam;
}

static engine_update_fn prepare_adamw(optim_call *call) {
    set_moments(call);
    call->update.shrink = 1 - call->update.rate * ((const settings *)call->settings)->weight_decay;
    correct_rate(call);
    return call->updates->adam;
}

#define MOMENT_OPTIONS                                                                                       \
    {"beta1", TRUCE_OPTION_REAL, "0.9", NULL, 0, 0.999999, "memory of the mean", offsetof(settings, beta1)}, \
        {"beta2",                                                                                            \
         TRUCE_OPTION_REAL,                                                                                  \
         "0.999",                                                                                            \
         NULL,                                                                                               \
         0,                                                                                                  \
         0.9999999,                                                                                          \
         "memory of the mean square",                                                                        \
         offsetof(settings, beta2)},                                                                         \
    {                                                                                                        \
        "epsilon", TRUCE_OPTION_REAL, "1e-8", NULL, 0, 1, "added to the root of the mean square",            \
            offsetof(settings, epsilon)                                                                      \
    }

static const truce_option adam_options[] = {
    MOMENT_OPTIONS,
    {"weight_decay", TRUCE_OPTION_REAL, "0", NULL, 0, 1e3, "added to the gradient, times the parameters",
     offsetof(settings, weight_decay)},
};

static const truce_option adamw_options[] = {
    MOMENT_OPTIONS,
    {"weight_decay", TRUCE_OPTION_REAL, "0.01", NULL, 0, 1e3, "share of the parameters lost per unit of rate",
     offsetof(settings, weight_decay)},
};

const optim_rule optim_adam = {
    .method = {.name = "adam",
               .title = "Adam",
               .reference = "Kingma and Ba, ICLR 2015, arXiv 1412.6980",
               .summary = "running mean of the gradient over the root of its mean square",
               .options = adam_options,
               .n_options = BASE_COUNT(adam_options)},
    .settings_bytes = sizeof(settings),
    .arrays = {"mean", "square"},
    .prepare = prepare_adam};

const optim_rule optim_adamw = {.method = {.name = "adamw",
                                           .title = "AdamW",
                                           .reference = "Loshchilov and Hutter, ICLR 2019, arXiv 1711.05101",
                                           .summary = "Adam with weight decay apart from the gradient",
                                           .options = adamw_options,
                                           .n_options = BASE_COUNT(adamw_options)},
                                .settings_bytes = sizeof(settings),
                                .arrays = {"mean", "square"},
                                .prepare = prepare_adamw};
