/*
 * truce inspect: what a safetensors file or a run's folder holds.
 */
#include "cli/results.h"

#include "io/file.h"
#include "io/store.h"
#include "truce/tensor_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- tensors ----------------------------------------------------------------------------------------- */

static void shape_text(const truce_shape *shape, char text[160]) {
    size_t used = (size_t)snprintf(text, 160, "[");
    for (int i = 0; i < shape->n_dims; i++)
        used += (size_t)snprintf(text + used, 160 - used, "%s%lld", i ? ", " : "", (long long)shape->dims[i]);
    snprintf(text + used, 160 - used, "]");
}

static json_t *json_tensor(const truce_tensor_info *tensor) {
    json_t *shape = json_array();
    for (int i = 0; i < tensor->shape.n_dims; i++)
        json_array_append_new(shape, json_integer(tensor->shape.dims[i]));
    return json_pack("{s:s, s:s, s:o, s:I}", "name", tensor->name, "dtype",
                     truce_storage_name(tensor->storage), "shape", shape, "bytes",
                     (json_int_t)tensor->n_bytes);
}

static json_t *json_file(const truce_tensor_file *file) {
    json_t *tensors = json_array(), *metadata = json_object();
    const char *key, *value;
    for (int64_t i = 0; i < truce_tensor_file_count(file); i++)
        json_array_append_new(tensors, json_tensor(truce_tensor_file_at(file, i)));
    for (int64_t i = 0; truce_tensor_file_metadata_at(file, i, &key, &value); i++)
        json_object_set_new(metadata, key, json_string(value));
    return json_pack("{s:o, s:o}", "tensors", tensors, "metadata", metadata);
}

static truce_status print_file(cli *c, const truce_tensor_file *file) {
    static const report_column columns[] = {{.header = "tensor"},
                                            {.header = "dtype"},
                                            {.header = "shape"},
                                            {.header = "bytes", .format = {REPORT_FIXED, 0}}};
    report_table *table = NULL;
    const char *key, *value;
    double numbers = 0, bytes = 0;
    BASE_TRY(report_table_create(c->context, columns, (int)BASE_COUNT(columns), &table));
    for (int64_t i = 0; i < truce_tensor_file_count(file); i++) {
        const truce_tensor_info *tensor = truce_tensor_file_at(file, i);
        char shape[160];
        shape_text(&tensor->shape, shape);
        report_table_row(table);
        report_table_text(table, tensor->name);
        report_table_text(table, truce_storage_name(tensor->storage));
        report_table_text(table, shape);
        report_table_number(table, (double)tensor->n_bytes);
        numbers += (double)truce_shape_size(&tensor->shape);
        bytes += (double)tensor->n_bytes;
    }
    truce_status status = cli_print_table(c, table);
    report_table_destroy(table);
    printf("\n%lld tensors, %.0f numbers, %.0f bytes\n", (long long)truce_tensor_file_count(file), numbers,
           bytes);
    for (int64_t i = 0; truce_tensor_file_metadata_at(file, i, &key, &value); i++)
        printf("%s: %s\n", key, value);
    return status;
}

static truce_status inspect_file(cli *c, const char *path, int *code) {
    truce_tensor_file *file = NULL;
    BASE_TRY(truce_tensor_file_open(c->context, path, &file));
    truce_status status = TRUCE_OK;
    if (c->json)
        *code = cli_print_json(c, json_file(file));
    else
        status = print_file(c, file);
    truce_tensor_file_close(file);
    return status;
}

/* ---- runs -------------------------------------------------------------------------------------------- */

typedef struct listing {
    report_table *table;
    json_t *runs;
} listing;

static truce_status add_run(void *user, const io_run *run) {
    listing *l = user;
    if (l->runs)
        json_array_append_new(l->runs, json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "name", run->name,
                                                 "kind", run->kind, "method", run->method, "seed",
                                                 (json_int_t)run->seed, "status", run->status, "started",
                                                 run->started, "finished", run->finished));
    if (!l->table) return TRUCE_OK;
    report_table_row(l->table);
    report_table_text(l->table, run->name);
    report_table_text(l->table, run->kind);
    report_table_text(l->table, run->method);
    report_table_number(l->table, (double)run->seed);
    report_table_text(l->table, run->status);
    report_table_text(l->table, run->started);
    return TRUCE_OK;
}

static truce_status list_runs(cli *c, io_store *store, int *code) {
    static const report_column columns[] = {{.header = "run"},  {.header = "kind"},   {.header = "method"},
                                            {.header = "seed"}, {.header = "status"}, {.header = "started"}};
    listing l = {.runs = c->json ? json_array() : NULL};
    truce_status status = TRUCE_OK;
    if (!c->json) status = report_table_create(c->context, columns, (int)BASE_COUNT(columns), &l.table);
    if (!status) status = io_store_each_run(store, add_run, &l);
    if (!status && l.table) status = cli_print_table(c, l.table);
    if (!status && c->json) *code = cli_print_json(c, json_pack("{s:O}", "runs", l.runs));
    json_decref(l.runs);
    report_table_destroy(l.table);
    return status;
}

static truce_status inspect_folder(cli *c, const char *folder, int *code) {
    char *path = NULL;
    io_store *store = NULL;
    BASE_TRY(io_join(c->context, folder, "run.sqlite", &path));
    truce_status status = io_store_open(c->context, path, IO_STORE_READ, &store);
    base_free(c->context, path);
    if (status) return status;
    status = list_runs(c, store, code);
    truce_status closed = io_store_close(store);
    return status ? status : closed;
}

static int run(cli *c) {
    const char *path = c->arguments[0];
    struct stat found;
    int code = CLI_DONE;
    bool folder = stat(path, &found) == 0 && S_ISDIR(found.st_mode);
    truce_status status = folder ? inspect_folder(c, path, &code) : inspect_file(c, path, &code);
    return status ? cli_fail(c, status) : code;
}

const cli_command cli_inspect = {
    .name = "inspect",
    .arguments = "FILE | RUN",
    .summary = "what a safetensors file or a run holds",
    .description =
        "Lists the tensors of a safetensors file with type, shape and size, and its metadata; or the runs\n"
        "that a folder's record (run.sqlite) holds.",
    .example = "truce inspect runs/adult/model.safetensors",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
