/*
 * Matrix products by the BLAS, one thread per call, split over our own team.
 *
 * A product is cut into pieces along rows or columns of C, by its shape only, so its bits do not depend on
 * the number of threads. BLAS is called through its Fortran interface, which every implementation has.
 */
#ifndef LINALG_BLAS_H
#define LINALG_BLAS_H

#include "base/team.h"

#include <stdbool.h>

/* C [m][n] = alpha A B + beta C, all row-major; A is [m][k], or [k][m] if transpose_a; B likewise. */
typedef struct linalg_product {
    bool transpose_a, transpose_b;
    int64_t m, n, k;
    const void *a, *b;
    void *c;
    int64_t lda, ldb, ldc; /* elements from one row to the next */
    double alpha, beta;
} linalg_product;

void linalg_multiply_f32(base_team *team, const linalg_product *product);
void linalg_multiply_f64(base_team *team, const linalg_product *product);

/* Tells the BLAS to use one thread per call; only the first call does something. */
void linalg_single_thread(void);

#endif
