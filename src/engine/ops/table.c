/*
 * The operators of one backend, indexed by engine_op_id.
 */
#include "engine/ops/kernel.h"

#define X(name) extern const engine_op KERNEL(engine_op_##name);
ENGINE_OP_TABLE(X)
#undef X

extern const engine_op *const KERNEL(engine_ops)[ENGINE_N_OPS];
const engine_op *const KERNEL(engine_ops)[ENGINE_N_OPS] = {[ENGINE_LEAF] = NULL,
#define X(name) [ENGINE_OP_##name] = &KERNEL(engine_op_##name),
                                                           ENGINE_OP_TABLE(X)
#undef X
};
