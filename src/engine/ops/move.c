/*
 * Operators that only move values: transpose, slice and concat.
 *
 * Each is a copy between a dense array and another one that is seen through strides (a *view*), in one
 * direction on the way forward and in the other on the way back. Axes of a view that can be walked as one are
 * merged; then blocks of two axes are moved, in tiles where one side runs along the rows and the other along
 * the columns. Indices may be moved too.
 */
#include "engine/ops/tile.h"

/* Element (i0, i1, ...) of the dense array lies at offset + i0 stride[0] + i1 stride[1] + ... of the other.
 */
typedef struct view {
    int n_dims;
    int64_t dims[TRUCE_MAX_DIMS], stride[TRUCE_MAX_DIMS];
    int64_t offset;
} view;

/* Two axes of a copy: element (r, c) is read at r from_row + c from_column, and likewise written. */
typedef struct block {
    int64_t n_rows, n_columns, from_row, from_column, to_row, to_column;
} block;

typedef enum motion { PACK, UNPACK } motion; /* view to dense, dense to view */

typedef struct move_job {
    const char *from;
    char *to;
    motion way;
    size_t bytes;                  /* of an element */
    bool adds;                     /* real numbers only */
    view outer;                    /* all axes but the block's */
    int64_t dense[TRUCE_MAX_DIMS]; /* strides of the outer axes in the dense array */
    block block;
    int64_t n_bands, n_cuts; /* the block is moved in so many bands of rows, cut into so many pieces */
} move_job;

enum { TILE = 32, BAND = 32, CUT = 16384 };

/* ---- moving a block ---------------------------------------------------------------------------------- */

static void move_rows(const char *from, char *to, const block *b, size_t bytes) {
    for (int64_t r = 0; r < b->n_rows; r++)
        memcpy(to + (size_t)(r * b->to_row) * bytes, from + (size_t)(r * b->from_row) * bytes,
               (size_t)b->n_columns * bytes);
}

static void add_rows(const real *from, real *to, const block *b) {
    for (int64_t r = 0; r < b->n_rows; r++) {
        const real *RESTRICT x = from + r * b->from_row;
        real *RESTRICT y = to + r * b->to_row;
        for (int64_t c = 0; c < b->n_columns; c++) y[c] += x[c];
    }
}

/* Any steps, tile by tile; the inner loop writes along the columns if these are dense. */
#define MOVE_TILES(name, type, assign)                                                                       \
    static void name(const type *RESTRICT from, type *RESTRICT to, const block *b) {                         \
        for (int64_t r0 = 0; r0 < b->n_rows; r0 += TILE)                                                     \
            for (int64_t c0 = 0; c0 < b->n_columns; c0 += TILE) {                                            \
                int64_t r1 = BASE_MIN(r0 + TILE, b->n_rows), c1 = BASE_MIN(c0 + TILE, b->n_columns);         \
                for (int64_t r = r0; r < r1; r++)                                                            \
                    for (int64_t c = c0; c < c1; c++)                                                        \
                        to[r * b->to_row + c * b->to_column] assign                                          \
                            from[r * b->from_row + c * b->from_column];                                      \
            }                                                                                                \
    }

MOVE_TILES(move_tiles_real, real, =)
MOVE_TILES(move_tiles_index, int32_t, =)
MOVE_TILES(add_tiles, real, +=)

/* Rows of one side are columns of the other. */
static void turn_block(const real *from, real *to, const block *b, bool adds) {
    const bool by_rows = b->from_column == 1;
    const int64_t n_rows = by_rows ? b->n_rows : b->n_columns, n_columns = by_rows ? b->n_columns : b->n_rows;
    const int64_t from_step = by_rows ? b->from_row : b->from_column;
    const int64_t to_step = by_rows ? b->to_column : b->to_row;
    if (!adds) {
        tile_turn(from, from_step, n_rows, n_columns, to, to_step);
        return;
    }
    for (int64_t r = 0; r < n_rows; r += TILE)
        for (int64_t c = 0; c < n_columns; c += TILE) {
            real turned[TILE * TILE];
            block part = {BASE_MIN(TILE, n_columns - c), BASE_MIN(TILE, n_rows - r), TILE, 1, to_step, 1};
            tile_turn(from + r * from_step + c, from_step, part.n_columns, part.n_rows, turned, TILE);
            add_rows(turned, to + c * to_step + r, &part);
        }
}

static void move_block(const move_job *job, int64_t from, int64_t to, const block *b) {
    const void *x = job->from + (size_t)from * job->bytes;
    void *y = job->to + (size_t)to * job->bytes;
    bool dense = b->from_column == 1 && b->to_column == 1;
    bool turned = (b->from_column == 1 && b->to_row == 1) || (b->from_row == 1 && b->to_column == 1);
    if (dense && !job->adds)
        move_rows(x, y, b, job->bytes);
    else if (dense)
        add_rows(x, y, b);
    else if (job->bytes == sizeof(real) && turned)
        turn_block(x, y, b, job->adds);
    else if (job->adds)
        add_tiles(x, y, b);
    else if (job->bytes == sizeof(real))
        move_tiles_real(x, y, b);
    else
        move_tiles_index(x, y, b);
}

/* ---- walking the other axes -------------------------------------------------------------------------- */

/* Drops axes of size 1 and merges neighbours that are one in the view. */
static void simplify(view *v) {
    int n = 0;
    for (int i = 0; i < v->n_dims; i++) {
        if (v->dims[i] == 1) continue;
        if (n > 0 && v->stride[n - 1] == v->dims[i] * v->stride[i]) {
            v->dims[n - 1] *= v->dims[i];
            v->stride[n - 1] = v->stride[i];
        } else {
            v->dims[n] = v->dims[i];
            v->stride[n++] = v->stride[i];
        }
    }
    v->n_dims = n;
}

/* The axis that gives the rows: the one that is dense in the view, else the last but one; -1 if there is
 * none. */
static int row_axis(const view *v) {
    int last = v->n_dims - 1;
    for (int i = 0; i < last && v->stride[last] != 1; i++)
        if (v->stride[i] == 1) return i;
    return last - 1;
}

static void choose_block(move_job *job, const view *v) {
    int64_t dense[TRUCE_MAX_DIMS + 1];
    int last = v->n_dims - 1, row = row_axis(v);
    dense[v->n_dims] = 1;
    for (int i = last; i >= 0; i--) dense[i] = dense[i + 1] * v->dims[i];
    int64_t n_rows = row >= 0 ? v->dims[row] : 1, n_columns = last >= 0 ? v->dims[last] : 1;
    int64_t view_row = row >= 0 ? v->stride[row] : 0, view_column = last >= 0 ? v->stride[last] : 1;
    int64_t dense_row = row >= 0 ? dense[row + 1] : 0;
    bool pack = job->way == PACK;
    job->block = (block){n_rows,
                         n_columns,
                         pack ? view_row : dense_row,
                         pack ? view_column : 1,
                         pack ? dense_row : view_row,
                         pack ? 1 : view_column};
    job->n_bands = (n_rows + BAND - 1) / BAND;
    job->n_cuts = (n_columns + CUT - 1) / CUT;
    for (int i = 0; i < last; i++) {
        if (i == row) continue;
        job->dense[job->outer.n_dims] = dense[i + 1];
        job->outer.dims[job->outer.n_dims] = v->dims[i];
        job->outer.stride[job->outer.n_dims++] = v->stride[i];
    }
    job->outer.offset = v->offset;
}

static void move_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    const move_job *job = arg;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        int64_t c = item % job->n_cuts * CUT, r = item / job->n_cuts % job->n_bands * BAND;
        int64_t at = item / job->n_cuts / job->n_bands;
        int64_t in_view = job->outer.offset, in_dense = 0;
        for (int i = job->outer.n_dims - 1; i >= 0; i--) {
            int64_t position = at % job->outer.dims[i];
            at /= job->outer.dims[i];
            in_view += position * job->outer.stride[i];
            in_dense += position * job->dense[i];
        }
        block b = job->block;
        b.n_rows = BASE_MIN(BAND, b.n_rows - r);
        b.n_columns = BASE_MIN(CUT, b.n_columns - c);
        int64_t from = (job->way == PACK ? in_view : in_dense) + r * b.from_row + c * b.from_column;
        int64_t to = (job->way == PACK ? in_dense : in_view) + r * b.to_row + c * b.to_column;
        move_block(job, from, to, &b);
    }
}

static void move(base_team *team, view v, move_job job) {
    int64_t n_items = 1;
    for (int i = 0; i < v.n_dims; i++)
        if (v.dims[i] == 0) return;
    simplify(&v);
    choose_block(&job, &v);
    for (int i = 0; i < job.outer.n_dims; i++) n_items *= job.outer.dims[i];
    int64_t piece = BASE_MIN(BAND, job.block.n_rows) * BASE_MIN(CUT, job.block.n_columns);
    base_parallel(team, n_items * job.n_bands * job.n_cuts, 1 + KERNEL_GRAIN / piece, move_pieces, &job);
}

/* settings i[0] of all three: the values are indices. */
static size_t element_bytes(const engine_call *call) {
    return call->settings->i[0] ? sizeof(int32_t) : sizeof(real);
}

static void move_values(const engine_call *call, motion way, view v, const void *from, void *to) {
    move(call->team, v, (move_job){.from = from, .to = to, .way = way, .bytes = element_bytes(call)});
}

static void move_reals(const engine_call *call, motion way, view v, const void *from, void *to, bool adds) {
    move(call->team, v, (move_job){.from = from, .to = to, .way = way, .bytes = sizeof(real), .adds = adds});
}

/* One axis of an array of `shape`: `size` of its positions from `begin` on, `step` apart. */
static view view_of_axis(const truce_shape *shape, int axis, int64_t begin, int64_t size, int64_t step) {
    kernel_axis a = kernel_split(shape, axis);
    return (view){.n_dims = 3,
                  .dims = {a.outer, size, a.inner},
                  .stride = {a.n * a.inner, step * a.inner, 1},
                  .offset = begin * a.inner};
}

/* ---- transpose: settings i[1 + k] is the axis of x that becomes axis k ------------------------------- */

static truce_status transpose_shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[0];
    const int64_t *order = call->settings->i + 1;
    unsigned seen = 0;
    for (int i = 0; i < x->n_dims; i++) {
        int axis = 0;
        BASE_TRY(engine_axis(call->context, "order", order[i], x->n_dims, &axis));
        if (seen >> axis & 1u)
            return base_fail(call->context, TRUCE_ERROR_ARGUMENT, "axis %d stands twice in the order", axis);
        seen |= 1u << axis;
        call->out.dims[i] = x->dims[axis];
    }
    call->out_type = call->in_type[0];
    return TRUCE_OK;
}

static view transposed(const engine_call *call) {
    const truce_shape *x = &call->in_shape[0];
    view v = {.n_dims = x->n_dims};
    int64_t stride[TRUCE_MAX_DIMS], step = 1;
    for (int i = x->n_dims - 1; i >= 0; i--) {
        stride[i] = step;
        step *= x->dims[i];
    }
    for (int i = 0; i < x->n_dims; i++) {
        v.dims[i] = call->out_shape.dims[i];
        v.stride[i] = stride[kernel_axis_at(call->settings->i[1 + i], x->n_dims)];
    }
    return v;
}

static void transpose_forward(const engine_call *call) {
    move_values(call, PACK, transposed(call), call->in[0], call->out);
}

static void transpose_vjp(const engine_call *call) {
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++)
        move_reals(call, UNPACK, transposed(call), kernel_cotangent(call, k), kernel_d_in(call, 0, k),
                   kernel_adds(call, 0));
}

static void transpose_jvp(const engine_call *call) {
    move_reals(call, PACK, transposed(call), call->t_in[0], call->t_out, false);
}

KERNEL_OP(transpose) = {.name = "transpose",
                        .min_inputs = 1,
                        .max_inputs = 1,
                        .flags = ENGINE_DIFFERENTIABLE,
                        .shape = transpose_shape,
                        .forward = transpose_forward,
                        .vjp = transpose_vjp,
                        .jvp = transpose_jvp};

/* ---- slice: settings i[1 .. 4] are axis, begin, end, step -------------------------------------------- */

static truce_status slice_shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[0];
    int64_t begin = call->settings->i[2], end = call->settings->i[3], step = call->settings->i[4];
    char text[ENGINE_SHAPE_TEXT_BYTES];
    int axis = 0;
    BASE_TRY(engine_axis(call->context, "slice", call->settings->i[1], x->n_dims, &axis));
    if (x->dims[axis] < 0)
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "axis %d of %s is the batch, which cannot be cut",
                         axis, engine_shape_text(x, text));
    if (begin < 0 || end < begin || end > x->dims[axis] || step < 1)
        return base_fail(call->context, TRUCE_ERROR_RANGE,
                         "%lld to %lld by steps of %lld is no part of axis %d of %s", (long long)begin,
                         (long long)end, (long long)step, axis, engine_shape_text(x, text));
    call->out.dims[axis] = (end - begin + step - 1) / step;
    call->out_type = call->in_type[0];
    return TRUCE_OK;
}

static view sliced(const engine_call *call) {
    const int64_t *i = call->settings->i;
    int axis = kernel_axis_at(i[1], call->out_shape.n_dims);
    return view_of_axis(&call->in_shape[0], axis, i[2], call->out_shape.dims[axis], i[4]);
}

static void slice_forward(const engine_call *call) {
    move_values(call, PACK, sliced(call), call->in[0], call->out);
}

static void slice_vjp(const engine_call *call) {
    size_t bytes = (size_t)kernel_size(&call->in_shape[0]) * sizeof(real);
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        real *d = kernel_d_in(call, 0, k);
        if (!kernel_adds(call, 0)) memset(d, 0, bytes);
        move_reals(call, UNPACK, sliced(call), kernel_cotangent(call, k), d, kernel_adds(call, 0));
    }
}

static void slice_jvp(const engine_call *call) {
    move_reals(call, PACK, sliced(call), call->t_in[0], call->t_out, false);
}

KERNEL_OP(slice) = {.name = "slice",
                    .min_inputs = 1,
                    .max_inputs = 1,
                    .flags = ENGINE_DIFFERENTIABLE,
                    .shape = slice_shape,
                    .forward = slice_forward,
                    .vjp = slice_vjp,
                    .jvp = slice_jvp};

/* ---- concat: settings i[1] is the axis --------------------------------------------------------------- */

static truce_status concat_shape(engine_shape_call *call) {
    char first[ENGINE_SHAPE_TEXT_BYTES], other[ENGINE_SHAPE_TEXT_BYTES];
    int axis = 0;
    BASE_TRY(engine_axis(call->context, "concat", call->settings->i[1], call->in[0].n_dims, &axis));
    for (int i = 1; i < call->n_inputs; i++) {
        truce_shape part = call->in[i];
        bool fits = part.n_dims == call->in[0].n_dims && call->in_type[i] == call->in_type[0];
        for (int d = 0; d < part.n_dims && fits; d++)
            fits =
                d == axis ? (part.dims[d] < 0) == (call->out.dims[d] < 0) : part.dims[d] == call->out.dims[d];
        if (!fits)
            return base_fail(call->context, TRUCE_ERROR_SHAPE, "part %d, %s, does not fit %s along axis %d",
                             i, engine_shape_text(&part, other), engine_shape_text(&call->in[0], first),
                             axis);
        call->out.dims[axis] += part.dims[axis];
    }
    call->out_type = call->in_type[0];
    return TRUCE_OK;
}

/* Part i as it lies in the result, where parts before it take `begin` positions; moves `begin` on. */
static view part_of(const engine_call *call, int i, int64_t *begin) {
    int axis = kernel_axis_at(call->settings->i[1], call->out_shape.n_dims);
    int64_t size = call->in_shape[i].dims[axis], at = *begin;
    *begin += size;
    return view_of_axis(&call->out_shape, axis, at, size, 1);
}

static void concat_forward(const engine_call *call) {
    int64_t begin = 0;
    for (int i = 0; i < call->n_inputs; i++)
        move_values(call, UNPACK, part_of(call, i, &begin), call->in[i], call->out);
}

static void concat_vjp(const engine_call *call) {
    int64_t begin = 0;
    for (int i = 0; i < call->n_inputs; i++) {
        view v = part_of(call, i, &begin);
        for (int k = 0; k < call->n_rows && call->d_in[i]; k++)
            move_reals(call, PACK, v, kernel_cotangent(call, k), kernel_d_in(call, i, k),
                       kernel_adds(call, i));
    }
}

static void concat_jvp(const engine_call *call) {
    int64_t begin = 0;
    memset(call->t_out, 0, (size_t)kernel_size(&call->out_shape) * sizeof(real));
    for (int i = 0; i < call->n_inputs; i++) {
        view v = part_of(call, i, &begin);
        if (call->t_in[i]) move_reals(call, UNPACK, v, call->t_in[i], call->t_out, false);
    }
}

KERNEL_OP(concat) = {.name = "concat",
                     .min_inputs = 1,
                     .flags = ENGINE_DIFFERENTIABLE,
                     .shape = concat_shape,
                     .forward = concat_forward,
                     .vjp = concat_vjp,
                     .jvp = concat_jvp};

#ifdef ENGINE_BUILDERS

static int64_t is_index(const truce_graph *graph, truce_node x) {
    return x >= 0 && x < graph->n_nodes && graph->nodes[x].type == TRUCE_INDEX;
}

truce_node truce_op_transpose(truce_graph *graph, truce_node x, const int *order) {
    engine_settings settings = {.i = {is_index(graph, x)}};
    int n_dims = truce_graph_shape(graph, x).n_dims;
    for (int i = 0; i < n_dims; i++) settings.i[1 + i] = order[i];
    return engine_graph_add(graph, ENGINE_OP_transpose, 1, &x, &settings);
}

truce_node truce_op_slice(truce_graph *graph, truce_node x, int axis, int64_t begin, int64_t end,
                          int64_t step) {
    return engine_graph_add(graph, ENGINE_OP_slice, 1, &x,
                            &(engine_settings){.i = {is_index(graph, x), axis, begin, end, step}});
}

truce_node truce_op_concat(truce_graph *graph, int n, const truce_node *parts, int axis) {
    if (n < 1) return engine_graph_mistake(graph, TRUCE_ERROR_ARGUMENT, "concat: there are no parts");
    return engine_graph_add(graph, ENGINE_OP_concat, n, parts,
                            &(engine_settings){.i = {is_index(graph, parts[0]), axis}});
}

#endif
