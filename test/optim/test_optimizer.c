/*
 * Update rules against plain loops of their formulas, in both precisions; state that can be carried over.
 */
#include "support/test.h"

#include "base/rng.h"
#include "truce/optim.h"

#include <math.h>

enum { N = 37, STEPS = 9 };

/* A graph of one parameter vector that serves one task. */
typedef struct fixture {
    truce_graph *graph;
    truce_parameters *parameters;
    int64_t n, n_shared;
    void *block;
} fixture;

static fixture open_fixture(truce_context *context, truce_dtype dtype) {
    fixture f = {.n = 0};
    assert_ok(context, truce_graph_create(context, &f.graph));
    truce_node w =
        truce_graph_parameter(f.graph, "w", (truce_shape){1, {N}}, (truce_init){TRUCE_INIT_NORMAL, 1});
    truce_graph_task(f.graph, "t", truce_op_sum(f.graph, w, 0, NULL));
    assert_ok(context, truce_parameters_create(f.graph, dtype, &f.parameters));
    truce_parameters_init(f.parameters, 1);
    f.block = truce_parameters_block(f.parameters, &f.n, &f.n_shared);
    return f;
}

static void close_fixture(fixture *f) {
    truce_parameters_destroy(f->parameters);
    truce_graph_destroy(f->graph);
}

static double get(const void *x, truce_dtype dtype, int64_t i) {
    return dtype == TRUCE_FLOAT64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static void draw_gradient(base_rng *rng, void *gradient, truce_dtype dtype, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        double g = i < N ? base_rng_normal(rng) : 0;
        if (dtype == TRUCE_FLOAT64)
            ((double *)gradient)[i] = g;
        else
            ((float *)gradient)[i] = (float)g;
    }
}

/* The formulas of the papers, for one number. */
typedef struct number {
    double x, m, v;
} number;

typedef void (*rule_fn)(number *n, double g, int step, double rate);

static void plain_rule(number *n, double g, int step, double rate) {
    (void)step;
    n->x -= rate * g;
}

static void momentum_rule(number *n, double g, int step, double rate) {
    (void)step;
    g += 0.1 * n->x;
    n->m = 0.9 * n->m + g;
    n->x -= rate * n->m;
}

static void nesterov_rule(number *n, double g, int step, double rate) {
    (void)step;
    n->m = 0.8 * n->m + g;
    n->x -= rate * (g + 0.8 * n->m);
}

static void adam_step(number *n, double g, int step, double rate) {
    n->m = 0.9 * n->m + 0.1 * g;
    n->v = 0.999 * n->v + 0.001 * g * g;
    n->x -= rate * (n->m / (1 - pow(0.9, step))) / (sqrt(n->v / (1 - pow(0.999, step))) + 1e-8);
}

static void adam_rule(number *n, double g, int step, double rate) {
    adam_step(n, g + 0.05 * n->x, step, rate);
}

static void adamw_rule(number *n, double g, int step, double rate) {
    n->x *= 1 - rate * 0.2;
    adam_step(n, g, step, rate);
}

static const struct {
    const char *name, *options[3][2];
    rule_fn rule;
} rules[] = {
    {"sgd", {{0}}, plain_rule},
    {"sgd", {{"momentum", "0.9"}, {"weight_decay", "0.1"}}, momentum_rule},
    {"sgd", {{"momentum", "0.8"}, {"nesterov", "true"}}, nesterov_rule},
    {"adam", {{"weight_decay", "0.05"}}, adam_rule},
    {"adamw", {{"weight_decay", "0.2"}}, adamw_rule},
};

static truce_optimizer *make(truce_context *context, fixture *f, size_t rule) {
    truce_optimizer *o = NULL;
    assert_ok(context, truce_optimizer_create(f->parameters, rules[rule].name, &o));
    for (int k = 0; k < 3 && rules[rule].options[k][0]; k++)
        assert_ok(context, truce_optimizer_set(o, rules[rule].options[k][0], rules[rule].options[k][1]));
    return o;
}

static void check_rule(truce_context *context, size_t rule, truce_dtype dtype) {
    fixture f = open_fixture(context, dtype);
    truce_optimizer *o = make(context, &f, rule);
    base_rng rng = base_rng_make(4, "gradient", rule, 0);
    double gradient[N + 64];
    number expected[N] = {{0}};
    for (int i = 0; i < N; i++) expected[i].x = get(f.block, dtype, i);
    for (int step = 1; step <= STEPS; step++) {
        double rate = 0.01 * step;
        draw_gradient(&rng, gradient, dtype, f.n);
        truce_optimizer_step(o, gradient, rate);
        for (int i = 0; i < N; i++) {
            rules[rule].rule(&expected[i], get(gradient, dtype, i), step, rate);
            assert_near(get(f.block, dtype, i), expected[i].x, dtype == TRUCE_FLOAT64 ? 1e-13 : 1e-5);
        }
    }
    truce_optimizer_destroy(o);
    close_fixture(&f);
}

static void rules_follow_their_formulas(void **state) {
    for (size_t rule = 0; rule < sizeof rules / sizeof *rules; rule++) {
        check_rule(*state, rule, TRUCE_FLOAT64);
        check_rule(*state, rule, TRUCE_FLOAT32);
    }
}

/* Copies an optimiser's state into another one and goes on with both. */
static void state_can_be_carried_over(void **state) {
    truce_context *context = *state;
    for (size_t rule = 0; rule < sizeof rules / sizeof *rules; rule++) {
        fixture a = open_fixture(context, TRUCE_FLOAT32), b = open_fixture(context, TRUCE_FLOAT32);
        truce_optimizer *first = make(context, &a, rule), *second = make(context, &b, rule);
        base_rng rng = base_rng_make(4, "gradient", rule, 0);
        double gradient[N + 64];
        truce_optimizer_state from, to;
        for (int step = 0; step < 2 * STEPS; step++) {
            if (step == STEPS) {
                memcpy(b.block, a.block, (size_t)a.n * sizeof(float));
                for (int i = 0; truce_optimizer_state_at(first, i, &from); i++) {
                    assert_true(truce_optimizer_state_at(second, i, &to));
                    assert_int_equal(from.n, to.n);
                    memcpy(to.values, from.values, (size_t)from.n * truce_dtype_bytes(from.dtype));
                }
            }
            draw_gradient(&rng, gradient, TRUCE_FLOAT32, a.n);
            truce_optimizer_step(first, gradient, 0.01);
            if (step >= STEPS) truce_optimizer_step(second, gradient, 0.01);
        }
        assert_memory_equal(a.block, b.block, (size_t)a.n * sizeof(float));
        truce_optimizer_destroy(second);
        truce_optimizer_destroy(first);
        close_fixture(&b);
        close_fixture(&a);
    }
}

static void schedules_have_their_shapes(void **state) {
    static const struct {
        truce_schedule schedule;
        int64_t step;
        double factor;
    } rows[] = {
        {{.kind = TRUCE_SCHEDULE_CONSTANT}, 7, 1},
        {{.kind = TRUCE_SCHEDULE_CONSTANT, .warmup = 4}, 0, 0.25},
        {{.kind = TRUCE_SCHEDULE_CONSTANT, .warmup = 4}, 3, 1},
        {{.kind = TRUCE_SCHEDULE_STEP, .every = 10, .factor = 0.5}, 9, 1},
        {{.kind = TRUCE_SCHEDULE_STEP, .every = 10, .factor = 0.5}, 25, 0.25},
        {{.kind = TRUCE_SCHEDULE_STEP, .every = 10, .factor = 0.5, .warmup = 5}, 14, 1},
        {{.kind = TRUCE_SCHEDULE_COSINE, .total_steps = 100}, 0, 1},
        {{.kind = TRUCE_SCHEDULE_COSINE, .total_steps = 100}, 50, 0.5},
        {{.kind = TRUCE_SCHEDULE_COSINE, .total_steps = 100, .floor = 0.1}, 100, 0.1},
        {{.kind = TRUCE_SCHEDULE_COSINE, .total_steps = 100, .floor = 0.1}, 1000, 0.1},
        {{.kind = TRUCE_SCHEDULE_LINEAR, .total_steps = 110, .warmup = 10}, 60, 0.5},
        {{.kind = TRUCE_SCHEDULE_LINEAR}, 5, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_near(truce_schedule_factor(&rows[i].schedule, rows[i].step), rows[i].factor, 1e-12);
}

static void clipping_bounds_the_norm(void **state) {
    fixture f = open_fixture(*state, TRUCE_FLOAT32);
    float gradient[64] = {3, 4};
    assert_near(truce_clip(f.parameters, gradient, f.n, 0), 5, 1e-6);
    assert_near(truce_clip(f.parameters, gradient, f.n, 10), 5, 1e-6);
    assert_true(gradient[0] == 3);
    assert_near(truce_clip(f.parameters, gradient, f.n, 1), 5, 1e-6);
    assert_near(gradient[0], 0.6, 1e-6);
    assert_near(gradient[1], 0.8, 1e-6);
    gradient[5] = NAN;
    assert_true(isnan(truce_clip(f.parameters, gradient, f.n, 1)));
    close_fixture(&f);
}

static void wrong_names_are_told(void **state) {
    truce_context *context = *state;
    fixture f = open_fixture(context, TRUCE_FLOAT32);
    truce_optimizer *o = NULL;
    assert_fails(context, TRUCE_ERROR_NAME, "did you mean 'adam'?",
                 truce_optimizer_create(f.parameters, "adm", &o));
    assert_ok(context, truce_optimizer_create(f.parameters, "adam", &o));
    assert_fails(context, TRUCE_ERROR_NAME, "did you mean 'beta1'?", truce_optimizer_set(o, "beta", "0.5"));
    assert_fails(context, TRUCE_ERROR_RANGE, "between 0 and", truce_optimizer_set(o, "beta1", "1.5"));
    truce_optimizer_destroy(o);
    for (long k = 1;; k++) {
        test_fail_allocation(k);
        truce_status status = truce_optimizer_create(f.parameters, "adam", &o);
        test_fail_allocation(0);
        if (!status) break;
        assert_int_equal(TRUCE_ERROR_MEMORY, status);
    }
    truce_optimizer_destroy(o);
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(rules_follow_their_formulas), TEST(state_can_be_carried_over), TEST(schedules_have_their_shapes),
        TEST(clipping_bounds_the_norm),    TEST(wrong_names_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
