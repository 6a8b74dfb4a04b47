/*
 * Judging a model: outputs and losses over rows, metrics, and the criterion that picks the best parameters.
 */
#include "train/trainer.h"

#include <math.h>
#include <string.h>

/* ---- outputs over rows ------------------------------------------------------------------------------- */

static truce_status allocate_judgement(truce_trainer *t, int64_t n, train_judgement *out) {
    truce_context *context = t->context;
    out->n_tasks = t->model->n_tasks;
    BASE_TRY(base_alloc(context, (size_t)out->n_tasks, sizeof *out->predictions, &out->predictions));
    BASE_TRY(base_alloc(context, (size_t)out->n_tasks, sizeof *out->losses, &out->losses));
    for (int i = 0; i < out->n_tasks; i++) {
        const model_task *task = &t->model->tasks[i];
        train_predictions *p = &out->predictions[i];
        size_t size = (size_t)n * (size_t)task->n_outputs;
        *p = (train_predictions){.target = task->info, .n_rows = n, .n_outputs = task->n_outputs};
        BASE_TRY(base_alloc(context, size, sizeof(float), &p->outputs));
        if (task->info->kind == TRUCE_TARGET_CLASSES)
            BASE_TRY(base_alloc(context, (size_t)n, sizeof(int32_t), &p->classes));
        else
            BASE_TRY(base_alloc(context, size, sizeof(float), &p->values));
    }
    return TRUCE_OK;
}

void train_judgement_free(truce_context *context, train_judgement *j) {
    for (int i = 0; i < j->n_tasks && j->predictions; i++) {
        base_free(context, (void *)j->predictions[i].outputs);
        base_free(context, (void *)j->predictions[i].values);
        base_free(context, (void *)j->predictions[i].classes);
    }
    base_free(context, j->predictions);
    base_free(context, j->losses);
    *j = (train_judgement){0};
}

static void copy_outputs(truce_trainer *t, train_judgement *j, const int64_t *rows, int64_t begin,
                         int64_t n) {
    for (int i = 0; i < j->n_tasks; i++) {
        const model_task *task = &t->model->tasks[i];
        train_predictions *p = &j->predictions[i];
        const void *outputs = truce_program_values(t->eval_program, task->output);
        float *to = (float *)p->outputs + begin * task->n_outputs;
        for (int64_t k = 0; k < n * task->n_outputs; k++)
            to[k] = t->settings.precision ? (float)((const double *)outputs)[k] : ((const float *)outputs)[k];
        void *labels = p->classes ? (void *)((int32_t *)p->classes + begin)
                                  : (void *)((float *)p->values + begin * task->n_outputs);
        truce_dataset_read_target(t->dataset, task->target_index, rows + begin, n, labels);
    }
}

/* Labelled elements among rows begin .. begin + n of what has been copied. */
static int64_t count_labels(const train_predictions *p, int64_t begin, int64_t n) {
    train_predictions part = *p;
    part.n_rows = n;
    if (part.classes) part.classes += begin;
    if (part.values) part.values += begin * p->n_outputs;
    return train_count_labels(&part);
}

static void add_batch_losses(truce_trainer *t, train_judgement *j, int64_t begin, int64_t n, double *counts) {
    truce_jacobian_losses(truce_program_jacobian(t->eval_program), t->losses);
    for (int i = 0; i < j->n_tasks; i++) {
        double labels = (double)count_labels(&j->predictions[i], begin, n);
        if (labels > 0) j->losses[i] += labels * t->losses[i];
        counts[i] += labels;
    }
}

static truce_status judge_batches(truce_trainer *t, const int64_t *rows, int64_t n, train_judgement *j,
                                  double *counts) {
    int64_t batch = t->settings.eval_batch;
    for (int64_t begin = 0; begin < n; begin += batch) {
        int64_t size = BASE_MIN(batch, n - begin);
        BASE_TRY(base_check_interrupt(t->context));
        BASE_TRY(train_fill(t, t->eval_program, rows + begin, size));
        BASE_TRY(truce_program_forward(t->eval_program, &(truce_run){.n_rows = size}));
        copy_outputs(t, j, rows, begin, size);
        add_batch_losses(t, j, begin, size, counts);
    }
    for (int i = 0; i < j->n_tasks; i++)
        j->losses[i] = counts[i] > 0 ? j->losses[i] / counts[i] : (double)NAN;
    return TRUCE_OK;
}

truce_status train_judge(truce_trainer *t, const int64_t *rows, int64_t n, train_judgement *out) {
    train_judgement j = {.n_tasks = 0};
    double *counts = NULL;
    truce_status status = allocate_judgement(t, n, &j);
    if (!status) status = base_alloc(t->context, (size_t)j.n_tasks, sizeof *counts, &counts);
    if (!status) status = judge_batches(t, rows, n, &j, counts);
    base_free(t->context, counts);
    if (status)
        train_judgement_free(t->context, &j);
    else
        *out = j;
    return status;
}

truce_status truce_trainer_evaluate(truce_trainer *t, truce_split split, truce_task_result *results) {
    int64_t n = 0;
    const int64_t *rows = truce_dataset_split_rows(t->dataset, split, &n);
    train_judgement j;
    if (n == 0)
        return base_fail(t->context, TRUCE_ERROR_DATA, "there are no %s rows to judge on",
                         truce_split_name(split));
    BASE_TRY(train_judge(t, rows, n, &j));
    truce_status status = TRUCE_OK;
    for (int i = 0; i < j.n_tasks && !status; i++) {
        truce_task_result *result = &results[i];
        *result = (truce_task_result){.task = t->model->tasks[i].info->name};
        status = train_measure(t->context, &j.predictions[i], result);
        if (!status)
            result->metrics[result->n_metrics++] = (truce_metric){.name = "loss", .value = j.losses[i]};
    }
    train_judgement_free(t->context, &j);
    return status;
}

/* ---- predictions ------------------------------------------------------------------------------------- */

static void softmax_row(float *x, int n) {
    double largest = -INFINITY, sum = 0;
    for (int k = 0; k < n; k++) largest = fmax(largest, (double)x[k]);
    for (int k = 0; k < n; k++) sum += exp((double)x[k] - largest);
    for (int k = 0; k < n; k++) x[k] = (float)(exp((double)x[k] - largest) / sum);
}

/* From what the model gives to probabilities, or to the target's own units. */
static void finish_outputs(const model_task *task, float *x, int64_t n) {
    const truce_target *target = task->info;
    double scale = target->scale == 0 ? 1 : target->scale;
    for (int64_t row = 0; row < n && target->kind == TRUCE_TARGET_CLASSES; row++)
        softmax_row(x + row * task->n_outputs, task->n_outputs);
    for (int64_t i = 0; i < n * task->n_outputs && target->kind != TRUCE_TARGET_CLASSES; i++)
        x[i] = target->kind == TRUCE_TARGET_BINARY ? (float)(1 / (1 + exp(-(double)x[i])))
                                                   : (float)(target->mean + scale * (double)x[i]);
}

truce_status truce_trainer_predict(truce_trainer *t, int task, const int64_t *rows, int64_t n, float *out) {
    train_judgement j;
    if (task < 0 || task >= t->model->n_tasks)
        return base_fail(t->context, TRUCE_ERROR_ARGUMENT, "there is no task %d", task);
    BASE_TRY(train_judge(t, rows, n, &j));
    const train_predictions *p = &j.predictions[task];
    if (n) memcpy(out, p->outputs, (size_t)(n * p->n_outputs) * sizeof *out);
    finish_outputs(&t->model->tasks[task], out, n);
    train_judgement_free(t->context, &j);
    return TRUCE_OK;
}

/* ---- the criterion ----------------------------------------------------------------------------------- */

/* Loss of the best constant prediction: entropy of the labels, or the spread of the numbers. */
static double constant_entropy(const train_predictions *p) {
    double n = 0, entropy = 0;
    bool binary = p->target->kind == TRUCE_TARGET_BINARY;
    for (int k = 0; k < (binary ? 2 : p->target->n_classes); k++) {
        double count = 0;
        for (int64_t i = 0; i < p->n_rows; i++)
            count += binary ? p->values[i] == (float)k : p->classes[i] == k;
        if (count > 0) entropy -= count * log(count);
        n += count;
    }
    return n > 0 ? entropy / n + log(n) : (double)NAN;
}

static double constant_spread(const train_predictions *p) {
    double n = 0, mean = 0, spread = 0;
    int64_t size = p->n_rows * p->n_outputs;
    for (int64_t i = 0; i < size; i++)
        if (!isnan(p->values[i])) mean += (double)p->values[i], n++;
    mean /= n;
    for (int64_t i = 0; i < size; i++)
        if (!isnan(p->values[i])) spread += ((double)p->values[i] - mean) * ((double)p->values[i] - mean);
    return spread / n;
}

static double constant_loss(const train_predictions *p) {
    double loss = p->target->kind == TRUCE_TARGET_REGRESSION ? constant_spread(p) : constant_entropy(p);
    return loss > 0 ? loss : 1;
}

/* "task.metric" in two; task is -1 where the name is no such thing. */
static truce_status find_metric(truce_trainer *t, int *task, const train_metric **metric) {
    const char *name = t->settings.criterion, *dot = strrchr(name, '.');
    *task = -1;
    if (!dot)
        return base_fail(t->context, TRUCE_ERROR_NAME,
                         "criterion '%s' is not known; there are relative_loss, loss, and TASK.METRIC", name);
    for (int i = 0; i < t->model->n_tasks; i++) {
        const char *task_name = t->model->tasks[i].info->name;
        if (strlen(task_name) == (size_t)(dot - name) && strncmp(task_name, name, (size_t)(dot - name)) == 0)
            *task = i;
    }
    if (*task < 0)
        return base_fail(t->context, TRUCE_ERROR_NAME, "criterion '%s' names a task that is not trained",
                         name);
    *metric = train_metric_find(dot + 1);
    if (!*metric || !train_metric_fits(*metric, t->model->tasks[*task].info->kind))
        return base_fail(t->context, TRUCE_ERROR_NAME, "criterion '%s': task '%s' has no metric '%s'", name,
                         t->model->tasks[*task].info->name, dot + 1);
    return TRUCE_OK;
}

static bool is_loss_criterion(const truce_trainer *t) {
    return strcmp(t->settings.criterion, "loss") == 0 || strcmp(t->settings.criterion, "relative_loss") == 0;
}

truce_status train_criterion_prepare(truce_trainer *t) {
    int64_t n = 0;
    int task;
    const train_metric *metric = NULL;
    const int64_t *rows = truce_dataset_split_rows(t->dataset, TRUCE_VALIDATION, &n);
    train_judgement j;
    if (!is_loss_criterion(t)) return find_metric(t, &task, &metric);
    for (int i = 0; i < t->model->n_tasks; i++) t->baseline[i] = 1;
    if (n == 0 || strcmp(t->settings.criterion, "loss") == 0) return TRUCE_OK;
    BASE_TRY(train_judge(t, rows, n, &j));
    for (int i = 0; i < j.n_tasks; i++) t->baseline[i] = constant_loss(&j.predictions[i]);
    train_judgement_free(t->context, &j);
    return TRUCE_OK;
}

truce_status train_criterion(truce_trainer *t, const train_judgement *j, double *out) {
    double sum = 0, n = 0;
    if (!is_loss_criterion(t)) {
        int task;
        const train_metric *metric = NULL;
        BASE_TRY(find_metric(t, &task, &metric));
        BASE_TRY(metric->compute(t->context, &j->predictions[task], out));
        if (metric->higher_is_better) *out = -*out;
        return TRUCE_OK;
    }
    for (int i = 0; i < j->n_tasks; i++) {
        if (isnan(j->losses[i])) continue;
        sum += j->losses[i] / t->baseline[i];
        n++;
    }
    *out = n > 0 ? sum / n : (double)NAN;
    return TRUCE_OK;
}
