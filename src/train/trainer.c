/*
 * Making a trainer from a recipe and a data set, and its public face.
 */
#include "train/trainer.h"

#include "engine/parameters.h"
#include "io/file.h"

#include <stdio.h>
#include <string.h>

/* ---- parts ------------------------------------------------------------------------------------------- */

static truce_status open_data(truce_trainer *t, const train_config *config) {
    t->dataset = config->dataset;
    if (t->dataset) return config->unchecked ? TRUCE_OK : truce_dataset_check(t->dataset);
    data_request request = {.recipe = io_yaml_root(t->recipe->document),
                            .path = t->recipe->path,
                            .other_task_keys = train_task_keys};
    BASE_TRY(data_source_open(t->context, &request, &t->source));
    t->dataset = t->source->dataset;
    return TRUCE_OK;
}

static truce_status build_model(truce_trainer *t, const train_config *config) {
    model_config c = {.dataset = t->dataset,
                      .model = train_section(t->recipe, "model"),
                      .tasks = train_section(t->recipe, "tasks"),
                      .targets = config->targets,
                      .n_targets = config->n_targets};
    BASE_TRY(model_create(t->context, &c, &t->model));
    size_t n_tasks = (size_t)t->model->n_tasks;
    BASE_TRY(base_alloc(t->context, n_tasks, sizeof *t->task_names, &t->task_names));
    for (size_t i = 0; i < n_tasks; i++) t->task_names[i] = t->model->tasks[i].info->name;
    truce_dtype dtype = t->settings.precision ? TRUCE_FLOAT64 : TRUCE_FLOAT32;
    BASE_TRY(truce_parameters_create(t->model->graph, dtype, &t->parameters));
    truce_parameters_init(t->parameters, t->seed);
    return TRUCE_OK;
}

/* Every key of a map but one is an option of the thing that the map names. */
typedef truce_status (*set_fn)(void *thing, const char *option, const char *value);

static truce_status set_options(truce_context *context, const io_yaml *map, const char *except, set_fn set,
                                void *thing) {
    for (int i = 0; map && i < map->n_items; i++) {
        const io_yaml *value = map->items[i];
        if (strcmp(map->keys[i], except) == 0) continue;
        base_text list = {0};
        for (int k = 0; value->kind == IO_YAML_LIST && k < value->n_items; k++)
            base_text_add(context, &list, "%s%s", k ? ", " : "", value->items[k]->text);
        const char *text = value->kind == IO_YAML_LIST ? base_text_get(&list) : value->text;
        truce_status status = list.status ? list.status : set(thing, map->keys[i], text);
        base_text_free(context, &list);
        if (status) return io_yaml_fail_at(context, value, status);
    }
    return TRUCE_OK;
}

static truce_status set_balancer(void *thing, const char *option, const char *value) {
    return truce_balancer_set(thing, option, value);
}

static truce_status set_optimizer(void *thing, const char *option, const char *value) {
    return truce_optimizer_set(thing, option, value);
}

static truce_status make_balancer(truce_trainer *t, const train_config *config) {
    const char *name = config->balancer ? config->balancer : t->settings.balancer;
    bool own = !config->balancer || strcmp(config->balancer, t->settings.balancer) == 0;
    int64_t length = 0, n_shared = 0;
    truce_status status = truce_balancer_create(t->context, name, t->model->n_tasks, &t->balancer);
    if (status)
        return own && t->settings.balancer_at ? io_yaml_fail_at(t->context, t->settings.balancer_at, status)
                                              : status;
    if (own)
        BASE_TRY(set_options(t->context, t->settings.balancer_settings, "method", set_balancer, t->balancer));
    truce_balancer_name_tasks(t->balancer, t->task_names);
    BASE_TRY(truce_balancer_seed(t->balancer, t->seed));
    t->needs = truce_balancer_needs(t->balancer);
    truce_parameters_block(t->parameters, &length, &n_shared);
    BASE_TRY(truce_balancer_prepare(t->balancer, t->needs & TRUCE_NEEDS_JACOBIAN ? n_shared : 0));
    bool own_heads = t->settings.heads == TRAIN_HEADS_METHOD
                         ? truce_balancer_method(t->balancer)->heads == TRUCE_HEADS_OWN
                         : t->settings.heads == TRAIN_HEADS_OWN;
    t->own = own_heads ? TRUCE_OWN_PLAIN : TRUCE_OWN_WEIGHTED;
    return TRUCE_OK;
}

static truce_status make_optimizer(truce_trainer *t) {
    const train_settings *s = &t->settings;
    truce_status status = truce_optimizer_create(t->parameters, s->optimizer, &t->optimizer);
    if (status) return s->optimizer_at ? io_yaml_fail_at(t->context, s->optimizer_at, status) : status;
    return set_options(t->context, s->optimizer_settings, "type", set_optimizer, t->optimizer);
}

static void make_schedule(truce_trainer *t) {
    double per_epoch = (double)((t->n_train + t->settings.batch - 1) / t->settings.batch);
    t->schedule =
        (truce_schedule){.kind = (truce_schedule_kind)t->settings.schedule.kind,
                         .warmup = (int64_t)(t->settings.schedule.warmup * per_epoch + 0.5),
                         .every = BASE_MAX(1, (int64_t)(t->settings.schedule.every * per_epoch + 0.5)),
                         .factor = t->settings.schedule.factor,
                         .floor = t->settings.schedule.floor,
                         .total_steps = (int64_t)per_epoch * t->settings.epochs};
}

static truce_gradients gradients_for(const truce_trainer *t) {
    if (t->needs & TRUCE_NEEDS_JACOBIAN) return TRUCE_GRADIENT_JACOBIAN;
    return t->needs & TRUCE_NEEDS_GRAMIAN || t->compares ? TRUCE_GRADIENT_GRAMIAN : TRUCE_GRADIENT_WEIGHTED;
}

static truce_status compile_programs(truce_trainer *t) {
    truce_node *outputs = NULL;
    truce_context *context = t->context;
    int n = t->model->n_tasks;
    BASE_TRY(base_alloc(context, (size_t)n, sizeof *outputs, &outputs));
    for (int i = 0; i < n; i++) outputs[i] = t->model->tasks[i].output;
    truce_program_config train = {.max_batch = BASE_MIN(t->settings.batch, BASE_MAX(1, t->n_train)),
                                  .gradients = gradients_for(t),
                                  .training = 1};
    truce_program_config eval = {.max_batch = t->settings.eval_batch, .outputs = outputs, .n_outputs = n};
    truce_status status = truce_program_create(t->parameters, &train, &t->train_program);
    if (!status) status = truce_program_create(t->parameters, &eval, &t->eval_program);
    base_free(context, outputs);
    return status;
}

/* The largest number of reals that a batch of one input or target holds. */
static size_t widest_batch(const truce_trainer *t) {
    int64_t rows = BASE_MAX(t->settings.batch, t->settings.eval_batch), widest = 1;
    for (int i = 0; i < truce_dataset_inputs(t->dataset); i++)
        widest = BASE_MAX(widest, truce_shape_size(&truce_dataset_input(t->dataset, i)->row_shape));
    for (int i = 0; i < t->model->n_tasks; i++) widest = BASE_MAX(widest, t->model->tasks[i].n_outputs);
    return (size_t)(rows * widest);
}

static truce_status allocate_room(truce_trainer *t) {
    truce_context *context = t->context;
    size_t n = (size_t)t->model->n_tasks;
    BASE_TRY(base_alloc(context, n, sizeof(double), &t->losses));
    BASE_TRY(base_alloc(context, n, sizeof(double), &t->weights));
    BASE_TRY(base_alloc(context, n * n, sizeof(double), &t->gramian));
    BASE_TRY(base_alloc(context, n * n, sizeof(double), &t->conflict_sums));
    BASE_TRY(base_alloc(context, n * n, sizeof(int64_t), &t->conflict_counts));
    BASE_TRY(base_alloc(context, n, sizeof(double), &t->norm_sums));
    BASE_TRY(base_alloc(context, n, sizeof(double), &t->loss_sums));
    BASE_TRY(base_alloc(context, n, sizeof(int64_t), &t->loss_counts));
    BASE_TRY(base_alloc(context, n, sizeof(double), &t->weight_sums));
    BASE_TRY(base_alloc(context, n, sizeof(double), &t->baseline));
    BASE_TRY(base_alloc(context, (size_t)t->n_train, sizeof(int64_t), &t->order));
    if (t->settings.precision) BASE_TRY(base_alloc(context, widest_batch(t), sizeof(float), &t->wide));
    return TRUCE_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------- */

static void log_shared(truce_trainer *t) {
    int64_t n_shared = 0, n = truce_parameters_trained(t->parameters, &n_shared);
    base_log(t->context, TRUCE_LOG_INFO, "model: %s over %s; shared: %lld of %lld parameters",
             t->model->architecture, t->model->trunk, (long long)n_shared, (long long)n);
    if (t->model->n_tasks > 1 && n_shared == 0)
        base_log(t->context, TRUCE_LOG_WARNING,
                 "the tasks share no parameters, so every balancer does the same as training them apart");
}

static truce_status name_work(truce_trainer *t) {
    char *name = NULL;
    base_text text = {0};
    BASE_TRY(train_recipe_name(t->context, t->recipe, &name));
    base_text_add(t->context, &text, "%s, %s, seed %llu", name, truce_balancer_method(t->balancer)->name,
                  (unsigned long long)t->seed);
    base_free(t->context, name);
    t->what = text.bytes;
    return text.status;
}

static truce_status prepare(truce_trainer *t, const train_config *config) {
    int64_t n_shared = 0;
    BASE_TRY(train_settings_read(t->context, t->recipe, &t->settings));
    int64_t seed = config->seed != TRAIN_SEED_UNSET ? config->seed : t->settings.seed;
    t->seed = seed != TRAIN_SEED_UNSET ? (uint64_t)seed : truce_context_seed(t->context);
    BASE_TRY(open_data(t, config));
    truce_dataset_split_rows(t->dataset, TRUCE_TRAIN, &t->n_train);
    BASE_TRY(build_model(t, config));
    BASE_TRY(make_balancer(t, config));
    BASE_TRY(make_optimizer(t));
    make_schedule(t);
    truce_parameters_trained(t->parameters, &n_shared);
    t->compares = t->settings.conflicts > 0 && t->model->n_tasks > 1 && n_shared > 0;
    BASE_TRY(allocate_room(t));
    BASE_TRY(compile_programs(t));
    BASE_TRY(name_work(t));
    log_shared(t);
    return TRUCE_OK;
}

truce_status train_create(truce_context *context, const train_config *config, truce_trainer **out) {
    truce_trainer *t = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *t, &t));
    t->context = context;
    t->recipe = config->recipe;
    t->best.epoch = -1;
    truce_status status = prepare(t, config);
    if (status) {
        truce_trainer_destroy(t);
        return status;
    }
    *out = t;
    return TRUCE_OK;
}

truce_status truce_trainer_create(truce_context *context, truce_recipe *recipe, truce_dataset *dataset,
                                  truce_trainer **out) {
    train_config config = {.recipe = recipe, .dataset = dataset, .seed = TRAIN_SEED_UNSET};
    return train_create(context, &config, out);
}

void truce_trainer_destroy(truce_trainer *t) {
    if (!t) return;
    truce_context *context = t->context;
    base_free(context, t->what);
    train_history_free(context, &t->history);
    base_free(context, t->best.state);
    base_free(context, t->best.block);
    base_free(context, t->task_names);
    base_free(context, t->wide);
    base_free(context, t->order);
    base_free(context, t->baseline);
    base_free(context, t->weight_sums);
    base_free(context, t->loss_counts);
    base_free(context, t->loss_sums);
    base_free(context, t->norm_sums);
    base_free(context, t->conflict_counts);
    base_free(context, t->conflict_sums);
    base_free(context, t->gramian);
    base_free(context, t->weights);
    base_free(context, t->losses);
    truce_program_destroy(t->eval_program);
    truce_program_destroy(t->train_program);
    truce_optimizer_destroy(t->optimizer);
    truce_balancer_destroy(t->balancer);
    truce_parameters_destroy(t->parameters);
    model_destroy(t->model);
    data_source_destroy(t->source);
    if (t->owns_dataset) truce_dataset_destroy(t->dataset);
    if (t->owns_recipe) truce_recipe_destroy(t->recipe);
    base_free(context, t);
}

int truce_trainer_tasks(const truce_trainer *t) {
    return t->model->n_tasks;
}

const truce_target *truce_trainer_task(const truce_trainer *t, int task) {
    return task >= 0 && task < t->model->n_tasks ? t->model->tasks[task].info : NULL;
}

truce_dataset *truce_trainer_dataset(truce_trainer *t) {
    return t->dataset;
}

int truce_trainer_outputs(const truce_trainer *t, int task) {
    return task >= 0 && task < t->model->n_tasks ? t->model->tasks[task].n_outputs : 0;
}

int64_t truce_trainer_best_epoch(const truce_trainer *t) {
    return t->best.epoch + 1;
}

double truce_trainer_seconds_per_step(const truce_trainer *t) {
    return t->step ? t->step_seconds / (double)t->step : 0;
}

truce_parameters *truce_trainer_parameters(truce_trainer *t) {
    return t->parameters;
}
