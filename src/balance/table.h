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
    X(rlw)                                                                                                   \
    X(si)                                                                                                    \
    X(gls)                                                                                                   \
    X(uw)                                                                                                    \
    X(uw_o)                                                                                                  \
    X(uw_so)                                                                                                 \
    X(imtl_l)                                                                                                \
    X(dwa)                                                                                                   \
    X(famo)                                                                                                  \
    X(stch)                                                                                                  \
    X(cosmos)                                                                                                \
    X(pbi)                                                                                                   \
    X(groupdro)                                                                                              \
    X(go4align)                                                                                              \
    X(igb)                                                                                                   \
    X(ldc_mtl)                                                                                               \
    X(gradnorm)                                                                                              \
    X(mgda)                                                                                                  \
    X(pcgrad)                                                                                                \
    X(gradvac)                                                                                               \
    X(imtl_g)                                                                                                \
    X(imtl)                                                                                                  \
    X(cagrad)                                                                                                \
    X(imgrad)                                                                                                \
    X(conicgrad)                                                                                             \
    X(nash_mtl)                                                                                              \
    X(aligned_mtl)                                                                                           \
    X(fairgrad)                                                                                              \
    X(pivrg)                                                                                                 \
    X(consmtl)                                                                                               \
    X(ntkmtl)                                                                                                \
    X(dualproj)                                                                                              \
    X(upgrad)                                                                                                \
    X(config)                                                                                                \
    X(krum)                                                                                                  \
    X(pcd)                                                                                                   \
    X(graddrop)                                                                                              \
    X(trimmed_mean)                                                                                          \
    X(moco)                                                                                                  \
    X(db_mtl)                                                                                                \
    X(excess_mtl)                                                                                            \
    X(m_config)                                                                                              \
    X(modo)                                                                                                  \
    X(sdmgrad)                                                                                               \
    X(cr_mogm)                                                                                               \
    X(auto_lambda)                                                                                           \
    X(moml)

#define X(name) extern const balance_method balance_##name;
BALANCE_METHODS(X)
#undef X

/* The descriptor of a name, or NULL. */
const balance_method *balance_find(const char *name);

/* Fails with the name that was probably meant. */
truce_status balance_unknown(truce_context *context, const char *what, const char *name);

#endif
