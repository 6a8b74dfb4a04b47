/*
 * Choosing a backend, and what shape rules share.
 */
#include "engine/op.h"

#include <stdio.h>
#include <string.h>

/* What ops/table.c, ops/vector.c and ops/update.c make for each backend. */
#define DECLARE(backend)                                                                                     \
    extern const engine_op *const engine_ops_##backend[ENGINE_N_OPS];                                        \
    extern const engine_vectors engine_vectors_##backend;                                                    \
    extern const engine_updates engine_updates_##backend;
#define BACKEND(backend, dtype)                                                                              \
    { #backend, dtype, engine_ops_##backend, &engine_vectors_##backend, &engine_updates_##backend }

DECLARE(f32_generic)
DECLARE(f64_generic)
#ifdef ENGINE_HAS_F32_V4
DECLARE(f32_v3)
DECLARE(f32_v4)
#endif

static bool always(void) {
    return true;
}

#ifdef ENGINE_HAS_F32_V4
static bool has_v3(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}

static bool has_v4(void) {
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

/* Best first within a precision. */
static const struct {
    engine_backend backend;
    bool (*runs_here)(void);
} backends[] = {
#ifdef ENGINE_HAS_F32_V4
    {BACKEND(f32_v4, TRUCE_FLOAT32), has_v4},
    {BACKEND(f32_v3, TRUCE_FLOAT32), has_v3},
#endif
    {BACKEND(f32_generic, TRUCE_FLOAT32), always},
    {BACKEND(f64_generic, TRUCE_FLOAT64), always},
};

const engine_backend *engine_backend_best(truce_dtype dtype) {
    for (size_t i = 0; i < BASE_COUNT(backends); i++)
        if (backends[i].backend.dtype == dtype && backends[i].runs_here()) return &backends[i].backend;
    return NULL;
}

const engine_backend *engine_backend_named(const char *name) {
    for (size_t i = 0; i < BASE_COUNT(backends); i++)
        if (strcmp(backends[i].backend.name, name) == 0 && backends[i].runs_here())
            return &backends[i].backend;
    return NULL;
}

const char *engine_backend_name_at(int i) {
    return i >= 0 && (size_t)i < BASE_COUNT(backends) ? backends[i].backend.name : NULL;
}

const char *engine_shape_text(const truce_shape *shape, char text[ENGINE_SHAPE_TEXT_BYTES]) {
    size_t used = 1;
    strcpy(text, "[");
    for (int i = 0; i < shape->n_dims && used < ENGINE_SHAPE_TEXT_BYTES; i++) {
        int64_t size = shape->dims[i];
        const char *comma = i ? ", " : "";
        char *end = text + used;
        size_t room = ENGINE_SHAPE_TEXT_BYTES - used;
        if (size >= 0)
            used += (size_t)snprintf(end, room, "%s%lld", comma, (long long)size);
        else if (size == TRUCE_BATCH)
            used += (size_t)snprintf(end, room, "%sbatch", comma);
        else
            used += (size_t)snprintf(end, room, "%s%lld x batch", comma, (long long)-size);
    }
    if (used + 1 < ENGINE_SHAPE_TEXT_BYTES) strcpy(text + used, "]");
    return text;
}

truce_status engine_axis(truce_context *context, const char *op, int64_t axis, int n_dims, int *out) {
    int64_t found = axis < 0 ? axis + n_dims : axis;
    if (found < 0 || found >= n_dims)
        return base_fail(context, TRUCE_ERROR_RANGE, "%s: there is no axis %lld among %d", op,
                         (long long)axis, n_dims);
    *out = (int)found;
    return TRUCE_OK;
}
