/*
 * What the files of operators share. Each is compiled once per backend: `real` is float or double, and KERNEL
 * gives the backend's name to what other files must see. Functions that build graph nodes stand under
 * #ifdef ENGINE_BUILDERS, which only one of the compilations defines.
 */
#ifndef ENGINE_OPS_KERNEL_H
#define ENGINE_OPS_KERNEL_H

#include "engine/graph.h"
#include "engine/op.h"
#include "linalg/blas.h"

#include <math.h>
#include <string.h>

#define KERNEL_JOIN(a, b) a##_##b
#define KERNEL_EXPAND(a, b) KERNEL_JOIN(a, b)
#define KERNEL(name) KERNEL_EXPAND(name, ENGINE_BACKEND)

#ifdef ENGINE_DOUBLE
typedef double real;
#define kernel_multiply linalg_multiply_f64
#else
typedef float real;
#define kernel_multiply linalg_multiply_f32
#endif

/* The descriptor of an operator: KERNEL_OP(relu) = {...}; the extern satisfies
 * -Wmissing-variable-declarations. */
#define KERNEL_OP(name)                                                                                      \
    extern const engine_op KERNEL(engine_op_##name);                                                         \
    const engine_op KERNEL(engine_op_##name)

#define RESTRICT __restrict__

/* Work on [begin, end) of elements in pieces that are worth a thread. */
#define KERNEL_GRAIN 16384

static inline int64_t kernel_size(const truce_shape *shape) {
    return truce_shape_size(shape);
}

/* Gradient of input i for cotangent k, and the k-th cotangent. */
static inline real *kernel_d_in(const engine_call *call, int i, int k) {
    return (real *)call->d_in[i] + k * call->d_stride[i];
}

static inline const real *kernel_cotangent(const engine_call *call, int k) {
    return (const real *)call->cotangent + k * truce_shape_size(&call->out_shape);
}

static inline bool kernel_adds(const engine_call *call, int i) {
    return call->adds[i];
}

/* Sum of n numbers, in a fixed order. */
static inline real kernel_sum(const real *x, int64_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += x[i];
    return sum;
}

/* Inner product, in double over blocks of 1024. */
static inline double kernel_dot(const real *x, const real *y, int64_t n) {
    double total = 0;
    for (int64_t begin = 0; begin < n; begin += 1024) {
        int64_t end = begin + 1024 < n ? begin + 1024 : n;
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = begin; i < end; i++) sum += x[i] * y[i];
        total += (double)sum;
    }
    return total;
}

#endif
