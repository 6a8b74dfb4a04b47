#include "balance/ball.h"

#include "balance/numbers.h"
#include "linalg/maximin.h"

#include <math.h>

truce_status balance_ball_prepare(truce_balancer *balancer, balance_ball *ball) {
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_scratch(balancer, tasks, &ball->linear));
    BASE_TRY(balance_scratch(balancer, tasks, &ball->row));
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &ball->correlation));
    return balance_scratch(balancer, linalg_maximin_room((int)tasks), &ball->work);
}

/*
 * In units of each row's length, and of the radius: every row is of length one and so is the ball, whatever
 * the scale of the gradients.
 */
void balance_ball_solve(const balance_ball *ball, const balance_step *step, double radius, double *v) {
    int n = step->n;
    double shortest = step->norms[0];
    for (int i = 1; i < n; i++) shortest = fmin(shortest, step->norms[i]);
    balance_set_all(n, 0, v);
    if (!(radius > 0)) return;
    balance_correlate(step, ball->correlation);
    for (int i = 0; i < n; i++) {
        ball->row[i] = shortest / step->norms[i];
        ball->linear[i] /= step->norms[i] * radius;
    }
    linalg_maximin unit = {n, ball->correlation, ball->linear, ball->row, 1};
    linalg_maximin_solve(&unit, v, ball->work);
    for (int i = 0; i < n; i++) v[i] *= radius / step->norms[i];
}
