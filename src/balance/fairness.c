/*
 * In units of each row's length, y_i = w_i |g_i|, the equations are C y = (q / y)^(1/alpha) with q_i = p_i
 * |g_i|^(1 - alpha); with y = t z and the q's largest taken out they lose their scale:
 *
 *     C z = (q / max q / z)^(1/alpha),   t = (max q)^(1 / (1 + alpha)).
 */
#include "balance/fairness.h"

#include "balance/numbers.h"
#include "linalg/fair.h"

#include <math.h>

truce_status balance_fairness_prepare(truce_balancer *balancer, balance_fairness *fairness) {
    size_t tasks = (size_t)balance_tasks(balancer);
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &fairness->correlation));
    BASE_TRY(balance_scratch(balancer, tasks, &fairness->p));
    return balance_scratch(balancer, linalg_fair_room((int)tasks), &fairness->work);
}

truce_status balance_fairness_solve(truce_balancer *balancer, const balance_fairness *fairness,
                                    const balance_step *step, const double *p, double alpha,
                                    double *weights) {
    int n = step->n;
    double *q = fairness->p, largest;
    for (int i = 0; i < n; i++) q[i] = (p ? log(p[i]) : 0) + (1 - alpha) * log(step->norms[i]);
    largest = balance_largest(n, q);
    for (int i = 0; i < n; i++) q[i] = exp(q[i] - largest);
    balance_correlate(step, fairness->correlation);
    if (!linalg_fair_solve(n, fairness->correlation, q, alpha, weights, fairness->work))
        return balance_fail(balancer, TRUCE_ERROR_NUMERIC,
                            "its equations could not be solved; the gradients' lengths may differ too much");
    for (int i = 0; i < n; i++) weights[i] *= exp(largest / (1 + alpha)) / step->norms[i];
    return TRUCE_OK;
}
