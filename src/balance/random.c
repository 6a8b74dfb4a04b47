/*
 * Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000; for a shape below
 * one, Gamma(a) = Gamma(a + 1) U^(1/a).
 */
#include "balance/random.h"

#include <math.h>

double balance_log_gamma(base_rng *rng, double shape) {
    if (shape < 1) {
        double boosted = balance_log_gamma(rng, shape + 1);
        return boosted + log(1 - base_rng_uniform(rng)) / shape;
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = base_rng_normal(rng), root = 1 + c * x, v = root * root * root;
        if (root <= 0) continue;
        if (log(1 - base_rng_uniform(rng)) < 0.5 * x * x + d - d * v + d * log(v)) return log(d * v);
    }
}
