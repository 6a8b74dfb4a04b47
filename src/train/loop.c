/*
 * Epochs: shuffled batches, what is recorded, validation, the best parameters, patience.
 */
#include "train/trainer.h"

#include "base/progress.h"
#include "base/rng.h"
#include "engine/parameters.h"

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

static size_t block_bytes(const truce_trainer *t) {
    return (size_t)t->parameters->n * truce_dtype_bytes(t->parameters->dtype);
}

static size_t state_bytes(const truce_trainer *t) {
    return (size_t)t->parameters->n_state * truce_dtype_bytes(t->parameters->dtype);
}

truce_status train_keep_best(truce_trainer *t, double criterion) {
    memcpy(t->best.block, t->parameters->block, block_bytes(t));
    memcpy(t->best.state, t->parameters->state, state_bytes(t));
    t->best.criterion = criterion;
    t->best.epoch = t->epoch;
    return TRUCE_OK;
}

void train_restore_best(truce_trainer *t) {
    if (t->best.epoch < 0) return;
    memcpy(t->parameters->block, t->best.block, block_bytes(t));
    memcpy(t->parameters->state, t->best.state, state_bytes(t));
}

/* ---- one epoch --------------------------------------------------------------------------------------- */

static void shuffle_rows(truce_trainer *t) {
    const int64_t *rows = truce_dataset_split_rows(t->dataset, TRUCE_TRAIN, &t->n_train);
    base_rng rng = base_rng_make(t->seed, "order", (uint64_t)t->epoch, 0);
    memcpy(t->order, rows, (size_t)t->n_train * sizeof *rows);
    base_rng_shuffle(&rng, t->order, t->n_train);
}

static void clear_sums(truce_trainer *t) {
    memset(t->sums.all, 0, (size_t)t->sums.n * sizeof *t->sums.all);
}

static double mean_of(double sum, double n) {
    return n > 0 ? sum / n : (double)NAN;
}

/* The mean training loss of the epoch, for progress. */
static double mean_loss(const truce_trainer *t) {
    double sum = 0, n = 0;
    for (int i = 0; i < t->model->n_tasks; i++) {
        if (t->sums.n_losses[i] == 0) continue;
        sum += t->sums.losses[i] / t->sums.n_losses[i];
        n++;
    }
    return mean_of(sum, n);
}

static int64_t count_batches(const truce_trainer *t) {
    return (t->n_train + t->settings.batch - 1) / t->settings.batch;
}

/* Batches on which gradients are compared are spread evenly over the epoch. */
static bool is_compared(const truce_trainer *t, int64_t batch, int64_t n_batches) {
    int64_t wanted = BASE_MIN(t->settings.conflicts, n_batches);
    return t->compares && wanted > 0 && batch * wanted / n_batches != (batch + 1) * wanted / n_batches;
}

static truce_status checkpoint_in_time(truce_trainer *t, const char *folder) {
    if (!folder || base_seconds() - t->checkpointed < t->settings.checkpoint) return TRUCE_OK;
    return train_checkpoint_save(t, folder);
}

static truce_status run_batches(truce_trainer *t, base_progress *progress, const char *folder) {
    int64_t batch = t->settings.batch, n_batches = count_batches(t);
    char note[96];
    while (t->batch < n_batches) {
        BASE_TRY(base_check_interrupt(t->context));
        int64_t begin = t->batch * batch, n = BASE_MIN(batch, t->n_train - begin);
        BASE_TRY(train_step(t, t->order + begin, n, is_compared(t, t->batch, n_batches)));
        t->batch++;
        snprintf(note, sizeof note, "epoch %d/%d, loss %.4g", (int)t->epoch + 1, (int)t->settings.epochs,
                 mean_loss(t));
        base_progress_to(progress, t->step, note);
        if (t->batch < n_batches) BASE_TRY(checkpoint_in_time(t, folder));
    }
    return TRUCE_OK;
}

/* ---- what is recorded -------------------------------------------------------------------------------- */

static truce_status record_training(truce_trainer *t) {
    const train_sums *s = &t->sums;
    int T = t->model->n_tasks;
    for (int i = 0; i < T; i++) {
        BASE_TRY(record(t, "train", t->task_names[i], "loss", mean_of(s->losses[i], s->n_losses[i])));
        BASE_TRY(record(t, "train", t->task_names[i], "weight", mean_of(s->weights[i], (double)t->batch)));
    }
    if (!t->compares) return TRUCE_OK;
    for (int i = 0; i < T; i++)
        BASE_TRY(record(t, "train", t->task_names[i], "gradient_norm",
                        mean_of(s->norms[i], s->n_cosines[i * T + i])));
    for (int i = 0; i < T * T; i++) t->gramian[i] = mean_of(s->cosines[i], s->n_cosines[i]);
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
    for (int i = 0; i < t->model->n_tasks; i++)
        t->losses[i] = mean_of(t->sums.losses[i], t->sums.n_losses[i]);
    return truce_balancer_end_epoch(t->balancer, t->losses);
}

/* ---- the loop ---------------------------------------------------------------------------------------- */

static bool out_of_patience(const truce_trainer *t) {
    return t->settings.patience > 0 && t->epoch - 1 - t->best.epoch >= t->settings.patience;
}

static bool is_finished(const truce_trainer *t) {
    return t->epoch >= t->settings.epochs || out_of_patience(t);
}

/* The rest of the epoch that the trainer stands in; afterwards it stands at the beginning of the next. */
static truce_status run_epoch(truce_trainer *t, base_progress *progress, const char *folder) {
    bool improved = false;
    shuffle_rows(t);
    if (t->batch == 0) clear_sums(t);
    BASE_TRY(run_batches(t, progress, folder));
    BASE_TRY(record_training(t));
    BASE_TRY(end_epoch(t));
    BASE_TRY(validate(t, &improved));
    if (folder && improved) BASE_TRY(train_folder_save_model(t, folder));
    BASE_TRY(train_record_flush(t));
    t->epoch++;
    t->batch = 0;
    return is_finished(t) && folder ? train_checkpoint_save(t, folder) : checkpoint_in_time(t, folder);
}

truce_status train_loop(truce_trainer *t, const char *folder) {
    base_progress progress =
        base_progress_begin(t->context, t->what, "step", count_batches(t) * t->settings.epochs);
    truce_status status = train_criterion_prepare(t);
    t->checkpointed = base_seconds();
    while (!status && !is_finished(t)) status = run_epoch(t, &progress, folder);
    train_restore_best(t);
    char note[96];
    snprintf(note, sizeof note, "best epoch %d of %d", (int)t->best.epoch + 1, (int)t->epoch);
    if (!status) base_progress_end(&progress, note);
    return status;
}
