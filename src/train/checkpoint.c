/*
 * Checkpoints: all that the rest of a training depends on, in one safetensors file that appears whole or not
 * at all.
 */
#include "train/trainer.h"

#include "base/progress.h"
#include "engine/parameters.h"
#include "io/file.h"
#include "truce/tensor_file.h"

#include <stdio.h>
#include <string.h>

/* An array of the training, where it lies. */
typedef struct array {
    char name[96];
    truce_dtype dtype;
    int64_t n;
    void *values;
} array;

/* Numbers of the trainer itself, as doubles, which hold whole numbers of this size exactly. */
enum { EPOCH, BATCH, STEP, BEST_EPOCH, BEST_CRITERION, STEP_SECONDS, N_COUNTERS };

static void read_counters(const truce_trainer *t, double *counters) {
    counters[EPOCH] = (double)t->epoch;
    counters[BATCH] = (double)t->batch;
    counters[STEP] = (double)t->step;
    counters[BEST_EPOCH] = (double)t->best.epoch;
    counters[BEST_CRITERION] = t->best.criterion;
    counters[STEP_SECONDS] = t->step_seconds;
}

static void write_counters(truce_trainer *t, const double *counters) {
    t->epoch = (int64_t)counters[EPOCH];
    t->batch = (int64_t)counters[BATCH];
    t->step = (int64_t)counters[STEP];
    t->best.epoch = (int64_t)counters[BEST_EPOCH];
    t->best.criterion = counters[BEST_CRITERION];
    t->step_seconds = counters[STEP_SECONDS];
}

/* The i-th array of the training; false past the end. `counters` stands for the trainer's own numbers. */
static bool array_at(truce_trainer *t, int i, double *counters, array *out) {
    truce_parameters *p = t->parameters;
    const array fixed[] = {
        {"counters", TRUCE_FLOAT64, N_COUNTERS, counters},
        {"sums", TRUCE_FLOAT64, t->sums.n, t->sums.all},
        {"parameters", p->dtype, p->n, p->block},
        {"state", p->dtype, p->n_state, p->state},
        {"best.parameters", p->dtype, p->n, t->best.block},
        {"best.state", p->dtype, p->n_state, t->best.state},
    };
    if (i < (int)BASE_COUNT(fixed)) {
        *out = fixed[i];
        return true;
    }
    i -= (int)BASE_COUNT(fixed);
    truce_optimizer_state optimizer;
    int n_optimizer = 0;
    while (truce_optimizer_state_at(t->optimizer, n_optimizer, &optimizer)) {
        *out = (array){.dtype = optimizer.dtype, .n = optimizer.n, .values = optimizer.values};
        snprintf(out->name, sizeof out->name, "optimizer.%s", optimizer.name);
        if (n_optimizer++ == i) return true;
    }
    truce_balance_state balancer;
    if (!truce_balancer_state(t->balancer, i - n_optimizer, &balancer)) return false;
    *out = (array){.dtype = balancer.dtype, .n = balancer.n, .values = balancer.values};
    snprintf(out->name, sizeof out->name, "balancer.%s", balancer.name);
    return true;
}

static truce_storage storage_of(truce_dtype dtype) {
    return dtype == TRUCE_FLOAT64   ? TRUCE_STORE_F64
           : dtype == TRUCE_FLOAT32 ? TRUCE_STORE_F32
                                    : TRUCE_STORE_I32;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static truce_status write_arrays(truce_trainer *t, truce_tensor_writer *writer, double *counters) {
    array a;
    BASE_TRY(truce_tensor_writer_metadata(writer, "format", "truce checkpoint 1"));
    BASE_TRY(truce_tensor_writer_metadata(writer, "balancer", truce_balancer_method(t->balancer)->name));
    for (int i = 0; array_at(t, i, counters, &a); i++)
        BASE_TRY(truce_tensor_writer_announce(writer, a.name, storage_of(a.dtype), &(truce_shape){1, {a.n}}));
    for (int i = 0; array_at(t, i, counters, &a); i++)
        BASE_TRY(truce_tensor_writer_write(writer, a.values, (size_t)a.n * truce_dtype_bytes(a.dtype)));
    return TRUCE_OK;
}

static truce_status write_file(truce_trainer *t, const char *path) {
    truce_tensor_writer *writer = NULL;
    double counters[N_COUNTERS];
    read_counters(t, counters);
    BASE_TRY(truce_tensor_writer_create(t->context, path, &writer));
    truce_status status = write_arrays(t, writer, counters);
    if (!status) return truce_tensor_writer_commit(writer);
    truce_tensor_writer_discard(writer);
    return status;
}

truce_status train_checkpoint_save(truce_trainer *t, const char *folder) {
    char *path = NULL;
    BASE_TRY(io_join(t->context, folder, "checkpoint.safetensors", &path));
    truce_status status = write_file(t, path);
    base_free(t->context, path);
    t->checkpointed = base_seconds();
    return status;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

static truce_status check_array(truce_trainer *t, const truce_tensor_file *file, const char *path,
                                const array *a) {
    const truce_tensor_info *tensor = truce_tensor_file_find(file, a->name);
    if (tensor && tensor->storage == storage_of(a->dtype) && truce_shape_size(&tensor->shape) == a->n)
        return TRUCE_OK;
    return base_fail(t->context, TRUCE_ERROR_DATA,
                     "%s does not belong to this recipe: '%s' is not as the training has it", path, a->name);
}

/* All arrays are checked before the first is changed. */
static truce_status read_arrays(truce_trainer *t, truce_tensor_file *file, const char *path) {
    double counters[N_COUNTERS];
    array a;
    for (int i = 0; array_at(t, i, counters, &a); i++) BASE_TRY(check_array(t, file, path, &a));
    for (int i = 0; array_at(t, i, counters, &a); i++)
        memcpy(a.values, truce_tensor_file_find(file, a.name)->bytes,
               (size_t)a.n * truce_dtype_bytes(a.dtype));
    write_counters(t, counters);
    return TRUCE_OK;
}

static truce_status read_file(truce_trainer *t, const char *path) {
    truce_tensor_file *file = NULL;
    BASE_TRY(truce_tensor_file_open(t->context, path, &file));
    truce_status status = read_arrays(t, file, path);
    truce_tensor_file_close(file);
    return status;
}

truce_status train_checkpoint_load(truce_trainer *t, const char *folder, bool *found) {
    char *path = NULL;
    BASE_TRY(io_join(t->context, folder, "checkpoint.safetensors", &path));
    *found = io_exists(path);
    truce_status status = *found ? read_file(t, path) : TRUCE_OK;
    base_free(t->context, path);
    return status;
}
