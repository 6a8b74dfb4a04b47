/*
 * matmul: c = a b for matrices, over leading sizes that a and b share; b may be one matrix for all of them.
 *
 * With A and B for a and b after their transposes, the gradients are dA = dC B^T and dB = A^T dC; a stored
 * transpose takes the transposed product. One b for all batches sums over them, as one product where the
 * batches of a are simply more rows, else one batch after the other.
 */
#include "engine/ops/product.h"

typedef struct sizes {
    int64_t batches, m, n, k;
    bool ta, tb;    /* stored transposed */
    bool one_b;     /* b has no batches */
    bool more_rows; /* so the batches of a are more rows of one matrix */
} sizes;

/* Products of the same sizes whose operands lie a step apart, each into its own matrix or all into one. */
typedef struct products {
    linalg_product first;
    int64_t n, step_a, step_b;
    bool into_one;
    base_team *team;
    void *scratch;
} products;

static truce_status shape(engine_shape_call *call) {
    const truce_shape *a = &call->in[0], *b = &call->in[1];
    char at[ENGINE_SHAPE_TEXT_BYTES], bt[ENGINE_SHAPE_TEXT_BYTES];
    int64_t flags = call->settings->i[0];
    int da = a->n_dims, db = b->n_dims;
    if (call->in_type[0] != TRUCE_REAL || call->in_type[1] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_TYPE, "takes real numbers, not indices");
    bool fits = da >= 2 && (db == 2 || db == da);
    for (int i = 0; fits && db > 2 && i < da - 2; i++) fits = a->dims[i] == b->dims[i];
    int row = flags & TRUCE_TRANSPOSE_A ? da - 1 : da - 2,
        inner = flags & TRUCE_TRANSPOSE_A ? da - 2 : da - 1;
    int b_inner = flags & TRUCE_TRANSPOSE_B ? db - 1 : db - 2,
        column = flags & TRUCE_TRANSPOSE_B ? db - 2 : db - 1;
    if (!fits || a->dims[inner] != b->dims[b_inner])
        return base_fail(call->context, TRUCE_ERROR_SHAPE, "%s%s and %s%s cannot be multiplied",
                         engine_shape_text(a, at), flags & TRUCE_TRANSPOSE_A ? " transposed" : "",
                         engine_shape_text(b, bt), flags & TRUCE_TRANSPOSE_B ? " transposed" : "");
    call->out.dims[da - 2] = a->dims[row];
    call->out.dims[da - 1] = b->dims[column];
    return TRUCE_OK;
}

static sizes sizes_of(const engine_call *call) {
    const truce_shape *a = &call->in_shape[0], *b = &call->in_shape[1], *c = &call->out_shape;
    int last = c->n_dims - 1;
    sizes s = {.batches = 1, .m = c->dims[last - 1], .n = c->dims[last]};
    s.ta = call->settings->i[0] & TRUCE_TRANSPOSE_A;
    s.tb = call->settings->i[0] & TRUCE_TRANSPOSE_B;
    s.k = a->dims[s.ta ? last - 1 : last];
    for (int i = 0; i < last - 1; i++) s.batches *= c->dims[i];
    s.one_b = b->n_dims == 2;
    s.more_rows = s.one_b && !s.ta;
    if (!s.more_rows) return s;
    s.m *= s.batches;
    s.batches = 1;
    return s;
}

static double flops(const engine_call *call) {
    sizes s = sizes_of(call);
    return 2.0 * (double)s.batches * (double)s.m * (double)s.n * (double)s.k;
}

static void some_products(void *arg, int64_t begin, int64_t end, int worker) {
    const products *all = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        linalg_product p = all->first;
        p.a = (const real *)p.a + i * all->step_a;
        p.b = (const real *)p.b + i * all->step_b;
        if (all->into_one)
            p.beta = i ? 1 : p.beta;
        else
            p.c = (real *)p.c + i * p.m * p.n;
        product_run(all->team, &p, all->scratch);
    }
}

/* Matrices are stored without gaps. */
static void run(products *p) {
    enum { FLOPS_PER_CHUNK = 4000000 };
    linalg_product *f = &p->first;
    f->alpha = 1;
    f->lda = f->transpose_a ? f->m : f->k;
    f->ldb = f->transpose_b ? f->k : f->n;
    f->ldc = f->n;
    double flops_each = 2.0 * (double)f->m * (double)f->n * (double)f->k + 1;
    int64_t grain = p->into_one ? p->n : 1 + (int64_t)(FLOPS_PER_CHUNK / flops_each);
    if (p->into_one && p->n == 0 && f->beta == 0) memset(f->c, 0, (size_t)(f->m * f->n) * sizeof(real));
    base_parallel(p->team, p->n, grain, some_products, p);
}

static void multiply(const engine_call *call, const void *a, const void *b, void *c, double beta) {
    sizes s = sizes_of(call);
    run(&(products){.team = call->team,
                    .scratch = call->scratch,
                    .n = s.batches,
                    .step_a = s.m * s.k,
                    .step_b = s.one_b ? 0 : s.k * s.n,
                    .first = {.transpose_a = s.ta,
                              .transpose_b = s.tb,
                              .m = s.m,
                              .n = s.n,
                              .k = s.k,
                              .a = a,
                              .b = b,
                              .c = c,
                              .beta = beta}});
}

/* (A B)^T = B^T A^T */
static products *transposed(products *p) {
    linalg_product f = p->first;
    int64_t step_a = p->step_a;
    p->first.m = f.n, p->first.n = f.m;
    p->first.a = f.b, p->first.b = f.a;
    p->first.transpose_a = !f.transpose_b, p->first.transpose_b = !f.transpose_a;
    p->step_a = p->step_b, p->step_b = step_a;
    return p;
}

/* dA = dC B^T as a is stored: dC B^T, or its transpose B dC^T. */
static void gradient_a(const engine_call *call, sizes s, int k) {
    int64_t step_dc = s.m * s.n, step_b = s.one_b ? 0 : s.k * s.n;
    products p = {.team = call->team,
                  .scratch = call->scratch,
                  .n = s.batches,
                  .step_a = step_dc,
                  .step_b = step_b,
                  .first = {.m = s.m,
                            .n = s.k,
                            .k = s.n,
                            .transpose_b = !s.tb,
                            .a = kernel_cotangent(call, k),
                            .b = call->in[1],
                            .c = kernel_d_in(call, 0, k),
                            .beta = kernel_adds(call, 0) ? 1 : 0}};
    run(s.ta ? transposed(&p) : &p);
}

/* dB = A^T dC as b is stored: A^T dC, or its transpose dC^T A. */
static void gradient_b(const engine_call *call, sizes s, int k) {
    int64_t step_dc = s.m * s.n, step_a = s.m * s.k;
    products p = {.team = call->team,
                  .scratch = call->scratch,
                  .n = s.batches,
                  .step_a = step_a,
                  .step_b = step_dc,
                  .into_one = s.one_b,
                  .first = {.m = s.k,
                            .n = s.n,
                            .k = s.m,
                            .transpose_a = !s.ta,
                            .a = call->in[0],
                            .b = kernel_cotangent(call, k),
                            .c = kernel_d_in(call, 1, k),
                            .beta = kernel_adds(call, 1) ? 1 : 0}};
    run(s.tb ? transposed(&p) : &p);
}

static size_t scratch_bytes(const engine_call *call) {
    return product_bytes(call->team);
}

static void forward(const engine_call *call) {
    multiply(call, call->in[0], call->in[1], call->out, 0);
}

static void vjp(const engine_call *call) {
    sizes s = sizes_of(call);
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) gradient_a(call, s, k);
    for (int k = 0; k < call->n_rows && call->d_in[1]; k++) gradient_b(call, s, k);
}

static void jvp(const engine_call *call) {
    memset(call->t_out, 0, (size_t)kernel_size(&call->out_shape) * sizeof(real));
    if (call->t_in[0]) multiply(call, call->t_in[0], call->in[1], call->t_out, 1);
    if (call->t_in[1]) multiply(call, call->in[0], call->t_in[1], call->t_out, 1);
}

KERNEL_OP(matmul) = {.name = "matmul",
                     .min_inputs = 2,
                     .max_inputs = 2,
                     .flags = ENGINE_DIFFERENTIABLE | ENGINE_KEEPS_INPUTS,
                     .shape = shape,
                     .forward = forward,
                     .vjp = vjp,
                     .jvp = jvp,
                     .flops = flops,
                     .scratch_bytes = scratch_bytes};

#ifdef ENGINE_BUILDERS

truce_node truce_op_matmul(truce_graph *graph, truce_node a, truce_node b, unsigned transpose) {
    return engine_graph_add(graph, ENGINE_OP_matmul, 2, (truce_node[]){a, b},
                            &(engine_settings){.i = {(int64_t)transpose}});
}

#endif
