/*
 * A model: the graph of one multi-task network over the inputs of a data set, built from the `model:` and
 * `tasks:` sections of a recipe.
 *
 * Every task has a head on the representation that the architecture gives it, and a loss with the task's
 * target. The same graph serves training and prediction.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "io/yaml.h"
#include "truce/data.h"
#include "truce/engine.h"

typedef struct model_task {
    int target_index;         /* in the data set */
    const truce_target *info; /* owned by the data set */
    truce_node target;        /* graph input: [batch][width], or indices [batch] for classes */
    truce_node output;        /* [batch][width], or logits: [batch][classes], [batch][1] for binary */
    truce_node loss;
    int n_outputs; /* numbers per row of `output` */
    const char *loss_name;
} model_task;

typedef struct model {
    truce_context *context;
    const truce_dataset *dataset;
    truce_graph *graph;
    truce_node *inputs; /* [truce_dataset_inputs] */
    model_task *tasks;
    int n_tasks;
    const char *architecture, *trunk;
} model;

typedef struct model_config {
    const truce_dataset *dataset;
    const io_yaml *model, *tasks; /* sections; may be NULL: defaults */
    const int *targets;           /* of which targets to make tasks; NULL: all */
    int n_targets;
} model_config;

truce_status model_create(truce_context *context, const model_config *config, model **out);
void model_destroy(model *model);

#endif
