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
enum { TILE_ROWS = 8, TILE_VECS = 3 };
#elif defined(__AVX__)
enum { TILE_ROWS = 4, TILE_VECS = 3 };
#elif defined(__aarch64__)
enum { TILE_ROWS = 8, TILE_VECS = 3 };
#else
enum { TILE_ROWS = 4, TILE_VECS = 2 };
#endif
enum { TILE_WIDTH = SIMD_LANES * TILE_VECS };

static inline int64_t tile_round(int64_t n, int64_t unit) {
    return (n + unit - 1) / unit * unit;
}

/* ---- transposing ------------------------------------------------------------------------------------- */

/* Transposes SIMD_LANES x SIMD_LANES numbers by log2 rounds of zipping row i with row i + half. */
SIMD_INLINE void tile_transpose(const real *from, int64_t from_step, real *to, int64_t to_step) {
    simd_vec a[SIMD_LANES], b[SIMD_LANES];
    SIMD_EACH(i, SIMD_LANES) a[i] = simd_load(from + i * from_step);
    SIMD_UNROLL for (int round = 1; round < SIMD_LANES; round *= 2) {
        SIMD_EACH(i, SIMD_LANES / 2) simd_zip(a[i], a[i + SIMD_LANES / 2], &b[2 * i], &b[2 * i + 1]);
        SIMD_EACH(i, SIMD_LANES) a[i] = b[i];
    }
    SIMD_EACH(i, SIMD_LANES) simd_store(to + i * to_step, a[i]);
}

/* to[c][r] = from[r][c] for any number of rows and columns. */
static inline void tile_turn(const real *from, int64_t from_step, int64_t n_rows, int64_t n_columns, real *to,
                             int64_t to_step) {
    for (int64_t r = 0; r < n_rows; r += SIMD_LANES)
        for (int64_t c = 0; c < n_columns; c += SIMD_LANES) {
            const real *x = from + r * from_step + c;
            real *y = to + c * to_step + r;
            int64_t rows = BASE_MIN(SIMD_LANES, n_rows - r), columns = BASE_MIN(SIMD_LANES, n_columns - c);
            if (rows == SIMD_LANES && columns == SIMD_LANES)
                tile_transpose(x, from_step, y, to_step);
            else
                for (int64_t i = 0; i < rows; i++)
                    for (int64_t k = 0; k < columns; k++) y[k * to_step + i] = x[i * from_step + k];
        }
}

/* ---- sums in registers ------------------------------------------------------------------------------- */

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

SIMD_INLINE void tile_rows_of(const tile_rows *t, const int n_vecs) {
    simd_vec sum[TILE_ROWS][TILE_VECS];
    const real *a = t->a, *b[TILE_VECS];
    SIMD_EACH(v, n_vecs) b[v] = t->b[v];
    SIMD_EACH(r, TILE_ROWS)
    SIMD_EACH(v, n_vecs) {
        sum[r][v] = t->adds ? simd_load(t->out + r * TILE_WIDTH + v * SIMD_LANES) : (simd_vec){0};
    }
    for (int64_t k = 0; k < t->k; k++, a += TILE_ROWS) {
        const int64_t offset = t->offset[k];
        simd_vec x[TILE_VECS];
        SIMD_EACH(v, n_vecs) x[v] = simd_load(b[v] + offset);
        SIMD_EACH(r, TILE_ROWS) SIMD_EACH(v, n_vecs) sum[r][v] += a[r] * x[v];
    }
    SIMD_EACH(r, TILE_ROWS)
    SIMD_EACH(v, n_vecs) simd_store(t->out + r * TILE_WIDTH + v * SIMD_LANES, sum[r][v]);
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

SIMD_INLINE void tile_points_of(const tile_points *t, const int n_vecs) {
    simd_vec sum[TILE_ROWS][TILE_VECS];
    const real *b = t->b, *a[TILE_ROWS];
    SIMD_EACH(r, TILE_ROWS) a[r] = t->a[r];
    SIMD_EACH(r, TILE_ROWS)
    SIMD_EACH(v, n_vecs) sum[r][v] = simd_load(t->out + r * t->stride + v * SIMD_LANES);
    for (int64_t image = 0; image < t->n_images; image++)
        for (int64_t row = 0; row < t->n_rows; row++) {
            const int64_t at = image * t->image_step + row * t->row_step;
            for (int64_t i = at; i < at + t->n_columns; i++, b += t->stride) {
                simd_vec x[TILE_VECS];
                SIMD_EACH(v, n_vecs) x[v] = simd_load(b + v * SIMD_LANES);
                SIMD_EACH(r, TILE_ROWS) SIMD_EACH(v, n_vecs) sum[r][v] += a[r][i] * x[v];
            }
        }
    SIMD_EACH(r, TILE_ROWS)
    SIMD_EACH(v, n_vecs) simd_store(t->out + r * t->stride + v * SIMD_LANES, sum[r][v]);
}

static inline void tile_run_points(const tile_points *t, int n_vecs) {
    if (n_vecs == 1)
        tile_points_of(t, 1);
    else if (n_vecs == 2)
        tile_points_of(t, 2);
    else
        tile_points_of(t, TILE_VECS);
}

/*
 * out[r][v] (+)= sum over k of a[r row_step + k k_step] b[k][v]: numbers of a matrix, plain or transposed,
 * times a packed panel.
 */
typedef struct tile_product {
    const real *a;
    int64_t row_step, k_step;
    int64_t n_rows; /* of a; the last one is repeated */
    const real *b;  /* [k][TILE_WIDTH] */
    int64_t k;
    real *out;
    int64_t out_step; /* of a row */
    bool adds;
} tile_product;

SIMD_INLINE void tile_product_of(const tile_product *t, const int n_vecs) {
    simd_vec sum[TILE_ROWS][TILE_VECS];
    const real *b = t->b, *a[TILE_ROWS];
    const int64_t end = t->k * t->k_step;
    SIMD_EACH(r, TILE_ROWS) a[r] = t->a + BASE_MIN(r, t->n_rows - 1) * t->row_step;
    SIMD_EACH(r, TILE_ROWS)
    SIMD_EACH(v, n_vecs) {
        sum[r][v] = t->adds ? simd_load(t->out + r * t->out_step + v * SIMD_LANES) : (simd_vec){0};
    }
    for (int64_t i = 0; i < end; i += t->k_step, b += TILE_WIDTH) {
        simd_vec x[TILE_VECS];
        SIMD_EACH(v, n_vecs) x[v] = simd_load(b + v * SIMD_LANES);
        SIMD_EACH(r, TILE_ROWS) SIMD_EACH(v, n_vecs) sum[r][v] += a[r][i] * x[v];
    }
    SIMD_EACH(r, TILE_ROWS)
    SIMD_EACH(v, n_vecs) simd_store(t->out + r * t->out_step + v * SIMD_LANES, sum[r][v]);
}

static inline void tile_run_product(const tile_product *t, int n_vecs) {
    if (n_vecs == 1)
        tile_product_of(t, 1);
    else if (n_vecs == 2)
        tile_product_of(t, 2);
    else
        tile_product_of(t, TILE_VECS);
}

#endif
