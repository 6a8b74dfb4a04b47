/*
 * truce eval: metrics of a run's model on a split of its data.
 */
#include "cli/results.h"

#include <stdio.h>
#include <string.h>

static bool find_split(const char *name, truce_split *out) {
    for (int i = 0; i < TRUCE_N_SPLITS; i++)
        if (strcmp(truce_split_name((truce_split)i), name) == 0) {
            *out = (truce_split)i;
            return true;
        }
    return false;
}

static truce_status evaluate(cli *c, truce_trainer *trainer, truce_split split, int *code) {
    truce_task_result *results = NULL;
    int n = truce_trainer_tasks(trainer);
    BASE_TRY(base_alloc(c->context, (size_t)n, sizeof *results, &results));
    truce_status status = truce_trainer_evaluate(trainer, split, results);
    if (!status && c->json)
        *code = cli_print_json(c, json_pack("{s:s, s:o}", "split", truce_split_name(split), "tasks",
                                            cli_json_results(results, n)));
    else if (!status)
        status = cli_print_results(c, results, n);
    base_free(c->context, results);
    return status;
}

static int run(cli *c) {
    const char *name = cli_value(c, "split"), *input = cli_value(c, "input");
    truce_split split = TRUCE_TEST;
    truce_trainer *trainer = NULL;
    int code = CLI_DONE;
    if (name && input) return cli_usage(c, "rows of --input are all judged; leave out --split");
    if (name && !find_split(name, &split))
        return cli_usage(c, "option '--split' takes train, validation or test, not '%s'", name);
    truce_status status = input ? truce_trainer_open_files(c->context, c->arguments[0], &input, 1, &trainer)
                                : truce_trainer_open(c->context, c->arguments[0], &trainer);
    if (!status) status = evaluate(c, trainer, split, &code);
    if (status) code = cli_fail(c, status);
    truce_trainer_destroy(trainer);
    return code;
}

static const cli_option options[] = {
    {"split", 0, CLI_VALUE, "NAME", "train, validation or test (default)"},
    {"input", 'i', CLI_VALUE, "FILE", "judge the rows of another file instead"},
};

const cli_command cli_eval = {
    .name = "eval",
    .arguments = "RUN",
    .summary = "metrics of a run's model on a split",
    .description =
        "RUN is a folder that truce train made. The split is made again from the recipe's data, which must\n"
        "be the data of the training; rows of another file with labels are judged with --input.",
    .example = "truce eval runs/adult --split test --json",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = options,
    .n_options = BASE_COUNT(options),
    .terse = true,
    .run = run,
};
