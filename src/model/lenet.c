/*
 * The small convolutional trunk that the Multi-MNIST experiments of the field use (Sener and Koltun, NeurIPS
 * 2018, arXiv 1810.04650): 5 x 5 convolutions, each with 2 x 2 max pooling and relu, then one dense layer.
 */
#include "model/trunk.h"

#include <stdio.h>

typedef struct settings {
    truce_integers channels;
    int64_t kernel, width;
    double dropout;
} settings;

static truce_node build(truce_graph *graph, const char *prefix, truce_node x, const void *given) {
    const settings *s = given;
    char name[256];
    truce_window kernel = {.size = {s->kernel, s->kernel}}, pool = {.size = {2, 2}};
    for (int i = 0; i < s->channels.n; i++) {
        snprintf(name, sizeof name, "%s.conv%d", prefix, i + 1);
        x = nn_conv(graph, name, x, s->channels.values[i], &kernel, true);
        x = truce_op_relu(graph, truce_op_max_pool(graph, x, &pool));
    }
    snprintf(name, sizeof name, "%s.fc", prefix);
    x = truce_op_reshape(graph, x, (truce_shape){2, {TRUCE_BATCH, 0}});
    x = truce_op_relu(graph, nn_dense(graph, name, x, s->width));
    return s->dropout > 0 ? truce_op_dropout(graph, x, s->dropout) : x;
}

static const truce_option options[] = {
    {"channels", TRUCE_OPTION_INTEGERS, "10, 20", NULL, 1, 4096, "outputs of each convolution",
     offsetof(settings, channels)},
    {"kernel", TRUCE_OPTION_INTEGER, "5", NULL, 1, 31, "side of the convolutions, in pixels",
     offsetof(settings, kernel)},
    {"width", TRUCE_OPTION_INTEGER, "50", NULL, 1, 65536, "outputs of the dense layer",
     offsetof(settings, width)},
    {"dropout", TRUCE_OPTION_REAL, "0", NULL, 0, 0.99, "share of activations dropped in training",
     offsetof(settings, dropout)},
};

const model_trunk model_trunk_lenet = {.name = "lenet",
                                       .title = "LeNet",
                                       .reference =
                                           "LeCun et al., Proceedings of the IEEE 1998; sizes as in arXiv "
                                           "1810.04650",
                                       .summary = "small convolutions with max pooling, then a dense layer",
                                       .takes = MODEL_IMAGES,
                                       .options = options,
                                       .n_options = BASE_COUNT(options),
                                       .settings_bytes = sizeof(settings),
                                       .build = build};
