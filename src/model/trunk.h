/*
 * Trunks: networks from the inputs to a shared representation, chosen and set up by a recipe.
 */
#ifndef MODEL_TRUNK_H
#define MODEL_TRUNK_H

#include "base/option.h"
#include "nn/layers.h"

typedef enum model_input_form {
    MODEL_VECTORS, /* [B][width] */
    MODEL_IMAGES   /* [B][channels][height][width] */
} model_input_form;

/* One row of the table of trunks. */
typedef struct model_trunk {
    const char *name, *title, *reference, *summary;
    model_input_form takes;
    const truce_option *options;
    int n_options;
    size_t settings_bytes;
    /* x -> [B][width], parameters named PREFIX.... */
    truce_node (*build)(truce_graph *graph, const char *prefix, truce_node x, const void *settings);
} model_trunk;

extern const model_trunk model_trunk_mlp, model_trunk_lenet, model_trunk_resnet18_small;

/* The i-th trunk, NULL past the end; by name, or a failure that says which was meant. */
const model_trunk *model_trunk_at(int i);
truce_status model_trunk_find(truce_context *context, const char *name, const model_trunk **out);

/* The trunk's options under the name by which messages call it; `owner` gives room for that. */
base_options model_trunk_options(const model_trunk *trunk, char owner[64]);

#endif
