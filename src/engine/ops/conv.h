/*
 * What the files of convolutions share: sizes, and the source of a convolution, which is an image (or the
 * cotangent of one) copied so that no tap ever leaves it and every tap moves by whole steps.
 *
 * Along an axis, position i of the grid that is computed sees position i step + origin + ... of the image.
 * The copy has the padding around it, and where step > 1 its rows and columns are sorted into phases, so that
 *
 *     position i sees, through tap t, position i + shift[t] of phase[t].
 *
 * With this every convolution, of any stride, padding and dilation, becomes sums over taps of a shifted
 * plane: y forward, with the phases in the source; dx with the phases in the result, which is computed phase
 * by phase from dy (phase a of dx takes the taps t with t dilation = a + padding modulo the stride).
 */
#ifndef ENGINE_OPS_CONV_H
#define ENGINE_OPS_CONV_H

#include "engine/ops/tile.h"
#include "engine/ops/window.h"

typedef struct conv {
    window_axis axis[2];
    int64_t n_images, groups, in, out; /* channels of a group */
    int64_t taps[2];                   /* rows and columns of the window */
    int64_t in_size, out_size;         /* pixels of a plane */
    bool pointwise;                    /* 1 x 1, one step at a time, no padding */
} conv;

/* The source along one axis. */
typedef struct conv_side {
    int64_t n, step, origin; /* of the image; position 0 of phase f lies at origin + f */
    int64_t n_slots, reach;  /* phases that some tap sees; the largest shift */
    window_axis window;
    bool back; /* the source of dx */
} conv_side;

typedef struct conv_tap {
    int64_t phase, shift;
    int64_t slot; /* which of the phases that are there */
} conv_tap;

static inline int64_t conv_floor(int64_t a, int64_t b) {
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* Phases repeat after so many taps. */
static inline int64_t conv_period(int64_t dilation, int64_t stride) {
    int64_t a = dilation, b = stride;
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return stride / a;
}

static inline conv_side conv_side_of_y(const window_axis *w) {
    return (conv_side){.n = w->n_in,
                       .step = w->stride,
                       .origin = -w->padding,
                       .n_slots = BASE_MIN(w->size, conv_period(w->dilation, w->stride)),
                       .reach = (w->size - 1) * w->dilation / w->stride,
                       .window = *w};
}

/* In dx the phases are the result's; the last tap sees the earliest position of dy. */
static inline conv_side conv_side_of_dx(const window_axis *w) {
    int64_t last = conv_floor((w->size - 1) * w->dilation - w->padding, w->stride);
    return (conv_side){.n = w->n_out,
                       .step = 1,
                       .origin = -last,
                       .n_slots = 1,
                       .reach = last - conv_floor(-w->padding, w->stride),
                       .window = *w,
                       .back = true};
}

static inline conv_tap conv_tap_of(const conv_side *side, int64_t tap) {
    const window_axis *w = &side->window;
    int64_t at = tap * w->dilation - (side->back ? w->padding : 0), moved = conv_floor(at, w->stride);
    int64_t phase = at - moved * w->stride;
    if (side->back) return (conv_tap){.phase = phase, .shift = -side->origin - moved};
    return (conv_tap){.phase = phase, .shift = moved, .slot = tap % side->n_slots};
}

/* The copy: planes [channel][slot y][slot x] of `rows` x `columns`, those of an image `image_step` apart. */
typedef struct conv_source {
    conv_side side[2];
    int64_t channels, rows, columns, plane, image_step;
    int64_t from_plane; /* of the images: from one channel to the next */
} conv_source;

/* A copy with room for so many positions of the grid. */
static inline conv_source conv_source_for(const conv_side side[2], int64_t channels, int64_t rows,
                                          int64_t columns) {
    conv_source s = {.side = {side[0], side[1]}, .channels = channels};
    s.rows = rows + side[0].reach;
    s.columns = columns + side[1].reach;
    s.plane = s.rows * s.columns;
    s.image_step = channels * side[0].n_slots * side[1].n_slots * s.plane;
    s.from_plane = side[0].n * side[1].n;
    return s;
}

/* Where position 0 finds what it sees of a channel through a tap. */
static inline int64_t conv_offset(const conv_source *s, int64_t channel, int64_t ty, int64_t tx) {
    const conv_tap y = conv_tap_of(&s->side[0], ty), x = conv_tap_of(&s->side[1], tx);
    int64_t slot = (channel * s->side[0].n_slots + y.slot) * s->side[1].n_slots + x.slot;
    return slot * s->plane + y.shift * s->columns + x.shift;
}

/* One row of one phase: to[u] = from[u step + at] where that is in the image, else 0. */
static inline void conv_copy_row(const conv_side *x, const real *from, int64_t at, int64_t n, real *to) {
    int64_t begin = at < 0 ? (-at + x->step - 1) / x->step : 0,
            end = at < x->n ? (x->n - 1 - at) / x->step + 1 : 0;
    end = BASE_MIN(end, n);
    begin = BASE_MIN(begin, end);
    for (int64_t u = 0; u < begin; u++) to[u] = 0;
    if (x->step == 1)
        memcpy(to + begin, from + begin + at, (size_t)(end - begin) * sizeof(real));
    else if (x->step == 2)
        for (int64_t u = begin; u < end; u++) to[u] = from[2 * u + at];
    else
        for (int64_t u = begin; u < end; u++) to[u] = from[u * x->step + at];
    for (int64_t u = end; u < n; u++) to[u] = 0;
}

/* Copies the channels of an image, the grid's rows from `first_row` on. */
static inline void conv_copy(const conv_source *s, const real *image, int64_t first_row, real *to) {
    const conv_side *y = &s->side[0], *x = &s->side[1];
    for (int64_t slot = 0; slot < y->n_slots * x->n_slots; slot++) {
        int64_t at = x->origin + slot % x->n_slots * x->window.dilation % x->step;
        int64_t top = y->origin + slot / x->n_slots * y->window.dilation % y->step;
        for (int64_t c = 0; c < s->channels; c++)
            for (int64_t row = 0; row < s->rows; row++) {
                int64_t line = (first_row + row) * y->step + top;
                real *RESTRICT out = to + (c * y->n_slots * x->n_slots + slot) * s->plane + row * s->columns;
                if (line < 0 || line >= y->n)
                    memset(out, 0, (size_t)s->columns * sizeof(real));
                else
                    conv_copy_row(x, image + c * s->from_plane + line * x->n, at, s->columns, out);
            }
    }
}

/* A cursor over scratch memory; with a NULL base it only counts. */
typedef struct conv_room {
    char *base;
    size_t used;
} conv_room;

static inline void *conv_take(conv_room *room, int64_t n, size_t bytes) {
    char *taken = room->base ? room->base + room->used : NULL;
    room->used += ((size_t)n * bytes + BASE_ALIGNMENT - 1) / BASE_ALIGNMENT * BASE_ALIGNMENT;
    return taken;
}

/* A map from images to images through the weights, out (+)= conv: forward, or from dy to dx. */
typedef struct conv_pass {
    const real *from, *weight, *bias; /* bias may be NULL */
    real *to;
    bool adds;
} conv_pass;

/* Dense convolutions. Each takes its scratch from `room`. */
void KERNEL(conv_dense_y)(base_team *team, const conv *c, const conv_pass *pass, conv_room room);
void KERNEL(conv_dense_dx)(base_team *team, const conv *c, const conv_pass *pass, conv_room room);
void KERNEL(conv_dense_dw)(base_team *team, const conv *c, const conv_pass *pass, const real *dy,
                           conv_room room);
size_t KERNEL(conv_dense_bytes)(base_team *team, const conv *c);

/* Convolutions with one input channel per group. */
void KERNEL(conv_depthwise_y)(base_team *team, const conv *c, const conv_pass *pass, conv_room room);
void KERNEL(conv_depthwise_dx)(base_team *team, const conv *c, const conv_pass *pass, conv_room room);
void KERNEL(conv_depthwise_dw)(base_team *team, const conv *c, const conv_pass *pass, const real *dy,
                               conv_room room);
size_t KERNEL(conv_depthwise_bytes)(base_team *team, const conv *c);

#endif
