/*
 * Active sets after Lawson and Hanson (Solving Least Squares Problems, 1974, ch. 23) without an equality, and
 * after Wolfe (Math. Programming 11, 1976) with one: they are the same method. A set S of free unknowns grows
 * by the unknown whose reduced gradient is most negative; the minimiser over S, all others at zero, is found
 * from a Cholesky factor; where it leaves the positive orthant the step stops at the wall and the unknown
 * that hit it leaves S. The objective falls with every change of S, so the method ends.
 *
 * With an equality the factor is of M = A + a a', which equals A on every direction that keeps a' v and is
 * positive definite exactly as long as the points of S are affinely independent; A alone may be singular
 * there (zero in the hull). An unknown that would make M singular can never improve on S, in exact
 * arithmetic; in rounding it is refused, so that duplicates, opposites and zero rows do no harm.
 */
#include "linalg/qp.h"

#include "linalg/small.h"

#include <float.h>
#include <math.h>

#define RESIDUAL_TOLERANCE 1e-13 /* of the sum of the absolute terms of a reduced gradient */
#define PIVOT_TOLERANCE 8        /* times n * epsilon, of the diagonal */
#define UNSOLVED 1e-6 /* a refused unknown with a larger residual means that there is no solution */

typedef struct active_set {
    const linalg_qp *problem;
    int n, size;
    int *members;          /* S, in the order of the factor's rows */
    signed char *state;    /* of each unknown: FREE, HELD, or REFUSED since the last progress */
    double *factor;        /* Cholesky factor of M on S, [size][n] */
    double *v, *gradient;  /* [n] */
    double *target;        /* [size]: the minimiser over S */
    double *along, *other; /* [size] */
    double violation;      /* of the unknown found last, relative */
} active_set;

enum { FREE, HELD, REFUSED };

size_t linalg_qp_room(int n) {
    size_t size = (size_t)n;
    return size * size + 4 * size + (size * (sizeof(int) + 1) + sizeof(double) - 1) / sizeof(double);
}

static active_set begin(const linalg_qp *problem, double *v, double *work) {
    int n = problem->n;
    active_set set = {.problem = problem, .n = n, .v = v, .factor = work};
    set.gradient = set.factor + (size_t)n * (size_t)n;
    set.target = set.gradient + n;
    set.along = set.target + n;
    set.other = set.along + n;
    set.members = (int *)(set.other + n);
    set.state = (signed char *)(set.members + n);
    for (int i = 0; i < n; i++) {
        v[i] = 0;
        set.state[i] = HELD;
    }
    return set;
}

static double entry(const active_set *set, int i, int j) {
    const linalg_qp *problem = set->problem;
    double a = problem->matrix[(size_t)i * (size_t)set->n + (size_t)j];
    return problem->row ? a + problem->row[i] * problem->row[j] : a;
}

/* Row k of the factor, for unknown members[k]; false if it depends on the rows before. */
static bool factor_row(active_set *set, int k) {
    int unknown = set->members[k];
    double *row = set->factor + (size_t)k * (size_t)set->n;
    for (int j = 0; j < k; j++) {
        const double *above = set->factor + (size_t)j * (size_t)set->n;
        row[j] = (entry(set, unknown, set->members[j]) - linalg_dot(j, row, above)) / above[j];
    }
    double diagonal = entry(set, unknown, unknown), pivot = diagonal - linalg_dot(k, row, row);
    if (!(pivot > PIVOT_TOLERANCE * set->n * DBL_EPSILON * diagonal)) return false;
    row[k] = sqrt(pivot);
    return true;
}

static bool admit(active_set *set, int unknown) {
    set->members[set->size] = unknown;
    if (!factor_row(set, set->size)) return false;
    set->state[unknown] = FREE;
    set->size++;
    return true;
}

/* Takes the k-th member out; the factor's later rows are made again. */
static void dismiss(active_set *set, int k) {
    set->v[set->members[k]] = 0;
    set->state[set->members[k]] = HELD;
    set->size--;
    for (int j = k; j < set->size; j++) set->members[j] = set->members[j + 1];
    for (int j = k; j < set->size; j++) {
        if (factor_row(set, j)) continue;
        set->v[set->members[j]] = 0;
        set->state[set->members[j]] = REFUSED;
        for (int i = j + 1; i < set->size; i++) set->members[i - 1] = set->members[i];
        set->size--;
        j--;
    }
}

static void solve_on_set(const active_set *set, const double *right, double *x) {
    for (int k = 0; k < set->size; k++) x[k] = right[set->members[k]];
    linalg_cholesky_solve(set->size, set->factor, set->n, x);
}

static double dot_on_set(const active_set *set, const double *full, const double *x) {
    double sum = 0;
    for (int k = 0; k < set->size; k++) sum += full[set->members[k]] * x[k];
    return sum;
}

/* The minimiser over S into `target`: -M^-1 q, plus the multiple of M^-1 a that meets the equality. */
static void minimise_on_set(active_set *set) {
    const linalg_qp *problem = set->problem;
    for (int k = 0; k < set->size; k++) set->target[k] = 0;
    if (problem->linear) {
        solve_on_set(set, problem->linear, set->other);
        for (int k = 0; k < set->size; k++) set->target[k] = -set->other[k];
    }
    if (!problem->row) return;
    solve_on_set(set, problem->row, set->along);
    double missing = problem->total - dot_on_set(set, problem->row, set->target);
    double factor = missing / dot_on_set(set, problem->row, set->along);
    for (int k = 0; k < set->size; k++) set->target[k] += factor * set->along[k];
}

/* How far towards its target the k-th member can go before it is zero; beyond 1 if it stays positive. */
static double reach(const active_set *set, int k) {
    double now = set->v[set->members[k]], target = set->target[k];
    if (target > 0) return 2;
    return now > 0 ? now / (now - target) : 0;
}

/* Moves v towards the target as far as it stays positive; all who hit the wall leave. True at the target. */
static bool step_to_target(active_set *set) {
    double step = 2;
    for (int k = 0; k < set->size; k++) step = fmin(step, reach(set, k));
    bool wall = step <= 1;
    for (int k = 0; k < set->size; k++) {
        int unknown = set->members[k];
        bool leaves = reach(set, k) <= step && wall;
        double moved = wall ? set->v[unknown] + step * (set->target[k] - set->v[unknown]) : set->target[k];
        set->v[unknown] = leaves ? 0 : fmax(0, moved);
        if (leaves) set->state[unknown] = HELD;
    }
    for (int k = set->size - 1; k >= 0 && wall; k--)
        if (set->state[set->members[k]] == HELD) dismiss(set, k);
    return !wall;
}

/* A v + q, column by column of the free unknowns; returns the sum of sqrt(A_jj) v_j, which bounds its terms.
 */
static double find_gradient(active_set *set) {
    const linalg_qp *problem = set->problem;
    int n = set->n;
    double size = 0;
    for (int i = 0; i < n; i++) set->gradient[i] = problem->linear ? problem->linear[i] : 0;
    for (int k = 0; k < set->size; k++) {
        int j = set->members[k];
        const double *column = problem->matrix + (size_t)j * (size_t)n;
        double v = set->v[j];
        for (int i = 0; i < n; i++) set->gradient[i] += v * column[i];
        size += v * sqrt(column[j]);
    }
    return size;
}

/*
 * The unknown whose reduced gradient is the most negative, in units of the terms that it is made of, or -1 if
 * none is below -tolerance. Only those whose state is at most `last` are looked at.
 */
static int find_worst(active_set *set, double tolerance, int last) {
    const linalg_qp *problem = set->problem;
    double size = find_gradient(set), lowest = -tolerance;
    double multiplier = problem->row ? linalg_dot(set->n, set->gradient, set->v) / problem->total : 0;
    int worst = -1;
    for (int i = 0; i < set->n; i++) {
        double share = problem->row ? multiplier * problem->row[i] : 0, reduced = set->gradient[i] - share;
        if (!(reduced < 0) || set->state[i] == FREE || set->state[i] > last) continue;
        double diagonal = problem->matrix[(size_t)i * (size_t)set->n + (size_t)i];
        double terms = size * sqrt(diagonal) + fabs(share) + (problem->linear ? fabs(problem->linear[i]) : 0);
        if (!(reduced < lowest * terms)) continue;
        lowest = reduced / terms;
        worst = i;
    }
    set->violation = -lowest;
    return worst;
}

/* With an equality S cannot be empty: the best single unknown. */
static void admit_best_vertex(active_set *set) {
    const linalg_qp *problem = set->problem;
    double lowest = 0;
    int best = -1;
    for (int i = 0; i < set->n; i++) {
        double v = problem->total / problem->row[i];
        double value = v * (0.5 * v * problem->matrix[(size_t)i * (size_t)set->n + (size_t)i] +
                            (problem->linear ? problem->linear[i] : 0));
        if (best >= 0 && !(value < lowest)) continue;
        lowest = value;
        best = i;
    }
    admit(set, best);
    set->v[best] = problem->total / problem->row[best];
}

static void unrefuse(active_set *set) {
    for (int i = 0; i < set->n; i++)
        if (set->state[i] == REFUSED) set->state[i] = HELD;
}

/*
 * For an unknown whose row depends on those of S: there is a way to raise it and to change S along with it
 * that A v does not see, so that only q' v changes, and falls. Goes that way until a member of S reaches
 * zero, and swaps the two. False if none does.
 */
static bool exchange(active_set *set, int unknown) {
    int wall = -1;
    double step = 0;
    for (int k = 0; k < set->size; k++) set->other[k] = entry(set, unknown, set->members[k]);
    linalg_cholesky_solve(set->size, set->factor, set->n, set->other);
    for (int k = 0; k < set->size; k++) {
        double far = set->v[set->members[k]] / set->other[k];
        if (set->other[k] <= 0 || (wall >= 0 && far >= step)) continue;
        step = far;
        wall = k;
    }
    if (wall < 0) return false;
    int leaving = set->members[wall];
    for (int k = 0; k < set->size; k++) {
        double *v = &set->v[set->members[k]];
        *v = fmax(0, *v - step * set->other[k]);
    }
    dismiss(set, wall);
    if (!admit(set, unknown)) return admit(set, leaving) && false;
    set->v[unknown] = step;
    return true;
}

/* Frees one unknown and settles at the new minimiser. False if that unknown came straight back. */
static bool enlarge(active_set *set, int unknown) {
    if (!admit(set, unknown) && (set->violation < UNSOLVED || !exchange(set, unknown))) return false;
    do minimise_on_set(set);
    while (!step_to_target(set) && set->size > 0);
    return set->v[unknown] > 0;
}

/*
 * Without an equality any set will do to begin with, because v = 0 is feasible: all unknowns that would lower
 * the objective by themselves. Most often that is nearly the answer.
 */
static void begin_with_all(active_set *set) {
    for (int i = 0; i < set->n; i++)
        if (set->problem->linear && set->problem->linear[i] < 0) admit(set, i);
    do minimise_on_set(set);
    while (!step_to_target(set) && set->size > 0);
}

static void find_slope(active_set *set, double *slope) {
    for (int i = 0; i < set->n; i++) slope[i] = 0;
    if (!set->problem->row) return;
    solve_on_set(set, set->problem->row, set->along);
    double length = dot_on_set(set, set->problem->row, set->along);
    for (int k = 0; k < set->size; k++) slope[set->members[k]] = set->along[k] / length;
}

bool linalg_qp_solve(const linalg_qp *problem, double *v, double *slope, double *work) {
    active_set set = begin(problem, v, work);
    if (problem->row)
        admit_best_vertex(&set);
    else
        begin_with_all(&set);
    for (int round = 0; round < 20 * (problem->n + 5); round++) {
        int worst = find_worst(&set, RESIDUAL_TOLERANCE, HELD);
        if (worst < 0) break;
        if (enlarge(&set, worst))
            unrefuse(&set);
        else
            set.state[worst] = REFUSED;
    }
    if (slope) find_slope(&set, slope);
    return find_worst(&set, UNSOLVED, REFUSED) < 0;
}
