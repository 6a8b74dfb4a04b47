/*
 * The tasks' gradients of one run, had by the cheapest way when they are asked for.
 */
#include "engine/program.h"

#include <math.h>
#include <string.h>

typedef enum progress { AFTER_FORWARD, AFTER_SWEEP, AFTER_COMBINE } progress;

struct truce_jacobian {
    truce_program *program;
    progress progress;
    bool has_gramian;
    double *gramian; /* [T][T] */
    int64_t *labels; /* [T] labelled elements in this batch, -1 where no loss operator counts them */
    int *loss_nodes, n_loss_nodes;
};

static bool is_loss(const truce_program *p, int node) {
    const engine_op *op = p->backend->ops[p->graph->nodes[node].op];
    return op && op->labelled && p->steps[node].needed;
}

truce_status engine_jacobian_create(truce_program *p) {
    truce_jacobian *j = NULL;
    size_t n_tasks = (size_t)p->graph->n_tasks, n_nodes = (size_t)p->graph->n_nodes;
    BASE_TRY(base_alloc(p->context, 1, sizeof *j, &j));
    p->jacobian = j;
    j->program = p;
    BASE_TRY(base_alloc(p->context, n_tasks * n_tasks, sizeof *j->gramian, &j->gramian));
    BASE_TRY(base_alloc(p->context, n_tasks, sizeof *j->labels, &j->labels));
    BASE_TRY(base_alloc(p->context, n_nodes, sizeof *j->loss_nodes, &j->loss_nodes));
    for (int node = 0; node < p->graph->n_nodes; node++)
        if (is_loss(p, node)) j->loss_nodes[j->n_loss_nodes++] = node;
    return TRUCE_OK;
}

void engine_jacobian_destroy(truce_program *p) {
    if (!p->jacobian) return;
    base_free(p->context, p->jacobian->loss_nodes);
    base_free(p->context, p->jacobian->labels);
    base_free(p->context, p->jacobian->gramian);
    base_free(p->context, p->jacobian);
}

void engine_jacobian_reset(truce_program *p) {
    p->jacobian->progress = AFTER_FORWARD;
    p->jacobian->has_gramian = false;
}

truce_jacobian *truce_program_jacobian(truce_program *program) {
    return program->jacobian;
}

/*
 * Labelled elements per task, over the loss operators that serve it; a task whose loss is made of other
 * operators always counts as labelled.
 */
static void count_labels(truce_jacobian *j) {
    const truce_program *p = j->program;
    for (int task = 0; task < p->graph->n_tasks; task++) j->labels[task] = -1;
    for (int i = 0; i < j->n_loss_nodes; i++) {
        int node = j->loss_nodes[i];
        int64_t n = p->backend->ops[p->graph->nodes[node].op]->labelled(&p->steps[node].call);
        for (int task = engine_reach_next(&p->parameters->reach, node, -1); task >= 0;
             task = engine_reach_next(&p->parameters->reach, node, task))
            j->labels[task] = BASE_MAX(j->labels[task], 0) + n;
    }
}

void truce_jacobian_losses(truce_jacobian *j, double *losses) {
    const truce_program *p = j->program;
    count_labels(j);
    for (int task = 0; task < p->graph->n_tasks; task++) {
        const void *value = p->steps[p->graph->tasks[task].loss].call.out;
        bool known = !p->config.without_losses && j->labels[task] != 0;
        losses[task] = known ? p->backend->vectors->get(value, 0) : (double)NAN;
    }
}

static truce_status need(const truce_jacobian *j, truce_gradients least, const char *what) {
    const truce_program *p = j->program;
    if (p->config.gradients < least)
        return base_fail(p->context, TRUCE_ERROR_STATE, "the program was not compiled for %s", what);
    if (j->progress == AFTER_COMBINE)
        return base_fail(p->context, TRUCE_ERROR_STATE,
                         "%s must be asked for before the gradients are combined", what);
    return TRUCE_OK;
}

static void multiply_rows(truce_jacobian *j) {
    const truce_program *p = j->program;
    int T = p->graph->n_tasks;
    size_t bytes = (size_t)p->parameters->n_shared * p->element;
    for (int s = 0; s < T; s++)
        for (int t = 0; t <= s; t++)
            j->gramian[s * T + t] = j->gramian[t * T + s] =
                p->backend->vectors->dot(p->jacobian_rows + (size_t)s * bytes,
                                         p->jacobian_rows + (size_t)t * bytes, p->parameters->n_shared);
}

static void sweep(truce_jacobian *j) {
    truce_program *p = j->program;
    if (j->progress >= AFTER_SWEEP) return;
    size_t n_tasks = (size_t)p->graph->n_tasks;
    bool jacobian = p->config.gradients == TRUCE_GRADIENT_JACOBIAN;
    memset(j->gramian, 0, n_tasks * n_tasks * sizeof *j->gramian);
    engine_sweep_per_task(p, jacobian ? NULL : j->gramian);
    j->has_gramian = !jacobian;
    j->progress = AFTER_SWEEP;
}

truce_status truce_jacobian_gramian(truce_jacobian *j, double *gramian) {
    size_t n_tasks = (size_t)j->program->graph->n_tasks;
    BASE_TRY(need(j, TRUCE_GRADIENT_GRAMIAN, "a Gramian"));
    sweep(j);
    if (!j->has_gramian) multiply_rows(j);
    j->has_gramian = true;
    memcpy(gramian, j->gramian, n_tasks * n_tasks * sizeof *gramian);
    return TRUCE_OK;
}

truce_status truce_jacobian_rows(truce_jacobian *j, const void **rows, int64_t *stride) {
    BASE_TRY(need(j, TRUCE_GRADIENT_JACOBIAN, "a Jacobian"));
    sweep(j);
    *rows = j->program->jacobian_rows;
    *stride = j->program->parameters->n_shared;
    return TRUCE_OK;
}

/* After a sweep per task own parameters hold their plain gradients. */
static void weigh_own(truce_program *p, const double *weights) {
    const truce_parameters *parameters = p->parameters;
    for (int task = 0; task < p->graph->n_tasks; task++) {
        int64_t begin = parameters->own_begin[task], end = parameters->own_begin[task + 1];
        p->backend->vectors->scale(p->gradient + (size_t)begin * p->element, weights[task], end - begin);
    }
}

truce_status truce_jacobian_combine(truce_jacobian *j, const double *weights, truce_own_gradient own,
                                    void **out) {
    truce_program *p = j->program;
    BASE_TRY(need(j, TRUCE_GRADIENT_WEIGHTED, "gradients"));
    if (j->progress == AFTER_FORWARD) {
        engine_sweep_weighted(p, weights, own);
    } else {
        engine_sweep_combine(p, weights);
        if (own == TRUCE_OWN_WEIGHTED) weigh_own(p, weights);
    }
    j->progress = AFTER_COMBINE;
    *out = p->gradient;
    return TRUCE_OK;
}
