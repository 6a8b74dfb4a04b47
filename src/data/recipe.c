/*
 * Reading a recipe's `data:` and `tasks:`. What the keys of one format mean is read where that format is;
 * here is what all share: the common settings, lists of texts, shares, files, and tasks, whose names may be
 * patterns that are replaced once it is known what there is to match.
 */
#include "data/recipe.h"

#include "data/number.h"
#include "io/stream.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FIELD(name) offsetof(data_common, name)

static const truce_option common_rows[] = {
    {"format", TRUCE_OPTION_CHOICE, "auto", "auto|csv|npy|idx|glyphs|tabular|digit_pairs", 0, 0,
     "what the files hold, or what generates the data", FIELD(format)},
    {"folder", TRUCE_OPTION_TEXT, NULL, NULL, 0, 0, "folder of the files in $TRUCE_DATA", FIELD(folder)},
    {"split", TRUCE_OPTION_CHOICE, "random", "random|stratified|grouped", 0, 0,
     "how rows are divided where validation or test is a share", FIELD(rule)},
    {"split_by", TRUCE_OPTION_TEXT, NULL, NULL, 0, 0, "column (or task) that strata or groups are made by",
     FIELD(split_by)},
    {"split_seed", TRUCE_OPTION_INTEGER, "0", NULL, 0, 0, "seed of the division", FIELD(split_seed)},
    {"standardise", TRUCE_OPTION_SWITCH, "true", NULL, 0, 0, "numeric inputs to mean 0 and deviation 1",
     FIELD(standardise)},
};

bool data_texts_hold(const data_texts *texts, const char *text) {
    for (int i = 0; i < texts->n; i++)
        if (strcmp(texts->items[i], text) == 0) return true;
    return false;
}

/* Goes back to the last `*` where the rest does not fit, which is enough for the leftmost match to be found.
 */
bool data_matches(const char *pattern, const char *name) {
    const char *star = NULL, *resume = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return *pattern == 0;
}

bool data_is_pattern(const char *text) {
    return strchr(text, '*') != NULL;
}

truce_status data_recipe_texts(data_recipe *recipe, const io_yaml *map, const char *key, data_texts *out) {
    const io_yaml *value = io_yaml_get(map, key);
    data_texts texts = {0};
    if (!value) {
        *out = texts;
        return TRUCE_OK;
    }
    texts.n = value->kind == IO_YAML_LIST ? value->n_items : 1;
    BASE_TRY(
        base_pool_alloc(recipe->context, &recipe->pool, (size_t)texts.n, sizeof *texts.items, &texts.items));
    for (int i = 0; i < texts.n; i++) {
        const io_yaml *item = value->kind == IO_YAML_LIST ? value->items[i] : value;
        if (item->kind != IO_YAML_SCALAR)
            return io_yaml_fail(recipe->context, item, TRUCE_ERROR_TYPE,
                                "'%s' takes a text or a list of texts", key);
        texts.items[i] = item->text;
    }
    *out = texts;
    return TRUCE_OK;
}

/* Merged tables: what is misspelt in one is looked for in both. */
truce_status data_recipe_options(data_recipe *recipe, const base_options *own, void *values, void *own_values,
                                 const char *const *others) {
    truce_option rows[DATA_MOST_OPTIONS];
    int n_common = (int)BASE_COUNT(common_rows), n = n_common;
    size_t shift = (size_t)((char *)own_values - (char *)values);
    assert(n_common + own->n <= DATA_MOST_OPTIONS);
    memcpy(rows, common_rows, sizeof common_rows);
    for (int i = 0; i < own->n; i++, n++) {
        rows[n] = own->rows[i];
        rows[n].offset += shift;
    }
    base_options merged = {"section 'data'", rows, n};
    return io_yaml_options(recipe->context, recipe->data, &merged, others, values);
}

truce_status data_recipe_portion(data_recipe *recipe, const char *key, data_portion *out) {
    data_portion portion = {.at = io_yaml_get(recipe->data, key)};
    bool single = portion.at && portion.at->kind == IO_YAML_SCALAR;
    if (single && data_parse_number(portion.at->text, &portion.share)) {
        if (portion.share < 0 || portion.share >= 1)
            return io_yaml_fail(recipe->context, portion.at, TRUCE_ERROR_RANGE,
                                "'%s' as a share of the rows must be at least 0 and below 1, but is %s", key,
                                portion.at->text);
    } else {
        BASE_TRY(data_recipe_texts(recipe, recipe->data, key, &portion.files));
    }
    *out = portion;
    return TRUCE_OK;
}

truce_status data_recipe_share(data_recipe *recipe, const char *key, double *out) {
    data_portion portion = {0};
    BASE_TRY(data_recipe_portion(recipe, key, &portion));
    if (portion.files.n)
        return io_yaml_fail(recipe->context, portion.at, TRUCE_ERROR_TYPE,
                            "'%s' takes a share of the rows here, such as 0.1, not a file", key);
    *out = portion.share;
    return TRUCE_OK;
}

truce_status data_recipe_find(data_recipe *recipe, const io_yaml *at, const char *file, const char **out) {
    char *path = NULL;
    truce_status status = data_find_file(recipe->context, &recipe->places, file, &path);
    if (status) return at ? io_yaml_fail_at(recipe->context, at, status) : status;
    status = base_pool_text(recipe->context, &recipe->pool, path, strlen(path), out);
    base_free(recipe->context, path);
    return status;
}

/* Tasks. */

#define TASK_FIELD(name) offsetof(data_task, name)

static const truce_option task_rows[] = {
    {"type", TRUCE_OPTION_CHOICE, "auto", "auto|regression|binary|classes", 0, 0, "kind of target",
     TASK_FIELD(type)},
    {"target", TRUCE_OPTION_TEXT, NULL, NULL, 0, 0,
     "column, array or generated target; default: the task's name", TASK_FIELD(target)},
    {"test_target", TRUCE_OPTION_TEXT, NULL, NULL, 0, 0, "array with the target of test rows",
     TASK_FIELD(test_target)},
    {"validation_target", TRUCE_OPTION_TEXT, NULL, NULL, 0, 0, "array with the target of validation rows",
     TASK_FIELD(validation_target)},
    {"column", TRUCE_OPTION_INTEGER, "-1", NULL, -1, 1e9, "column of an array with several, from 0",
     TASK_FIELD(column)},
    {"standardise", TRUCE_OPTION_SWITCH, "true", NULL, 0, 0, "a regression target to mean 0 and deviation 1",
     TASK_FIELD(standardise)},
};

#define MOST_TASK_KEYS 64

/* Keys of a task that the table does not know: our own `positive`, and the caller's. */
static void list_other_keys(const char *const *others, const char *keys[MOST_TASK_KEYS]) {
    int n = 0;
    keys[n++] = "positive";
    for (; others && *others; others++) {
        assert(n < MOST_TASK_KEYS - 1);
        keys[n++] = *others;
    }
    keys[n] = NULL;
}

static truce_status read_task(data_recipe *recipe, const io_yaml *value, const char *const *keys,
                              data_task *task) {
    char owner[128];
    snprintf(owner, sizeof owner, "task '%.64s'", task->name);
    const base_options options = {owner, task_rows, BASE_COUNT(task_rows)};
    BASE_TRY(io_yaml_options(recipe->context, value, &options, keys, task));
    BASE_TRY(data_recipe_texts(recipe, value, "positive", &task->positive));
    if (task->target && data_is_pattern(task->name))
        return io_yaml_fail(recipe->context, &task->at, TRUCE_ERROR_ARGUMENT,
                            "task '%s' stands for every column that it matches; it cannot have one 'target'",
                            task->name);
    if (!task->target) task->target = task->name;
    if (task->positive.n && task->type == DATA_TASK_AUTO) task->type = DATA_TASK_BINARY;
    if (task->positive.n && task->type != DATA_TASK_BINARY)
        return io_yaml_fail(recipe->context, &task->at, TRUCE_ERROR_ARGUMENT,
                            "task '%s': 'positive' belongs to tasks of type binary", task->name);
    return TRUCE_OK;
}

static truce_status read_task_map(data_recipe *recipe, const io_yaml *tasks, const char *const *keys) {
    for (int i = 0; i < tasks->n_items; i++) {
        data_task *task = &recipe->tasks[i];
        task->name = tasks->keys[i];
        task->at = (io_yaml){.file = tasks->file, .line = tasks->key_lines[i]};
        BASE_TRY(read_task(recipe, io_yaml_get(tasks, tasks->keys[i]), keys, task));
    }
    return TRUCE_OK;
}

/* `tasks: [left, right]`: names alone. */
static truce_status read_task_list(data_recipe *recipe, const io_yaml *tasks, const char *const *keys) {
    for (int i = 0; i < tasks->n_items; i++) {
        data_task *task = &recipe->tasks[i];
        if (tasks->items[i]->kind != IO_YAML_SCALAR)
            return io_yaml_fail(recipe->context, tasks->items[i], TRUCE_ERROR_TYPE,
                                "'tasks' takes a map of tasks, or a list of their names");
        task->name = tasks->items[i]->text;
        task->at = *tasks->items[i];
        for (int k = 0; k < i; k++)
            if (strcmp(recipe->tasks[k].name, task->name) == 0)
                return io_yaml_fail(recipe->context, tasks->items[i], TRUCE_ERROR_NAME,
                                    "task '%s' is listed twice", task->name);
        BASE_TRY(read_task(recipe, NULL, keys, task));
    }
    return TRUCE_OK;
}

static truce_status read_tasks(data_recipe *recipe, const io_yaml *tasks, const char *const *other_keys) {
    const char *keys[MOST_TASK_KEYS];
    if (!tasks) return TRUCE_OK;
    if (tasks->kind == IO_YAML_SCALAR)
        return io_yaml_fail(recipe->context, tasks, TRUCE_ERROR_TYPE,
                            "'tasks' takes a map of tasks, or a list of their names");
    list_other_keys(other_keys, keys);
    BASE_TRY(base_pool_alloc(recipe->context, &recipe->pool, (size_t)tasks->n_items, sizeof *recipe->tasks,
                             &recipe->tasks));
    recipe->n_tasks = tasks->n_items;
    return tasks->kind == IO_YAML_MAP ? read_task_map(recipe, tasks, keys)
                                      : read_task_list(recipe, tasks, keys);
}

truce_status data_recipe_read(truce_context *context, const data_request *request, data_recipe *out) {
    const io_yaml *root = request->recipe, *name = io_yaml_get(root, "name");
    const io_yaml *data = io_yaml_get(root, "data"), *folder = io_yaml_get(data, "folder");
    *out =
        (data_recipe){.context = context, .name = name && name->kind == IO_YAML_SCALAR ? name->text : "data"};
    if (!data) return io_yaml_fail(context, root, TRUCE_ERROR_FORMAT, "the recipe has no section 'data'");
    if (data->kind != IO_YAML_MAP)
        return io_yaml_fail(context, data, TRUCE_ERROR_TYPE, "section 'data' takes a map (key: value)");
    out->data = data;
    out->places.recipe = request->path;
    if (folder && folder->kind == IO_YAML_SCALAR)
        out->places.folder = folder->text;
    else if (name)
        out->places.folder = out->name;
    return read_tasks(out, io_yaml_get(root, "tasks"), request->other_task_keys);
}

void data_recipe_free(data_recipe *recipe) {
    base_pool_free(recipe->context, &recipe->pool);
}

/* The format that a file's name suggests. */
static data_format format_of_file(const char *file) {
    if (io_ends_with(file, ".npy") || io_ends_with(file, ".npy.gz")) return DATA_FORMAT_NPY;
    if (strstr(file, "-ubyte") || strstr(file, ".idx")) return DATA_FORMAT_IDX;
    return DATA_FORMAT_CSV;
}

truce_status data_recipe_format(data_recipe *recipe, data_format *out) {
    truce_context *context = recipe->context;
    const io_yaml *format = io_yaml_get(recipe->data, "format"), *train = io_yaml_get(recipe->data, "train");
    const io_yaml *images = io_yaml_get(recipe->data, "images"),
                  *inputs = io_yaml_get(recipe->data, "inputs");
    data_common common = {0};
    const base_options options = {"section 'data'", common_rows, BASE_COUNT(common_rows)};
    if (format && format->kind == IO_YAML_SCALAR) {
        truce_status status = base_option_set(context, &options, &common, "format", format->text);
        if (status) return io_yaml_fail_at(context, format, status);
    }
    const io_yaml *file = train ? train : images ? images : inputs;
    while (file && file->kind != IO_YAML_SCALAR) file = file->n_items ? file->items[0] : NULL;
    if (common.format == DATA_FORMAT_AUTO && !file)
        return io_yaml_fail(context, recipe->data, TRUCE_ERROR_FORMAT,
                            "section 'data' names no files: say which with 'train', 'inputs' or 'images', or "
                            "what generates the data with 'format'");
    *out = common.format != DATA_FORMAT_AUTO ? (data_format)common.format : format_of_file(file->text);
    return TRUCE_OK;
}

/* Expanding. */

/* Whether a task has that name, or that target under another name. */
static bool has_task(const data_recipe *recipe, const data_task *tasks, int n, const char *name) {
    for (int i = 0; i < recipe->n_tasks; i++)
        if (strcmp(recipe->tasks[i].name, name) == 0 || strcmp(recipe->tasks[i].target, name) == 0)
            return true;
    for (int i = 0; i < n; i++)
        if (strcmp(tasks[i].name, name) == 0) return true;
    return false;
}

/* Appends the tasks that a pattern stands for. */
static truce_status expand_task(data_recipe *recipe, const data_task *pattern, const base_names *names,
                                data_task *tasks, int *n_tasks) {
    int before = *n_tasks;
    for (size_t i = 0; i < names->n; i++) {
        const char *name = names->names[i];
        if (!data_matches(pattern->name, name) || has_task(recipe, tasks, *n_tasks, name)) continue;
        data_task *task = &tasks[(*n_tasks)++];
        *task = *pattern;
        BASE_TRY(base_pool_text(recipe->context, &recipe->pool, name, strlen(name), &task->name));
        task->target = task->name;
    }
    if (*n_tasks > before) return TRUCE_OK;
    return io_yaml_fail(recipe->context, &pattern->at, TRUCE_ERROR_NAME,
                        "task '%s' matches nothing that is there", pattern->name);
}

truce_status data_recipe_expand(data_recipe *recipe, const base_names *names) {
    data_task *tasks = NULL;
    int n = 0;
    BASE_TRY(base_pool_alloc(recipe->context, &recipe->pool, (size_t)recipe->n_tasks + names->n,
                             sizeof *tasks, &tasks));
    for (int i = 0; i < recipe->n_tasks; i++) {
        if (data_is_pattern(recipe->tasks[i].name))
            BASE_TRY(expand_task(recipe, &recipe->tasks[i], names, tasks, &n));
        else
            tasks[n++] = recipe->tasks[i];
    }
    recipe->tasks = tasks;
    recipe->n_tasks = n;
    return TRUCE_OK;
}
