/*
 * What every method of the table promises, on random matrices of every kind, size and scale. A claim of the
 * table that a method does not keep fails here, and so does a method that forgets a case.
 */
#include "balance/make.h"

#include "linalg/small.h"

static const int shapes[][3] = {{1, 1, 1},    {2, 2, 2},     {4, 3, 1},     {4, 3, 2},
                                {4, 3, 3},    {9, 11, 5},    {9, 11, 9},    {20, 10, 5},
                                {20, 10, 10}, {20, 100, 19}, {40, 1000, 40}};
static const int n_shapes = (int)(sizeof shapes / sizeof *shapes);

static bool kind_fits(test_rows kind, const int *shape) {
    if (kind == TEST_ROWS_STRONG || kind == TEST_ROWS_WEAK) return shape[2] < shape[0];
    return true;
}

/* The direction of a fresh balancer's step. */
static truce_status first_direction(truce_context *context, const truce_method *method, made_step *s) {
    truce_balancer *balancer = make_balancer(context, method->name, s->n_tasks);
    truce_balance_input input = input_of(s);
    truce_status status = truce_balancer_aggregate(balancer, &input, s->d, s->w);
    truce_balancer_destroy(balancer);
    return status;
}

/* TRUCE_TEST_ROUNDS=25 looks at that many times as many matrices. */
static int rounds(void) {
    const char *text = getenv("TRUCE_TEST_ROUNDS");
    return text && atoi(text) > 0 ? atoi(text) : 1;
}

typedef void (*check_fn)(truce_context *context, const truce_method *method, made_step *s, uint64_t seed);

/* Calls `check` for every method with the property, on a few matrices of each shape and kind. */
static void for_all(truce_context *context, unsigned property, unsigned none_of, check_fn check) {
    made_step *s = calloc(1, sizeof *s);
    const truce_method *method;
    for (int i = 0; (method = truce_method_at(i)); i++) {
        if ((method->properties & property) != property || (method->properties & none_of)) continue;
        for (int shape = 0; shape < n_shapes; shape++)
            for (int k = 0; k < 4 * rounds(); k++) {
                int kind = k % 4;
                uint64_t seed = (uint64_t)(100 * shape + k);
                base_rng rng = base_rng_make(seed, "properties", 0, 0);
                if (!kind_fits((test_rows)kind, shapes[shape]) || !fits(context, method, shapes[shape][0]))
                    continue;
                make_step(&rng, (test_rows)kind, shapes[shape], s);
                check(context, method, s, seed);
            }
    }
    free(s);
}

static void check_finite(truce_context *context, const truce_method *method, made_step *s, uint64_t seed) {
    static const double scales[] = {1e-10, 1e-5, 1, 1e3, 1e5, 1e10, 1e15};
    made_step *scaled = calloc(1, sizeof *scaled);
    for (size_t k = 0; k < sizeof scales / sizeof *scales; k++) {
        *scaled = *s;
        for (int i = 0; i < s->n_tasks * s->n_parameters; i++) scaled->j[i] *= scales[k];
        finish_step(scaled);
        assert_ok(context, first_direction(context, method, scaled));
        if (!all_finite(s->n_parameters, scaled->d))
            fail_msg("%s: seed %d, scale %g: the direction is not finite", method->name, (int)seed,
                     scales[k]);
    }
    free(scaled);
}

static void directions_are_finite_at_every_scale(void **state) {
    for_all(*state, 0, 0, check_finite);
}

static void check_zero(truce_context *context, const truce_method *method, made_step *s, uint64_t seed) {
    (void)seed;
    memset(s->j, 0, sizeof s->j);
    finish_step(s);
    assert_ok(context, first_direction(context, method, s));
    for (int i = 0; i < s->n_parameters; i++)
        if (s->d[i] != 0) fail_msg("%s: a zero Jacobian gives %g", method->name, s->d[i]);
}

static void zero_matrices_give_zero(void **state) {
    for_all(*state, 0, 0, check_zero);
}

/* g_i . d >= -1e-9 |g_i| sum_j |w_j g_j|: as exact as a Gramian in doubles allows. */
static void check_no_conflict(truce_context *context, const truce_method *method, made_step *s,
                              uint64_t seed) {
    assert_ok(context, first_direction(context, method, s));
    double terms = 0;
    for (int i = 0; i < s->n_tasks; i++) terms += fabs(s->w[i]) * sqrt(s->g[i * (s->n_tasks + 1)]);
    for (int i = 0; i < s->n_tasks; i++) {
        double progress = linalg_dot(s->n_parameters, s->j + i * s->n_parameters, s->d);
        double unit = sqrt(s->g[i * (s->n_tasks + 1)]) * terms;
        if (progress < -1e-9 * unit)
            fail_msg("%s: seed %d: g_%d . d is %g of %g", method->name, (int)seed, i, progress, unit);
    }
}

static void nobody_loses_where_that_is_promised(void **state) {
    for_all(*state, TRUCE_NON_CONFLICTING, 0, check_no_conflict);
}

/* |d - other| <= tolerance * (largest of the two and of what d is the sum of). */
static void check_equal(const truce_method *method, const made_step *s, const double *other, double tolerance,
                        const char *what, uint64_t seed) {
    double difference = 0, terms = fmax(length_of(s->n_parameters, s->d), length_of(s->n_parameters, other));
    for (int i = 0; i < s->n_tasks; i++) {
        double norm = sqrt(s->g[i * (s->n_tasks + 1)]);
        terms = fmax(terms, method->properties & TRUCE_WEIGHTED ? fabs(s->w[i]) * norm : 1e-6 * norm);
    }
    for (int i = 0; i < s->n_parameters; i++) difference += (s->d[i] - other[i]) * (s->d[i] - other[i]);
    if (!(sqrt(difference) <= tolerance * terms))
        fail_msg("%s: seed %d: %s: differs by %g of %g", method->name, (int)seed, what, sqrt(difference),
                 terms);
}

static void check_permutation(truce_context *context, const truce_method *method, made_step *s,
                              uint64_t seed) {
    made_step *other = calloc(1, sizeof *other);
    int64_t order[MOST_TASKS];
    base_rng rng = base_rng_make(seed, "permutation", 0, 0);
    assert_ok(context, first_direction(context, method, s));
    for (int round = 0; round < 3; round++) {
        *other = *s;
        for (int i = 0; i < s->n_tasks; i++) order[i] = i;
        base_rng_shuffle(&rng, order, s->n_tasks);
        for (int i = 0; i < s->n_tasks; i++) {
            memcpy(other->j + i * s->n_parameters, s->j + order[i] * s->n_parameters,
                   (size_t)s->n_parameters * sizeof *s->j);
            other->losses[i] = s->losses[order[i]];
        }
        finish_step(other);
        assert_ok(context, first_direction(context, method, other));
        check_equal(method, s, other->d, 1e-8, "permuted tasks", seed);
    }
    free(other);
}

static void the_order_of_tasks_does_not_matter(void **state) {
    for_all(*state, 0, TRUCE_STOCHASTIC | TRUCE_ORDER_DEPENDENT, check_permutation);
}

/* Rows of s times `factors` into `other`. */
static void scale_rows(const made_step *s, const double *factors, made_step *other) {
    *other = *s;
    for (int i = 0; i < s->n_tasks; i++)
        for (int k = 0; k < s->n_parameters; k++) other->j[i * s->n_parameters + k] *= factors[i];
    finish_step(other);
}

/* A(diag(a x + b y) J) = a A(diag(x) J) + b A(diag(y) J) for positive x and y. */
static void check_linear(truce_context *context, const truce_method *method, made_step *s, uint64_t seed) {
    made_step *one = calloc(1, sizeof *one), *two = calloc(1, sizeof *two), *both = calloc(1, sizeof *both);
    double x[MOST_TASKS], y[MOST_TASKS], sum[MOST_TASKS], combined[MOST_PARAMETERS], a = 0.7, b = 2.5;
    base_rng rng = base_rng_make(seed, "linear", 0, 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < s->n_tasks; i++) {
            x[i] = exp(2 * base_rng_normal(&rng));
            y[i] = exp(2 * base_rng_normal(&rng));
            sum[i] = a * x[i] + b * y[i];
        }
        scale_rows(s, x, one);
        scale_rows(s, y, two);
        scale_rows(s, sum, both);
        assert_ok(context, first_direction(context, method, one));
        assert_ok(context, first_direction(context, method, two));
        assert_ok(context, first_direction(context, method, both));
        for (int i = 0; i < s->n_parameters; i++) combined[i] = a * one->d[i] + b * two->d[i];
        check_equal(method, both, combined, 1e-6, "scaled rows", seed);
    }
    free(both);
    free(two);
    free(one);
}

static void directions_are_linear_where_that_is_promised(void **state) {
    for_all(*state, TRUCE_LINEAR_SCALING, 0, check_linear);
}

/* Whether the direction is nothing but the rounding of what it is the sum of. */
static bool vanishes(const truce_method *method, const made_step *s) {
    double terms = 0;
    for (int i = 0; i < s->n_tasks; i++) {
        double norm = sqrt(s->g[i * (s->n_tasks + 1)]);
        terms = method->properties & TRUCE_WEIGHTED ? terms + fabs(s->w[i]) * norm : fmax(terms, norm);
    }
    return length_of(s->n_parameters, s->d) <= 1e-6 * terms;
}

static void normalise(int n, double *x) {
    double length = length_of(n, x);
    for (int i = 0; i < n && length > 0; i++) x[i] /= length;
}

/* Losses and their gradients times factors: the same direction, perhaps of another length. */
static void check_invariant(truce_context *context, const truce_method *method, made_step *s, uint64_t seed) {
    made_step *other = calloc(1, sizeof *other);
    double factors[MOST_TASKS];
    base_rng rng = base_rng_make(seed, "invariant", 0, 0);
    for (int i = 0; i < s->n_tasks; i++)
        factors[i] = pow(10, 4 * base_rng_uniform(&rng)); /* some formulas add 1e-8 to losses */
    scale_rows(s, factors, other);
    for (int i = 0; i < s->n_tasks; i++) other->losses[i] *= factors[i];
    assert_ok(context, first_direction(context, method, s));
    assert_ok(context, first_direction(context, method, other));
    if (!vanishes(method, s)) {
        normalise(s->n_parameters, s->d);
        normalise(s->n_parameters, other->d);
        for (int i = 0; i < s->n_tasks; i++) s->w[i] = 0;
        check_equal(method, s, other->d, 1e-6, "scaled losses", seed);
    }
    free(other);
}

static void directions_ignore_the_scale_of_losses_where_that_is_promised(void **state) {
    for_all(*state, TRUCE_SCALE_INVARIANT, 0, check_invariant);
}

static bool has_step_sizes(const truce_method *method) {
    static const char *const names[] = {"modo", "moco",
                                        "excess_mtl"}; /* learning rates on squared gradients */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], method->name) == 0) return true;
    return false;
}

/* All gradients times one number: the same direction. */
static void check_common_scale(truce_context *context, const truce_method *method, made_step *s,
                               uint64_t seed) {
    made_step *other = calloc(1, sizeof *other);
    double factors[MOST_TASKS];
    assert_ok(context, first_direction(context, method, s));
    bool nothing = vanishes(method, s);
    normalise(s->n_parameters, s->d);
    for (int k = 0; k < 2 && !nothing && !has_step_sizes(method); k++) {
        for (int i = 0; i < s->n_tasks; i++) factors[i] = k ? 1e8 : 1e-8;
        scale_rows(s, factors, other);
        assert_ok(context, first_direction(context, method, other));
        normalise(s->n_parameters, other->d);
        for (int i = 0; i < s->n_tasks; i++) s->w[i] = 0;
        check_equal(method, s, other->d, 1e-6, "all rows scaled", seed);
    }
    free(other);
}

static void a_common_scale_changes_nothing_else(void **state) {
    for_all(*state, 0, 0, check_common_scale);
}

/* weigh and aggregate say the same, and the direction is the weighted sum. */
static void check_weights(truce_context *context, const truce_method *method, made_step *s, uint64_t seed) {
    truce_balancer *balancer = make_balancer(context, method->name, s->n_tasks);
    truce_balance_input input = input_of(s);
    double w[MOST_TASKS], combined[MOST_PARAMETERS] = {0};
    assert_ok(context, truce_balancer_weigh(balancer, &input, w));
    truce_balancer_destroy(balancer);
    assert_ok(context, first_direction(context, method, s));
    for (int i = 0; i < s->n_tasks; i++) {
        if (w[i] != s->w[i])
            fail_msg("%s: seed %d: weight %d is %g and %g", method->name, (int)seed, i, w[i], s->w[i]);
        for (int k = 0; k < s->n_parameters; k++) combined[k] += w[i] * s->j[i * s->n_parameters + k];
    }
    check_equal(method, s, combined, 1e-12, "combined rows", seed);
}

static void weights_make_the_direction(void **state) {
    for_all(*state, TRUCE_WEIGHTED, 0, check_weights);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(directions_are_finite_at_every_scale),
        TEST(zero_matrices_give_zero),
        TEST(nobody_loses_where_that_is_promised),
        TEST(the_order_of_tasks_does_not_matter),
        TEST(directions_are_linear_where_that_is_promised),
        TEST(directions_ignore_the_scale_of_losses_where_that_is_promised),
        TEST(a_common_scale_changes_nothing_else),
        TEST(weights_make_the_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
