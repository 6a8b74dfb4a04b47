/*
 * Methods that must agree with each other, or with a plain formula, on random gradients; and what they do at
 * Pareto-stationary points and away from them.
 */
#include "balance/make.h"

#include "linalg/small.h"

/* The direction of a fresh balancer with one option set (NULL for none). */
static void direction_of(truce_context *context, const char *method, const char *option, const char *value,
                         made_step *s) {
    truce_balancer *b = make_balancer(context, method, s->n_tasks);
    truce_balance_input input = input_of(s);
    if (option) assert_ok(context, truce_balancer_set(b, option, value));
    assert_ok(context, truce_balancer_aggregate(b, &input, s->d, s->w));
    truce_balancer_destroy(b);
}

static const int shapes[][3] = {{2, 3, 2}, {3, 9, 3}, {5, 20, 5}, {9, 11, 9}, {20, 30, 20}};

typedef void (*check_fn)(truce_context *context, made_step *one, made_step *two);

static void on_random_steps(truce_context *context, test_rows kind, check_fn check) {
    made_step *one = calloc(1, sizeof *one), *two = calloc(1, sizeof *two);
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            base_rng rng = base_rng_make(seed, "identities", k, 0);
            int shape[] = {shapes[k][0], shapes[k][1], shapes[k][2]};
            if (kind == TEST_ROWS_STRONG || kind == TEST_ROWS_WEAK) shape[2] = shape[0] - 1;
            make_step(&rng, kind, shape, one);
            *two = *one;
            check(context, one, two);
        }
    free(two);
    free(one);
}

static void assert_same(const made_step *one, const made_step *two, double factor, double tolerance) {
    double difference = 0, length = length_of(one->n_parameters, one->d);
    for (int i = 0; i < one->n_parameters; i++) difference += pow(one->d[i] - factor * two->d[i], 2);
    if (sqrt(difference) > tolerance * length)
        fail_msg("%d tasks: differ by %g of %g", one->n_tasks, sqrt(difference), length);
}

static void compare_pcgrad(truce_context *context, made_step *one, made_step *two) {
    if (one->n_tasks != 2) return;
    direction_of(context, "pcgrad", NULL, NULL, one);
    direction_of(context, "upgrad", "preference", "1, 1", two);
    assert_same(one, two, 1, 1e-9);
    direction_of(context, "gradvac", NULL, NULL, two);
    assert_same(one, two, 1, 1e-9);
}

static void pcgrad_of_two_tasks_is_upgrad_and_the_first_gradvac(void **state) {
    on_random_steps(*state, TEST_ROWS_NORMAL, compare_pcgrad);
}

static void compare_fairness(truce_context *context, made_step *one, made_step *two) {
    direction_of(context, "nash_mtl", "max_norm", "0", one);
    direction_of(context, "fairgrad", NULL, NULL, two);
    assert_same(one, two, 1, 1e-9);
    assert_near(length_of(one->n_parameters, one->d), sqrt(one->n_tasks), 1e-9);
    for (int i = 0; i < one->n_tasks; i++)
        assert_near(one->w[i] * linalg_dot(one->n_parameters, one->j + i * one->n_parameters, one->d), 1,
                    1e-8);
    direction_of(context, "pivrg", NULL, NULL, one);
    direction_of(context, "consmtl", NULL, NULL, two);
    assert_same(one, two, 1, 1e-9);
}

static void the_fair_methods_agree_where_they_meet(void **state) {
    on_random_steps(*state, TEST_ROWS_NOT_WEAK, compare_fairness);
}

/* ConFIG and IMTL-G lie on one line where the gradients are independent; both meet all gradients at one
 * angle. */
static void compare_equal_angles(truce_context *context, made_step *one, made_step *two) {
    direction_of(context, "config", NULL, NULL, one);
    direction_of(context, "imtl_g", NULL, NULL, two);
    double a = length_of(one->n_parameters, one->d), b = length_of(two->n_parameters, two->d);
    double inner = linalg_dot(one->n_parameters, one->d, two->d);
    assert_near(fabs(inner) / (a * b), 1, 1e-6);
    double first = linalg_dot(one->n_parameters, one->j, one->d) / sqrt(one->g[0]);
    for (int i = 0; i < one->n_tasks; i++) {
        double cosine = linalg_dot(one->n_parameters, one->j + i * one->n_parameters, one->d);
        assert_near(cosine / sqrt(one->g[i * (one->n_tasks + 1)]) / first, 1, 1e-6);
    }
}

static void equal_angles_are_equal(void **state) {
    on_random_steps(*state, TEST_ROWS_NORMAL, compare_equal_angles);
}

static void compare_cagrad(truce_context *context, made_step *one, made_step *two) {
    direction_of(context, "cagrad", "c", "0", one);
    direction_of(context, "mean", NULL, NULL, two);
    assert_same(one, two, 1, 1e-9);
    direction_of(context, "conicgrad", "c", "0", one);
    direction_of(context, "mgda", NULL, NULL, two);
    double factor =
        linalg_dot(one->n_parameters, one->d, two->d) / pow(length_of(two->n_parameters, two->d), 2);
    assert_same(one, two, factor, 1e-6);
    direction_of(context, "conicgrad", "c", "1", one);
    direction_of(context, "mean", NULL, NULL, two);
    assert_same(one, two, 1, 1e-6);
}

/* The smallest ball and the narrowest cone leave the mean, the widest cone the shortest vector of the hull.
 */
static void the_ball_and_the_cone_end_at_mean_and_hull(void **state) {
    on_random_steps(*state, TEST_ROWS_NOT_WEAK, compare_cagrad);
}

static void compare_lengths(truce_context *context, made_step *one, made_step *two) {
    double trace = 0;
    direction_of(context, "ntkmtl", NULL, NULL, one);
    for (int i = 0; i < one->n_tasks; i++) trace += one->g[i * (one->n_tasks + 1)];
    memset(two->d, 0, sizeof two->d);
    for (int i = 0; i < one->n_tasks; i++)
        for (int k = 0; k < one->n_parameters; k++)
            two->d[k] += sqrt(trace / one->g[i * (one->n_tasks + 1)]) * one->j[i * one->n_parameters + k];
    assert_same(one, two, 1, 1e-12);
    direction_of(context, "si", NULL, NULL, one);
    direction_of(context, "uw_o", NULL, NULL, two);
    assert_same(one, two, 1, 1e-12);
}

static void unit_sums_and_inverse_losses_agree(void **state) {
    on_random_steps(*state, TEST_ROWS_NORMAL, compare_lengths);
}

/* Aligned-MTL's gradient system is orthogonal: with p = e_i and e_j the directions have no product. */
static void compare_alignment(truce_context *context, made_step *one, made_step *two) {
    if (one->n_tasks != 3) return;
    direction_of(context, "aligned_mtl", "preference", "1, 0, 0", one);
    direction_of(context, "aligned_mtl", "preference", "0, 1, 0", two);
    double a = length_of(one->n_parameters, one->d), b = length_of(two->n_parameters, two->d);
    assert_near(a / b, 1, 1e-9);
    assert_near(linalg_dot(one->n_parameters, one->d, two->d) / (a * b), 0, 1e-9);
}

static void aligned_gradients_are_orthogonal(void **state) {
    on_random_steps(*state, TEST_ROWS_NORMAL, compare_alignment);
}

static const char *const pareto_methods[] = {"mgda", "upgrad", "dualproj"};

static void check_stationary(truce_context *context, made_step *one, made_step *two) {
    (void)two;
    for (size_t m = 0; m < sizeof pareto_methods / sizeof *pareto_methods; m++) {
        double terms = 0;
        direction_of(context, pareto_methods[m], NULL, NULL, one);
        for (int i = 0; i < one->n_tasks; i++) terms += one->w[i] * sqrt(one->g[i * (one->n_tasks + 1)]);
        if (length_of(one->n_parameters, one->d) > 1e-7 * terms)
            fail_msg("%s: %g of %g at a stationary point", pareto_methods[m],
                     length_of(one->n_parameters, one->d), terms);
    }
}

static void directions_vanish_at_pareto_stationary_points(void **state) {
    on_random_steps(*state, TEST_ROWS_STRONG, check_stationary);
}

static void check_progress(truce_context *context, made_step *one, made_step *two) {
    const truce_method *method;
    (void)two;
    for (int i = 0; (method = truce_method_at(i)); i++) {
        if (!(method->properties & TRUCE_NON_CONFLICTING)) continue;
        direction_of(context, method->name, NULL, NULL, one);
        bool strict = strcmp(method->name, "upgrad") != 0 && strcmp(method->name, "dualproj") != 0;
        if (!(length_of(one->n_parameters, one->d) > 1e-9)) fail_msg("%s: no direction", method->name);
        for (int t = 0; t < one->n_tasks && strict; t++)
            if (!(linalg_dot(one->n_parameters, one->j + t * one->n_parameters, one->d) > 0))
                fail_msg("%s: task %d does not gain", method->name, t);
    }
}

static void everybody_gains_where_that_is_possible(void **state) {
    on_random_steps(*state, TEST_ROWS_NOT_WEAK, check_progress);
}

/* Weakly stationary, not strongly: the projecting methods still move. */
static void check_weak(truce_context *context, made_step *one, made_step *two) {
    (void)two;
    for (size_t m = 1; m < sizeof pareto_methods / sizeof *pareto_methods; m++) {
        direction_of(context, pareto_methods[m], NULL, NULL, one);
        if (one->n_tasks > 2 && !(length_of(one->n_parameters, one->d) > 1e-9))
            fail_msg("%s stops at a weakly stationary point", pareto_methods[m]);
    }
}

static void projections_move_on_from_weakly_stationary_points(void **state) {
    on_random_steps(*state, TEST_ROWS_WEAK, check_weak);
}

static void imtl_l_is_twice_uncertainty_weighting_turned_round(void **state) {
    truce_context *context = *state;
    double losses[] = {0.5, 2, 4}, a[3], b[3];
    truce_balancer *imtl = make_balancer(context, "imtl_l", 3), *uw = make_balancer(context, "uw", 3);
    truce_balance_input input = {.losses = losses};
    for (int step = 0; step < 10; step++) {
        assert_ok(context, truce_balancer_weigh(imtl, &input, a));
        assert_ok(context, truce_balancer_weigh(uw, &input, b));
        for (int i = 0; i < 3; i++) assert_near(a[i], 2 * b[i], 1e-6);
    }
    truce_balancer_destroy(uw);
    truce_balancer_destroy(imtl);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(pcgrad_of_two_tasks_is_upgrad_and_the_first_gradvac),
        TEST(the_fair_methods_agree_where_they_meet),
        TEST(equal_angles_are_equal),
        TEST(the_ball_and_the_cone_end_at_mean_and_hull),
        TEST(unit_sums_and_inverse_losses_agree),
        TEST(aligned_gradients_are_orthogonal),
        TEST(directions_vanish_at_pareto_stationary_points),
        TEST(everybody_gains_where_that_is_possible),
        TEST(projections_move_on_from_weakly_stationary_points),
        TEST(imtl_l_is_twice_uncertainty_weighting_turned_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
