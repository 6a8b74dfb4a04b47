/*
 * Work on the Jacobian's columns: any width, any number of threads, the same bits.
 */
#include "balance/make.h"

#include "balance/balancer.h"
#include "balance/columns.h"

static void gramians_are_those_of_plain_sums(void **state) {
    truce_context *context = *state;
    static const int widths[] = {1, 2, 255, 256, 257, 1000};
    static const int heights[] = {1, 2, 3, 7, 40};
    made_step *s = calloc(1, sizeof *s);
    double g[MOST_TASKS * MOST_TASKS];
    for (size_t h = 0; h < 5; h++)
        for (size_t w = 0; w < 6; w++) {
            base_rng rng = base_rng_make(1, "columns", h, w);
            s->n_tasks = heights[h];
            s->n_parameters = widths[w];
            for (int i = 0; i < s->n_tasks * s->n_parameters; i++) s->j[i] = base_rng_normal(&rng);
            finish_step(s);
            truce_balancer *b = make_balancer(context, "mgda", s->n_tasks);
            assert_ok(context, truce_balancer_prepare(b, s->n_parameters));
            int task[MOST_TASKS];
            for (int i = 0; i < s->n_tasks; i++) task[i] = i;
            truce_balance_input input = input_of(s);
            balance_step step = {.n = s->n_tasks, .task = task, .input = &input};
            balance_gramian_of_rows(b, &step, g);
            for (int i = 0; i < s->n_tasks * s->n_tasks; i++) assert_near(g[i], s->g[i], 1e-13);
            truce_balancer_destroy(b);
        }
    free(s);
}

/* One method of each way to work on columns, on 100 000 of them, with one thread and with three. */
static void threads_do_not_change_a_bit(void **state) {
    (void)state;
    static const char *const methods[] = {"upgrad",     "graddrop", "moco",
                                          "excess_mtl", "m_config", "trimmed_mean"};
    enum { T = 4, P = 100000 };
    float *rows = calloc((size_t)T * P, sizeof *rows), *d[2];
    base_rng rng = base_rng_make(1, "threads", 0, 0);
    for (int i = 0; i < T * P; i++) rows[i] = (float)base_rng_normal(&rng);
    for (int k = 0; k < 2; k++) d[k] = calloc(P, sizeof *d[k]);
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        for (int k = 0; k < 2; k++) {
            truce_context *context = NULL;
            assert_int_equal(0,
                             truce_context_create(&(truce_context_config){.n_threads = 1 + 2 * k}, &context));
            truce_balancer *b = make_balancer(context, methods[m], T);
            truce_balance_input input = {.dtype = TRUCE_FLOAT32, .jacobian = rows, .n_parameters = P};
            for (int step = 0; step < 5; step++)
                assert_ok(context, truce_balancer_aggregate(b, &input, d[k], NULL));
            truce_balancer_destroy(b);
            truce_context_destroy(context);
        }
        if (memcmp(d[0], d[1], P * sizeof *d[0])) fail_msg("%s depends on the number of threads", methods[m]);
    }
    for (int k = 0; k < 2; k++) free(d[k]);
    free(rows);
}

static void directions_beyond_the_type_are_refused(void **state) {
    truce_context *context = *state;
    float rows[] = {3e38f, 1, 3e38f, 1}, d[2];
    truce_balancer *b = make_balancer(context, "sum", 2);
    truce_balance_input input = {.dtype = TRUCE_FLOAT32, .jacobian = rows, .n_parameters = 2};
    assert_fails(context, TRUCE_ERROR_NUMERIC, "method 'sum': the direction is not finite",
                 truce_balancer_aggregate(b, &input, d, NULL));
    truce_balancer_destroy(b);
}

/* What passes in graddrop is drawn by the votes: a share of P of the coordinates keeps the positive sign. */
static void graddrop_draws_by_purity(void **state) {
    truce_context *context = *state;
    enum { P = 20000 };
    double *rows = calloc(2 * P, sizeof *rows), *d = calloc(P, sizeof *d), positive = 0;
    for (int i = 0; i < P; i++) {
        rows[i] = 3;
        rows[P + i] = -1;
    }
    truce_balancer *b = make_balancer(context, "graddrop", 2);
    truce_balance_input input = {.dtype = TRUCE_FLOAT64, .jacobian = rows, .n_parameters = P};
    assert_ok(context, truce_balancer_aggregate(b, &input, d, NULL));
    for (int i = 0; i < P; i++) {
        assert_true(d[i] == 3 || d[i] == -1);
        positive += d[i] == 3;
    }
    assert_near(positive / P, 0.75, 0.015);
    truce_balancer_destroy(b);
    free(d);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(gramians_are_those_of_plain_sums),
        TEST(threads_do_not_change_a_bit),
        TEST(directions_beyond_the_type_are_refused),
        TEST(graddrop_draws_by_purity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
