/*
 * max_pool: the largest value in each window; padding counts as -infinity.
 *
 * Planes are copied with their padding and sorted by stride (source.h), so that a vector of windows looks at
 * its taps one after the other with the largest and its tap in registers. Windows of 2 x 2 that do not
 * overlap read the image itself. `saved` holds the tap where each maximum was found, NOWHERE for a window
 * that sees only padding. The first of equal values is taken, and a NaN is larger than all numbers.
 */
#include "engine/ops/pool.h"

enum { NOWHERE = 65535, PLANE_ELEMENTS = 16 * 1024 };

typedef uint16_t tap_number;

typedef struct max_job {
    pool p;
    const real *x, *dy;
    real *out, *dx;
    bool adds;
    tap_number *found;
    /* in scratch */
    int64_t *position; /* [taps] where a tap lies in the image, from the first one of window (0, 0) on */
    int32_t *offset;   /* [taps] in the copy */
    real *copies;
    source_planes planes;
    int64_t rows, copy_size; /* rows at once; elements of a copy */
} max_job;

static truce_status shape(engine_shape_call *call) {
    const int64_t *i = call->settings->i;
    BASE_TRY(pool_shape(call));
    if (i[WINDOW_SIZE] * i[WINDOW_SIZE + 1] < NOWHERE) return TRUCE_OK;
    return base_fail(call->context, TRUCE_ERROR_UNSUPPORTED, "a window of %lld x %lld is too large",
                     (long long)i[WINDOW_SIZE], (long long)i[WINDOW_SIZE + 1]);
}

static size_t saved_bytes(const engine_call *call) {
    return (size_t)kernel_size(&call->out_shape) * sizeof(tap_number);
}

/* Sizes, and where things lie in scratch (from NULL on if there is none yet). */
static max_job make_job(const engine_call *call, size_t *scratch_bytes) {
    max_job job = {.p = pool_of(call), .found = call->saved};
    const pool *p = &job.p;
    source_side side[2] = {source_side_of_y(&p->h), source_side_of_y(&p->w)};
    int64_t line = side[0].n_slots * side[1].n_slots * (p->w.n_out + side[1].reach);
    job.rows = BASE_MAX(1, BASE_MIN(p->h.n_out, PLANE_ELEMENTS / line - side[0].reach));
    job.planes = source_for(side, 1, job.rows, p->w.n_out);
    job.planes.padding = -(real)INFINITY;
    job.copy_size = job.planes.image_step + SIMD_LANES;
    size_t taps = (size_t)p->n_taps, copies = (size_t)(base_team_size(call->team) * job.copy_size);
    *scratch_bytes =
        taps * sizeof *job.position + (p->quarters ? 0 : copies * sizeof(real) + taps * sizeof *job.offset);
    if (!call->scratch) return job;
    job.position = call->scratch;
    job.copies = (real *)(job.position + taps);
    job.offset = (int32_t *)(job.copies + copies);
    return job;
}

static size_t scratch_bytes(const engine_call *call) {
    engine_call sized = *call;
    size_t bytes = 0;
    sized.scratch = NULL;
    make_job(&sized, &bytes);
    return bytes;
}

static max_job open_job(const engine_call *call) {
    size_t bytes = 0;
    max_job job = make_job(call, &bytes);
    const pool *p = &job.p;
    for (int64_t t = 0; t < p->n_taps; t++) {
        int64_t ty = t / p->w.size, tx = t % p->w.size;
        job.position[t] = (ty * p->h.dilation - p->h.padding) * p->w.n_in + tx * p->w.dilation - p->w.padding;
        if (!p->quarters) job.offset[t] = (int32_t)source_offset(&job.planes, 0, ty, tx);
    }
    return job;
}

/* ---- forward ----------------------------------------------------------------------------------------- */

SIMD_INLINE simd_mask is_larger(simd_vec a, simd_vec b) {
    return (a > b) | (a != a);
}

SIMD_INLINE void put_found(simd_vec found, int64_t n, tap_number *to) {
    real numbers[SIMD_LANES];
    simd_store(numbers, found);
    for (int64_t i = 0; i < n; i++) to[i] = (tap_number)numbers[i];
}

/* A vector of windows of one row. */
SIMD_INLINE void max_of_taps(const max_job *job, const real *x, int64_t n, real *out, tap_number *found) {
    simd_vec best = (simd_vec){0} - (real)INFINITY, at = (simd_vec){0} + (real)NOWHERE;
    for (int64_t t = 0; t < job->p.n_taps; t++) {
        const simd_vec v = simd_load(x + job->offset[t]), here = (simd_vec){0} + (real)t;
        const simd_mask larger = is_larger(v, best);
        best = simd_select(larger, v, best);
        at = simd_select(larger, here, at);
    }
    put_found(at, n, found);
    if (n == SIMD_LANES)
        simd_store(out, best);
    else
        for (int64_t i = 0; i < n; i++) out[i] = best[i];
}

/* A vector of 2 x 2 windows side by side: two vectors of each row. */
SIMD_INLINE void max_of_quarters(const real *top, const real *bottom, real *out, tap_number *found) {
    simd_vec a, b, c, d, at, none = {0};
    simd_unzip(simd_load(top), simd_load(top + SIMD_LANES), &a, &b);
    simd_unzip(simd_load(bottom), simd_load(bottom + SIMD_LANES), &c, &d);
    simd_mask larger = is_larger(b, a);
    at = simd_select(larger, none + 1, none), a = simd_select(larger, b, a);
    larger = is_larger(c, a);
    at = simd_select(larger, none + 2, at), a = simd_select(larger, c, a);
    larger = is_larger(d, a);
    at = simd_select(larger, none + 3, at), a = simd_select(larger, d, a);
    simd_store(out, a);
    put_found(at, SIMD_LANES, found);
}

static void quarters_row(const pool *p, const real *top, real *out, tap_number *found) {
    const real *bottom = top + p->w.n_in;
    int64_t j = 0;
    for (; j + SIMD_LANES <= p->w.n_out; j += SIMD_LANES)
        max_of_quarters(top + 2 * j, bottom + 2 * j, out + j, found + j);
    for (; j < p->w.n_out; j++) {
        const real all[4] = {top[2 * j], top[2 * j + 1], bottom[2 * j], bottom[2 * j + 1]};
        int best = 0;
        for (int k = 1; k < 4; k++) best = all[k] > all[best] || all[k] != all[k] ? k : best;
        out[j] = all[best];
        found[j] = (tap_number)best;
    }
}

static void max_rows(const max_job *job, const real *copy, int64_t row, int64_t n_rows, real *out,
                     tap_number *found) {
    const int64_t width = job->p.w.n_out;
    for (int64_t i = 0; i < n_rows; i++)
        for (int64_t j = 0; j < width; j += SIMD_LANES) {
            int64_t at = (row + i) * width + j;
            max_of_taps(job, copy + i * job->planes.columns + j, BASE_MIN(SIMD_LANES, width - j), out + at,
                        found + at);
        }
}

static void planes_forward(void *arg, int64_t begin, int64_t end, int worker) {
    const max_job *job = arg;
    const pool *p = &job->p;
    real *copy = job->copies + worker * job->copy_size;
    for (int64_t plane = begin; plane < end; plane++) {
        const real *x = job->x + plane * p->in_size;
        real *out = job->out + plane * p->out_size;
        tap_number *found = job->found + plane * p->out_size;
        for (int64_t i = 0; i < p->h.n_out && p->quarters; i++)
            quarters_row(p, x + 2 * i * p->w.n_in, out + i * p->w.n_out, found + i * p->w.n_out);
        for (int64_t row = 0; row < p->h.n_out && !p->quarters; row += job->rows) {
            source_copy(&job->planes, x, row, copy);
            max_rows(job, copy, row, BASE_MIN(job->rows, p->h.n_out - row), out, found);
        }
    }
}

/* ---- back, and forward mode -------------------------------------------------------------------------- */

SIMD_INLINE void put_pair(simd_vec even, simd_vec odd, bool adds, real *to) {
    simd_vec low, high;
    simd_zip(even, odd, &low, &high);
    simd_store(to, adds ? simd_load(to) + low : low);
    simd_store(to + SIMD_LANES, adds ? simd_load(to + SIMD_LANES) + high : high);
}

/* A cotangent goes to one of four elements, which belong to no other window. */
SIMD_INLINE void quarters_back_vector(const tap_number *found, const real *dy, bool adds, real *top,
                                      real *bottom) {
    real numbers[SIMD_LANES];
    for (int i = 0; i < SIMD_LANES; i++) numbers[i] = (real)found[i];
    const simd_vec at = simd_load(numbers), g = simd_load(dy), none = {0};
    put_pair(simd_select(at == none, g, none), simd_select(at == none + 1, g, none), adds, top);
    put_pair(simd_select(at == none + 2, g, none), simd_select(at == none + 3, g, none), adds, bottom);
}

static void quarters_back(const pool *p, const tap_number *found, const real *dy, real *top, bool adds) {
    real *bottom = top + p->w.n_in;
    int64_t j = 0;
    for (; j + SIMD_LANES <= p->w.n_out; j += SIMD_LANES)
        quarters_back_vector(found + j, dy + j, adds, top + 2 * j, bottom + 2 * j);
    for (; j < p->w.n_out; j++) {
        real *to[4] = {top + 2 * j, top + 2 * j + 1, bottom + 2 * j, bottom + 2 * j + 1};
        for (int k = 0; k < 4; k++) *to[k] = (adds ? *to[k] : 0) + (found[j] == k ? dy[j] : 0);
    }
}

/* The element that window (i, j) of a plane chose; the window saw something. */
static inline int64_t chosen(const max_job *job, int64_t i, int64_t j, tap_number tap) {
    return i * job->p.h.stride * job->p.w.n_in + j * job->p.w.stride + job->position[tap];
}

static void scatter(const max_job *job, const tap_number *found, const real *dy, real *dx) {
    const int64_t width = job->p.w.n_out;
    for (int64_t i = 0; i < job->p.h.n_out; i++)
        for (int64_t j = 0; j < width; j++) {
            tap_number tap = found[i * width + j];
            if (tap != NOWHERE) dx[chosen(job, i, j, tap)] += dy[i * width + j];
        }
}

static void planes_back(void *arg, int64_t begin, int64_t end, int worker) {
    const max_job *job = arg;
    const pool *p = &job->p;
    (void)worker;
    for (int64_t plane = begin; plane < end; plane++) {
        const real *dy = job->dy + plane * p->out_size;
        const tap_number *found = job->found + plane * p->out_size;
        real *dx = job->dx + plane * p->in_size;
        if (!job->adds && p->quarters) pool_clear_rest(p, dx);
        if (!job->adds && !p->quarters) memset(dx, 0, (size_t)p->in_size * sizeof(real));
        if (!p->quarters) scatter(job, found, dy, dx);
        for (int64_t i = 0; i < p->h.n_out && p->quarters; i++)
            quarters_back(p, found + i * p->w.n_out, dy + i * p->w.n_out, dx + 2 * i * p->w.n_in, job->adds);
    }
}

static void planes_tangent(void *arg, int64_t begin, int64_t end, int worker) {
    const max_job *job = arg;
    const pool *p = &job->p;
    (void)worker;
    for (int64_t at = begin * p->out_size; at < end * p->out_size; at++) {
        int64_t plane = at / p->out_size, i = at % p->out_size / p->w.n_out, j = at % p->w.n_out;
        const real *t = job->x + plane * p->in_size;
        job->out[at] = job->found[at] == NOWHERE ? 0 : t[chosen(job, i, j, job->found[at])];
    }
}

static void forward(const engine_call *call) {
    max_job job = open_job(call);
    job.x = call->in[0];
    job.out = call->out;
    pool_run(call, &job.p, planes_forward, &job);
}

static void vjp(const engine_call *call) {
    max_job job = open_job(call);
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        job.dy = kernel_cotangent(call, k);
        job.dx = kernel_d_in(call, 0, k);
        job.adds = kernel_adds(call, 0);
        pool_run(call, &job.p, planes_back, &job);
    }
}

static void jvp(const engine_call *call) {
    max_job job = open_job(call);
    job.x = call->t_in[0];
    job.out = call->t_out;
    pool_run(call, &job.p, planes_tangent, &job);
}

KERNEL_OP(max_pool) = {.name = "max_pool",
                       .min_inputs = 1,
                       .max_inputs = 1,
                       .flags = ENGINE_DIFFERENTIABLE,
                       .shape = shape,
                       .forward = forward,
                       .vjp = vjp,
                       .jvp = jvp,
                       .flops = pool_flops,
                       .saved_bytes = saved_bytes,
                       .scratch_bytes = scratch_bytes};

#ifdef ENGINE_BUILDERS

truce_node truce_op_max_pool(truce_graph *graph, truce_node x, const truce_window *window) {
    return pool_add(graph, ENGINE_OP_max_pool, x, window);
}

#endif
