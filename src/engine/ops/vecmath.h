/*
 * Elementary functions that the compiler can vectorise: no branches, no tables, no errno.
 *
 * In single precision exp and log follow the usual scheme (split off a power of two, then a polynomial fitted
 * to the rest) and stay within 2 units in the last place over the finite range; test/engine/test_vecmath.c
 * measures them. In double precision, which serves checks, the C library does it.
 */
#ifndef ENGINE_OPS_VECMATH_H
#define ENGINE_OPS_VECMATH_H

#include "engine/ops/kernel.h"

#ifdef ENGINE_DOUBLE

SIMD_INLINE real vec_exp(real x) {
    return exp(x);
}
SIMD_INLINE real vec_log(real x) {
    return log(x);
}
SIMD_INLINE real vec_tanh(real x) {
    return tanh(x);
}
SIMD_INLINE real vec_normal(real x) {
    return 0.5 * erfc(-x * 0.707106781186547524);
}
SIMD_INLINE real vec_sqrt(real x) {
    return sqrt(x);
}
SIMD_INLINE real vec_abs(real x) {
    return fabs(x);
}

#else

SIMD_INLINE float vec_from_bits(int32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

SIMD_INLINE int32_t vec_to_bits(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* e^x = 2^n e^r with |r| <= ln 2 / 2; below -103.97 it is 0, above 88.73 infinity. */
SIMD_INLINE float vec_exp(float x) {
    float clamped = x > -104.0f ? (x < 89.0f ? x : 89.0f) : -104.0f; /* NaN too has to become a number */
    float shifted = clamped * 1.44269504f + 12582912.0f;             /* 1.5 x 2^23 rounds to a whole number */
    float n = shifted - 12582912.0f;
    float r = (clamped - n * 0.693145752f) - n * 1.42860677e-6f;
    float p = 1.3814581e-3f;
    p = p * r + 8.368724e-3f;
    p = p * r + 4.166839e-2f;
    p = p * r + 1.6666521e-1f;
    p = p * r + 4.9999994e-1f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    /* Two steps, because 2^n alone may lie outside the normal range. */
    int32_t k = (int32_t)n, half = k >> 1;
    float low = vec_from_bits((half + 127) << 23), high = vec_from_bits((k - half + 127) << 23);
    float y = p * low * high;
    return x != x ? x : y;
}

/* log x = e ln 2 + log m with m in [sqrt(1/2), sqrt 2), log m = 2 artanh(s), s = (m - 1) / (m + 1). */
SIMD_INLINE float vec_log(float x) {
    float normal = x < 1.17549435e-38f ? x * 8388608.0f : x;
    float bias = x < 1.17549435e-38f ? 23.0f : 0.0f;
    uint32_t bits = (uint32_t)vec_to_bits(normal);
    int32_t e = (int32_t)(bits - 0x3f3504f3u) >> 23;
    float m = vec_from_bits((int32_t)(bits - ((uint32_t)e << 23))), f = (float)e - bias;
    float t = m - 1.0f, s = t / (2.0f + t), z = s * s;
    float p = 0.24279078f;
    p = p * z + 0.28498787f;
    p = p * z + 0.40000972f;
    p = p * z + 0.66666663f;
    float h = 0.5f * t * t;
    float y = f * 0.693147182f + ((t - h) + s * (h + z * p) - f * 1.904654e-9f);
    y = x == INFINITY ? x : y;
    y = x == 0.0f ? -INFINITY : y;
    return x < 0.0f || x != x ? NAN : y;
}

/* Odd polynomial near 0, (1 - e^-2|x|) / (1 + e^-2|x|) elsewhere. */
SIMD_INLINE float vec_tanh(float x) {
    float a = fabsf(x), z = x * x;
    float p = -5.70498872e-3f;
    p = p * z + 2.06390887e-2f;
    p = p * z - 5.37397155e-2f;
    p = p * z + 1.33314422e-1f;
    p = p * z - 3.33332819e-1f;
    float near = x + x * z * p;
    float e = vec_exp(-2.0f * a), far = copysignf((1.0f - e) / (1.0f + e), x);
    return a < 0.625f ? near : far;
}

/* e^(-x^2 / 2). The rounding error of the square would be multiplied by it, so the square is made in two
 * parts. */
SIMD_INLINE float vec_bell(float x) {
    float z = 0.5f * x * x, high = vec_from_bits(vec_to_bits(x) & ~0xfff), low = x - high;
    float rest = ((0.5f * high * high - z) + high * low) + 0.5f * low * low;
    return vec_exp(-z) * (1.0f - (fabsf(x) < 16.0f ? rest : 0.0f));
}

/*
 * The normal distribution function (1 + erf(s)) / 2 with s = x / sqrt 2: for |s| < 0.5 by an odd polynomial;
 * beyond, half of erfc(|s|) = e^(-s^2) t p(t - 1/2) with t = 1 / (1 + |s| / 2). Both are fitted for this, p
 * to the relative error, so that the lower tail keeps its digits.
 */
SIMD_INLINE float vec_normal(float x) {
    float s = x * 0.707106781f, z = 0.5f * x * x, t = 1.0f / (1.0f + 0.5f * fabsf(s));
    float q = 7.853858e-5f;
    q = q * z - 8.0101925e-4f;
    q = q * z + 5.1883277e-3f;
    q = q * z - 2.6853811e-2f;
    q = q * z + 1.12835854e-1f;
    q = q * z - 3.7612626e-1f;
    q = q * z + 1.1283791f;
    float w = t - 0.5f, p = -0.0634191335f;
    p = p * w + 0.0504973168f;
    p = p * w + 0.0965136365f;
    p = p * w - 0.103408941f;
    p = p * w - 0.171973884f;
    p = p * w + 0.14576169f;
    p = p * w + 0.558942337f;
    p = p * w + 0.687160734f;
    p = p * w + 0.510791358f;
    float near = 0.5f + 0.5f * s * q, tail = 0.5f * t * p * vec_bell(x), far = x > 0 ? 1.0f - tail : tail;
    return fabsf(s) < 0.5f ? near : x != x ? x : far;
}

SIMD_INLINE float vec_sqrt(float x) {
    return sqrtf(x);
}
SIMD_INLINE float vec_abs(float x) {
    return fabsf(x);
}

#endif

SIMD_INLINE real vec_sigmoid(real x) {
    real e = vec_exp(-vec_abs(x)), s = 1 / (1 + e);
    return x >= 0 ? s : e * s;
}

/* log(1 + e^x) without overflow. */
SIMD_INLINE real vec_softplus(real x) {
    real e = vec_exp(-vec_abs(x));
    /* log1p(e): the correction term keeps it exact to rounding where 1 + e loses bits */
    real u = 1 + e, l = vec_log(u) + (e - (u - 1)) / u;
    return (x > 0 ? x : 0) + l;
}

#endif
