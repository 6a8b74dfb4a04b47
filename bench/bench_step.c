/*
 * How close does a training step come to its matrix products?
 *
 * One step (forward, reverse, Adam) of small networks on one thread, against the sum of the same matrix
 * products alone, timed in turn. Prints per network: microseconds of both (median), and the share of the step
 * that the products take (median, smallest, largest over repeats).
 */
#include "bench.h"

#include "linalg/blas.h"
#include "truce/optim.h"

#define MAX_LAYERS 8

typedef struct network {
    const char *name;
    int64_t batch;
    int n_layers;
    int64_t widths[MAX_LAYERS];
} network;

static const network networks[] = {
    {"64-128-128-10", 128, 3, {64, 128, 128, 10}},
    {"16-32-4", 32, 2, {16, 32, 4}},
    {"784-512-512-10", 256, 3, {784, 512, 512, 10}},
};

typedef struct training {
    truce_context *context;
    truce_graph *graph;
    truce_parameters *parameters;
    truce_program *program;
    truce_optimizer *optimizer;
    int64_t batch;
} training;

static training open_training(const network *n) {
    training t = {.batch = n->batch};
    bench_must(NULL, truce_context_create(&(truce_context_config){.n_threads = 1}, &t.context));
    bench_must(t.context, truce_graph_create(t.context, &t.graph));
    int64_t in = n->widths[0], out = n->widths[n->n_layers];
    truce_node x = truce_graph_input(t.graph, "x", TRUCE_REAL, (truce_shape){2, {TRUCE_BATCH, in}}), z = x;
    truce_node y = truce_graph_input(t.graph, "y", TRUCE_REAL, (truce_shape){2, {TRUCE_BATCH, out}});
    for (int i = 0; i < n->n_layers; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        z = bench_layer(t.graph, name, z, n->widths[i + 1]);
        if (i + 1 < n->n_layers) z = truce_op_relu(t.graph, z);
    }
    truce_graph_task(t.graph, "y", truce_op_squared_error(t.graph, z, y));
    bench_must(t.context, truce_parameters_create(t.graph, TRUCE_FLOAT32, &t.parameters));
    truce_parameters_init(t.parameters, 1);
    truce_program_config config = {
        .max_batch = n->batch, .gradients = TRUCE_GRADIENT_WEIGHTED, .training = 1};
    bench_must(t.context, truce_program_create(t.parameters, &config, &t.program));
    bench_must(t.context, truce_optimizer_create(t.parameters, "adam", &t.optimizer));
    bench_fill(truce_program_values(t.program, x), n->batch * in);
    bench_fill(truce_program_values(t.program, y), n->batch * out);
    return t;
}

static void close_training(training *t) {
    truce_optimizer_destroy(t->optimizer);
    truce_program_destroy(t->program);
    truce_parameters_destroy(t->parameters);
    truce_graph_destroy(t->graph);
    truce_context_destroy(t->context);
}

static void step(void *arg) {
    training *t = arg;
    void *gradient = NULL;
    double weight = 1;
    bench_must(t->context, truce_program_forward(t->program, &(truce_run){.n_rows = t->batch}));
    bench_must(t->context, truce_jacobian_combine(truce_program_jacobian(t->program), &weight,
                                                  TRUCE_OWN_PLAIN, &gradient));
    truce_optimizer_step(t->optimizer, gradient, 1e-4);
}

/* The products of a step, on matrices of their own. */
typedef struct products {
    linalg_product calls[3 * MAX_LAYERS];
    int n;
} products;

static float *matrix(int64_t n) {
    float *values = aligned_alloc(64, ((size_t)n * sizeof(float) + 63) / 64 * 64);
    if (!values) exit(1);
    bench_fill(values, n);
    return values;
}

static void add_products(products *p, int64_t batch, int64_t in, int64_t out, int first) {
    float *x = matrix(batch * in), *w = matrix(in * out), *y = matrix(batch * out);
    linalg_product forward = {.transpose_b = true,
                              .m = batch,
                              .n = out,
                              .k = in,
                              .a = x,
                              .lda = in,
                              .b = w,
                              .ldb = in,
                              .c = y,
                              .ldc = out,
                              .alpha = 1};
    linalg_product weight = {.transpose_a = true,
                             .m = out,
                             .n = in,
                             .k = batch,
                             .a = y,
                             .lda = out,
                             .b = x,
                             .ldb = in,
                             .c = w,
                             .ldc = in,
                             .alpha = 1};
    linalg_product input = {
        .m = batch, .n = in, .k = out, .a = y, .lda = out, .b = w, .ldb = in, .c = x, .ldc = in, .alpha = 1};
    p->calls[p->n++] = forward;
    p->calls[p->n++] = weight;
    if (!first) p->calls[p->n++] = input;
}

static void multiply(void *arg) {
    products *p = arg;
    for (int i = 0; i < p->n; i++) linalg_multiply_f32(NULL, &p->calls[i]);
}

int main(void) {
    for (size_t i = 0; i < BASE_COUNT(networks); i++) {
        const network *n = &networks[i];
        training t = open_training(n);
        products p = {.n = 0};
        double step_us[BENCH_REPEATS], products_us[BENCH_REPEATS], share[BENCH_REPEATS];
        for (int k = 0; k < n->n_layers; k++)
            add_products(&p, n->batch, n->widths[k], n->widths[k + 1], k == 0);
        for (int r = 0; r < BENCH_REPEATS; r++) {
            step_us[r] = 1e6 * bench_time(step, &t, 0.05);
            products_us[r] = 1e6 * bench_time(multiply, &p, 0.05);
            share[r] = products_us[r] / step_us[r];
        }
        double middle = bench_median(share, BENCH_REPEATS);
        printf("{\"case\": \"step\", \"network\": \"%s\", \"batch\": %d, \"step_us\": %.2f, \"products_us\": "
               "%.2f, "
               "\"share\": %.3f, \"share_low\": %.3f, \"share_high\": %.3f}\n",
               n->name, (int)n->batch, bench_median(step_us, BENCH_REPEATS),
               bench_median(products_us, BENCH_REPEATS), middle, share[0], share[BENCH_REPEATS - 1]);
        close_training(&t);
    }
    return 0;
}
