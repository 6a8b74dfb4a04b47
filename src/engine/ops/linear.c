/*
 * linear: y = x w^T + b over rows.
 *
 * With n_rows cotangents the gradient of x is one product over all of them. The Gramian of the tasks'
 * gradients of w and b needs none of these gradients: with M = x x^T + 1 1^T,
 *
 *     <dw_s, dw_t> + <db_s, db_t> = sum over rows p, q of M_pq <dy_s,p , dy_t,q> = <M dy_s, dy_t>,
 *
 * which is cheaper than forming dw_t where there are fewer rows than inputs. (Goodfellow, arXiv 1510.01799,
 * uses the diagonal of this for per-example norms.)
 */
#include "engine/ops/product.h"

typedef struct sizes {
    int64_t rows, in, out;
} sizes;

static sizes sizes_of(const engine_call *call) {
    const truce_shape *w = &call->in_shape[1];
    int64_t rows = 1;
    for (int i = 0; i + 1 < call->out_shape.n_dims; i++) rows *= call->out_shape.dims[i];
    return (sizes){.rows = rows, .in = w->dims[1], .out = w->dims[0]};
}

static truce_status shape(engine_shape_call *call) {
    const truce_shape *x = &call->in[0], *w = &call->in[1];
    char xt[ENGINE_SHAPE_TEXT_BYTES], wt[ENGINE_SHAPE_TEXT_BYTES];
    if (x->n_dims < 1 || w->n_dims != 2 || x->dims[x->n_dims - 1] != w->dims[1])
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "x is %s, which does not fit a weight of %s",
                         engine_shape_text(x, xt), engine_shape_text(w, wt));
    if (call->n_inputs == 3 && (call->in[2].n_dims != 1 || call->in[2].dims[0] != w->dims[0]))
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "the bias is %s, but the weight is %s",
                         engine_shape_text(&call->in[2], xt), engine_shape_text(w, wt));
    call->out.dims[x->n_dims - 1] = w->dims[0];
    return TRUCE_OK;
}

static double flops(const engine_call *call) {
    sizes s = sizes_of(call);
    return 2.0 * (double)s.rows * (double)s.in * (double)s.out;
}

static void fill_bias(const engine_call *call, sizes s) {
    const real *bias = call->in[2];
    for (int64_t row = 0; row < s.rows; row++)
        memcpy((real *)call->out + row * s.out, bias, (size_t)s.out * sizeof(real));
}

static void forward(const engine_call *call) {
    sizes s = sizes_of(call);
    bool has_bias = call->n_inputs == 3;
    if (has_bias) fill_bias(call, s);
    product_run(call->team,
                &(linalg_product){.transpose_b = true,
                                  .m = s.rows,
                                  .n = s.out,
                                  .k = s.in,
                                  .a = call->in[0],
                                  .lda = s.in,
                                  .b = call->in[1],
                                  .ldb = s.in,
                                  .c = call->out,
                                  .ldc = s.out,
                                  .alpha = 1,
                                  .beta = has_bias ? 1 : 0},
                call->scratch);
}

/* dx = dy w, for all cotangents at once where they lie one after the other. */
static void input_gradient(const engine_call *call, sizes s) {
    bool together = call->d_stride[0] == s.rows * s.in;
    int64_t n_calls = together ? 1 : call->n_rows;
    for (int k = 0; k < n_calls; k++)
        product_run(call->team,
                    &(linalg_product){.m = together ? s.rows * call->n_rows : s.rows,
                                      .n = s.in,
                                      .k = s.out,
                                      .a = kernel_cotangent(call, k),
                                      .lda = s.out,
                                      .b = call->in[1],
                                      .ldb = s.in,
                                      .c = kernel_d_in(call, 0, k),
                                      .ldc = s.in,
                                      .alpha = 1,
                                      .beta = kernel_adds(call, 0) ? 1 : 0},
                    call->scratch);
}

/* dw = dy^T x */
static void weight_gradient(const engine_call *call, sizes s, int k) {
    product_run(call->team,
                &(linalg_product){.transpose_a = true,
                                  .m = s.out,
                                  .n = s.in,
                                  .k = s.rows,
                                  .a = kernel_cotangent(call, k),
                                  .lda = s.out,
                                  .b = call->in[0],
                                  .ldb = s.in,
                                  .c = kernel_d_in(call, 1, k),
                                  .ldc = s.in,
                                  .alpha = 1,
                                  .beta = kernel_adds(call, 1) ? 1 : 0},
                call->scratch);
}

/* db = column sums of dy */
static void bias_gradient(const engine_call *call, sizes s, int k) {
    const real *RESTRICT dy = kernel_cotangent(call, k);
    real *RESTRICT db = kernel_d_in(call, 2, k);
    if (!kernel_adds(call, 2)) memset(db, 0, (size_t)s.out * sizeof(real));
    for (int64_t row = 0; row < s.rows; row++)
        for (int64_t j = 0; j < s.out; j++) db[j] += dy[row * s.out + j];
}

static void vjp(const engine_call *call) {
    sizes s = sizes_of(call);
    if (call->d_in[0]) input_gradient(call, s);
    for (int k = 0; k < call->n_rows && call->d_in[1]; k++) weight_gradient(call, s, k);
    for (int k = 0; k < call->n_rows && call->n_inputs == 3 && call->d_in[2]; k++) bias_gradient(call, s, k);
}

static void add_product(const engine_call *call, sizes s, const void *x, const void *w, double beta) {
    product_run(call->team,
                &(linalg_product){.transpose_b = true,
                                  .m = s.rows,
                                  .n = s.out,
                                  .k = s.in,
                                  .a = x,
                                  .lda = s.in,
                                  .b = w,
                                  .ldb = s.in,
                                  .c = call->t_out,
                                  .ldc = s.out,
                                  .alpha = 1,
                                  .beta = beta},
                call->scratch);
}

static void jvp(const engine_call *call) {
    sizes s = sizes_of(call);
    real *out = call->t_out;
    memset(out, 0, (size_t)(s.rows * s.out) * sizeof(real));
    if (call->t_in[0]) add_product(call, s, call->t_in[0], call->in[1], 1);
    if (call->t_in[1]) add_product(call, s, call->in[0], call->t_in[1], 1);
    if (call->n_inputs < 3 || !call->t_in[2]) return;
    const real *bias = call->t_in[2];
    for (int64_t row = 0; row < s.rows; row++)
        for (int64_t j = 0; j < s.out; j++) out[row * s.out + j] += bias[j];
}

static size_t scratch_bytes(const engine_call *call) {
    return product_bytes(call->team);
}

/* Scratch: the products' own, M [rows][rows], M dy_t [rows][out]. */
static size_t gramian_bytes(const engine_call *call) {
    sizes s = sizes_of(call);
    return product_bytes(call->team) + (size_t)(s.rows * (s.rows + s.out)) * sizeof(real);
}

static engine_costs gramian_costs(const engine_call *call) {
    sizes s = sizes_of(call);
    double rows = (double)s.rows, in = (double)s.in, out = (double)s.out, tasks = call->n_rows;
    double pairs = tasks * (tasks + 1) / 2;
    return (engine_costs){.product = rows * rows * in + tasks * rows * rows * out + pairs * rows * out,
                          .formed = tasks * rows * in * out + pairs * in * out,
                          .again = rows * in * out};
}

static void gramian(const engine_call *call, unsigned parameters, double *gramian) {
    sizes s = sizes_of(call);
    int64_t n = s.rows * s.out;
    real *m = (real *)((char *)call->scratch + product_bytes(call->team)), *m_dy = m + s.rows * s.rows,
         bias = parameters >> 2 & 1u ? (real)1 : (real)0;
    for (int64_t i = 0; i < s.rows * s.rows; i++) m[i] = bias;
    if (parameters >> 1 & 1u)
        product_run(call->team,
                    &(linalg_product){.transpose_b = true,
                                      .m = s.rows,
                                      .n = s.rows,
                                      .k = s.in,
                                      .a = call->in[0],
                                      .lda = s.in,
                                      .b = call->in[0],
                                      .ldb = s.in,
                                      .c = m,
                                      .ldc = s.rows,
                                      .alpha = 1,
                                      .beta = 1},
                    call->scratch);
    for (int t = 0; t < call->n_rows; t++) {
        product_run(call->team,
                    &(linalg_product){.m = s.rows,
                                      .n = s.out,
                                      .k = s.rows,
                                      .a = m,
                                      .lda = s.rows,
                                      .b = kernel_cotangent(call, t),
                                      .ldb = s.out,
                                      .c = m_dy,
                                      .ldc = s.out,
                                      .alpha = 1,
                                      .beta = 0},
                    call->scratch);
        for (int u = 0; u <= t; u++) {
            double product = kernel_dot(m_dy, kernel_cotangent(call, u), n);
            gramian[t * call->n_rows + u] += product;
            if (u < t) gramian[u * call->n_rows + t] += product;
        }
    }
}

KERNEL_OP(linear) = {.name = "linear",
                     .min_inputs = 2,
                     .max_inputs = 3,
                     .flags = ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_INPUTS,
                     .shape = shape,
                     .forward = forward,
                     .vjp = vjp,
                     .jvp = jvp,
                     .flops = flops,
                     .scratch_bytes = scratch_bytes,
                     .gramian = gramian,
                     .gramian_bytes = gramian_bytes,
                     .gramian_costs = gramian_costs};

#ifdef ENGINE_BUILDERS

truce_node truce_op_linear(truce_graph *graph, truce_node x, truce_node weight, truce_node bias) {
    return engine_graph_add(graph, ENGINE_OP_linear, bias == TRUCE_NONE ? 2 : 3,
                            (truce_node[]){x, weight, bias}, NULL);
}

#endif
