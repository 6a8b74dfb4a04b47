/*
 * Matrix products by the backend's own register tiles. See product.c.
 */
#ifndef ENGINE_OPS_PRODUCT_H
#define ENGINE_OPS_PRODUCT_H

#include "engine/ops/kernel.h"

/*
 * C = A B + beta C, as linalg_product describes it (alpha must be 1). `scratch` holds product_bytes of the
 * whole team, also for a call inside a piece of the team's work, which runs in the calling thread.
 */
void KERNEL(product_run)(base_team *team, const linalg_product *product, void *scratch);

size_t KERNEL(product_bytes)(const base_team *team);

#define product_run KERNEL(product_run)
#define product_bytes KERNEL(product_bytes)

#endif
