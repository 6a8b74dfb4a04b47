/*
 * What the files of operators share. Each is compiled once per backend: `real` is float or double, and KERNEL
 * gives the backend's name to what other files must see. Functions that build graph nodes stand under
 * #ifdef ENGINE_BUILDERS, which only one of the compilations defines.
 */
#ifndef ENGINE_OPS_KERNEL_H
#define ENGINE_OPS_KERNEL_H

#include "engine/graph.h"
#include "engine/op.h"
#include "engine/ops/simd.h"
#include "linalg/blas.h"

#include <math.h>
#include <string.h>

#define KERNEL_JOIN(a, b) a##_##b
#define KERNEL_EXPAND(a, b) KERNEL_JOIN(a, b)
#define KERNEL(name) KERNEL_EXPAND(name, ENGINE_BACKEND)

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

static inline void kernel_zero_part(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    memset((char *)arg + begin, 0, (size_t)(end - begin));
}

/* memset to 0, by several threads where that pays. */
static inline void kernel_zero(base_team *team, void *bytes, size_t n) {
    base_parallel(team, (int64_t)n, 1 << 20, kernel_zero_part, bytes);
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

/* A shape around one of its axes: [outer][n][inner]. */
typedef struct kernel_axis {
    int64_t outer, n, inner;
} kernel_axis;

static inline kernel_axis kernel_split(const truce_shape *shape, int axis) {
    kernel_axis a = {.outer = 1, .n = shape->dims[axis], .inner = 1};
    for (int i = 0; i < axis; i++) a.outer *= shape->dims[i];
    for (int i = axis + 1; i < shape->n_dims; i++) a.inner *= shape->dims[i];
    return a;
}

/* An axis that a shape rule has accepted, negative ones counted from the end. */
static inline int kernel_axis_at(int64_t axis, int n_dims) {
    return (int)(axis < 0 ? axis + n_dims : axis);
}

/* Sum and inner product of long vectors, in double over blocks. */
#define KERNEL_BLOCK 1024

static inline double kernel_total(const real *x, int64_t n) {
    double total = 0;
    for (int64_t i = 0; i < n; i += KERNEL_BLOCK)
        total += (double)simd_sum(x + i, BASE_MIN(n - i, KERNEL_BLOCK));
    return total;
}

static inline double kernel_dot(const real *x, const real *y, int64_t n) {
    double total = 0;
    for (int64_t i = 0; i < n; i += KERNEL_BLOCK)
        total += (double)simd_dot(x + i, y + i, BASE_MIN(n - i, KERNEL_BLOCK));
    return total;
}

#endif
