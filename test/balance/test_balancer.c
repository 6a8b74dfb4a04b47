/*
 * The core: options, missing tasks, bad numbers, state, memory; for every method of the table where that
 * makes sense.
 */
#include "balance/make.h"

static const int shape[] = {6, 9, 6};

static made_step *random_step(uint64_t seed, const int *of_shape) {
    made_step *s = calloc(1, sizeof *s);
    base_rng rng = base_rng_make(seed, "balancer", 0, 0);
    make_step(&rng, TEST_ROWS_NORMAL, of_shape, s);
    return s;
}

/* A step, what follows an update, and now and then the end of an epoch. */
static truce_status run_step(truce_balancer *balancer, const made_step *s, int number, double *d, double *w) {
    truce_balance_input input = input_of(s);
    truce_status status = truce_balancer_aggregate(balancer, &input, d, w);
    if (!status) status = truce_balancer_observe(balancer, s->after);
    if (!status && number % 2) status = truce_balancer_end_epoch(balancer, s->losses);
    return status;
}

static void the_table_is_in_order(void **state) {
    const truce_method *method;
    truce_context *context = *state;
    int n = 0;
    for (; (method = truce_method_at(n)); n++) {
        assert_ptr_equal(method, truce_method_find(method->name));
        assert_true(method->title && method->reference && method->summary);
        truce_balancer *balancer = make_balancer(context, method->name, 5);
        assert_ptr_equal(method, truce_balancer_method(balancer));
        assert_int_equal(method->needs, truce_balancer_needs(balancer));
        for (int k = 0; k < method->n_options; k++) {
            char text[64], again[64];
            const truce_option *option = &method->options[k];
            assert_non_null(option->help);
            assert_ok(context, truce_balancer_get(balancer, option->name, text, sizeof text));
            if (!option->fallback) continue;
            assert_ok(context, truce_balancer_set(balancer, option->name, option->fallback));
            assert_ok(context, truce_balancer_get(balancer, option->name, again, sizeof again));
            assert_string_equal(text, again);
        }
        truce_balancer_destroy(balancer);
    }
    assert_null(truce_method_at(-1));
    assert_null(truce_method_at(n + 1));
    assert_null(truce_method_find("nothing"));
}

static void every_method_has_its_paragraph(void **state) {
    (void)state;
    static char page[1 << 18];
    FILE *file = fopen(TEST_SOURCE_FOLDER "/docs/methods.md", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = 0;
    fclose(file);
    const truce_method *method;
    for (int i = 0; (method = truce_method_at(i)); i++) {
        char heading[64], row[80];
        snprintf(heading, sizeof heading, "\n### %s\n", method->name);
        snprintf(row, sizeof row, "\n| [%s](#%s) |", method->name, method->name);
        if (!strstr(page, heading) || !strstr(page, row)) fail_msg("docs/methods.md lacks %s", method->name);
    }
}

static void every_variant_can_be_chosen(void **state) {
    const truce_method *method;
    truce_context *context = *state;
    made_step *s = random_step(1, shape);
    for (int i = 0; (method = truce_method_at(i)); i++)
        for (int k = 0; k < method->n_options; k++)
            for (const char *name =
                     strcmp(method->options[k].name, "variant") == 0 ? method->options[k].choices : "";
                 *name; name += name[strcspn(name, "|")] ? strcspn(name, "|") + 1 : strcspn(name, "|")) {
                char choice[64];
                snprintf(choice, sizeof choice, "%.*s", (int)strcspn(name, "|"), name);
                truce_balancer *balancer = make_balancer(context, method->name, shape[0]);
                assert_ok(context, truce_balancer_set(balancer, "variant", choice));
                for (int step = 0; step < 4; step++)
                    assert_ok(context, run_step(balancer, s, step, s->d, s->w));
                assert_true(all_finite(shape[1], s->d));
                truce_balancer_destroy(balancer);
            }
    free(s);
}

static void mistakes_are_named(void **state) {
    truce_context *context = *state;
    truce_balancer *b = NULL;
    double w[2];
    assert_fails(context, TRUCE_ERROR_NAME, "method 'cagard' is not known; did you mean 'cagrad'?",
                 truce_balancer_create(context, "cagard", 2, &b));
    assert_fails(context, TRUCE_ERROR_ARGUMENT, "at least one task",
                 truce_balancer_create(context, "sum", 0, &b));
    assert_null(b);
    b = make_balancer(context, "cagrad", 2);
    assert_fails(context, TRUCE_ERROR_NAME, "method 'cagrad'", truce_balancer_set(b, "d", "1"));
    assert_fails(context, TRUCE_ERROR_RANGE, "between 0 and", truce_balancer_set(b, "c", "-1"));
    assert_fails(context, TRUCE_ERROR_ARGUMENT, "needs the Gramian, but 'gramian'",
                 truce_balancer_weigh(b, &(truce_balance_input){0}, w));
    double g[] = {18, -22, -22, 38};
    assert_ok(context, truce_balancer_weigh(b, &(truce_balance_input){.gramian = g}, w));
    assert_fails(context, TRUCE_ERROR_STATE, "fixed", truce_balancer_set(b, "c", "1"));
    assert_fails(context, TRUCE_ERROR_STATE, "fixed", truce_balancer_seed(b, 3));
    truce_balancer_destroy(b);
    b = make_balancer(context, "constant", 3);
    assert_ok(context, truce_balancer_set(b, "weights", "1, 2"));
    assert_fails(context, TRUCE_ERROR_ARGUMENT, "one value for each of the 3 tasks, but has 2",
                 truce_balancer_prepare(b, 0));
    truce_balancer_destroy(b);
    truce_balancer_destroy(NULL);
}

static void a_variant_sets_what_was_not_set_by_hand(void **state) {
    truce_context *context = *state;
    truce_balancer *b = make_balancer(context, "pcgrad", 2);
    char text[32];
    assert_ok(context, truce_balancer_set(b, "epsilon", "0.5"));
    assert_ok(context, truce_balancer_set(b, "variant", "libmtl"));
    assert_ok(context, truce_balancer_get(b, "epsilon", text, sizeof text));
    assert_string_equal("0.5", text);
    assert_ok(context, truce_balancer_get(b, "include_self", text, sizeof text));
    assert_string_equal("true", text);
    assert_ok(context, truce_balancer_set(b, "variant", "official"));
    assert_ok(context, truce_balancer_get(b, "include_self", text, sizeof text));
    assert_string_equal("false", text);
    assert_ok(context, truce_balancer_get(b, "order", text, sizeof text));
    assert_string_equal("index", text);
    truce_balancer_destroy(b);
}

static void bad_numbers_name_the_task(void **state) {
    truce_context *context = *state;
    static const char *const names[] = {"depth", "edges"};
    double g[] = {18, -22, -22, 38}, losses[] = {1, INFINITY}, w[] = {-1, -1};
    truce_balancer *b = make_balancer(context, "cagrad", 2);
    g[1] = g[2] = NAN;
    assert_fails(context, TRUCE_ERROR_NUMERIC, "of task 0 and task 1 is", /* of either sign */
                 truce_balancer_weigh(b, &(truce_balance_input){.gramian = g}, w));
    g[3] = INFINITY;
    truce_balancer_name_tasks(b, names);
    assert_fails(context, TRUCE_ERROR_NUMERIC, "squared gradient norm of task 'edges' is inf",
                 truce_balancer_weigh(b, &(truce_balance_input){.gramian = g}, w));
    g[3] = -2;
    assert_fails(context, TRUCE_ERROR_NUMERIC, "squared gradient norm of task 'edges' is -2",
                 truce_balancer_weigh(b, &(truce_balance_input){.gramian = g}, w));
    assert_fails(context, TRUCE_ERROR_NUMERIC, "loss of task 'edges' is inf",
                 truce_balancer_weigh(b, &(truce_balance_input){.gramian = g, .losses = losses}, w));
    assert_true(w[0] == -1 && w[1] == -1);
    truce_balancer_destroy(b);
}

static void rows_that_are_not_numbers_name_the_task(void **state) {
    truce_context *context = *state;
    const truce_method *method;
    for (int i = 0; (method = truce_method_at(i)); i++) {
        made_step *s = random_step(2, shape);
        truce_balancer *b = make_balancer(context, method->name, shape[0]);
        truce_balance_input input = input_of(s);
        s->j[2 * shape[1] + 3] = NAN;
        finish_step(s);
        assert_int_equal(TRUCE_ERROR_NUMERIC, truce_balancer_aggregate(b, &input, s->d, s->w));
        if (method->needs & (TRUCE_NEEDS_GRAMIAN | TRUCE_NEEDS_JACOBIAN))
            assert_non_null(strstr(truce_context_message(context), "task 2"));
        truce_balancer_destroy(b);
        free(s);
    }
}

/* A task is missing in one of three ways; the others get what they get where it does not exist. */
static void missing_tasks_change_nothing_for_the_others(void **state) {
    truce_context *context = *state;
    const truce_method *method;
    made_step *all = random_step(3, shape), *some = calloc(1, sizeof *some);
    int gone = 2, n = shape[1];
    memset(all->j + gone * n, 0, (size_t)n * sizeof *all->j);
    all->losses[gone] = all->after[gone] = NAN;
    finish_step(all);
    some->n_tasks = shape[0] - 1;
    some->n_parameters = n;
    for (int i = 0, k = 0; i < shape[0]; i++) {
        if (i == gone) continue;
        memcpy(some->j + k * n, all->j + i * n, (size_t)n * sizeof *all->j);
        some->losses[k] = all->losses[i];
        some->after[k++] = all->after[i];
    }
    finish_step(some);
    for (int i = 0; (method = truce_method_at(i)); i++) {
        if ((method->properties & TRUCE_STOCHASTIC) || strcmp(method->name, "m_config") == 0) continue;
        truce_balancer *whole = make_balancer(context, method->name, shape[0]);
        truce_balancer *part = make_balancer(context, method->name, shape[0] - 1);
        for (int step = 0; step < 5; step++) {
            assert_ok(context, run_step(whole, all, step, all->d, all->w));
            assert_ok(context, run_step(part, some, step, some->d, some->w));
            for (int k = 0; k < n; k++)
                if (fabs(all->d[k] - some->d[k]) > 1e-9 * (1 + fabs(some->d[k])))
                    fail_msg("%s: step %d: d[%d] is %g and %g", method->name, step, k, all->d[k], some->d[k]);
            if (!(method->properties & TRUCE_WEIGHTED)) continue;
            assert_true(all->w[gone] == 0);
        }
        truce_balancer_destroy(part);
        truce_balancer_destroy(whole);
    }
    free(some);
    free(all);
}

/* Tasks come and go; the numbers stay finite and the state of those that are away stays. */
static void tasks_may_come_and_go(void **state) {
    truce_context *context = *state;
    const truce_method *method;
    for (int i = 0; (method = truce_method_at(i)); i++) {
        truce_balancer *b = make_balancer(context, method->name, shape[0]);
        for (int step = 0; step < 12; step++) {
            made_step *s = random_step(10 + (uint64_t)step, shape);
            for (int k = 0; k < shape[0]; k++) {
                if ((step + k) % 4 && step != 7) continue;
                s->losses[k] = s->after[k] = NAN;
                memset(s->j + k * shape[1], 0, (size_t)shape[1] * sizeof *s->j);
            }
            finish_step(s);
            assert_ok(context, run_step(b, s, step, s->d, s->w));
            if (!all_finite(shape[1], s->d)) fail_msg("%s: step %d is not finite", method->name, step);
            free(s);
        }
        truce_balancer_destroy(b);
    }
}

/* Copies all state of one balancer into another. */
static void copy_state(truce_balancer *from, truce_balancer *to) {
    truce_balance_state a, b;
    int i = 0;
    for (; truce_balancer_state(from, i, &a); i++) {
        assert_int_equal(1, truce_balancer_state(to, i, &b));
        assert_string_equal(a.name, b.name);
        assert_int_equal(a.n, b.n);
        memcpy(b.values, a.values, (size_t)a.n * truce_dtype_bytes(a.dtype));
    }
    assert_int_equal(0, truce_balancer_state(to, i, &b));
}

static void a_restored_balancer_goes_on_in_the_same_bits(void **state) {
    truce_context *context = *state;
    const truce_method *method;
    double d[16];
    for (int i = 0; (method = truce_method_at(i)); i++) {
        truce_balancer *first = make_balancer(context, method->name, shape[0]), *second = NULL;
        for (int step = 0; step < 12; step++) {
            made_step *s = random_step(50 + (uint64_t)step, shape);
            assert_ok(context, run_step(first, s, step, s->d, s->w));
            if (second) {
                assert_ok(context, run_step(second, s, step, d, s->w));
                if (memcmp(d, s->d, (size_t)shape[1] * sizeof *d))
                    fail_msg("%s: step %d differs", method->name, step);
            } else if (step == 6) {
                second = make_balancer(context, method->name, shape[0]);
                assert_int_equal(0, truce_balancer_state(second, 0, &(truce_balance_state){0}));
                assert_ok(context, truce_balancer_prepare(second, shape[1]));
                copy_state(first, second);
            }
            free(s);
        }
        truce_balancer_destroy(second);
        truce_balancer_destroy(first);
    }
}

static void a_reset_forgets_everything(void **state) {
    truce_context *context = *state;
    const truce_method *method;
    double d[16];
    made_step *s = random_step(4, shape), *other = random_step(5, shape);
    for (int i = 0; (method = truce_method_at(i)); i++) {
        truce_balancer *b = make_balancer(context, method->name, shape[0]);
        assert_ok(context, run_step(b, s, 0, d, s->w));
        for (int step = 1; step < 4; step++) assert_ok(context, run_step(b, other, step, s->d, s->w));
        truce_balancer_reset(b);
        assert_ok(context, run_step(b, s, 0, s->d, s->w));
        if (memcmp(d, s->d, (size_t)shape[1] * sizeof *d)) fail_msg("%s remembers", method->name);
        truce_balancer_destroy(b);
    }
    free(other);
    free(s);
}

static void random_draws_depend_on_seed_and_step(void **state) {
    truce_context *context = *state;
    const truce_method *method;
    made_step *s = random_step(6, (int[]){6, 40, 6});
    for (int i = 0; (method = truce_method_at(i)); i++) {
        double d[4][40];
        if (!(method->properties & TRUCE_STOCHASTIC)) continue;
        for (int k = 0; k < 3; k++) {
            truce_balancer *b = make_balancer(context, method->name, 6);
            if (k == 2) assert_ok(context, truce_balancer_seed(b, 77));
            assert_ok(context, run_step(b, s, 0, d[k], s->w));
            if (k == 1) assert_ok(context, run_step(b, s, 0, d[3], s->w));
            truce_balancer_destroy(b);
        }
        assert_memory_equal(d[0], d[1], sizeof d[0]);
        assert_memory_not_equal(d[0], d[2], sizeof d[0]);
        assert_memory_not_equal(d[0], d[3], sizeof d[0]);
    }
    free(s);
}

static void steps_do_not_allocate(void **state) {
    truce_context *context = *state;
    const truce_method *method;
    made_step *s = random_step(7, shape);
    for (int i = 0; (method = truce_method_at(i)); i++) {
        truce_balancer *b = make_balancer(context, method->name, shape[0]);
        assert_ok(context, truce_balancer_prepare(b, shape[1]));
        uint64_t requests = truce_context_memory(context).requests;
        for (int step = 0; step < 6; step++) assert_ok(context, run_step(b, s, step, s->d, s->w));
        if (truce_context_memory(context).requests != requests)
            fail_msg("%s allocates in a step", method->name);
        truce_balancer_destroy(b);
    }
    free(s);
}

static void every_failing_allocation_is_survived(void **state) {
    truce_context *context = *state;
    const truce_method *method;
    made_step *s = random_step(8, shape);
    for (int i = 0; (method = truce_method_at(i)); i++)
        for (long k = 1;; k++) {
            truce_balancer *b = NULL;
            char text[32];
            test_fail_allocation(k);
            truce_status status = truce_balancer_create(context, method->name, shape[0], &b);
            if (!status && method->n_options)
                status = truce_balancer_get(b, method->options[0].name, text, sizeof text);
            if (!status) status = run_step(b, s, 0, s->d, s->w);
            bool failed = test_allocation_failed();
            test_fail_allocation(0);
            if (!failed) {
                assert_ok(context, status);
                truce_balancer_destroy(b);
                break;
            }
            assert_int_equal(TRUCE_ERROR_MEMORY, status);
            if (b) assert_ok(context, run_step(b, s, 0, s->d, s->w)); /* as if nothing had been */
            truce_balancer_destroy(b);
        }
    free(s);
}

/* float32 rows, a stride, and threads: the same numbers up to the rounding of the type. */
static void jacobians_come_in_every_layout(void **state) {
    truce_context *context = *state;
    const truce_method *method;
    enum { T = 5, P = 700, STRIDE = 731 };
    static float rows[T * STRIDE], direction[P];
    made_step *s = random_step(9, (int[]){T, P, T});
    for (int i = 0; i < T; i++)
        for (int k = 0; k < P; k++) {
            rows[i * STRIDE + k] = (float)s->j[i * P + k];
            s->j[i * P + k] = (double)rows[i * STRIDE + k];
        }
    for (int i = 0; (method = truce_method_at(i)); i++) {
        truce_balancer *b = make_balancer(context, method->name, T),
                       *c = make_balancer(context, method->name, T);
        truce_balance_input input = input_of(s);
        if (!(method->needs & TRUCE_NEEDS_CROSS_GRAMIAN)) input.gramian = NULL;
        assert_ok(context, truce_balancer_aggregate(b, &input, s->d, NULL));
        input.jacobian = rows;
        input.dtype = TRUCE_FLOAT32;
        input.row_stride = STRIDE;
        assert_ok(context, truce_balancer_aggregate(c, &input, direction, NULL));
        for (int k = 0; k < P; k++)
            if ((float)s->d[k] != direction[k])
                fail_msg("%s: d[%d] is %g and %g", method->name, k, s->d[k], (double)direction[k]);
        truce_balancer_destroy(c);
        truce_balancer_destroy(b);
    }
    free(s);
}

static void methods_on_inner_products_take_any_width(void **state) {
    truce_context *context = *state;
    made_step *s = random_step(1, (int[]){3, 5, 3}), *wide = random_step(1, (int[]){3, 50, 3});
    truce_balancer *b = make_balancer(context, "mgda", 3);
    truce_balance_input input = input_of(s), wider = input_of(wide);
    input.jacobian = NULL;
    assert_ok(context, truce_balancer_weigh(b, &input, s->w));
    input.jacobian = s->j;
    assert_ok(context, truce_balancer_aggregate(b, &input, s->d, NULL));
    assert_ok(context, truce_balancer_aggregate(b, &wider, wide->d, NULL));
    truce_balancer_destroy(b);
    free(wide);
    free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_table_is_in_order),
        TEST(every_method_has_its_paragraph),
        TEST(every_variant_can_be_chosen),
        TEST(mistakes_are_named),
        TEST(a_variant_sets_what_was_not_set_by_hand),
        TEST(bad_numbers_name_the_task),
        TEST(rows_that_are_not_numbers_name_the_task),
        TEST(missing_tasks_change_nothing_for_the_others),
        TEST(tasks_may_come_and_go),
        TEST(a_restored_balancer_goes_on_in_the_same_bits),
        TEST(a_reset_forgets_everything),
        TEST(random_draws_depend_on_seed_and_step),
        TEST(steps_do_not_allocate),
        TEST(every_failing_allocation_is_survived),
        TEST(jacobians_come_in_every_layout),
        TEST(methods_on_inner_products_take_any_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
