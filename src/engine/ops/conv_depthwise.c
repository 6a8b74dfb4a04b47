/*
 * Depthwise convolutions: each group has one input channel, and a few output channels of its own.
 *
 * There is nothing to share between channels, so tiles of channels would stand idle. A plane of the result is
 * a sum of shifted planes times single weights, computed some rows at a time with the sums in registers; a
 * weight's gradient is the inner product of two shifted planes. An item is a group of an image; for dw, a
 * group of all images.
 */
#include "engine/ops/conv.h"

enum { PLANE_ELEMENTS = 16 * 1024, ROWS = 4, TAPS = 8 };

/* Positions that are computed alike, and what is summed there: weight[index] times the plane at offset. */
typedef struct grid {
    int64_t rows, columns, first, row_step, column_step;
    int64_t n;
    int32_t *offset, *index;
} grid;

typedef struct depthwise {
    const conv *c;
    const conv_pass *pass;
    const real *dy; /* of dw */
    bool back;
    source_planes source;
    int64_t taps, rows; /* rows at once */
    int64_t n_phases[2], n_grids;
    grid *grids;
    int32_t *offset, *index;
    real *copies;
    int64_t copy_size;
} depthwise;

static depthwise plan(base_team *team, const conv *c, bool back, conv_room *room) {
    depthwise j = {.c = c, .back = back, .taps = c->taps[0] * c->taps[1], .n_grids = 1};
    source_side side[2];
    int64_t size[2], channels = back ? c->out : 1;
    for (int axis = 0; axis < 2; axis++) {
        const window_axis *w = &c->axis[axis];
        side[axis] = back ? source_side_of_dx(w) : source_side_of_y(w);
        size[axis] = back ? (w->n_in + w->stride - 1) / w->stride : w->n_out;
        j.n_phases[axis] = back ? BASE_MIN(w->stride, w->n_in) : 1;
        j.n_grids *= j.n_phases[axis];
    }
    int64_t line = BASE_MAX(1, side[0].n_slots * side[1].n_slots * (size[1] + side[1].reach));
    j.rows = BASE_MAX(1, BASE_MIN(size[0], PLANE_ELEMENTS / line - side[0].reach));
    j.source = source_for(side, channels, j.rows, size[1]);
    j.copy_size = tile_round(j.source.image_step + SIMD_LANES, 16);
    j.grids = conv_take(room, j.n_grids, sizeof *j.grids);
    j.offset = conv_take(room, channels * j.taps, sizeof(int32_t));
    j.index = conv_take(room, channels * j.taps, sizeof(int32_t));
    j.copies = conv_take(room, base_team_size(team) * j.copy_size, sizeof(real));
    return j;
}

static grid make_grid(const depthwise *j, int64_t phase_y, int64_t phase_x) {
    const window_axis *h = &j->c->axis[0], *w = &j->c->axis[1];
    if (!j->back)
        return (grid){.rows = h->n_out, .columns = w->n_out, .row_step = w->n_out, .column_step = 1};
    return (grid){.rows = (h->n_in - phase_y + h->stride - 1) / h->stride,
                  .columns = (w->n_in - phase_x + w->stride - 1) / w->stride,
                  .first = phase_y * w->n_in + phase_x,
                  .row_step = h->stride * w->n_in,
                  .column_step = w->stride};
}

/* In y the planes of a group's output channels differ by their weights only. */
static void list_terms(const depthwise *j, int64_t phase_y, int64_t phase_x, grid *g) {
    for (int64_t channel = 0; channel < j->source.channels; channel++)
        for (int64_t t = 0; t < j->taps; t++) {
            int64_t ty = t / j->c->taps[1], tx = t % j->c->taps[1];
            source_tap y = source_tap_of(&j->source.side[0], ty), x = source_tap_of(&j->source.side[1], tx);
            if (j->back && (y.phase != phase_y || x.phase != phase_x)) continue;
            g->offset[g->n] = (int32_t)source_offset(&j->source, channel, ty, tx);
            g->index[g->n++] = (int32_t)(channel * j->taps + t);
        }
}

static void prepare(depthwise *j) {
    int32_t *offset = j->offset, *index = j->index;
    for (int64_t i = 0; i < j->n_grids; i++) {
        int64_t y = i / j->n_phases[1], x = i % j->n_phases[1];
        j->grids[i] = make_grid(j, y, x);
        j->grids[i].offset = offset, j->grids[i].index = index;
        list_terms(j, y, x, &j->grids[i]);
        offset += j->grids[i].n, index += j->grids[i].n;
    }
}

/* ---- y and dx ---------------------------------------------------------------------------------------- */

/* Up to ROWS rows of a vector of columns, from where `source` points. */
static inline void sum_terms(const depthwise *j, const grid *g, const real *source, const real *weight,
                             int n_rows, simd_vec sum[ROWS]) {
    for (int64_t t = 0; t < g->n; t++) {
        const real w = weight[g->index[t]], *from = source + g->offset[t];
        if (n_rows == ROWS)
            SIMD_EACH(r, ROWS) sum[r] += w * simd_load(from + r * j->source.columns);
        else
            for (int r = 0; r < n_rows; r++) sum[r] += w * simd_load(from + r * j->source.columns);
    }
}

static void put(const conv_pass *pass, simd_vec sum, int64_t n, int64_t step, real *to) {
    if (n == SIMD_LANES && step == 1) {
        simd_store(to, pass->adds ? simd_load(to) + sum : sum);
        return;
    }
    for (int64_t i = 0; i < n; i++) to[i * step] = (pass->adds ? to[i * step] : 0) + sum[i];
}

/* Some rows of a plane of the result. */
static void run_rows(const depthwise *j, const grid *g, const real *source, const real *weight, real bias,
                     int64_t n_rows, real *to) {
    for (int64_t row = 0; row < n_rows; row += ROWS)
        for (int64_t column = 0; column < g->columns; column += SIMD_LANES) {
            int here = (int)BASE_MIN(ROWS, n_rows - row);
            simd_vec sum[ROWS];
            for (int r = 0; r < ROWS; r++) sum[r] = (simd_vec){0} + bias;
            sum_terms(j, g, source + row * j->source.columns + column, weight, here, sum);
            for (int r = 0; r < here; r++)
                put(j->pass, sum[r], BASE_MIN(SIMD_LANES, g->columns - column), g->column_step,
                    to + (row + r) * g->row_step + column * g->column_step);
        }
}

/* All planes that a group of an image gives: its output channels in y, its one input channel in dx. */
static void run_group(const depthwise *j, int64_t image, int64_t group, int64_t row, const real *source) {
    const conv *c = j->c;
    int64_t planes = j->back ? 1 : c->out, to_size = j->back ? c->in_size : c->out_size;
    for (int64_t m = 0; m < planes; m++) {
        int64_t channel = group * planes + m;
        const real *weight = j->pass->weight + (group * c->out + m) * j->taps;
        real bias = j->pass->bias ? j->pass->bias[channel] : 0;
        real *to = j->pass->to + (image * c->groups * planes + channel) * to_size;
        for (int64_t i = 0; i < j->n_grids; i++) {
            const grid *g = &j->grids[i];
            run_rows(j, g, source, weight, bias, BASE_MIN(j->rows, g->rows - row),
                     to + g->first + row * g->row_step);
        }
    }
}

static void run_groups(void *arg, int64_t begin, int64_t end, int worker) {
    const depthwise *j = arg;
    const conv *c = j->c;
    real *copy = j->copies + worker * j->copy_size;
    int64_t channels = j->source.channels, from_size = j->source.from_plane, rows = 0;
    for (int64_t i = 0; i < j->n_grids; i++) rows = BASE_MAX(rows, j->grids[i].rows);
    for (int64_t item = begin; item < end; item++)
        for (int64_t row = 0; row < rows; row += j->rows) {
            source_copy(&j->source, j->pass->from + item * channels * from_size, row, copy);
            run_group(j, item / c->groups, item % c->groups, row, copy);
        }
}

static void correlate(base_team *team, const conv *c, const conv_pass *pass, bool back, conv_room room) {
    depthwise j = plan(team, c, back, &room);
    j.pass = pass;
    prepare(&j);
    int64_t each = BASE_MAX(c->in_size, c->out_size) * j.taps * c->out;
    base_parallel(team, c->n_images * c->groups, 1 + 4 * KERNEL_GRAIN / (each + 1), run_groups, &j);
}

void KERNEL(conv_depthwise_y)(base_team *team, const conv *c, const conv_pass *pass, conv_room room) {
    correlate(team, c, pass, false, room);
}

void KERNEL(conv_depthwise_dx)(base_team *team, const conv *c, const conv_pass *pass, conv_room room) {
    correlate(team, c, pass, true, room);
}

/* ---- dw ---------------------------------------------------------------------------------------------- */

static simd_vec load_part(const real *from, int64_t n) {
    simd_vec v = {0};
    if (n >= SIMD_LANES) return simd_load(from);
    for (int64_t i = 0; i < n; i++) v[i] = from[i];
    return v;
}

static double total(simd_vec v) {
    double sum = 0;
    for (int i = 0; i < SIMD_LANES; i++) sum += (double)v[i];
    return sum;
}

/* Inner products of some rows of dy with what up to TAPS taps see, added to `sums`. */
static void add_products(const depthwise *j, const real *dy, const real *source, int64_t n_rows,
                         const int32_t *offset, int n_taps, double *sums) {
    const int64_t columns = j->c->axis[1].n_out;
    simd_vec sum[TAPS] = {{0}};
    for (int64_t row = 0; row < n_rows; row++)
        for (int64_t column = 0; column < columns; column += SIMD_LANES) {
            const real *from = source + row * j->source.columns + column;
            simd_vec d = load_part(dy + row * columns + column, columns - column);
            int64_t n = columns - column;
            for (int t = 0; t < n_taps; t++)
                sum[t] += d * (n < SIMD_LANES ? load_part(from + offset[t], n) : simd_load(from + offset[t]));
        }
    for (int t = 0; t < n_taps; t++) sums[t] += total(sum[t]);
}

/* The gradient of up to TAPS taps of output channel m of a group, over all images. */
static void sum_taps(const depthwise *j, int64_t group, int64_t m, int64_t first, real *copy) {
    const conv *c = j->c;
    const grid *g = &j->grids[0];
    int n_taps = (int)BASE_MIN(TAPS, j->taps - first);
    double sums[TAPS] = {0};
    for (int64_t image = 0; image < c->n_images; image++)
        for (int64_t row = 0; row < g->rows; row += j->rows) {
            const real *dy = j->dy + ((image * c->groups + group) * c->out + m) * c->out_size;
            source_copy(&j->source, j->pass->from + (image * c->groups + group) * c->in_size, row, copy);
            add_products(j, dy + row * g->columns, copy, BASE_MIN(j->rows, g->rows - row), g->offset + first,
                         n_taps, sums);
        }
    real *to = j->pass->to + (group * c->out + m) * j->taps + first;
    for (int t = 0; t < n_taps; t++) to[t] = (j->pass->adds ? to[t] : 0) + (real)sums[t];
}

static void run_weights(void *arg, int64_t begin, int64_t end, int worker) {
    const depthwise *j = arg;
    for (int64_t group = begin; group < end; group++)
        for (int64_t m = 0; m < j->c->out; m++)
            for (int64_t first = 0; first < j->taps; first += TAPS)
                sum_taps(j, group, m, first, j->copies + worker * j->copy_size);
}

void KERNEL(conv_depthwise_dw)(base_team *team, const conv *c, const conv_pass *pass, const real *dy,
                               conv_room room) {
    depthwise j = plan(team, c, false, &room);
    j.pass = pass;
    j.dy = dy;
    prepare(&j);
    base_parallel(team, c->groups, 1, run_weights, &j);
}

size_t KERNEL(conv_depthwise_bytes)(base_team *team, const conv *c) {
    conv_room y = {0}, dx = {0};
    plan(team, c, false, &y);
    plan(team, c, true, &dx);
    return BASE_MAX(y.used, dx.used);
}
