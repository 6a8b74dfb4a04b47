#include "model/model.h"

#include "model/trunk.h"

#include <stdio.h>
#include <string.h>

/* ---- settings ---------------------------------------------------------------------------------------- */

typedef struct head_settings {
    truce_integers widths;
    int activation, norm;
    double dropout;
} head_settings;

static const truce_option head_rows[] = {
    {"widths", TRUCE_OPTION_INTEGERS, NULL, NULL, 1, 65536, "dense layers between representation and output",
     offsetof(head_settings, widths)},
    {"activation", TRUCE_OPTION_CHOICE, "relu", NN_ACTIVATIONS, 0, 0, "after each of them",
     offsetof(head_settings, activation)},
    {"norm", TRUCE_OPTION_CHOICE, "none", NN_NORMS, 0, 0, "between layer and activation",
     offsetof(head_settings, norm)},
    {"dropout", TRUCE_OPTION_REAL, "0", NULL, 0, 0.99, "share of activations dropped in training",
     offsetof(head_settings, dropout)},
};
static const base_options head_options = {"head", head_rows, BASE_COUNT(head_rows)};

enum { LOSS_AUTO, LOSS_CROSS_ENTROPY, LOSS_SQUARED, LOSS_ABSOLUTE, LOSS_HUBER };

typedef struct task_settings {
    int loss;
    double delta;
} task_settings;

static const truce_option task_rows[] = {
    {"loss", TRUCE_OPTION_CHOICE, "auto", "auto|cross_entropy|squared|absolute|huber", 0, 0,
     "auto: cross_entropy for classes and binary targets, squared for regression",
     offsetof(task_settings, loss)},
    {"delta", TRUCE_OPTION_REAL, "1", NULL, 1e-9, 1e9, "where the huber loss turns linear",
     offsetof(task_settings, delta)},
};
static const base_options task_options = {"task", task_rows, BASE_COUNT(task_rows)};

typedef struct model_settings {
    const char *architecture;
    int64_t embedding;
} model_settings;

static const truce_option model_rows[] = {
    {"architecture", TRUCE_OPTION_TEXT, "hps", NULL, 0, 0, "what the tasks share",
     offsetof(model_settings, architecture)},
    {"embedding", TRUCE_OPTION_INTEGER, "0", NULL, 0, 4096,
     "numbers per embedded category; 0: half the number of categories, at most 50",
     offsetof(model_settings, embedding)},
};
static const base_options model_options = {"section 'model'", model_rows, BASE_COUNT(model_rows)};

/* ---- inputs ------------------------------------------------------------------------------------------ */

typedef struct builder {
    model *model;
    const model_config *config;
    model_settings settings;
    const model_trunk *trunk;
    void *trunk_settings;
} builder;

static truce_node add_input(builder *b, int i) {
    const truce_input *info = truce_dataset_input(b->config->dataset, i);
    truce_shape shape = {.n_dims = info->row_shape.n_dims + 1, .dims = {TRUCE_BATCH}};
    char name[256];
    for (int k = 0; k < info->row_shape.n_dims; k++) shape.dims[k + 1] = info->row_shape.dims[k];
    snprintf(name, sizeof name, "input.%s", info->name);
    truce_value_type type = info->kind == TRUCE_INPUT_CATEGORIES ? TRUCE_INDEX : TRUCE_REAL;
    return truce_graph_input(b->model->graph, name, type, shape);
}

static int64_t embedding_width(const builder *b, int64_t cardinality) {
    if (b->settings.embedding) return b->settings.embedding;
    return BASE_MIN(50, (cardinality + 1) / 2);
}

/* [B][columns] indices -> [B][sum of widths]: a table per column. */
static truce_node embed_columns(builder *b, truce_node indices, const truce_input *info) {
    truce_graph *graph = b->model->graph;
    int64_t n = info->row_shape.dims[0];
    truce_node x = TRUCE_NONE;
    for (int64_t column = 0; column < n; column++) {
        char name[256];
        snprintf(name, sizeof name, "embedding.%s.%d", info->name, (int)column);
        truce_node one = truce_op_slice(graph, indices, 1, column, column + 1, 1);
        one = truce_op_reshape(graph, one, (truce_shape){1, {TRUCE_BATCH}});
        int64_t cardinality = info->cardinality[column];
        one = nn_embed(graph, name, one, cardinality, embedding_width(b, cardinality));
        x = x == TRUCE_NONE ? one : truce_op_concat(graph, 2, (truce_node[]){x, one}, 1);
    }
    return x;
}

/* All inputs as one row of numbers. */
static truce_node join_as_vector(builder *b) {
    truce_graph *graph = b->model->graph;
    truce_node x = TRUCE_NONE;
    for (int i = 0; i < truce_dataset_inputs(b->config->dataset); i++) {
        const truce_input *info = truce_dataset_input(b->config->dataset, i);
        truce_node one = b->model->inputs[i];
        if (info->kind == TRUCE_INPUT_CATEGORIES)
            one = embed_columns(b, one, info);
        else if (info->row_shape.n_dims != 1)
            one = truce_op_reshape(graph, one, (truce_shape){2, {TRUCE_BATCH, 0}});
        x = x == TRUCE_NONE ? one : truce_op_concat(graph, 2, (truce_node[]){x, one}, 1);
    }
    return x;
}

static truce_status trunk_input(builder *b, truce_node *out) {
    const truce_dataset *dataset = b->config->dataset;
    int n_inputs = truce_dataset_inputs(dataset);
    for (int i = 0; i < n_inputs; i++) b->model->inputs[i] = add_input(b, i);
    if (b->trunk->takes == MODEL_VECTORS) {
        *out = join_as_vector(b);
        return TRUCE_OK;
    }
    if (n_inputs != 1 || truce_dataset_input(dataset, 0)->row_shape.n_dims != 3)
        return base_fail(b->model->context, TRUCE_ERROR_UNSUPPORTED,
                         "trunk '%s' takes pictures, but the data set's inputs are not one picture per row; "
                         "try trunk 'mlp'",
                         b->trunk->name);
    *out = b->model->inputs[0];
    return TRUCE_OK;
}

/* ---- heads ------------------------------------------------------------------------------------------- */

static truce_node add_target(truce_graph *graph, const char *task, const truce_target *info) {
    char name[256];
    snprintf(name, sizeof name, "target.%s", task);
    if (info->kind == TRUCE_TARGET_CLASSES)
        return truce_graph_input(graph, name, TRUCE_INDEX, (truce_shape){1, {TRUCE_BATCH}});
    return truce_graph_input(graph, name, TRUCE_REAL,
                             (truce_shape){2, {TRUCE_BATCH, BASE_MAX(1, info->width)}});
}

static int outputs_of(const truce_target *info) {
    if (info->kind == TRUCE_TARGET_CLASSES) return info->n_classes;
    return info->kind == TRUCE_TARGET_BINARY ? 1 : BASE_MAX(1, info->width);
}

static truce_status check_loss(truce_context *context, const truce_target *info, int loss) {
    bool entropy = loss == LOSS_CROSS_ENTROPY, labels = info->kind != TRUCE_TARGET_REGRESSION;
    if (loss == LOSS_AUTO || entropy == labels) return TRUCE_OK;
    return base_fail(context, TRUCE_ERROR_UNSUPPORTED, "task '%s' has %s, which the loss does not fit",
                     info->name, labels ? "class labels" : "numbers to predict");
}

static truce_node add_loss(truce_graph *graph, model_task *task, const task_settings *s) {
    task->loss_name = "cross_entropy";
    if (task->info->kind == TRUCE_TARGET_CLASSES)
        return truce_op_cross_entropy(graph, task->output, task->target, 1);
    if (task->info->kind == TRUCE_TARGET_BINARY)
        return truce_op_binary_cross_entropy(graph, task->output, task->target);
    task->loss_name = s->loss == LOSS_HUBER ? "huber" : s->loss == LOSS_ABSOLUTE ? "absolute" : "squared";
    if (s->loss == LOSS_HUBER) return truce_op_huber(graph, task->output, task->target, s->delta);
    if (s->loss == LOSS_ABSOLUTE) return truce_op_absolute_error(graph, task->output, task->target);
    return truce_op_squared_error(graph, task->output, task->target);
}

/* The settings of a task: the first key of `tasks:` that names it, exactly or by a pattern. */
static const io_yaml *settings_of_task(const io_yaml *tasks, const char *name) {
    const io_yaml *exact = io_yaml_get(tasks, name);
    if (exact) return exact;
    for (int i = 0; tasks && i < tasks->n_items; i++)
        if (base_pattern_fits(tasks->keys[i], name)) return tasks->items[i];
    return NULL;
}

static truce_status read_task(builder *b, const io_yaml *at, task_settings *task, head_settings *head) {
    truce_context *context = b->model->context;
    const io_yaml *own = io_yaml_get(at, "head"), *common = io_yaml_get(b->config->model, "head");
    base_option_defaults(&task_options, task);
    for (int i = 0; i < task_options.n; i++) {
        const io_yaml *value = io_yaml_get(at, task_rows[i].name);
        if (!value) continue;
        truce_status status = base_option_set(context, &task_options, task, task_rows[i].name, value->text);
        if (status) return io_yaml_fail_at(context, value, status);
    }
    return io_yaml_options(context, own ? own : common, &head_options, NULL, head);
}

static truce_status add_head(builder *b, model_task *task, truce_node z) {
    truce_graph *graph = b->model->graph;
    task_settings settings;
    head_settings head;
    char name[256];
    const io_yaml *at = settings_of_task(b->config->tasks, task->info->name);
    BASE_TRY(read_task(b, at, &settings, &head));
    truce_status status = check_loss(b->model->context, task->info, settings.loss);
    if (status) return at ? io_yaml_fail_at(b->model->context, at, status) : status;
    nn_mlp mlp = {.n_layers = head.widths.n,
                  .widths = head.widths.values,
                  .activation = (nn_activation)head.activation,
                  .norm = (nn_norm)head.norm,
                  .dropout = head.dropout};
    snprintf(name, sizeof name, "head.%s", task->info->name);
    z = nn_stack(graph, name, z, &mlp);
    snprintf(name, sizeof name, "head.%s.out", task->info->name);
    task->n_outputs = outputs_of(task->info);
    task->output = nn_dense(graph, name, z, task->n_outputs);
    task->target = add_target(graph, task->info->name, task->info);
    task->loss = add_loss(graph, task, &settings);
    truce_graph_task(graph, task->info->name, task->loss);
    return TRUCE_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------- */

static truce_status read_settings(builder *b) {
    truce_context *context = b->model->context;
    static const char *const others[] = {"trunk", "head", NULL};
    char owner[64];
    const io_yaml *section = b->config->model, *trunk = io_yaml_get(section, "trunk");
    BASE_TRY(io_yaml_options(context, section, &model_options, others, &b->settings));
    if (strcmp(b->settings.architecture, "hps") != 0) {
        static const char *const known[] = {"hps"};
        truce_status status =
            base_fail_name(context, "architecture", b->settings.architecture, base_name_of_text, known, 1);
        return io_yaml_fail_at(context, io_yaml_get(section, "architecture"), status);
    }
    const char *name = NULL;
    const io_yaml *trunk_map = NULL;
    bool pictures = truce_dataset_inputs(b->config->dataset) == 1 &&
                    truce_dataset_input(b->config->dataset, 0)->row_shape.n_dims == 3;
    BASE_TRY(io_yaml_choice(context, trunk, "type", pictures ? "lenet" : "mlp", &name, &trunk_map));
    truce_status status = model_trunk_find(context, name, &b->trunk);
    if (status) return trunk ? io_yaml_fail_at(context, trunk, status) : status;
    b->model->architecture = "hps";
    b->model->trunk = b->trunk->name;
    BASE_TRY(base_alloc(context, 1, b->trunk->settings_bytes, &b->trunk_settings));
    base_options options = model_trunk_options(b->trunk, owner);
    static const char *const type[] = {"type", NULL};
    return io_yaml_options(context, trunk_map, &options, type, b->trunk_settings);
}

static truce_status allocate(builder *b) {
    model *m = b->model;
    const truce_dataset *dataset = b->config->dataset;
    m->n_tasks = b->config->targets ? b->config->n_targets : truce_dataset_targets(dataset);
    if (m->n_tasks == 0) return base_fail(m->context, TRUCE_ERROR_DATA, "the data set has no task");
    if (truce_dataset_inputs(dataset) == 0)
        return base_fail(m->context, TRUCE_ERROR_DATA, "the data set has no input");
    BASE_TRY(base_alloc(m->context, (size_t)m->n_tasks, sizeof *m->tasks, &m->tasks));
    BASE_TRY(base_alloc(m->context, (size_t)truce_dataset_inputs(dataset), sizeof *m->inputs, &m->inputs));
    for (int i = 0; i < m->n_tasks; i++) {
        m->tasks[i].target_index = b->config->targets ? b->config->targets[i] : i;
        m->tasks[i].info = truce_dataset_target(dataset, m->tasks[i].target_index);
    }
    return truce_graph_create(m->context, &m->graph);
}

static truce_status build(builder *b) {
    truce_node x = TRUCE_NONE;
    BASE_TRY(allocate(b));
    BASE_TRY(read_settings(b));
    BASE_TRY(trunk_input(b, &x));
    truce_node z = b->trunk->build(b->model->graph, "trunk", x, b->trunk_settings);
    for (int i = 0; i < b->model->n_tasks; i++) BASE_TRY(add_head(b, &b->model->tasks[i], z));
    return truce_graph_status(b->model->graph);
}

truce_status model_create(truce_context *context, const model_config *config, model **out) {
    builder b = {.config = config};
    BASE_TRY(base_alloc(context, 1, sizeof *b.model, &b.model));
    b.model->context = context;
    b.model->dataset = config->dataset;
    truce_status status = build(&b);
    base_free(context, b.trunk_settings);
    if (status) {
        model_destroy(b.model);
        return status;
    }
    *out = b.model;
    return TRUCE_OK;
}

void model_destroy(model *m) {
    if (!m) return;
    truce_context *context = m->context;
    truce_graph_destroy(m->graph);
    base_free(context, m->inputs);
    base_free(context, m->tasks);
    base_free(context, m);
}
