#include "cli/results.h"

#include "io/file.h"
#include "report/run_page.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- metrics ----------------------------------------------------------------------------------------- */

json_t *cli_json_results(const truce_task_result *results, int n_tasks) {
    json_t *tasks = json_array();
    for (int i = 0; i < n_tasks; i++) {
        json_t *metrics = json_object();
        for (int k = 0; k < results[i].n_metrics; k++)
            json_object_set_new(metrics, results[i].metrics[k].name,
                                cli_json_real(results[i].metrics[k].value));
        json_array_append_new(tasks, json_pack("{s:s, s:I, s:o}", "task", results[i].task, "labelled",
                                               (json_int_t)results[i].n_labelled, "metrics", metrics));
    }
    return tasks;
}

static report_terminal describe_terminal(void) {
    struct winsize size = {0};
    if (!cli_is_terminal()) return (report_terminal){0};
    setlocale(LC_CTYPE, "");
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return (report_terminal){
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0, .colour = true, .n_columns = size.ws_col};
}

truce_status cli_print_table(cli *c, const report_table *table) {
    report_terminal terminal = describe_terminal();
    base_text text = {0};
    truce_status status = report_table_print(table, &terminal, &text);
    if (!status) fputs(base_text_get(&text), stdout);
    base_text_free(c->context, &text);
    return status;
}

enum { MOST_METRICS = 32 };

/* The names of all metrics that some task has, in order. */
static int collect_names(const truce_task_result *results, int n_tasks, const char *names[MOST_METRICS]) {
    int n = 0;
    for (int i = 0; i < n_tasks; i++)
        for (int k = 0; k < results[i].n_metrics; k++) {
            bool known = false;
            for (int j = 0; j < n; j++) known = known || strcmp(names[j], results[i].metrics[k].name) == 0;
            if (!known && n < MOST_METRICS) names[n++] = results[i].metrics[k].name;
        }
    return n;
}

static void add_metric(report_table *table, const truce_task_result *result, const char *name) {
    for (int k = 0; k < result->n_metrics; k++)
        if (strcmp(result->metrics[k].name, name) == 0) {
            report_table_number(table, result->metrics[k].value);
            return;
        }
    report_table_missing(table);
}

truce_status cli_print_results(cli *c, const truce_task_result *results, int n_tasks) {
    const char *names[MOST_METRICS];
    report_column columns[MOST_METRICS + 2] = {{.header = "task"}, {.header = "labels"}};
    int n = collect_names(results, n_tasks, names);
    report_table *table = NULL;
    for (int k = 0; k < n; k++)
        columns[k + 2] = (report_column){.header = names[k], .format = {REPORT_SIGNIFICANT, 4}};
    BASE_TRY(report_table_create(c->context, columns, n + 2, &table));
    for (int i = 0; i < n_tasks; i++) {
        report_table_row(table);
        report_table_text(table, results[i].task);
        report_table_number(table, (double)results[i].n_labelled);
        for (int k = 0; k < n; k++) add_metric(table, &results[i], names[k]);
    }
    truce_status status = cli_print_table(c, table);
    report_table_destroy(table);
    return status;
}

/* ---- recipes and folders ----------------------------------------------------------------------------- */

truce_status cli_read_recipe(cli *c, const char *path, truce_recipe **out) {
    truce_recipe *recipe = NULL;
    BASE_TRY(truce_recipe_read(c->context, path, &recipe));
    for (int i = 0; cli_value_at(c, "set", i); i++) {
        truce_status status = truce_recipe_set(recipe, cli_value_at(c, "set", i));
        if (!status) continue;
        truce_recipe_destroy(recipe);
        return base_fail_at(c->context, status, "--set %s", cli_value_at(c, "set", i));
    }
    *out = recipe;
    return TRUCE_OK;
}

/* Removes what a run is made of, and nothing else. */
static truce_status remove_run(cli *c, const char *folder) {
    static const char *const files[] = {
        "run.json",   "recipe.yaml", "encoding.json", "model.safetensors", "checkpoint.safetensors",
        "run.sqlite", "history.csv", "report.html"};
    for (size_t i = 0; i < BASE_COUNT(files); i++) {
        char *path = NULL;
        BASE_TRY(io_join(c->context, folder, files[i], &path));
        if (io_exists(path) && unlink(path) != 0) {
            truce_status status = base_fail(c->context, TRUCE_ERROR_IO, "%s could not be removed", path);
            base_free(c->context, path);
            return status;
        }
        base_free(c->context, path);
    }
    return TRUCE_OK;
}

truce_status cli_choose_folder(cli *c, const char *recipe_path, char **out) {
    const char *given = cli_value(c, "out"), *slash = strrchr(recipe_path, '/');
    const char *file = slash ? slash + 1 : recipe_path;
    base_text name = {0};
    char *folder = NULL;
    base_text_add(c->context, &name, "runs/%.*s", (int)strcspn(file, "."), file);
    truce_status status = name.status;
    if (!status) status = base_copy_text(c->context, given ? given : base_text_get(&name), &folder);
    base_text_free(c->context, &name);
    if (!status && cli_has(c, "force")) status = remove_run(c, folder);
    if (status) {
        base_free(c->context, folder);
        return status;
    }
    *out = folder;
    return TRUCE_OK;
}

truce_status cli_write_page(cli *c, const char *folder, char **out) {
    char *page = NULL, *store = NULL;
    truce_status status = io_join(c->context, folder, "report.html", &page);
    if (!status) status = io_join(c->context, folder, "run.sqlite", &store);
    if (!status) status = report_run_page(c->context, store, page);
    base_free(c->context, store);
    if (status) {
        base_free(c->context, page);
        return status;
    }
    *out = page;
    return TRUCE_OK;
}
