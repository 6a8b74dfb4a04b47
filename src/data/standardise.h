/*
 * The one place that says how a number is standardised, so that a saved mean and scale give the same bits
 * again.
 */
#ifndef DATA_STANDARDISE_H
#define DATA_STANDARDISE_H

#include "data/dataset.h"

static inline float data_standardised(float value, double mean, double scale) {
    return (float)(((double)value - mean) / scale);
}

#endif
