#include "train/recipe.h"

#include "io/file.h"

#include <string.h>

/* ---- the whole recipe -------------------------------------------------------------------------------- */

static const char *const sections[] = {"name", "data", "tasks", "model", "train", "compare", NULL};

/* All keys at the top must be known, so that a misspelt section is not silently ignored. */
static truce_status check_sections(const truce_recipe *recipe) {
    static const base_options none = {.owner = "recipe"};
    char unused;
    return io_yaml_options(recipe->context, io_yaml_root(recipe->document), &none, sections, &unused);
}

/* Takes the document over, also on failure. */
static truce_status make_recipe(truce_context *context, const char *path, io_yaml_document *document,
                                truce_recipe **out) {
    truce_recipe *recipe = NULL;
    truce_status status = base_alloc(context, 1, sizeof *recipe, &recipe);
    if (status) {
        io_yaml_destroy(document);
        return status;
    }
    recipe->context = context;
    recipe->document = document;
    if (path) status = base_copy_text(context, path, &recipe->path);
    if (!status) status = check_sections(recipe);
    if (status) {
        truce_recipe_destroy(recipe);
        return status;
    }
    *out = recipe;
    return TRUCE_OK;
}

truce_status truce_recipe_read(truce_context *context, const char *path, truce_recipe **out) {
    io_yaml_document *document = NULL;
    BASE_TRY(io_yaml_read(context, path, &document));
    return make_recipe(context, path, document, out);
}

truce_status truce_recipe_parse(truce_context *context, const char *text, truce_recipe **out) {
    io_yaml_document *document = NULL;
    BASE_TRY(io_yaml_parse(context, text, strlen(text), "recipe", &document));
    return make_recipe(context, NULL, document, out);
}

truce_status truce_recipe_set(truce_recipe *recipe, const char *assignment) {
    BASE_TRY(io_yaml_set(recipe->document, assignment));
    return check_sections(recipe);
}

void truce_recipe_destroy(truce_recipe *recipe) {
    if (!recipe) return;
    io_yaml_destroy(recipe->document);
    base_free(recipe->context, recipe->path);
    base_free(recipe->context, recipe);
}

const io_yaml *train_section(const truce_recipe *recipe, const char *name) {
    return io_yaml_get(io_yaml_root(recipe->document), name);
}

truce_status train_recipe_name(truce_context *context, const truce_recipe *recipe, char **out) {
    const io_yaml *name = train_section(recipe, "name");
    if (name && name->kind == IO_YAML_SCALAR) return base_copy_text(context, name->text, out);
    if (!recipe->path) return base_copy_text(context, "run", out);
    const char *slash = strrchr(recipe->path, '/'), *file = slash ? slash + 1 : recipe->path;
    return base_copy_text_n(context, file, strcspn(file, "."), out);
}

const char *const train_task_keys[] = {"loss", "delta", "head", "metrics", NULL};

/* ---- train: ------------------------------------------------------------------------------------------ */

#define ROW(name, kind, fallback, choices, low, high, help)                                                  \
    { #name, TRUCE_OPTION_##kind, fallback, choices, low, high, help, offsetof(train_settings, name) }

static const truce_option train_rows[] = {
    ROW(epochs, INTEGER, "20", NULL, 1, 1e6, "passes over the training rows"),
    ROW(batch, INTEGER, "128", NULL, 1, 1e7, "rows per step"),
    ROW(eval_batch, INTEGER, "512", NULL, 1, 1e7, "rows at a time when judging"),
    ROW(rate, REAL, "1e-3", NULL, 0, 1e6, "learning rate"),
    ROW(clip, REAL, "0", NULL, 0, 1e12, "largest norm of the gradient; 0: any"),
    ROW(heads, CHOICE, "method", "method|own|weighted", 0, 0,
        "gradient of a task's own parameters: as the balancer's paper has it, of its own loss, or weighted"),
    ROW(precision, CHOICE, "float32", "float32|float64", 0, 0, "of parameters and arithmetic"),
    ROW(criterion, TEXT, "relative_loss", NULL, 0, 0,
        "what is best on validation rows: relative_loss, loss, or TASK.METRIC"),
    ROW(patience, INTEGER, "0", NULL, 0, 1e6, "stop after so many epochs without a new best; 0: never"),
    ROW(conflicts, INTEGER, "10", NULL, 0, 1e6,
        "batches per epoch whose task gradients are compared for the record; 0: none"),
    ROW(checkpoint, REAL, "10", NULL, 0, 1e9, "seconds between checkpoints of a run; 0: at each step"),
    ROW(seed, INTEGER, "-1", NULL, -1, 9e15,
        "of initial weights, order and dropout; -1: that of the command"),
};
const base_options train_options = {"section 'train'", train_rows, BASE_COUNT(train_rows)};

#define SCHEDULE_ROW(name, kind, fallback, choices, low, high, help)                                         \
    {                                                                                                        \
#name, TRUCE_OPTION_##kind, fallback, choices, low, high, help,                                      \
            offsetof(train_settings, schedule.name)                                                          \
    }

static const truce_option schedule_rows[] = {
    SCHEDULE_ROW(warmup, REAL, "0", NULL, 0, 1e6, "epochs of linear rise before the rest"),
    SCHEDULE_ROW(every, REAL, "10", NULL, 1e-6, 1e6, "step: epochs between changes"),
    SCHEDULE_ROW(factor, REAL, "0.5", NULL, 0, 1, "step: what the rate is multiplied by"),
    SCHEDULE_ROW(floor, REAL, "0", NULL, 0, 1, "cosine, linear: share of the rate at the end"),
};
const base_options train_schedule_options = {"schedule", schedule_rows, BASE_COUNT(schedule_rows)};

static truce_status read_schedule(truce_context *context, const io_yaml *at, train_settings *out) {
    static const char *const kinds[] = {"constant", "step", "cosine", "linear"}, *const type[] = {"type",
                                                                                                  NULL};
    const char *name = NULL;
    const io_yaml *settings = NULL;
    BASE_TRY(io_yaml_choice(context, at, "type", "constant", &name, &settings));
    BASE_TRY(io_yaml_options(context, settings, &train_schedule_options, type, out));
    for (int i = 0; i < (int)BASE_COUNT(kinds); i++)
        if (strcmp(kinds[i], name) == 0) {
            out->schedule.kind = i;
            return TRUCE_OK;
        }
    return io_yaml_fail_at(
        context, at,
        base_fail_name(context, "schedule", name, base_name_of_text, kinds, (int)BASE_COUNT(kinds)));
}

truce_status train_settings_read(truce_context *context, const truce_recipe *recipe, train_settings *out) {
    static const char *const others[] = {"balancer", "optimizer", "schedule", NULL};
    const io_yaml *section = train_section(recipe, "train");
    train_settings s = {.rate = 0};
    BASE_TRY(io_yaml_options(context, section, &train_options, others, &s));
    s.balancer_at = io_yaml_get(section, "balancer");
    s.optimizer_at = io_yaml_get(section, "optimizer");
    BASE_TRY(io_yaml_choice(context, s.balancer_at, "method", "sum", &s.balancer, &s.balancer_settings));
    BASE_TRY(io_yaml_choice(context, s.optimizer_at, "type", "adam", &s.optimizer, &s.optimizer_settings));
    BASE_TRY(read_schedule(context, io_yaml_get(section, "schedule"), &s));
    *out = s;
    return TRUCE_OK;
}
