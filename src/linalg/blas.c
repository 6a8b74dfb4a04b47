#include "linalg/blas.h"

#include <pthread.h>
#include <string.h>

/* The Fortran BLAS: column-major, everything by reference. */
void sgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k, const float *alpha,
            const float *a, const int *lda, const float *b, const int *ldb, const float *beta, float *c,
            const int *ldc);
void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
            const int *ldc);

/* Present in OpenBLAS and BLIS; weak, because other libraries lack them. */
extern void openblas_set_num_threads(int n) __attribute__((weak));
extern void bli_thread_set_num_threads(int64_t n) __attribute__((weak));

/* Builds on OpenMP ask it for the number of threads, which it keeps for each thread of ours apart. */
extern void omp_set_num_threads(int n) __attribute__((weak));

static void set_single_thread(void) {
    if (openblas_set_num_threads) openblas_set_num_threads(1);
    if (bli_thread_set_num_threads) bli_thread_set_num_threads(1);
}

void linalg_single_thread(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_single_thread);
}

static void single_thread_here(void) {
    static _Thread_local bool done;
    if (!done && omp_set_num_threads) omp_set_num_threads(1);
    done = true;
}

/* Below this a second thread costs more than it brings. */
#define FLOPS_PER_PIECE 6e6
#define LEAST_ROWS_PER_PIECE 32

typedef struct split_product {
    linalg_product whole;
    bool along_columns;
    bool single;
} split_product;

static size_t element_bytes(const split_product *split) {
    return split->single ? sizeof(float) : sizeof(double);
}

/*
 * Row-major C = A B is column-major C^T = B^T A^T, so A and B change places and a row-major matrix is its own
 * transpose already.
 */
static void call_blas(bool single, const linalg_product *p) {
    single_thread_here();
    int m = (int)p->n, n = (int)p->m, k = (int)p->k;
    int lda = (int)BASE_MAX(p->ldb, 1), ldb = (int)BASE_MAX(p->lda, 1), ldc = (int)BASE_MAX(p->ldc, 1);
    const char *ta = p->transpose_b ? "T" : "N", *tb = p->transpose_a ? "T" : "N";
    if (single) {
        float alpha = (float)p->alpha, beta = (float)p->beta;
        sgemm_(ta, tb, &m, &n, &k, &alpha, p->b, &lda, p->a, &ldb, &beta, p->c, &ldc);
    } else {
        dgemm_(ta, tb, &m, &n, &k, &p->alpha, p->b, &lda, p->a, &ldb, &p->beta, p->c, &ldc);
    }
}

static void multiply_piece(void *arg, int64_t begin, int64_t end, int worker) {
    const split_product *split = arg;
    linalg_product piece = split->whole;
    size_t bytes = element_bytes(split);
    (void)worker;
    if (split->along_columns) {
        piece.n = end - begin;
        piece.b = (const char *)piece.b + bytes * (size_t)(begin * (piece.transpose_b ? piece.ldb : 1));
        piece.c = (char *)piece.c + bytes * (size_t)begin;
    } else {
        piece.m = end - begin;
        piece.a = (const char *)piece.a + bytes * (size_t)(begin * (piece.transpose_a ? 1 : piece.lda));
        piece.c = (char *)piece.c + bytes * (size_t)(begin * piece.ldc);
    }
    call_blas(split->single, &piece);
}

/* An empty sum: C = beta C, which BLAS implementations do not all do for k = 0. */
static void scale_only(bool single, const linalg_product *p) {
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            if (single) {
                float *c = (float *)p->c + i * p->ldc + j;
                *c = p->beta == 0 ? 0 : (float)p->beta * *c;
            } else {
                double *c = (double *)p->c + i * p->ldc + j;
                *c = p->beta == 0 ? 0 : p->beta * *c;
            }
        }
}

static void multiply(base_team *team, const linalg_product *p, bool single) {
    if (p->m == 0 || p->n == 0) return;
    if (p->k == 0) {
        scale_only(single, p);
        return;
    }
    split_product split = {.whole = *p, .along_columns = p->n > p->m, .single = single};
    int64_t length = split.along_columns ? p->n : p->m;
    double flops = 2.0 * (double)p->m * (double)p->n * (double)p->k;
    int64_t n_pieces = BASE_MAX(1, (int64_t)(flops / FLOPS_PER_PIECE));
    int64_t grain = (length + n_pieces - 1) / n_pieces;
    grain = (grain + LEAST_ROWS_PER_PIECE - 1) / LEAST_ROWS_PER_PIECE * LEAST_ROWS_PER_PIECE;
    base_parallel(team, length, grain, multiply_piece, &split);
}

void linalg_multiply_f32(base_team *team, const linalg_product *product) {
    multiply(team, product, true);
}

void linalg_multiply_f64(base_team *team, const linalg_product *product) {
    multiply(team, product, false);
}
