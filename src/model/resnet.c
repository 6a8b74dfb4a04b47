/*
 * ResNet-18 for small pictures (He et al., arXiv 1512.03385, in the form common for 32 x 32 images): a 3 x 3
 * stem without pooling, four stages of two basic blocks, the last three of which halve the picture and double
 * the channels, and a global mean.
 */
#include "model/trunk.h"

#include <stdio.h>

typedef struct settings {
    int64_t width;
    truce_integers blocks;
} settings;

static truce_node build(truce_graph *graph, const char *prefix, truce_node x, const void *given) {
    const settings *s = given;
    char name[256];
    truce_window stem = {.size = {3, 3}, .padding = {1, 1}};
    int64_t channels = s->width;
    snprintf(name, sizeof name, "%s.conv1", prefix);
    x = nn_conv(graph, name, x, channels, &stem, false);
    snprintf(name, sizeof name, "%s.bn1", prefix);
    x = truce_op_relu(graph, nn_normalise(graph, name, NN_BATCH_NORM, x));
    for (int stage = 0; stage < s->blocks.n; stage++) {
        for (int64_t block = 0; block < s->blocks.values[stage]; block++) {
            snprintf(name, sizeof name, "%s.layer%d.%d", prefix, stage + 1, (int)block);
            x = nn_residual(graph, name, x, channels, stage > 0 && block == 0 ? 2 : 1);
        }
        channels *= 2;
    }
    return truce_op_global_pool(graph, x);
}

static const truce_option options[] = {
    {"width", TRUCE_OPTION_INTEGER, "64", NULL, 1, 4096,
     "channels of the first stage; each later one doubles", offsetof(settings, width)},
    {"blocks", TRUCE_OPTION_INTEGERS, "2, 2, 2, 2", NULL, 1, 64, "residual blocks of each stage",
     offsetof(settings, blocks)},
};

const model_trunk model_trunk_resnet18_small = {.name = "resnet18-small",
                                                .title = "ResNet-18 for small pictures",
                                                .reference = "He et al., CVPR 2016, arXiv 1512.03385",
                                                .summary =
                                                    "residual blocks with batch norm, then a global mean",
                                                .takes = MODEL_IMAGES,
                                                .options = options,
                                                .n_options = BASE_COUNT(options),
                                                .settings_bytes = sizeof(settings),
                                                .build = build};
