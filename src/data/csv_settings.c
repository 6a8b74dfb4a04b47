/* What a recipe says of CSV files, and where the files are. */
#include "data/csv_work.h"

#include <string.h>

#define OWN(name) offsetof(data_csv_own, name)

static const truce_option own_rows[] = {
    {"delimiter", TRUCE_OPTION_TEXT, NULL, NULL, 0, 0, "one character, or: comma, tab, semicolon, space",
     OWN(delimiter)},
    {"impute", TRUCE_OPTION_CHOICE, "mean", "mean|refuse", 0, 0, "what to do about missing numbers",
     OWN(impute)},
    {"unseen", TRUCE_OPTION_CHOICE, "error", "error|missing", 0, 0,
     "what to do about classes that training rows do not hold", OWN(unseen)},
};
static const base_options own_options = {"section 'data'", own_rows, BASE_COUNT(own_rows)};

static const char *const other_keys[] = {"train",   "validation", "test",        "columns", "missing",
                                         "exclude", "inputs",     "categorical", NULL};

static const truce_option category_rows[] = {
    {"encoding", TRUCE_OPTION_CHOICE, "onehot", "onehot|embedding", 0, 0, "a column for each, or one number",
     offsetof(data_csv_categories, embed)},
    {"max_categories", TRUCE_OPTION_INTEGER, "64", NULL, 1, 1e6, "of one column",
     offsetof(data_csv_categories, max_categories)},
};
static const base_options category_options = {"section 'categorical'", category_rows,
                                              BASE_COUNT(category_rows)};
static const char *const category_keys[] = {"columns", NULL};

truce_status data_csv_fail(const data_csv_work *work, const char *key, truce_status status) {
    const io_yaml *at = io_yaml_get(work->recipe->data, key);
    return io_yaml_fail_at(work->context, at ? at : work->recipe->data, status);
}

static truce_status read_delimiter(data_csv_work *work) {
    static const struct {
        const char *name;
        char delimiter;
    } names[] = {{"comma", ','}, {"tab", '\t'}, {"semicolon", ';'}, {"space", ' '}, {"\\t", '\t'}};
    const char *text = work->settings.own.delimiter;
    if (!text) return TRUCE_OK;
    for (size_t i = 0; i < BASE_COUNT(names); i++)
        if (strcmp(text, names[i].name) == 0) work->dialect.delimiter = names[i].delimiter;
    if (strlen(text) == 1 && !strchr("\"\r\n", *text)) work->dialect.delimiter = *text;
    if (work->dialect.delimiter) return TRUCE_OK;
    base_fail(work->context, TRUCE_ERROR_TYPE,
              "'delimiter' takes one character, or comma, tab, semicolon or space, not '%s'", text);
    return data_csv_fail(work, "delimiter", TRUCE_ERROR_TYPE);
}

static truce_status read_names(data_csv_work *work) {
    data_texts names = {0};
    BASE_TRY(data_recipe_texts(work->recipe, work->recipe->data, "columns", &names));
    for (int i = 0; i < names.n; i++) {
        int64_t index = 0;
        BASE_TRY(base_names_add(work->context, &work->given_names, names.items[i], &index));
        if (index == i) continue;
        base_fail(work->context, TRUCE_ERROR_NAME, "'columns' names '%s' twice", names.items[i]);
        return data_csv_fail(work, "columns", TRUCE_ERROR_NAME);
    }
    work->dialect.names = names.n ? &work->given_names : NULL;
    return TRUCE_OK;
}

static truce_status read_missing(data_csv_work *work) {
    static const char *defaults[] = {"NA", "NaN", "nan", "null", "?"};
    work->dialect.missing = (data_texts){defaults, (int)BASE_COUNT(defaults)};
    if (!io_yaml_get(work->recipe->data, "missing")) return TRUCE_OK;
    return data_recipe_texts(work->recipe, work->recipe->data, "missing", &work->dialect.missing);
}

static truce_status read_categorical(data_csv_work *work) {
    const io_yaml *section = io_yaml_get(work->recipe->data, "categorical");
    BASE_TRY(io_yaml_options(work->context, section, &category_options, category_keys, &work->categories));
    work->has_categorical = io_yaml_get(section, "columns") != NULL;
    return data_recipe_texts(work->recipe, section, "columns", &work->categorical);
}

static truce_status read_section(data_csv_work *work) {
    data_recipe *recipe = work->recipe;
    BASE_TRY(data_recipe_options(recipe, &own_options, &work->settings, &work->settings.own, other_keys));
    BASE_TRY(read_delimiter(work));
    BASE_TRY(read_names(work));
    BASE_TRY(read_missing(work));
    BASE_TRY(read_categorical(work));
    work->has_inputs = io_yaml_get(recipe->data, "inputs") != NULL;
    BASE_TRY(data_recipe_texts(recipe, recipe->data, "inputs", &work->inputs));
    return data_recipe_texts(recipe, recipe->data, "exclude", &work->exclude);
}

/* Files. */

static truce_status find_files(data_csv_work *work, data_portion *portion) {
    for (int i = 0; i < portion->files.n; i++) {
        const io_yaml *at = portion->at->kind == IO_YAML_LIST ? portion->at->items[i] : portion->at;
        BASE_TRY(data_recipe_find(work->recipe, at, portion->files.items[i], &portion->files.items[i]));
    }
    return TRUCE_OK;
}

static truce_status find_all_files(data_csv_work *work) {
    data_recipe *recipe = work->recipe;
    work->train.at = io_yaml_get(recipe->data, "train");
    BASE_TRY(data_recipe_texts(recipe, recipe->data, "train", &work->train.files));
    if (work->train.files.n == 0)
        return io_yaml_fail(work->context, recipe->data, TRUCE_ERROR_FORMAT,
                            "section 'data' names no file to train on; 'train: file.csv' does");
    BASE_TRY(data_recipe_portion(recipe, "validation", &work->validation));
    BASE_TRY(data_recipe_portion(recipe, "test", &work->test));
    BASE_TRY(find_files(work, &work->train));
    BASE_TRY(find_files(work, &work->validation));
    return find_files(work, &work->test);
}

truce_status data_csv_read_settings(data_csv_work *work) {
    BASE_TRY(read_section(work));
    return find_all_files(work);
}
