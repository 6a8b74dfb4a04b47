/*
 * What several commands print: metrics of tasks, tables, recipes read with their --set.
 */
#ifndef CLI_RESULTS_H
#define CLI_RESULTS_H

#include "cli/cli.h"
#include "report/table.h"
#include "truce/train.h"

/* [{"task": ..., "labelled": n, "metrics": {...}}, ...] */
json_t *cli_json_results(const truce_task_result *results, int n_tasks);

/* One row per task, one column per metric, on stdout. */
truce_status cli_print_results(cli *cli, const truce_task_result *results, int n_tasks);

/* A table, as the terminal on stdout can show it. */
truce_status cli_print_table(cli *cli, const report_table *table);

/* Reads a recipe and applies every --set. */
truce_status cli_read_recipe(cli *cli, const char *path, truce_recipe **out);

/* The folder of --out, or runs/NAME by the recipe's name; a new text. With --force an old run there is
 * removed. */
truce_status cli_choose_folder(cli *cli, const char *recipe_path, char **out);

/* Writes FOLDER/report.html from FOLDER/run.sqlite; its path, a new text, into *out. */
truce_status cli_write_page(cli *cli, const char *folder, char **out);

#define CLI_RECIPE_OPTIONS                                                                                   \
    {"set", 's', CLI_VALUES, "KEY=VALUE", "change a value of the recipe; as often as wanted"},               \
        {"out", 'o', CLI_VALUE, "DIR", "folder of the run (default: runs/ and the recipe's name)"}, {        \
        "force", 0, CLI_FLAG, NULL, "replace a run that is there"                                            \
    }

#endif
