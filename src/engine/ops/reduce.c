/*
 * Sums, means and maxima over chosen axes.
 *
 * The input is seen as kept and reduced axes with strides; for each element of the result the reduced ones
 * are walked in order, in double, by one thread.
 */
#include "engine/ops/kernel.h"

/* Element of the result r collects in[kept_offset(r) + reduced_offset(j)], j = 0 .. n_reduced - 1. */
typedef struct reduction {
    int n_kept_axes, n_reduced_axes;
    int64_t kept_dims[TRUCE_MAX_DIMS], kept_stride[TRUCE_MAX_DIMS];
    int64_t reduced_dims[TRUCE_MAX_DIMS], reduced_stride[TRUCE_MAX_DIMS];
    int64_t n_kept, n_reduced;
} reduction;

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

static void sum_into(const engine_call *call, const real *x, real *out, double scale) {
    reduction r = make_reduction(call);
    int64_t run = run_length(&r), stride = run_stride(&r);
    for (int64_t i = 0; i < r.n_kept; i++) {
        const real *from = x + kept_offset(&r, i);
        double sum = 0;
        for (int64_t j = 0; j < r.n_reduced; j += run) {
            const real *p = from + reduced_offset(&r, j);
            for (int64_t q = 0; q < run; q++) sum += (double)p[q * stride];
        }
        out[i] = (real)(sum * scale);
    }
}

static double scale_of(const engine_call *call, bool mean) {
    if (!mean) return 1;
    int64_t n_out = kernel_size(&call->out_shape);
    return n_out ? (double)n_out / (double)kernel_size(&call->in_shape[0]) : 0;
}

static void spread(const engine_call *call, double scale) {
    reduction r = make_reduction(call);
    int64_t run = run_length(&r), stride = run_stride(&r);
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++)
        for (int64_t i = 0; i < r.n_kept; i++) {
            real g = (real)scale * kernel_cotangent(call, k)[i],
                 *to = kernel_d_in(call, 0, k) + kept_offset(&r, i);
            for (int64_t j = 0; j < r.n_reduced; j += run) {
                real *p = to + reduced_offset(&r, j);
                for (int64_t q = 0; q < run; q++)
                    p[q * stride] = kernel_adds(call, 0) ? p[q * stride] + g : g;
            }
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

/* The largest of no elements is -infinity; `saved` holds where each maximum was found, or -1. */
static void max_forward(const engine_call *call) {
    reduction r = make_reduction(call);
    const real *x = call->in[0];
    for (int64_t i = 0; i < r.n_kept; i++) {
        int64_t from = kept_offset(&r, i), best = -1;
        for (int64_t j = 0; j < r.n_reduced; j++) {
            int64_t at = from + reduced_offset(&r, j);
            if (best < 0 || x[at] > x[best]) best = at;
        }
        ((int64_t *)call->saved)[i] = best;
        ((real *)call->out)[i] = best < 0 ? -(real)INFINITY : x[best];
    }
}

static void max_vjp(const engine_call *call) {
    int64_t n = kernel_size(&call->out_shape), n_in = kernel_size(&call->in_shape[0]);
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        real *d = kernel_d_in(call, 0, k);
        if (!kernel_adds(call, 0)) memset(d, 0, (size_t)n_in * sizeof(real));
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
                  .flops = flops};

KERNEL_OP(mean) = {.name = "mean",
                   .min_inputs = 1,
                   .max_inputs = 1,
                   .flags = ENGINE_DIFFERENTIABLE,
                   .shape = shape,
                   .forward = mean_forward,
                   .vjp = mean_vjp,
                   .jvp = mean_jvp,
                   .flops = flops};

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
