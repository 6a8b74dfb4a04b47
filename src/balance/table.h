/*
 * The table of methods. Adding one is a file src/balance/<name>.c and a line here.
 */
#ifndef BALANCE_TABLE_H
#define BALANCE_TABLE_H

#include "balance/method.h"

#define BALANCE_METHODS(X)                                                                                   \
    X(sum)                                                                                                   \
    X(mean)                                                                                                  \
    X(constant)                                                                                              \
    X(mgda)                                                                                                  \
    X(pcgrad)                                                                                                \
    X(cagrad)

#define X(name) extern const balance_method balance_##name;
BALANCE_METHODS(X)
#undef X

/* The descriptor of a name, or NULL. */
const balance_method *balance_find(const char *name);

/* Fails with the name that was probably meant. */
truce_status balance_unknown(truce_context *context, const char *what, const char *name);

#endif
