/*
 * Every operator, from one table of cases: values against a plain reference, gradients and tangents against
 * differences, all of them in a program, and single precision on every backend and any number of threads
 * against double.
 */
#include "support/test.h"

#include "base/memory.h"
#include "reference.h"

enum { ROWS = 4 }; /* cotangents; a program's test weights its results by them */

/* What a row is: flags. */
enum {
    EVALUATION = 1 << 0, /* not training */
    ALONE = 1 << 1       /* not in a program */
};

typedef struct test_row {
    op_case c;
    reference reference;
    double (*f)(double a, double b, const double *p);
    unsigned flags;
} test_row;

#define ROW(name, inputs, reference, ...)                                                                    \
    { {#name, inputs, b_##name, {__VA_ARGS__}}, reference, NULL, 0 }
#define ROW_EVALUATED(name, inputs, reference, ...)                                                          \
    { {#name, inputs, b_##name, {__VA_ARGS__}}, reference, NULL, EVALUATION }
#define ROW_ALONE(name, inputs, reference, ...)                                                              \
    { {#name, inputs, b_##name, {__VA_ARGS__}}, reference, NULL, ALONE }
#define ROW_OF(name, inputs, reference, ...)                                                                 \
    { {#name, inputs, b_##name, {__VA_ARGS__}}, reference, f_##name, 0 }

static const test_row rows[] = {
    ROW(linear, "r5x7 r3x7 r3", linear_map, 1),
    ROW(linear, "rbx2x4 r6x4", linear_map, 0),
    ROW(linear, "r0x4 r2x4 r2", linear_map, 1),
    ROW(linear, "r3x0 r2x0 r2", linear_map, 1),
    ROW(linear, "r130x65 r67x65 r67", linear_map, 1),
    ROW(linear, "r300x200 r150x200 r150", linear_map, 1),
    ROW(matmul, "r3x4 r4x5", matrix_product, 0),
    ROW(matmul, "rbx3x4 rbx4x2", matrix_product, 0),
    ROW(matmul, "r2x4x3 r2x4x5", matrix_product, 1),
    ROW(matmul, "r2x3x4 r2x5x4", matrix_product, 2),
    ROW(matmul, "r2x4x3 r2x5x4", matrix_product, 3),
    ROW(matmul, "rbx3x4 r4x5", matrix_product, 0),
    ROW(matmul, "r3x4x2 r4x5", matrix_product, 1),
    ROW(matmul, "r3x2x4 r5x4", matrix_product, 2),
    ROW(matmul, "r2x2x4x3 r5x4", matrix_product, 3),
    ROW(matmul, "r0x4x3 r4x5", matrix_product, 1),
    ROW(matmul, "r2x3x0 r2x0x2", matrix_product, 0),
    ROW(matmul, "r6x50x70 r6x70x90", matrix_product, 0),

    ROW_OF(add, "r3x5 r3x5", elementwise),
    ROW_OF(add, "r4x1x5 r3x1", elementwise),
    ROW_OF(add, "r5 rbx5", elementwise),
    ROW_OF(add, "r r2x3", elementwise),
    ROW_OF(add, "r0x5 r5", elementwise),
    ROW_OF(add, "r300x100 r100", elementwise),
    ROW_OF(add, "r200x300 r200x300", elementwise),
    ROW_OF(add, "r3x700x5 r3x1x5", elementwise),
    ROW_OF(multiply, "r300x70 r300x1", elementwise),
    ROW_OF(multiply, "r300x70 r1x70", elementwise),
    ROW_OF(multiply, "r1x70 r300x1", elementwise),
    ROW_OF(multiply, "r7x1x600 r1x5x1", elementwise),
    ROW_OF(subtract, "r3x5 r5", elementwise),
    ROW_OF(multiply, "r3x5 r3x1", elementwise),
    ROW_OF(multiply, "r2x3x4 r2x3x4", elementwise),
    ROW_OF(divide, "r3x5 p3x5", elementwise),
    ROW_OF(divide, "r3x5 p", elementwise),
    ROW_OF(maximum, "r3x5 r3x5", elementwise),
    ROW_OF(minimum, "r3x5 r5", elementwise),

    ROW_OF(affine, "r5x7", elementwise, -0.5, 3),
    ROW_OF(relu, "r5x7", elementwise),
    ROW_OF(relu, "r70001", elementwise),
    ROW_OF(leaky_relu, "r5x7", elementwise, 0.1),
    ROW_OF(gelu, "r5x7", elementwise),
    ROW_OF(gelu, "r40001", elementwise),
    ROW_OF(silu, "r5x7", elementwise),
    ROW_OF(tanh, "r5x7", elementwise),
    ROW_OF(sigmoid, "r5x7", elementwise),
    ROW_OF(softplus, "r5x7", elementwise),
    ROW_OF(exp, "r5x7", elementwise),
    ROW_OF(log, "p5x7", elementwise),
    ROW_OF(sqrt, "p5x7", elementwise),
    ROW_OF(square, "r5x7", elementwise),
    ROW_OF(abs, "r5x7", elementwise),
    ROW_OF(power, "p5x7", elementwise, 1.7),
    ROW_OF(power, "r5x7", elementwise, 3),
    ROW_OF(exp, "r0x3", elementwise),

    ROW(sum, "r3x4x5", summed, 0),
    ROW(sum, "rbx4x5", summed, 1, -1),
    ROW(sum, "r3x4x5", summed, 2, 0, 2),
    ROW(sum, "r0x4", summed, 1, 0),
    ROW(sum, "r300x70", summed, 1, 0),
    ROW(sum, "rbx3x4x5", summed, 3, 0, 2, 3),
    ROW(sum, "r3x0x4", summed, 1, 1),
    ROW(sum, "r150001", summed, 0),
    ROW(sum, "r3000x70", summed, 1, 0),
    ROW(mean, "r3x1000x70", averaged, 1, 1),
    ROW(max, "d300x70", largest, 1, 0),
    ROW(max, "d70x300", largest, 1, 1),
    ROW(max, "d2x3x4x5", largest, 2, 0, 2),
    ROW(mean, "r3x4x5", averaged, 1, 1),
    ROW(mean, "r3x4", averaged, 0),
    ROW(mean, "r", averaged, 0),
    ROW(max, "d3x4x5", largest, 1, 1),
    ROW(max, "d3x4x5", largest, 0),
    ROW(max, "dbx4x5", largest, 2, 0, 1),

    ROW(reshape, "rbx6", same, 3, TRUCE_BATCH, 2, 0),
    ROW_ALONE(stop_gradient, "r3x4", same),
    ROW(transpose, "r3x4", transposed, 1, 0),
    ROW(transpose, "rbx3x4x5", transposed, 0, 2, 1, 3),
    ROW(transpose, "r2x3x4x5", transposed, 3, 1, -4, 2),
    ROW(transpose, "r2x3x4", transposed, 0, 1, 2),
    ROW(transpose, "r1x3x1x4", transposed, 3, 2, 1, 0),
    ROW(transpose, "r3x0x4", transposed, 2, 0, 1),
    ROW(transpose, "r70x90x33", transposed, 2, 0, 1),
    ROW(transpose, "r257x301", transposed, 1, 0),
    ROW(transpose, "i9:3x4x5", transposed, 2, 0, 1),
    ROW(transpose, "r", transposed),
    ROW(concat, "r2x3 r2x4 r2x1", joined, 3, 1),
    ROW(concat, "rbx3 rbx3", joined, 2, 0),
    ROW(concat, "r2x3x4 r2x0x4", joined, 2, -2),
    ROW(concat, "r5", joined, 1, 0),
    ROW(concat, "i9:2x3 i5:2x4", joined, 2, 1),
    ROW(concat, "r300x70 r300x90", joined, 2, 1),
    ROW(concat, "r40000 r30001", joined, 2, 0),
    ROW(slice, "r7x3", sliced, 0, 1, 6, 2),
    ROW(slice, "rbx9x2", sliced, 1, 2, 9, 3),
    ROW(slice, "r4x6", sliced, -1, 5, 6, 1),
    ROW(slice, "r4x6", sliced, 1, 3, 3, 1),
    ROW(slice, "i9:bx6", sliced, 1, 2, 3, 1),
    ROW(slice, "r200x300", sliced, 1, 1, 299, 2),
    ROW(slice, "r0x4", sliced, 1, 0, 2, 1),
    ROW(gather, "r7x3 i7:5", picked, 0),
    ROW(gather, "r2x7x3 i7:2x2", picked, 1),
    ROW(gather, "r2x7 i7:", picked, -1),
    ROW(gather, "r7x3 i7:0", picked, 0),
    ROW(gather, "i9:7x3 i7:4", picked, 0),
    ROW(gather, "r5x900x40 i900:70", picked, 1),
    ROW(embedding, "r7x3 i7:bx4", picked),
    ROW(embedding, "r100x70 i100:300x5", picked),
    ROW(embedding, "r7x0 i7:5", picked),

    ROW(softmax, "r5x7", shares, 1),
    ROW(softmax, "rbx7", shares, 0),
    ROW(softmax, "r2x3x4", shares, -2),
    ROW(softmax, "r3x0", shares, 1),
    ROW(softmax, "r0x3", shares, 1),
    ROW(softmax, "r4x1", shares, 1),
    ROW(softmax, "r3x2000", shares, 1),
    ROW(softmax, "r9000x5", shares, 1),
    ROW(softmax, "r3x9x800", shares, 1),
    ROW(log_softmax, "r5x7", log_shares, 1),
    ROW(log_softmax, "r2x3x4", log_shares, 1),
    ROW(log_softmax, "r3x2000", log_shares, 1),
    ROW(log_softmax, "r6000x10", log_shares, -1),
    ROW(log_softmax, "r3x9x800", log_shares, 1),
    ROW(log_softmax, "r4x0x3", log_shares, 1),

    ROW_ALONE(dropout, "r5x7", dropped, 0.4),
    ROW_ALONE(dropout, "r40001", dropped, 0.1),
    ROW_ALONE(dropout, "r0x3", dropped, 0.1),
    ROW(dropout, "r5x7", dropped, 0),
    ROW_EVALUATED(dropout, "r5x7", dropped, 0.4),

    ROW_OF(squared_error, "rbx4 tbx4", mean_loss),
    ROW_OF(squared_error, "r0x4 t0x4", mean_loss),
    ROW_OF(squared_error, "r70001 t70001", mean_loss),
    ROW_OF(absolute_error, "r5x4 t5x4", mean_loss),
    ROW_OF(huber, "r5x4 t5x4", mean_loss, 0.7),
    ROW_OF(binary_cross_entropy, "r5x4 t5x4", mean_loss),
    ROW_OF(binary_cross_entropy, "r40001 p40001", mean_loss),
    ROW(cross_entropy, "rbx4 c4:b", mean_class_loss, 1),
    ROW(cross_entropy, "r5x4x3 c4:5x3", mean_class_loss, 1),
    ROW(cross_entropy, "r4x5 c4:5", mean_class_loss, 0),
    ROW(cross_entropy, "r0x4 c4:0", mean_class_loss, 1),
    ROW(cross_entropy, "r6 c6:", mean_class_loss, 0),
    ROW(cross_entropy, "r3x2000 c2000:3", mean_class_loss, 1),
    ROW(cross_entropy, "r9000x5 c5:9000", mean_class_loss, -1),
    ROW(cross_entropy, "r3x9x50x40 c9:3x50x40", mean_class_loss, 1),

    ROW(conv2d, "rbx3x6x7 r4x3x3x3 r4", convolved, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1),
    ROW(conv2d, "r2x3x6x7 r4x3x1x1", convolved, 1, 1),
    ROW(conv2d, "r3x5x4x4 r9x5x1x1 r9", convolved, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1),
    ROW(conv2d, "r2x3x8x9 r4x3x1x1", convolved, 1, 1, 2, 2),
    ROW(conv2d, "r2x3x8x9 r4x3x3x3 r4", convolved, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1),
    ROW(conv2d, "r2x2x9x11 r3x2x3x2", convolved, 3, 2, 1, 3, 2, 0, 2, 1),
    ROW(conv2d, "r2x2x9x11 r3x2x2x4", convolved, 2, 4, 3, 2, 0, 3, 1, 2),
    ROW(conv2d, "r2x4x5x5 r6x2x3x3 r6", convolved, 3, 3, 1, 1, 1, 1, 1, 1, 2, 1),
    ROW(conv2d, "r2x4x7x6 r4x1x3x3 r4", convolved, 3, 3, 1, 1, 1, 1, 1, 1, 4, 1),
    ROW(conv2d, "r2x3x7x8 r6x1x3x2", convolved, 3, 2, 2, 3, 1, 0, 1, 1, 3),
    ROW(conv2d, "r2x3x40x37 r3x1x5x5", convolved, 5, 5, 1, 1, 4, 4, 2, 2, 3),
    ROW(conv2d, "r5x4x4 r2x5x4x4 r2", convolved, 4, 4, 1, 1, 0, 0, 1, 1, 1, 1),
    ROW(conv2d, "r2x1x3x3 r2x1x2x2", convolved, 2, 2, 5, 5, 3, 3),
    ROW(conv2d, "r0x2x5x5 r3x2x3x3 r3", convolved, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1),
    ROW(conv2d, "r2x0x5x5 r3x0x3x3 r3", convolved, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1),
    ROW(conv2d, "r2x2x5x5 r0x2x3x3", convolved, 3, 3),
    ROW(conv2d, "r6x3x33x35 r17x3x3x3 r17", convolved, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1),
    ROW(conv2d, "r3x20x32x32 r8x20x3x3", convolved, 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r9x40x4x4 r50x40x3x3", convolved, 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r5x16x12x20 r70x16x3x3", convolved, 3, 3, 2, 2, 1, 1),
    ROW(conv2d, "r2x130x3x3 r9x130x3x3", convolved, 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r3x64x8x8 r30x64x1x1 r30", convolved, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1),
    ROW(conv2d, "r1x3x120x130 r5x3x7x7", convolved, 7, 7, 2, 2, 3, 3),

    ROW(max_pool, "dbx2x6x6", max_pooled, 2, 2),
    ROW(max_pool, "d2x2x7x5", max_pooled, 2, 2),
    ROW(max_pool, "d2x7x8", max_pooled, 3, 3, 2, 2, 1, 1),
    ROW(max_pool, "d2x9x9", max_pooled, 3, 2, 1, 3, 1, 0),
    ROW(max_pool, "d2x9x8", max_pooled, 2, 3, 1, 1, 1, 2, 3, 2),
    ROW(max_pool, "d0x3x4x4", max_pooled, 2, 2),
    ROW(max_pool, "d9x3x45x45", max_pooled, 2, 2),
    ROW(max_pool, "d4x3x45x45", max_pooled, 3, 3, 2, 2, 1, 1),
    ROW(average_pool, "rbx2x6x6", mean_pooled, 2, 2),
    ROW(average_pool, "r2x2x7x5", mean_pooled, 2, 2),
    ROW(average_pool, "r2x7x8", mean_pooled, 3, 3, 2, 2, 1, 1),
    ROW(average_pool, "r2x9x9", mean_pooled, 3, 2, 1, 3, 1, 0),
    ROW(average_pool, "r3x4x4", mean_pooled, 4, 4),
    ROW(average_pool, "r2x9x8", mean_pooled, 2, 3, 1, 1, 1, 2, 3, 2),
    ROW(average_pool, "r9x3x45x45", mean_pooled, 3, 3, 1, 1),
    ROW(global_pool, "rbx3x4x5", global_mean),
    ROW(global_pool, "r3x4", global_mean),
    ROW(global_pool, "r0x3x4", global_mean),
    ROW(global_pool, "r40x10x9x9", global_mean),

    ROW(layer_norm, "r5x7 r7 r7", rows_normalised, 1, 1),
    ROW(layer_norm, "rbx2x7", rows_normalised),
    ROW(layer_norm, "r5x7 r7", rows_normalised, 1),
    ROW(layer_norm, "r5x7 r7", rows_normalised, 0, 1, 0.1),
    ROW(layer_norm, "r5x1 r1 r1", rows_normalised, 1, 1),
    ROW(layer_norm, "r0x4 r4 r4", rows_normalised, 1, 1),
    ROW(layer_norm, "r3x0", rows_normalised),
    ROW(layer_norm, "r700x70 r70 r70", rows_normalised, 1, 1),
    ROW(layer_norm, "r3x2500 r2500 r2500", rows_normalised, 1, 1),
    ROW(batch_norm, "rbx4 s4 s4 r4 r4", channels_normalised, 1, 1),
    ROW(batch_norm, "r5x4 s4 s4", channels_normalised),
    ROW(batch_norm, "r1x4 s4 s4 r4", channels_normalised, 1),
    ROW(batch_norm, "r3x4x5 s4 s4 r4", channels_normalised, 0, 1),
    ROW(batch_norm, "r0x4 s4 s4 r4 r4", channels_normalised, 1, 1),
    ROW(batch_norm, "r3x70x2x2 s70 s70 r70 r70", channels_normalised, 1, 1),
    ROW(batch_norm, "r3x5x6x7 s5 s5 r5 r5", channels_normalised, 1, 1),
    ROW(batch_norm, "r3x2x50x60 s2 s2 r2 r2", channels_normalised, 1, 1, 0.1),
    ROW(batch_norm, "r300x70 s70 s70 r70 r70", channels_normalised, 1, 1),
    ROW_EVALUATED(batch_norm, "r5x4 s4 s4 r4 r4", channels_normalised, 1, 1),
    ROW_EVALUATED(batch_norm, "r3x5x6x7 s5 s5", channels_normalised),
};

/* ---- one row ----------------------------------------------------------------------------------------- */

/* A row with its inputs, cotangents and tangents. */
typedef struct trial {
    truce_context *context;
    const test_row *row;
    op_case concrete; /* with a number in place of the batch */
    op_input inputs[OP_MAX_INPUTS];
    int n_inputs;
    double *values[OP_MAX_INPUTS], *tangents[OP_MAX_INPUTS], *cotangents;
    int64_t size[OP_MAX_INPUTS];
    base_rng rng;
} trial;

static double *reals(truce_context *context, int64_t n) {
    double *values = NULL;
    assert_ok(context, base_alloc(context, (size_t)n + 1, sizeof *values, &values));
    return values;
}

static void fill_normal(base_rng *rng, double *values, int64_t n) {
    for (int64_t i = 0; i < n; i++) values[i] = (double)(float)base_rng_normal(rng);
}

/* Only reshape has a batch among its numbers. */
static op_case without_batch(op_case c) {
    for (int i = 0; i < OP_SETTINGS; i++)
        if (c.build == b_reshape && c.p[i] == TRUCE_BATCH) c.p[i] = OP_BATCH;
    return c;
}

static void open_trial(truce_context *context, const test_row *row, trial *t) {
    *t = (trial){.context = context, .row = row, .concrete = without_batch(row->c)};
    t->rng = base_rng_make(11, row->c.op, base_hash_text(row->c.inputs), 0);
    t->n_inputs = op_inputs(row->c.inputs, false, t->inputs);
    for (int i = 0; i < t->n_inputs; i++) {
        t->size[i] = truce_shape_size(&t->inputs[i].shape);
        t->values[i] = reals(context, t->size[i]);
        t->tangents[i] = reals(context, t->size[i]);
        op_fill(&t->rng, &t->inputs[i], t->values[i]);
        fill_normal(&t->rng, t->tangents[i], t->size[i]);
    }
}

static void close_trial(trial *t) {
    for (int i = 0; i < t->n_inputs; i++) {
        base_free(t->context, t->values[i]);
        base_free(t->context, t->tangents[i]);
    }
    base_free(t->context, t->cotangents);
}

static op_manner manner_of(const trial *t, const engine_backend *backend, base_team *team) {
    return (op_manner){
        .backend = backend, .team = team, .training = !(t->row->flags & EVALUATION), .n_rows = ROWS};
}

/* A call with the trial's inputs, cotangents and tangents in place; the first one draws the cotangents. */
static void open_call(trial *t, const engine_backend *backend, base_team *team, op_call *call) {
    op_manner manner = manner_of(t, backend, team);
    assert_ok(t->context, op_open(t->context, &t->row->c, &manner, call));
    if (!t->cotangents) {
        t->cotangents = reals(t->context, ROWS * call->out_size);
        fill_normal(&t->rng, t->cotangents, ROWS * call->out_size);
    }
    for (int i = 0; i < call->n_inputs; i++) {
        op_set(call, i, t->values[call->which[i]]);
        if (call->real[i]) op_put(call, call->t_in[i], t->tangents[call->which[i]], call->size[i]);
    }
    op_put(call, call->cotangent, t->cotangents, ROWS * call->out_size);
}

static void check_near(const trial *t, const double *a, const double *b, int64_t n, double tolerance,
                       const char *what) {
    double scale = tolerance < 1e-6 ? 1e-3 : 1;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(b[i])) scale = fmax(scale, fabs(b[i]));
    for (int64_t i = 0; i < n; i++) {
        if (a[i] == b[i] || fabs(a[i] - b[i]) <= tolerance * scale || (isnan(a[i]) && isnan(b[i]))) continue;
        fail_msg("%s %s: %s[%d] is %.17g, not %.17g", t->row->c.op, t->row->c.inputs, what, (int)i, a[i],
                 b[i]);
    }
}

static bool is_view(const op_call *call) {
    return call->op->flags & ENGINE_VIEW;
}

/* ---- values ------------------------------------------------------------------------------------------ */

static void check_forward(trial *t, op_call *call) {
    example e = {.n_inputs = t->n_inputs,
                 .out_shape = call->out_shape,
                 .p = t->row->c.p,
                 .f = t->row->f,
                 .training = call->call.training};
    for (int i = 0; i < t->n_inputs; i++) {
        e.in[i] = t->values[i];
        e.shape[i] = t->inputs[i].shape;
    }
    double *expected = reals(t->context, call->out_size), *found = reals(t->context, call->out_size);
    t->row->reference(&e, expected);
    op_get_out(call, found);
    check_near(t, found, expected, call->out_size, 1e-12, "out");
    base_free(t->context, found);
    base_free(t->context, expected);
}

/* ---- gradients --------------------------------------------------------------------------------------- */

static double dot_cotangent(const trial *t, op_call *call, int k) {
    double *out = reals(t->context, call->out_size), sum = 0;
    op_forward(call);
    op_get(call, call->call.out, out, call->out_size);
    for (int64_t i = 0; i < call->out_size; i++) sum += out[i] * t->cotangents[k * call->out_size + i];
    base_free(t->context, out);
    return sum;
}

/* Some elements of the k-th gradient of input i against central differences. */
static void check_differences(trial *t, op_call *call, int i, int k) {
    enum { MOST = 24 };
    double *x = call->in[i], *gradient = reals(t->context, call->size[i]);
    int64_t n = call->size[i], n_checked = BASE_MIN(n, MOST);
    op_get(call, op_gradient(call, i, k), gradient, n);
    for (int64_t c = 0; c < n_checked; c++) {
        int64_t at = n <= MOST ? c : (int64_t)base_rng_below(&t->rng, (uint64_t)n);
        double kept = x[at], h = 1e-5;
        x[at] = kept + h;
        double up = dot_cotangent(t, call, k);
        x[at] = kept - h;
        double down = dot_cotangent(t, call, k), difference = (up - down) / (2 * h);
        x[at] = kept;
        if (!(fabs(gradient[at] - difference) <= 1e-6 * fmax(1, fabs(difference))))
            fail_msg("%s %s: gradient %d of input %d at %d is %.10g, not %.10g", t->row->c.op,
                     t->row->c.inputs, k, i, (int)at, gradient[at], difference);
    }
    op_forward(call);
    base_free(t->context, gradient);
}

static void set_gradients(const trial *t, op_call *call, double value, bool adds) {
    for (int i = 0; i < call->n_inputs; i++) {
        int64_t n = ROWS * call->d_stride[i];
        double *values = reals(t->context, n);
        for (int64_t j = 0; j < n; j++) values[j] = value;
        op_put(call, call->d_in[i], values, n);
        base_free(t->context, values);
        call->adds[i] = adds;
    }
}

/* All gradients of input i with what lies between them, as doubles. */
static double *copy_gradients(const trial *t, const op_call *call, int i) {
    double *copy = reals(t->context, ROWS * call->d_stride[i]);
    op_get(call, call->d_in[i], copy, ROWS * call->d_stride[i]);
    return copy;
}

/* Adding to 0.5, and asking for one input alone, must give the same gradients; gaps stay as they are. */
static void check_ways_of_asking(const trial *t, op_call *call) {
    unsigned all = op_differentiable(call);
    for (int i = 0; i < call->n_inputs; i++) {
        if (!(all >> i & 1u)) continue;
        set_gradients(t, call, 0.25, false);
        op_vjp(call, ROWS, all);
        double *plain = copy_gradients(t, call, i);
        set_gradients(t, call, 0.25, false);
        op_vjp(call, ROWS, 1u << i);
        double *alone = copy_gradients(t, call, i);
        set_gradients(t, call, 0.5, true);
        op_vjp(call, ROWS, all);
        double *added = copy_gradients(t, call, i);
        for (int k = 0; k < ROWS; k++) {
            int64_t at = k * call->d_stride[i];
            check_near(t, alone + at, plain + at, call->size[i], 1e-13, "gradient asked for alone");
            for (int64_t j = at; j < at + call->size[i]; j++) added[j] -= 0.5;
            check_near(t, added + at, plain + at, call->size[i], 1e-12, "added gradient");
            for (int64_t j = at + call->size[i]; j < at + call->d_stride[i]; j++) {
                assert_true(plain[j] == 0.25 && alone[j] == 0.25);
                assert_true(added[j] == 0.5);
            }
        }
        base_free(t->context, added);
        base_free(t->context, alone);
        base_free(t->context, plain);
    }
}

static void check_reverse(trial *t, op_call *call) {
    unsigned all = op_differentiable(call);
    check_ways_of_asking(t, call);
    set_gradients(t, call, 0, false);
    op_vjp(call, ROWS, all);
    for (int i = 0; i < call->n_inputs; i++)
        for (int k = 0; k < ROWS && all >> i & 1u; k += ROWS - 1) check_differences(t, call, i, k);
    op_vjp(call, 1, all); /* one cotangent alone */
    for (int i = 0; i < call->n_inputs; i++)
        if (all >> i & 1u) check_differences(t, call, i, 0);
}

/* ---- tangents ---------------------------------------------------------------------------------------- */

static void move_inputs(const trial *t, op_call *call, unsigned inputs, double h) {
    for (int i = 0; i < call->n_inputs; i++) {
        double *x = call->in[i];
        for (int64_t j = 0; j < call->size[i] && inputs >> i & 1u; j++)
            x[j] = t->values[call->which[i]][j] + h * t->tangents[call->which[i]][j];
    }
}

static void check_tangent(trial *t, op_call *call, unsigned inputs) {
    const double h = 1e-5;
    int64_t n = call->out_size;
    double *up = reals(t->context, n), *down = reals(t->context, n), *found = reals(t->context, n), sum = 0;
    move_inputs(t, call, inputs, h);
    op_forward(call);
    op_get(call, call->call.out, up, n);
    move_inputs(t, call, inputs, -h);
    op_forward(call);
    op_get(call, call->call.out, down, n);
    move_inputs(t, call, inputs, 0);
    op_forward(call);
    op_jvp(call, inputs);
    op_get(call, call->t_out, found, n);
    for (int64_t i = 0; i < n; i++) up[i] = (up[i] - down[i]) / (2 * h);
    check_near(t, found, up, n, 2e-6, "tangent");
    for (int64_t i = 0; i < n; i++) sum += found[i] * t->cotangents[i]; /* <c, J v> = <J^T c, v> */
    set_gradients(t, call, 0, false);
    op_vjp(call, 1, inputs);
    for (int i = 0; i < call->n_inputs; i++) {
        double *gradients = copy_gradients(t, call, i);
        for (int64_t j = 0; j < call->size[i] && inputs >> i & 1u; j++)
            sum -= gradients[j] * t->tangents[call->which[i]][j];
        base_free(t->context, gradients);
    }
    assert_near(sum, 0, 1e-10 * (1 + sqrt((double)n)));
    base_free(t->context, found);
    base_free(t->context, down);
    base_free(t->context, up);
}

static void check_tangents(trial *t, op_call *call) {
    unsigned all = op_differentiable(call);
    assert_non_null(call->op->jvp);
    check_tangent(t, call, all);
    for (int i = 0; i < call->n_inputs; i++)
        if (all >> i & 1u && all != 1u << i) check_tangent(t, call, 1u << i);
}

static void double_precision_is_right(void **state) {
    for (size_t r = 0; r < BASE_COUNT(rows); r++) {
        trial t;
        op_call call;
        open_trial(*state, &rows[r], &t);
        open_call(&t, engine_backend_best(TRUCE_FLOAT64), NULL, &call);
        if (!is_view(&call)) {
            op_forward(&call);
            assert_int_equal(TRUCE_OK, call.status);
            check_forward(&t, &call);
            if (call.out_real && op_differentiable(&call)) {
                check_reverse(&t, &call);
                check_tangents(&t, &call);
            }
            assert_true(op_guards_hold(&call));
        }
        op_close(&call);
        close_trial(&t);
    }
}

/* ---- single precision -------------------------------------------------------------------------------- */

enum { MOST_THREADS = 3 };

/* Result, tangent and gradients of a call, one after the other. */
static double *all_results(const trial *t, op_call *call, int64_t *n) {
    unsigned all = call->out_real ? op_differentiable(call) : 0;
    *n = call->out_size;
    for (int i = 0; i < call->n_inputs; i++) *n += all >> i & 1u ? ROWS * call->d_stride[i] : 0;
    double *results = reals(t->context, *n + call->out_size), *at = results + call->out_size;
    op_forward(call);
    op_get_out(call, results);
    if (!all) return results;
    set_gradients(t, call, 0, false);
    op_vjp(call, ROWS, all);
    for (int i = 0; i < call->n_inputs; i++) {
        if (!(all >> i & 1u)) continue;
        op_get(call, call->d_in[i], at, ROWS * call->d_stride[i]);
        at += ROWS * call->d_stride[i];
    }
    op_jvp(call, all);
    op_get(call, call->t_out, at, call->out_size);
    *n += call->out_size;
    return results;
}

/* Parts of the results, each of its own scale. */
static void compare_results(const trial *t, const op_call *call, const double *a, const double *b) {
    unsigned all = call->out_real ? op_differentiable(call) : 0;
    int64_t at = call->out_size;
    check_near(t, a, b, call->out_size, 1e-5, "out in single precision");
    for (int i = 0; i < call->n_inputs; i++) {
        if (!(all >> i & 1u)) continue;
        check_near(t, a + at, b + at, ROWS * call->d_stride[i], 1e-5, "gradient in single precision");
        at += ROWS * call->d_stride[i];
    }
    if (all) check_near(t, a + at, b + at, call->out_size, 1e-5, "tangent in single precision");
}

static double *results_on(trial *t, const engine_backend *backend, base_team *team, int64_t *n,
                          const double *exact) {
    op_call call;
    open_call(t, backend, team, &call);
    double *results = all_results(t, &call, n);
    if (exact) compare_results(t, &call, results, exact);
    assert_true(op_guards_hold(&call));
    op_close(&call);
    return results;
}

static void check_backend(trial *t, const engine_backend *backend, base_team *const *teams,
                          const double *exact) {
    int64_t n, n_again;
    double *alone = results_on(t, backend, teams[0], &n, exact);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        double *again = results_on(t, backend, teams[threads - 1], &n_again, NULL);
        assert_int_equal(n, n_again);
        if (memcmp(alone, again, (size_t)n * sizeof *alone) != 0)
            fail_msg("%s %s: %d threads give other bits on %s", t->row->c.op, t->row->c.inputs, threads,
                     backend->name);
        base_free(t->context, again);
    }
    base_free(t->context, alone);
}

static bool has_kernels(truce_context *context, const test_row *row) {
    trial t;
    op_call call;
    open_trial(context, row, &t);
    open_call(&t, engine_backend_best(TRUCE_FLOAT64), NULL, &call);
    bool found = !is_view(&call);
    op_close(&call);
    close_trial(&t);
    return found;
}

static void backends_agree_with_any_number_of_threads(void **state) {
    truce_context *context = *state;
    base_team *teams[MOST_THREADS] = {NULL};
    for (int i = 0; i < MOST_THREADS; i++) assert_ok(context, base_team_create(context, i + 1, &teams[i]));
    for (size_t r = 0; r < BASE_COUNT(rows); r++) {
        trial t;
        int64_t n;
        if (!has_kernels(context, &rows[r])) continue;
        open_trial(context, &rows[r], &t);
        double *exact = results_on(&t, engine_backend_best(TRUCE_FLOAT64), NULL, &n, NULL);
        for (int i = 0; engine_backend_name_at(i); i++) {
            const engine_backend *backend = engine_backend_named(engine_backend_name_at(i));
            if (backend) check_backend(&t, backend, teams, exact);
        }
        base_free(context, exact);
        close_trial(&t);
    }
    for (int i = 0; i < MOST_THREADS; i++) base_team_destroy(context, teams[i]);
}

/* ---- in a program ------------------------------------------------------------------------------------ */

enum { TASKS = 3 };

/* How a parameter is stored before it becomes an input: in a row, or with its axes the other way round. */
typedef enum storage_kind { FLAT, REVERSED } storage_kind;

static truce_shape reversed(const truce_shape *shape) {
    truce_shape out = {.n_dims = shape->n_dims};
    for (int i = 0; i < shape->n_dims; i++) out.dims[i] = shape->dims[shape->n_dims - 1 - i];
    return out;
}

/* Where element `at` of the input lies in its parameter. */
static int64_t stored_at(const truce_shape *shape, storage_kind storage, int64_t at) {
    int64_t index[TRUCE_MAX_DIMS], other[TRUCE_MAX_DIMS];
    truce_shape back = reversed(shape);
    if (storage == FLAT) return at;
    unravel(shape, at, index);
    for (int i = 0; i < shape->n_dims; i++) other[i] = index[shape->n_dims - 1 - i];
    return ravel(&back, other);
}

static truce_node parameter_input(truce_graph *g, const char *name, const truce_shape *shape,
                                  storage_kind storage) {
    int order[TRUCE_MAX_DIMS];
    truce_shape flat = truce_shape_of(1, truce_shape_size(shape)), back = reversed(shape);
    if (storage == FLAT || shape->n_dims == 0)
        return truce_op_reshape(g, truce_graph_parameter(g, name, flat, (truce_init){0}), *shape);
    for (int i = 0; i < shape->n_dims; i++) order[i] = shape->n_dims - 1 - i;
    return truce_op_transpose(g, truce_graph_parameter(g, name, back, (truce_init){0}), order);
}

/* Losses of three tasks over the operator, which stands in the graph twice: sum(w0 y), sum(w1 y),
 * sum(w2 y + w3 y'). */
static void build_tasks(const trial *t, truce_graph *g, storage_kind storage) {
    truce_node in[OP_MAX_INPUTS], terms[ROWS], y[2];
    char name[16];
    for (int i = 0; i < t->n_inputs; i++) {
        snprintf(name, sizeof name, "x%d", i);
        in[i] = op_input_has_gradient(&t->inputs[i]) ? parameter_input(g, name, &t->inputs[i].shape, storage)
                                                     : op_leaf(g, name, &t->inputs[i]);
    }
    for (int i = 0; i < 2; i++) y[i] = t->concrete.build(g, in, t->concrete.p);
    for (int k = 0; k < ROWS; k++) {
        snprintf(name, sizeof name, "w%d", k);
        truce_node w = truce_graph_input(g, name, TRUCE_REAL, truce_graph_shape(g, y[0]));
        terms[k] = truce_op_sum(g, truce_op_multiply(g, y[k / TASKS], w), 0, NULL);
    }
    truce_graph_task(g, "0", terms[0]);
    truce_graph_task(g, "1", terms[1]);
    truce_graph_task(g, "2", truce_op_add(g, terms[2], terms[3]));
}

/* Values of all leaves of a program. */
static void set_leaves(const trial *t, truce_parameters *parameters, truce_program *program, truce_graph *g,
                       storage_kind storage) {
    char name[16];
    for (int i = 0; i < t->n_inputs; i++) {
        snprintf(name, sizeof name, "x%d", i);
        const truce_parameter *p = truce_parameters_find(parameters, name);
        void *to = p ? p->values : truce_program_values(program, truce_graph_find(g, name));
        bool is_parameter = op_input_has_gradient(&t->inputs[i]);
        for (int64_t j = 0; j < t->size[i]; j++) {
            int64_t at = is_parameter ? stored_at(&t->inputs[i].shape, storage, j) : j;
            if (op_input_is_real(&t->inputs[i]))
                ((double *)to)[at] = t->values[i][j];
            else
                ((int32_t *)to)[at] = (int32_t)t->values[i][j];
        }
    }
    for (int k = 0; k < ROWS; k++) {
        snprintf(name, sizeof name, "w%d", k);
        truce_node w = truce_graph_find(g, name);
        truce_shape shape = truce_graph_shape(g, w);
        int64_t n = truce_shape_size(&shape);
        if (n) memcpy(truce_program_values(program, w), t->cotangents + k * n, (size_t)n * sizeof(double));
    }
}

/* The tasks' rows of the Jacobian against the gradients that the operator gave alone. */
static void compare_rows(const trial *t, const op_call *call, truce_parameters *parameters,
                         const double *jacobian, int64_t stride, storage_kind storage) {
    for (int i = 0; i < call->n_inputs; i++) {
        char name[16];
        int which = call->which[i];
        if (!op_input_has_gradient(&t->inputs[which])) continue;
        snprintf(name, sizeof name, "x%d", which);
        const truce_parameter *p = truce_parameters_find(parameters, name);
        int64_t n = call->size[i];
        double *expected = reals(t->context, n), *found = reals(t->context, n);
        for (int task = 0; task < TASKS; task++) {
            const double *gradient = op_gradient(call, i, task), *other = op_gradient(call, i, ROWS - 1);
            for (int64_t j = 0; j < n; j++) {
                expected[j] = gradient[j] + (task == TASKS - 1 ? other[j] : 0);
                found[j] =
                    jacobian[task * stride + p->offset + stored_at(&t->inputs[which].shape, storage, j)];
            }
            check_near(t, found, expected, n, 1e-11, "row of the Jacobian");
        }
        base_free(t->context, found);
        base_free(t->context, expected);
    }
}

static void check_program(const trial *t, const op_call *call, storage_kind storage) {
    truce_graph *g = NULL;
    truce_parameters *parameters = NULL;
    truce_program *program = NULL;
    truce_context *context = t->context;
    const void *jacobian = NULL;
    int64_t stride = 0;
    assert_ok(context, truce_graph_create(context, &g));
    build_tasks(t, g, storage);
    assert_ok(context, truce_parameters_create(g, TRUCE_FLOAT64, &parameters));
    truce_program_config config = {
        .max_batch = 1, .gradients = TRUCE_GRADIENT_JACOBIAN, .training = call->call.training};
    assert_ok(context, truce_program_create(parameters, &config, &program));
    set_leaves(t, parameters, program, g, storage);
    assert_ok(context, truce_program_forward(program, &(truce_run){.n_rows = 1, .freeze_state = 1}));
    assert_ok(context, truce_jacobian_rows(truce_program_jacobian(program), &jacobian, &stride));
    compare_rows(t, call, parameters, jacobian, stride, storage);
    truce_program_destroy(program);
    truce_parameters_destroy(parameters);
    truce_graph_destroy(g);
}

/* What the operator gives alone; views have no kernel, and hand on their cotangents. */
static void gradients_alone(const trial *t, op_call *call) {
    set_gradients(t, call, 0, false);
    if (!is_view(call)) {
        op_forward(call);
        op_vjp(call, ROWS, op_differentiable(call));
        return;
    }
    for (int k = 0; k < ROWS; k++)
        op_put(call, op_gradient(call, 0, k), t->cotangents + k * call->out_size, call->out_size);
}

static void programs_agree_over_views_and_transposes(void **state) {
    for (size_t r = 0; r < BASE_COUNT(rows); r++) {
        trial t;
        op_call call;
        if (rows[r].flags & ALONE) continue;
        open_trial(*state, &rows[r], &t);
        open_call(&t, engine_backend_best(TRUCE_FLOAT64), NULL, &call);
        if (call.out_real && op_input_has_gradient(&t.inputs[0]) && t.size[0] < 10000) {
            gradients_alone(&t, &call);
            check_program(&t, &call, FLAT);
            check_program(&t, &call, REVERSED);
        }
        op_close(&call);
        close_trial(&t);
    }
}

/* ---- shapes ------------------------------------------------------------------------------------------ */

/* With the batch as a number the result has the shape that it has when the batch is left open. */
static void shapes_follow_the_batch(void **state) {
    truce_context *context = *state;
    for (size_t r = 0; r < BASE_COUNT(rows); r++) {
        truce_shape shapes[2];
        for (int batch = 0; batch < 2; batch++) {
            truce_graph *g = NULL;
            op_input inputs[OP_MAX_INPUTS];
            truce_node in[OP_MAX_INPUTS];
            char name[16];
            assert_ok(context, truce_graph_create(context, &g));
            int n = op_inputs(rows[r].c.inputs, batch, inputs);
            for (int i = 0; i < n; i++) {
                snprintf(name, sizeof name, "x%d", i);
                in[i] = op_leaf(g, name, &inputs[i]);
            }
            op_case c = batch ? rows[r].c : without_batch(rows[r].c);
            shapes[batch] = truce_graph_shape(g, c.build(g, in, c.p));
            assert_ok(context, truce_graph_status(g));
            shapes[batch] = engine_resolve(&shapes[batch], OP_BATCH);
            truce_graph_destroy(g);
        }
        if (!truce_shape_equal(&shapes[0], &shapes[1])) fail_msg("%s %s", rows[r].c.op, rows[r].c.inputs);
    }
}

/* A program has room for its largest batch; no smaller one may need more. */
static void smaller_batches_need_no_more_room(void **state) {
    for (size_t r = 0; r < BASE_COUNT(rows); r++) {
        trial t;
        op_call call;
        size_t before[2] = {0, 0};
        open_trial(*state, &rows[r], &t);
        open_call(&t, engine_backend_best(TRUCE_FLOAT64), NULL, &call);
        for (int64_t batch = 0; batch < 70; batch++) {
            truce_shape in[OP_MAX_INPUTS];
            engine_call sized = call.call;
            const engine_node *node = &call.graph->nodes[call.graph->n_nodes - 1];
            for (int i = 0; i < call.n_inputs; i++)
                in[i] = engine_resolve(&call.graph->nodes[call.which[i]].shape, batch);
            sized.in_shape = in;
            sized.out_shape = engine_resolve(&node->shape, batch);
            size_t bytes[2] = {call.op->saved_bytes ? call.op->saved_bytes(&sized) : 0,
                               call.op->scratch_bytes ? call.op->scratch_bytes(&sized) : 0};
            for (int i = 0; i < 2; i++) {
                if (bytes[i] < before[i])
                    fail_msg("%s %s: %s of %d rows is less than of fewer", t.row->c.op, t.row->c.inputs,
                             i ? "scratch" : "saved", (int)batch);
                before[i] = bytes[i];
            }
        }
        op_close(&call);
        close_trial(&t);
    }
}

static void every_operator_has_a_row(void **state) {
#define X(name) #name,
    static const char *const names[] = {ENGINE_OP_TABLE(X)};
#undef X
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        bool found = false;
        for (size_t r = 0; r < BASE_COUNT(rows); r++) found = found || strcmp(rows[r].c.op, names[i]) == 0;
        if (!found) fail_msg("%s has no row", names[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_operator_has_a_row),
        TEST(shapes_follow_the_batch),
        TEST(smaller_batches_need_no_more_room),
        TEST(double_precision_is_right),
        TEST(programs_agree_over_views_and_transposes),
        TEST(backends_agree_with_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
