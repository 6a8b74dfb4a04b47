/*
 * Time per call of operators in single precision: forward and reverse, on one thread and on all. One JSON
 * line per case, direction and number of threads; gb_s counts every array that is read or written once,
 * gflop_s the operator's own count of a forward call, twice that for the reverse call of products.
 *
 *     bench_ops [OPERATOR [BACKEND]]
 */
#include "base/memory.h"
#include "base/progress.h"
#include "support/op_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS 0.08
#define REPEATS 5

#define ROW(name, inputs, ...)                                                                               \
    {                                                                                                        \
#name, inputs, b_##name, {                                                                           \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }

static const op_case cases[] = {
    ROW(linear, "r256x512 r512x512 r512", 1),
    ROW(linear, "r128x64 r64x64 r64", 1),
    ROW(linear, "r1024x1024 r1024x1024", 0),
    ROW(matmul, "r64x64x32 r64x64x32", 2),
    ROW(matmul, "r64x64x64 r64x64x32", 0),
    ROW(add, "r128x64x1024 r128x64x1024"),
    ROW(add, "r8192x64 r64"),
    ROW(multiply, "r256x1024 r256x1024"),
    ROW(relu, "r128x64x1024"),
    ROW(relu, "r256x512"),
    ROW(gelu, "r256x1024"),
    ROW(tanh, "r256x1024"),
    ROW(exp, "r256x1024"),
    ROW(sum, "r256x1024", 1, 0),
    ROW(sum, "r256x1024", 1, 1),
    ROW(mean, "r128x64x1024", 0),
    ROW(max, "r256x1024", 1, 1),
    ROW(transpose, "r64x64x8x32", 0, 2, 1, 3),
    ROW(transpose, "r1024x1024", 1, 0),
    ROW(concat, "r1024x256 r1024x256", 2, 1),
    ROW(slice, "r1024x512", 1, 128, 384, 1),
    ROW(gather, "r4096x64 i4096:8192", 0),
    ROW(embedding, "r50000x64 i50000:256x32"),
    ROW(softmax, "r4096x64", 1),
    ROW(softmax, "r65536x10", 1),
    ROW(log_softmax, "r256x1000", 1),
    ROW(softmax, "r32x21x4096", 1),
    ROW(cross_entropy, "r65536x10 c10:65536", 1),
    ROW(cross_entropy, "r256x1000 c1000:256", 1),
    ROW(cross_entropy, "r8x21x4096 c21:8x4096", 1),
    ROW(binary_cross_entropy, "r256x1024 r256x1024"),
    ROW(squared_error, "r256x1024 t256x1024"),
    ROW(dropout, "r256x1024", 0.1),
    ROW(dropout, "r128x64x1024", 0.1),
    ROW(conv2d, "r64x3x32x32 r16x3x3x3", 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r64x16x32x32 r16x16x3x3", 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r64x32x16x16 r32x32x3x3", 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r64x64x8x8 r64x64x3x3", 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r64x16x32x32 r32x16x3x3", 3, 3, 2, 2, 1, 1),
    ROW(conv2d, "r64x32x16x16 r64x32x1x1", 1, 1, 2, 2),
    ROW(conv2d, "r64x64x32x32 r64x64x3x3", 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r64x256x8x8 r256x256x3x3", 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r64x512x4x4 r512x512x3x3", 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r32x64x28x28 r64x64x1x1", 1, 1),
    ROW(conv2d, "r32x64x28x28 r128x64x3x3", 3, 3, 1, 1, 1, 1),
    ROW(conv2d, "r8x3x224x224 r64x3x7x7", 7, 7, 2, 2, 3, 3),
    ROW(conv2d, "r32x64x28x28 r64x1x3x3", 3, 3, 1, 1, 1, 1, 1, 1, 64),
    ROW(max_pool, "r64x64x32x32", 2, 2),
    ROW(max_pool, "r8x64x112x112", 3, 3, 2, 2, 1, 1),
    ROW(average_pool, "r64x64x32x32", 2, 2),
    ROW(average_pool, "r8x64x112x112", 3, 3, 2, 2, 1, 1),
    ROW(global_pool, "r64x512x8x8"),
    ROW(batch_norm, "r64x64x32x32 s64 s64 r64 r64", 1, 1),
    ROW(batch_norm, "r64x512x4x4 s512 s512 r512 r512", 1, 1),
    ROW(batch_norm, "r256x512 s512 s512 r512 r512", 1, 1),
    ROW(layer_norm, "r4096x64 r64 r64", 1, 1),
    ROW(layer_norm, "r1024x768 r768 r768", 1, 1),
};

static void run_forward(op_call *call) {
    op_forward(call);
}

static void run_reverse(op_call *call) {
    op_vjp(call, 1, op_differentiable(call));
}

/* Seconds of a call: the best of several means. */
static double time_calls(op_call *call, void (*run)(op_call *call)) {
    double best = 1e30;
    int n = 1;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double began = base_seconds(), seconds;
        for (int i = 0; i < n; i++) run(call);
        seconds = base_seconds() - began;
        if (seconds < SECONDS / REPEATS && repeat == 0) {
            n *= seconds > 1e-4 ? (int)(SECONDS / REPEATS / seconds) + 1 : 10;
            repeat--;
            continue;
        }
        if (seconds / n < best) best = seconds / n;
    }
    return best;
}

static double bytes_of(const op_call *call, bool reverse) {
    double elements = (double)call->out_size;
    unsigned flags = call->op->flags, all = op_differentiable(call);
    for (int i = 0; i < call->n_inputs; i++) {
        bool read = !reverse || flags & ENGINE_KEEPS_INPUTS, written = reverse && all >> i & 1u;
        elements += (double)call->size[i] * (read + written);
    }
    if (reverse && flags & ENGINE_KEEPS_OUTPUT) elements += (double)call->out_size;
    return 4 * elements + (double)call->saved_bytes;
}

static double flops_of(const op_call *call, bool reverse) {
    const char *name = call->op->name;
    bool product = strcmp(name, "linear") == 0 || strcmp(name, "matmul") == 0 || strcmp(name, "conv2d") == 0;
    double flops = call->op->flops ? call->op->flops(&call->call) : (double)call->out_size;
    return reverse && product ? 2 * flops : flops;
}

static void fill(op_call *call, const op_case *c) {
    op_input inputs[OP_MAX_INPUTS];
    op_inputs(c->inputs, false, inputs);
    base_rng rng = base_rng_make(1, "bench_ops", 0, 0);
    for (int i = 0; i < call->n_inputs; i++) {
        double *values = malloc(sizeof(double) * (size_t)(call->size[i] + 1));
        op_fill(&rng, &inputs[call->which[i]], values);
        op_set(call, i, values);
        free(values);
    }
    for (int64_t i = 0; i < call->out_size; i++)
        op_put(call, (float *)call->cotangent + i, &(double){0.5}, 1);
}

static void report(op_call *call, const op_case *c, int threads, bool reverse) {
    double seconds = time_calls(call, reverse ? run_reverse : run_forward);
    printf("{\"bench\": \"ops\", \"case\": \"%s\", \"direction\": \"%s\", \"inputs\": \"%s\", \"backend\": "
           "\"%s\", "
           "\"threads\": %d, \"us\": %.1f, \"gflop_s\": %.1f, \"gb_s\": %.1f}\n",
           c->op, reverse ? "reverse" : "forward", c->inputs, call->backend->name, threads, seconds * 1e6,
           flops_of(call, reverse) / seconds * 1e-9, bytes_of(call, reverse) / seconds * 1e-9);
    fflush(stdout);
}

static truce_status run_case(truce_context *context, const op_case *c, const engine_backend *backend,
                             base_team *team) {
    op_call call;
    op_manner manner = {.backend = backend, .team = team, .training = true, .n_rows = 1};
    BASE_TRY(op_open(context, c, &manner, &call));
    fill(&call, c);
    report(&call, c, base_team_size(team), false);
    if (op_differentiable(&call)) report(&call, c, base_team_size(team), true);
    op_close(&call);
    return TRUCE_OK;
}

int main(int n_args, char **args) {
    truce_context *context = NULL;
    const engine_backend *backend =
        n_args > 2 ? engine_backend_named(args[2]) : engine_backend_best(TRUCE_FLOAT32);
    if (!backend || truce_context_create(NULL, &context)) return 1;
    truce_status status = TRUCE_OK;
    for (size_t i = 0; i < BASE_COUNT(cases) && !status; i++) {
        if (n_args > 1 && strcmp(args[1], cases[i].op) != 0) continue;
        status = run_case(context, &cases[i], backend, NULL);
        if (!status && base_team_size(context->team) > 1)
            status = run_case(context, &cases[i], backend, context->team);
    }
    if (status) fprintf(stderr, "bench_ops: %s\n", truce_context_message(context));
    truce_context_destroy(context);
    return status ? 1 : 0;
}
