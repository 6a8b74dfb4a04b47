/*
 * Tasks whose relation is known exactly, because it is put in.
 *
 * Inputs x are standard normal. Task t has the signal
 *
 *     s_t(x) = sqrt(1 - v) <w_t, x> + sqrt(v) sum_k a_tk phi_k(x)
 *
 * with v the nonlinearity. phi_k(x) = (tanh(2 u + b_k) - m_k - c_k u) / sd_k with u = <d_k, x>: orthonormal
 * directions d_k make the u independent standard normals, and m_k, c_k, sd_k (mean, linear part, and standard
 * deviation of what is left, by quadrature) make the phi_k uncorrelated with each other and with every linear
 * function, with variance 1. The vectors w_t, and likewise a_t, are unit vectors with the same cosine rho
 * (the relatedness) between any two: rows of (1 - rho) I + rho 1 1' have that Gram matrix, so with
 * orthonormal q_s
 *
 *     w_t = sum_s M_ts q_s,   M = sqrt(1 - rho) I + (sqrt(1 + (T - 1) rho) - sqrt(1 - rho)) / T  1 1'.
 *
 * So every signal has variance 1 and any two have correlation rho, exactly. A target is scale_t (s_t +
 * noise), a binary one tells whether s_t + noise exceeds its median over the rows that are not test rows.
 */
#include "base/rng.h"
#include "base/team.h"
#include "data/generators.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define GAIN 2.0
#define ROWS_PER_CHUNK 64
#define MIN_FEATURES 16
#define FIELD(name) offsetof(truce_tabular_config, name)

static const truce_option option_rows[] = {
    {"rows", TRUCE_OPTION_INTEGER, "4000", NULL, 1, DATA_MAX_ROWS, "rows that are not test rows",
     FIELD(rows)},
    {"test_rows", TRUCE_OPTION_INTEGER, "1000", NULL, 0, DATA_MAX_ROWS, "test rows", FIELD(test_rows)},
    {"n_inputs", TRUCE_OPTION_INTEGER, "20", NULL, 1, 4096, "inputs, at least as many as tasks",
     FIELD(n_inputs)},
    {"n_tasks", TRUCE_OPTION_INTEGER, "4", NULL, 1, 1024, "tasks", FIELD(n_tasks)},
    {"n_binary", TRUCE_OPTION_INTEGER, "0", NULL, 0, 1024, "how many of the tasks, the last, are binary",
     FIELD(n_binary)},
    {"relatedness", TRUCE_OPTION_REAL, "0.5", NULL, -1, 1, "cosine between any two tasks' functions",
     FIELD(relatedness)},
    {"nonlinearity", TRUCE_OPTION_REAL, "0.5", NULL, 0, 1,
     "share of the variance that is not linear in the inputs", FIELD(nonlinearity)},
    {"scale_ratio", TRUCE_OPTION_REAL, "1", NULL, 1, 1e12, "largest over smallest target scale",
     FIELD(scale_ratio)},
    {"noise", TRUCE_OPTION_REAL, "0.1", NULL, 0, 1e6, "noise variance over signal variance", FIELD(noise)},
    {"overlap", TRUCE_OPTION_REAL, "1", NULL, 0, 1,
     "share of training rows that carry all labels; others carry one", FIELD(overlap)},
    {"seed", TRUCE_OPTION_INTEGER, "0", NULL, 0, 0, "of everything random in the data", FIELD(seed)},
};
const base_options data_tabular_options = {"tabular", option_rows, BASE_COUNT(option_rows)};

truce_tabular_config truce_tabular_defaults(void) {
    truce_tabular_config config = {0};
    base_option_defaults(&data_tabular_options, &config);
    return config;
}

/* One nonlinear feature: what is taken off tanh(GAIN u + bias), and what the rest is divided by. */
typedef struct feature {
    double bias, mean, slope, sd;
} feature;

typedef struct model {
    truce_context *context;
    const truce_tabular_config *config;
    int64_t n_features;
    double *linear;     /* [n_tasks][n_inputs] w */
    double *directions; /* [n_features][n_inputs] d */
    double *weights;    /* [n_tasks][n_features] a */
    feature *features;  /* [n_features] */
    float *inputs;      /* [n_rows][n_inputs] */
    float **targets;    /* [n_tasks][n_rows] */
    double *scratch;    /* [n_workers][n_features] */
} model;

static double dot(const double *a, const double *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static void take_off(double *v, const double *from, int64_t n) {
    double share = dot(v, from, n);
    for (int64_t i = 0; i < n; i++) v[i] -= share * from[i];
}

/*
 * n random orthonormal vectors of `width` >= n numbers: Gram and Schmidt, each vector made orthogonal twice,
 * as once loses digits where little of it is left. The last vector of a square set may be nearly dependent on
 * the others by chance; it is then drawn anew.
 */
static void draw_orthonormal(double *vectors, int64_t n, int64_t width, base_rng *rng) {
    for (int64_t k = 0; k < n;) {
        double *v = vectors + k * width;
        for (int64_t i = 0; i < width; i++) v[i] = base_rng_normal(rng);
        double before = sqrt(dot(v, v, width));
        for (int pass = 0; pass < 2; pass++)
            for (int64_t j = 0; j < k; j++) take_off(v, vectors + j * width, width);
        double norm = sqrt(dot(v, v, width));
        if (norm < 1e-6 * before) continue;
        for (int64_t i = 0; i < width; i++) v[i] /= norm;
        k++;
    }
}

/* Turns orthonormal vectors into unit vectors with pairwise cosine rho, in place: the M of the essay. */
static void relate(double *vectors, int64_t n, int64_t width, double rho) {
    double alone = sqrt(1 - rho),
           together = (sqrt(BASE_MAX(0, 1 + (double)(n - 1) * rho)) - alone) / (double)n;
    for (int64_t i = 0; i < width; i++) {
        double sum = 0;
        for (int64_t t = 0; t < n; t++) sum += vectors[t * width + i];
        for (int64_t t = 0; t < n; t++)
            vectors[t * width + i] = alone * vectors[t * width + i] + together * sum;
    }
}

/* Moments of tanh(GAIN u + bias) under a standard normal u, by the trapezoidal rule, which here is exact to
 * rounding: the integrand is smooth and dies out at both ends. */
static feature make_feature(double bias) {
    const int n = 4000;
    const double end = 10, step = 2 * end / n;
    double total = 0, mean = 0, slope = 0, square = 0;
    for (int i = 0; i <= n; i++) {
        double u = -end + step * i, density = exp(-u * u / 2), value = tanh(GAIN * u + bias);
        total += density;
        mean += density * value;
        slope += density * value * u;
        square += density * value * value;
    }
    mean /= total;
    slope /= total;
    return (feature){bias, mean, slope, sqrt(square / total - mean * mean - slope * slope)};
}

static void draw_model(model *m) {
    const truce_tabular_config *config = m->config;
    base_rng rng = base_rng_make((uint64_t)config->seed, "tabular model", 0, 0);
    draw_orthonormal(m->linear, config->n_tasks, config->n_inputs, &rng);
    draw_orthonormal(m->directions, m->n_features, config->n_inputs, &rng);
    draw_orthonormal(m->weights, config->n_tasks, m->n_features, &rng);
    relate(m->linear, config->n_tasks, config->n_inputs, config->relatedness);
    relate(m->weights, config->n_tasks, m->n_features, config->relatedness);
    for (int64_t k = 0; k < m->n_features; k++) m->features[k] = make_feature(2 * base_rng_uniform(&rng) - 1);
}

static double apply_floats(const double *weights, const float *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += weights[i] * (double)x[i];
    return sum;
}

/* phi [n_features] of one row. */
static void apply_features(const model *m, const float *x, double *phi) {
    int64_t width = m->config->n_inputs;
    for (int64_t k = 0; k < m->n_features; k++) {
        const feature *f = &m->features[k];
        double u = apply_floats(m->directions + k * width, x, width);
        phi[k] = (tanh(GAIN * u + f->bias) - f->mean - f->slope * u) / f->sd;
    }
}

static double signal(const model *m, int64_t task, const float *x, const double *phi) {
    int64_t width = m->config->n_inputs;
    double v = m->config->nonlinearity;
    double linear = apply_floats(m->linear + task * width, x, width);
    return sqrt(1 - v) * linear + sqrt(v) * dot(m->weights + task * m->n_features, phi, m->n_features);
}

static double scale_of(const truce_tabular_config *config, int64_t task) {
    return config->n_tasks > 1 ? pow(config->scale_ratio, (double)task / (double)(config->n_tasks - 1)) : 1;
}

static bool is_binary(const truce_tabular_config *config, int64_t task) {
    return task >= config->n_tasks - config->n_binary;
}

static void make_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const model *m = arg;
    const truce_tabular_config *config = m->config;
    double *phi = m->scratch + worker * m->n_features;
    for (int64_t row = begin; row < end; row++) {
        base_rng rng = base_rng_make((uint64_t)config->seed, "tabular", (uint64_t)row, 0);
        float *x = m->inputs + row * config->n_inputs;
        for (int64_t i = 0; i < config->n_inputs; i++) x[i] = (float)base_rng_normal(&rng);
        apply_features(m, x, phi);
        for (int64_t t = 0; t < config->n_tasks; t++) {
            double noisy = signal(m, t, x, phi) + sqrt(config->noise) * base_rng_normal(&rng);
            m->targets[t][row] = (float)(scale_of(config, t) * noisy);
        }
    }
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The largest value of the lower half: half of the rows, or one more, lie above it. */
static truce_status find_median(truce_context *context, const float *values, int64_t n, float *out) {
    float *sorted = NULL;
    BASE_TRY(base_alloc(context, (size_t)n, sizeof *sorted, &sorted));
    for (int64_t i = 0; i < n; i++) sorted[i] = values[i];
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    *out = sorted[(n - 1) / 2];
    base_free(context, sorted);
    return TRUCE_OK;
}

static truce_status make_binary(model *m, int64_t task) {
    const truce_tabular_config *config = m->config;
    float median = 0;
    BASE_TRY(find_median(m->context, m->targets[task], config->rows, &median));
    for (int64_t row = 0; row < config->rows + config->test_rows; row++)
        m->targets[task][row] = m->targets[task][row] > median;
    return TRUCE_OK;
}

/* A row that carries one label carries that of task row mod T, so every task gets its turn. */
static void withhold(model *m) {
    const truce_tabular_config *config = m->config;
    for (int64_t row = 0; row < config->rows; row++) {
        base_rng rng = base_rng_make((uint64_t)config->seed, "tabular overlap", (uint64_t)row, 0);
        if (base_rng_uniform(&rng) < config->overlap) continue;
        for (int64_t t = 0; t < config->n_tasks; t++)
            if (t != row % config->n_tasks) m->targets[t][row] = NAN;
    }
}

static truce_status check_config(truce_context *context, const truce_tabular_config *config) {
    BASE_TRY(base_option_check(context, &data_tabular_options, config));
    double least = config->n_tasks > 1 ? -1 / (double)(config->n_tasks - 1) : -1;
    if (config->n_binary > config->n_tasks)
        return base_fail(context, TRUCE_ERROR_RANGE, "tabular: %lld of %lld tasks cannot be binary",
                         (long long)config->n_binary, (long long)config->n_tasks);
    if (config->n_tasks > config->n_inputs)
        return base_fail(context, TRUCE_ERROR_RANGE,
                         "tabular: %lld tasks need as many inputs to differ in, but n_inputs is %lld",
                         (long long)config->n_tasks, (long long)config->n_inputs);
    if (config->relatedness < least)
        return base_fail(
            context, TRUCE_ERROR_RANGE,
            "tabular: %lld vectors cannot all have cosine %g to each other; relatedness must be at "
            "least -1/(n_tasks - 1) = %g",
            (long long)config->n_tasks, config->relatedness, least);
    return TRUCE_OK;
}

static truce_status alloc_model(model *m, int64_t n_rows) {
    truce_context *context = m->context;
    size_t n_tasks = (size_t)m->config->n_tasks, n_inputs = (size_t)m->config->n_inputs;
    size_t n_features = (size_t)m->n_features, n_workers = (size_t)base_team_size(context->team);
    BASE_TRY(base_alloc(context, n_tasks * n_inputs, sizeof(double), &m->linear));
    BASE_TRY(base_alloc(context, n_features * n_inputs, sizeof(double), &m->directions));
    BASE_TRY(base_alloc(context, n_tasks * n_features, sizeof(double), &m->weights));
    BASE_TRY(base_alloc(context, n_features, sizeof(feature), &m->features));
    BASE_TRY(base_alloc(context, n_workers * n_features, sizeof(double), &m->scratch));
    BASE_TRY(base_alloc(context, n_tasks, sizeof *m->targets, &m->targets));
    BASE_TRY(data_alloc_rows(context, n_rows, n_inputs * sizeof(float), &m->inputs));
    for (size_t t = 0; t < n_tasks; t++)
        BASE_TRY(data_alloc_rows(context, n_rows, sizeof(float), &m->targets[t]));
    return TRUCE_OK;
}

static void free_model(model *m) {
    truce_context *context = m->context;
    for (int64_t t = 0; m->targets && t < m->config->n_tasks; t++) base_free_aligned(context, m->targets[t]);
    base_free_aligned(context, m->inputs);
    base_free(context, m->targets);
    base_free(context, m->scratch);
    base_free(context, m->features);
    base_free(context, m->weights);
    base_free(context, m->directions);
    base_free(context, m->linear);
}

static truce_status hand_over(model *m, truce_dataset *dataset) {
    truce_input input = {.name = "x", .row_shape = {1, {m->config->n_inputs}}};
    BASE_TRY(data_adopt_input(dataset, &input, m->inputs));
    m->inputs = NULL;
    for (int64_t t = 0; t < m->config->n_tasks; t++) {
        char name[32];
        snprintf(name, sizeof name, "task%lld", (long long)t + 1);
        truce_target_kind kind = is_binary(m->config, t) ? TRUCE_TARGET_BINARY : TRUCE_TARGET_REGRESSION;
        truce_target target = {.name = name, .kind = kind};
        BASE_TRY(data_adopt_target(dataset, &target, m->targets[t]));
        m->targets[t] = NULL;
    }
    return TRUCE_OK;
}

static truce_status fill(model *m) {
    const truce_tabular_config *config = m->config;
    draw_model(m);
    base_parallel(m->context->team, config->rows + config->test_rows, ROWS_PER_CHUNK, make_rows, m);
    for (int64_t t = 0; t < config->n_tasks; t++)
        if (is_binary(config, t)) BASE_TRY(make_binary(m, t));
    withhold(m);
    return TRUCE_OK;
}

truce_status truce_tabular_create(truce_context *context, const truce_tabular_config *config,
                                  truce_dataset **out) {
    const truce_tabular_config defaults = truce_tabular_defaults();
    if (!config) config = &defaults;
    BASE_TRY(check_config(context, config));
    int64_t n_features = BASE_MIN(config->n_inputs, BASE_MAX(config->n_tasks, MIN_FEATURES));
    model m = {.context = context, .config = config, .n_features = n_features};
    truce_dataset *dataset = NULL;
    truce_status status = truce_dataset_create(context, config->rows + config->test_rows, &dataset);
    if (!status) status = alloc_model(&m, config->rows + config->test_rows);
    if (!status) status = fill(&m);
    if (!status) status = hand_over(&m, dataset);
    if (!status) data_mark_test_rows(dataset, config->test_rows);
    free_model(&m);
    if (status)
        truce_dataset_destroy(dataset);
    else
        *out = dataset;
    return status;
}
