/*
 * Losses that compare element with element, on real targets that are missing where they are NaN: the mean
 * over the labelled elements of
 *
 *     squared_error e^2,  absolute_error |e|,  huber e^2/2 or delta (|e| - delta/2),  e = x - target,
 *     binary_cross_entropy log(1 + exp(-|x|)) + (x > 0 ? x (1 - target) : -x target)   for logits x.
 *
 * Missing elements add exactly nothing, and a batch without labels gives exactly 0 with gradient 0. Partial
 * sums belong to chunks of fixed size and are added in order. `saved` holds the number of labelled elements.
 */
#include "engine/ops/vecmath.h"

typedef struct partial {
    double sum;
    int64_t n_labelled;
} partial;

typedef struct loss_job {
    const real *x, *target, *t; /* t: tangent of x */
    real *dx;
    real delta, scale;
    bool adds;
    partial *partials; /* of each chunk */
} loss_job;

enum { BLOCK = 1024 };

static truce_status shape(engine_shape_call *call) {
    char xt[ENGINE_SHAPE_TEXT_BYTES], tt[ENGINE_SHAPE_TEXT_BYTES];
    if (call->in_type[0] != TRUCE_REAL || call->in_type[1] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_TYPE,
                         "predictions and targets must be real numbers, not indices");
    if (!truce_shape_equal(&call->in[0], &call->in[1]))
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "predictions are %s, but targets are %s",
                         engine_shape_text(&call->in[0], xt), engine_shape_text(&call->in[1], tt));
    call->out = (truce_shape){0};
    return TRUCE_OK;
}

static int64_t n_chunks(const engine_call *call) {
    return (kernel_size(&call->in_shape[0]) + KERNEL_GRAIN - 1) / KERNEL_GRAIN;
}

static size_t saved_bytes(const engine_call *call) {
    (void)call;
    return sizeof(int64_t);
}

static size_t scratch_bytes(const engine_call *call) {
    return (size_t)n_chunks(call) * sizeof(partial);
}

static int64_t labelled(const engine_call *call) {
    return *(const int64_t *)call->saved;
}

/* Sums over all chunks, by `chunk`. */
static partial sum_chunks(const engine_call *call, const void *tangent, base_chunk_fn chunk) {
    loss_job job = {.x = call->in[0],
                    .target = call->in[1],
                    .t = tangent,
                    .delta = (real)call->settings->r[0],
                    .partials = call->scratch};
    partial total = {0};
    base_parallel(call->team, kernel_size(&call->in_shape[0]), KERNEL_GRAIN, chunk, &job);
    for (int64_t i = 0; i < n_chunks(call); i++) {
        total.sum += job.partials[i].sum;
        total.n_labelled += job.partials[i].n_labelled;
    }
    return total;
}

static void forward_mean(const engine_call *call, base_chunk_fn values) {
    partial total = sum_chunks(call, NULL, values);
    *(int64_t *)call->saved = total.n_labelled;
    *(real *)call->out = total.n_labelled ? (real)(total.sum / (double)total.n_labelled) : 0;
}

static void vjp_mean(const engine_call *call, base_chunk_fn slopes) {
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        loss_job job = {.x = call->in[0],
                        .target = call->in[1],
                        .dx = kernel_d_in(call, 0, k),
                        .adds = kernel_adds(call, 0),
                        .delta = (real)call->settings->r[0]};
        job.scale = labelled(call) ? *kernel_cotangent(call, k) / (real)labelled(call) : 0;
        base_parallel(call->team, kernel_size(&call->in_shape[0]), KERNEL_GRAIN, slopes, &job);
    }
}

static void jvp_mean(const engine_call *call, base_chunk_fn tangents) {
    double sum = sum_chunks(call, call->t_in[0], tangents).sum;
    *(real *)call->t_out = labelled(call) ? (real)(sum / (double)labelled(call)) : 0;
}

/* Sums `term` over the labelled elements of a chunk, in double over blocks. */
#define SUM_CHUNK(name, term)                                                                                \
    static void name(void *arg, int64_t begin, int64_t end, int worker) {                                    \
        const loss_job *job = arg;                                                                           \
        const real delta = job->delta, *xs = job->x, *targets = job->target, *ts = job->t;                   \
        partial p = {0};                                                                                     \
        (void)worker, (void)delta, (void)ts;                                                                 \
        for (int64_t from = begin; from < end; from += BLOCK) {                                              \
            const int64_t to = BASE_MIN(from + BLOCK, end);                                                  \
            real terms[BLOCK], marks[BLOCK];                                                                 \
            _Pragma("omp simd") for (int64_t i = from; i < to; i++) {                                        \
                const real x = xs[i], target = targets[i], e = x - target, value = (term);                   \
                (void)e;                                                                                     \
                terms[i - from] = target == target ? value : 0;                                              \
                marks[i - from] = target == target ? (real)1 : 0;                                            \
            }                                                                                                \
            p.sum += (double)simd_sum(terms, to - from);                                                     \
            p.n_labelled += (int64_t)simd_sum(marks, to - from);                                             \
        }                                                                                                    \
        job->partials[begin / KERNEL_GRAIN] = p;                                                             \
    }

#define LOSS(op, value, slope)                                                                               \
    SUM_CHUNK(op##_values, value)                                                                            \
    SUM_CHUNK(op##_tangents, (slope)*ts[i])                                                                  \
    static void op##_slopes(void *arg, int64_t begin, int64_t end, int worker) {                             \
        const loss_job *job = arg;                                                                           \
        const real delta = job->delta, scale = job->scale;                                                   \
        const real *xs = job->x, *targets = job->target;                                                     \
        real *dx = job->dx;                                                                                  \
        (void)worker, (void)delta;                                                                           \
        if (!job->adds) memset(dx + begin, 0, (size_t)(end - begin) * sizeof(real));                         \
        _Pragma("omp simd") for (int64_t i = begin; i < end; i++) {                                          \
            const real x = xs[i], target = targets[i], e = x - target, g = scale * (slope);                  \
            (void)e;                                                                                         \
            dx[i] += target == target ? g : 0;                                                               \
        }                                                                                                    \
    }                                                                                                        \
    static void op##_forward(const engine_call *call) {                                                      \
        forward_mean(call, op##_values);                                                                     \
    }                                                                                                        \
    static void op##_vjp(const engine_call *call) {                                                          \
        vjp_mean(call, op##_slopes);                                                                         \
    }                                                                                                        \
    static void op##_jvp(const engine_call *call) {                                                          \
        jvp_mean(call, op##_tangents);                                                                       \
    }                                                                                                        \
    KERNEL_OP(op) = {.name = #op,                                                                            \
                     .min_inputs = 2,                                                                        \
                     .max_inputs = 2,                                                                        \
                     .flags = ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_INPUTS,                                   \
                     .constant_inputs = 1u << 1,                                                             \
                     .shape = shape,                                                                         \
                     .forward = op##_forward,                                                                \
                     .vjp = op##_vjp,                                                                        \
                     .jvp = op##_jvp,                                                                        \
                     .saved_bytes = saved_bytes,                                                             \
                     .scratch_bytes = scratch_bytes,                                                         \
                     .labelled = labelled};

#define ABS(e) ((e) < 0 ? -(e) : (e))
#define SIGN(e) ((real)((e) > 0) - (real)((e) < 0))

LOSS(squared_error, e *e, 2 * e)
LOSS(absolute_error, ABS(e), SIGN(e))
LOSS(huber, ABS(e) <= delta ? e * e / 2 : delta * (ABS(e) - delta / 2), ABS(e) <= delta ? e : delta * SIGN(e))
LOSS(binary_cross_entropy, vec_softplus(-ABS(x)) + (x > 0 ? x * (1 - target) : -x * target),
     vec_sigmoid(x) - target)

#ifdef ENGINE_BUILDERS

#define BUILDER(op)                                                                                          \
    truce_node truce_op_##op(truce_graph *graph, truce_node x, truce_node target) {                          \
        return engine_graph_add2(graph, ENGINE_OP_##op, x, target);                                          \
    }

BUILDER(squared_error)
BUILDER(absolute_error)
BUILDER(binary_cross_entropy)

truce_node truce_op_huber(truce_graph *graph, truce_node x, truce_node target, double delta) {
    if (!(delta > 0)) return engine_graph_mistake(graph, TRUCE_ERROR_RANGE, "huber: delta must be positive");
    return engine_graph_add(graph, ENGINE_OP_huber, 2, (truce_node[]){x, target},
                            &(engine_settings){.r = {delta}});
}

#endif
