/*
 * The one place that says how a number is standardised, so that a saved mean and scale give the same bits
 * again; and how mean and scale are found.
 */
#ifndef DATA_STANDARDISE_H
#define DATA_STANDARDISE_H

#include "data/dataset.h"

static inline float data_standardised(double value, double mean, double scale) {
    return (float)((value - mean) / scale);
}

/*
 * Mean and standard deviation of values that are given twice: all to data_moments_first, then
 * data_moments_between, then all to data_moments_second, then data_moments_end. Zeroed is ready. What is not
 * finite does not count.
 */
typedef struct data_moments {
    double mean, scale; /* 0 and 1 where nothing counts; scale 1 where all values are the same */
    double sum, low, high;
    int64_t n;
} data_moments;

void data_moments_first(data_moments *moments, double value);
void data_moments_between(data_moments *moments);
void data_moments_second(data_moments *moments, double value);
void data_moments_end(data_moments *moments);

#endif
