/*
 * C = A B + beta C by register tiles, after Goto and van de Geijn, "Anatomy of high-performance matrix
 * multiplication" (ACM TOMS 34, 2008), with less packing: panels of B, TILE_WIDTH columns by K_BLOCK steps,
 * are packed (and transposed on the way) into the second-level cache; numbers of A are read where they lie,
 * since each is used for a whole row of a tile.
 *
 * C is cut into items of rows and columns by its shape. Every element of C is one sum in the order of k, cut
 * at multiples of K_BLOCK, so that its bits depend neither on the cuts nor on the threads.
 */
#include "engine/ops/product.h"

#include "engine/ops/tile.h"

enum { K_BLOCK = 512, ITEM_FLOPS = 3000000, LEAST_ROWS = 64 };

typedef struct product_job {
    const linalg_product *p;
    int64_t rows, columns, column_items; /* of an item; columns are a multiple of TILE_WIDTH */
    real *scratch;
} product_job;

enum { PANEL_ELEMENTS = K_BLOCK * TILE_WIDTH, EDGE_ELEMENTS = TILE_ROWS * TILE_WIDTH };
enum { WORKER_ELEMENTS = (PANEL_ELEMENTS + EDGE_ELEMENTS + 15) / 16 * 16 };

size_t product_bytes(const base_team *team) {
    return (size_t)base_team_size(team) * WORKER_ELEMENTS * sizeof(real);
}

static int64_t pieces(int64_t n, int64_t size) {
    return (n + size - 1) / size;
}

/* Steps [k, k + n) of columns [j, j + width) of B as [k][TILE_WIDTH], with zeros behind the last column. */
static void pack(const linalg_product *p, int64_t k, int64_t n, int64_t j, int64_t width, real *panel) {
    const real *b = p->b;
    if (p->transpose_b) {
        tile_turn(b + j * p->ldb + k, p->ldb, width, n, panel, TILE_WIDTH);
    } else {
        for (int64_t i = 0; i < n; i++) {
            const real *RESTRICT from = b + (k + i) * p->ldb + j;
            real *RESTRICT to = panel + i * TILE_WIDTH;
            if (width == TILE_WIDTH)
                SIMD_EACH(v, TILE_VECS) simd_store(to + v * SIMD_LANES, simd_load(from + v * SIMD_LANES));
            else
                for (int64_t c = 0; c < width; c++) to[c] = from[c];
        }
    }
    for (int64_t i = 0; i < n && width < TILE_WIDTH; i++)
        for (int64_t c = width; c < TILE_WIDTH; c++) panel[i * TILE_WIDTH + c] = 0;
}

/* c (+)= sums of a tile that is not whole. */
static void put_edge(const real *sums, int64_t n_rows, int64_t width, bool adds, real *c, int64_t ldc) {
    for (int64_t r = 0; r < n_rows; r++)
        for (int64_t j = 0; j < width; j++)
            c[r * ldc + j] = (adds ? c[r * ldc + j] : 0) + sums[r * TILE_WIDTH + j];
}

/* Rows [begin, end) of C by one packed panel. */
static void run_panel(const linalg_product *p, int64_t begin, int64_t end, int64_t k, int64_t n, int64_t j,
                      real *panel) {
    const int64_t width = BASE_MIN(TILE_WIDTH, p->n - j);
    const int n_vecs = (int)pieces(width, SIMD_LANES);
    const bool adds = k > 0 || p->beta != 0;
    for (int64_t row = begin; row < end; row += TILE_ROWS) {
        const int64_t n_rows = BASE_MIN(TILE_ROWS, end - row);
        const bool whole = n_rows == TILE_ROWS && width == n_vecs * SIMD_LANES;
        real *c = (real *)p->c + row * p->ldc + j, *edge = panel + PANEL_ELEMENTS;
        const real *a = p->a;
        tile_product t = {.a = p->transpose_a ? a + k * p->lda + row : a + row * p->lda + k,
                          .row_step = p->transpose_a ? 1 : p->lda,
                          .k_step = p->transpose_a ? p->lda : 1,
                          .n_rows = n_rows,
                          .b = panel,
                          .k = n,
                          .out = whole ? c : edge,
                          .out_step = whole ? p->ldc : TILE_WIDTH,
                          .adds = whole && adds};
        tile_run_product(&t, n_vecs);
        if (!whole) put_edge(edge, n_rows, width, adds, c, p->ldc);
    }
}

static void run_items(void *arg, int64_t begin, int64_t end, int worker) {
    const product_job *job = arg;
    const linalg_product *p = job->p;
    real *panel = job->scratch + worker * WORKER_ELEMENTS;
    for (int64_t item = begin; item < end; item++) {
        int64_t row = item / job->column_items * job->rows, column = item % job->column_items * job->columns;
        for (int64_t j = column; j < BASE_MIN(column + job->columns, p->n); j += TILE_WIDTH)
            for (int64_t k = 0; k < p->k; k += K_BLOCK) {
                int64_t n = BASE_MIN(K_BLOCK, p->k - k);
                pack(p, k, n, j, BASE_MIN(TILE_WIDTH, p->n - j), panel);
                run_panel(p, row, BASE_MIN(row + job->rows, p->m), k, n, j, panel);
            }
    }
}

/* beta C where beta is not 0 or 1, or where there is nothing to add. */
static void scale(const linalg_product *p) {
    real *c = p->c;
    if (p->beta == 1 || (p->beta == 0 && p->k > 0)) return;
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            c[i * p->ldc + j] = p->beta == 0 ? 0 : (real)p->beta * c[i * p->ldc + j];
}

void product_run(base_team *team, const linalg_product *p, void *scratch) {
    product_job job = {.p = p, .rows = p->m, .scratch = scratch};
    if (p->m == 0 || p->n == 0) return;
    scale(p);
    double flops = 2.0 * (double)p->m * (double)p->n * (double)p->k;
    int64_t wanted = 1 + (int64_t)(flops / ITEM_FLOPS), panels = pieces(p->n, TILE_WIDTH);
    job.columns = pieces(panels, BASE_MIN(wanted, panels)) * TILE_WIDTH;
    job.column_items = pieces(p->n, job.columns);
    int64_t row_items = BASE_MIN(pieces(wanted, job.column_items), pieces(p->m, LEAST_ROWS));
    job.rows = tile_round(pieces(p->m, row_items), TILE_ROWS);
    base_parallel(team, pieces(p->m, job.rows) * job.column_items, 1, run_items, &job);
}
