/*
 * truce compare: several methods x several seeds against single-task training.
 */
#include "cli/results.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what is compared -------------------------------------------------------------------------------- */

typedef struct method_list {
    char names[CLI_MAX_VALUES][64];
    const char *list[CLI_MAX_VALUES];
    int n;
} method_list;

static int read_methods(cli *c, method_list *methods) {
    const char *text = cli_value(c, "methods");
    methods->n = 0;
    if (!text) return CLI_DONE;
    while (methods->n < CLI_MAX_VALUES && cli_item(text, methods->n, methods->names[methods->n], 64)) {
        methods->list[methods->n] = methods->names[methods->n];
        methods->n++;
    }
    return methods->n ? CLI_DONE : cli_usage(c, "option '--methods' takes names with commas between them");
}

/* ---- mean and spread over the seeds of a method ------------------------------------------------------ */

typedef struct spread {
    double sum, squares;
    int n;
} spread;

static void add_value(spread *s, double value) {
    if (isnan(value)) return;
    s->sum += value;
    s->squares += value * value;
    s->n++;
}

static double mean_of(const spread *s) {
    return s->n ? s->sum / s->n : (double)NAN;
}

/* Standard deviation over seeds. */
static double deviation_of(const spread *s) {
    if (s->n < 2) return NAN;
    double mean = mean_of(s);
    return sqrt(fmax(0, (s->squares - s->n * mean * mean) / (s->n - 1)));
}

static void add_cell(report_table *table, const spread *s) {
    if (s->n == 0)
        report_table_missing(table);
    else if (s->n == 1)
        report_table_number(table, mean_of(s));
    else
        report_table_spread(table, mean_of(s), deviation_of(s));
}

static double find_metric(const truce_compare_entry *entry, int task, const char *name) {
    for (int i = 0; i < entry->results[task].n_metrics; i++)
        if (strcmp(entry->results[task].metrics[i].name, name) == 0)
            return entry->results[task].metrics[i].value;
    return NAN;
}

/* ---- the table --------------------------------------------------------------------------------------- */

enum { MOST_COLUMNS = 64 };

/* One row: entries first .. last-1 are the seeds of one method. */
static void add_row(const truce_comparison *comparison, report_table *table, int first, int last) {
    const truce_compare_entry *entry = truce_comparison_at(comparison, first);
    bool single = strcmp(entry->method, "single") == 0;
    const char *name;
    int task, n_failed = 0;
    spread delta_m = {0}, delta_p = {0}, rank = {0}, seconds = {0};
    if (single)
        report_table_reference_row(table);
    else
        report_table_row(table);
    for (int i = first; i < last; i++) n_failed += truce_comparison_at(comparison, i)->failure != NULL;
    char label[128];
    snprintf(label, sizeof label, n_failed ? "%s (%d failed)" : "%s",
             single ? "each task alone" : entry->method, n_failed);
    report_table_text(table, label);
    for (int k = 0; truce_comparison_metric(comparison, k, &task, &name); k++) {
        spread values = {0};
        for (int i = first; i < last; i++)
            add_value(&values, find_metric(truce_comparison_at(comparison, i), task, name));
        add_cell(table, &values);
    }
    for (int i = first; i < last; i++) {
        entry = truce_comparison_at(comparison, i);
        add_value(&delta_m, entry->delta_m);
        add_value(&delta_p, entry->delta_p);
        add_value(&rank, entry->mean_rank);
        add_value(&seconds, 1e3 * entry->seconds_per_step);
    }
    add_cell(table, &delta_m);
    add_cell(table, &delta_p);
    add_cell(table, &rank);
    add_cell(table, &seconds);
}

static int find_higher(const truce_comparison *comparison, int task, const char *name) {
    const truce_task_result *result = &truce_comparison_at(comparison, 0)->results[task];
    for (int i = 0; i < result->n_metrics; i++)
        if (strcmp(result->metrics[i].name, name) == 0) return result->metrics[i].higher_is_better;
    return 0;
}

static int describe_columns(const truce_comparison *comparison, report_column *columns, char headers[][128]) {
    const char *name;
    int task, n = 0;
    columns[n++] = (report_column){.header = "method"};
    for (int k = 0; n < MOST_COLUMNS - 4 && truce_comparison_metric(comparison, k, &task, &name); k++) {
        snprintf(headers[n], 128, "%s %s", truce_comparison_at(comparison, 0)->results[task].task, name);
        report_best best = find_higher(comparison, task, name) ? REPORT_BEST_HIGHEST : REPORT_BEST_LOWEST;
        columns[n] = (report_column){.header = headers[n], .format = {REPORT_FIXED, 4}, .best = best};
        n++;
    }
    columns[n++] = (report_column){
        .header = "delta_m", .unit = "%", .format = {REPORT_FIXED, 2}, .best = REPORT_BEST_LOWEST};
    columns[n++] = (report_column){
        .header = "delta_p", .unit = "%", .format = {REPORT_FIXED, 2}, .best = REPORT_BEST_HIGHEST};
    columns[n++] = (report_column){.header = "rank", .format = {REPORT_FIXED, 2}, .best = REPORT_BEST_LOWEST};
    columns[n++] = (report_column){.header = "step", .unit = "ms", .format = {REPORT_FIXED, 3}};
    return n;
}

static truce_status print_table(cli *c, const truce_comparison *comparison) {
    char headers[MOST_COLUMNS][128];
    report_column columns[MOST_COLUMNS];
    report_table *table = NULL;
    int n = describe_columns(comparison, columns, headers), count = truce_comparison_count(comparison);
    BASE_TRY(report_table_create(c->context, columns, n, &table));
    for (int first = 0, last; first < count; first = last) {
        const char *method = truce_comparison_at(comparison, first)->method;
        for (last = first;
             last < count && strcmp(truce_comparison_at(comparison, last)->method, method) == 0;)
            last++;
        add_row(comparison, table, first, last);
    }
    truce_status status = cli_print_table(c, table);
    report_table_destroy(table);
    return status;
}

static void print_failures(const truce_comparison *comparison) {
    for (int i = 0; i < truce_comparison_count(comparison); i++) {
        const truce_compare_entry *entry = truce_comparison_at(comparison, i);
        if (entry->failure)
            printf("%s, seed %lld: %s\n", entry->method, (long long)entry->seed, entry->failure);
    }
}

/* ---- JSON -------------------------------------------------------------------------------------------- */

static json_t *json_comparison(const truce_comparison *comparison, const char *folder, const char *page) {
    json_t *entries = json_array();
    for (int i = 0; i < truce_comparison_count(comparison); i++) {
        const truce_compare_entry *e = truce_comparison_at(comparison, i);
        json_array_append_new(
            entries, json_pack("{s:s, s:I, s:s?, s:o, s:o, s:o, s:o, s:o, s:I}", "method", e->method, "seed",
                               (json_int_t)e->seed, "failure", e->failure, "tasks",
                               cli_json_results(e->results, truce_comparison_tasks(comparison)), "delta_m",
                               cli_json_real(e->delta_m), "delta_p", cli_json_real(e->delta_p), "mean_rank",
                               cli_json_real(e->mean_rank), "seconds_per_step",
                               cli_json_real(e->seconds_per_step), "best_epoch", (json_int_t)e->best_epoch));
    }
    return json_pack("{s:s, s:s, s:o}", "run", folder, "page", page, "entries", entries);
}

/* ---- the command ------------------------------------------------------------------------------------- */

static truce_status answer(cli *c, const truce_comparison *comparison, const char *folder, int *code) {
    char *page = NULL;
    BASE_TRY(cli_write_page(c, folder, &page));
    truce_status status = TRUCE_OK;
    if (c->json) {
        *code = cli_print_json(c, json_comparison(comparison, folder, page));
    } else {
        printf("test rows, mean and standard deviation over seeds; delta against each task alone\n"
               "(delta_m: lower is better; delta_p: higher is better):\n\n");
        status = print_table(c, comparison);
        print_failures(comparison);
        printf("\nrun:  %s\npage: %s\n", folder, page);
    }
    base_free(c->context, page);
    return status;
}

static int run(cli *c) {
    method_list methods;
    int64_t n_seeds;
    truce_recipe *recipe = NULL;
    truce_comparison *comparison = NULL;
    char *folder = NULL;
    int code = read_methods(c, &methods);
    if (code) return code;
    if (!cli_integer(c, "seeds", 0, 1, 10000, &n_seeds)) return CLI_USAGE;
    truce_status status = cli_read_recipe(c, c->arguments[0], &recipe);
    if (!status) status = cli_choose_folder(c, c->arguments[0], &folder);
    truce_compare_config config = {
        .methods = methods.list, .n_methods = methods.n, .n_seeds = (int)n_seeds, .folder = folder};
    if (!status) status = truce_compare(c->context, recipe, &config, &comparison);
    if (!status) status = answer(c, comparison, folder, &code);
    if (status) code = cli_fail(c, status);
    truce_comparison_destroy(comparison);
    base_free(c->context, folder);
    truce_recipe_destroy(recipe);
    return code;
}

static const cli_option options[] = {
    {"methods", 'm', CLI_VALUE, "A,B,...",
     "balancers (default: the recipe's, see 'truce methods balancers')"},
    {"seeds", 0, CLI_VALUE, "N", "trainings per method (default: the recipe's, or 3)"},
    CLI_RECIPE_OPTIONS,
};

const cli_command cli_compare = {
    .name = "compare",
    .arguments = "RECIPE.yaml",
    .summary = "methods x seeds against single-task training",
    .description =
        "Trains the recipe with each method and seed, and each task alone with each seed, side by side on\n"
        "all threads. Parameters are chosen on validation rows and judged on test rows. Prints metrics,\n"
        "delta_m and delta_p against the tasks alone, the mean rank, and the time per step; writes the\n"
        "record (run.sqlite) and a page with curves and gradient conflicts (report.html).",
    .example = "truce compare examples/sarcos.yaml --methods sum,mgda,pcgrad,cagrad --seeds 5",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = options,
    .n_options = BASE_COUNT(options),
    .run = run,
};
