/*
 * The plain trunk for tables: dense layers.
 */
#include "model/trunk.h"

typedef struct settings {
    truce_integers widths;
    int activation, norm;
    double dropout;
} settings;

static truce_node build(truce_graph *graph, const char *prefix, truce_node x, const void *given) {
    const settings *s = given;
    nn_mlp mlp = {.n_layers = s->widths.n,
                  .widths = s->widths.values,
                  .activation = (nn_activation)s->activation,
                  .norm = (nn_norm)s->norm,
                  .dropout = s->dropout};
    return nn_stack(graph, prefix, x, &mlp);
}

static const truce_option options[] = {
    {"widths", TRUCE_OPTION_INTEGERS, "64, 64", NULL, 1, 65536, "outputs of each dense layer",
     offsetof(settings, widths)},
    {"activation", TRUCE_OPTION_CHOICE, "relu", NN_ACTIVATIONS, 0, 0, "after each layer",
     offsetof(settings, activation)},
    {"norm", TRUCE_OPTION_CHOICE, "none", NN_NORMS, 0, 0, "between layer and activation",
     offsetof(settings, norm)},
    {"dropout", TRUCE_OPTION_REAL, "0", NULL, 0, 0.99, "share of activations dropped in training",
     offsetof(settings, dropout)},
};

const model_trunk model_trunk_mlp = {.name = "mlp",
                                     .title = "Multilayer perceptron",
                                     .reference = "Rumelhart, Hinton and Williams, Nature 1986",
                                     .summary = "dense layers over a row of numbers",
                                     .takes = MODEL_VECTORS,
                                     .options = options,
                                     .n_options = BASE_COUNT(options),
                                     .settings_bytes = sizeof(settings),
                                     .build = build};
