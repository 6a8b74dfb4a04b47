/*
 * Loops over plain vectors that the engine itself needs, in the backend's precision.
 */
#include "engine/ops/kernel.h"

static double dot(const void *x, const void *y, int64_t n) {
    return kernel_dot(x, y, n);
}

static double squares(const void *values, int64_t n) {
    const real *x = values;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sum;
}

typedef struct combine_job {
    const real *rows;
    real *out;
    int64_t stride;
    const double *weights;
    int n_rows;
} combine_job;

static void combine_part(void *arg, int64_t begin, int64_t end, int worker) {
    const combine_job *job = arg;
    (void)worker;
    for (int k = 0; k < job->n_rows; k++) {
        const real w = (real)job->weights[k], *RESTRICT row = job->rows + k * job->stride;
        real *RESTRICT out = job->out;
        if (k == 0)
            for (int64_t i = begin; i < end; i++) out[i] = w * row[i];
        else
            for (int64_t i = begin; i < end; i++) out[i] += w * row[i];
    }
}

static void combine(base_team *team, const engine_rows *rows, const double *weights, void *out) {
    combine_job job = {
        .rows = rows->values, .out = out, .stride = rows->stride, .weights = weights, .n_rows = rows->n_rows};
    base_parallel(team, rows->n, KERNEL_GRAIN, combine_part, &job);
}

static void add(void *out, const void *x, int64_t n) {
    real *RESTRICT to = out;
    const real *RESTRICT from = x;
    for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

static void scale(void *x, double factor, int64_t n) {
    real *values = x, f = (real)factor;
    for (int64_t i = 0; i < n; i++) values[i] *= f;
}

static void set(void *x, int64_t i, double value) {
    ((real *)x)[i] = (real)value;
}

static double get(const void *x, int64_t i) {
    return (double)((const real *)x)[i];
}

extern const engine_vectors KERNEL(engine_vectors);
const engine_vectors KERNEL(engine_vectors) = {dot, squares, combine, add, scale, set, get};
