/*
 * Time per call of each balancing method: Gramian in, weights out. One JSON line per method and number of
 * tasks, with the ratio to `sum`, which does nothing but pass the core.
 *
 *     bench_balance [METHOD]
 */
#include "base/progress.h"
#include "base/rng.h"
#include "truce/balance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TASKS 64
#define N_PROBLEMS 32
#define SECONDS 0.05

static const int sizes[] = {2, 4, 8, 16, 40, 64};

typedef struct problems {
    int n_tasks, n_parameters;
    double gramian[N_PROBLEMS][MOST_TASKS * MOST_TASKS];
    double jacobian[N_PROBLEMS][MOST_TASKS * 2 * MOST_TASKS];
    double losses[MOST_TASKS];
} problems;

/* Gradients with a common part, of lengths that differ by about ten times, many of them in conflict. */
static void make_problems(int n_tasks, problems *p) {
    int width = p->n_parameters = 2 * n_tasks;
    p->n_tasks = n_tasks;
    for (int k = 0; k < N_PROBLEMS; k++) {
        base_rng rng = base_rng_make((uint64_t)k, "bench_balance", (uint64_t)n_tasks, 0);
        for (int i = 0; i < n_tasks; i++) {
            double length = exp(base_rng_normal(&rng));
            for (int j = 0; j < width; j++)
                p->jacobian[k][i * width + j] = length * (base_rng_normal(&rng) + (j == 0));
            p->losses[i] = 0.2 + base_rng_uniform(&rng);
        }
        for (int i = 0; i < n_tasks; i++)
            for (int j = 0; j < n_tasks; j++) {
                double sum = 0;
                for (int c = 0; c < width; c++)
                    sum += p->jacobian[k][i * width + c] * p->jacobian[k][j * width + c];
                p->gramian[k][i * n_tasks + j] = sum;
            }
    }
}

static truce_status call(truce_balancer *balancer, const problems *p, int k) {
    double weights[MOST_TASKS], direction[2 * MOST_TASKS];
    truce_balance_input input = {.losses = p->losses,
                                 .gramian = p->gramian[k],
                                 .cross_gramian = p->gramian[k],
                                 .validation_gramian = p->gramian[k]};
    if (!(truce_balancer_needs(balancer) & TRUCE_NEEDS_JACOBIAN))
        return truce_balancer_weigh(balancer, &input, weights);
    input.dtype = TRUCE_FLOAT64;
    input.jacobian = p->jacobian[k];
    input.n_parameters = p->n_parameters;
    return truce_balancer_aggregate(balancer, &input, direction, weights);
}

/* Microseconds per call, the best of three rounds; negative if the method does not take this many tasks. */
static double measure(truce_context *context, const char *method, const problems *p) {
    truce_balancer *balancer = NULL;
    double best = -1;
    if (truce_balancer_create(context, method, p->n_tasks, &balancer)) return -1;
    for (int round = 0; round < 3; round++) {
        double began = base_seconds(), passed = 0;
        long calls = 0;
        for (; passed < SECONDS; passed = base_seconds() - began)
            for (int k = 0; k < N_PROBLEMS; k++, calls++)
                if (call(balancer, p, k)) goto done;
        if (best < 0 || passed / (double)calls < best) best = passed / (double)calls;
    }
done:
    truce_balancer_destroy(balancer);
    return 1e6 * best;
}

int main(int argc, char **argv) {
    truce_context *context = NULL;
    problems *p = malloc(sizeof *p);
    const truce_method *method;
    if (!p || truce_context_create(&(truce_context_config){.n_threads = 1}, &context)) return 1;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        make_problems(sizes[s], p);
        double reference = measure(context, "sum", p);
        for (int i = 0; (method = truce_method_at(i)); i++) {
            if (argc > 1 && strcmp(argv[1], method->name) != 0) continue;
            double time = measure(context, method->name, p);
            if (time < 0) continue;
            printf("{\"bench\": \"balance\", \"method\": \"%s\", \"tasks\": %d, \"us\": %.3f, \"of_sum\": "
                   "%.1f}\n",
                   method->name, sizes[s], time, time / reference);
        }
    }
    truce_context_destroy(context);
    free(p);
    return 0;
}
