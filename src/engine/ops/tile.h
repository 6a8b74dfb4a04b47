/*
 * Register tiles: the innermost loops of matrix products and convolutions.
 *
 * A tile is TILE_ROWS rows of up to TILE_VECS vectors that stay in registers while a long sum runs over them.
 * Each step multiplies one number per row by the same few vectors. The numbers of a backend are chosen so
 * that a tile, its vectors and one number more fill the registers; compilers keep it there because all bounds
 * are constants. With fused multiply-adds this runs at the processor's peak.
 */
#ifndef ENGINE_OPS_TILE_H
#define ENGINE_OPS_TILE_H

#include "engine/ops/kernel.h"

#if defined(__AVX512F__)
enum { TILE_BYTES = 64, TILE_ROWS = 8, TILE_VECS = 3 };
#elif defined(__AVX__)
enum { TILE_BYTES = 32, TILE_ROWS = 4, TILE_VECS = 3 };
#elif defined(__aarch64__)
enum { TILE_BYTES = 16, TILE_ROWS = 8, TILE_VECS = 3 };
#else
enum { TILE_BYTES = 16, TILE_ROWS = 4, TILE_VECS = 2 };
#endif
enum { TILE_LANES = TILE_BYTES / (int)sizeof(real), TILE_WIDTH = TILE_LANES * TILE_VECS };

/* A vector, and one that may lie anywhere in an array of reals. */
typedef real tile_vec __attribute__((vector_size(TILE_BYTES)));
typedef real tile_loose __attribute__((vector_size(TILE_BYTES), aligned(sizeof(real)), may_alias));

#if defined(__clang__)
#define TILE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TILE_UNROLL _Pragma("GCC unroll 16")
#endif
#define TILE_EACH(i, n) TILE_UNROLL for (int i = 0; i < n; i++)
#define TILE_INLINE static inline __attribute__((always_inline))

TILE_INLINE tile_vec tile_load(const real *from) {
    return *(const tile_loose *)from;
}

TILE_INLINE void tile_store(real *to, tile_vec v) {
    *(tile_loose *)to = v;
}

static inline int64_t tile_round(int64_t n, int64_t unit) {
    return (n + unit - 1) / unit * unit;
}

/*
 * out[r][v] (+)= sum over k of a[k][r] b[v][offset[k]]: rows times vectors that lie anywhere. `out` has rows
 * of TILE_WIDTH; n_vecs of b and of each row count.
 */
typedef struct tile_rows {
    const real *a; /* [k][TILE_ROWS] */
    const real *b[TILE_VECS];
    const int32_t *offset;
    int64_t k;
    real *out;
    bool adds;
} tile_rows;

TILE_INLINE void tile_rows_of(const tile_rows *t, const int n_vecs) {
    tile_vec sum[TILE_ROWS][TILE_VECS];
    const real *a = t->a, *b[TILE_VECS];
    TILE_EACH(v, n_vecs) b[v] = t->b[v];
    TILE_EACH(r, TILE_ROWS)
    TILE_EACH(v, n_vecs) {
        sum[r][v] = t->adds ? tile_load(t->out + r * TILE_WIDTH + v * TILE_LANES) : (tile_vec){0};
    }
    for (int64_t k = 0; k < t->k; k++, a += TILE_ROWS) {
        const int64_t offset = t->offset[k];
        tile_vec x[TILE_VECS];
        TILE_EACH(v, n_vecs) x[v] = tile_load(b[v] + offset);
        TILE_EACH(r, TILE_ROWS) TILE_EACH(v, n_vecs) sum[r][v] += a[r] * x[v];
    }
    TILE_EACH(r, TILE_ROWS)
    TILE_EACH(v, n_vecs) tile_store(t->out + r * TILE_WIDTH + v * TILE_LANES, sum[r][v]);
}

static inline void tile_run_rows(const tile_rows *t, int n_vecs) {
    if (n_vecs == 1)
        tile_rows_of(t, 1);
    else if (n_vecs == 2)
        tile_rows_of(t, 2);
    else
        tile_rows_of(t, TILE_VECS);
}

/*
 * out[r][v] += sum over images, rows and columns of a[r][image, row, column] b[position][v]: numbers that lie
 * anywhere times rows of vectors, which follow each other in b, `stride` apart. Rows of `out` are `stride`
 * apart.
 */
typedef struct tile_points {
    const real *a[TILE_ROWS];
    int64_t n_images, n_rows, n_columns; /* positions */
    int64_t image_step, row_step;        /* of a */
    const real *b;
    int64_t stride;
    real *out;
} tile_points;

TILE_INLINE void tile_points_of(const tile_points *t, const int n_vecs) {
    tile_vec sum[TILE_ROWS][TILE_VECS];
    const real *b = t->b, *a[TILE_ROWS];
    TILE_EACH(r, TILE_ROWS) a[r] = t->a[r];
    TILE_EACH(r, TILE_ROWS)
    TILE_EACH(v, n_vecs) sum[r][v] = tile_load(t->out + r * t->stride + v * TILE_LANES);
    for (int64_t image = 0; image < t->n_images; image++)
        for (int64_t row = 0; row < t->n_rows; row++) {
            const int64_t at = image * t->image_step + row * t->row_step;
            for (int64_t i = at; i < at + t->n_columns; i++, b += t->stride) {
                tile_vec x[TILE_VECS];
                TILE_EACH(v, n_vecs) x[v] = tile_load(b + v * TILE_LANES);
                TILE_EACH(r, TILE_ROWS) TILE_EACH(v, n_vecs) sum[r][v] += a[r][i] * x[v];
            }
        }
    TILE_EACH(r, TILE_ROWS)
    TILE_EACH(v, n_vecs) tile_store(t->out + r * t->stride + v * TILE_LANES, sum[r][v]);
}

static inline void tile_run_points(const tile_points *t, int n_vecs) {
    if (n_vecs == 1)
        tile_points_of(t, 1);
    else if (n_vecs == 2)
        tile_points_of(t, 2);
    else
        tile_points_of(t, TILE_VECS);
}

#endif
