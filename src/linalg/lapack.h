/*
 * The routines of LAPACK that Truce uses, declared here because distributions disagree about the C header.
 * All arrays are column-major; every argument is a pointer; the length of a character argument follows at the
 * end.
 */
#ifndef LINALG_LAPACK_H
#define LINALG_LAPACK_H

#include <stddef.h>

/* Eigenvalues (job 'N') and vectors (job 'V', into `a` by columns) of a symmetric matrix. */
void dsyev_(const char *job, const char *triangle, const int *n, double *a, const int *leading,
            double *values, double *work, const int *n_work, int *info, size_t job_bytes,
            size_t triangle_bytes);

#endif
