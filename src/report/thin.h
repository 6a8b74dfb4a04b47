/*
 * Fewer points for the same picture.
 */
#ifndef REPORT_THIN_H
#define REPORT_THIN_H

#include <stddef.h>

/*
 * Chooses points of a line of n points (px; a NaN in x or y is a gap) so that its picture stays the same: of
 * each run of points in one column of `width` px the first, the lowest, the highest and the last. A gap stays
 * unless it lies within a column. Writes rising indices into kept [n] and returns their number.
 */
size_t report_thin(const double *x, const double *y, size_t n, double width, size_t *kept);

#endif
