/*
 * Vectors of the backend's reals, for the loops that compilers do not vectorise well by themselves: sums, and
 * whatever keeps its data in registers. Elsewhere plain loops with `#pragma omp simd` do.
 *
 * These are the vector extensions of GCC and Clang, so that one text serves every instruction set.
 */
#ifndef ENGINE_OPS_SIMD_H
#define ENGINE_OPS_SIMD_H

#include <stdint.h>

#ifdef ENGINE_DOUBLE
typedef double real;
typedef int64_t simd_bits;
#else
typedef float real;
typedef int32_t simd_bits;
#endif

#if defined(__AVX512F__)
#define SIMD_BYTES 64
#elif defined(__AVX__)
#define SIMD_BYTES 32
#else
#define SIMD_BYTES 16
#endif

#ifdef ENGINE_DOUBLE
#define SIMD_N_LANES (SIMD_BYTES / 8)
#else
#define SIMD_N_LANES (SIMD_BYTES / 4)
#endif
enum { SIMD_LANES = SIMD_N_LANES };

/* A vector, its lanes as integers (masks), and one that may lie anywhere in an array of reals. */
typedef real simd_vec __attribute__((vector_size(SIMD_BYTES)));
typedef simd_bits simd_mask __attribute__((vector_size(SIMD_BYTES)));
typedef real simd_loose __attribute__((vector_size(SIMD_BYTES), aligned(sizeof(real)), may_alias));

#if defined(__clang__)
#define SIMD_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SIMD_UNROLL _Pragma("GCC unroll 16")
#endif
#define SIMD_EACH(i, n) SIMD_UNROLL for (int i = 0; i < n; i++)
#define SIMD_INLINE static inline __attribute__((always_inline))

SIMD_INLINE simd_vec simd_load(const real *from) {
    return *(const simd_loose *)from;
}

SIMD_INLINE void simd_store(real *to, simd_vec v) {
    *(simd_loose *)to = v;
}

/* a where the mask is set, else b. */
SIMD_INLINE simd_vec simd_select(simd_mask mask, simd_vec a, simd_vec b) {
    return (simd_vec)(((simd_mask)a & mask) | ((simd_mask)b & ~mask));
}

/* ---- reordering -------------------------------------------------------------------------------------- */

#if defined(__clang__) || __GNUC__ >= 12
#define SIMD_SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define SIMD_SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (simd_mask){__VA_ARGS__})
#endif

/* Two vectors in turn: x0 y0 x1 y1 ... of their lower and of their upper halves. */
SIMD_INLINE void simd_zip(simd_vec x, simd_vec y, simd_vec *low, simd_vec *high) {
#if SIMD_N_LANES == 16
    *low = SIMD_SHUFFLE(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    *high = SIMD_SHUFFLE(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif SIMD_N_LANES == 8
    *low = SIMD_SHUFFLE(x, y, 0, 8, 1, 9, 2, 10, 3, 11);
    *high = SIMD_SHUFFLE(x, y, 4, 12, 5, 13, 6, 14, 7, 15);
#elif SIMD_N_LANES == 4
    *low = SIMD_SHUFFLE(x, y, 0, 4, 1, 5);
    *high = SIMD_SHUFFLE(x, y, 2, 6, 3, 7);
#else
    *low = SIMD_SHUFFLE(x, y, 0, 2);
    *high = SIMD_SHUFFLE(x, y, 1, 3);
#endif
}

/* The way back: elements 0, 2, 4 ... and 1, 3, 5 ... of two vectors that follow each other. */
SIMD_INLINE void simd_unzip(simd_vec x, simd_vec y, simd_vec *even, simd_vec *odd) {
#if SIMD_N_LANES == 16
    *even = SIMD_SHUFFLE(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    *odd = SIMD_SHUFFLE(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif SIMD_N_LANES == 8
    *even = SIMD_SHUFFLE(x, y, 0, 2, 4, 6, 8, 10, 12, 14);
    *odd = SIMD_SHUFFLE(x, y, 1, 3, 5, 7, 9, 11, 13, 15);
#elif SIMD_N_LANES == 4
    *even = SIMD_SHUFFLE(x, y, 0, 2, 4, 6);
    *odd = SIMD_SHUFFLE(x, y, 1, 3, 5, 7);
#else
    *even = SIMD_SHUFFLE(x, y, 0, 2);
    *odd = SIMD_SHUFFLE(x, y, 1, 3);
#endif
}

/* ---- sums -------------------------------------------------------------------------------------------- */

/*
 * Defines a function that sums `term` over n elements in four vectors, which are joined in a fixed order.
 * load(T, pick, at) declares what the term needs of element `at` as T, by pick(pointer); T is a vector or one
 * number.
 */
#define SIMD_NUMBER(pointer) (*(pointer))
#define SIMD_SUM(name, parameters, load, term)                                                               \
    static inline real name parameters {                                                                     \
        simd_vec sums[4] = {{0}};                                                                            \
        real total = 0;                                                                                      \
        int64_t i = 0;                                                                                       \
        for (; i + 4 * SIMD_LANES <= n; i += 4 * SIMD_LANES) SIMD_EACH(part, 4) {                            \
                load(simd_vec, simd_load, i + part * SIMD_LANES);                                            \
                sums[part] += (term);                                                                        \
            }                                                                                                \
        for (; i + SIMD_LANES <= n; i += SIMD_LANES) {                                                       \
            load(simd_vec, simd_load, i);                                                                    \
            sums[0] += (term);                                                                               \
        }                                                                                                    \
        for (; i < n; i++) {                                                                                 \
            load(real, SIMD_NUMBER, i);                                                                      \
            total += (term);                                                                                 \
        }                                                                                                    \
        sums[0] = (sums[0] + sums[1]) + (sums[2] + sums[3]);                                                 \
        for (int lane = 0; lane < SIMD_LANES; lane++) total += sums[0][lane];                                \
        return total;                                                                                        \
    }

#define SIMD_LOAD_X(T, pick, at) const T a = pick(x + at)
#define SIMD_LOAD_XY(T, pick, at) const T a = pick(x + at), b = pick(y + at)
#define SIMD_LOAD_XYZ(T, pick, at) const T a = pick(x + at), b = pick(y + at), c = pick(z + at)

/* Sums of x, of x y, of (x - m)^2, of (x - m) y, of (x - m) y z. */
SIMD_SUM(simd_sum, (const real *x, int64_t n), SIMD_LOAD_X, a)
SIMD_SUM(simd_dot, (const real *x, const real *y, int64_t n), SIMD_LOAD_XY, a *b)
SIMD_SUM(simd_squares, (const real *x, real m, int64_t n), SIMD_LOAD_X, (a - m) * (a - m))
SIMD_SUM(simd_moment, (const real *x, real m, const real *y, int64_t n), SIMD_LOAD_XY, (a - m) * b)
SIMD_SUM(simd_moment_of_product, (const real *x, real m, const real *y, const real *z, int64_t n),
         SIMD_LOAD_XYZ, (a - m) * (b * c))

/* Largest of n numbers, -infinity of none. A NaN may or may not be seen. */
static inline real simd_max(const real *x, int64_t n) {
    real max = -(real)__builtin_inf();
    int64_t i = 0;
    if (n >= SIMD_LANES) {
        simd_vec best = simd_load(x);
        for (i = SIMD_LANES; i + SIMD_LANES <= n; i += SIMD_LANES) {
            simd_vec v = simd_load(x + i);
            best = simd_select(v > best, v, best);
        }
        for (int lane = 0; lane < SIMD_LANES; lane++) max = best[lane] > max ? best[lane] : max;
    }
    for (; i < n; i++) max = x[i] > max ? x[i] : max;
    return max;
}

#endif
