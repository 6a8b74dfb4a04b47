/*
 * One training step: rows into the program, forward, what the balancer needs, weights, gradient, update. And
 * the watch on numbers: NaN or infinity ends the training with the name of what went wrong.
 */
#include "train/trainer.h"

#include "base/progress.h"

#include <math.h>
#include <string.h>

static bool is_double(const truce_trainer *t) {
    return t->settings.precision == 1;
}

/* n floats from where they were read to a program's input, which may be in double. */
static void put_reals(const truce_trainer *t, void *to, int64_t n) {
    const float *from = t->wide;
    for (int64_t i = 0; i < n; i++) ((double *)to)[i] = (double)from[i];
}

static truce_status fill_input(truce_trainer *t, truce_program *program, int i, const int64_t *rows,
                               int64_t n) {
    const truce_input *info = truce_dataset_input(t->dataset, i);
    void *to = truce_program_values(program, t->model->inputs[i]);
    bool convert = is_double(t) && info->kind == TRUCE_INPUT_NUMBERS;
    if (!to) return TRUCE_OK;
    BASE_TRY(truce_dataset_read_input(t->dataset, i, rows, n, convert ? t->wide : to));
    if (convert) put_reals(t, to, n * truce_shape_size(&info->row_shape));
    return TRUCE_OK;
}

static void fill_target(truce_trainer *t, truce_program *program, const model_task *task, const int64_t *rows,
                        int64_t n) {
    void *to = truce_program_values(program, task->target);
    bool convert = is_double(t) && task->info->kind != TRUCE_TARGET_CLASSES;
    if (!to) return;
    truce_dataset_read_target(t->dataset, task->target_index, rows, n, convert ? t->wide : to);
    if (convert) put_reals(t, to, n * task->n_outputs);
}

truce_status train_fill(truce_trainer *t, truce_program *program, const int64_t *rows, int64_t n) {
    for (int i = 0; i < truce_dataset_inputs(t->dataset); i++) BASE_TRY(fill_input(t, program, i, rows, n));
    for (int i = 0; i < t->model->n_tasks; i++) fill_target(t, program, &t->model->tasks[i], rows, n);
    return TRUCE_OK;
}

/* ---- the watch --------------------------------------------------------------------------------------- */

static const char *task_name(const truce_trainer *t, int task) {
    return t->model->tasks[task].info->name;
}

#define ADVICE "; a smaller train.rate, or train.clip, may help"

/* Looks at the values themselves: in the list of losses NaN only says that there was no label. */
static truce_status check_losses(truce_trainer *t, int64_t n) {
    for (int i = 0; i < t->model->n_tasks; i++) {
        const void *loss = truce_program_values(t->train_program, t->model->tasks[i].loss);
        double value = is_double(t) ? *(const double *)loss : (double)*(const float *)loss;
        if (isfinite(value)) continue;
        return base_fail(t->context, TRUCE_ERROR_NUMERIC,
                         "the loss of task '%s' became %s at step %lld (epoch %lld, %lld rows)" ADVICE,
                         task_name(t, i), isnan(value) ? "NaN" : "infinite", (long long)t->step,
                         (long long)t->epoch + 1, (long long)n);
    }
    return TRUCE_OK;
}

static bool finite_values(const truce_trainer *t, const char *gradient, const truce_parameter *p) {
    for (int64_t i = 0; i < p->size; i++) {
        double value = is_double(t) ? ((const double *)(const void *)gradient)[p->offset + i]
                                    : (double)((const float *)(const void *)gradient)[p->offset + i];
        if (!isfinite(value)) return false;
    }
    return true;
}

/* The task whose own gradient of this tensor is not finite, by one reverse sweep per task on the same batch.
 */
static const char *guilty_task(truce_trainer *t, const truce_parameter *tensor, int64_t n) {
    for (int i = 0; i < t->model->n_tasks; i++) {
        void *gradient = NULL;
        truce_run run = {.n_rows = n, .seed = t->seed, .step = (uint64_t)t->step, .freeze_state = 1};
        for (int k = 0; k < t->model->n_tasks; k++) t->weights[k] = k == i;
        if (truce_program_forward(t->train_program, &run) ||
            truce_jacobian_combine(truce_program_jacobian(t->train_program), t->weights, TRUCE_OWN_WEIGHTED,
                                   &gradient))
            return NULL;
        if (!finite_values(t, gradient, tensor)) return task_name(t, i);
    }
    return NULL;
}

static truce_status fail_gradient(truce_trainer *t, const void *gradient, int64_t n) {
    for (int i = 0; i < truce_parameters_count(t->parameters); i++) {
        const truce_parameter *p = truce_parameters_at(t->parameters, i);
        if (!p->trainable || finite_values(t, gradient, p)) continue;
        const char *task = guilty_task(t, p, n);
        return base_fail(
            t->context, TRUCE_ERROR_NUMERIC,
            "the gradient of tensor '%s' became NaN or infinite at step %lld (epoch %lld)%s%s%s" ADVICE,
            p->name, (long long)t->step, (long long)t->epoch + 1, task ? " by task '" : "", task ? task : "",
            task ? "'" : "");
    }
    return base_fail(t->context, TRUCE_ERROR_NUMERIC,
                     "the gradient became NaN or infinite at step %lld" ADVICE, (long long)t->step);
}

/* ---- the step ---------------------------------------------------------------------------------------- */

static void add_conflicts(truce_trainer *t) {
    int T = t->model->n_tasks;
    for (int i = 0; i < T; i++)
        for (int j = 0; j < T; j++) {
            double norms = sqrt(t->gramian[i * T + i] * t->gramian[j * T + j]);
            if (!(norms > 0) || !isfinite(norms)) continue;
            t->conflict_sums[i * T + j] += t->gramian[i * T + j] / norms;
            t->conflict_counts[i * T + j]++;
            if (i == j) t->norm_sums[i] += sqrt(norms);
        }
}

/* Methods without weights leave NaN, and so does the record of theirs. */
static void add_weights(truce_trainer *t) {
    for (int i = 0; i < t->model->n_tasks; i++) t->weight_sums[i] += t->weights[i];
}

static void add_losses(truce_trainer *t) {
    for (int i = 0; i < t->model->n_tasks; i++) {
        if (isnan(t->losses[i])) continue;
        t->loss_sums[i] += t->losses[i];
        t->loss_counts[i]++;
    }
}

/* Weights, and the gradient they give; methods without weights put their direction in place of the shared
 * part. */
static truce_status settle(truce_trainer *t, truce_jacobian *jacobian, void **gradient) {
    int64_t n = 0, n_shared = 0, stride = 0;
    truce_balance_input input = {
        .losses = t->losses, .gramian = t->gramian, .dtype = truce_parameters_dtype(t->parameters)};
    if (t->needs & TRUCE_NEEDS_GRAMIAN) BASE_TRY(truce_jacobian_gramian(jacobian, t->gramian));
    if (!(t->needs & TRUCE_NEEDS_JACOBIAN)) {
        BASE_TRY(truce_balancer_weigh(t->balancer, &input, t->weights));
        return truce_jacobian_combine(jacobian, t->weights, t->own, gradient);
    }
    BASE_TRY(truce_jacobian_rows(jacobian, &input.jacobian, &stride));
    truce_parameters_block(t->parameters, &n, &n_shared);
    input.n_parameters = n_shared;
    input.row_stride = stride;
    for (int i = 0; i < t->model->n_tasks; i++) t->weights[i] = 1;
    BASE_TRY(truce_jacobian_combine(jacobian, t->weights, TRUCE_OWN_PLAIN, gradient));
    return truce_balancer_aggregate(t->balancer, &input, *gradient, t->weights);
}

/* FAMO and its like look at the losses of the same batch, with the same dropout, after the update. */
static truce_status observe(truce_trainer *t, truce_run *run) {
    if (!(t->needs & TRUCE_NEEDS_LOSSES_AFTER)) return TRUCE_OK;
    run->freeze_state = 1;
    BASE_TRY(truce_program_forward(t->train_program, run));
    truce_jacobian_losses(truce_program_jacobian(t->train_program), t->losses);
    return truce_balancer_observe(t->balancer, t->losses);
}

static truce_status compare_gradients(truce_trainer *t, truce_jacobian *jacobian) {
    double began = base_seconds();
    BASE_TRY(truce_jacobian_gramian(jacobian, t->gramian));
    add_conflicts(t);
    if (!(t->needs & (TRUCE_NEEDS_GRAMIAN | TRUCE_NEEDS_JACOBIAN))) t->step_seconds -= base_seconds() - began;
    return TRUCE_OK;
}

truce_status train_step(truce_trainer *t, const int64_t *rows, int64_t n, bool compare) {
    double began = base_seconds(), rate = t->settings.rate * truce_schedule_factor(&t->schedule, t->step);
    int64_t length = 0, n_shared = 0;
    void *gradient = NULL;
    truce_jacobian *jacobian = truce_program_jacobian(t->train_program);
    truce_run run = {.n_rows = n, .seed = t->seed, .step = (uint64_t)t->step};
    BASE_TRY(train_fill(t, t->train_program, rows, n));
    BASE_TRY(truce_program_forward(t->train_program, &run));
    truce_jacobian_losses(jacobian, t->losses);
    BASE_TRY(check_losses(t, n));
    add_losses(t);
    if (compare) BASE_TRY(compare_gradients(t, jacobian));
    BASE_TRY(settle(t, jacobian, &gradient));
    add_weights(t);
    truce_parameters_block(t->parameters, &length, &n_shared);
    if (!isfinite(truce_clip(t->parameters, gradient, length, t->settings.clip)))
        return fail_gradient(t, gradient, n);
    truce_optimizer_step(t->optimizer, gradient, rate);
    BASE_TRY(observe(t, &run));
    t->step++;
    t->step_seconds += base_seconds() - began;
    return TRUCE_OK;
}
