/*
 * One step: look at the input, leave out tasks without labels, let the method work on the rest, check what it
 * says, and put it in its place.
 */
#include "balance/balancer.h"
#include "balance/columns.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What the input is, before tasks are left out: all fields with T tasks, or NULL. */
typedef struct raw_step {
    unsigned needs;
    const double *losses, *gramian, *cross, *validation, *scores;
    const double *squares; /* [T] |g_i|^2 where the Jacobian is used without its Gramian */
    const truce_balance_input *input;
} raw_step;

static truce_status fail_missing(const truce_balancer *balancer, const char *what, const char *field) {
    return balance_fail(balancer, TRUCE_ERROR_ARGUMENT, "it needs %s, but '%s' of the input is not set", what,
                        field);
}

static truce_status check_fields(const truce_balancer *balancer, unsigned needs,
                                 const truce_balance_input *input) {
    if ((needs & TRUCE_NEEDS_LOSSES) && !input->losses) return fail_missing(balancer, "losses", "losses");
    if ((needs & TRUCE_NEEDS_GRAMIAN) && !input->gramian && !input->jacobian)
        return fail_missing(balancer, "the Gramian", "gramian");
    if ((needs & TRUCE_NEEDS_JACOBIAN) && !input->jacobian)
        return fail_missing(balancer, "the Jacobian", "jacobian");
    if ((needs & TRUCE_NEEDS_CROSS_GRAMIAN) && !input->cross_gramian)
        return fail_missing(balancer, "the Gramian across two batches", "cross_gramian");
    if (input->jacobian && (input->n_parameters < 1 || input->dtype == TRUCE_INT32))
        return balance_fail(balancer, TRUCE_ERROR_ARGUMENT,
                            "the Jacobian must have float32 or float64 columns");
    return TRUCE_OK;
}

/* All tasks in their own order, for what is computed from a whole Jacobian. */
static balance_step all_tasks(truce_balancer *balancer, const truce_balance_input *input) {
    for (int i = 0; i < balancer->n_tasks; i++) balancer->task[i] = i;
    return (balance_step){.n = balancer->n_tasks, .task = balancer->task, .input = input};
}

static raw_step look_at(truce_balancer *balancer, const truce_balance_input *input) {
    raw_step raw = {.needs = balance_needs(balancer), .input = input, .losses = input->losses};
    balance_step all = all_tasks(balancer, input);
    if (raw.needs & TRUCE_NEEDS_GRAMIAN) {
        raw.gramian = input->gramian;
        if (!raw.gramian) {
            balance_gramian_of_rows(balancer, &all, balancer->from_rows);
            raw.gramian = balancer->from_rows;
        }
    } else if (raw.needs & TRUCE_NEEDS_JACOBIAN) {
        balance_norms_of_rows(balancer, &all, balancer->from_rows);
        raw.squares = balancer->from_rows;
    }
    if (raw.needs & TRUCE_NEEDS_CROSS_GRAMIAN) raw.cross = input->cross_gramian;
    if (raw.needs & TRUCE_NEEDS_VALIDATION_PASS) raw.validation = input->validation_gramian;
    raw.scores = input->scores;
    return raw;
}

/*
 * Squared norms below the normal numbers have no digits left: their rows count as zero. (A product across
 * batches may be zero by chance, so that a task is missing there by its loss alone.)
 */
static bool is_absent(const truce_balancer *balancer, const raw_step *raw, int i) {
    int n = balancer->n_tasks;
    if (raw->losses && isnan(raw->losses[i])) return true;
    if ((raw->needs & BALANCE_POSITIVE_LOSSES) && raw->losses[i] == 0) return true;
    if (raw->gramian && fabs(raw->gramian[i * (n + 1)]) < DBL_MIN) return true;
    return raw->squares && raw->squares[i] < DBL_MIN;
}

static truce_status fail_task(const truce_balancer *balancer, truce_status status, int i, const char *what,
                              double value) {
    char task[BALANCE_TASK_BYTES];
    return balance_fail(balancer, status, "the %s of %s is %g", what, balance_task_text(balancer, i, task),
                        value);
}

static truce_status check_task(const truce_balancer *balancer, const raw_step *raw, int i) {
    int diagonal = i * (balancer->n_tasks + 1);
    if (raw->losses && !isfinite(raw->losses[i]))
        return fail_task(balancer, TRUCE_ERROR_NUMERIC, i, "loss", raw->losses[i]);
    if ((raw->needs & BALANCE_POSITIVE_LOSSES) && raw->losses[i] < 0) {
        char task[BALANCE_TASK_BYTES];
        return balance_fail(balancer, TRUCE_ERROR_DATA,
                            "the loss of %s is %g, but it takes the logarithm of losses or divides by them",
                            balance_task_text(balancer, i, task), raw->losses[i]);
    }
    if (raw->scores && !isfinite(raw->scores[i]))
        return fail_task(balancer, TRUCE_ERROR_NUMERIC, i, "score", raw->scores[i]);
    const double *squares = raw->gramian ? &raw->gramian[diagonal] : raw->squares ? &raw->squares[i] : NULL;
    if (squares && !(isfinite(*squares) && *squares >= 0))
        return fail_task(balancer, TRUCE_ERROR_NUMERIC, i, "squared gradient norm", *squares);
    return TRUCE_OK;
}

static truce_status fail_pair(const truce_balancer *balancer, const char *what, int i, int j, double value) {
    char one[BALANCE_TASK_BYTES], other[BALANCE_TASK_BYTES];
    return balance_fail(balancer, TRUCE_ERROR_NUMERIC, "the %s of %s and %s is %g", what,
                        balance_task_text(balancer, i, one), balance_task_text(balancer, j, other), value);
}

/* Copies the present tasks' part of a [T][T] matrix. */
static truce_status gather_pairs(const truce_balancer *balancer, const balance_step *step, const char *what,
                                 const double *whole, double *part) {
    for (int i = 0; i < step->n; i++)
        for (int j = 0; j < step->n; j++) {
            double value = whole[step->task[i] * balancer->n_tasks + step->task[j]];
            if (!isfinite(value)) return fail_pair(balancer, what, step->task[i], step->task[j], value);
            part[i * step->n + j] = value;
        }
    return TRUCE_OK;
}

static void symmetrise(int n, double *matrix) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            matrix[i * n + j] = matrix[j * n + i] = 0.5 * matrix[i * n + j] + 0.5 * matrix[j * n + i];
}

static const double *gather_values(const balance_step *step, const double *whole, double *part) {
    if (!whole) return NULL;
    for (int i = 0; i < step->n; i++) part[i] = whole[step->task[i]];
    return part;
}

static truce_status gather_matrices(truce_balancer *balancer, const raw_step *raw, balance_step *step) {
    if (raw->gramian) {
        BASE_TRY(
            gather_pairs(balancer, step, "inner product of the gradients", raw->gramian, balancer->gramian));
        symmetrise(step->n, balancer->gramian);
        step->gramian = balancer->gramian;
    }
    if (raw->cross) {
        BASE_TRY(gather_pairs(balancer, step, "product across batches", raw->cross, balancer->cross));
        step->cross = balancer->cross;
    }
    if (raw->validation) {
        BASE_TRY(gather_pairs(balancer, step, "product with validation gradients", raw->validation,
                              balancer->validation));
        step->validation = balancer->validation;
    }
    return TRUCE_OK;
}

static truce_status gather(truce_balancer *balancer, const raw_step *raw, balance_step *step) {
    *step = (balance_step){.task = balancer->task, .input = raw->input};
    for (int i = 0; i < balancer->n_tasks; i++) {
        if (is_absent(balancer, raw, i)) continue;
        BASE_TRY(check_task(balancer, raw, i));
        balancer->task[step->n++] = i;
    }
    step->losses = gather_values(step, raw->losses, balancer->losses);
    step->scores = gather_values(step, raw->scores, balancer->scores);
    BASE_TRY(gather_matrices(balancer, raw, step));
    if (!raw->gramian && !raw->squares) return TRUCE_OK;
    for (int i = 0; i < step->n; i++)
        balancer->norms[i] =
            sqrt(raw->gramian ? step->gramian[i * (step->n + 1)] : raw->squares[step->task[i]]);
    step->norms = balancer->norms;
    return TRUCE_OK;
}

static truce_status begin(truce_balancer *balancer, const truce_balance_input *input, balance_step *step) {
    BASE_TRY(check_fields(balancer, balance_needs(balancer), input));
    BASE_TRY(truce_balancer_prepare(balancer, input->jacobian ? input->n_parameters : 0));
    raw_step raw = look_at(balancer, input);
    return gather(balancer, &raw, step);
}

static truce_status check_weights(const truce_balancer *balancer, const balance_step *step) {
    for (int i = 0; i < step->n; i++)
        if (!isfinite(balancer->weights[i]))
            return fail_task(balancer, TRUCE_ERROR_NUMERIC, step->task[i], "weight", balancer->weights[i]);
    return TRUCE_OK;
}

/* The weights of the present tasks, into balancer->weights. */
static truce_status weigh_step(truce_balancer *balancer, const balance_step *step) {
    const balance_method *method = balancer->method;
    if (!method->weigh)
        return balance_fail(
            balancer, TRUCE_ERROR_UNSUPPORTED,
            "it has no weights, only a direction; use truce_balancer_aggregate with the Jacobian");
    if (step->n == 0) return TRUCE_OK;
    balance_gather_state(balancer, step);
    truce_status status = method->weigh(balancer, balancer->self, step, balancer->weights);
    balance_scatter_state(balancer, step);
    if (status) return status;
    BASE_TRY(check_weights(balancer, step));
    bool is_look_ahead = (balance_needs(balancer) & TRUCE_NEEDS_VALIDATION_PASS) && !step->validation;
    *balancer->steps += is_look_ahead ? 0 : 1;
    return TRUCE_OK;
}

static void scatter_weights(const truce_balancer *balancer, const balance_step *step, double *weights) {
    for (int i = 0; i < balancer->n_tasks; i++) weights[i] = 0;
    for (int i = 0; i < step->n; i++) weights[step->task[i]] = balancer->weights[i];
}

truce_status truce_balancer_weigh(truce_balancer *balancer, const truce_balance_input *input,
                                  double *weights) {
    balance_step step;
    BASE_TRY(begin(balancer, input, &step));
    BASE_TRY(weigh_step(balancer, &step));
    scatter_weights(balancer, &step, weights);
    return TRUCE_OK;
}

/* A method that picks its direction from coordinates. */
static truce_status choose_direction(truce_balancer *balancer, const balance_step *step, void *direction,
                                     double *weights) {
    if (step->n == 0) {
        memset(direction, 0, (size_t)balancer->n_parameters * truce_dtype_bytes(step->input->dtype));
    } else {
        balance_gather_state(balancer, step);
        truce_status status = balancer->method->aggregate(balancer, balancer->self, step, direction);
        balance_scatter_state(balancer, step);
        if (status) return status;
        *balancer->steps += 1;
    }
    for (int i = 0; weights && i < balancer->n_tasks; i++) weights[i] = (double)NAN;
    return TRUCE_OK;
}

truce_status truce_balancer_aggregate(truce_balancer *balancer, const truce_balance_input *input,
                                      void *direction, double *weights) {
    balance_step step;
    if (!input->jacobian) return fail_missing(balancer, "the Jacobian to make a direction", "jacobian");
    BASE_TRY(begin(balancer, input, &step));
    if (balancer->method->aggregate && (balance_needs(balancer) & TRUCE_NEEDS_JACOBIAN))
        return choose_direction(balancer, &step, direction, weights);
    BASE_TRY(weigh_step(balancer, &step));
    BASE_TRY(balance_combine_rows(balancer, &step, balancer->weights, direction));
    if (weights) scatter_weights(balancer, &step, weights);
    return TRUCE_OK;
}

/* Calls a hook that hears losses only. */
static truce_status tell_losses(truce_balancer *balancer, const double *losses,
                                truce_status (*hook)(truce_balancer *, void *, const balance_step *)) {
    raw_step raw = {.losses = losses, .needs = balance_needs(balancer) & BALANCE_POSITIVE_LOSSES};
    balance_step step;
    BASE_TRY(truce_balancer_prepare(balancer, balancer->n_parameters));
    BASE_TRY(gather(balancer, &raw, &step));
    if (step.n == 0) return TRUCE_OK;
    balance_gather_state(balancer, &step);
    truce_status status = hook(balancer, balancer->self, &step);
    balance_scatter_state(balancer, &step);
    return status;
}

truce_status truce_balancer_observe(truce_balancer *balancer, const double *losses) {
    if (balancer->inner) return truce_balancer_observe(balancer->inner, losses);
    if (!balancer->method->observe) return TRUCE_OK;
    return tell_losses(balancer, losses, balancer->method->observe);
}

truce_status truce_balancer_end_epoch(truce_balancer *balancer, const double *mean_losses) {
    if (balancer->inner) return truce_balancer_end_epoch(balancer->inner, mean_losses);
    if (!balancer->method->end_epoch) return TRUCE_OK;
    BASE_TRY(tell_losses(balancer, mean_losses, balancer->method->end_epoch));
    *balancer->epochs += 1;
    return TRUCE_OK;
}
