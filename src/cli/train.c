/*
 * truce train: one model, from a recipe to a folder.
 */
#include "cli/results.h"

#include <stdio.h>

/* Test rows if there are any, else validation rows, else training rows. */
static truce_split judged_split(truce_trainer *trainer) {
    static const truce_split order[] = {TRUCE_TEST, TRUCE_VALIDATION};
    for (size_t i = 0; i < BASE_COUNT(order); i++) {
        int64_t n = 0;
        truce_dataset_split_rows(truce_trainer_dataset(trainer), order[i], &n);
        if (n > 0) return order[i];
    }
    return TRUCE_TRAIN;
}

typedef struct outcome {
    const char *folder, *page;
    truce_split split;
    truce_task_result *results;
} outcome;

static truce_status print_outcome(cli *c, truce_trainer *trainer, const outcome *o) {
    int n = truce_trainer_tasks(trainer);
    if (c->quiet) return TRUCE_OK;
    printf("%s rows, parameters of epoch %d:\n\n", truce_split_name(o->split),
           (int)truce_trainer_best_epoch(trainer));
    BASE_TRY(cli_print_results(c, o->results, n));
    printf("\nrun:  %s\npage: %s\n", o->folder, o->page);
    return TRUCE_OK;
}

static int json_outcome(cli *c, truce_trainer *trainer, const outcome *o) {
    return cli_print_json(c, json_pack("{s:s, s:s, s:I, s:o, s:s, s:o}", "run", o->folder, "page", o->page,
                                       "best_epoch", (json_int_t)truce_trainer_best_epoch(trainer),
                                       "seconds_per_step",
                                       cli_json_real(truce_trainer_seconds_per_step(trainer)), "split",
                                       truce_split_name(o->split), "tasks",
                                       cli_json_results(o->results, truce_trainer_tasks(trainer))));
}

static truce_status train(cli *c, truce_trainer *trainer, const char *folder, int *code) {
    outcome o = {.folder = folder};
    char *page = NULL;
    truce_status status = truce_trainer_run(trainer, folder);
    if (status) return status;
    o.split = judged_split(trainer);
    status = base_alloc(c->context, (size_t)truce_trainer_tasks(trainer), sizeof *o.results, &o.results);
    if (!status) status = truce_trainer_evaluate(trainer, o.split, o.results);
    if (!status) status = cli_write_page(c, folder, &page);
    o.page = page;
    if (!status && c->json)
        *code = json_outcome(c, trainer, &o);
    else if (!status)
        status = print_outcome(c, trainer, &o);
    base_free(c->context, page);
    base_free(c->context, o.results);
    return status;
}

static int train_new(cli *c) {
    truce_recipe *recipe = NULL;
    truce_trainer *trainer = NULL;
    char *folder = NULL;
    int code = CLI_DONE;
    truce_status status = cli_read_recipe(c, c->arguments[0], &recipe);
    if (!status) status = cli_choose_folder(c, c->arguments[0], &folder);
    if (!status) status = truce_trainer_create(c->context, recipe, NULL, &trainer);
    if (!status) status = train(c, trainer, folder, &code);
    if (status) code = cli_fail(c, status);
    truce_trainer_destroy(trainer);
    base_free(c->context, folder);
    truce_recipe_destroy(recipe);
    return code;
}

static int resume(cli *c, const char *folder) {
    truce_trainer *trainer = NULL;
    int code = CLI_DONE;
    truce_status status = truce_trainer_resume(c->context, folder, &trainer);
    if (!status) status = train(c, trainer, folder, &code);
    if (status) code = cli_fail(c, status);
    truce_trainer_destroy(trainer);
    return code;
}

static int run(cli *c) {
    const char *folder = cli_value(c, "resume");
    if (!folder && c->n_arguments == 0) return cli_usage(c, "give RECIPE.yaml, or --resume DIR");
    if (!folder) return train_new(c);
    if (c->n_arguments || cli_has(c, "set") || cli_has(c, "out") || cli_has(c, "force"))
        return cli_usage(c,
                         "--resume goes on with the run's own recipe in its own folder; give nothing else");
    return resume(c, folder);
}

static const cli_option options[] = {
    CLI_RECIPE_OPTIONS,
    {"resume", 0, CLI_VALUE, "DIR", "go on with a run that was cut off"},
};

const cli_command cli_train = {
    .name = "train",
    .arguments = "RECIPE.yaml | --resume DIR",
    .summary = "trains one model for several tasks",
    .description =
        "Reads the recipe, trains, and writes the run to a folder: the model that was best on validation\n"
        "rows (model.safetensors), how rows are encoded, the record of the training, and a page that\n"
        "shows it (report.html). Data files are looked for in $TRUCE_DATA, in this folder, and beside\n"
        "the recipe.",
    .example =
        "truce train examples/adult.yaml --set train.balancer=cagrad --set train.epochs=10 --out runs/adult",
    .max_arguments = 1,
    .options = options,
    .n_options = BASE_COUNT(options),
    .run = run,
};
