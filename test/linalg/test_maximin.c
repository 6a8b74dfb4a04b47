#include "support/matrix.h"
#include "support/test.h"

#include "linalg/maximin.h"
#include "linalg/small.h"

#include <math.h>
#include <stdlib.h>

#define MOST 40

typedef struct instance {
    int n;
    double g[MOST * MOST], q[MOST], row[MOST], v[MOST];
} instance;

/* min_i (q_i + g_i . x) / a_i for x = sum v_i g_i. */
static double worst_case(const instance *t) {
    double worst = INFINITY;
    for (int i = 0; i < t->n; i++)
        worst = fmin(worst, (t->q[i] + linalg_dot(t->n, t->g + (long)i * t->n, t->v)) / t->row[i]);
    return worst;
}

/* An upper bound of every worst case in the ball: q . w + radius |sum w_i g_i| for w = v / (a . v). */
static double bound(const instance *t, double radius) {
    double total = linalg_dot(t->n, t->row, t->v);
    double length = sqrt(fmax(0, linalg_form(t->n, t->g, t->v, t->v)));
    return (linalg_dot(t->n, t->q, t->v) + radius * length) / total;
}

static void make(base_rng *rng, const int *shape, test_rows kind, instance *t) {
    int m = shape[0], n = shape[1];
    double *j = calloc((size_t)(m * n), 8), center[MOST];
    t->n = m;
    test_matrix(rng, kind, m, n, shape[2], j);
    test_gramian(m, n, j, t->g);
    for (int i = 0; i < m; i++) {
        center[i] = 1.0 / m;
        t->row[i] = 0.5 + base_rng_uniform(rng);
    }
    linalg_times(m, t->g, center, t->q);
    free(j);
}

static const int shapes[][3] = {{1, 1, 1},  {2, 3, 2},   {4, 3, 2},    {9, 11, 5},
                                {9, 11, 8}, {20, 10, 5}, {40, 100, 30}};

/* The value at v and the bound from v meet: v is optimal, whatever way it was found. */
static void values_meet_their_dual_bound(void **state) {
    (void)state;
    static const double radii[] = {1e-6, 0.1, 0.5, 1, 3};
    instance *t = calloc(1, sizeof *t);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t r = 0; r < sizeof radii / sizeof *radii; r++)
            for (uint64_t seed = 0; seed < 40; seed++) {
                base_rng rng = base_rng_make(seed, "maximin", s, r);
                make(&rng, shapes[s], seed % 2 ? TEST_ROWS_NOT_WEAK : TEST_ROWS_NORMAL, t);
                double *work = calloc(linalg_maximin_room(t->n), 8), center[MOST];
                for (int i = 0; i < t->n; i++) center[i] = 1.0 / t->n;
                double radius = radii[r] * sqrt(fmax(0, linalg_form(t->n, t->g, center, center)));
                linalg_maximin p = {t->n, t->g, t->q, t->row, radius};
                linalg_maximin_solve(&p, t->v, work);
                double length = sqrt(fmax(0, linalg_form(t->n, t->g, t->v, t->v))), scale = 0;
                for (int i = 0; i < t->n; i++)
                    scale = fmax(scale, fabs(t->q[i]) + radius * sqrt(t->g[i * (t->n + 1)]));
                if (!(length <= radius * (1 + 1e-9)))
                    fail_msg("seed %d: length %g of %g", (int)seed, length, radius);
                double gap = length > 0.999 * radius ? bound(t, radius) - worst_case(t) : -worst_case(t);
                if (!(gap < 1e-9 * scale))
                    fail_msg("seed %d shape %d: gap %g of %g", (int)seed, (int)s, gap, scale);
                free(work);
            }
    free(t);
}

/* Stationary rows: nothing is better than zero, and zero is reached by the shortest correction. */
static void stationary_rows_end_at_zero(void **state) {
    (void)state;
    instance *t = calloc(1, sizeof *t);
    for (size_t s = 2; s < sizeof shapes / sizeof *shapes; s++) {
        base_rng rng = base_rng_make(s, "maximin stationary", 0, 0);
        make(&rng, shapes[s], TEST_ROWS_STRONG, t);
        double *work = calloc(linalg_maximin_room(t->n), 8);
        linalg_maximin p = {t->n, t->g, t->q, t->row, 10};
        linalg_maximin_solve(&p, t->v, work);
        assert_near(worst_case(t), 0, 1e-9);
        free(work);
    }
    free(t);
}

/* Any q, and rows that leave no way to raise all: the bound is met, or a larger ball is no better. */
static void worst_cases_are_best_for_any_offsets(void **state) {
    (void)state;
    instance *t = calloc(1, sizeof *t);
    for (size_t s = 2; s < sizeof shapes / sizeof *shapes; s++)
        for (uint64_t seed = 0; seed < 60; seed++) {
            base_rng rng = base_rng_make(seed, "maximin offsets", s, 0);
            if (shapes[s][2] >= shapes[s][0]) continue;
            make(&rng, shapes[s], TEST_ROWS_STRONG, t);
            double *work = calloc(linalg_maximin_room(t->n), 8), radius = 0.1 + 2 * base_rng_uniform(&rng),
                   scale = 0;
            for (int i = 0; i < t->n; i++) {
                t->q[i] = base_rng_normal(&rng);
                scale = fmax(scale, fabs(t->q[i]) + radius * sqrt(t->g[i * (t->n + 1)]));
            }
            linalg_maximin p = {t->n, t->g, t->q, t->row, radius};
            linalg_maximin_solve(&p, t->v, work);
            double length = sqrt(fmax(0, linalg_form(t->n, t->g, t->v, t->v))), found = worst_case(t), best;
            if (length > 0.999999 * radius) {
                best = bound(t, radius);
            } else {
                p.radius = 100 * radius;
                linalg_maximin_solve(&p, t->v, work);
                best = worst_case(t);
            }
            if (!(length <= radius * (1 + 1e-9)) || !(best - found < 1e-8 * scale))
                fail_msg("seed %d shape %d: %g of %g, length %g of %g", (int)seed, (int)s, found, best,
                         length, radius);
            free(work);
        }
    free(t);
}

static void a_point_is_a_ball(void **state) {
    (void)state;
    double g[] = {18, -22, -22, 38}, q[] = {-2, 8}, row[] = {1, 1}, v[2],
           *work = calloc(linalg_maximin_room(2), 8);
    linalg_maximin_solve(&(linalg_maximin){2, g, q, row, 0}, v, work);
    assert_true(v[0] == 0 && v[1] == 0);
    free(work);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(values_meet_their_dual_bound),
        TEST(stationary_rows_end_at_zero),
        TEST(worst_cases_are_best_for_any_offsets),
        TEST(a_point_is_a_ball),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
