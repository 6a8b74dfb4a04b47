/*
 * Auto-Lambda: weights that lower the validation losses of the primary tasks after one look-ahead step. With
 * B_ij the product of task i's validation gradient there with task j's training gradient here, the
 * hyper-gradient is
 *
 *     h_j = - sum over primary i of B_ij   (times the look-ahead step, which Adam does not see),
 *
 * and Adam moves the weights along it. (The original estimates these products by finite differences of the
 * training losses along the primary validation gradient, three passes; a row of B may hold that estimate, the
 * others zero.) The original learns raw weights from 0.1 on, with rate 1e-4; LibMTL the logits of a softmax,
 * with rate 1e-3.
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

enum { RAW, SOFTMAX };

typedef struct auto_lambda {
    int variant, form;
    double rate, initial;
    truce_integers primary;
    double *lambda,
        *unit; /* [T] and [1] state: weights; the first hyper-gradient's size, NaN while not known */
    double *pull, *gradient; /* [T] */
    balance_adam adam;
} auto_lambda;

static const truce_option options[] = {
    BALANCE_CHOICE(auto_lambda, variant, "paper", "paper|libmtl", "whose choices to follow"),
    BALANCE_CHOICE(auto_lambda, form, "raw", "raw|softmax", "what is learned: weights, or logits of them"),
    BALANCE_REAL(auto_lambda, rate, "0.0001", 0, 1, "of Adam for the weights"),
    BALANCE_REAL(auto_lambda, initial, "0.1", -1e6, 1e6, "value of what is learned to begin with"),
    {"primary", TRUCE_OPTION_INTEGERS, NULL, NULL, 0, 1e9, "tasks that count, from 0; all where left out",
     offsetof(auto_lambda, primary)},
};

static const balance_preset presets[] = {
    {"libmtl", "form", "softmax"},
    {"libmtl", "rate", "0.001"},
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    auto_lambda *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    for (int k = 0; k < m->primary.n; k++)
        if (m->primary.values[k] >= (int64_t)tasks)
            return balance_fail(balancer, TRUCE_ERROR_ARGUMENT,
                                "primary task %lld is not one of the %zu tasks",
                                (long long)m->primary.values[k], tasks);
    BASE_TRY(balance_keep(balancer, "lambda", BALANCE_TASK, m->initial, &m->lambda));
    BASE_TRY(balance_keep(balancer, "unit", BALANCE_ONE, (double)NAN, &m->unit));
    BASE_TRY(balance_adam_prepare(balancer, &m->adam));
    BASE_TRY(balance_scratch(balancer, tasks, &m->pull));
    return balance_scratch(balancer, tasks, &m->gradient);
}

static bool is_primary(const auto_lambda *m, int task) {
    for (int k = 0; k < m->primary.n; k++)
        if (m->primary.values[k] == task) return true;
    return m->primary.n == 0;
}

static void read_weights(const auto_lambda *m, int n, double *weights) {
    for (int i = 0; i < n; i++) weights[i] = m->lambda[i];
    if (m->form == SOFTMAX) balance_softmax(n, weights, weights);
}

/* In units of its size at the first step, so that the 1e-8 in Adam does not see the gradients' scale. */
static void rescale(auto_lambda *m, int n) {
    double largest = 0;
    for (int j = 0; j < n; j++) largest = fmax(largest, fabs(m->pull[j]));
    if (isnan(*m->unit) && largest > 0) *m->unit = largest;
    if (*m->unit > 0) balance_scale_all(n, 1 / *m->unit, m->pull);
}

/* The hyper-gradient of what is learned, where the weights are `weights`. */
static void find_gradient(auto_lambda *m, const balance_step *step, const double *weights) {
    int n = step->n;
    double mean = 0;
    balance_set_all(n, 0, m->pull);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n && is_primary(m, step->task[i]); j++) m->pull[j] -= step->validation[i * n + j];
    rescale(m, n);
    for (int j = 0; j < n; j++) mean += weights[j] * m->pull[j];
    for (int j = 0; j < n; j++)
        m->gradient[j] = m->form == SOFTMAX ? weights[j] * (m->pull[j] - mean) : m->pull[j];
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    auto_lambda *m = self;
    (void)balancer;
    read_weights(m, step->n, weights);
    if (!step->validation) return TRUCE_OK;
    find_gradient(m, step, weights);
    balance_adam_step(&m->adam, step->n, m->rate, m->gradient, m->lambda);
    read_weights(m, step->n, weights);
    return TRUCE_OK;
}

const balance_method balance_auto_lambda = {
    .about = {.name = "auto_lambda",
              .title = "Auto-Lambda",
              .reference = "Liu et al., TMLR 2022, arXiv 2202.03091",
              .summary = "Learns weights that lower the validation losses of the tasks that count.",
              .needs = TRUCE_NEEDS_VALIDATION_PASS,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(auto_lambda),
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
};
