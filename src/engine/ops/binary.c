/*
 * Elementwise arithmetic on two values with NumPy's broadcasting.
 *
 * The result is walked in runs along its last axis; within a run an operand advances by 1 or stands still
 * (0). Equal shapes are one long run. The gradient of a repeated operand is summed in the order of the
 * result: threads share elements of the gradient, never the elements of a sum.
 */
#include "engine/ops/kernel.h"

enum { LEFT, RIGHT };

/* One function over a run of n elements, and its derivative by one side times dy. */
typedef void (*run_values)(const real *a, int64_t sa, const real *b, int64_t sb, real *out, int64_t n);
typedef void (*run_slopes)(int side, const real *dy, const real *a, int64_t sa, const real *b, int64_t sb,
                           real *out, int64_t n);

typedef struct walk {
    int n_dims; /* of the result without its last axis */
    int64_t dims[TRUCE_MAX_DIMS], stride[2][TRUCE_MAX_DIMS];
    int64_t n_runs, run, step[2]; /* length of a run and the operands' steps in it */
} walk;

typedef struct binary_job {
    const engine_call *call;
    walk walk;
    run_values values;
    run_slopes slopes;
    int64_t grain;
} binary_job;

static truce_status shape(engine_shape_call *call) {
    const truce_shape *a = &call->in[0], *b = &call->in[1];
    char at[ENGINE_SHAPE_TEXT_BYTES], bt[ENGINE_SHAPE_TEXT_BYTES];
    if (call->in_type[0] != TRUCE_REAL || call->in_type[1] != TRUCE_REAL)
        return base_fail(call->context, TRUCE_ERROR_TYPE, "takes real numbers, not indices");
    call->out.n_dims = BASE_MAX(a->n_dims, b->n_dims);
    for (int i = 1; i <= call->out.n_dims; i++) {
        int64_t da = i <= a->n_dims ? a->dims[a->n_dims - i] : 1,
                db = i <= b->n_dims ? b->dims[b->n_dims - i] : 1;
        if (da != db && da != 1 && db != 1)
            return base_fail(call->context, TRUCE_ERROR_SHAPE, "%s and %s cannot be combined",
                             engine_shape_text(a, at), engine_shape_text(b, bt));
        call->out.dims[call->out.n_dims - i] = da == 1 ? db : da;
    }
    return TRUCE_OK;
}

static void operand_strides(const truce_shape *operand, const truce_shape *out, int64_t *stride) {
    int64_t step = 1;
    for (int i = 1; i <= out->n_dims; i++) {
        int64_t size = i <= operand->n_dims ? operand->dims[operand->n_dims - i] : 1;
        stride[out->n_dims - i] = size == 1 ? 0 : step;
        step *= size;
    }
}

static walk make_walk(const engine_call *call) {
    const truce_shape *out = &call->out_shape;
    int64_t n = kernel_size(out);
    if (out->n_dims == 0 || truce_shape_equal(&call->in_shape[LEFT], &call->in_shape[RIGHT]))
        return (walk){.n_runs = 1, .run = n, .step = {1, 1}};
    int last = out->n_dims - 1;
    walk w = {.n_dims = last, .run = out->dims[last]};
    w.n_runs = w.run ? n / w.run : 0;
    memcpy(w.dims, out->dims, sizeof w.dims);
    for (int side = 0; side < 2; side++) {
        operand_strides(&call->in_shape[side], out, w.stride[side]);
        w.step[side] = w.stride[side][last];
    }
    return w;
}

/* Where a run begins in both operands. */
static void locate(const walk *w, int64_t run, int64_t offset[2]) {
    offset[LEFT] = offset[RIGHT] = 0;
    for (int axis = w->n_dims - 1; axis >= 0; axis--) {
        int64_t position = run % w->dims[axis];
        run /= w->dims[axis];
        for (int side = 0; side < 2; side++) offset[side] += position * w->stride[side][axis];
    }
}

static void some_runs(void *arg, int64_t begin, int64_t end, int worker) {
    const binary_job *job = arg;
    const engine_call *call = job->call;
    const walk *w = &job->walk;
    (void)worker;
    for (int64_t run = begin; run < end; run++) {
        int64_t at[2];
        locate(w, run, at);
        job->values((const real *)call->in[LEFT] + at[LEFT], w->step[LEFT],
                    (const real *)call->in[RIGHT] + at[RIGHT], w->step[RIGHT],
                    (real *)call->out + run * w->run, w->run);
    }
}

static void part_of_run(void *arg, int64_t begin, int64_t end, int worker) {
    const binary_job *job = arg;
    const engine_call *call = job->call;
    (void)worker;
    job->values((const real *)call->in[LEFT] + begin, 1, (const real *)call->in[RIGHT] + begin, 1,
                (real *)call->out + begin, end - begin);
}

static void run_forward(const engine_call *call, run_values values) {
    binary_job job = {.call = call, .walk = make_walk(call), .values = values};
    if (job.walk.n_runs == 1)
        base_parallel(call->team, job.walk.run, KERNEL_GRAIN, part_of_run, &job);
    else
        base_parallel(call->team, job.walk.n_runs, 1 + KERNEL_GRAIN / (job.walk.run + 1), some_runs, &job);
}

/* ---- back -------------------------------------------------------------------------------------------- */

enum { SLOPES = 1024 }; /* made at a time */

typedef struct gradient_job {
    const binary_job *job;
    int side;
    const real *dy;
    real *d;
    bool adds; /* to what is there; a repeated operand's gradient is cleared first */
} gradient_job;

/* Adds positions [begin, end) of a run to the gradient. */
static void collect_run(const gradient_job *g, int64_t run, int64_t begin, int64_t end) {
    const binary_job *job = g->job;
    const walk *w = &job->walk;
    const real *a = job->call->in[LEFT], *b = job->call->in[RIGHT];
    int64_t at[2];
    locate(w, run, at);
    real *d = g->d + at[g->side];
    for (int64_t i = begin; i < end; i += SLOPES) {
        real slopes[SLOPES];
        const int64_t n = BASE_MIN(SLOPES, end - i);
        real *to = g->adds ? slopes : d + i;
        job->slopes(g->side, g->dy + run * w->run + i, a + at[LEFT] + i * w->step[LEFT], w->step[LEFT],
                    b + at[RIGHT] + i * w->step[RIGHT], w->step[RIGHT], to, n);
        if (g->adds && w->step[g->side] == 0)
            d[0] += simd_sum(slopes, n);
        else if (g->adds)
            for (int64_t j = 0; j < n; j++) d[i + j] += slopes[j];
    }
}

static void collect_runs(void *arg, int64_t begin, int64_t end, int worker) {
    const gradient_job *g = arg;
    (void)worker;
    for (int64_t run = begin; run < end; run++) collect_run(g, run, 0, g->job->walk.run);
}

static void collect_columns(void *arg, int64_t begin, int64_t end, int worker) {
    const gradient_job *g = arg;
    (void)worker;
    for (int64_t run = 0; run < g->job->walk.n_runs; run++) collect_run(g, run, begin, end);
}

/* Runs may be shared where no two of them meet in the gradient, columns where it advances along the run. */
static void gradient(const binary_job *job, int side, int k) {
    enum { COLUMNS = 256 };
    const engine_call *call = job->call;
    const walk *w = &job->walk;
    int64_t n_in = kernel_size(&call->in_shape[side]), n_out = w->n_runs * w->run;
    bool repeated = n_in != n_out, by_runs = n_in == (w->step[side] ? n_out : w->n_runs);
    gradient_job g = {.job = job,
                      .side = side,
                      .dy = kernel_cotangent(call, k),
                      .d = kernel_d_in(call, side, k),
                      .adds = kernel_adds(call, side) || repeated};
    if (repeated && !kernel_adds(call, side)) memset(g.d, 0, (size_t)n_in * sizeof(real));
    if (w->step[side] == 1 && (w->n_runs == 1 || !by_runs))
        base_parallel(call->team, w->run, w->n_runs == 1 ? KERNEL_GRAIN : COLUMNS, collect_columns, &g);
    else
        base_parallel(call->team, w->n_runs, by_runs ? 1 + KERNEL_GRAIN / (w->run + 1) : w->n_runs,
                      collect_runs, &g);
}

static void run_vjp(const engine_call *call, run_slopes slopes) {
    binary_job job = {.call = call, .walk = make_walk(call), .slopes = slopes};
    for (int side = 0; side < 2; side++)
        for (int k = 0; k < call->n_rows && call->d_in[side]; k++) gradient(&job, side, k);
}

/* The tangent of the result is the sum over both sides of slope times tangent, so the same loops serve. */
static void run_jvp(const engine_call *call, run_slopes slopes) {
    enum { PIECE = 1024 };
    const walk w = make_walk(call);
    const real *a = call->in[LEFT], *b = call->in[RIGHT];
    real *out = call->t_out, tangent[PIECE], piece[PIECE];
    memset(out, 0, (size_t)kernel_size(&call->out_shape) * sizeof(real));
    for (int side = 0; side < 2; side++)
        for (int64_t run = 0; run < w.n_runs && call->t_in[side]; run++) {
            int64_t at[2];
            locate(&w, run, at);
            for (int64_t i = 0; i < w.run; i += PIECE) {
                int64_t n = BASE_MIN(PIECE, w.run - i);
                const real *t = (const real *)call->t_in[side] + at[side] + i * w.step[side];
                for (int64_t j = 0; j < n; j++) tangent[j] = t[j * w.step[side]];
                slopes(side, tangent, a + at[LEFT] + i * w.step[LEFT], w.step[LEFT],
                       b + at[RIGHT] + i * w.step[RIGHT], w.step[RIGHT], piece, n);
                for (int64_t j = 0; j < n; j++) out[run * w.run + i + j] += piece[j];
            }
        }
}

/*
 * `value`, `by_a` and `by_b` are expressions in a and b. The inner function is compiled for each pair of
 * steps and each of the three, so that the compiler can vectorise.
 */
enum { VALUE, BY_A, BY_B };

#define BINARY(op, keeps, value, by_a, by_b)                                                                 \
    SIMD_INLINE void op##_loop(const int what, const int64_t sa, const int64_t sb, const real *pa,           \
                               const real *pb, const real *dy, real *out, int64_t n) {                       \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++) {                                                \
            const real a = pa[i * sa], b = pb[i * sb];                                                       \
            (void)a, (void)b;                                                                                \
            out[i] = what == VALUE ? (value) : dy[i] * (what == BY_A ? (by_a) : (by_b));                     \
        }                                                                                                    \
    }                                                                                                        \
    SIMD_INLINE void op##_run(const int what, int64_t sa, int64_t sb, const real *pa, const real *pb,        \
                              const real *dy, real *out, int64_t n) {                                        \
        if (sa == 1 && sb == 1)                                                                              \
            op##_loop(what, 1, 1, pa, pb, dy, out, n);                                                       \
        else if (sa == 1)                                                                                    \
            op##_loop(what, 1, 0, pa, pb, dy, out, n);                                                       \
        else if (sb == 1)                                                                                    \
            op##_loop(what, 0, 1, pa, pb, dy, out, n);                                                       \
        else                                                                                                 \
            op##_loop(what, 0, 0, pa, pb, dy, out, n);                                                       \
    }                                                                                                        \
    static void op##_values(const real *pa, int64_t sa, const real *pb, int64_t sb, real *out, int64_t n) {  \
        op##_run(VALUE, sa, sb, pa, pb, NULL, out, n);                                                       \
    }                                                                                                        \
    static void op##_slopes(int side, const real *dy, const real *pa, int64_t sa, const real *pb,            \
                            int64_t sb, real *out, int64_t n) {                                              \
        if (side == LEFT)                                                                                    \
            op##_run(BY_A, sa, sb, pa, pb, dy, out, n);                                                      \
        else                                                                                                 \
            op##_run(BY_B, sa, sb, pa, pb, dy, out, n);                                                      \
    }                                                                                                        \
    static void op##_forward(const engine_call *call) {                                                      \
        run_forward(call, op##_values);                                                                      \
    }                                                                                                        \
    static void op##_vjp(const engine_call *call) {                                                          \
        run_vjp(call, op##_slopes);                                                                          \
    }                                                                                                        \
    static void op##_jvp(const engine_call *call) {                                                          \
        run_jvp(call, op##_slopes);                                                                          \
    }                                                                                                        \
    KERNEL_OP(op) = {.name = #op,                                                                            \
                     .min_inputs = 2,                                                                        \
                     .max_inputs = 2,                                                                        \
                     .flags = ENGINE_DIFFERENTIABLE | (keeps),                                               \
                     .shape = shape,                                                                         \
                     .forward = op##_forward,                                                                \
                     .vjp = op##_vjp,                                                                        \
                     .jvp = op##_jvp};

/* add and subtract do not look at their operands on the way back, but the walk needs valid addresses only. */
BINARY(add, 0, a + b, (real)1, (real)1)
BINARY(subtract, 0, a - b, (real)1, (real)-1)
BINARY(multiply, ENGINE_KEEPS_INPUTS, a *b, b, a)
BINARY(divide, ENGINE_KEEPS_INPUTS, a / b, 1 / b, -a / (b * b))
BINARY(maximum, ENGINE_KEEPS_INPUTS, a >= b ? a : b, a >= b ? (real)1 : (real)0, a >= b ? (real)0 : (real)1)
BINARY(minimum, ENGINE_KEEPS_INPUTS, a <= b ? a : b, a <= b ? (real)1 : (real)0, a <= b ? (real)0 : (real)1)

#ifdef ENGINE_BUILDERS

#define BUILDER(name)                                                                                        \
    truce_node truce_op_##name(truce_graph *graph, truce_node a, truce_node b) {                             \
        return engine_graph_add2(graph, ENGINE_OP_##name, a, b);                                             \
    }

BUILDER(add)
BUILDER(subtract)
BUILDER(multiply)
BUILDER(divide)
BUILDER(maximum)
BUILDER(minimum)

#endif
