/*
 * Epochs: shuffled batches, what is recorded, validation, the best parameters, patience.
 */
#include "train/trainer.h"

#include "base/progress.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static truce_status record(truce_trainer *t, const char *split, const char *task, const char *name,
                           double value) {
    train_record r = {
        .step = t->step, .epoch = t->epoch, .split = split, .task = task, .name = name, .value = value};
    return train_history_add(t->context, &t->history, &r);
}

/* ---- the best parameters ----------------------------------------------------------------------------- */

static void state_block(truce_trainer *t, void **state, size_t *bytes) {
    *state = NULL;
    *bytes = 0;
    for (int i = 0; i < truce_parameters_count(t->parameters); i++) {
        const truce_parameter *p = truce_parameters_at(t->parameters, i);
        if (p->trainable) continue;
        if (!*state) *state = p->values;
        char *end =
            (char *)p->values + (size_t)p->size * truce_dtype_bytes(truce_parameters_dtype(t->parameters));
        *bytes = (size_t)(end - (char *)*state);
    }
}

static size_t block_bytes(truce_trainer *t, void **block) {
    int64_t n = 0, n_shared = 0;
    *block = truce_parameters_block(t->parameters, &n, &n_shared);
    return (size_t)n * truce_dtype_bytes(truce_parameters_dtype(t->parameters));
}

truce_status train_keep_best(truce_trainer *t, double criterion) {
    void *block = NULL, *state = NULL;
    size_t bytes = block_bytes(t, &block), state_bytes = 0;
    state_block(t, &state, &state_bytes);
    if (!t->best.block) {
        BASE_TRY(base_alloc(t->context, bytes + 1, 1, &t->best.block));
        BASE_TRY(base_alloc(t->context, state_bytes + 1, 1, &t->best.state));
    }
    memcpy(t->best.block, block, bytes);
    if (state_bytes) memcpy(t->best.state, state, state_bytes);
    t->best.criterion = criterion;
    t->best.epoch = t->epoch;
    return TRUCE_OK;
}

void train_restore_best(truce_trainer *t) {
    void *block = NULL, *state = NULL;
    size_t bytes = block_bytes(t, &block), state_bytes = 0;
    state_block(t, &state, &state_bytes);
    if (t->best.epoch < 0) return;
    memcpy(block, t->best.block, bytes);
    if (state_bytes) memcpy(state, t->best.state, state_bytes);
}

/* ---- one epoch --------------------------------------------------------------------------------------- */

static void shuffle_rows(truce_trainer *t) {
    const int64_t *rows = truce_dataset_split_rows(t->dataset, TRUCE_TRAIN, &t->n_train);
    base_rng rng = base_rng_make(t->seed, "order", (uint64_t)t->epoch, 0);
    memcpy(t->order, rows, (size_t)t->n_train * sizeof *rows);
    base_rng_shuffle(&rng, t->order, t->n_train);
}

static void clear_sums(truce_trainer *t) {
    size_t T = (size_t)t->model->n_tasks;
    memset(t->loss_sums, 0, T * sizeof *t->loss_sums);
    memset(t->loss_counts, 0, T * sizeof *t->loss_counts);
    memset(t->weight_sums, 0, T * sizeof *t->weight_sums);
    t->epoch_begin = t->step;
    memset(t->conflict_sums, 0, T * T * sizeof *t->conflict_sums);
    memset(t->norm_sums, 0, T * sizeof *t->norm_sums);
    memset(t->conflict_counts, 0, T * T * sizeof *t->conflict_counts);
}

static double mean_of(double sum, int64_t n) {
    return n ? sum / (double)n : (double)NAN;
}

/* The mean training loss of the epoch, for progress. */
static double mean_loss(const truce_trainer *t) {
    double sum = 0, n = 0;
    for (int i = 0; i < t->model->n_tasks; i++) {
        if (t->loss_counts[i] == 0) continue;
        sum += t->loss_sums[i] / (double)t->loss_counts[i];
        n++;
    }
    return n > 0 ? sum / n : (double)NAN;
}

/* Batches on which gradients are compared are spread evenly over the epoch. */
static bool is_compared(const truce_trainer *t, int64_t batch, int64_t n_batches) {
    int64_t wanted = BASE_MIN(t->settings.conflicts, n_batches);
    return t->compares && wanted > 0 && batch * wanted / n_batches != (batch + 1) * wanted / n_batches;
}

static truce_status run_batches(truce_trainer *t, base_progress *progress) {
    int64_t batch = t->settings.batch, n_batches = (t->n_train + batch - 1) / batch;
    char note[96];
    for (int64_t i = 0; i < n_batches; i++) {
        BASE_TRY(base_check_interrupt(t->context));
        int64_t begin = i * batch, n = BASE_MIN(batch, t->n_train - begin);
        BASE_TRY(train_step(t, t->order + begin, n, is_compared(t, i, n_batches)));
        snprintf(note, sizeof note, "epoch %d/%d, loss %.4g", (int)t->epoch + 1, (int)t->settings.epochs,
                 mean_loss(t));
        base_progress_to(progress, t->step, note);
    }
    return TRUCE_OK;
}

/* ---- what is recorded -------------------------------------------------------------------------------- */

static truce_status record_training(truce_trainer *t) {
    int T = t->model->n_tasks;
    for (int i = 0; i < T; i++) {
        const char *task = t->model->tasks[i].info->name;
        double loss = mean_of(t->loss_sums[i], t->loss_counts[i]);
        BASE_TRY(record(t, "train", task, "loss", loss));
        BASE_TRY(record(t, "train", task, "weight", t->weight_sums[i] / (double)(t->step - t->epoch_begin)));
    }
    if (!t->compares) return TRUCE_OK;
    for (int i = 0; i < T; i++)
        BASE_TRY(record(t, "train", t->task_names[i], "gradient_norm",
                        mean_of(t->norm_sums[i], t->conflict_counts[i * T + i])));
    for (int i = 0; i < T * T; i++)
        t->gramian[i] =
            t->conflict_counts[i] ? t->conflict_sums[i] / (double)t->conflict_counts[i] : (double)NAN;
    return train_history_add_matrix(t->context, &t->history, t->step, "gradient_cosine", T, t->gramian);
}

static truce_status record_validation(truce_trainer *t, const train_judgement *j) {
    for (int i = 0; i < j->n_tasks; i++) {
        truce_task_result result;
        const char *task = t->model->tasks[i].info->name;
        BASE_TRY(train_measure(t->context, &j->predictions[i], &result));
        BASE_TRY(record(t, "validation", task, "loss", j->losses[i]));
        for (int k = 0; k < result.n_metrics; k++)
            BASE_TRY(record(t, "validation", task, result.metrics[k].name, result.metrics[k].value));
    }
    return TRUCE_OK;
}

/* Validates; *improved tells whether the parameters are the best so far. */
static truce_status validate(truce_trainer *t, bool *improved) {
    int64_t n = 0;
    double criterion = NAN;
    train_judgement j;
    const int64_t *rows = truce_dataset_split_rows(t->dataset, TRUCE_VALIDATION, &n);
    *improved = n == 0;
    if (n == 0) return train_keep_best(t, 0);
    BASE_TRY(train_judge(t, rows, n, &j));
    truce_status status = record_validation(t, &j);
    if (!status) status = train_criterion(t, &j, &criterion);
    train_judgement_free(t->context, &j);
    if (status) return status;
    BASE_TRY(record(t, "validation", "", "criterion", criterion));
    *improved = t->best.epoch < 0 || criterion < t->best.criterion;
    return *improved ? train_keep_best(t, criterion) : TRUCE_OK;
}

static truce_status end_epoch(truce_trainer *t) {
    for (int i = 0; i < t->model->n_tasks; i++) t->losses[i] = mean_of(t->loss_sums[i], t->loss_counts[i]);
    return truce_balancer_end_epoch(t->balancer, t->losses);
}

/* ---- the loop ---------------------------------------------------------------------------------------- */

static truce_status run_epoch(truce_trainer *t, base_progress *progress, const char *folder) {
    bool improved = false;
    shuffle_rows(t);
    clear_sums(t);
    BASE_TRY(run_batches(t, progress));
    BASE_TRY(record_training(t));
    BASE_TRY(end_epoch(t));
    BASE_TRY(validate(t, &improved));
    if (folder && improved) BASE_TRY(train_folder_save_model(t, folder));
    return train_record_flush(t);
}

static bool out_of_patience(const truce_trainer *t) {
    return t->settings.patience > 0 && t->epoch - t->best.epoch >= t->settings.patience;
}

truce_status train_loop(truce_trainer *t, const char *folder) {
    int64_t n_batches = (t->n_train + t->settings.batch - 1) / t->settings.batch;
    base_progress progress = base_progress_begin(t->context, t->what, "step", n_batches * t->settings.epochs);
    truce_status status = train_criterion_prepare(t);
    for (; !status && t->epoch < t->settings.epochs; t->epoch++) {
        status = run_epoch(t, &progress, folder);
        if (!status && out_of_patience(t)) break;
    }
    train_restore_best(t);
    char note[96];
    snprintf(note, sizeof note, "best epoch %d of %d", (int)t->best.epoch + 1,
             (int)BASE_MIN(t->epoch + 1, t->settings.epochs));
    if (!status) base_progress_end(&progress, note);
    return status;
}
