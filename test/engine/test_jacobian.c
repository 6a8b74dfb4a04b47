/*
 * The same gradients by every way: finite differences, a weighted sweep per task, the Jacobian, and the
 * Gramian accumulated layer by layer, over hand-made and random graphs, in double.
 */
#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "truce/engine.h"

#include <math.h>

enum { BATCH = 5, MAX_TASKS = 6, MAX_POOL = 64 };

static void fill(base_rng *rng, double *x, int64_t n, double missing) {
    for (int64_t i = 0; i < n; i++) x[i] = base_rng_uniform(rng) < missing ? NAN : base_rng_normal(rng);
}

/* Programs of all kinds over one parameter set; every input gets the same values in all of them. */
typedef struct fixture {
    truce_context *context;
    truce_graph *graph;
    truce_parameters *parameters;
    truce_program *programs[3]; /* weighted, gramian, jacobian */
    int n_tasks;
    int64_t n, n_shared;
    double *block;
    bool has_walls; /* finite differences see through truce_op_stop_gradient */
} fixture;

enum { CLASSES = 4 };

/* Indices named PREFIX0, PREFIX1, ... */
static void fill_indices(fixture *f, truce_program *program, base_rng *rng, const char *prefix,
                         double missing) {
    for (int i = 0;; i++) {
        char name[16];
        snprintf(name, sizeof name, "%s%d", prefix, i);
        truce_node node = truce_graph_find(f->graph, name);
        if (node == TRUCE_NONE) return;
        int32_t *values = truce_program_values(program, node);
        for (int row = 0; row < BATCH; row++) {
            int32_t index = (int32_t)base_rng_below(rng, CLASSES);
            bool absent = base_rng_uniform(rng) < missing;
            if (values) values[row] = absent ? -1 : index;
        }
    }
}

/* Inputs are named in0, in1, ...; all but the first are targets, which may be missing. */
static void fill_inputs(fixture *f, truce_program *program, base_rng *rng, double missing) {
    for (int i = 0;; i++) {
        char name[16];
        snprintf(name, sizeof name, "in%d", i);
        truce_node node = truce_graph_find(f->graph, name);
        if (node == TRUCE_NONE) return;
        double *values = truce_program_values(program, node);
        if (values) fill(rng, values, BATCH * truce_graph_shape(f->graph, node).dims[1], i ? missing : 0);
    }
}

static void open_fixture(fixture *f, base_rng *rng, double missing) {
    static const truce_gradients kinds[] = {TRUCE_GRADIENT_WEIGHTED, TRUCE_GRADIENT_GRAMIAN,
                                            TRUCE_GRADIENT_JACOBIAN};
    assert_ok(f->context, truce_parameters_create(f->graph, TRUCE_FLOAT64, &f->parameters));
    truce_parameters_init(f->parameters, 3);
    f->block = truce_parameters_block(f->parameters, &f->n, &f->n_shared);
    f->n_tasks = truce_graph_tasks(f->graph);
    base_rng inputs = *rng;
    for (int i = 0; i < 3; i++) {
        truce_program_config config = {.max_batch = BATCH + 2, .gradients = kinds[i], .training = 1};
        assert_ok(f->context, truce_program_create(f->parameters, &config, &f->programs[i]));
        *rng = inputs;
        fill_inputs(f, f->programs[i], rng, missing);
        fill_indices(f, f->programs[i], rng, "index", 0);
        fill_indices(f, f->programs[i], rng, "class", missing);
    }
}

static void close_fixture(fixture *f) {
    for (int i = 0; i < 3; i++) truce_program_destroy(f->programs[i]);
    truce_parameters_destroy(f->parameters);
    truce_graph_destroy(f->graph);
}

static truce_jacobian *forward(fixture *f, int program) {
    assert_ok(f->context, truce_program_forward(f->programs[program], &(truce_run){.n_rows = BATCH}));
    return truce_program_jacobian(f->programs[program]);
}

static double weighted_loss(fixture *f, const double *weights) {
    double losses[MAX_TASKS], sum = 0;
    truce_jacobian_losses(forward(f, 0), losses);
    for (int t = 0; t < f->n_tasks; t++)
        if (!isnan(losses[t])) sum += weights[t] * losses[t];
    return sum;
}

static double difference(fixture *f, const double *weights, int64_t i) {
    double kept = f->block[i], h = 1e-6 * fmax(1, fabs(kept));
    f->block[i] = kept + h;
    double up = weighted_loss(f, weights);
    f->block[i] = kept - h;
    double down = weighted_loss(f, weights);
    f->block[i] = kept;
    return (up - down) / (2 * h);
}

/* The gradient by a weighted sweep, copied. */
static void weighted_gradient(fixture *f, const double *weights, truce_own_gradient own, double *out) {
    void *gradient = NULL;
    assert_ok(f->context, truce_jacobian_combine(forward(f, 0), weights, own, &gradient));
    if (f->n) memcpy(out, gradient, (size_t)f->n * sizeof *out);
}

static void compare(const double *a, const double *b, int64_t n, double tolerance) {
    for (int64_t i = 0; i < n; i++) assert_near(a[i], b[i], tolerance);
}

static int owner(fixture *f, int64_t i) {
    for (int k = 0; k < truce_parameters_count(f->parameters); k++) {
        const truce_parameter *p = truce_parameters_at(f->parameters, k);
        if (p->trainable && i >= p->offset && i < p->offset + p->size) return p->task;
    }
    return -1;
}

/* All ways, against each other. */
static void check_all_ways(fixture *f, base_rng *rng) {
    truce_context *context = f->context;
    size_t n = (size_t)f->n, T = (size_t)f->n_tasks;
    double *expected = NULL, *rows = NULL, weights[MAX_TASKS], gramian[MAX_TASKS * MAX_TASKS];
    assert_ok(context, base_alloc(context, n, sizeof *expected, &expected));
    assert_ok(context, base_alloc(context, n * T, sizeof *rows, &rows));
    for (int t = 0; t < f->n_tasks; t++) weights[t] = 0.2 + base_rng_uniform(rng);

    weighted_gradient(f, weights, TRUCE_OWN_WEIGHTED, expected);
    for (int64_t i = 0; i < f->n && !f->has_walls; i++)
        assert_near(expected[i], difference(f, weights, i), 2e-6);

    for (int t = 0; t < f->n_tasks; t++) {
        double one[MAX_TASKS] = {0};
        one[t] = 1;
        weighted_gradient(f, one, TRUCE_OWN_WEIGHTED, rows + (size_t)t * n);
    }

    const void *jacobian = NULL;
    int64_t stride = 0;
    assert_ok(context, truce_jacobian_rows(forward(f, 2), &jacobian, &stride));
    for (int t = 0; t < f->n_tasks; t++)
        compare((const double *)jacobian + t * stride, rows + (size_t)t * n, f->n_shared, 1e-12);

    for (int program = 1; program < 3; program++) {
        assert_ok(context, truce_jacobian_gramian(forward(f, program), gramian));
        for (size_t s = 0; s < T; s++)
            for (size_t t = 0; t < T; t++) {
                double product = 0;
                for (int64_t i = 0; i < f->n_shared; i++)
                    product += rows[s * n + (size_t)i] * rows[t * n + (size_t)i];
                assert_near(gramian[s * T + t], product, 1e-11);
            }
        void *gradient = NULL;
        assert_ok(context, truce_jacobian_combine(truce_program_jacobian(f->programs[program]), weights,
                                                  TRUCE_OWN_WEIGHTED, &gradient));
        compare(gradient, expected, f->n, 1e-11);
    }

    for (int64_t i = 0; i < f->n; i++)
        if (owner(f, i) >= 0) expected[i] /= weights[owner(f, i)];
    for (int program = 0; program < 3; program++) {
        void *gradient = NULL;
        truce_jacobian *j = forward(f, program);
        if (program) assert_ok(context, truce_jacobian_gramian(j, gramian));
        assert_ok(context, truce_jacobian_combine(j, weights, TRUCE_OWN_PLAIN, &gradient));
        compare(gradient, expected, f->n, 1e-11);
        assert_fails(context, TRUCE_ERROR_STATE, "before the gradients are combined",
                     truce_jacobian_combine(j, weights, TRUCE_OWN_PLAIN, &gradient));
    }
    base_free(context, rows);
    base_free(context, expected);
}

static truce_node input(truce_graph *g, int *n_inputs, int64_t width) {
    char name[16];
    snprintf(name, sizeof name, "in%d", (*n_inputs)++);
    truce_shape shape = {.n_dims = 2, .dims = {TRUCE_BATCH, width}};
    return truce_graph_input(g, name, TRUCE_REAL, shape);
}

static truce_node parameter(truce_graph *g, const char *name, int n_dims, int64_t a, int64_t b) {
    truce_shape shape = {.n_dims = n_dims, .dims = {a, b}};
    return truce_graph_parameter(g, name, shape, (truce_init){TRUCE_INIT_NORMAL, 0.5});
}

static truce_node dense(truce_graph *g, const char *name, truce_node x, int64_t out) {
    char weight[32], bias[32];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    int64_t in = truce_graph_shape(g, x).dims[1];
    return truce_op_linear(g, x, parameter(g, weight, 2, out, in), parameter(g, bias, 1, out, 0));
}

/* A trunk of two layers and a head per task: the layers are wide (product) or narrow (kept). */
static void trunk_and_heads(fixture *f, int n_tasks, int64_t width) {
    truce_graph *g = f->graph;
    int n_inputs = 0;
    truce_node z = truce_op_relu(g, dense(g, "a", input(g, &n_inputs, 7), width));
    z = truce_op_tanh(g, dense(g, "b", z, width));
    for (int t = 0; t < n_tasks; t++) {
        char name[16];
        snprintf(name, sizeof name, "head%d", t);
        truce_node y = dense(g, name, z, 3);
        truce_graph_task(g, name, truce_op_squared_error(g, y, input(g, &n_inputs, 3)));
    }
}

static void trunks_of_any_width_agree(void **state) {
    static const int64_t widths[] = {2, 9, 40};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (int n_tasks = 1; n_tasks <= 4; n_tasks++) {
            base_rng rng = base_rng_make(5, "trunk", (uint64_t)n_tasks, w);
            fixture f = {.context = *state};
            assert_ok(f.context, truce_graph_create(f.context, &f.graph));
            trunk_and_heads(&f, n_tasks, widths[w]);
            open_fixture(&f, &rng, 0.2);
            check_all_ways(&f, &rng);
            close_fixture(&f);
        }
}

static truce_node pick(base_rng *rng, const truce_node *pool, int n) {
    return pool[base_rng_below(rng, (uint64_t)n)];
}

enum { WIDTH = 4 };

/* What a random graph is made of. */
typedef struct growth {
    truce_graph *g;
    base_rng *rng;
    int n_inputs, n_indices, n_classes, n_pool, n_weights, n_names;
    truce_node pool[MAX_POOL], weights[MAX_POOL];
} growth;

static truce_node new_parameter(growth *w, int n_dims, int64_t a, int64_t b) {
    char name[16];
    snprintf(name, sizeof name, "p%d", w->n_names++);
    return parameter(w->g, name, n_dims, a, b);
}

static truce_node new_state(growth *w) {
    char name[16];
    snprintf(name, sizeof name, "s%d", w->n_names++);
    return truce_graph_state(w->g, name, truce_shape_of(1, WIDTH), (truce_init){TRUCE_INIT_CONSTANT, 1});
}

static truce_node new_indices(growth *w, const char *prefix, int *n) {
    char name[16];
    snprintf(name, sizeof name, "%s%d", prefix, (*n)++);
    return truce_graph_input(w->g, name, TRUCE_INDEX, truce_shape_of(1, TRUCE_BATCH));
}

/* Rows of 4 as pictures of 2 x 2, and back. */
static truce_node picture(growth *w, truce_node x) {
    return truce_op_reshape(w->g, x, truce_shape_of(4, TRUCE_BATCH, 1, 2, 2));
}

static truce_node row(growth *w, truce_node x) {
    return truce_op_reshape(w->g, x, truce_shape_of(2, TRUCE_BATCH, 0));
}

static truce_node twice(growth *w, truce_node x) {
    return truce_op_concat(w->g, 2, (truce_node[]){x, x}, 1);
}

static truce_node convolved(growth *w, truce_node x) {
    char name[16];
    snprintf(name, sizeof name, "p%d", w->n_names++);
    truce_node kernel = truce_graph_parameter(w->g, name, truce_shape_of(4, 1, 1, 3, 3),
                                              (truce_init){TRUCE_INIT_NORMAL, 0.5});
    return row(w, truce_op_conv2d(w->g, picture(w, x), kernel, new_parameter(w, 1, 1, 0),
                                  &(truce_window){.size = {3, 3}, .padding = {1, 1}}));
}

static truce_node multiplied(growth *w, truce_node x, truce_node y) {
    truce_shape square = truce_shape_of(3, TRUCE_BATCH, 2, 2);
    truce_node a = truce_op_reshape(w->g, truce_op_tanh(w->g, x), square);
    truce_node b = truce_op_reshape(w->g, truce_op_tanh(w->g, y), square);
    return row(w, truce_op_matmul(w->g, a, base_rng_below(w->rng, 2) ? b : new_parameter(w, 2, 2, 2),
                                  (unsigned)base_rng_below(w->rng, 4)));
}

static truce_node normalised(growth *w, truce_node x, bool by_batch) {
    truce_norm norm = {.scale = new_parameter(w, 1, WIDTH, 0), .shift = TRUCE_NONE, .epsilon = 0.1};
    if (!by_batch) return truce_op_layer_norm(w->g, x, &norm);
    norm.running_mean = new_state(w);
    norm.running_variance = new_state(w);
    return truce_op_batch_norm(w->g, x, &norm);
}

/* A node on top of others that are picked at random. */
static truce_node grow(fixture *f, growth *w) {
    static const int swapped[] = {0, 2, 1};
    truce_graph *g = w->g;
    truce_node x = pick(w->rng, w->pool, w->n_pool), y = pick(w->rng, w->pool, w->n_pool), weight;
    truce_window pair = {.size = {1, 2}};
    switch (base_rng_below(w->rng, 24)) {
    case 0:
    case 1:
    case 2:
    case 3:
        weight = w->weights[w->n_weights++] = new_parameter(w, 2, WIDTH, WIDTH);
        return truce_op_linear(g, x, weight, new_parameter(w, 1, WIDTH, 0));
    case 4:
    case 5:
        return w->n_weights ? truce_op_linear(g, x, pick(w->rng, w->weights, w->n_weights), TRUCE_NONE) : x;
    case 6: return truce_op_tanh(g, x);
    case 7: return truce_op_add(g, x, y);
    case 8: return truce_op_multiply(g, truce_op_tanh(g, x), truce_op_tanh(g, y));
    case 9: return row(w, picture(w, x));
    case 10: return truce_op_affine(g, x, 0.7, 0.1);
    case 11: return truce_op_softmax(g, x, 1);
    case 12: return truce_op_log_softmax(g, truce_op_tanh(g, x), 1);
    case 13: return truce_op_slice(g, truce_op_concat(g, 2, (truce_node[]){x, y}, 1), 1, 1, 8, 2);
    case 14:
        return truce_op_embedding(g, new_parameter(w, 2, CLASSES, WIDTH),
                                  new_indices(w, "index", &w->n_indices));
    case 15: return normalised(w, x, false);
    case 16: return normalised(w, x, true);
    case 17: return multiplied(w, x, y);
    case 18: return convolved(w, x);
    case 19: return twice(w, row(w, truce_op_max_pool(g, picture(w, x), &pair)));
    case 20: return twice(w, row(w, truce_op_average_pool(g, picture(w, x), &pair)));
    case 21: return truce_op_dropout(g, x, 0.3);
    case 22:
        x = truce_op_reshape(g, x, truce_shape_of(3, TRUCE_BATCH, 2, 2));
        return row(w, truce_op_transpose(g, x, swapped));
    default: f->has_walls = true; return truce_op_stop_gradient(g, x);
    }
}

static truce_node random_loss(growth *w, truce_node y) {
    switch (base_rng_below(w->rng, 4)) {
    case 0: return truce_op_cross_entropy(w->g, y, new_indices(w, "class", &w->n_classes), 1);
    case 1: return truce_op_binary_cross_entropy(w->g, y, input(w->g, &w->n_inputs, WIDTH));
    default: return truce_op_squared_error(w->g, y, input(w->g, &w->n_inputs, WIDTH));
    }
}

/* A random graph over rows of 4 numbers; tasks hang on random nodes, some losses are sums or shared. The
 * first indices are never missing. */
static void random_graph(fixture *f, base_rng *rng) {
    growth w = {.g = f->graph, .rng = rng};
    int n_nodes = 4 + (int)base_rng_below(rng, 20);
    w.pool[w.n_pool++] = input(w.g, &w.n_inputs, WIDTH);
    for (int i = 0; i < n_nodes; i++) {
        truce_node made = grow(f, &w);
        w.pool[w.n_pool++] = made;
    }
    int n_tasks = 1 + (int)base_rng_below(rng, 5);
    truce_node previous = TRUCE_NONE;
    for (int t = 0; t < n_tasks; t++) {
        char name[16];
        snprintf(name, sizeof name, "task%d", t);
        truce_node y = pick(rng, w.pool, w.n_pool);
        if (base_rng_below(rng, 2)) y = dense(w.g, name, y, WIDTH);
        truce_node loss = random_loss(&w, y);
        if (previous != TRUCE_NONE && base_rng_below(rng, 4) == 0) loss = truce_op_add(w.g, loss, previous);
        if (previous != TRUCE_NONE && base_rng_below(rng, 8) == 0) loss = previous;
        truce_graph_task(w.g, name, loss);
        previous = loss;
    }
}

static void random_graphs_agree(void **state) {
    for (uint64_t seed = 0; seed < 500; seed++) {
        base_rng rng = base_rng_make(seed, "graph", 0, 0);
        fixture f = {.context = *state};
        assert_ok(f.context, truce_graph_create(f.context, &f.graph));
        random_graph(&f, &rng);
        if (truce_graph_status(f.graph) == TRUCE_OK) {
            open_fixture(&f, &rng, 0.1);
            check_all_ways(&f, &rng);
        } else {
            fail_msg("seed %d: %s", (int)seed, truce_context_message(f.context));
        }
        close_fixture(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(trunks_of_any_width_agree),
        TEST(random_graphs_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
