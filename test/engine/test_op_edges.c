/*
 * What operators do at the edges: missing targets, impossible indices, kinks, NaN, running statistics, and
 * shapes that do not fit.
 */
#include "support/test.h"

#include "support/op_cases.h"

#include <math.h>

enum { MOST = 64 };

static const engine_backend *exact(void) {
    return engine_backend_best(TRUCE_FLOAT64);
}

/* A call in double with one cotangent of ones. */
static void open_call(truce_context *context, const op_case *c, bool training, op_call *call) {
    op_manner manner = {.backend = exact(), .training = training, .n_rows = 1};
    assert_ok(context, op_open(context, c, &manner, call));
    for (int64_t i = 0; i < call->out_size; i++) ((double *)call->cotangent)[i] = 1;
}

static double *input(const op_call *call, int i) {
    return call->in[i];
}

static void set(const op_call *call, int i, const double *values) {
    op_set(call, i, values);
}

static const double *out(const op_call *call) {
    return call->call.out;
}

static const double *gradient(op_call *call, int i) {
    op_vjp(call, 1, 1u << i);
    return op_gradient(call, i, 0);
}

/* ---- losses ------------------------------------------------------------------------------------------ */

static const op_case losses[] = {
    {"squared_error", "r3x4 r3x4", b_squared_error, {0}},
    {"absolute_error", "r3x4 r3x4", b_absolute_error, {0}},
    {"huber", "r3x4 r3x4", b_huber, {1}},
    {"binary_cross_entropy", "r3x4 r3x4", b_binary_cross_entropy, {0}},
    {"cross_entropy", "r3x4 i4:3", b_cross_entropy, {1}},
    {"cross_entropy", "r3x4 i3:4", b_cross_entropy, {0}},
};

static void losses_without_labels_are_zero(void **state) {
    for (size_t l = 0; l < sizeof losses / sizeof *losses; l++) {
        op_call call;
        double missing[12];
        open_call(*state, &losses[l], true, &call);
        for (int i = 0; i < 12; i++) {
            missing[i] = call.real[1] ? (double)NAN : -1 - i;
            input(&call, 0)[i] = i % 3 ? 1e300 : (double)NAN; /* must not matter */
        }
        set(&call, 1, missing);
        op_forward(&call);
        assert_true(out(&call)[0] == 0);
        assert_int_equal(0, call.op->labelled(&call.call));
        for (int i = 0; i < 12; i++) assert_true(gradient(&call, 0)[i] == 0);
        op_close(&call);
    }
}

static void losses_count_their_labels(void **state) {
    for (size_t l = 0; l < sizeof losses / sizeof *losses; l++) {
        op_call call;
        double targets[12];
        open_call(*state, &losses[l], true, &call);
        for (int i = 0; i < 12; i++) {
            input(&call, 0)[i] = 0.1 * i;
            targets[i] = i == 2 ? 1 : call.real[1] ? (double)NAN : -5;
        }
        set(&call, 1, targets);
        op_forward(&call);
        assert_int_equal(1, call.op->labelled(&call.call));
        assert_true(out(&call)[0] > 0);
        op_close(&call);
    }
}

/* Logits far outside of exp's range. */
static void class_losses_are_stable(void **state) {
    static const double logits[3] = {1e4, -1e4, 9.999e3}, certain[2] = {1e4, -1e4}, labels[2] = {1, 0};
    op_call call;
    open_call(*state, &(op_case){"cross_entropy", "r1x3 i3:1", b_cross_entropy, {1}}, true, &call);
    set(&call, 0, logits);
    ((int32_t *)call.in[1])[0] = 2;
    op_forward(&call);
    assert_near(out(&call)[0], log1p(exp(-1.0)) + 1, 1e-9);
    assert_near(gradient(&call, 0)[2], 1 / (1 + exp(1.0)) - 1, 1e-9);
    op_close(&call);
    open_call(*state, &(op_case){"binary_cross_entropy", "r2 r2", b_binary_cross_entropy, {0}}, true, &call);
    set(&call, 0, certain);
    set(&call, 1, labels);
    op_forward(&call);
    assert_true(out(&call)[0] == 0);
    set(&call, 1, (const double[]){0, 0.5});
    op_forward(&call);
    assert_near(out(&call)[0], (1e4 + 5e3) / 2, 1e-12);
    op_close(&call);
}

/* ---- indices ----------------------------------------------------------------------------------------- */

static void impossible_indices_stop_the_run(void **state) {
    static const op_case cases[] = {
        {"gather", "r5x3 i5:4", b_gather, {0}},
        {"gather", "r2x5 i5:4", b_gather, {1}},
        {"gather", "i9:5x3 i5:4", b_gather, {0}},
        {"embedding", "r5x3 i5:4", b_embedding, {0}},
        {"cross_entropy", "r4x5 i5:4", b_cross_entropy, {1}},
        {"cross_entropy", "r5x4 i5:4", b_cross_entropy, {0}},
    };
    static const int32_t impossible[] = {5, 6, 1000000, INT32_MAX, -1, INT32_MIN};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
            op_call call;
            bool missing = impossible[i] < 0 && cases[c].build == b_cross_entropy;
            open_call(*state, &cases[c], true, &call);
            ((int32_t *)call.in[1])[2] = impossible[i];
            op_forward(&call);
            assert_int_equal(missing ? TRUCE_OK : TRUCE_ERROR_RANGE, call.status);
            if (op_differentiable(&call)) op_vjp(&call, 1, op_differentiable(&call));
            assert_true(op_guards_hold(&call));
            op_close(&call);
        }
}

static void programs_report_impossible_indices(void **state) {
    truce_context *context = *state;
    truce_graph *g = NULL;
    truce_parameters *parameters = NULL;
    truce_program *program = NULL;
    assert_ok(context, truce_graph_create(context, &g));
    truce_node table = truce_graph_parameter(g, "table", truce_shape_of(2, 4, 2), (truce_init){0});
    truce_node words = truce_graph_input(g, "words", TRUCE_INDEX, truce_shape_of(1, TRUCE_BATCH));
    truce_node rows = truce_graph_name(g, truce_op_embedding(g, table, words), "look-up");
    truce_graph_task(g, "task", truce_op_mean(g, rows, 0, NULL));
    assert_ok(context, truce_parameters_create(g, TRUCE_FLOAT32, &parameters));
    assert_ok(context, truce_program_create(parameters, &(truce_program_config){.max_batch = 3}, &program));
    int32_t *values = truce_program_values(program, words);
    values[0] = values[1] = values[2] = 3;
    assert_ok(context, truce_program_forward(program, &(truce_run){.n_rows = 3}));
    values[2] = 4;
    assert_fails(context, TRUCE_ERROR_RANGE, "look-up",
                 truce_program_forward(program, &(truce_run){.n_rows = 3}));
    assert_ok(context, truce_program_forward(program, &(truce_run){.n_rows = 2}));
    truce_program_destroy(program);
    truce_parameters_destroy(parameters);
    truce_graph_destroy(g);
}

/* ---- kinks and NaN ----------------------------------------------------------------------------------- */

static void kinks_have_the_documented_gradients(void **state) {
    static const struct {
        op_case c;
        double in[2][4], gradient[2][4];
    } kinks[] = {
        {{"relu", "r3", b_relu, {0}}, {{-1, 0, 1}}, {{0, 0, 1}}},
        {{"leaky_relu", "r3", b_leaky_relu, {0.5}}, {{-1, 0, 1}}, {{0.5, 0.5, 1}}},
        {{"abs", "r3", b_abs, {0}}, {{-1, 0, 1}}, {{-1, 0, 1}}},
        {{"maximum", "r3 r3", b_maximum, {0}}, {{1, 2, 3}, {2, 2, 2}}, {{0, 1, 1}, {1, 0, 0}}},
        {{"minimum", "r3 r3", b_minimum, {0}}, {{1, 2, 3}, {2, 2, 2}}, {{1, 1, 0}, {0, 0, 1}}},
        {{"max", "r4", b_max, {0}}, {{1, 2, 2, 1}}, {{0, 1, 0, 0}}},
        {{"max", "r2x2", b_max, {1, 0}}, {{1, 2, 1, 2}}, {{1, 1, 0, 0}}},
        {{"max_pool", "r2x2", b_max_pool, {2, 2}}, {{2, 1, 2, 2}}, {{1, 0, 0, 0}}},
        {{"max_pool", "r1x3", b_max_pool, {1, 3}}, {{1, 2, 2}}, {{0, 1, 0}}},
        {{"huber", "r2 r2", b_huber, {1}}, {{1, -1}, {0, 0}}, {{0.5, -0.5}}},
        {{"absolute_error", "r2 r2", b_absolute_error, {0}}, {{1, 1}, {1, 0}}, {{0, 0.5}}},
    };
    for (size_t k = 0; k < sizeof kinks / sizeof *kinks; k++) {
        op_call call;
        open_call(*state, &kinks[k].c, true, &call);
        for (int i = 0; i < call.n_inputs; i++) set(&call, i, kinks[k].in[i]);
        op_forward(&call);
        for (int i = 0; i < call.n_inputs; i++) {
            if (!(op_differentiable(&call) >> i & 1u)) continue;
            const double *found = gradient(&call, i);
            for (int64_t j = 0; j < call.size[i]; j++)
                if (found[j] != kinks[k].gradient[i][j])
                    fail_msg("%s: gradient %d at %d is %g", kinks[k].c.op, i, (int)j, found[j]);
        }
        op_close(&call);
    }
}

/* Every backend, and rows longer than its vectors: no maximum may hide a NaN. */
static void maxima_show_nan(void **state) {
    static const op_case cases[] = {
        {"max", "r1x70", b_max, {1, 1}},
        {"max", "r70x1", b_max, {1, 0}},
        {"max", "r70x2", b_max, {1, 0}},
        {"max_pool", "r2x70", b_max_pool, {2, 2}},
        {"max_pool", "r3x70", b_max_pool, {3, 3, 1, 1, 1, 1}},
    };
    for (int b = 0; engine_backend_name_at(b); b++)
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            op_call call;
            op_manner manner = {.backend = engine_backend_named(engine_backend_name_at(b)), .n_rows = 1};
            if (!manner.backend) continue;
            assert_ok(*state, op_open(*state, &cases[c], &manner, &call));
            for (int64_t at = 0; at < call.size[0]; at += 7) {
                double values[210], found[210];
                int n_nan = 0;
                for (int64_t i = 0; i < call.size[0]; i++) values[i] = i == at ? (double)NAN : sin((double)i);
                op_set(&call, 0, values);
                op_forward(&call);
                op_get(&call, call.call.out, found, call.out_size);
                for (int64_t i = 0; i < call.out_size; i++) n_nan += isnan(found[i]) != 0;
                assert_true(n_nan > 0);
            }
            op_close(&call);
        }
}

static void windows_of_padding_are_minus_infinity(void **state) {
    op_call call;
    open_call(*state, &(op_case){"max_pool", "r2x2", b_max_pool, {2, 2, 1, 1, 2, 2}}, true, &call);
    set(&call, 0, (const double[]){1, 2, 3, 4});
    op_forward(&call);
    assert_int_equal(25, call.out_size);
    assert_true(out(&call)[0] == -INFINITY && out(&call)[6] == 1 && out(&call)[12] == 4);
    assert_true(gradient(&call, 0)[0] == 1 && gradient(&call, 0)[3] == 4);
    op_close(&call);
    open_call(*state, &(op_case){"average_pool", "r2x2", b_average_pool, {2, 2, 1, 1, 2, 2}}, true, &call);
    set(&call, 0, (const double[]){1, 2, 3, 4});
    op_forward(&call);
    assert_true(out(&call)[0] == 0 && out(&call)[6] == 1 && out(&call)[12] == 2.5);
    op_close(&call);
}

/* ---- dropout ----------------------------------------------------------------------------------------- */

static void dropout_keeps_its_share_and_depends_on_the_step(void **state) {
    enum { N = 100000 };
    static double first[N], again[N];
    op_call call;
    open_call(*state, &(op_case){"dropout", "r100000", b_dropout, {0.3}}, true, &call);
    for (int i = 0; i < N; i++) input(&call, 0)[i] = 1;
    op_forward(&call);
    double kept = 0, same = 0;
    memcpy(first, out(&call), sizeof first);
    for (int i = 0; i < N; i++) {
        assert_true(first[i] == 0 || fabs(first[i] - 1 / 0.7) < 1e-12);
        kept += first[i] != 0;
    }
    assert_true(fabs(kept / N - 0.7) < 4 * sqrt(0.21 / N));
    op_forward(&call);
    assert_memory_equal(first, out(&call), sizeof first);
    for (int what = 0; what < 3; what++) {
        call.call.seed = 7 + (what == 0), call.call.step = 3 + (what == 1), call.call.node = 5 + (what == 2);
        op_forward(&call);
        memcpy(again, out(&call), sizeof again);
        same = 0;
        for (int i = 0; i < N; i++) same += (first[i] == 0) == (again[i] == 0);
        assert_true(fabs(same / N - (0.49 + 0.09)) < 0.01);
    }
    op_close(&call);
}

/* ---- norms ------------------------------------------------------------------------------------------- */

static void batch_norm_moves_its_running_statistics(void **state) {
    static const op_case c = {"batch_norm", "r3x2x2 s2 s2", b_batch_norm, {0}};
    static const double x[12] = {1, 2, 10, 20, 3, 4, 30, 40, 5, 6, 50, 60}, mean[2] = {7, 8},
                        variance[2] = {2, 3};
    op_call call;
    open_call(*state, &c, true, &call);
    set(&call, 0, x), set(&call, 1, mean), set(&call, 2, variance);
    op_forward(&call); /* frozen, as the support has it */
    assert_memory_equal(mean, call.in[1], sizeof mean);
    assert_memory_equal(variance, call.in[2], sizeof variance);
    call.call.freeze_state = false;
    op_forward(&call);
    assert_near(input(&call, 1)[0], 0.9 * 7 + 0.1 * 3.5, 1e-14);
    assert_near(input(&call, 1)[1], 0.9 * 8 + 0.1 * 35, 1e-14);
    assert_near(input(&call, 2)[0], 0.9 * 2 + 0.1 * 3.5, 1e-14); /* unbiased: 17.5 / 5 */
    assert_near(input(&call, 2)[1], 0.9 * 3 + 0.1 * 350, 1e-13);
    call.call.training = false;
    op_forward(&call);
    assert_near(out(&call)[0], (1 - input(&call, 1)[0]) / sqrt(input(&call, 2)[0] + 1e-5), 1e-14);
    assert_near(input(&call, 1)[0], 0.9 * 7 + 0.1 * 3.5, 1e-14);
    op_close(&call);
}

static void norms_survive_equal_numbers(void **state) {
    static const op_case cases[] = {
        {"batch_norm", "r3x2 s2 s2 r2 r2", b_batch_norm, {1, 1}},
        {"batch_norm", "r1x2 s2 s2 r2 r2", b_batch_norm, {1, 1}},
        {"batch_norm", "r2x2x6x6 s2 s2 r2 r2", b_batch_norm, {1, 1}},
        {"layer_norm", "r3x2 r2 r2", b_layer_norm, {1, 1}},
        {"layer_norm", "r3x1 r1 r1", b_layer_norm, {1, 1}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        op_call call;
        double values[144], shift[2] = {0.25, -4}, variance[2] = {3, 3};
        bool by_batch = cases[c].build == b_batch_norm;
        open_call(*state, &cases[c], true, &call);
        int last = call.n_inputs - 1;
        for (int i = 0; i < 144; i++) values[i] = 1e6 + 1;
        set(&call, 0, values), set(&call, last - 1, shift), set(&call, last, shift);
        if (by_batch) set(&call, 2, variance);
        call.call.freeze_state = false;
        op_forward(&call);
        for (int64_t i = 0; i < call.out_size; i++) assert_true(out(&call)[i] == 0.25 || out(&call)[i] == -4);
        for (int i = 0; i < call.n_inputs; i++)
            for (int64_t j = 0; j < call.size[i] && op_differentiable(&call) >> i & 1u; j++)
                assert_true(isfinite(gradient(&call, i)[j]));
        if (by_batch && call.shape[0].dims[0] == 1)
            assert_true(input(&call, 2)[0] == 3); /* one number has no unbiased variance */
        op_close(&call);
    }
}

/* Numbers whose spread is small beside their size. */
static void variances_are_found_far_from_zero(void **state) {
    op_call call;
    op_manner manner = {.backend = engine_backend_best(TRUCE_FLOAT32), .training = true, .n_rows = 1};
    static const op_case cases[] = {{"batch_norm", "r64x1x8x8 s1 s1", b_batch_norm, {0}},
                                    {"batch_norm", "r4096x1 s1 s1", b_batch_norm, {0}},
                                    {"layer_norm", "r1x4096", b_layer_norm, {0}}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        assert_ok(*state, op_open(*state, &cases[c], &manner, &call));
        double sum = 0, squares = 0;
        for (int i = 0; i < 4096; i++)
            ((float *)call.in[0])[i] = 4096 + (float)((unsigned)i * 2654435761u >> 22) / 256;
        op_forward(&call);
        for (int i = 0; i < 4096; i++) sum += (double)((const float *)call.call.out)[i];
        for (int i = 0; i < 4096; i++) squares += pow((double)((const float *)call.call.out)[i], 2);
        assert_near(sum / 4096, 0, 1e-3);
        assert_near(squares / 4096, 1, 1e-4);
        op_close(&call);
    }
}

/* ---- mistakes ---------------------------------------------------------------------------------------- */

static void mistakes_are_explained_with_the_shapes(void **state) {
    static const struct {
        op_case c;
        truce_status status;
        const char *text;
    } mistakes[] = {
        {{"matmul", "r3x4 r3x4", b_matmul, {0}}, TRUCE_ERROR_SHAPE, "[3, 4] and [3, 4] cannot be multiplied"},
        {{"matmul", "r3x4 r3x4", b_matmul, {3}},
         TRUCE_ERROR_SHAPE,
         "[3, 4] transposed and [3, 4] transposed"},
        {{"matmul", "r2x3x4 r3x4x5", b_matmul, {0}}, TRUCE_ERROR_SHAPE, "[2, 3, 4] and [3, 4, 5]"},
        {{"matmul", "r4 r4x5", b_matmul, {0}}, TRUCE_ERROR_SHAPE, "[4] and [4, 5]"},
        {{"transpose", "r3x4", b_transpose, {0, 0}}, TRUCE_ERROR_ARGUMENT, "axis 0 stands twice"},
        {{"transpose", "r3x4", b_transpose, {0, 2}}, TRUCE_ERROR_RANGE, "no axis 2 among 2"},
        {{"concat", "r3x4 r3x5 r2x4", b_concat, {3, 1}},
         TRUCE_ERROR_SHAPE,
         "part 2, [2, 4], does not fit [3, 4]"},
        {{"concat", "rbx4 r3x4", b_concat, {2, 0}},
         TRUCE_ERROR_SHAPE,
         "part 1, [3, 4], does not fit [batch, 4]"},
        {{"concat", "r3 i3:3", b_concat, {2, 0}}, TRUCE_ERROR_SHAPE, "part 1"},
        {{"concat", "r3", b_concat, {0, 0}}, TRUCE_ERROR_ARGUMENT, "no parts"},
        {{"slice", "r3x4", b_slice, {1, 0, 5, 1}},
         TRUCE_ERROR_RANGE,
         "0 to 5 by steps of 1 is no part of axis 1 of [3, 4]"},
        {{"slice", "r3x4", b_slice, {1, 0, 4, 0}}, TRUCE_ERROR_RANGE, "steps of 0"},
        {{"slice", "rbx4", b_slice, {0, 0, 1, 1}}, TRUCE_ERROR_SHAPE, "the batch, which cannot be cut"},
        {{"gather", "r3x4 r2", b_gather, {0}}, TRUCE_ERROR_TYPE, "must be indices"},
        {{"gather", "r3x4 i3:2", b_gather, {2}}, TRUCE_ERROR_RANGE, "no axis 2 among 2"},
        {{"embedding", "r3 i3:2", b_embedding, {0}}, TRUCE_ERROR_SHAPE, "not [3]"},
        {{"softmax", "r3x4", b_softmax, {2}}, TRUCE_ERROR_RANGE, "no axis 2 among 2"},
        {{"softmax", "i3:3x4", b_softmax, {1}}, TRUCE_ERROR_TYPE, "not indices"},
        {{"dropout", "r3", b_dropout, {1}}, TRUCE_ERROR_RANGE, "[0, 1), not 1"},
        {{"dropout", "r3", b_dropout, {-0.1}}, TRUCE_ERROR_RANGE, "not -0.1"},
        {{"conv2d", "r2x3x5x5 r4x2x3x3", b_conv2d, {3, 3}},
         TRUCE_ERROR_SHAPE,
         "[2, 3, 5, 5], which does not fit a weight of [4, 2, 3, 3] with 1 groups"},
        {{"conv2d", "r2x4x5x5 r3x2x3x3", b_conv2d, {3, 3, 0, 0, 0, 0, 0, 0, 2}},
         TRUCE_ERROR_SHAPE,
         "with 2 groups"},
        {{"conv2d", "r2x2x5x5 r3x2x3x3", b_conv2d, {3, 2}},
         TRUCE_ERROR_SHAPE,
         "window is 3 x 2, but the weight is [3, 2, 3, 3]"},
        {{"conv2d", "r2x2x5x2 r3x2x3x3", b_conv2d, {3, 3}},
         TRUCE_ERROR_SHAPE,
         "window of 3 x 3 with dilation 1 x 1 does not fit into [2, 2, 5, 2]"},
        {{"conv2d", "r2x2x5x5 r3x2x3x3 r2", b_conv2d, {3, 3, 0, 0, 0, 0, 0, 0, 1, 1}},
         TRUCE_ERROR_SHAPE,
         "the bias is [2], but the weight is [3, 2, 3, 3]"},
        {{"conv2d", "r2x2x5x5 r3x2x3x3", b_conv2d, {3, 3, -1, 1}}, TRUCE_ERROR_RANGE, "stride"},
        {{"max_pool", "r5", b_max_pool, {2, 2}}, TRUCE_ERROR_SHAPE, "[5], which holds no images"},
        {{"max_pool", "r5xb", b_max_pool, {2, 2}}, TRUCE_ERROR_SHAPE, "[5, batch], which holds no images"},
        {{"max_pool", "r5x5", b_max_pool, {6, 2}}, TRUCE_ERROR_SHAPE, "does not fit into [5, 5]"},
        {{"max_pool", "r500x500", b_max_pool, {300, 300}}, TRUCE_ERROR_UNSUPPORTED, "300 x 300 is too large"},
        {{"average_pool", "r5x5", b_average_pool, {0, 2}}, TRUCE_ERROR_RANGE, "sensible"},
        {{"global_pool", "r5", b_global_pool, {0}}, TRUCE_ERROR_SHAPE, "x is [5]"},
        {{"batch_norm", "r3x4 s4 s5", b_batch_norm, {0}},
         TRUCE_ERROR_SHAPE,
         "running variance is [5], but x is [3, 4]"},
        {{"batch_norm", "r3x4 s4 s4 r3", b_batch_norm, {0, 1}}, TRUCE_ERROR_SHAPE, "the shift is [3]"},
        {{"batch_norm", "r3x4 r4 r4", b_batch_norm, {0}}, TRUCE_ERROR_ARGUMENT, "must be states"},
        {{"batch_norm", "r3 s3 s3", b_batch_norm, {0}}, TRUCE_ERROR_SHAPE, "[3]"},
        {{"layer_norm", "r3x4 r3", b_layer_norm, {1}},
         TRUCE_ERROR_SHAPE,
         "the scale is [3], but x is [3, 4]"},
        {{"cross_entropy", "r3x4 i4:4", b_cross_entropy, {1}},
         TRUCE_ERROR_SHAPE,
         "targets are [4], but logits are [3, 4] with the classes on axis 1"},
        {{"cross_entropy", "r3x4 r3", b_cross_entropy, {1}}, TRUCE_ERROR_TYPE, "targets that are indices"},
        {{"binary_cross_entropy", "r3x4 r3", b_binary_cross_entropy, {0}},
         TRUCE_ERROR_SHAPE,
         "predictions are [3, 4], but targets are [3]"},
        {{"huber", "r3 r3", b_huber, {0}}, TRUCE_ERROR_RANGE, "delta must be positive"},
        {{"reshape", "rbx6", b_reshape, {2, 4, 4}}, TRUCE_ERROR_SHAPE, "[batch, 6] cannot become [4, 4]"},
    };
    for (size_t m = 0; m < sizeof mistakes / sizeof *mistakes; m++) {
        op_call call;
        op_manner manner = {.backend = exact(), .n_rows = 1};
        assert_fails(*state, mistakes[m].status, mistakes[m].text,
                     op_open(*state, &mistakes[m].c, &manner, &call));
        if (!strstr(truce_context_message(*state), mistakes[m].c.op))
            fail_msg("'%s' does not name %s", truce_context_message(*state), mistakes[m].c.op);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(losses_without_labels_are_zero),
        TEST(losses_count_their_labels),
        TEST(class_losses_are_stable),
        TEST(impossible_indices_stop_the_run),
        TEST(programs_report_impossible_indices),
        TEST(kinks_have_the_documented_gradients),
        TEST(maxima_show_nan),
        TEST(windows_of_padding_are_minus_infinity),
        TEST(dropout_keeps_its_share_and_depends_on_the_step),
        TEST(batch_norm_moves_its_running_statistics),
        TEST(norms_survive_equal_numbers),
        TEST(variances_are_found_far_from_zero),
        TEST(mistakes_are_explained_with_the_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
