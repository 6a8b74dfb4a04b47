/*
 * dropout: in training, each element is zeroed with probability `rate`, the others divided by 1 - rate.
 *
 * Whether element i is kept depends on (seed, step, node, i) only: groups of 256 elements take the words of
 * 64 blocks of Philox4x32-10 (Salmon et al., SC 2011), whose key comes from the seed and whose stream from
 * step and node. The 64 blocks are computed side by side, so that the compiler can use vectors. `saved` holds
 * a byte per element, 1 if it was kept.
 */
#include "engine/ops/kernel.h"

#include "base/rng.h"

enum { LANES = 64, GROUP = 4 * LANES };
_Static_assert(KERNEL_GRAIN % GROUP == 0, "chunks hold whole groups");

typedef struct dropout_job {
    base_rng rng; /* its key and stream; the counter is the group's */
    uint32_t threshold;
    real scale;
    bool adds;
    unsigned char *kept;
    const real *from;
    real *to;
} dropout_job;

static truce_status shape(engine_shape_call *call) {
    if (call->in_type[0] == TRUCE_REAL) return TRUCE_OK;
    return base_fail(call->context, TRUCE_ERROR_TYPE, "takes real numbers, not indices");
}

static bool acts(const engine_call *call) {
    return call->training && call->settings->r[0] > 0;
}

static size_t saved_bytes(const engine_call *call) {
    return acts(call) ? (size_t)kernel_size(&call->out_shape) : 0;
}

static dropout_job make_job(const engine_call *call, const void *from, void *to) {
    double rate = call->settings->r[0];
    return (dropout_job){.threshold = (uint32_t)(rate * 4294967296.0),
                         .scale = (real)(1 / (1 - rate)),
                         .kept = call->saved,
                         .from = from,
                         .to = to};
}

/* Blocks first .. first + LANES - 1 of the stream; words[w LANES + lane] is word w of block first + lane. */
static void draw(const base_rng *rng, uint64_t first, uint32_t words[GROUP]) {
    uint32_t *RESTRICT c0 = words, *RESTRICT c1 = c0 + LANES, *RESTRICT c2 = c1 + LANES,
                       *RESTRICT c3 = c2 + LANES;
    uint32_t key0 = rng->key[0], key1 = rng->key[1];
    for (uint32_t lane = 0; lane < LANES; lane++) {
        c0[lane] = (uint32_t)first + lane; /* first is a multiple of LANES: no carry */
        c1[lane] = (uint32_t)(first >> 32);
        c2[lane] = rng->counter[2];
        c3[lane] = rng->counter[3];
    }
    for (int round = 0; round < 10; round++) {
#pragma omp simd
        for (int lane = 0; lane < LANES; lane++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[lane], p1 = (uint64_t)0xCD9E8D57u * c2[lane];
            c0[lane] = (uint32_t)(p1 >> 32) ^ c1[lane] ^ key0;
            c2[lane] = (uint32_t)(p0 >> 32) ^ c3[lane] ^ key1;
            c1[lane] = (uint32_t)p1;
            c3[lane] = (uint32_t)p0;
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

static void apply(const dropout_job *job, int64_t begin, int64_t end) {
    const real scale = job->scale, *from = job->from;
    const unsigned char *kept = job->kept;
    real *to = job->to;
    if (job->adds)
#pragma omp simd
        for (int64_t i = begin; i < end; i++) to[i] += kept[i] ? from[i] * scale : 0;
    else
#pragma omp simd
        for (int64_t i = begin; i < end; i++) to[i] = kept[i] ? from[i] * scale : 0;
}

static void draw_and_apply(void *arg, int64_t begin, int64_t end, int worker) {
    const dropout_job *job = arg;
    (void)worker;
    for (int64_t group = begin; group < end; group += GROUP) {
        uint32_t words[GROUP];
        int64_t n = BASE_MIN(GROUP, end - group);
        unsigned char *RESTRICT kept = job->kept + group;
        draw(&job->rng, (uint64_t)(group / 4), words);
        for (int64_t i = 0; i < n; i++) kept[i] = words[i] >= job->threshold;
        apply(job, group, group + n);
    }
}

static void apply_part(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    apply(arg, begin, end);
}

/* In evaluation the values pass through. */
static void pass_part(void *arg, int64_t begin, int64_t end, int worker) {
    const dropout_job *job = arg;
    (void)worker;
    if (job->adds)
        for (int64_t i = begin; i < end; i++) job->to[i] += job->from[i];
    else if (job->from != job->to)
        memcpy(job->to + begin, job->from + begin, (size_t)(end - begin) * sizeof(real));
}

static void forward(const engine_call *call) {
    dropout_job job = make_job(call, call->in[0], call->out);
    job.rng = base_rng_make(call->seed, "dropout", call->step, (uint64_t)call->node);
    base_parallel(call->team, kernel_size(&call->out_shape), KERNEL_GRAIN,
                  acts(call) ? draw_and_apply : pass_part, &job);
}

static void vjp(const engine_call *call) {
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        dropout_job job = make_job(call, kernel_cotangent(call, k), kernel_d_in(call, 0, k));
        job.adds = kernel_adds(call, 0);
        base_parallel(call->team, kernel_size(&call->out_shape), KERNEL_GRAIN,
                      acts(call) ? apply_part : pass_part, &job);
    }
}

static void jvp(const engine_call *call) {
    dropout_job job = make_job(call, call->t_in[0], call->t_out);
    base_parallel(call->team, kernel_size(&call->out_shape), KERNEL_GRAIN,
                  acts(call) ? apply_part : pass_part, &job);
}

KERNEL_OP(dropout) = {.name = "dropout",
                      .min_inputs = 1,
                      .max_inputs = 1,
                      .flags = ENGINE_IN_PLACE | ENGINE_DIFFERENTIABLE,
                      .shape = shape,
                      .forward = forward,
                      .vjp = vjp,
                      .jvp = jvp,
                      .saved_bytes = saved_bytes};

#ifdef ENGINE_BUILDERS

truce_node truce_op_dropout(truce_graph *graph, truce_node x, double rate) {
    if (!(rate >= 0 && rate < 1))
        return engine_graph_mistake(graph, TRUCE_ERROR_RANGE, "dropout: the rate must be in [0, 1), not %g",
                                    rate);
    return engine_graph_add(graph, ENGINE_OP_dropout, 1, &x, &(engine_settings){.r = {rate}});
}

#endif
