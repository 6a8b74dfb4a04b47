#include "support/matrix.h"
#include "support/test.h"

#include "linalg/qp.h"
#include "linalg/small.h"

#include <math.h>
#include <stdlib.h>

#define MOST 8

/* Second formulation: all 2^n active sets, each by elimination with complete pivoting. */
typedef struct system {
    int n;
    double a[MOST + 1][MOST + 2];
} linear_system;

static void swap(double *x, double *y) {
    double kept = *x;
    *x = *y;
    *y = kept;
}

/* Solves in long-double-free Gauss-Jordan with partial pivoting; false if singular. */
static bool eliminate(linear_system *s, double *x) {
    for (int k = 0; k < s->n; k++) {
        int pivot = k;
        for (int i = k + 1; i < s->n; i++)
            if (fabs(s->a[i][k]) > fabs(s->a[pivot][k])) pivot = i;
        if (fabs(s->a[pivot][k]) < 1e-9) return false;
        for (int j = 0; j <= s->n; j++) swap(&s->a[k][j], &s->a[pivot][j]);
        for (int i = 0; i < s->n; i++) {
            double factor = i == k ? 0 : s->a[i][k] / s->a[k][k];
            for (int j = k; j <= s->n; j++) s->a[i][j] -= factor * s->a[k][j];
        }
    }
    for (int k = 0; k < s->n; k++) x[k] = s->a[k][s->n] / s->a[k][k];
    return true;
}

static double objective(const linalg_qp *p, const double *v) {
    double value = 0.5 * linalg_form(p->n, p->matrix, v, v);
    for (int i = 0; i < p->n; i++) value += p->linear ? p->linear[i] * v[i] : 0;
    return value;
}

/* The minimiser with exactly the unknowns of `set` free; false if there is none or it is not positive. */
static bool solve_set(const linalg_qp *p, unsigned set, double *v) {
    int members[MOST], size = 0;
    double x[MOST + 1];
    for (int i = 0; i < p->n; i++) {
        v[i] = 0;
        if (set >> i & 1) members[size++] = i;
    }
    linear_system s = {.n = size + (p->row != NULL)};
    for (int i = 0; i < size; i++) {
        for (int j = 0; j < size; j++) s.a[i][j] = p->matrix[members[i] * p->n + members[j]];
        if (p->row) s.a[i][size] = s.a[size][i] = p->row[members[i]];
        s.a[i][s.n] = p->linear ? -p->linear[members[i]] : 0;
    }
    if (p->row) s.a[size][s.n] = p->total;
    if (!eliminate(&s, x)) return false;
    for (int i = 0; i < size; i++) {
        if (x[i] < 0) return false;
        v[members[i]] = x[i];
    }
    return true;
}

static double best_of_all_sets(const linalg_qp *p) {
    double best = INFINITY, v[MOST];
    for (unsigned set = p->row ? 1 : 0; set < 1u << p->n; set++)
        if (solve_set(p, set, v)) best = fmin(best, objective(p, v));
    return best;
}

static void compare(const linalg_qp *p, const char *what, uint64_t seed) {
    double v[MOST], *work = calloc(linalg_qp_room(p->n), 8), scale = 0, sum = 0;
    if (!linalg_qp_solve(p, v, NULL, work)) fail_msg("%s, seed %d: not solved", what, (int)seed);
    double found = objective(p, v), best = best_of_all_sets(p);
    for (int i = 0; i < p->n; i++) {
        if (v[i] < 0) fail_msg("%s, seed %d: v[%d] is %g", what, (int)seed, i, v[i]);
        scale += v[i] * sqrt(p->matrix[i * p->n + i]);
        sum += p->row ? p->row[i] * v[i] : 0;
    }
    if (fabs(sum - (p->row ? p->total : 0)) > 1e-12 * (1 + p->total))
        fail_msg("%s, seed %d: a . v is %g", what, (int)seed, sum);
    if (fabs(found - best) > 1e-12 * (1 + scale * scale + fabs(best)))
        fail_msg("%s, seed %d: objective %.17g, by enumeration %.17g", what, (int)seed, found, best);
    free(work);
}

/* A Gramian of a random kind with duplicates and opposites mixed in. */
static void random_gramian(base_rng *rng, int n, double *g) {
    double j[MOST * MOST];
    int rank = 1 + (int)base_rng_below(rng, (uint64_t)n), kind = (int)base_rng_below(rng, 6);
    if (kind <= 3 && rank == n && n > 1) rank--;
    test_rows rows = n > 1 && kind <= 3 ? (test_rows)kind : TEST_ROWS_NORMAL;
    test_matrix(rng, rows, n, n, rank, j);
    if (kind == 5 && n > 1)
        for (int k = 0; k < n; k++) j[k] = j[n + k] * (rank % 2 ? 1 : -1);
    test_gramian(n, n, j, g);
    for (int i = 0; i < n; i++) j[i] = g[i * n + i] > 1e-12 ? sqrt(g[i * n + i]) : 1;
    for (int i = 0; i < n * n; i++) g[i] /= j[i / n] * j[i % n];
}

static void least_norm_points_are_those_of_enumeration(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        base_rng rng = base_rng_make(seed, "least norm", 0, 0);
        int n = 1 + (int)base_rng_below(&rng, 7);
        double g[MOST * MOST], row[MOST];
        random_gramian(&rng, n, g);
        for (int i = 0; i < n; i++) row[i] = seed % 2 ? 1 : 0.1 + base_rng_uniform(&rng);
        compare(&(linalg_qp){.n = n, .matrix = g, .row = row, .total = 1 + (double)(seed % 3)}, "least norm",
                seed);
    }
}

static void box_programs_are_those_of_enumeration(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        base_rng rng = base_rng_make(seed, "box", 0, 0);
        int n = 1 + (int)base_rng_below(&rng, 7);
        double g[MOST * MOST], u[MOST], q[MOST];
        random_gramian(&rng, n, g);
        for (int i = 0; i < n; i++) u[i] = seed % 2 ? base_rng_uniform(&rng) : i == (int)(seed % (uint64_t)n);
        linalg_times(n, g, u, q);
        compare(&(linalg_qp){.n = n, .matrix = g, .linear = q}, "box", seed);
    }
}

static void mixed_programs_are_those_of_enumeration(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        base_rng rng = base_rng_make(seed, "mixed", 0, 0);
        int n = 1 + (int)base_rng_below(&rng, 7);
        double g[MOST * MOST], q[MOST], row[MOST];
        random_gramian(&rng, n, g);
        for (int i = 0; i < n; i++) {
            q[i] = base_rng_normal(&rng);
            row[i] = 0.1 + base_rng_uniform(&rng);
        }
        linalg_qp p = {.n = n, .matrix = g, .linear = q, .row = row, .total = 0.5};
        compare(&p, "mixed", seed);
    }
}

static void an_objective_without_end_is_noticed(void **state) {
    (void)state;
    double matrix[] = {1, -1, -1, 1}, falls[] = {-1, -1}, bounded[] = {-1, 1}, v[2];
    double *work = calloc(linalg_qp_room(2), 8);
    assert_false(linalg_qp_solve(&(linalg_qp){.n = 2, .matrix = matrix, .linear = falls}, v, NULL, work));
    assert_true(linalg_qp_solve(&(linalg_qp){.n = 2, .matrix = matrix, .linear = bounded}, v, NULL, work));
    assert_true(v[0] == 1 && v[1] == 0);
    free(work);
}

static void equal_and_zero_rows_do_no_harm(void **state) {
    (void)state;
    enum { N = 40 };
    double *matrix = calloc(N * N, 8), row[N], v[N], *work = calloc(linalg_qp_room(N), 8);
    for (int i = 0; i < N; i++) row[i] = 1;
    for (int i = 0; i < N * N; i++) matrix[i] = 2; /* all rows equal */
    linalg_qp p = {.n = N, .matrix = matrix, .row = row, .total = 1};
    assert_true(linalg_qp_solve(&p, v, NULL, work));
    assert_near(linalg_form(N, matrix, v, v), 2, 1e-14);
    for (int i = 0; i < N; i++) matrix[i] = matrix[i * N] = 0; /* one of them zero */
    assert_true(linalg_qp_solve(&p, v, NULL, work));
    assert_true(linalg_form(N, matrix, v, v) == 0 && v[0] == 1);
    free(work);
    free(matrix);
}

static void the_slope_is_the_derivative_along_the_total(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        base_rng rng = base_rng_make(seed, "slope", 0, 0);
        double g[16], q[4], row[4] = {1, 1, 1, 1}, v[4], next[4], slope[4],
                            *work = calloc(linalg_qp_room(4), 8);
        double j[16];
        test_matrix(&rng, TEST_ROWS_NORMAL, 4, 4, 4, j);
        test_gramian(4, 4, j, g);
        for (int i = 0; i < 4; i++) q[i] = base_rng_normal(&rng);
        linalg_qp p = {.n = 4, .matrix = g, .linear = q, .row = row, .total = 1};
        linalg_qp_solve(&p, v, slope, work);
        p.total = 1 + 1e-9;
        linalg_qp_solve(&p, next, NULL, work);
        for (int i = 0; i < 4; i++)
            if (fabs(v[i] + 1e-9 * slope[i] - next[i]) > 1e-12 * (1 + fabs(slope[i])))
                fail_msg("seed %d: unknown %d", (int)seed, i);
        free(work);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(least_norm_points_are_those_of_enumeration),
        TEST(box_programs_are_those_of_enumeration),
        TEST(mixed_programs_are_those_of_enumeration),
        TEST(an_objective_without_end_is_noticed),
        TEST(equal_and_zero_rows_do_no_harm),
        TEST(the_slope_is_the_derivative_along_the_total),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
