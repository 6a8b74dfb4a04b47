/*
 * The best worst case in a ball: with rows g_i of which only inner products are known, and x = sum_i v_i g_i,
 *
 *     maximise over |x| <= radius   min_i (q_i + g_i . x) / a_i,
 *
 * exactly. CAGrad is this with q_i = g_i . g_0; ConicGrad and IMGrad are relatives.
 */
#ifndef LINALG_MAXIMIN_H
#define LINALG_MAXIMIN_H

#include <stddef.h>

typedef struct linalg_maximin {
    int n;
    const double *matrix; /* A [n][n]: g_i . g_j */
    const double *linear; /* q [n] */
    const double *row;    /* a [n], positive */
    double radius;        /* not negative */
} linalg_maximin;

/* Doubles of workspace for n rows. */
size_t linalg_maximin_room(int n);

/*
 * v [n], not negative. Where zero lies in the convex hull of the g_i / a_i the worst case cannot be made
 * better than some bound, and in a large enough ball many x reach it; the shortest of them is returned then.
 */
void linalg_maximin_solve(const linalg_maximin *problem, double *v, double *work);

#endif
