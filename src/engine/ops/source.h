/*
 * The source of a sliding window: an image, or the cotangent of one, copied so that no tap ever leaves it and
 * every tap moves by whole steps.
 *
 * The copy has the padding around it, and where the window moves by more than one, its rows and columns are
 * sorted into phases, so that
 *
 *     position i of the result sees, through tap t, position i + shift[t] of phase[t].
 *
 * With this every window, of any stride, padding and dilation, becomes sums (or maxima) over taps of a
 * shifted plane: y with the phases in the source, dx with the phases in the result, which is computed phase
 * by phase from dy (phase a of dx takes the taps t with t dilation = a + padding modulo the stride).
 */
#ifndef ENGINE_OPS_SOURCE_H
#define ENGINE_OPS_SOURCE_H

#include "engine/ops/window.h"

/* The source along one axis. */
typedef struct source_side {
    int64_t n, step, origin; /* of the image; position 0 of phase f lies at origin + f */
    int64_t n_slots, reach;  /* phases that some tap sees; the largest shift */
    window_axis window;
    bool back; /* the source of dx */
} source_side;

typedef struct source_tap {
    int64_t phase, shift;
    int64_t slot; /* which of the phases that are there */
} source_tap;

static inline int64_t source_floor(int64_t a, int64_t b) {
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* Phases repeat after so many taps. */
static inline int64_t source_period(int64_t dilation, int64_t stride) {
    int64_t a = dilation, b = stride;
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return stride / a;
}

static inline source_side source_side_of_y(const window_axis *w) {
    return (source_side){.n = w->n_in,
                         .step = w->stride,
                         .origin = -w->padding,
                         .n_slots = BASE_MIN(w->size, source_period(w->dilation, w->stride)),
                         .reach = (w->size - 1) * w->dilation / w->stride,
                         .window = *w};
}

/* In dx the phases are the result's; the last tap sees the earliest position of dy. */
static inline source_side source_side_of_dx(const window_axis *w) {
    int64_t last = source_floor((w->size - 1) * w->dilation - w->padding, w->stride);
    return (source_side){.n = w->n_out,
                         .step = 1,
                         .origin = -last,
                         .n_slots = 1,
                         .reach = last - source_floor(-w->padding, w->stride),
                         .window = *w,
                         .back = true};
}

static inline source_tap source_tap_of(const source_side *side, int64_t tap) {
    const window_axis *w = &side->window;
    int64_t at = tap * w->dilation - (side->back ? w->padding : 0), moved = source_floor(at, w->stride);
    int64_t phase = at - moved * w->stride;
    if (side->back) return (source_tap){.phase = phase, .shift = -side->origin - moved};
    return (source_tap){.phase = phase, .shift = moved, .slot = tap % side->n_slots};
}

/* The copy: planes [channel][slot y][slot x] of `rows` x `columns`, those of an image `image_step` apart. */
typedef struct source_planes {
    source_side side[2];
    int64_t channels, rows, columns, plane, image_step;
    int64_t from_plane; /* of the images: from one channel to the next */
    real padding;       /* 0, if nothing else is said */
} source_planes;

/* A copy with room for so many positions of the grid. */
static inline source_planes source_for(const source_side side[2], int64_t channels, int64_t rows,
                                       int64_t columns) {
    source_planes s = {.side = {side[0], side[1]}, .channels = channels};
    s.rows = rows + side[0].reach;
    s.columns = columns + side[1].reach;
    s.plane = s.rows * s.columns;
    s.image_step = channels * side[0].n_slots * side[1].n_slots * s.plane;
    s.from_plane = side[0].n * side[1].n;
    return s;
}

/* Where position 0 finds what it sees of a channel through a tap. */
static inline int64_t source_offset(const source_planes *s, int64_t channel, int64_t ty, int64_t tx) {
    const source_tap y = source_tap_of(&s->side[0], ty), x = source_tap_of(&s->side[1], tx);
    int64_t slot = (channel * s->side[0].n_slots + y.slot) * s->side[1].n_slots + x.slot;
    return slot * s->plane + y.shift * s->columns + x.shift;
}

static inline void source_fill(real *to, int64_t begin, int64_t end, real value) {
    for (int64_t i = begin; i < end; i++) to[i] = value;
}

/* One row of one phase: to[u] = from[u step + at] where that is in the image. */
static inline void source_copy_row(const source_planes *s, const real *from, int64_t at, real *to) {
    const source_side *x = &s->side[1];
    int64_t begin = at < 0 ? (-at + x->step - 1) / x->step : 0,
            end = at < x->n ? (x->n - 1 - at) / x->step + 1 : 0;
    end = BASE_MIN(end, s->columns);
    begin = BASE_MIN(begin, end);
    source_fill(to, 0, begin, s->padding);
    if (x->step == 1)
        memcpy(to + begin, from + begin + at, (size_t)(end - begin) * sizeof(real));
    else if (x->step == 2)
        for (int64_t u = begin; u < end; u++) to[u] = from[2 * u + at];
    else
        for (int64_t u = begin; u < end; u++) to[u] = from[u * x->step + at];
    source_fill(to, end, s->columns, s->padding);
}

/* Copies the channels of an image, the grid's rows from `first_row` on. */
static inline void source_copy(const source_planes *s, const real *image, int64_t first_row, real *to) {
    const source_side *y = &s->side[0], *x = &s->side[1];
    for (int64_t slot = 0; slot < y->n_slots * x->n_slots; slot++) {
        int64_t at = x->origin + slot % x->n_slots * x->window.dilation % x->step;
        int64_t top = y->origin + slot / x->n_slots * y->window.dilation % y->step;
        for (int64_t c = 0; c < s->channels; c++)
            for (int64_t row = 0; row < s->rows; row++) {
                int64_t line = (first_row + row) * y->step + top;
                real *RESTRICT out = to + (c * y->n_slots * x->n_slots + slot) * s->plane + row * s->columns;
                if (line < 0 || line >= y->n)
                    source_fill(out, 0, s->columns, s->padding);
                else
                    source_copy_row(s, image + c * s->from_plane + line * x->n, at, out);
            }
    }
}

#endif
