/*
 * truce predict: predictions for the rows of a file, as CSV or .npy.
 */
#include "cli/results.h"

#include "io/array.h"
#include "io/csv.h"

#include <stdio.h>
#include <string.h>

/* All tasks' predictions, one array per task. */
typedef struct predictions {
    truce_trainer *trainer;
    int n_tasks;
    int64_t n_rows;
    float **values; /* [n_tasks][n_rows][outputs] */
} predictions;

static truce_status predict_all(cli *c, truce_trainer *trainer, predictions *p) {
    int64_t *rows = NULL;
    *p = (predictions){.trainer = trainer,
                       .n_tasks = truce_trainer_tasks(trainer),
                       .n_rows = truce_dataset_rows(truce_trainer_dataset(trainer))};
    BASE_TRY(base_alloc(c->context, (size_t)p->n_tasks, sizeof *p->values, &p->values));
    BASE_TRY(base_alloc(c->context, (size_t)p->n_rows, sizeof *rows, &rows));
    for (int64_t i = 0; i < p->n_rows; i++) rows[i] = i;
    truce_status status = TRUCE_OK;
    for (int t = 0; t < p->n_tasks && !status; t++) {
        size_t n = (size_t)p->n_rows * (size_t)truce_trainer_outputs(trainer, t);
        status = base_alloc(c->context, n, sizeof(float), &p->values[t]);
        if (!status) status = truce_trainer_predict(trainer, t, rows, p->n_rows, p->values[t]);
    }
    base_free(c->context, rows);
    return status;
}

static void free_predictions(cli *c, predictions *p) {
    for (int t = 0; p->values && t < p->n_tasks; t++) base_free(c->context, p->values[t]);
    base_free(c->context, p->values);
}

/* ---- CSV --------------------------------------------------------------------------------------------- */

/* The name of a class, or its number. */
static const char *class_name(const truce_target *target, int k, char number[16]) {
    if (target->class_names) return target->class_names[k];
    snprintf(number, 16, "%d", k);
    return number;
}

static truce_status write_header(const predictions *p, io_output *output) {
    char name[512], number[16];
    bool first = true;
    for (int t = 0; t < p->n_tasks; t++) {
        const truce_target *target = truce_trainer_task(p->trainer, t);
        int n = truce_trainer_outputs(p->trainer, t);
        bool labels = target->kind != TRUCE_TARGET_REGRESSION;
        if (labels || n == 1) BASE_TRY(io_csv_write_field(output, target->name, first));
        first = false;
        for (int k = 0; k < n && (labels || n > 1); k++) {
            if (target->kind == TRUCE_TARGET_BINARY)
                snprintf(name, sizeof name, "%s:p", target->name);
            else
                snprintf(name, sizeof name, "%s:%s%s", target->name, labels ? "p:" : "",
                         class_name(target, k, number));
            BASE_TRY(io_csv_write_field(output, name, false));
        }
    }
    return io_output_print(output, "\n");
}

static int likeliest(const truce_target *target, const float *values) {
    int best = 0;
    if (target->kind == TRUCE_TARGET_BINARY) return values[0] > 0.5f;
    for (int k = 1; k < target->n_classes; k++)
        if (values[k] > values[best]) best = k;
    return best;
}

static truce_status write_task(const predictions *p, io_output *output, int t, int64_t row) {
    const truce_target *target = truce_trainer_task(p->trainer, t);
    int n = truce_trainer_outputs(p->trainer, t);
    const float *values = p->values[t] + row * n;
    char text[BASE_REAL_BYTES], number[16];
    bool labels = target->kind != TRUCE_TARGET_REGRESSION;
    if (labels)
        BASE_TRY(io_csv_write_field(output, class_name(target, likeliest(target, values), number), t == 0));
    for (int k = 0; k < n; k++) {
        snprintf(text, sizeof text, "%.7g", (double)values[k]);
        BASE_TRY(io_csv_write_field(output, text, t == 0 && k == 0 && !labels));
    }
    return TRUCE_OK;
}

static truce_status write_csv(cli *c, const predictions *p, const char *path) {
    io_output *output = NULL;
    BASE_TRY(io_output_open(c->context, path, &output));
    truce_status status = write_header(p, output);
    for (int64_t row = 0; row < p->n_rows && !status; row++) {
        for (int t = 0; t < p->n_tasks && !status; t++) status = write_task(p, output, t, row);
        if (!status) status = io_output_print(output, "\n");
    }
    if (!status) return io_output_commit(output);
    io_output_discard(output);
    return status;
}

/* ---- NPY --------------------------------------------------------------------------------------------- */

/* [rows][all outputs], tasks side by side. */
static truce_status write_npy(cli *c, const predictions *p, const char *path) {
    float *values = NULL;
    int64_t width = 0;
    for (int t = 0; t < p->n_tasks; t++) width += truce_trainer_outputs(p->trainer, t);
    BASE_TRY(base_alloc(c->context, (size_t)(p->n_rows * width), sizeof *values, &values));
    int64_t column = 0;
    for (int t = 0; t < p->n_tasks; t++) {
        int n = truce_trainer_outputs(p->trainer, t);
        for (int64_t row = 0; row < p->n_rows; row++)
            memcpy(values + row * width + column, p->values[t] + row * n, (size_t)n * sizeof *values);
        column += n;
    }
    io_array array = {.kind = IO_ARRAY_F32, .shape = {2, {p->n_rows, width}}, .values = values};
    truce_status status = io_npy_write(c->context, path, &array);
    base_free(c->context, values);
    return status;
}

/* ---- the command ------------------------------------------------------------------------------------- */

static bool is_npy(const char *path) {
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".npy") == 0;
}

static truce_status predict(cli *c, const char *output, int *code) {
    const char *inputs[CLI_MAX_VALUES];
    int n_inputs = 0;
    truce_trainer *trainer = NULL;
    predictions p = {.n_tasks = 0};
    while (cli_value_at(c, "input", n_inputs)) {
        inputs[n_inputs] = cli_value_at(c, "input", n_inputs);
        n_inputs++;
    }
    BASE_TRY(truce_trainer_open_files(c->context, c->arguments[0], inputs, n_inputs, &trainer));
    truce_status status = predict_all(c, trainer, &p);
    if (!status) status = is_npy(output) ? write_npy(c, &p, output) : write_csv(c, &p, output);
    if (!status && c->json)
        *code = cli_print_json(c, json_pack("{s:s, s:I, s:i}", "output", output, "rows", (json_int_t)p.n_rows,
                                            "tasks", p.n_tasks));
    else if (!status && !c->quiet)
        printf("%lld rows, %d tasks: %s\n", (long long)p.n_rows, p.n_tasks, output);
    free_predictions(c, &p);
    truce_trainer_destroy(trainer);
    return status;
}

static int run(cli *c) {
    const char *output = cli_value(c, "output");
    int code = CLI_DONE;
    if (!cli_has(c, "input")) return cli_usage(c, "give the rows to predict: --input FILE");
    if (!output) return cli_usage(c, "say where the predictions go: --output FILE.csv or FILE.npy");
    truce_status status = predict(c, output, &code);
    return status ? cli_fail(c, status) : code;
}

static const cli_option options[] = {
    {"input", 'i', CLI_VALUES, "FILE", "rows to predict; several files are taken one after the other"},
    {"output", 'o', CLI_VALUE, "FILE", "predictions, .csv or .npy"},
};

const cli_command cli_predict = {
    .name = "predict",
    .arguments = "RUN",
    .summary = "predictions for new rows",
    .description =
        "Encodes the rows as the training rows were and writes one line per row. For classes: the likeliest\n"
        "class in column TASK and probabilities in TASK:p:CLASS; for binary tasks the probability of the\n"
        "positive class in TASK:p; for regression the number in the target's own units. Columns of targets "
        "may\n"
        "be absent from the input. A .npy file holds all probabilities and numbers side by side.",
    .example = "truce predict runs/adult --input new.csv --output predictions.csv",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = options,
    .n_options = BASE_COUNT(options),
    .terse = true,
    .run = run,
};
