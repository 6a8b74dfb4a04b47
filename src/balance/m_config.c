/*
 * M-ConFIG: conflict-free directions of momenta, of which only one is renewed per step. At a step whose turn
 * it is, task i's momentum moves, m_i <- beta1 m_i + (1 - beta1) g_i (corrected for its own number of moves);
 * ConFIG of all corrected momenta is u; and u is divided by a second moment that is kept of pseudo-gradients,
 *
 *     f = (1 - beta1^t) u,  p = (f - beta1 f_before) / (1 - beta1),  s <- beta2 s + (1 - beta2) p^2,
 *     d = u / (sqrt(s / (1 - beta2^t)) + 1e-8),
 *
 * for plain gradient descent. Until every task has had a turn d is zero. The turn goes round with the steps:
 * step k renews task k mod T, or the next one that has labels, so that a trainer needs one backward pass per
 * step (rows of zeros for the rest). `refresh: all` renews whatever is given. State: (T + 2) x P numbers.
 */
#include "balance/columns.h"
#include "balance/equal.h"
#include "balance/numbers.h"
#include "balance/table.h"
#include "linalg/small.h"

#include <math.h>

#define EPSILON 1e-8

enum { ONE, ALL };

typedef struct m_config {
    int refresh;
    double beta1, beta2;
    double *momenta, *direction_before, *second; /* [T][P], [P], [P] state */
    double *moves, *made;                        /* [T] and [1] state: numbers of moves */
    double *whole_moves;                         /* [T]: moves of all tasks, missing or not */
    double *weights, *ones, *norms, *gramian;
    balance_equal equal;
} m_config;

static const truce_option options[] = {
    BALANCE_REAL(m_config, beta1, "0.9", 0, 0.999999999, "decay of the momenta"),
    BALANCE_REAL(m_config, beta2, "0.999", 0, 0.999999999, "decay of the second moment"),
    BALANCE_CHOICE(m_config, refresh, "one", "one|all", "momenta renewed per step"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    m_config *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    double **vectors[] = {&m->weights, &m->ones, &m->norms};
    BASE_TRY(balance_keep(balancer, "momenta", BALANCE_ROWS, 0, &m->momenta));
    BASE_TRY(balance_keep(balancer, "direction", BALANCE_PARAMETERS, 0, &m->direction_before));
    BASE_TRY(balance_keep(balancer, "second_moment", BALANCE_PARAMETERS, 0, &m->second));
    BASE_TRY(balance_keep(balancer, "moves", BALANCE_TASK, 0, &m->moves));
    BASE_TRY(balance_keep(balancer, "directions_made", BALANCE_ONE, 0, &m->made));
    m->whole_moves = m->moves;
    for (size_t i = 0; i < BASE_COUNT(vectors); i++) BASE_TRY(balance_scratch(balancer, tasks, vectors[i]));
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &m->gramian));
    return balance_equal_prepare(balancer, &m->equal);
}

typedef struct renewal {
    m_config *m;
    const balance_step *step;
    int64_t n_parameters;
    int n_tasks, turn; /* turn: the step's task to renew, -1 for all */
} renewal;

static double correction(const m_config *m, int task) {
    return 1 - pow(m->beta1, m->whole_moves[task]);
}

/* Renews momenta; the block's rows become all tasks' corrected momenta, whose Gramian is added up. */
static void renew(void *arg, const balance_block *block, double *sums) {
    const renewal *r = arg;
    for (int i = 0; i < r->step->n; i++) {
        double *momentum = r->m->momenta + r->step->task[i] * r->n_parameters + block->first;
        const double *row = block->rows + i * BALANCE_BLOCK;
        if (r->turn >= 0 && i != r->turn) continue;
        for (int c = 0; c < block->n; c++)
            momentum[c] = r->m->beta1 * momentum[c] + (1 - r->m->beta1) * row[c];
    }
    for (int t = 0; t < r->n_tasks; t++) {
        const double *momentum = r->m->momenta + t * r->n_parameters + block->first;
        double *row = block->rows + t * BALANCE_BLOCK, factor = correction(r->m, t);
        for (int c = 0; c < BALANCE_BLOCK; c++)
            row[c] = c < block->n && r->m->whole_moves[t] > 0 ? momentum[c] / factor : 0;
    }
    balance_add_gramian(r->n_tasks, block->rows, sums);
}

/* ConFIG's weights of the corrected momenta, divided by the corrections. */
static void find_weights(m_config *m, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) m->gramian[j * n + i] = m->gramian[i * n + j];
    for (int i = 0; i < n; i++) {
        double norm = sqrt(m->gramian[i * (n + 1)]);
        m->norms[i] = norm > 0 ? norm : 1; /* a zero row is at right angles to all, and adds nothing */
    }
    balance_step rows = {.n = n, .gramian = m->gramian, .norms = m->norms};
    balance_set_all(n, 1, m->ones);
    balance_equal_solve(&m->equal, &rows, m->ones, m->weights);
    for (int i = 0; i < n; i++) m->weights[i] /= m->norms[i];
    double length = balance_length(&rows, m->weights), sum = 0;
    balance_scale_all(n, length > 0 ? 1 / length : 0, m->weights);
    for (int i = 0; i < n; i++) sum += linalg_dot(n, m->gramian + i * n, m->weights);
    for (int i = 0; i < n; i++) m->weights[i] *= sum / correction(m, i);
}

static void fill(void *arg, const balance_block *block) {
    const renewal *r = arg;
    m_config *m = r->m;
    double t = *m->made, first = 1 - pow(m->beta1, t), second = 1 - pow(m->beta2, t);
    for (int i = 0; i < r->n_tasks; i++) {
        const double *momentum = m->momenta + i * r->n_parameters + block->first;
        for (int c = 0; c < block->n; c++) block->out[c] += m->weights[i] * momentum[c];
    }
    for (int c = 0; c < block->n; c++) {
        double *before = &m->direction_before[block->first + c], *s = &m->second[block->first + c];
        double f = first * block->out[c], pseudo = (f - m->beta1 * *before) / (1 - m->beta1);
        *before = f;
        *s = m->beta2 * *s + (1 - m->beta2) * pseudo * pseudo;
        block->out[c] /= sqrt(*s / second) + EPSILON;
    }
}

static void fill_nothing(void *arg, const balance_block *block) {
    (void)arg;
    (void)block;
}

/* The present task whose turn it is: the first from task k mod T on, round the circle. */
static int find_turn(const truce_balancer *balancer, const balance_step *step) {
    int tasks = balance_tasks(balancer), begin = (int)(balance_steps(balancer) % tasks), turn = 0,
        nearest = tasks;
    for (int i = 0; i < step->n; i++) {
        int distance = (step->task[i] - begin + tasks) % tasks;
        if (distance >= nearest) continue;
        nearest = distance;
        turn = i;
    }
    return turn;
}

static truce_status aggregate(truce_balancer *balancer, void *self, const balance_step *step,
                              void *direction) {
    m_config *m = self;
    int tasks = balance_tasks(balancer);
    renewal r = {m, step, balance_parameters(balancer), tasks,
                 m->refresh == ONE ? find_turn(balancer, step) : -1};
    for (int i = 0; i < step->n; i++)
        if (r.turn < 0 || i == r.turn) m->whole_moves[step->task[i]]++;
    for (int i = 0; i < step->n; i++) m->moves[i] = m->whole_moves[step->task[i]];
    balance_sum_columns(balancer, step, renew, &r, tasks * tasks, m->gramian);
    for (int t = 0; t < tasks; t++)
        if (m->whole_moves[t] == 0)
            return balance_fill_columns(balancer, step, fill_nothing, NULL, direction);
    *m->made += 1;
    find_weights(m, tasks);
    return balance_fill_columns(balancer, step, fill, &r, direction);
}

const balance_method balance_m_config = {
    .about = {.name = "m_config",
              .title = "Conflict-free inverse gradients with momentum",
              .reference = "Liu et al., ICLR 2025, arXiv 2408.11104",
              .summary = "ConFIG of momenta, one of which is renewed at each step, with a second moment.",
              .needs = TRUCE_NEEDS_JACOBIAN,
              .properties = TRUCE_STATEFUL | TRUCE_ORDER_DEPENDENT,
              .heads = TRUCE_HEADS_OWN,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(m_config),
    .prepare = prepare,
    .aggregate = aggregate,
};
