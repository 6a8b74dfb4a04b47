/*
 * Random numbers beyond the uniform and the normal.
 */
#ifndef BALANCE_RANDOM_H
#define BALANCE_RANDOM_H

#include "base/rng.h"

/* The logarithm of a Gamma(shape, 1) variate, shape > 0: small shapes give numbers that would underflow. */
double balance_log_gamma(base_rng *rng, double shape);

#endif
