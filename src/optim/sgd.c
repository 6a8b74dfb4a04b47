/*
 * Gradient descent with (Nesterov) momentum in PyTorch's form: g <- g + decay x, m <- momentum m + g,
 * x <- x - rate m, or x - rate (g + momentum m).
 */
#include "optim/rule.h"

typedef struct settings {
    double momentum, weight_decay;
    int nesterov;
} settings;

static engine_update_fn prepare(optim_call *call) {
    const settings *s = call->settings;
    call->update.beta1 = s->momentum;
    call->update.decay = s->weight_decay;
    call->update.nesterov = s->nesterov;
    return s->momentum == 0 ? call->updates->plain : call->updates->sgd;
}

static const truce_option options[] = {
    {"momentum", TRUCE_OPTION_REAL, "0", NULL, 0, 1, "share of the last step that is kept",
     offsetof(settings, momentum)},
    {"nesterov", TRUCE_OPTION_SWITCH, "false", NULL, 0, 0, "look ahead along the momentum",
     offsetof(settings, nesterov)},
    {"weight_decay", TRUCE_OPTION_REAL, "0", NULL, 0, 1e3, "added to the gradient, times the parameters",
     offsetof(settings, weight_decay)},
};

const optim_rule optim_sgd = {.method = {.name = "sgd",
                                         .title = "Stochastic gradient descent",
                                         .reference = "Sutskever et al., ICML 2013",
                                         .summary = "against the gradient, with momentum",
                                         .options = options,
                                         .n_options = BASE_COUNT(options)},
                              .settings_bytes = sizeof(settings),
                              .arrays = {"momentum"},
                              .prepare = prepare};
