/*
 * One step of an update rule over a stretch of the block. The rules themselves, with their options and state,
 * stand in optim/; these are their loops in the backend's precision.
 */
#include "engine/ops/kernel.h"

static void sgd(const engine_update *u, int64_t begin, int64_t end) {
    real *RESTRICT x = u->values, *RESTRICT m = u->first;
    const real *RESTRICT gradient = u->gradient;
    const real rate = (real)u->rate, momentum = (real)u->beta1, decay = (real)u->decay;
    const bool nesterov = u->nesterov;
    for (int64_t i = begin; i < end; i++) {
        real g = gradient[i] + decay * x[i];
        m[i] = momentum * m[i] + g;
        x[i] -= rate * (nesterov ? g + momentum * m[i] : m[i]);
    }
}

static void plain(const engine_update *u, int64_t begin, int64_t end) {
    real *RESTRICT x = u->values;
    const real *RESTRICT gradient = u->gradient;
    const real rate = (real)u->rate, decay = (real)u->decay;
    for (int64_t i = begin; i < end; i++) x[i] -= rate * (gradient[i] + decay * x[i]);
}

/* Bias corrections are in rate and root: x -= rate m / (sqrt(v) root + epsilon). */
static void adam(const engine_update *u, int64_t begin, int64_t end) {
    real *RESTRICT x = u->values, *RESTRICT m = u->first, *RESTRICT v = u->second;
    const real *RESTRICT gradient = u->gradient;
    const real b1 = (real)u->beta1, b2 = (real)u->beta2, c1 = (real)(1 - u->beta1), c2 = (real)(1 - u->beta2);
    const real rate = (real)u->rate, root = (real)u->root, epsilon = (real)u->epsilon;
    const real decay = (real)u->decay, shrink = (real)u->shrink;
    for (int64_t i = begin; i < end; i++) {
        real g = gradient[i] + decay * x[i];
        m[i] = b1 * m[i] + c1 * g;
        v[i] = b2 * v[i] + c2 * g * g;
#ifdef ENGINE_DOUBLE
        x[i] = shrink * x[i] - rate * m[i] / (sqrt(v[i]) * root + epsilon);
#else
        x[i] = shrink * x[i] - rate * m[i] / (sqrtf(v[i]) * root + epsilon);
#endif
    }
}

extern const engine_updates KERNEL(engine_updates);
const engine_updates KERNEL(engine_updates) = {plain, sgd, adam};
