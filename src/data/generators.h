/*
 * The generators' settings as tables, which recipes are read by; and what the generators share.
 */
#ifndef DATA_GENERATORS_H
#define DATA_GENERATORS_H

#include "base/option.h"
#include "data/dataset.h"

extern const base_options data_glyphs_options, data_tabular_options, data_digit_pairs_options;

#define DATA_MAX_ROWS 1e15 /* bound of `rows`: beyond any memory, and far from overflowing a product */

#endif
