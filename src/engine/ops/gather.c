/*
 * Picking rows by index: gather, x [outer][n][inner] -> [outer][I][inner], and embedding, which is gather
 * from the first axis of a table.
 *
 * On the way back a row that was picked several times receives the sum of its cotangents, always in the order
 * of the indices: threads share the columns, never the indices. A negative index or one of n and more stops
 * the run; nothing is read or written for it.
 */
#include "engine/ops/kernel.h"

typedef struct picks {
    kernel_axis x; /* what is picked from */
    int64_t n;     /* indices */
    const int32_t *index;
    const char *from;
    char *to;
    size_t row_bytes;
    /* reverse: columns of [outer][inner] in chunks */
    const real *dy;
    real *dx;
    int64_t chunk, n_chunks;
} picks;

enum { X, INDICES };

/* settings: i[0] x holds indices, i[1] axis */
static truce_status gather_shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[X], *indices = &call->in[INDICES];
    char xt[ENGINE_SHAPE_TEXT_BYTES], it[ENGINE_SHAPE_TEXT_BYTES];
    int axis = 0, n = 0;
    BASE_TRY(engine_axis(call->context, "gather", call->settings->i[1], x->n_dims, &axis));
    if (call->in_type[INDICES] != TRUCE_INDEX)
        return base_fail(call->context, TRUCE_ERROR_TYPE,
                         "the second input must be indices, not real numbers");
    if (x->n_dims - 1 + indices->n_dims > TRUCE_MAX_DIMS)
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "indices of %s in %s give more than %d axes",
                         engine_shape_text(indices, it), engine_shape_text(x, xt), TRUCE_MAX_DIMS);
    for (int i = 0; i < axis; i++) call->out.dims[n++] = x->dims[i];
    for (int i = 0; i < indices->n_dims; i++) call->out.dims[n++] = indices->dims[i];
    for (int i = axis + 1; i < x->n_dims; i++) call->out.dims[n++] = x->dims[i];
    call->out.n_dims = n;
    call->out_type = call->in_type[X];
    return TRUCE_OK;
}

static truce_status embedding_shape(engine_shape_call *call) {
    char text[ENGINE_SHAPE_TEXT_BYTES];
    if (call->in[X].n_dims != 2 || call->in_type[X] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "a table has rows and columns of reals, not %s",
                         engine_shape_text(&call->in[X], text));
    return gather_shape(call);
}

static picks make_picks(const engine_call *call) {
    const truce_shape *x = &call->in_shape[X];
    return (picks){.x = kernel_split(x, kernel_axis_at(call->settings->i[1], x->n_dims)),
                   .n = kernel_size(&call->in_shape[INDICES]),
                   .index = call->in[INDICES]};
}

static bool in_range(const picks *p, int64_t i) {
    return p->index[i] >= 0 && p->index[i] < p->x.n;
}

static void pick_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const picks *p = arg;
    (void)worker;
    for (int64_t row = begin; row < end; row++) {
        int64_t outer = row / p->n, i = row % p->n;
        if (in_range(p, i))
            memcpy(p->to + (size_t)row * p->row_bytes,
                   p->from + (size_t)(outer * p->x.n + p->index[i]) * p->row_bytes, p->row_bytes);
    }
}

static void pick(const engine_call *call, const void *from, void *to, size_t element_bytes) {
    picks p = make_picks(call);
    p.from = from;
    p.to = to;
    p.row_bytes = (size_t)p.x.inner * element_bytes;
    if (p.row_bytes) base_parallel(call->team, p.x.outer * p.n, 1 + KERNEL_GRAIN / p.x.inner, pick_rows, &p);
}

static void forward(const engine_call *call) {
    picks p = make_picks(call);
    for (int64_t i = 0; i < p.n; i++)
        if (!in_range(&p, i)) *call->status = TRUCE_ERROR_RANGE;
    pick(call, call->in[X], call->out, call->settings->i[0] ? sizeof(int32_t) : sizeof(real));
}

static void jvp(const engine_call *call) {
    pick(call, call->t_in[X], call->t_out, sizeof(real));
}

static void add_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const picks *p = arg;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        int64_t outer = item / p->n_chunks, column = item % p->n_chunks * p->chunk;
        int64_t width = BASE_MIN(p->chunk, p->x.inner - column);
        const real *dy = p->dy + outer * p->n * p->x.inner + column;
        real *dx = p->dx + outer * p->x.n * p->x.inner + column;
        for (int64_t i = 0; i < p->n; i++) {
            if (!in_range(p, i)) continue;
            const real *RESTRICT from = dy + i * p->x.inner;
            real *RESTRICT to = dx + p->index[i] * p->x.inner;
            for (int64_t j = 0; j < width; j++) to[j] += from[j];
        }
    }
}

/* Narrow enough chunks of columns that all threads have some, but whole cache lines. */
static void vjp(const engine_call *call) {
    enum { COLUMNS = 32 };
    picks p = make_picks(call);
    size_t bytes = (size_t)kernel_size(&call->in_shape[X]) * sizeof(real);
    bool small = p.n * p.x.inner <= KERNEL_GRAIN;
    p.chunk = small ? BASE_MAX(p.x.inner, 1) : COLUMNS;
    p.n_chunks = (p.x.inner + p.chunk - 1) / p.chunk;
    for (int k = 0; k < call->n_rows && call->d_in[X]; k++) {
        p.dy = kernel_cotangent(call, k);
        p.dx = kernel_d_in(call, X, k);
        if (!kernel_adds(call, X)) kernel_zero(call->team, p.dx, bytes);
        base_parallel(call->team, p.x.outer * p.n_chunks, 1 + KERNEL_GRAIN / (p.n * p.chunk + 1), add_rows,
                      &p);
    }
}

KERNEL_OP(gather) = {.name = "gather",
                     .min_inputs = 2,
                     .max_inputs = 2,
                     .flags = ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_INPUTS,
                     .constant_inputs = 1u << INDICES,
                     .shape = gather_shape,
                     .forward = forward,
                     .vjp = vjp,
                     .jvp = jvp};

KERNEL_OP(embedding) = {.name = "embedding",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .flags = ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_INPUTS,
                        .constant_inputs = 1u << INDICES,
                        .shape = embedding_shape,
                        .forward = forward,
                        .vjp = vjp,
                        .jvp = jvp};

#ifdef ENGINE_BUILDERS

truce_node truce_op_gather(truce_graph *graph, truce_node x, truce_node indices, int axis) {
    bool moves_indices = x >= 0 && x < graph->n_nodes && graph->nodes[x].type == TRUCE_INDEX;
    return engine_graph_add(graph, ENGINE_OP_gather, 2, (truce_node[]){x, indices},
                            &(engine_settings){.i = {moves_indices, axis}});
}

truce_node truce_op_embedding(truce_graph *graph, truce_node table, truce_node indices) {
    return engine_graph_add2(graph, ENGINE_OP_embedding, table, indices);
}

#endif
