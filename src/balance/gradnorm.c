/*
 * GradNorm: weights that make the weighted gradient norms follow the tasks' training rates. With n_i = |g_i|,
 * G_i = w_i n_i, their mean G, and r_i = (L_i / L_i(0)) over its mean, the weights descend
 *
 *     sum_i | G_i - G r_i^alpha |   with the targets held fixed:   gradient_i = n_i sign(G_i - G r_i^alpha),
 *
 * which needs the norms alone, and are renormalised to sum T. The step at hand uses the weights from before.
 * The gradient is taken in units of G, so that Adam does not see the scale of the gradients. LibMTL descends
 * v of w = T softmax(v) instead, takes the first epoch's means for L(0), and begins after that epoch.
 */
#include "balance/numbers.h"
#include "balance/table.h"

#include <math.h>

enum { WEIGHTS, SOFTMAX };
enum { FIRST_STEP, FIRST_EPOCH };

typedef struct gradnorm {
    int variant, parameters, initial;
    double alpha, rate, least;
    double *v, *first;                   /* [T] state: w or v; L(0), NaN while not known */
    double *w, *ratio, *pull, *gradient; /* [T] */
    balance_adam adam;
} gradnorm;

static const truce_option options[] = {
    BALANCE_CHOICE(gradnorm, variant, "paper", "paper|libmtl", "whose choices to follow"),
    BALANCE_REAL(gradnorm, alpha, "1.5", 0, 100, "strength of the pull towards equal training rates"),
    BALANCE_REAL(gradnorm, rate, "0.025", 0, 1, "of Adam for the weights"),
    BALANCE_REAL(gradnorm, least, "0.001", 0, 1, "lower bound of a weight, which keeps it positive"),
    BALANCE_CHOICE(gradnorm, parameters, "weights", "weights|softmax", "what is learned"),
    BALANCE_CHOICE(gradnorm, initial, "first_step", "first_step|first_epoch", "where L(0) is from"),
};

static const balance_preset presets[] = {
    {"libmtl", "parameters", "softmax"},
    {"libmtl", "initial", "first_epoch"},
};

static unsigned needs(const void *self) {
    const gradnorm *m = self;
    unsigned epochs = m->initial == FIRST_EPOCH ? TRUCE_NEEDS_EPOCH_LOSSES : 0;
    return TRUCE_NEEDS_LOSSES | TRUCE_NEEDS_GRAMIAN | epochs | BALANCE_POSITIVE_LOSSES;
}

static truce_status prepare(truce_balancer *balancer, void *self) {
    gradnorm *m = self;
    double **vectors[] = {&m->w, &m->ratio, &m->pull, &m->gradient};
    BASE_TRY(balance_keep(balancer, "weights", BALANCE_TASK, m->parameters == WEIGHTS ? 1 : 0, &m->v));
    BASE_TRY(balance_keep(balancer, "first_losses", BALANCE_TASK, (double)NAN, &m->first));
    BASE_TRY(balance_adam_prepare(balancer, &m->adam));
    for (size_t i = 0; i < BASE_COUNT(vectors); i++)
        BASE_TRY(balance_scratch(balancer, (size_t)balance_tasks(balancer), vectors[i]));
    return TRUCE_OK;
}

/* The weights as they stand, summing to n. */
static void read_weights(const gradnorm *m, int n, double *weights) {
    for (int i = 0; i < n; i++) weights[i] = m->v[i];
    if (m->parameters == SOFTMAX)
        balance_softmax(n, weights, weights);
    else
        balance_scale_all(n, 1 / balance_total(n, weights), weights);
    balance_scale_all(n, n, weights);
}

/* pull_i = dLgrad / dw_i in units of the mean weighted norm; false while a first loss is not known. */
static bool find_pulls(gradnorm *m, const balance_step *step, const double *weights) {
    int n = step->n;
    double mean_norm = 0, mean_ratio = 0;
    for (int i = 0; i < n; i++) {
        if (isnan(m->first[i]) && m->initial == FIRST_STEP) m->first[i] = step->losses[i];
        if (isnan(m->first[i])) return false;
        m->ratio[i] = step->losses[i] / m->first[i];
        mean_ratio += m->ratio[i] / n;
        mean_norm += weights[i] * step->norms[i] / n;
    }
    for (int i = 0; i < n; i++) {
        double norm = step->norms[i] / mean_norm, target = pow(m->ratio[i] / mean_ratio, m->alpha);
        double over = weights[i] * norm - target;
        m->pull[i] = norm * ((over > 0) - (over < 0));
    }
    return true;
}

/* The pulls on w, as gradient of what is learned. */
static void find_gradient(gradnorm *m, int n, const double *weights) {
    double mean = 0;
    for (int i = 0; i < n; i++) mean += m->pull[i] * weights[i] / n;
    for (int i = 0; i < n; i++)
        m->gradient[i] = m->parameters == SOFTMAX ? weights[i] * (m->pull[i] - mean) : m->pull[i];
}

static void update(gradnorm *m, int n, const double *weights) {
    find_gradient(m, n, weights);
    balance_adam_step(&m->adam, n, m->rate, m->gradient, m->v);
    if (m->parameters == SOFTMAX) return;
    for (int i = 0; i < n; i++) m->v[i] = fmax(m->v[i], m->least);
    read_weights(m, n, m->w);
    for (int i = 0; i < n; i++) m->v[i] = m->w[i];
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    gradnorm *m = self;
    (void)balancer;
    read_weights(m, step->n, weights);
    if (find_pulls(m, step, weights)) update(m, step->n, weights);
    return TRUCE_OK;
}

static truce_status end_epoch(truce_balancer *balancer, void *self, const balance_step *step) {
    gradnorm *m = self;
    (void)balancer;
    for (int i = 0; i < step->n; i++)
        if (m->initial == FIRST_EPOCH && isnan(m->first[i])) m->first[i] = step->losses[i];
    return TRUCE_OK;
}

const balance_method balance_gradnorm = {
    .about = {.name = "gradnorm",
              .title = "Gradient normalisation",
              .reference = "Chen et al., ICML 2018, arXiv 1711.02257",
              .summary = "Learns weights that let all tasks train at like rates.",
              .needs = TRUCE_NEEDS_LOSSES | TRUCE_NEEDS_GRAMIAN,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(gradnorm),
    .internal = BALANCE_POSITIVE_LOSSES,
    .presets = presets,
    .n_presets = BASE_COUNT(presets),
    .prepare = prepare,
    .weigh = weigh,
    .end_epoch = end_epoch,
    .needs = needs,
};
