/*
 * What pools share: images [planes][H][W] and windows over them.
 */
#ifndef ENGINE_OPS_POOL_H
#define ENGINE_OPS_POOL_H

#include "engine/ops/source.h"

typedef struct pool {
    window_axis h, w;
    int64_t n_planes, in_size, out_size; /* of a plane */
    int64_t n_taps;
    bool quarters; /* 2 x 2 windows side by side */
} pool;

static inline truce_status pool_shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[0];
    char text[ENGINE_SHAPE_TEXT_BYTES];
    if (call->in_type[0] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_TYPE, "takes real numbers, not indices");
    if (x->n_dims < 2 || x->dims[x->n_dims - 1] < 0 || x->dims[x->n_dims - 2] < 0)
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "x is %s, which holds no images of a known size",
                         engine_shape_text(x, text));
    return window_shape(call);
}

static inline pool pool_of(const engine_call *call) {
    pool p = {.h = window_of(call->settings, &call->in_shape[0], &call->out_shape, 0),
              .w = window_of(call->settings, &call->in_shape[0], &call->out_shape, 1),
              .n_planes = 1};
    for (int i = 0; i < call->out_shape.n_dims - 2; i++) p.n_planes *= call->out_shape.dims[i];
    p.in_size = p.h.n_in * p.w.n_in;
    p.out_size = p.h.n_out * p.w.n_out;
    p.n_taps = p.h.size * p.w.size;
    p.quarters = window_is(&p.h, 2, 2) && window_is(&p.w, 2, 2);
    return p;
}

static inline void pool_run(const engine_call *call, const pool *p, base_chunk_fn planes, void *job) {
    base_parallel(call->team, p->n_planes, 1 + KERNEL_GRAIN / (p->in_size + 1), planes, job);
}

/* An odd last row or column is in no 2 x 2 window. */
static inline void pool_clear_rest(const pool *p, real *dx) {
    for (int64_t i = 0; i < 2 * p->h.n_out && 2 * p->w.n_out < p->w.n_in; i++)
        dx[i * p->w.n_in + p->w.n_in - 1] = 0;
    if (2 * p->h.n_out < p->h.n_in)
        memset(dx + 2 * p->h.n_out * p->w.n_in, 0, (size_t)p->w.n_in * sizeof(real));
}

static inline double pool_flops(const engine_call *call) {
    return (double)kernel_size(&call->out_shape) * (double)pool_of(call).n_taps;
}

#ifdef ENGINE_BUILDERS

static inline truce_node pool_add(truce_graph *graph, engine_op_id op, truce_node x,
                                  const truce_window *window) {
    int64_t stride[2] = {window->size[0], window->size[1]};
    engine_settings settings = window_settings(window, stride);
    return engine_graph_add(graph, op, 1, &x, &settings);
}

#endif

#endif
