/*
 * Timing for benchmarks: medians of repeated batches, one JSON line per case.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/progress.h"
#include "base/rng.h"
#include "truce/engine.h"

#include <stdio.h>
#include <stdlib.h>

#define BENCH_REPEATS 15

static int bench_compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median of n numbers, which are sorted in passing. */
static inline double bench_median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, bench_compare);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* Seconds of one call of fn(arg): the mean over about `seconds` of calls. */
static inline double bench_time(void (*fn)(void *), void *arg, double seconds) {
    long n = 1;
    for (;;) {
        double began = base_seconds();
        for (long i = 0; i < n; i++) fn(arg);
        double took = base_seconds() - began;
        if (took >= seconds) return took / (double)n;
        n = took > 0 ? (long)(1.2 * seconds / took * (double)n) + 1 : 10 * n;
    }
}

/* Ends the benchmark with the context's message if a call failed. */
static inline void bench_must(truce_context *context, truce_status status) {
    if (!status) return;
    fprintf(stderr, "%s\n", context ? truce_context_message(context) : truce_status_text(status));
    exit(1);
}

/* Standard normal numbers, the same in every run. */
static inline void bench_fill(void *values, int64_t n) {
    base_rng rng = base_rng_make(1, "bench", 0, 0);
    for (int64_t i = 0; i < n; i++) ((float *)values)[i] = (float)base_rng_normal(&rng);
}

/* A dense layer named NAME.weight, NAME.bias. */
static inline truce_node bench_layer(truce_graph *graph, const char *name, truce_node x, int64_t out) {
    char text[64];
    truce_init init = {TRUCE_INIT_UNIFORM, 0.1};
    truce_shape shape = truce_graph_shape(graph, x);
    snprintf(text, sizeof text, "%s.weight", name);
    truce_node w = truce_graph_parameter(graph, text, (truce_shape){2, {out, shape.dims[1]}}, init);
    snprintf(text, sizeof text, "%s.bias", name);
    return truce_op_linear(graph, x, w, truce_graph_parameter(graph, text, (truce_shape){1, {out}}, init));
}

#endif
