/*
 * Which metrics count, and what the page of a run says about its data and model.
 */
#include "train/trainer.h"

#include <string.h>

static truce_status add_metric(truce_context *context, const truce_target *target, const io_yaml *at,
                               const train_metric *metrics[TRUCE_MAX_METRICS], int *n) {
    const train_metric *metric = train_metric_find(at->text);
    if (*n == TRUCE_MAX_METRICS)
        return io_yaml_fail(context, at, TRUCE_ERROR_RANGE, "at most %d metrics per task", TRUCE_MAX_METRICS);
    if (!metric || !train_metric_fits(metric, target->kind))
        return io_yaml_fail(context, at, TRUCE_ERROR_NAME,
                            "task '%s' has no metric '%s'; see 'truce methods metrics'", target->name,
                            at->text);
    metrics[(*n)++] = metric;
    return TRUCE_OK;
}

/* `metrics:` of the task's entry, found by its name or by a pattern. */
static const io_yaml *find_setting(const truce_recipe *recipe, const char *task) {
    const io_yaml *tasks = train_section(recipe, "tasks"),
                  *found = io_yaml_get(io_yaml_get(tasks, task), "metrics");
    for (int i = 0; !found && tasks && tasks->kind == IO_YAML_MAP && i < tasks->n_items; i++)
        if (base_pattern_fits(tasks->keys[i], task)) found = io_yaml_get(tasks->items[i], "metrics");
    return found;
}

truce_status train_counted_metrics(truce_context *context, const truce_recipe *recipe,
                                   const truce_target *target, const train_metric *metrics[TRUCE_MAX_METRICS],
                                   int *n) {
    const io_yaml *setting = find_setting(recipe, target->name);
    *n = 0;
    if (!setting) {
        metrics[(*n)++] = train_metric_find(train_metric_default(target->kind));
        return TRUCE_OK;
    }
    if (setting->kind == IO_YAML_SCALAR) return add_metric(context, target, setting, metrics, n);
    for (int i = 0; i < setting->n_items; i++)
        BASE_TRY(add_metric(context, target, setting->items[i], metrics, n));
    return TRUCE_OK;
}

static truce_status list_metrics(truce_trainer *t, base_text *out) {
    for (int i = 0; i < t->model->n_tasks; i++) {
        const train_metric *metrics[TRUCE_MAX_METRICS];
        int n = 0;
        BASE_TRY(train_counted_metrics(t->context, t->recipe, t->model->tasks[i].info, metrics, &n));
        for (int k = 0; k < n; k++)
            base_text_add(t->context, out, "%s\t%s\t%d\n", t->model->tasks[i].info->name, metrics[k]->name,
                          metrics[k]->higher_is_better);
    }
    return out->status;
}

static void describe_model(truce_trainer *t, base_text *out) {
    int64_t n_shared = 0, n = truce_parameters_trained(t->parameters, &n_shared);
    base_text_add(t->context, out, "%s over %s; shared: %lld of %lld parameters", t->model->architecture,
                  t->model->trunk, (long long)n_shared, (long long)n);
}

truce_status train_record_notes(truce_trainer *t, const data_source *source, io_store *store, int64_t run) {
    base_text metrics = {0}, about_model = {0}, about_data = {0};
    truce_status status = list_metrics(t, &metrics);
    describe_model(t, &about_model);
    if (source) data_source_describe(source, &about_data);
    if (!status) status = about_model.status ? about_model.status : about_data.status;
    if (!status) status = io_store_add_note(store, run, "metrics", base_text_get(&metrics));
    if (!status) status = io_store_add_note(store, run, "model", base_text_get(&about_model));
    if (!status && source) status = io_store_add_note(store, run, "data", base_text_get(&about_data));
    base_text_free(t->context, &about_data);
    base_text_free(t->context, &about_model);
    base_text_free(t->context, &metrics);
    return status;
}
