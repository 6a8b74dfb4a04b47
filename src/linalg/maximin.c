/*
 * By duality x is a multiple of the hull point that minimises q . w + radius |sum_i w_i g_i| over w >= 0 with
 * a . w = 1. Scaled so that x = sum_i v_i g_i, these points form a path: for each kappa = a . v > 0,
 *
 *     v(kappa) = argmin 1/2 v' A v + q' v   over v >= 0 with a . v = kappa,
 *
 * and |x| never falls along it. The solution is where |x| = radius. The path is made of straight pieces, one
 * per set of non-zero v, on which |x|^2 is a quadratic in kappa; so each guess of kappa yields, from the
 * quadratic of its piece, the next guess, and the right piece yields the answer. A bracket with bisection
 * keeps the guesses honest. (Derived for this library; the original uses a general constrained solver and
 * adds 1e-8 inside the roots.)
 */
#include "linalg/maximin.h"

#include "linalg/qp.h"
#include "linalg/small.h"

#include <math.h>
#include <string.h>

#define STATIONARY                                                                                           \
    1e-13 /* squared norm of a hull point, of the square of the norms it is made of, that is zero */
#define ROUNDS 200
#define DOUBLINGS 60

typedef struct path {
    const linalg_maximin *problem;
    double *v, *slope; /* [n], of the piece at hand */
    double *product;   /* [n] */
    double *work;      /* of the quadratic program */
} path;

size_t linalg_maximin_room(int n) {
    return 2 * (size_t)n + linalg_qp_room(n);
}

static double squared_length(const path *p) {
    return fmax(0, linalg_form(p->problem->n, p->problem->matrix, p->v, p->v));
}

/* sum_i |c_i| |g_i|: what sum_i c_i g_i is made of, which tells a small sum from a vanishing one. */
static double size_of_terms(const path *p, const double *c) {
    double terms = 0;
    for (int i = 0; i < p->problem->n; i++)
        terms += fabs(c[i]) * sqrt(p->problem->matrix[(size_t)i * (size_t)(p->problem->n + 1)]);
    return terms;
}

/* The norm of the hull's point next to zero; 0 where zero lies in the hull, to rounding. */
static double distance_of_hull(path *p) {
    const linalg_maximin *problem = p->problem;
    linalg_qp hull = {.n = problem->n, .matrix = problem->matrix, .row = problem->row, .total = 1};
    linalg_qp_solve(&hull, p->v, NULL, p->work);
    double squared = squared_length(p), terms = size_of_terms(p, p->v);
    return squared > STATIONARY * terms * terms ? sqrt(squared) : 0;
}

/* Puts v and its slope at kappa; returns |x|^2. */
static double walk_to(path *p, double kappa) {
    const linalg_maximin *problem = p->problem;
    linalg_qp at = {.n = problem->n,
                    .matrix = problem->matrix,
                    .linear = problem->linear,
                    .row = problem->row,
                    .total = kappa};
    linalg_qp_solve(&at, p->v, p->slope, p->work);
    return squared_length(p);
}

/*
 * Where to look first if zero lies in the hull: the shortest x with q_i + g_i . x >= 0 for all i, which ends
 * the path in CAGrad's case; or else a kappa that keeps |x| within the radius.
 */
static double first_guess(path *p) {
    const linalg_maximin *problem = p->problem;
    double longest = 0;
    linalg_qp end = {.n = problem->n, .matrix = problem->matrix, .linear = problem->linear};
    bool solved = linalg_qp_solve(&end, p->v, NULL, p->work);
    double kappa = linalg_dot(problem->n, problem->row, p->v), terms = size_of_terms(p, p->v);
    if (solved && squared_length(p) > STATIONARY * terms * terms) return kappa;
    for (int i = 0; i < problem->n; i++)
        longest =
            fmax(longest, sqrt(problem->matrix[(size_t)i * (size_t)(problem->n + 1)]) / problem->row[i]);
    return longest > 0 ? problem->radius / longest : 1;
}

/* Whether x stands still along the piece at hand, and no wall ends the piece: the end of the path. */
static bool is_end(const path *p) {
    double terms = size_of_terms(p, p->slope), largest = 0, lowest = 0;
    for (int i = 0; i < p->problem->n; i++) {
        largest = fmax(largest, p->slope[i]);
        lowest = fmin(lowest, p->slope[i]);
    }
    if (lowest < -1e-9 * largest) return false;
    return !(linalg_form(p->problem->n, p->problem->matrix, p->slope, p->slope) > STATIONARY * terms * terms);
}

/* How much further along the piece at hand |x|^2 grows by `missing`; NaN if it does not. */
static double step_on_piece(path *p, double missing) {
    int n = p->problem->n;
    linalg_times(n, p->problem->matrix, p->slope, p->product);
    double half = linalg_dot(n, p->product, p->v), bend = linalg_dot(n, p->product, p->slope);
    double root = sqrt(half * half + bend * missing);
    return missing / (half + root); /* the root that is zero where nothing is missing, without cancellation */
}

static void find_radius(path *p, double high) {
    double target = p->problem->radius * p->problem->radius, low = 0, kappa = high;
    for (int round = 0; round < ROUNDS; round++) {
        double missing = target - walk_to(p, kappa);
        if (fabs(missing) <= 1e-15 * target) return;
        if (missing > 0)
            low = kappa;
        else
            high = kappa;
        double next = kappa + step_on_piece(p, missing);
        if (next == kappa) return;
        kappa = next > low && next < high ? next : 0.5 * (low + high);
    }
}

/* |x| is the radius, but for the rounding in kappa. */
static void fit_radius(path *p) {
    double length = sqrt(squared_length(p));
    if (!(length > 0)) return;
    for (int i = 0; i < p->problem->n; i++) p->v[i] *= p->problem->radius / length;
}

void linalg_maximin_solve(const linalg_maximin *problem, double *v, double *work) {
    size_t n = (size_t)problem->n;
    path p = {.problem = problem, .v = v, .slope = work, .product = work + n, .work = work + 2 * n};
    memset(v, 0, n * sizeof *v);
    if (!(problem->radius > 0)) return;
    double distance = distance_of_hull(&p);
    double high = distance > 0 ? problem->radius / distance : first_guess(&p);
    for (int k = 0; k < DOUBLINGS && distance == 0; k++) {
        if (walk_to(&p, high) > problem->radius * problem->radius) break;
        if (is_end(&p)) return;
        high *= 2;
    }
    find_radius(&p, high);
    fit_radius(&p);
}
