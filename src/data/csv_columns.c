/*
 * Which column is what: target, input, group, or nothing; and what kind of value it holds, which decides how
 * it is loaded and encoded.
 */
#include "data/csv_work.h"

#include <stdio.h>
#include <string.h>

static truce_status require_column(const data_csv_work *work, const base_names *names, const char *what,
                                   const char *column) {
    if (base_names_find(names, column) >= 0) return TRUCE_OK;
    return base_fail_name(work->context, what, column, base_name_of_names, names, (int)names->n);
}

/* Every name in a list must be a column, and every pattern must match one. */
static truce_status check_list(const data_csv_work *work, const base_names *names, const char *key,
                               const data_texts *list) {
    char what[64];
    snprintf(what, sizeof what, "'%s': column", key);
    for (int i = 0; i < list->n; i++) {
        bool found = false;
        for (size_t c = 0; c < names->n && !found; c++) found = data_matches(list->items[i], names->names[c]);
        if (found) continue;
        if (data_is_pattern(list->items[i]))
            base_fail(work->context, TRUCE_ERROR_NAME, "'%s': '%s' matches no column", key, list->items[i]);
        else
            require_column(work, names, what, list->items[i]);
        return data_csv_fail(work, key, TRUCE_ERROR_NAME);
    }
    return TRUCE_OK;
}

static bool in_list(const data_texts *list, const char *name) {
    for (int i = 0; i < list->n; i++)
        if (data_matches(list->items[i], name)) return true;
    return false;
}

static const data_task *task_of_column(const data_recipe *recipe, const char *column) {
    for (int i = 0; i < recipe->n_tasks; i++)
        if (strcmp(recipe->tasks[i].target, column) == 0) return &recipe->tasks[i];
    return NULL;
}

static truce_status check_tasks(data_csv_work *work, const base_names *names) {
    data_recipe *recipe = work->recipe;
    if (recipe->n_tasks == 0)
        return io_yaml_fail(work->context, recipe->data, TRUCE_ERROR_FORMAT,
                            "the recipe has no 'tasks'; each needs a column of the file");
    BASE_TRY(data_recipe_expand(recipe, names));
    for (int i = 0; i < recipe->n_tasks; i++) {
        char what[256];
        snprintf(what, sizeof what, "task '%.64s': column", recipe->tasks[i].name);
        truce_status status = require_column(work, names, what, recipe->tasks[i].target);
        if (status) return io_yaml_fail_at(work->context, &recipe->tasks[i].at, status);
    }
    return TRUCE_OK;
}

/* A group's name tells nothing of a group that was never seen, so it is an input only if asked for by name.
 */
static bool is_input(const data_csv_work *work, const char *column) {
    bool group =
        work->settings.common.rule == TRUCE_SPLIT_GROUPED && work->key && strcmp(work->key, column) == 0;
    if (in_list(&work->exclude, column)) return false;
    if (work->has_inputs && data_texts_hold(&work->inputs, column)) return true;
    if (work->has_inputs && !in_list(&work->inputs, column)) return false;
    return !group && !task_of_column(work->recipe, column);
}

static truce_status choose_inputs(data_csv_work *work, const base_names *names) {
    int n = 0;
    BASE_TRY(check_list(work, names, "exclude", &work->exclude));
    BASE_TRY(check_list(work, names, "inputs", &work->inputs));
    BASE_TRY(check_list(work, names, "categorical", &work->categorical));
    BASE_TRY(base_alloc(work->context, names->n, sizeof *work->is_input, &work->is_input));
    for (size_t c = 0; c < names->n; c++) {
        const data_task *task = task_of_column(work->recipe, names->names[c]);
        work->is_input[c] = is_input(work, names->names[c]);
        n += work->is_input[c];
        if (!work->is_input[c] || !task) continue;
        base_fail(work->context, TRUCE_ERROR_ARGUMENT, "column '%s' is an input and the target of task '%s'",
                  names->names[c], task->name);
        return data_csv_fail(work, "inputs", TRUCE_ERROR_ARGUMENT);
    }
    if (n) return TRUCE_OK;
    return io_yaml_fail(work->context, work->recipe->data, TRUCE_ERROR_ARGUMENT,
                        "no column is left to be an input: all are targets or excluded");
}

/* split_by may name a column, or a task, whose column is then meant. */
static truce_status choose_key(data_csv_work *work, const base_names *names) {
    const char *by = work->settings.common.split_by;
    if (work->settings.common.rule == TRUCE_SPLIT_RANDOM || !by) return TRUCE_OK;
    work->key = by;
    if (base_names_find(names, by) >= 0) return TRUCE_OK;
    for (int i = 0; i < work->recipe->n_tasks; i++)
        if (strcmp(work->recipe->tasks[i].name, by) == 0) work->key = work->recipe->tasks[i].target;
    truce_status status = require_column(work, names, "'split_by': column", work->key);
    return status ? data_csv_fail(work, "split_by", status) : TRUCE_OK;
}

/* Called by the survey once the header of the first file is known. */
static truce_status choose_columns(void *user, const base_names *names, bool *wants) {
    data_csv_work *work = user;
    BASE_TRY(check_tasks(work, names));
    BASE_TRY(choose_key(work, names));
    BASE_TRY(choose_inputs(work, names));
    for (size_t c = 0; c < names->n; c++)
        wants[c] = work->is_input[c] || task_of_column(work->recipe, names->names[c]);
    return TRUCE_OK;
}

truce_status data_csv_survey(data_csv_work *work) {
    return data_table_survey(work->context, &work->dialect, &work->train.files, choose_columns, work,
                             &work->survey);
}

/* What the columns hold. */

static truce_status copy_text(data_encoding *encoding, const char *text, const char **out) {
    return base_pool_text(encoding->context, &encoding->pool, text, strlen(text), out);
}

static truce_status describe_feature(data_csv_work *work, size_t column, data_feature *feature) {
    const char *name = work->survey.names.names[column];
    const data_summary *summary = &work->survey.columns[column];
    feature->category =
        work->has_categorical ? in_list(&work->categorical, name) : data_summary_is_text(summary);
    feature->by_number = summary->n_texts == 0;
    return copy_text(work->encoding, name, &feature->name);
}

static truce_status copy_positive(data_csv_work *work, const data_task *task, data_label *label) {
    for (int i = 0; i < task->positive.n; i++) {
        char room[BASE_REAL_BYTES];
        const char *text = task->positive.items[i];
        int64_t index;
        BASE_TRY(base_names_add(work->context, &label->positive,
                                label->by_number ? data_one_writing(text, room) : text, &index));
    }
    return TRUCE_OK;
}

static truce_status describe_label(data_csv_work *work, const data_task *task, data_label *label) {
    int64_t column = base_names_find(&work->survey.names, task->target);
    const data_summary *summary = &work->survey.columns[column];
    label->kind = data_choose_kind(work->context, task, summary);
    label->by_number = summary->n_texts == 0;
    BASE_TRY(copy_positive(work, task, label));
    BASE_TRY(copy_text(work->encoding, task->name, &label->name));
    return copy_text(work->encoding, task->target, &label->column);
}

static truce_status copy_dialect(data_csv_work *work) {
    data_encoding *encoding = work->encoding;
    data_texts *missing = &encoding->missing;
    encoding->is_table = true;
    encoding->has_header = !work->dialect.names;
    encoding->delimiter = work->dialect.delimiter;
    encoding->impute = work->settings.own.impute;
    encoding->unseen = work->settings.own.unseen;
    encoding->embed = work->categories.embed;
    for (size_t i = 0; i < work->survey.names.n; i++) {
        int64_t index;
        BASE_TRY(base_names_add(work->context, &encoding->file_columns, work->survey.names.names[i], &index));
    }
    BASE_TRY(base_pool_alloc(work->context, &encoding->pool, (size_t)work->dialect.missing.n,
                             sizeof *missing->items, &missing->items));
    for (; missing->n < work->dialect.missing.n; missing->n++)
        BASE_TRY(copy_text(encoding, work->dialect.missing.items[missing->n], &missing->items[missing->n]));
    return TRUCE_OK;
}

truce_status data_csv_describe(data_csv_work *work) {
    int n_inputs = 0, n = 0;
    for (size_t c = 0; c < work->survey.names.n; c++) n_inputs += work->is_input[c];
    BASE_TRY(data_encoding_create(work->context, n_inputs, 0, work->recipe->n_tasks, &work->encoding));
    BASE_TRY(copy_dialect(work));
    for (size_t c = 0; c < work->survey.names.n; c++)
        if (work->is_input[c]) BASE_TRY(describe_feature(work, c, &work->encoding->features[n++]));
    for (int i = 0; i < work->recipe->n_tasks; i++)
        BASE_TRY(describe_label(work, &work->recipe->tasks[i], &work->encoding->labels[i]));
    return TRUCE_OK;
}
