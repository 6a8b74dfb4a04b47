/*
 * Methods that look at losses: what they say to losses without a logarithm, what they learn, and their random
 * draws.
 */
#include "balance/make.h"

#include "balance/random.h"

static void negative_losses_are_refused_where_they_have_no_meaning(void **state) {
    truce_context *context = *state;
    static const char *const methods[] = {"si",   "gls",      "uw_o", "uw_so",    "famo",
                                          "stch", "go4align", "igb",  "gradnorm", "db_mtl"};
    static const char *const names[] = {"depth", "edges"};
    double losses[] = {1, -0.5}, w[2], d[2], j[] = {1, 0, 0, 1};
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        truce_balancer *b = make_balancer(context, methods[m], 2);
        truce_balance_input input = {
            .losses = losses, .dtype = TRUCE_FLOAT64, .jacobian = j, .n_parameters = 2};
        truce_balancer_name_tasks(b, names);
        assert_fails(context, TRUCE_ERROR_DATA, "task 'edges'", truce_balancer_aggregate(b, &input, d, w));
        truce_balancer_destroy(b);
    }
}

/* A loss of exactly zero has nothing to gain: its task is left out, and the others go on. */
static void zero_losses_leave_their_task_out(void **state) {
    truce_context *context = *state;
    static const char *const methods[] = {"si", "gls", "uw_o", "uw_so", "stch", "go4align", "igb"};
    double losses[] = {2, 0, 3}, two[] = {2, 3}, w[3], v[2];
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        truce_balancer *b = make_balancer(context, methods[m], 3), *c = make_balancer(context, methods[m], 2);
        assert_ok(context, truce_balancer_weigh(b, &(truce_balance_input){.losses = losses}, w));
        assert_ok(context, truce_balancer_weigh(c, &(truce_balance_input){.losses = two}, v));
        assert_true(w[0] == v[0] && w[1] == 0 && w[2] == v[1]);
        truce_balancer_destroy(c);
        truce_balancer_destroy(b);
    }
}

/* Learned scales find the inverse of constant losses. */
static void learned_weights_settle_at_inverse_losses(void **state) {
    truce_context *context = *state;
    static const char *const methods[] = {"uw", "imtl_l"};
    double losses[] = {0.1, 1, 8}, w[3];
    for (int m = 0; m < 2; m++) {
        truce_balancer *b = make_balancer(context, methods[m], 3);
        for (int step = 0; step < 3000; step++)
            assert_ok(context, truce_balancer_weigh(b, &(truce_balance_input){.losses = losses}, w));
        for (int i = 0; i < 3; i++) assert_near(w[i] * losses[i] * (m == 0 ? 2 : 1), 1, 1e-3);
        truce_balancer_destroy(b);
    }
}

/* In FAMO the task whose loss falls fastest loses weight. */
static void famo_slows_the_fastest_down(void **state) {
    truce_context *context = *state;
    double losses[] = {1, 1}, after[] = {0.5, 0.9}, w[2];
    truce_balancer *b = make_balancer(context, "famo", 2);
    for (int step = 0; step < 50; step++) {
        assert_ok(context, truce_balancer_weigh(b, &(truce_balance_input){.losses = losses}, w));
        assert_ok(context, truce_balancer_observe(b, after));
        assert_near(w[0] + w[1], 1, 1e-12);
    }
    assert_true(w[0] < 0.4);
    truce_balancer_destroy(b);
}

/* GradNorm evens out gradient norms of tasks that train alike. */
static void gradnorm_evens_norms_out(void **state) {
    truce_context *context = *state;
    double losses[] = {1, 1, 1}, g[] = {100, 0, 0, 0, 1, 0, 0, 0, 0.25}, w[3];
    truce_balancer *b = make_balancer(context, "gradnorm", 3);
    for (int step = 0; step < 2000; step++)
        assert_ok(context,
                  truce_balancer_weigh(b, &(truce_balance_input){.losses = losses, .gramian = g}, w));
    assert_near(w[0] + w[1] + w[2], 3, 1e-9);
    assert_near(10 * w[0] / (0.5 * w[2]), 1, 0.2);
    assert_near(w[1] / (0.5 * w[2]), 1, 0.2);
    truce_balancer_destroy(b);
}

/* The exact division of GO4Align's scores against all divisions of a sorted list. */
static double best_division(const double *sorted, int n, int groups) {
    if (groups == 1 || n == groups) {
        double mean = 0, sum = 0;
        for (int i = 0; i < n; i++) mean += sorted[i] / n;
        for (int i = 0; i < n; i++) sum += (sorted[i] - mean) * (sorted[i] - mean);
        return n == groups ? 0 : sum;
    }
    double best = INFINITY;
    for (int first = 1; first <= n - groups + 1; first++)
        best = fmin(best,
                    best_division(sorted, first, 1) + best_division(sorted + first, n - first, groups - 1));
    return best;
}

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void clusters_on_a_line_are_the_best(void **state) {
    truce_context *context = *state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        base_rng rng = base_rng_make(seed, "clusters", 0, 0);
        int n = 1 + (int)base_rng_below(&rng, 9), groups = 1 + (int)base_rng_below(&rng, (uint64_t)n);
        double losses[9], scores[9], w[9], spread = 0, total = 0;
        char text[16];
        snprintf(text, sizeof text, "%d", groups);
        for (int i = 0; i < n; i++) total += losses[i] = 0.1 + base_rng_uniform(&rng);
        truce_balancer *b = make_balancer(context, "go4align", n);
        assert_ok(context, truce_balancer_set(b, "eta", "0"));
        assert_ok(context, truce_balancer_set(b, "groups", text));
        assert_ok(context, truce_balancer_weigh(b, &(truce_balance_input){.losses = losses}, w));
        for (int i = 0; i < n; i++) {
            scores[i] = total / losses[i] / n;
            spread += (scores[i] - w[i]) * (scores[i] - w[i]);
        }
        qsort(scores, (size_t)n, sizeof *scores, compare_numbers);
        assert_near(spread, best_division(scores, n, groups), 1e-9);
        truce_balancer_destroy(b);
    }
}

static void gamma_variates_have_their_moments(void **state) {
    static const double shapes[] = {0.05, 0.5, 1, 2.5, 40};
    (void)state;
    for (size_t s = 0; s < 5; s++) {
        base_rng rng = base_rng_make(1, "gamma", s, 0);
        double mean = 0, square = 0;
        enum { N = 200000 };
        for (int i = 0; i < N; i++) {
            double x = exp(balance_log_gamma(&rng, shapes[s]));
            mean += x / N;
            square += x * x / N;
        }
        assert_near(mean / shapes[s], 1, 0.03);
        assert_near((square - mean * mean) / shapes[s], 1, 0.06);
    }
}

static void preferences_are_drawn_from_the_simplex(void **state) {
    truce_context *context = *state;
    double losses[] = {1, 2, 3}, w[3], mean[3] = {0};
    truce_balancer *b = make_balancer(context, "cosmos", 3);
    assert_ok(context, truce_balancer_set(b, "dirichlet", "0.3"));
    for (int step = 0; step < 3000; step++) {
        truce_balance_state preference;
        assert_ok(context, truce_balancer_weigh(b, &(truce_balance_input){.losses = losses}, w));
        for (int i = 0; truce_balancer_state(b, i, &preference); i++) {
            if (strcmp(preference.name, "preference") != 0) continue;
            const double *r = preference.values;
            assert_near(r[0] + r[1] + r[2], 1, 1e-12);
            for (int k = 0; k < 3; k++) mean[k] += r[k] / 3000;
        }
    }
    for (int k = 0; k < 3; k++) assert_near(mean[k], 1.0 / 3, 0.03);
    truce_balancer_destroy(b);
}

/* Auto-Lambda gives weight to training gradients that lower the primary task's validation loss. */
static void auto_lambda_follows_the_primary_task(void **state) {
    truce_context *context = *state;
    double products[] = {1, 0.5, -1, 0, 9, 0, 0, 0, 9}, before[3], after[3];
    truce_balancer *b = make_balancer(context, "auto_lambda", 3);
    assert_ok(context, truce_balancer_set(b, "primary", "0"));
    assert_ok(context, truce_balancer_weigh(b, &(truce_balance_input){0}, before));
    for (int step = 0; step < 20; step++)
        assert_ok(context,
                  truce_balancer_weigh(b, &(truce_balance_input){.validation_gramian = products}, after));
    assert_true(after[0] > before[0] && after[1] > before[1] && after[2] < before[2]);
    truce_balancer_destroy(b);
}

/* A wrapper's inner balancer is set, read, saved and refused like any other. */
static void wrappers_reach_their_inner_method(void **state) {
    truce_context *context = *state;
    truce_balancer *b = make_balancer(context, "cr_mogm", 2);
    truce_balance_state array;
    char text[32];
    double losses[] = {1, 2}, w[2];
    assert_int_equal(TRUCE_NEEDS_GRAMIAN, truce_balancer_needs(b));
    assert_fails(context, TRUCE_ERROR_UNSUPPORTED, "no weights to smooth",
                 truce_balancer_set(b, "inner", "graddrop"));
    assert_fails(context, TRUCE_ERROR_UNSUPPORTED, "a wrapper itself",
                 truce_balancer_set(b, "inner", "cr_mogm"));
    assert_fails(context, TRUCE_ERROR_NAME, "did you mean 'famo'", truce_balancer_set(b, "inner", "fammo"));
    assert_ok(context, truce_balancer_set(b, "inner", "famo"));
    assert_ok(context, truce_balancer_set(b, "inner.gamma", "0.5"));
    assert_ok(context, truce_balancer_get(b, "inner.gamma", text, sizeof text));
    assert_string_equal("0.5", text);
    assert_ok(context, truce_balancer_get(b, "inner", text, sizeof text));
    assert_string_equal("famo", text);
    assert_int_equal(TRUCE_NEEDS_LOSSES | TRUCE_NEEDS_LOSSES_AFTER, truce_balancer_needs(b));
    assert_ok(context, truce_balancer_weigh(b, &(truce_balance_input){.losses = losses}, w));
    assert_ok(context, truce_balancer_observe(b, losses));
    bool found = false;
    for (int i = 0; truce_balancer_state(b, i, &array); i++) found |= strcmp(array.name, "inner.logits") == 0;
    assert_true(found);
    truce_balancer_destroy(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(negative_losses_are_refused_where_they_have_no_meaning),
        TEST(zero_losses_leave_their_task_out),
        TEST(learned_weights_settle_at_inverse_losses),
        TEST(famo_slows_the_fastest_down),
        TEST(gradnorm_evens_norms_out),
        TEST(clusters_on_a_line_are_the_best),
        TEST(gamma_variates_have_their_moments),
        TEST(preferences_are_drawn_from_the_simplex),
        TEST(auto_lambda_follows_the_primary_task),
        TEST(wrappers_reach_their_inner_method),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
