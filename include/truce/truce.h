/*
 * truce/truce.h: all of Truce. Each header can also be included alone.
 */
#ifndef TRUCE_TRUCE_H
#define TRUCE_TRUCE_H

#include "truce/balance.h"
#include "truce/base.h"
#include "truce/data.h"
#include "truce/engine.h"
#include "truce/optim.h"
#include "truce/option.h"
#include "truce/tensor_file.h"
#include "truce/train.h"

#endif
