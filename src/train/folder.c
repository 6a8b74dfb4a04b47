/*
 * The folder of a run:
 *
 *     run.json           what was trained: recipe, balancer, seed, version
 *     recipe.yaml        the recipe with every --set in it
 *     encoding.json      how rows become inputs (absent where the program brought the data set)
 *     model.safetensors  the best parameters so far, rewritten at each new best
 *     checkpoint.safetensors  where the training stands, every few seconds and at its end
 *     run.sqlite         the record: losses, metrics, weights, gradient conflicts
 *     history.csv        the scalars of the record as plain text, at the end
 */
#include "train/trainer.h"

#include "io/csv.h"
#include "io/file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Calls fn with the path of FOLDER/FILE. */
typedef truce_status (*file_fn)(truce_trainer *t, const char *path);

static truce_status with_file(truce_trainer *t, const char *folder, const char *file, file_fn fn) {
    char *path = NULL;
    BASE_TRY(io_join(t->context, folder, file, &path));
    truce_status status = fn(t, path);
    base_free(t->context, path);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static truce_status write_recipe(truce_trainer *t, const char *path) {
    base_text text = {0};
    truce_status status = io_yaml_write(t->context, io_yaml_root(t->recipe->document), &text);
    if (!status) status = io_write_text(t->context, path, base_text_get(&text));
    base_text_free(t->context, &text);
    return status;
}

static truce_status write_encoding(truce_trainer *t, const char *path) {
    base_text text = {0};
    if (!t->source) return TRUCE_OK;
    truce_status status = data_encoding_save(t->source->encoding, &text);
    if (!status) status = io_write_text(t->context, path, base_text_get(&text));
    base_text_free(t->context, &text);
    return status;
}

/* Where the recipe's own files are looked for when the run is opened again. */
static char *absolute_recipe_path(const truce_trainer *t) {
    return t->recipe->path ? realpath(t->recipe->path, NULL) : NULL;
}

static truce_status write_run(truce_trainer *t, const char *path) {
    char *recipe = absolute_recipe_path(t);
    json_t *object =
        json_pack("{s:s, s:s?, s:s, s:I}", "truce", truce_version(), "recipe", recipe, "balancer",
                  truce_balancer_method(t->balancer)->name, "seed", (json_int_t)t->seed);
    char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
    truce_status status = text ? io_write_text(t->context, path, text)
                               : base_fail(t->context, TRUCE_ERROR_MEMORY, "out of memory");
    free(text);
    json_decref(object);
    free(recipe);
    return status;
}

static truce_status write_model(truce_trainer *t, const char *path) {
    char epoch[32];
    snprintf(epoch, sizeof epoch, "%lld", (long long)t->best.epoch + 1);
    const char *metadata[] = {"format", "truce", "truce", truce_version(), "what", t->what,
                              "epoch",  epoch,   NULL};
    return truce_parameters_save(t->parameters, path, metadata);
}

truce_status train_folder_save_model(truce_trainer *t, const char *folder) {
    return with_file(t, folder, "model.safetensors", write_model);
}

static truce_status write_history_row(void *user, const io_scalar *scalar) {
    io_output *output = user;
    char value[BASE_REAL_BYTES];
    base_format_real(scalar->value, value);
    BASE_TRY(io_output_print(output, "%lld,%lld,%s", (long long)scalar->step, (long long)scalar->epoch + 1,
                             scalar->split));
    BASE_TRY(io_csv_write_field(output, scalar->task, false));
    return io_output_print(output, ",%s,%s\n", scalar->name, value);
}

/* All scalars of the record, also those from before a training was resumed. */
static truce_status write_history(truce_trainer *t, const char *path) {
    io_output *output = NULL;
    BASE_TRY(io_output_open(t->context, path, &output));
    truce_status status = io_output_print(output, "step,epoch,split,task,name,value\n");
    if (!status) status = io_store_each_scalar(t->store, t->run, NULL, NULL, NULL, write_history_row, output);
    if (!status) return io_output_commit(output);
    io_output_discard(output);
    return status;
}

/* ---- a training in its folder ------------------------------------------------------------------------ */

static truce_status refuse_old_run(truce_trainer *t, const char *folder) {
    char *path = NULL;
    BASE_TRY(io_join(t->context, folder, "run.json", &path));
    bool there = io_exists(path);
    base_free(t->context, path);
    if (!there) return TRUCE_OK;
    return base_fail(t->context, TRUCE_ERROR_STATE,
                     "%s holds a run already; choose another folder, or replace it (--force)", folder);
}

static truce_status begin_folder(truce_trainer *t, const char *folder) {
    BASE_TRY(refuse_old_run(t, folder));
    BASE_TRY(io_make_folders(t->context, folder));
    BASE_TRY(with_file(t, folder, "recipe.yaml", write_recipe));
    BASE_TRY(with_file(t, folder, "encoding.json", write_encoding));
    return with_file(t, folder, "run.json", write_run);
}

static truce_status open_store(truce_trainer *t, const char *folder, io_store **store) {
    char *path = NULL;
    BASE_TRY(io_join(t->context, folder, "run.sqlite", &path));
    truce_status status = io_store_open(t->context, path, IO_STORE_APPEND, store);
    base_free(t->context, path);
    return status;
}

static truce_status begin_record(truce_trainer *t, io_store *store) {
    base_text recipe = {0};
    truce_status status = io_yaml_write(t->context, io_yaml_root(t->recipe->document), &recipe);
    io_run run = {.name = t->what,
                  .kind = "train",
                  .method = truce_balancer_method(t->balancer)->name,
                  .seed = (int64_t)t->seed,
                  .recipe = base_text_get(&recipe),
                  .status = "running"};
    if (!status) status = io_store_begin_run(store, &run, &t->run);
    if (!status) status = train_record_notes(t, t->source, store, t->run);
    base_text_free(t->context, &recipe);
    return status;
}

static truce_status note_last_run(void *user, const io_run *run) {
    *(int64_t *)user = run->id;
    return TRUCE_OK;
}

/* A resumed training goes on with its record, without what was written after the checkpoint. */
static truce_status resume_record(truce_trainer *t, io_store *store) {
    BASE_TRY(io_store_each_run(store, note_last_run, &t->run));
    return t->run ? io_store_rewind_run(store, t->run, t->step) : begin_record(t, store);
}

/* A record that cannot be written must not hide why the training itself failed. */
static truce_status end_record(truce_trainer *t, io_store *store, truce_status trained) {
    char message[BASE_MESSAGE_BYTES], text[BASE_MESSAGE_BYTES + 16] = "done";
    snprintf(message, sizeof message, "%s", truce_context_message(t->context));
    if (trained) snprintf(text, sizeof text, "failed: %s", message);
    truce_status status = train_history_store(&t->history, store, t->run);
    if (!status) status = io_store_end_run(store, t->run, text);
    return trained ? base_fail(t->context, trained, "%s", message) : status;
}

truce_status train_record_flush(truce_trainer *t) {
    return t->store ? train_history_store(&t->history, t->store, t->run) : TRUCE_OK;
}

static truce_status run_with_store(truce_trainer *t, const char *folder) {
    BASE_TRY(t->resumed ? resume_record(t, t->store) : begin_record(t, t->store));
    BASE_TRY(end_record(t, t->store, train_loop(t, folder)));
    BASE_TRY(train_folder_save_model(t, folder));
    return with_file(t, folder, "history.csv", write_history);
}

static truce_status run_in_folder(truce_trainer *t, const char *folder) {
    if (!t->resumed) BASE_TRY(begin_folder(t, folder));
    BASE_TRY(open_store(t, folder, &t->store));
    truce_status status = run_with_store(t, folder), closed = io_store_close(t->store);
    t->store = NULL;
    return status ? status : closed;
}

truce_status truce_trainer_run(truce_trainer *t, const char *folder) {
    return folder ? run_in_folder(t, folder) : train_loop(t, NULL);
}

/* ---- opening ----------------------------------------------------------------------------------------- */

/* A run's description, or a sentence that says what is missing. */
static truce_status read_run(truce_context *context, const char *path, json_t **out) {
    io_bytes file = {0};
    json_error_t error;
    if (!io_exists(path))
        return base_fail(context, TRUCE_ERROR_IO,
                         "%s is not there; give the folder of a run that truce train made", path);
    BASE_TRY(io_bytes_read(context, path, &file));
    json_t *object = json_loadb((const char *)file.bytes, file.n, 0, &error);
    io_bytes_free(context, &file);
    if (!json_is_object(object)) {
        json_decref(object);
        return base_fail(context, TRUCE_ERROR_FORMAT, "%s:%d: %s", path, error.line, error.text);
    }
    *out = object;
    return TRUCE_OK;
}

/* The run's recipe, with the place of the original one, so that its files are found again. */
static truce_status read_recipe(truce_context *context, const char *folder, const json_t *run,
                                truce_recipe **out) {
    char *path = NULL, *original = NULL;
    const char *place = json_string_value(json_object_get(run, "recipe"));
    truce_recipe *recipe = NULL;
    BASE_TRY(io_join(context, folder, "recipe.yaml", &path));
    truce_status status = truce_recipe_read(context, path, &recipe);
    base_free(context, path);
    if (!status && place) status = base_copy_text(context, place, &original);
    if (status) {
        truce_recipe_destroy(recipe);
        return status;
    }
    if (original) {
        base_free(context, recipe->path);
        recipe->path = original;
    }
    *out = recipe;
    return TRUCE_OK;
}

static truce_status load_model(truce_trainer *t, const char *path) {
    return truce_parameters_load(t->parameters, path);
}

/* The data must be encoded as it was: an encoding that was fitted to other rows would mislead silently. */
static truce_status check_encoding(truce_trainer *t, const char *path) {
    base_text now = {0};
    io_bytes then = {0};
    truce_status status = data_encoding_save(t->source->encoding, &now);
    if (!status) status = io_bytes_read(t->context, path, &then);
    if (!status && (then.n != now.n || (now.n && memcmp(then.bytes, now.bytes, now.n) != 0)))
        status = base_fail(
            t->context, TRUCE_ERROR_DATA,
            "the training data is not what this model was trained on (%s differs); use the files of "
            "the training, or truce predict --input for new rows",
            path);
    io_bytes_free(t->context, &then);
    base_text_free(t->context, &now);
    return status;
}

static truce_status load_encoding(truce_context *context, const char *folder, data_encoding **out) {
    char *path = NULL;
    io_bytes file = {0};
    BASE_TRY(io_join(context, folder, "encoding.json", &path));
    truce_status status = io_bytes_read(context, path, &file);
    if (!status) status = data_encoding_load(context, (const char *)file.bytes, file.n, path, out);
    io_bytes_free(context, &file);
    base_free(context, path);
    return status;
}

static truce_status encode_files(truce_context *context, const char *folder, const char *const *paths,
                                 int n_paths, truce_dataset **out) {
    data_encoding *encoding = NULL;
    BASE_TRY(load_encoding(context, folder, &encoding));
    truce_status status = data_encoding_apply(encoding, paths, n_paths, out);
    data_encoding_destroy(encoding);
    return status;
}

/* Makes the trainer of a run, over the recipe's data or over a data set that it takes ownership of; the
 * parameters are still those of the beginning. */
static truce_status open_run(truce_context *context, const char *folder, truce_dataset *dataset,
                             truce_trainer **out) {
    char *path = NULL;
    json_t *run = NULL;
    truce_recipe *recipe = NULL;
    truce_trainer *t = NULL;
    BASE_TRY(io_join(context, folder, "run.json", &path));
    truce_status status = read_run(context, path, &run);
    base_free(context, path);
    if (!status) status = read_recipe(context, folder, run, &recipe);
    train_config config = {.recipe = recipe,
                           .dataset = dataset,
                           .unchecked = true,
                           .balancer = json_string_value(json_object_get(run, "balancer")),
                           .seed = json_integer_value(json_object_get(run, "seed"))};
    if (!status) status = train_create(context, &config, &t);
    json_decref(run);
    if (status) {
        truce_recipe_destroy(recipe);
        return status;
    }
    t->owns_recipe = true;
    t->owns_dataset = dataset != NULL;
    *out = t;
    return TRUCE_OK;
}

static truce_status open_trained(truce_context *context, const char *folder, truce_dataset *dataset,
                                 truce_trainer **out) {
    truce_trainer *t = NULL;
    BASE_TRY(open_run(context, folder, dataset, &t));
    truce_status status = dataset ? TRUCE_OK : with_file(t, folder, "encoding.json", check_encoding);
    if (!status) status = with_file(t, folder, "model.safetensors", load_model);
    if (status) {
        t->owns_dataset = false;
        truce_trainer_destroy(t);
        return status;
    }
    *out = t;
    return TRUCE_OK;
}

truce_status truce_trainer_open(truce_context *context, const char *folder, truce_trainer **out) {
    return open_trained(context, folder, NULL, out);
}

truce_status truce_trainer_resume(truce_context *context, const char *folder, truce_trainer **out) {
    truce_trainer *t = NULL;
    bool found = false;
    BASE_TRY(open_run(context, folder, NULL, &t));
    truce_status status = with_file(t, folder, "encoding.json", check_encoding);
    if (!status) status = train_checkpoint_load(t, folder, &found);
    if (status) {
        truce_trainer_destroy(t);
        return status;
    }
    t->resumed = true;
    *out = t;
    return TRUCE_OK;
}

truce_status truce_trainer_open_files(truce_context *context, const char *folder, const char *const *paths,
                                      int n_paths, truce_trainer **out) {
    truce_dataset *dataset = NULL;
    BASE_TRY(encode_files(context, folder, paths, n_paths, &dataset));
    truce_status status = open_trained(context, folder, dataset, out);
    if (status) truce_dataset_destroy(dataset);
    return status;
}
