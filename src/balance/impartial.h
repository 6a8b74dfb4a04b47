/*
 * IMTL-G's weights, which the methods imtl_g and imtl share.
 */
#ifndef BALANCE_IMPARTIAL_H
#define BALANCE_IMPARTIAL_H

#include "balance/equal.h"

/*
 * w [n] with sum 1 and equal products of d with all unit gradients; zero where no sum can be 1. `ones` is
 * workspace [n].
 */
void balance_impartial(const balance_equal *equal, const balance_step *step, bool plain, double *ones,
                       double *weights);

#endif
