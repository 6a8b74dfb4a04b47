/*
 * Sums, means and maxima over chosen axes.
 *
 * Neighbouring axes that are both kept or both reduced are one. What is left is usually [outer][n][inner]
 * with n reduced: rows are summed along themselves (inner 1), columns side by side, in both cases in double
 * over blocks. Any other pattern is walked element by element of the result. Long sums are cut into pieces of
 * fixed size whose sums are added in order.
 */
#include "engine/ops/kernel.h"

enum { COLUMNS = 64, PIECE = 65536 };

/* x as [outer][n][inner], or any axes. */
typedef struct reduction {
    bool simple;
    int64_t outer, n, inner;
    int n_kept_axes, n_reduced_axes;
    int64_t kept_dims[TRUCE_MAX_DIMS], kept_stride[TRUCE_MAX_DIMS];
    int64_t reduced_dims[TRUCE_MAX_DIMS], reduced_stride[TRUCE_MAX_DIMS];
    int64_t n_kept, n_reduced;
} reduction;

typedef struct reduce_job {
    reduction r;
    const real *x;
    real *out;
    double scale;
    bool adds;
    int64_t *found;                    /* of max */
    double *partial;                   /* [outer][n_pieces][inner] */
    int64_t piece, n_pieces, n_blocks; /* of n; blocks of columns */
} reduce_job;

/* settings: i[0] holds a bit per reduced axis. */
static bool is_reduced(const engine_settings *settings, int axis) {
    return settings->i[0] >> axis & 1;
}

static truce_status shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[0];
    if (call->in_type[0] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_TYPE, "takes real numbers, not indices");
    call->out.n_dims = 0;
    for (int i = 0; i < x->n_dims; i++)
        if (!is_reduced(call->settings, i)) call->out.dims[call->out.n_dims++] = x->dims[i];
    return TRUCE_OK;
}

/* ---- axes -------------------------------------------------------------------------------------------- */

/* Sizes before, of and behind the reduced axes, if these are neighbours. Axes of size 1 count as well:
 * whether the order is simple must not depend on the batch. */
static void find_simple(const engine_call *call, reduction *r) {
    const truce_shape *x = &call->in_shape[0];
    int place = 0; /* 0 before, 1 in, 2 behind the reduced axes */
    r->simple = true;
    r->outer = r->n = r->inner = 1;
    for (int i = 0; i < x->n_dims; i++) {
        bool reduced = is_reduced(call->settings, i);
        if (reduced && place == 0) place = 1;
        if (!reduced && place == 1) place = 2;
        if (reduced && place == 2) r->simple = false;
        *(place == 0 ? &r->outer : place == 1 ? &r->n : &r->inner) *= x->dims[i];
    }
}

static reduction make_reduction(const engine_call *call) {
    const truce_shape *x = &call->in_shape[0];
    reduction r = {.n_kept = 1, .n_reduced = 1};
    int64_t stride[TRUCE_MAX_DIMS], step = 1;
    for (int i = x->n_dims - 1; i >= 0; i--) {
        stride[i] = step;
        step *= x->dims[i];
    }
    for (int i = 0; i < x->n_dims; i++) {
        bool reduced = is_reduced(call->settings, i);
        int at = reduced ? r.n_reduced_axes++ : r.n_kept_axes++;
        (reduced ? r.reduced_dims : r.kept_dims)[at] = x->dims[i];
        (reduced ? r.reduced_stride : r.kept_stride)[at] = stride[i];
        *(reduced ? &r.n_reduced : &r.n_kept) *= x->dims[i];
    }
    find_simple(call, &r);
    return r;
}

static int64_t offset_of(int64_t at, int n_axes, const int64_t *dims, const int64_t *stride) {
    int64_t offset = 0;
    for (int i = n_axes - 1; i >= 0; i--) {
        offset += at % dims[i] * stride[i];
        at /= dims[i];
    }
    return offset;
}

static int64_t kept_offset(const reduction *r, int64_t at) {
    return offset_of(at, r->n_kept_axes, r->kept_dims, r->kept_stride);
}

static int64_t reduced_offset(const reduction *r, int64_t at) {
    return offset_of(at, r->n_reduced_axes, r->reduced_dims, r->reduced_stride);
}

/* Length and stride of the innermost reduced axis; the others are walked run by run. */
static int64_t run_length(const reduction *r) {
    return r->n_reduced_axes ? r->reduced_dims[r->n_reduced_axes - 1] : 1;
}

static int64_t run_stride(const reduction *r) {
    return r->n_reduced_axes ? r->reduced_stride[r->n_reduced_axes - 1] : 0;
}

static int64_t pieces(int64_t n, int64_t size) {
    return (n + size - 1) / size;
}

/* Pieces of n hold PIECE elements of all columns together. */
static reduce_job make_job(const engine_call *call) {
    reduce_job job = {.r = make_reduction(call), .partial = call->scratch};
    job.piece = BASE_MAX(1, PIECE / BASE_MAX(job.r.inner, 1));
    job.n_pieces = pieces(job.r.n, job.piece);
    job.n_blocks = pieces(job.r.inner, COLUMNS);
    return job;
}

static size_t scratch_bytes(const engine_call *call) {
    reduce_job job = make_job(call);
    return job.r.simple ? (size_t)(job.r.outer * job.n_pieces * job.r.inner) * sizeof(double) : 0;
}

/* Calls fn for every kept element where axes are in no simple order. */
static void each_kept(const engine_call *call, reduce_job *job, base_chunk_fn fn) {
    base_parallel(call->team, job->r.n_kept, 1 + KERNEL_GRAIN / (job->r.n_reduced + 1), fn, job);
}

/* ---- sum and mean ------------------------------------------------------------------------------------ */

static void sum_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const reduce_job *job = arg;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        int64_t row = item / job->n_pieces, first = item % job->n_pieces * job->piece;
        job->partial[item] =
            kernel_total(job->x + row * job->r.n + first, BASE_MIN(job->piece, job->r.n - first));
    }
}

/* A piece of a block of columns. */
static void sum_columns(void *arg, int64_t begin, int64_t end, int worker) {
    const reduce_job *job = arg;
    const int64_t inner = job->r.inner;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        int64_t column = item % job->n_blocks * COLUMNS, width = BASE_MIN(COLUMNS, inner - column);
        int64_t piece = item / job->n_blocks, outer = piece / job->n_pieces;
        int64_t first = piece % job->n_pieces * job->piece, last = BASE_MIN(first + job->piece, job->r.n);
        double sum[COLUMNS] = {0};
        for (int64_t i = first; i < last; i++) {
            const real *x = job->x + (outer * job->r.n + i) * inner + column;
            for (int64_t j = 0; j < width; j++) sum[j] += (double)x[j];
        }
        memcpy(job->partial + piece * inner + column, sum, (size_t)width * sizeof *sum);
    }
}

static void add_pieces(const reduce_job *job) {
    const int64_t inner = job->r.inner;
    for (int64_t i = 0; i < job->r.outer * inner; i++) {
        const double *partial = job->partial + i / inner * job->n_pieces * inner + i % inner;
        double sum = 0;
        for (int64_t piece = 0; piece < job->n_pieces; piece++) sum += partial[piece * inner];
        job->out[i] = (real)(sum * job->scale);
    }
}

static void sum_kept(void *arg, int64_t begin, int64_t end, int worker) {
    const reduce_job *job = arg;
    const reduction *r = &job->r;
    int64_t run = run_length(r), stride = run_stride(r);
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        const real *from = job->x + kept_offset(r, i);
        double sum = 0;
        for (int64_t j = 0; j < r->n_reduced; j += run) {
            const real *p = from + reduced_offset(r, j);
            if (stride == 1)
                sum += kernel_total(p, run);
            else
                for (int64_t q = 0; q < run; q++) sum += (double)p[q * stride];
        }
        job->out[i] = (real)(sum * job->scale);
    }
}

static void sum_into(const engine_call *call, const real *x, real *out, double scale) {
    reduce_job job = make_job(call);
    job.x = x;
    job.out = out;
    job.scale = scale;
    if (!job.r.simple) {
        each_kept(call, &job, sum_kept);
        return;
    }
    int64_t n_items = job.r.outer * job.n_pieces, each = job.r.inner == 1 ? job.r.n : COLUMNS * job.r.n;
    int64_t grain = 1 + KERNEL_GRAIN / (BASE_MIN(each, job.piece * job.r.inner) + 1);
    if (job.r.inner == 1)
        base_parallel(call->team, n_items, grain, sum_rows, &job);
    else
        base_parallel(call->team, n_items * job.n_blocks, grain, sum_columns, &job);
    add_pieces(&job);
}

static double scale_of(const engine_call *call, bool mean) {
    if (!mean) return 1;
    int64_t n_out = kernel_size(&call->out_shape);
    return n_out ? (double)n_out / (double)kernel_size(&call->in_shape[0]) : 0;
}

/* ---- back: every element receives its sum's cotangent ------------------------------------------------ */

static void spread_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const reduce_job *job = arg;
    const int64_t inner = job->r.inner;
    const real scale = (real)job->scale;
    (void)worker;
    for (int64_t row = begin; row < end; row++) { /* of outer times n */
        const real *RESTRICT g = job->x + row / job->r.n * inner;
        real *RESTRICT to = job->out + row * inner;
        if (job->adds)
            for (int64_t j = 0; j < inner; j++) to[j] += scale * g[j];
        else
            for (int64_t j = 0; j < inner; j++) to[j] = scale * g[j];
    }
}

static void spread_elements(void *arg, int64_t begin, int64_t end, int worker) {
    const reduce_job *job = arg;
    (void)worker;
    for (int64_t i = begin; i < end;) {
        int64_t row = i / job->r.n, last = BASE_MIN(end, (row + 1) * job->r.n);
        const real g = (real)job->scale * job->x[row];
        if (job->adds)
            for (; i < last; i++) job->out[i] += g;
        else
            for (; i < last; i++) job->out[i] = g;
    }
}

static void spread_kept(void *arg, int64_t begin, int64_t end, int worker) {
    const reduce_job *job = arg;
    const reduction *r = &job->r;
    int64_t run = run_length(r), stride = run_stride(r);
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        const real g = (real)job->scale * job->x[i];
        real *to = job->out + kept_offset(r, i);
        for (int64_t j = 0; j < r->n_reduced; j += run) {
            real *p = to + reduced_offset(r, j);
            for (int64_t q = 0; q < run; q++) p[q * stride] = job->adds ? p[q * stride] + g : g;
        }
    }
}

static void spread(const engine_call *call, double scale) {
    reduce_job job = make_job(call);
    job.scale = scale;
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        job.x = kernel_cotangent(call, k);
        job.out = kernel_d_in(call, 0, k);
        job.adds = kernel_adds(call, 0);
        int64_t rows = job.r.outer * job.r.n;
        if (!job.r.simple)
            each_kept(call, &job, spread_kept);
        else if (job.r.inner == 1)
            base_parallel(call->team, rows, KERNEL_GRAIN, spread_elements, &job);
        else
            base_parallel(call->team, rows, 1 + KERNEL_GRAIN / (job.r.inner + 1), spread_rows, &job);
    }
}

static double flops(const engine_call *call) {
    return (double)kernel_size(&call->in_shape[0]);
}

static void sum_forward(const engine_call *call) {
    sum_into(call, call->in[0], call->out, 1);
}
static void sum_vjp(const engine_call *call) {
    spread(call, 1);
}
static void sum_jvp(const engine_call *call) {
    sum_into(call, call->t_in[0], call->t_out, 1);
}
static void mean_forward(const engine_call *call) {
    sum_into(call, call->in[0], call->out, scale_of(call, true));
}
static void mean_vjp(const engine_call *call) {
    spread(call, scale_of(call, true));
}
static void mean_jvp(const engine_call *call) {
    sum_into(call, call->t_in[0], call->t_out, scale_of(call, true));
}

/* ---- max --------------------------------------------------------------------------------------------- */

/*
 * The largest of no elements is -infinity; a NaN is larger than all numbers; the first of equals is taken.
 * `saved` holds where each maximum was found, or -1.
 */
static bool is_larger(real a, real b) {
    return a > b || (a != a && b == b);
}

/* The first largest of a row. */
static int64_t find_largest(const real *x, int64_t n) {
    const real max = simd_max(x, n);
    bool clean = simd_sum(x, n) == simd_sum(x, n); /* no NaN, and no infinities of both signs */
    int64_t best = 0;
    for (int64_t i = 0; i < n && clean; i++)
        if (x[i] == max) return i;
    for (int64_t i = 1; i < n; i++) best = is_larger(x[i], x[best]) ? i : best;
    return best;
}

static void max_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const reduce_job *job = arg;
    (void)worker;
    for (int64_t row = begin; row < end; row++)
        job->found[row] = job->r.n ? row * job->r.n + find_largest(job->x + row * job->r.n, job->r.n) : -1;
}

/* A block of columns of one outer position. */
static void max_columns(void *arg, int64_t begin, int64_t end, int worker) {
    const reduce_job *job = arg;
    const int64_t inner = job->r.inner;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        int64_t column = item % job->n_blocks * COLUMNS, width = BASE_MIN(COLUMNS, inner - column);
        int64_t first = item / job->n_blocks * job->r.n * inner + column;
        real best[COLUMNS];
        int32_t at[COLUMNS] = {0};
        for (int64_t j = 0; j < width && job->r.n; j++) best[j] = job->x[first + j];
        for (int32_t i = 1; i < job->r.n; i++) {
            const real *x = job->x + first + i * inner;
            for (int64_t j = 0; j < width; j++) {
                const bool larger = (x[j] > best[j]) | ((x[j] != x[j]) & (best[j] == best[j]));
                at[j] = larger ? i : at[j];
                best[j] = larger ? x[j] : best[j];
            }
        }
        int64_t *found = job->found + item / job->n_blocks * inner + column;
        for (int64_t j = 0; j < width; j++) found[j] = job->r.n ? first + at[j] * inner + j : -1;
    }
}

static void max_kept(void *arg, int64_t begin, int64_t end, int worker) {
    const reduce_job *job = arg;
    const reduction *r = &job->r;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        int64_t from = kept_offset(r, i), best = -1;
        for (int64_t j = 0; j < r->n_reduced; j++) {
            int64_t at = from + reduced_offset(r, j);
            if (best < 0 || is_larger(job->x[at], job->x[best])) best = at;
        }
        job->found[i] = best;
    }
}

static void max_forward(const engine_call *call) {
    reduce_job job = make_job(call);
    int64_t n_out = kernel_size(&call->out_shape);
    job.x = call->in[0];
    job.found = call->saved;
    if (!job.r.simple || job.r.n > INT32_MAX)
        each_kept(call, &job, max_kept);
    else if (job.r.inner == 1)
        base_parallel(call->team, job.r.outer, 1 + KERNEL_GRAIN / (job.r.n + 1), max_rows, &job);
    else
        base_parallel(call->team, job.r.outer * job.n_blocks, 1 + KERNEL_GRAIN / (COLUMNS * job.r.n + 1),
                      max_columns, &job);
    for (int64_t i = 0; i < n_out; i++)
        ((real *)call->out)[i] = job.found[i] < 0 ? -(real)INFINITY : job.x[job.found[i]];
}

static void max_vjp(const engine_call *call) {
    int64_t n = kernel_size(&call->out_shape), n_in = kernel_size(&call->in_shape[0]);
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        real *d = kernel_d_in(call, 0, k);
        if (!kernel_adds(call, 0)) kernel_zero(call->team, d, (size_t)n_in * sizeof(real));
        for (int64_t i = 0; i < n; i++) {
            int64_t at = ((const int64_t *)call->saved)[i];
            if (at >= 0) d[at] += kernel_cotangent(call, k)[i];
        }
    }
}

static void max_jvp(const engine_call *call) {
    int64_t n = kernel_size(&call->out_shape);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = ((const int64_t *)call->saved)[i];
        ((real *)call->t_out)[i] = at < 0 ? 0 : ((const real *)call->t_in[0])[at];
    }
}

static size_t max_saved_bytes(const engine_call *call) {
    return (size_t)kernel_size(&call->out_shape) * sizeof(int64_t);
}

KERNEL_OP(sum) = {.name = "sum",
                  .min_inputs = 1,
                  .max_inputs = 1,
                  .flags = ENGINE_DIFFERENTIABLE,
                  .shape = shape,
                  .forward = sum_forward,
                  .vjp = sum_vjp,
                  .jvp = sum_jvp,
                  .flops = flops,
                  .scratch_bytes = scratch_bytes};

KERNEL_OP(mean) = {.name = "mean",
                   .min_inputs = 1,
                   .max_inputs = 1,
                   .flags = ENGINE_DIFFERENTIABLE,
                   .shape = shape,
                   .forward = mean_forward,
                   .vjp = mean_vjp,
                   .jvp = mean_jvp,
                   .flops = flops,
                   .scratch_bytes = scratch_bytes};

KERNEL_OP(max) = {.name = "max",
                  .min_inputs = 1,
                  .max_inputs = 1,
                  .flags = ENGINE_DIFFERENTIABLE,
                  .shape = shape,
                  .forward = max_forward,
                  .vjp = max_vjp,
                  .jvp = max_jvp,
                  .flops = flops,
                  .saved_bytes = max_saved_bytes};

#ifdef ENGINE_BUILDERS

static truce_node add_reduction(truce_graph *graph, engine_op_id op, truce_node x, int n_axes,
                                const int *axes) {
    if (truce_graph_status(graph) || x < 0) return engine_graph_add1(graph, op, x);
    int n_dims = truce_graph_shape(graph, x).n_dims, axis = 0;
    int64_t bits = n_axes ? 0 : (int64_t)(1u << n_dims) - 1;
    for (int i = 0; i < n_axes; i++) {
        truce_status status = engine_axis(graph->context, "reduction", axes[i], n_dims, &axis);
        if (status) return engine_graph_mistake(graph, status, "%s", truce_context_message(graph->context));
        bits |= (int64_t)1 << axis;
    }
    return engine_graph_add(graph, op, 1, &x, &(engine_settings){.i = {bits}});
}

truce_node truce_op_sum(truce_graph *graph, truce_node x, int n_axes, const int *axes) {
    return add_reduction(graph, ENGINE_OP_sum, x, n_axes, axes);
}

truce_node truce_op_mean(truce_graph *graph, truce_node x, int n_axes, const int *axes) {
    return add_reduction(graph, ENGINE_OP_mean, x, n_axes, axes);
}

truce_node truce_op_max(truce_graph *graph, truce_node x, int n_axes, const int *axes) {
    return add_reduction(graph, ENGINE_OP_max, x, n_axes, axes);
}

#endif
