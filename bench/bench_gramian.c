/*
 * What does the exact Gramian of T tasks cost, in time and memory?
 *
 * A trunk 64-256-256-256 with T linear heads, batch 128, one thread. A plain step is forward, one reverse
 * sweep and Adam; a Gramian step is forward, the Gramian, the weighted gradient and Adam, both on the same
 * network and timed in turn. A forward run is about a third of a step and each reverse sweep two thirds, so T
 * separate sweeps would cost (1 + 2T)/3 plain steps: the bound that is printed beside the measured ratio.
 * Memory is the program's arena; a stored Jacobian would need T x P numbers more. Widths 512 and 1024 show
 * that memory does not grow with T x P.
 */
#include "bench.h"

#include "truce/optim.h"

enum { BATCH = 128, INPUTS = 64, MAX_TASKS = 16 };

typedef struct setup {
    truce_context *context;
    truce_graph *graph;
    truce_parameters *parameters;
    truce_program *plain, *gramian;
    truce_optimizer *optimizer;
    double weights[MAX_TASKS], products[MAX_TASKS * MAX_TASKS];
} setup;

static void build(setup *s, int n_tasks, int64_t width) {
    char name[16];
    truce_graph *g = s->graph;
    truce_node z = truce_graph_input(g, "x", TRUCE_REAL, (truce_shape){2, {TRUCE_BATCH, INPUTS}});
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "trunk.%d", i);
        z = truce_op_relu(g, bench_layer(g, name, z, width));
    }
    for (int t = 0; t < n_tasks; t++) {
        snprintf(name, sizeof name, "head.%d", t);
        truce_node y = bench_layer(g, name, z, 1);
        snprintf(name, sizeof name, "y%d", t);
        truce_node target = truce_graph_input(g, name, TRUCE_REAL, (truce_shape){2, {TRUCE_BATCH, 1}});
        truce_graph_task(g, name, truce_op_squared_error(g, y, target));
    }
}

static truce_program *compile(setup *s, truce_gradients gradients) {
    truce_program *program = NULL;
    truce_program_config config = {.max_batch = BATCH, .gradients = gradients, .training = 1};
    bench_must(s->context, truce_program_create(s->parameters, &config, &program));
    bench_fill(truce_program_values(program, truce_graph_find(s->graph, "x")), BATCH * INPUTS);
    for (int t = 0; t < truce_graph_tasks(s->graph); t++)
        bench_fill(
            truce_program_values(program, truce_graph_find(s->graph, truce_graph_task_name(s->graph, t))),
            BATCH);
    return program;
}

static void open_setup(setup *s, int n_tasks, int64_t width) {
    bench_must(NULL, truce_context_create(&(truce_context_config){.n_threads = 1}, &s->context));
    bench_must(s->context, truce_graph_create(s->context, &s->graph));
    build(s, n_tasks, width);
    bench_must(s->context, truce_parameters_create(s->graph, TRUCE_FLOAT32, &s->parameters));
    truce_parameters_init(s->parameters, 1);
    bench_must(s->context, truce_optimizer_create(s->parameters, "adam", &s->optimizer));
    s->plain = compile(s, TRUCE_GRADIENT_WEIGHTED);
    s->gramian = compile(s, TRUCE_GRADIENT_GRAMIAN);
    for (int t = 0; t < n_tasks; t++) s->weights[t] = 1;
}

static void close_setup(setup *s) {
    truce_program_destroy(s->gramian);
    truce_program_destroy(s->plain);
    truce_optimizer_destroy(s->optimizer);
    truce_parameters_destroy(s->parameters);
    truce_graph_destroy(s->graph);
    truce_context_destroy(s->context);
}

static void update(setup *s, truce_program *program) {
    void *gradient = NULL;
    truce_jacobian *jacobian = truce_program_jacobian(program);
    bench_must(s->context, truce_jacobian_combine(jacobian, s->weights, TRUCE_OWN_PLAIN, &gradient));
    truce_optimizer_step(s->optimizer, gradient, 1e-5);
}

static void plain_step(void *arg) {
    setup *s = arg;
    bench_must(s->context, truce_program_forward(s->plain, &(truce_run){.n_rows = BATCH}));
    update(s, s->plain);
}

static void gramian_step(void *arg) {
    setup *s = arg;
    bench_must(s->context, truce_program_forward(s->gramian, &(truce_run){.n_rows = BATCH}));
    bench_must(s->context, truce_jacobian_gramian(truce_program_jacobian(s->gramian), s->products));
    update(s, s->gramian);
}

static void measure(int n_tasks, int64_t width) {
    setup s = {.context = NULL};
    double plain_us[BENCH_REPEATS], gramian_us[BENCH_REPEATS], ratio[BENCH_REPEATS];
    open_setup(&s, n_tasks, width);
    for (int r = 0; r < BENCH_REPEATS; r++) {
        plain_us[r] = 1e6 * bench_time(plain_step, &s, 0.05);
        gramian_us[r] = 1e6 * bench_time(gramian_step, &s, 0.05);
        ratio[r] = gramian_us[r] / plain_us[r];
    }
    int64_t n_shared = 0;
    truce_parameters_trained(s.parameters, &n_shared);
    double middle = bench_median(ratio, BENCH_REPEATS);
    printf("{\"case\": \"gramian\", \"tasks\": %d, \"width\": %d, \"plain_us\": %.1f, \"gramian_us\": %.1f, "
           "\"ratio\": %.3f, \"ratio_low\": %.3f, \"ratio_high\": %.3f, \"separate_sweeps\": %.3f, "
           "\"plain_bytes\": %zu, \"gramian_bytes\": %zu, \"jacobian_bytes\": %zu}\n",
           n_tasks, (int)width, bench_median(plain_us, BENCH_REPEATS),
           bench_median(gramian_us, BENCH_REPEATS), middle, ratio[0], ratio[BENCH_REPEATS - 1],
           (1 + 2.0 * n_tasks) / 3, truce_program_bytes(s.plain), truce_program_bytes(s.gramian),
           sizeof(float) * (size_t)n_tasks * (size_t)n_shared);
    close_setup(&s);
}

int main(void) {
    static const int tasks[] = {2, 4, 8, 16};
    static const int64_t widths[] = {256, 512, 1024};
    for (size_t w = 0; w < BASE_COUNT(widths); w++)
        for (size_t t = 0; t < BASE_COUNT(tasks); t++) measure(tasks[t], widths[w]);
    return 0;
}
