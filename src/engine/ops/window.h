/*
 * Windows that slide over images: position j of the result sees x[j stride - padding + tap dilation] for tap
 * = 0 .. size-1, along both axes of an image.
 */
#ifndef ENGINE_OPS_WINDOW_H
#define ENGINE_OPS_WINDOW_H

#include "engine/ops/kernel.h"

/* Lies at the beginning of the settings of convolutions and pools. */
enum { WINDOW_SIZE = 0, WINDOW_STRIDE = 2, WINDOW_PADDING = 4, WINDOW_DILATION = 6, WINDOW_GROUPS = 8 };

typedef struct window_axis {
    int64_t n_in, n_out, size, stride, padding, dilation;
} window_axis;

/* The last two axes of x and of the result. */
static inline window_axis window_of(const engine_settings *settings, const truce_shape *x,
                                    const truce_shape *out, int axis) {
    const int64_t *i = settings->i;
    return (window_axis){.n_in = x->dims[x->n_dims - 2 + axis],
                         .n_out = out->dims[out->n_dims - 2 + axis],
                         .size = i[WINDOW_SIZE + axis],
                         .stride = i[WINDOW_STRIDE + axis],
                         .padding = i[WINDOW_PADDING + axis],
                         .dilation = i[WINDOW_DILATION + axis]};
}

/* The positions [begin, end) that see an element of x through a tap; position j sees x[j stride + offset]. */
typedef struct window_tap {
    int64_t begin, end, offset;
} window_tap;

static inline window_tap window_see(const window_axis *w, int64_t tap) {
    int64_t offset = tap * w->dilation - w->padding;
    int64_t begin = offset < 0 ? (-offset + w->stride - 1) / w->stride : 0;
    int64_t end = offset < w->n_in ? (w->n_in - 1 - offset) / w->stride + 1 : 0;
    end = BASE_MIN(end, w->n_out);
    return (window_tap){BASE_MIN(begin, end), end, offset};
}

static inline bool window_is(const window_axis *w, int64_t size, int64_t stride) {
    return w->size == size && w->stride == stride && w->padding == 0 && w->dilation == 1;
}

/* Size of the result along an image axis, or -1 if not even one window fits. */
static inline int64_t window_positions(const engine_settings *settings, int64_t n_in, int axis) {
    const int64_t *i = settings->i;
    int64_t reach = i[WINDOW_DILATION + axis] * (i[WINDOW_SIZE + axis] - 1) + 1;
    int64_t room = n_in + 2 * i[WINDOW_PADDING + axis] - reach;
    return n_in < 0 || room < 0 ? -1 : room / i[WINDOW_STRIDE + axis] + 1;
}

/* What shape rules check of a window; sets the last two sizes of call->out. */
static inline truce_status window_shape(engine_shape_call *call) {
    const int64_t *i = call->settings->i;
    const truce_shape *x = &call->in[0];
    char text[ENGINE_SHAPE_TEXT_BYTES];
    for (int axis = 0; axis < 2; axis++) {
        int64_t size = i[WINDOW_SIZE + axis], limit = (int64_t)1 << 30;
        if (size < 1 || size > limit || i[WINDOW_STRIDE + axis] < 1 || i[WINDOW_PADDING + axis] < 0 ||
            i[WINDOW_PADDING + axis] > limit || i[WINDOW_DILATION + axis] < 1 ||
            i[WINDOW_DILATION + axis] > limit)
            return base_fail(call->context, TRUCE_ERROR_RANGE,
                             "the window's size, stride, padding and dilation must be sensible numbers");
        int64_t *out = &call->out.dims[x->n_dims - 2 + axis];
        *out = window_positions(call->settings, x->dims[x->n_dims - 2 + axis], axis);
        if (*out < 0)
            return base_fail(call->context, TRUCE_ERROR_SHAPE,
                             "a window of %lld x %lld with dilation %lld x %lld does not fit into %s",
                             (long long)i[0], (long long)i[1], (long long)i[WINDOW_DILATION],
                             (long long)i[WINDOW_DILATION + 1], engine_shape_text(x, text));
    }
    return TRUCE_OK;
}

#ifdef ENGINE_BUILDERS

static inline engine_settings window_settings(const truce_window *window, int64_t default_stride[2]) {
    engine_settings settings = {.i = {[WINDOW_GROUPS] = window->groups ? window->groups : 1}};
    for (int axis = 0; axis < 2; axis++) {
        settings.i[WINDOW_SIZE + axis] = window->size[axis];
        settings.i[WINDOW_STRIDE + axis] = window->stride[axis] ? window->stride[axis] : default_stride[axis];
        settings.i[WINDOW_PADDING + axis] = window->padding[axis];
        settings.i[WINDOW_DILATION + axis] = window->dilation[axis] ? window->dilation[axis] : 1;
    }
    return settings;
}

#endif

#endif
