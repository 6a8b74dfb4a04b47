/*
 * Generated data from a recipe: the generator's settings are keys of `data:`, and `tasks:` selects among the
 * targets that it makes.
 */
#include "data/arrays.h"
#include "data/generators.h"
#include "data/source.h"

#include <stdio.h>
#include <string.h>

typedef struct settings {
    data_common common;
    union {
        truce_glyphs_config glyphs;
        truce_tabular_config tabular;
        truce_digit_pairs_config digit_pairs;
    } own;
} settings;

typedef struct generated_work {
    data_recipe *recipe;
    truce_context *context;
    settings settings;
    double validation;       /* share */
    io_array images, labels; /* of digit pairs */
    data_encoding *encoding;
    truce_dataset *dataset;
} generated_work;

static const char *const glyph_keys[] = {"validation", NULL};
static const char *const pair_keys[] = {"validation", "images", "labels", NULL};

static truce_status read_settings(generated_work *work, const base_options *options,
                                  const char *const *keys) {
    BASE_TRY(data_recipe_options(work->recipe, options, &work->settings, &work->settings.own, keys));
    return data_recipe_share(work->recipe, "validation", &work->validation);
}

/* Puts the line of the section before a generator's complaint. */
static truce_status at_section(const generated_work *work, truce_status status) {
    return status ? io_yaml_fail_at(work->context, work->recipe->data, status) : TRUCE_OK;
}

/* Digit pairs are made of two files. */

static truce_status read_bytes(generated_work *work, const char *key, io_array *out) {
    const io_yaml *at = io_yaml_get(work->recipe->data, key);
    const char *path = NULL;
    if (!at || at->kind != IO_YAML_SCALAR)
        return io_yaml_fail(work->context, at ? at : work->recipe->data, TRUCE_ERROR_FORMAT,
                            "digit_pairs needs '%s', the name of a file", key);
    BASE_TRY(data_recipe_find(work->recipe, at, at->text, &path));
    BASE_TRY(data_array_read(work->context, path, out));
    if (out->kind == IO_ARRAY_U8) return TRUCE_OK;
    return io_yaml_fail(work->context, at, TRUCE_ERROR_TYPE, "'%s': %s does not hold bytes", key, path);
}

static truce_status read_digits(generated_work *work) {
    BASE_TRY(read_bytes(work, "images", &work->images));
    BASE_TRY(read_bytes(work, "labels", &work->labels));
    const truce_shape *images = &work->images.shape, *labels = &work->labels.shape;
    char shape[DATA_SHAPE_BYTES];
    data_format_shape(images, shape);
    if (images->n_dims != 3 || images->dims[1] != 28 || images->dims[2] != 28)
        return io_yaml_fail(work->context, io_yaml_get(work->recipe->data, "images"), TRUCE_ERROR_SHAPE,
                            "digit_pairs takes images of 28 x 28, but these are %s", shape);
    if (labels->n_dims != 1 || labels->dims[0] != images->dims[0])
        return io_yaml_fail(work->context, io_yaml_get(work->recipe->data, "labels"), TRUCE_ERROR_SHAPE,
                            "there are %lld images, but %lld labels", (long long)images->dims[0],
                            (long long)truce_shape_size(labels));
    return TRUCE_OK;
}

static truce_status make_digit_pairs(generated_work *work) {
    truce_digit_pairs_config *config = &work->settings.own.digit_pairs;
    BASE_TRY(read_settings(work, &data_digit_pairs_options, pair_keys));
    BASE_TRY(read_digits(work));
    config->images = work->images.values;
    config->labels = work->labels.values;
    config->n_images = work->images.shape.dims[0];
    return at_section(work, truce_digit_pairs_create(work->context, config, &work->dataset));
}

static truce_status make(generated_work *work, data_format format) {
    switch (format) {
    case DATA_FORMAT_GLYPHS:
        BASE_TRY(read_settings(work, &data_glyphs_options, glyph_keys));
        return at_section(work,
                          truce_glyphs_create(work->context, &work->settings.own.glyphs, &work->dataset));
    case DATA_FORMAT_TABULAR:
        BASE_TRY(read_settings(work, &data_tabular_options, glyph_keys));
        return at_section(work,
                          truce_tabular_create(work->context, &work->settings.own.tabular, &work->dataset));
    default: return make_digit_pairs(work);
    }
}

/* Selecting tasks. */

static truce_status find_target(const generated_work *work, const data_task *task, int *out) {
    static const truce_target_kind kinds[] = {TRUCE_TARGET_REGRESSION, TRUCE_TARGET_REGRESSION,
                                              TRUCE_TARGET_BINARY,
                                              TRUCE_TARGET_CLASSES}; /* by data_task_type */
    int i = truce_dataset_find_target(work->dataset, task->target);
    *out = i;
    if (i < 0) return TRUCE_OK;
    truce_target_kind kind = truce_dataset_target(work->dataset, i)->kind;
    if (task->positive.n || (task->type != DATA_TASK_AUTO && kinds[task->type] != kind))
        return io_yaml_fail(work->context, &task->at, TRUCE_ERROR_TYPE,
                            "task '%s': the generated target '%s' is %s", task->name, task->target,
                            data_kind_name(kind));
    return TRUCE_OK;
}

static truce_status fail_target(const generated_work *work, const base_names *names, const data_task *task) {
    char what[256];
    snprintf(what, sizeof what, "task '%.64s': target", task->name);
    truce_status status =
        base_fail_name(work->context, what, task->target, base_name_of_names, names, (int)names->n);
    return io_yaml_fail_at(work->context, &task->at, status);
}

static truce_status select_tasks(generated_work *work, const base_names *names) {
    data_recipe *recipe = work->recipe;
    int *which = NULL;
    const char **new_names = NULL;
    BASE_TRY(data_recipe_expand(recipe, names));
    BASE_TRY(base_pool_alloc(work->context, &recipe->pool, (size_t)recipe->n_tasks, sizeof *which, &which));
    BASE_TRY(base_pool_alloc(work->context, &recipe->pool, (size_t)recipe->n_tasks, sizeof *new_names,
                             &new_names));
    for (int i = 0; i < recipe->n_tasks; i++) {
        const data_task *task = &recipe->tasks[i];
        BASE_TRY(find_target(work, task, &which[i]));
        if (which[i] < 0) return fail_target(work, names, task);
        for (int k = 0; k < i; k++)
            if (which[k] == which[i])
                return io_yaml_fail(work->context, &task->at, TRUCE_ERROR_NAME,
                                    "tasks '%s' and '%s' have the same target", recipe->tasks[k].name,
                                    task->name);
        new_names[i] = task->name;
    }
    return data_select_targets(work->dataset, which, new_names, recipe->n_tasks);
}

static truce_status choose_tasks(generated_work *work) {
    base_names names = {0};
    truce_status status = TRUCE_OK;
    int64_t index;
    if (work->recipe->n_tasks == 0) return TRUCE_OK;
    for (int i = 0; i < truce_dataset_targets(work->dataset) && !status; i++)
        status = base_names_add(work->context, &names, truce_dataset_target(work->dataset, i)->name, &index);
    if (!status) status = select_tasks(work, &names);
    base_names_free(work->context, &names);
    return status;
}

/* Dividing. */

static const data_target *key_target(const generated_work *work) {
    const char *by = work->settings.common.split_by;
    for (size_t i = 0; i < work->dataset->n_targets; i++) {
        const data_target *target = work->dataset->targets[i];
        if (target->about.kind == TRUCE_TARGET_REGRESSION) continue;
        if (!by || strcmp(by, target->about.name) == 0) return target;
    }
    return NULL;
}

static int64_t key_of_row(const data_target *target, int64_t row) {
    if (target->about.kind == TRUCE_TARGET_CLASSES) return ((const int32_t *)target->values)[row];
    float value = ((const float *)target->values)[row];
    return value == value ? (int64_t)value : -1;
}

static truce_status divide_by_task(generated_work *work, truce_split_config *config) {
    const data_target *target = key_target(work);
    int64_t *keys = NULL;
    if (!target)
        return io_yaml_fail(work->context, work->recipe->data, TRUCE_ERROR_NAME,
                            "this split goes by a task with classes; 'split_by' must name one");
    BASE_TRY(base_alloc(work->context, (size_t)work->dataset->n_rows, sizeof *keys, &keys));
    for (int64_t row = 0; row < work->dataset->n_rows; row++) keys[row] = key_of_row(target, row);
    config->keys = keys;
    truce_status status = truce_dataset_divide(work->dataset, config);
    base_free(work->context, keys);
    return at_section(work, status);
}

static truce_status divide(generated_work *work) {
    truce_split_config config = {.validation = work->validation,
                                 .rule = (truce_split_rule)work->settings.common.rule,
                                 .seed = (uint64_t)work->settings.common.split_seed};
    if (config.validation == 0) return TRUCE_OK;
    if (config.rule != TRUCE_SPLIT_RANDOM) return divide_by_task(work, &config);
    return at_section(work, truce_dataset_divide(work->dataset, &config));
}

/* The encoding: what is standardised, and the names of classes. */

static truce_status describe_label(generated_work *work, int i) {
    const data_recipe *recipe = work->recipe;
    const truce_target *target = truce_dataset_target(work->dataset, i);
    data_label *label = &work->encoding->labels[i];
    bool wanted = recipe->n_tasks == 0 || recipe->tasks[i].standardise;
    if (target->kind == TRUCE_TARGET_REGRESSION && wanted)
        BASE_TRY(truce_dataset_standardise_target(work->dataset, i));
    label->kind = target->kind;
    label->by_number = true;
    if (target->kind == TRUCE_TARGET_REGRESSION) label->mean = target->mean, label->scale = target->scale;
    for (int c = 0; c < target->n_classes; c++) {
        char number[16];
        int64_t index;
        snprintf(number, sizeof number, "%d", c);
        BASE_TRY(base_names_add(work->context, &label->classes, number, &index));
    }
    const char *name = target->name;
    BASE_TRY(base_pool_text(work->context, &work->encoding->pool, name, strlen(name), &label->name));
    label->column = label->name;
    return TRUCE_OK;
}

static truce_status describe(generated_work *work) {
    int n_inputs = truce_dataset_inputs(work->dataset), n_labels = truce_dataset_targets(work->dataset);
    BASE_TRY(data_encoding_create(work->context, 0, n_inputs, n_labels, &work->encoding));
    for (int i = 0; i < n_inputs; i++) {
        BASE_TRY(data_describe_array(work->encoding, work->dataset, i));
        if (work->settings.common.standardise)
            BASE_TRY(data_standardise_array(work->encoding, work->dataset, i));
    }
    for (int i = 0; i < n_labels; i++) BASE_TRY(describe_label(work, i));
    return TRUCE_OK;
}

truce_status data_open_generated(data_recipe *recipe, data_format format, data_source *source) {
    generated_work work = {.recipe = recipe, .context = recipe->context};
    truce_status status = make(&work, format);
    if (!status) status = choose_tasks(&work);
    if (!status) status = divide(&work);
    if (!status) status = describe(&work);
    if (status) {
        truce_dataset_destroy(work.dataset);
        data_encoding_destroy(work.encoding);
    } else {
        source->dataset = work.dataset;
        source->encoding = work.encoding;
    }
    io_array_free(recipe->context, &work.images);
    io_array_free(recipe->context, &work.labels);
    return status;
}
