/*
 * log(sum of exp) along an axis, without overflow: the largest logit m and log of the sum of exp(x - m), for
 * all rows of a matrix or for some columns of one. Kept apart, because m + log(sum) would lose the digits of
 * the logarithm where logits are large.
 *
 * Short rows are worked on many at a time, so that exp always sees long vectors.
 */
#ifndef ENGINE_OPS_LOGSUM_H
#define ENGINE_OPS_LOGSUM_H

#include "engine/ops/vecmath.h"

/* Elements that are worked on at a time, and columns; the longest row that is short. */
enum { LOGSUM_PIECE = 1024, LOGSUM_COLUMNS = 64, LOGSUM_SHORT = 24 };

/* Rows [n_rows][n] whose exps fit a piece together, at least one. */
static inline int64_t logsum_rows_at_once(int64_t n) {
    return n < 1 ? LOGSUM_PIECE : BASE_MAX(1, LOGSUM_PIECE / n);
}

/* Part of some rows, `stride` apart: exps[r][c] = exp(x[r][c] - a[r] - b[r]), stored without gaps. */
typedef struct logsum_part {
    const real *x;
    int64_t n_rows, width, stride;
    const real *a, *b; /* b may be NULL */
} logsum_part;

static inline void logsum_exps(const logsum_part *part, real *exps) {
    const int64_t n = part->n_rows * part->width;
    for (int64_t r = 0; r < part->n_rows; r++) {
        const real a = part->a[r], b = part->b ? part->b[r] : 0, *x = part->x + r * part->stride;
        real *RESTRICT to = exps + r * part->width;
        for (int64_t c = 0; c < part->width; c++) to[c] = x[c] - a - b;
    }
#pragma omp simd
    for (int64_t i = 0; i < n; i++) exps[i] = vec_exp(exps[i]);
}

/* max[j] and log_sum[j] for `width` columns of [n][stride], at most LOGSUM_COLUMNS. */
static inline void logsum_of_columns(const real *x, int64_t n, int64_t stride, int64_t width, real *max,
                                     real *log_sum) {
    for (int64_t j = 0; j < width; j++) {
        max[j] = -(real)INFINITY;
        log_sum[j] = 0;
    }
    for (int64_t i = 0; i < n; i++) {
        const real *row = x + i * stride;
#pragma omp simd
        for (int64_t j = 0; j < width; j++) max[j] = row[j] > max[j] ? row[j] : max[j];
    }
    for (int64_t i = 0; i < n; i++) {
        const real *row = x + i * stride;
#pragma omp simd
        for (int64_t j = 0; j < width; j++) log_sum[j] += vec_exp(row[j] - max[j]);
    }
#pragma omp simd
    for (int64_t j = 0; j < width; j++) log_sum[j] = vec_log(log_sum[j]);
}

/* Rows that are too short for vectors, as columns of a copy. */
static inline void logsum_of_short_rows(const real *x, int64_t n_rows, int64_t n, real *max, real *log_sum) {
    real turned[LOGSUM_SHORT * LOGSUM_COLUMNS];
    for (int64_t row = 0; row < n_rows; row += LOGSUM_COLUMNS) {
        const int64_t width = BASE_MIN(LOGSUM_COLUMNS, n_rows - row);
        for (int64_t j = 0; j < width; j++)
            for (int64_t i = 0; i < n; i++) turned[i * LOGSUM_COLUMNS + j] = x[(row + j) * n + i];
        logsum_of_columns(turned, n, LOGSUM_COLUMNS, width, max + row, log_sum + row);
    }
}

/* max[r] and log_sum[r] for rows [n_rows][n], at most logsum_rows_at_once(n) of them. */
static inline void logsum_of_rows(const real *x, int64_t n_rows, int64_t n, real *max, real *log_sum) {
    real exps[LOGSUM_PIECE];
    if (n <= LOGSUM_SHORT) {
        logsum_of_short_rows(x, n_rows, n, max, log_sum);
        return;
    }
    for (int64_t r = 0; r < n_rows; r++) {
        max[r] = simd_max(x + r * n, n);
        log_sum[r] = 0;
    }
    for (int64_t c = 0; c < n; c += LOGSUM_PIECE) {
        int64_t width = BASE_MIN(LOGSUM_PIECE, n - c);
        logsum_exps(&(logsum_part){x + c, n_rows, width, n, max, NULL}, exps);
        for (int64_t r = 0; r < n_rows; r++) log_sum[r] += simd_sum(exps + r * width, width);
    }
#pragma omp simd
    for (int64_t r = 0; r < n_rows; r++) log_sum[r] = vec_log(log_sum[r]);
}

#endif
