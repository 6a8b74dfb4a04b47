/*
 * truce balance: one balancing step on a Jacobian from a file.
 */
#include "cli/results.h"

#include "io/array.h"
#include "io/csv.h"
#include "truce/balance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A T x P matrix, and what a step makes of it. */
typedef struct balance_job {
    int n_tasks;
    int64_t n_parameters;
    double *jacobian, *losses, *weights, *direction, *gramian; /* losses: NULL without --losses */
} balance_job;

static bool ends_in(const char *path, const char *ending) {
    size_t n = strlen(path), m = strlen(ending);
    return n >= m && strcmp(path + n - m, ending) == 0;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

static truce_status allocate_matrix(cli *c, balance_job *job, int64_t n_rows, int64_t n_columns) {
    enum { MOST_TASKS = 4096 };
    if (n_rows < 1 || n_rows > MOST_TASKS || n_columns < 1)
        return base_fail(
            c->context, TRUCE_ERROR_SHAPE,
            "the matrix is %lld x %lld; a row per task (at most %d) and a column per parameter are wanted",
            (long long)n_rows, (long long)n_columns, MOST_TASKS);
    job->n_tasks = (int)n_rows;
    job->n_parameters = n_columns;
    return base_alloc(c->context, (size_t)(n_rows * n_columns), sizeof(double), &job->jacobian);
}

static truce_status read_npy(cli *c, const char *path, balance_job *job) {
    io_array array = {.values = NULL};
    BASE_TRY(io_npy_read(c->context, path, &array));
    truce_status status = TRUCE_OK;
    if (array.shape.n_dims != 2)
        status = base_fail(c->context, TRUCE_ERROR_SHAPE, "the array has %d axes, not 2", array.shape.n_dims);
    if (!status) status = allocate_matrix(c, job, array.shape.dims[0], array.shape.dims[1]);
    for (int64_t i = 0; !status && i < job->n_tasks * job->n_parameters; i++)
        job->jacobian[i] = io_array_get(&array, i);
    io_array_free(c->context, &array);
    return status;
}

/* Numbers of all rows, one after the other. */
typedef struct number_list {
    double *values;
    size_t n, capacity;
} number_list;

static truce_status add_row(cli *c, io_csv *csv, const char *const *fields, int n_fields, number_list *list) {
    BASE_TRY(
        base_grow(c->context, &list->values, &list->capacity, list->n + (size_t)n_fields, sizeof(double)));
    for (int i = 0; i < n_fields; i++)
        if (!base_parse_real(fields[i], &list->values[list->n++]))
            return base_fail(c->context, TRUCE_ERROR_FORMAT, "line %lld: '%s' is not a number",
                             (long long)io_csv_line(csv), fields[i]);
    return TRUCE_OK;
}

static truce_status read_rows(cli *c, io_csv *csv, number_list *list, int64_t *n_rows) {
    const char *const *fields = NULL;
    int n_fields = 0;
    for (*n_rows = 0;; ++*n_rows) {
        BASE_TRY(io_csv_next(csv, &fields, &n_fields));
        if (n_fields == 0) return TRUCE_OK;
        BASE_TRY(add_row(c, csv, fields, n_fields, list));
    }
}

static truce_status read_csv(cli *c, const char *path, balance_job *job) {
    io_csv *csv = NULL;
    number_list list = {.values = NULL};
    int64_t n_rows = 0;
    BASE_TRY(io_csv_open(c->context, path, NULL, &csv));
    truce_status status = read_rows(c, csv, &list, &n_rows);
    io_csv_close(csv);
    if (!status) status = allocate_matrix(c, job, n_rows, n_rows ? (int64_t)list.n / n_rows : 0);
    if (!status) memcpy(job->jacobian, list.values, list.n * sizeof(double));
    base_free(c->context, list.values);
    return status;
}

static truce_status read_matrix(cli *c, balance_job *job) {
    const char *path = c->arguments[0];
    bool npy = ends_in(path, ".npy") || ends_in(path, ".npy.gz");
    truce_status status = npy ? read_npy(c, path, job) : read_csv(c, path, job);
    bool named = status && strstr(truce_context_message(c->context), path);
    return status && !named ? base_fail_at(c->context, status, "%s", path) : status;
}

static truce_status read_losses(cli *c, balance_job *job) {
    const char *text = cli_value(c, "losses");
    char item[64];
    int n = 0;
    if (!text) return TRUCE_OK;
    BASE_TRY(base_alloc(c->context, (size_t)job->n_tasks, sizeof(double), &job->losses));
    for (; cli_item(text, n, item, sizeof item); n++)
        if (n >= job->n_tasks || !base_parse_real(item, &job->losses[n])) break;
    if (n == job->n_tasks && !cli_item(text, n, item, sizeof item)) return TRUCE_OK;
    return base_fail(c->context, TRUCE_ERROR_ARGUMENT,
                     "--losses takes %d numbers with commas between them, not '%s'", job->n_tasks, text);
}

/* ---- the step ---------------------------------------------------------------------------------------- */

static void multiply_rows(balance_job *job) {
    for (int i = 0; i < job->n_tasks; i++)
        for (int j = 0; j < job->n_tasks; j++) {
            double sum = 0;
            for (int64_t k = 0; k < job->n_parameters; k++)
                sum += job->jacobian[i * job->n_parameters + k] * job->jacobian[j * job->n_parameters + k];
            job->gramian[i * job->n_tasks + j] = sum;
        }
}

static truce_status set_options(cli *c, truce_balancer *balancer) {
    for (int i = 0; cli_value_at(c, "set", i); i++) {
        char name[128];
        const char *text = cli_value_at(c, "set", i), *equals = strchr(text, '=');
        if (!equals || (size_t)(equals - text) >= sizeof name)
            return base_fail(c->context, TRUCE_ERROR_ARGUMENT, "--set takes OPTION=VALUE, not '%s'", text);
        snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
        BASE_TRY(truce_balancer_set(balancer, name, equals + 1));
    }
    return TRUCE_OK;
}

static truce_status check_needs(cli *c, truce_balancer *balancer, const balance_job *job) {
    unsigned needs = truce_balancer_needs(balancer);
    const char *name = truce_balancer_method(balancer)->name;
    if (needs & TRUCE_NEEDS_LOSSES && !job->losses)
        return base_fail(c->context, TRUCE_ERROR_ARGUMENT,
                         "method '%s' looks at losses; give them: --losses 1.0,2.0", name);
    if (needs & TRUCE_NEEDS_VALIDATION_PASS)
        return base_fail(c->context, TRUCE_ERROR_UNSUPPORTED,
                         "method '%s' looks at validation gradients, which one matrix does not hold", name);
    return TRUCE_OK;
}

static truce_status step(cli *c, truce_balancer *balancer, balance_job *job) {
    size_t n_tasks = (size_t)job->n_tasks;
    BASE_TRY(check_needs(c, balancer, job));
    BASE_TRY(base_alloc(c->context, n_tasks, sizeof(double), &job->weights));
    BASE_TRY(base_alloc(c->context, (size_t)job->n_parameters, sizeof(double), &job->direction));
    BASE_TRY(base_alloc(c->context, n_tasks * n_tasks, sizeof(double), &job->gramian));
    multiply_rows(job);
    truce_balance_input input = {.losses = job->losses,
                                 .gramian = job->gramian,
                                 .cross_gramian = job->gramian,
                                 .dtype = TRUCE_FLOAT64,
                                 .jacobian = job->jacobian,
                                 .n_parameters = job->n_parameters};
    return truce_balancer_aggregate(balancer, &input, job->direction, job->weights);
}

/* ---- answers ----------------------------------------------------------------------------------------- */

/* The smallest cosine between the direction and a task's gradient; NaN where the direction is zero. */
static double worst_alignment(const balance_job *job) {
    double worst = INFINITY, length = 0;
    for (int64_t k = 0; k < job->n_parameters; k++) length += job->direction[k] * job->direction[k];
    for (int i = 0; i < job->n_tasks; i++) {
        double sum = 0, norm = sqrt(job->gramian[i * job->n_tasks + i] * length);
        for (int64_t k = 0; k < job->n_parameters; k++)
            sum += job->jacobian[i * job->n_parameters + k] * job->direction[k];
        if (norm > 0) worst = fmin(worst, sum / norm);
    }
    return isinf(worst) ? (double)NAN : worst;
}

static json_t *json_numbers(const double *values, int64_t n) {
    json_t *list = json_array();
    for (int64_t i = 0; i < n; i++) json_array_append_new(list, cli_json_real(values[i]));
    return list;
}

static json_t *json_options(const truce_balancer *balancer) {
    const truce_method *method = truce_balancer_method(balancer);
    json_t *options = json_object();
    for (int i = 0; i < method->n_options; i++) {
        char text[256] = "";
        double number;
        truce_balancer_get(balancer, method->options[i].name, text, sizeof text);
        json_t *value = base_parse_real(text, &number) ? cli_json_real(number) : json_string(text);
        json_object_set_new(options, method->options[i].name, value);
    }
    return options;
}

static json_t *json_conflicts(const balance_job *job) {
    json_t *pairs = json_array();
    for (int i = 0; i < job->n_tasks; i++)
        for (int j = i + 1; j < job->n_tasks; j++)
            if (job->gramian[i * job->n_tasks + j] < 0)
                json_array_append_new(pairs, json_pack("[i, i]", i, j));
    return pairs;
}

static int print_json(cli *c, const truce_balancer *balancer, const balance_job *job) {
    json_t *rows = json_array();
    for (int i = 0; i < job->n_tasks; i++)
        json_array_append_new(rows, json_numbers(job->gramian + i * job->n_tasks, job->n_tasks));
    bool weighted = !isnan(job->weights[0]);
    return cli_print_json(
        c, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "method", truce_balancer_method(balancer)->name,
                     "options", json_options(balancer), "weights",
                     weighted ? json_numbers(job->weights, job->n_tasks) : json_null(), "direction",
                     json_numbers(job->direction, job->n_parameters), "gramian", rows, "conflicts",
                     json_conflicts(job), "worst_alignment", cli_json_real(worst_alignment(job))));
}

/* One row per task: its gradient, its weight, and how far the direction serves it. */
static truce_status print_table(cli *c, const balance_job *job) {
    static const report_column columns[] = {
        {.header = "task"},
        {.header = "gradient", .unit = "norm", .format = {REPORT_SIGNIFICANT, 5}},
        {.header = "weight", .format = {REPORT_SIGNIFICANT, 6}},
        {.header = "along", .unit = "g . d", .format = {REPORT_SIGNIFICANT, 5}},
        {.header = "conflicts", .unit = "pairs"},
    };
    report_table *table = NULL;
    BASE_TRY(report_table_create(c->context, columns, (int)BASE_COUNT(columns), &table));
    for (int i = 0; i < job->n_tasks; i++) {
        double along = 0;
        int n_conflicts = 0;
        for (int64_t k = 0; k < job->n_parameters; k++)
            along += job->jacobian[i * job->n_parameters + k] * job->direction[k];
        for (int j = 0; j < job->n_tasks; j++) n_conflicts += job->gramian[i * job->n_tasks + j] < 0;
        report_table_row(table);
        report_table_number(table, i);
        report_table_number(table, sqrt(job->gramian[i * job->n_tasks + i]));
        if (isnan(job->weights[i]))
            report_table_missing(table);
        else
            report_table_number(table, job->weights[i]);
        report_table_number(table, along);
        report_table_number(table, n_conflicts);
    }
    truce_status status = cli_print_table(c, table);
    report_table_destroy(table);
    return status;
}

static truce_status print_text(cli *c, const balance_job *job) {
    enum { SHOWN = 8 };
    BASE_TRY(print_table(c, job));
    printf("\ndirection:");
    for (int64_t k = 0; k < BASE_MIN(SHOWN, job->n_parameters); k++) printf(" %.6g", job->direction[k]);
    printf("%s\nworst alignment: %.4g\n", job->n_parameters > SHOWN ? " ..." : "", worst_alignment(job));
    return TRUCE_OK;
}

/* ---- the command ------------------------------------------------------------------------------------- */

static int answer(cli *c, truce_balancer *balancer, const balance_job *job) {
    if (c->json) return print_json(c, balancer, job);
    truce_status status = c->quiet ? TRUCE_OK : print_text(c, job);
    return status ? cli_fail(c, status) : CLI_DONE;
}

static int run(cli *c) {
    const char *method = cli_value(c, "method");
    balance_job job = {.n_tasks = 0};
    truce_balancer *balancer = NULL;
    if (!method) return cli_usage(c, "say which method: --method NAME (see 'truce methods balancers')");
    truce_status status = read_matrix(c, &job);
    if (!status) status = read_losses(c, &job);
    if (!status) status = truce_balancer_create(c->context, method, job.n_tasks, &balancer);
    if (!status) status = set_options(c, balancer);
    if (!status) status = step(c, balancer, &job);
    int code = status ? cli_fail(c, status) : answer(c, balancer, &job);
    truce_balancer_destroy(balancer);
    base_free(c->context, job.gramian);
    base_free(c->context, job.direction);
    base_free(c->context, job.weights);
    base_free(c->context, job.losses);
    base_free(c->context, job.jacobian);
    return code;
}

static const cli_option options[] = {
    {"method", 'm', CLI_VALUE, "NAME", "balancer, see 'truce methods balancers'"},
    {"set", 's', CLI_VALUES, "OPTION=VALUE", "an option of the method; as often as wanted"},
    {"losses", 'l', CLI_VALUE, "L1,L2,...", "losses of the tasks, for methods that look at them"},
};

const cli_command cli_balance = {
    .name = "balance",
    .arguments = "JACOBIAN",
    .summary = "one balancing step on a matrix from a file",
    .description =
        "JACOBIAN holds a row per task and a column per parameter, as .npy (float32 or float64, C or "
        "Fortran\n"
        "order) or CSV without header. Prints weights and direction of one step from the method's initial\n"
        "state. Methods over two batches see the same matrix for both.",
    .example = "truce balance --method cagrad --set c=0.4 --json jacobian.csv",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = options,
    .n_options = BASE_COUNT(options),
    .run = run,
};
