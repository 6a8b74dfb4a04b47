/* What a recipe says of arrays, and where their files are. */
#include "data/array_work.h"
#include "data/number.h"

#include <stdio.h>
#include <string.h>

static const truce_option own_rows[] = {
    {"unseen", TRUCE_OPTION_CHOICE, "error", "error|missing", 0, 0,
     "what to do about classes that training rows do not hold", offsetof(data_array_own, unseen)},
};
static const base_options own_options = {"section 'data'", own_rows, BASE_COUNT(own_rows)};

static const char *const npy_keys[] = {"inputs", "validation_inputs", "test_inputs", "validation",
                                       "test",   "missing",           NULL};
static const char *const idx_keys[] = {"images",      "labels",      "validation_images", "validation_labels",
                                       "test_images", "test_labels", "validation",        "test",
                                       "missing",     NULL};
static const char *const prefixes[TRUCE_N_SPLITS] = {"", "validation_", "test_"};

static const io_yaml *get_prefixed(const data_array_work *work, int split, const char *key) {
    char name[64];
    snprintf(name, sizeof name, "%s%s", prefixes[split], key);
    return io_yaml_get(work->recipe->data, name);
}

static truce_status find_path(data_array_work *work, const io_yaml *at, const char *key, const char **out) {
    if (at->kind != IO_YAML_SCALAR)
        return io_yaml_fail(work->context, at, TRUCE_ERROR_TYPE, "'%s' takes the name of a file", key);
    return data_recipe_find(work->recipe, at, at->text, out);
}

static truce_status read_missing(data_array_work *work) {
    data_texts texts = {0};
    BASE_TRY(data_recipe_texts(work->recipe, work->recipe->data, "missing", &texts));
    for (int i = 0; i < texts.n; i++) {
        if (work->n_missing == DATA_FEW ||
            !data_parse_number(texts.items[i], &work->missing[work->n_missing]))
            return io_yaml_fail(work->context, io_yaml_get(work->recipe->data, "missing"), TRUCE_ERROR_TYPE,
                                "'missing' takes at most %d numbers here, not '%s'", DATA_FEW,
                                texts.items[i]);
        work->n_missing++;
    }
    return TRUCE_OK;
}

static truce_status read_settings(data_array_work *work, const char *const *keys) {
    BASE_TRY(data_recipe_options(work->recipe, &own_options, &work->settings, &work->settings.own, keys));
    BASE_TRY(data_recipe_share(work->recipe, "validation", &work->validation));
    BASE_TRY(data_recipe_share(work->recipe, "test", &work->test));
    return read_missing(work);
}

static truce_status alloc_lists(data_array_work *work, int n_inputs, int n_labels) {
    base_pool *pool = &work->recipe->pool;
    BASE_TRY(base_pool_alloc(work->context, pool, (size_t)n_inputs, sizeof *work->inputs, &work->inputs));
    BASE_TRY(base_pool_alloc(work->context, pool, (size_t)n_labels, sizeof *work->labels, &work->labels));
    for (int i = 0; i < n_labels; i++) work->labels[i].table.context = work->context;
    work->n_inputs = n_inputs;
    work->n_labels = n_labels;
    return TRUCE_OK;
}

/* The file of input i in `inputs: file` (then called x) or `inputs: {name: file}`. */
static const io_yaml *input_at(const io_yaml *inputs, int i) {
    return inputs->kind == IO_YAML_MAP ? inputs->items[i] : inputs;
}

static truce_status find_input_files(data_array_work *work, const io_yaml *inputs) {
    for (int i = 0; i < work->n_inputs; i++) {
        data_array_files *files = &work->inputs[i];
        files->name = inputs->kind == IO_YAML_MAP ? inputs->keys[i] : "x";
        BASE_TRY(find_path(work, input_at(inputs, i), "inputs", &files->paths[TRUCE_TRAIN]));
        for (int split = TRUCE_VALIDATION; split < TRUCE_N_SPLITS; split++) {
            const io_yaml *part = get_prefixed(work, split, "inputs");
            const io_yaml *at = part && part->kind == IO_YAML_MAP ? io_yaml_get(part, files->name) : part;
            if (part && !at)
                return io_yaml_fail(work->context, part, TRUCE_ERROR_NAME, "input '%s' has no file here",
                                    files->name);
            if (at) BASE_TRY(find_path(work, at, "inputs", &files->paths[split]));
        }
    }
    return TRUCE_OK;
}

/* `target: y.npy`; by default the file has the task's name. */
static truce_status find_target_files(data_array_work *work, data_array_label *label) {
    const data_task *task = label->task;
    const char *targets[TRUCE_N_SPLITS] = {task->target, task->validation_target, task->test_target};
    char file[256];
    if (task->target == task->name) {
        snprintf(file, sizeof file, "%s.npy", task->name);
        targets[TRUCE_TRAIN] = file;
    }
    label->files.name = task->name;
    for (int split = 0; split < TRUCE_N_SPLITS; split++) {
        if (!targets[split] != !work->inputs[0].paths[split])
            return io_yaml_fail(work->context, &task->at, TRUCE_ERROR_ARGUMENT,
                                "task '%s' and the inputs must both have %starget and %sinputs, or neither",
                                task->name, prefixes[split], prefixes[split]);
        if (targets[split])
            BASE_TRY(data_recipe_find(work->recipe, &task->at, targets[split], &label->files.paths[split]));
    }
    return TRUCE_OK;
}

static truce_status read_npy(data_array_work *work) {
    data_recipe *recipe = work->recipe;
    const io_yaml *inputs = io_yaml_get(recipe->data, "inputs");
    BASE_TRY(read_settings(work, npy_keys));
    if (!inputs || inputs->kind == IO_YAML_LIST)
        return io_yaml_fail(work->context, inputs ? inputs : recipe->data, TRUCE_ERROR_FORMAT,
                            "'inputs' takes a file, or a map of names and files");
    if (recipe->n_tasks == 0)
        return io_yaml_fail(work->context, recipe->data, TRUCE_ERROR_FORMAT,
                            "the recipe has no 'tasks'; each needs an array of targets");
    BASE_TRY(alloc_lists(work, inputs->kind == IO_YAML_MAP ? inputs->n_items : 1, recipe->n_tasks));
    BASE_TRY(find_input_files(work, inputs));
    for (int i = 0; i < recipe->n_tasks; i++) {
        work->labels[i].task = &recipe->tasks[i];
        if (data_is_pattern(recipe->tasks[i].name))
            return io_yaml_fail(work->context, &recipe->tasks[i].at, TRUCE_ERROR_ARGUMENT,
                                "task '%s': a pattern does not name an array", recipe->tasks[i].name);
        BASE_TRY(find_target_files(work, &work->labels[i]));
    }
    return TRUCE_OK;
}

static truce_status find_idx_files(data_array_work *work, const char *key, data_array_files *files) {
    for (int split = 0; split < TRUCE_N_SPLITS; split++) {
        const io_yaml *at = get_prefixed(work, split, key);
        if (at) BASE_TRY(find_path(work, at, key, &files->paths[split]));
    }
    return TRUCE_OK;
}

/* What a task is called and asked for where the recipe says nothing. */
static truce_status make_default_task(data_array_work *work, const data_task **out) {
    data_task *task = NULL;
    BASE_TRY(base_pool_alloc(work->context, &work->recipe->pool, 1, sizeof *task, &task));
    *task = (data_task){.name = "label", .target = "labels", .column = -1, .type = DATA_TASK_CLASSES};
    task->standardise = 1;
    task->at = *work->recipe->data;
    *out = task;
    return TRUCE_OK;
}

static truce_status read_idx(data_array_work *work) {
    data_recipe *recipe = work->recipe;
    BASE_TRY(read_settings(work, idx_keys));
    BASE_TRY(alloc_lists(work, 1, 1));
    if (recipe->n_tasks > 1)
        return io_yaml_fail(work->context, &recipe->tasks[1].at, TRUCE_ERROR_ARGUMENT,
                            "IDX files hold the labels of one task only");
    work->labels[0].task = recipe->tasks;
    if (recipe->n_tasks && recipe->tasks[0].type == DATA_TASK_AUTO) recipe->tasks[0].type = DATA_TASK_CLASSES;
    if (recipe->n_tasks == 0) BASE_TRY(make_default_task(work, &work->labels[0].task));
    work->inputs[0].name = "image";
    work->labels[0].files.name = work->labels[0].task->name;
    BASE_TRY(find_idx_files(work, "images", &work->inputs[0]));
    BASE_TRY(find_idx_files(work, "labels", &work->labels[0].files));
    for (int split = 0; split < TRUCE_N_SPLITS; split++)
        if (!work->inputs[0].paths[split] != !work->labels[0].files.paths[split] ||
            (split == TRUCE_TRAIN && !work->inputs[0].paths[split]))
            return io_yaml_fail(work->context, recipe->data, TRUCE_ERROR_FORMAT,
                                "IDX files come in pairs: '%simages' and '%slabels'", prefixes[split],
                                prefixes[split]);
    return TRUCE_OK;
}

truce_status data_array_read_settings(data_array_work *work, data_format format) {
    return format == DATA_FORMAT_NPY ? read_npy(work) : read_idx(work);
}
