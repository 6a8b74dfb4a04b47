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
#define TILE_BYTES 64
enum { TILE_ROWS = 8, TILE_VECS = 3 };
#elif defined(__AVX__)
#define TILE_BYTES 32
enum { TILE_ROWS = 4, TILE_VECS = 3 };
#elif defined(__aarch64__)
#define TILE_BYTES 16
enum { TILE_ROWS = 8, TILE_VECS = 3 };
#else
#define TILE_BYTES 16
enum { TILE_ROWS = 4, TILE_VECS = 2 };
#endif
#ifdef ENGINE_DOUBLE
#define TILE_N_LANES (TILE_BYTES / 8)
typedef int64_t tile_lane;
#else
#define TILE_N_LANES (TILE_BYTES / 4)
typedef int32_t tile_lane;
#endif
enum { TILE_LANES = TILE_N_LANES, TILE_WIDTH = TILE_LANES * TILE_VECS };

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

/* ---- transposing ------------------------------------------------------------------------------------- */

#if defined(__clang__) || __GNUC__ >= 12
#define TILE_SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define TILE_SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (tile_mask){__VA_ARGS__})
typedef tile_lane tile_mask __attribute__((vector_size(TILE_BYTES)));
#endif

/* Neighbours from two vectors in turn: x0 y0 x1 y1 ... of the lower and of the upper halves. */
TILE_INLINE void tile_zip(tile_vec x, tile_vec y, tile_vec *low, tile_vec *high) {
#if TILE_N_LANES == 16
    *low = TILE_SHUFFLE(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    *high = TILE_SHUFFLE(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif TILE_N_LANES == 8
    *low = TILE_SHUFFLE(x, y, 0, 8, 1, 9, 2, 10, 3, 11);
    *high = TILE_SHUFFLE(x, y, 4, 12, 5, 13, 6, 14, 7, 15);
#elif TILE_N_LANES == 4
    *low = TILE_SHUFFLE(x, y, 0, 4, 1, 5);
    *high = TILE_SHUFFLE(x, y, 2, 6, 3, 7);
#else
    *low = TILE_SHUFFLE(x, y, 0, 2);
    *high = TILE_SHUFFLE(x, y, 1, 3);
#endif
}

/* Transposes TILE_LANES x TILE_LANES numbers by log2 rounds of zipping row i with row i + half. */
TILE_INLINE void tile_transpose(const real *from, int64_t from_step, real *to, int64_t to_step) {
    tile_vec a[TILE_LANES], b[TILE_LANES];
    TILE_EACH(i, TILE_LANES) a[i] = tile_load(from + i * from_step);
    TILE_UNROLL for (int round = 1; round < TILE_LANES; round *= 2) {
        TILE_EACH(i, TILE_LANES / 2) tile_zip(a[i], a[i + TILE_LANES / 2], &b[2 * i], &b[2 * i + 1]);
        TILE_EACH(i, TILE_LANES) a[i] = b[i];
    }
    TILE_EACH(i, TILE_LANES) tile_store(to + i * to_step, a[i]);
}

/* to[c][r] = from[r][c] for any number of rows and columns. */
static inline void tile_turn(const real *from, int64_t from_step, int64_t n_rows, int64_t n_columns, real *to,
                             int64_t to_step) {
    for (int64_t r = 0; r < n_rows; r += TILE_LANES)
        for (int64_t c = 0; c < n_columns; c += TILE_LANES) {
            const real *x = from + r * from_step + c;
            real *y = to + c * to_step + r;
            int64_t rows = BASE_MIN(TILE_LANES, n_rows - r), columns = BASE_MIN(TILE_LANES, n_columns - c);
            if (rows == TILE_LANES && columns == TILE_LANES)
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

TILE_INLINE void tile_product_of(const tile_product *t, const int n_vecs) {
    tile_vec sum[TILE_ROWS][TILE_VECS];
    const real *b = t->b, *a[TILE_ROWS];
    const int64_t end = t->k * t->k_step;
    TILE_EACH(r, TILE_ROWS) a[r] = t->a + BASE_MIN(r, t->n_rows - 1) * t->row_step;
    TILE_EACH(r, TILE_ROWS)
    TILE_EACH(v, n_vecs) {
        sum[r][v] = t->adds ? tile_load(t->out + r * t->out_step + v * TILE_LANES) : (tile_vec){0};
    }
    for (int64_t i = 0; i < end; i += t->k_step, b += TILE_WIDTH) {
        tile_vec x[TILE_VECS];
        TILE_EACH(v, n_vecs) x[v] = tile_load(b + v * TILE_LANES);
        TILE_EACH(r, TILE_ROWS) TILE_EACH(v, n_vecs) sum[r][v] += a[r][i] * x[v];
    }
    TILE_EACH(r, TILE_ROWS)
    TILE_EACH(v, n_vecs) tile_store(t->out + r * t->out_step + v * TILE_LANES, sum[r][v]);
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
