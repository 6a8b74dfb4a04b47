/*
 * G w = lambda n with n_i = |g_i| and sum w = 1. In units of each row's length, y_i = w_i |g_i|, it reads C y
 * = lambda 1: y = C^+ 1 up to a factor that the sum decides. For dependent gradients TorchJD's G^+ n is
 * another least-squares answer (`plain`). Where the sum vanishes against its terms the weights have no
 * meaning: zero.
 */
#include "balance/impartial.h"

#include "balance/numbers.h"

#include <math.h>

#define VANISHES 1e-12

void balance_impartial(const balance_equal *equal, const balance_step *step, bool plain, double *ones,
                       double *weights) {
    int n = step->n;
    double sum = 0, terms = 0;
    balance_set_all(n, 1, ones);
    if (plain)
        balance_equal_solve_plain(equal, step, step->norms, weights);
    else
        balance_equal_solve(equal, step, ones, weights);
    for (int i = 0; i < n; i++) {
        if (!plain) weights[i] /= step->norms[i];
        sum += weights[i];
        terms += fabs(weights[i]);
    }
    balance_scale_all(n, fabs(sum) > VANISHES * terms ? 1 / sum : 0, weights);
}
