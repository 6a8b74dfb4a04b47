/*
 * The weights of the projection minimise w' G w over w >= u. With w = u + x that is the program min 1/2 x' G
 * x + (G u) . x over x >= 0, solved exactly (linalg/qp.c), in units of each row's length. An exact answer is
 * linear in the lengths of the gradients; the ridge of TorchJD leaves conflicts smaller than about reg_eps of
 * the trace.
 */
#include "balance/dual_cone.h"

#include "balance/numbers.h"
#include "linalg/qp.h"
#include "linalg/small.h"

#include <math.h>

truce_status balance_dual_cone_prepare(truce_balancer *balancer, balance_dual_cone *cone) {
    size_t tasks = (size_t)balance_tasks(balancer);
    double **vectors[] = {&cone->box, &cone->linear, &cone->v};
    for (size_t i = 0; i < BASE_COUNT(vectors); i++) BASE_TRY(balance_scratch(balancer, tasks, vectors[i]));
    BASE_TRY(balance_scratch(balancer, tasks * tasks, &cone->matrix));
    return balance_scratch(balancer, linalg_qp_room((int)tasks), &cone->work);
}

void balance_dual_cone_begin(const balance_dual_cone *cone, const balance_step *step,
                             const balance_ridge *ridge) {
    int n = step->n;
    double trace = 0;
    balance_correlate(step, cone->matrix);
    for (int i = 0; i < n; i++) trace += step->gramian[i * (n + 1)];
    bool vanishes = trace < ridge->norm_eps;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n && vanishes; j++) cone->matrix[i * n + j] = i == j;
        cone->matrix[i * (n + 1)] += ridge->reg_eps * trace / step->gramian[i * (n + 1)];
    }
}

void balance_dual_cone_project(const balance_dual_cone *cone, const balance_step *step, const double *u,
                               double *weights) {
    int n = step->n;
    for (int i = 0; i < n; i++) cone->box[i] = u[i] * step->norms[i];
    linalg_times(n, cone->matrix, cone->box, cone->linear);
    linalg_qp program = {.n = n, .matrix = cone->matrix, .linear = cone->linear};
    linalg_qp_solve(&program, cone->v, NULL, cone->work);
    for (int i = 0; i < n; i++) weights[i] += u[i] + cone->v[i] / step->norms[i];
}
