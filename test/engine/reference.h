/*
 * What operators must compute, in double and as plainly as possible: one function per family, straight from
 * the formula in docs/operators.md, sharing nothing with the kernels.
 */
#ifndef TEST_ENGINE_REFERENCE_H
#define TEST_ENGINE_REFERENCE_H

#include "base/rng.h"
#include "support/op_cases.h"

#include <math.h>

/* The inputs of a case in its order (indices as doubles), and what the result is. */
typedef struct example {
    int n_inputs;
    const double *in[OP_MAX_INPUTS];
    truce_shape shape[OP_MAX_INPUTS], out_shape;
    const double *p;
    double (*f)(double a, double b, const double *p); /* of elementwise families */
    bool training;
} example;

typedef void (*reference)(const example *e, double *out);

/* ---- positions --------------------------------------------------------------------------------------- */

/* Index of a flat position, and back. */
static void unravel(const truce_shape *shape, int64_t at, int64_t index[TRUCE_MAX_DIMS]) {
    for (int i = shape->n_dims - 1; i >= 0; i--) {
        index[i] = at % shape->dims[i];
        at /= shape->dims[i];
    }
}

static int64_t ravel(const truce_shape *shape, const int64_t *index) {
    int64_t at = 0;
    for (int i = 0; i < shape->n_dims; i++) at = at * shape->dims[i] + index[i];
    return at;
}

static int axis_of(double axis, int n_dims) {
    return (int)axis < 0 ? (int)axis + n_dims : (int)axis;
}

/* ---- elementwise ------------------------------------------------------------------------------------- */

static double softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

#define FUNCTIONS(X)                                                                                         \
    X(affine, p[0] * a + p[1])                                                                               \
    X(relu, fmax(a, 0))                                                                                      \
    X(leaky_relu, a > 0 ? a : p[0] * a)                                                                      \
    X(gelu, 0.5 * a * erfc(-a / sqrt(2)))                                                                    \
    X(silu, a / (1 + exp(-a)))                                                                               \
    X(tanh, tanh(a))                                                                                         \
    X(sigmoid, 1 / (1 + exp(-a)))                                                                            \
    X(softplus, softplus(a))                                                                                 \
    X(exp, exp(a))                                                                                           \
    X(log, log(a))                                                                                           \
    X(sqrt, sqrt(a))                                                                                         \
    X(square, a *a)                                                                                          \
    X(abs, fabs(a))                                                                                          \
    X(power, pow(a, p[0]))                                                                                   \
    X(add, a + b)                                                                                            \
    X(subtract, a - b)                                                                                       \
    X(multiply, a *b)                                                                                        \
    X(divide, a / b)                                                                                         \
    X(maximum, fmax(a, b))                                                                                   \
    X(minimum, fmin(a, b))                                                                                   \
    X(squared_error, (a - b) * (a - b))                                                                      \
    X(absolute_error, fabs(a - b))                                                                           \
    X(huber, fabs(a - b) < p[0] ? (a - b) * (a - b) / 2 : p[0] * (fabs(a - b) - p[0] / 2))                   \
    X(binary_cross_entropy, b *softplus(-a) + (1 - b) * softplus(a))

#define X(name, value)                                                                                       \
    static double f_##name(double a, double b, const double *p) {                                            \
        (void)b, (void)p;                                                                                    \
        return value;                                                                                        \
    }
FUNCTIONS(X)
#undef X

/* Of one input, or of two with broadcasting. */
static double broadcast(const example *e, int input, const int64_t *index) {
    int64_t own[TRUCE_MAX_DIMS];
    const truce_shape *shape = &e->shape[input];
    int skipped = e->out_shape.n_dims - shape->n_dims;
    for (int i = 0; i < shape->n_dims; i++) own[i] = shape->dims[i] == 1 ? 0 : index[skipped + i];
    return e->in[input][ravel(shape, own)];
}

static void elementwise(const example *e, double *out) {
    for (int64_t i = 0; i < truce_shape_size(&e->out_shape); i++) {
        int64_t index[TRUCE_MAX_DIMS];
        unravel(&e->out_shape, i, index);
        out[i] = e->f(broadcast(e, 0, index), e->n_inputs > 1 ? broadcast(e, 1, index) : 0, e->p);
    }
}

static void same(const example *e, double *out) {
    memcpy(out, e->in[0], (size_t)truce_shape_size(&e->out_shape) * sizeof *out);
}

/* Words of Philox, 64 blocks at a time, word by word. */
static void dropped(const example *e, double *out) {
    base_rng rng = base_rng_make(7, "dropout", 3, 5);
    for (int64_t i = 0; i < truce_shape_size(&e->out_shape); i++) {
        uint32_t block[4];
        rng.counter[0] = (uint32_t)(i / 256 * 64 + i % 64);
        base_philox(rng.counter, rng.key, block);
        bool kept = !e->training || block[i % 256 / 64] / 4294967296.0 >= e->p[0];
        out[i] = kept ? e->in[0][i] / (e->training ? 1 - e->p[0] : 1) : 0;
    }
}

/* ---- sums -------------------------------------------------------------------------------------------- */

static bool is_reduced(const example *e, int axis) {
    bool found = e->p[0] == 0;
    for (int i = 0; i < (int)e->p[0]; i++) found = found || axis_of(e->p[1 + i], e->shape[0].n_dims) == axis;
    return found;
}

static void reduced(const example *e, double *out, bool largest, bool mean) {
    int64_t n = truce_shape_size(&e->shape[0]), n_out = truce_shape_size(&e->out_shape);
    for (int64_t i = 0; i < n_out; i++) out[i] = largest ? -INFINITY : 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t index[TRUCE_MAX_DIMS], kept[TRUCE_MAX_DIMS];
        int n_kept = 0;
        unravel(&e->shape[0], i, index);
        for (int axis = 0; axis < e->shape[0].n_dims; axis++)
            if (!is_reduced(e, axis)) kept[n_kept++] = index[axis];
        double *to = &out[ravel(&e->out_shape, kept)];
        *to = largest ? fmax(*to, e->in[0][i]) : *to + e->in[0][i] / (mean ? (double)n / (double)n_out : 1);
    }
}

static void summed(const example *e, double *out) {
    reduced(e, out, false, false);
}
static void averaged(const example *e, double *out) {
    reduced(e, out, false, true);
}
static void largest(const example *e, double *out) {
    reduced(e, out, true, false);
}

static void global_mean(const example *e, double *out) {
    int64_t planes = truce_shape_size(&e->out_shape),
            n = truce_shape_size(&e->shape[0]) / (planes ? planes : 1);
    for (int64_t i = 0; i < planes; i++) {
        out[i] = 0;
        for (int64_t j = 0; j < n; j++) out[i] += e->in[0][i * n + j] / (double)n;
    }
}

/* ---- products ---------------------------------------------------------------------------------------- */

static void linear_map(const example *e, double *out) {
    int64_t n_out = e->shape[1].dims[0], n_in = e->shape[1].dims[1];
    for (int64_t i = 0; i < truce_shape_size(&e->out_shape); i++) {
        int64_t row = i / n_out, o = i % n_out;
        out[i] = e->p[0] != 0 ? e->in[2][o] : 0;
        for (int64_t j = 0; j < n_in; j++) out[i] += e->in[0][row * n_in + j] * e->in[1][o * n_in + j];
    }
}

/* Element (row, column) of matrix `batch` of an input, after its transpose. */
static double element(const example *e, int input, bool transposed, int64_t batch, int64_t row,
                      int64_t column) {
    const truce_shape *s = &e->shape[input];
    int64_t rows = s->dims[s->n_dims - 2], columns = s->dims[s->n_dims - 1];
    if (s->n_dims == 2 && input == 1) batch = 0;
    int64_t r = transposed ? column : row, c = transposed ? row : column;
    return e->in[input][(batch * rows + r) * columns + c];
}

static void matrix_product(const example *e, double *out) {
    int flags = (int)e->p[0], n_dims = e->out_shape.n_dims;
    int64_t m = e->out_shape.dims[n_dims - 2], n = e->out_shape.dims[n_dims - 1];
    int64_t inner = e->shape[0].dims[n_dims - (flags & TRUCE_TRANSPOSE_A ? 2 : 1)];
    for (int64_t i = 0; i < truce_shape_size(&e->out_shape); i++) {
        int64_t batch = i / (m * n), row = i / n % m, column = i % n;
        out[i] = 0;
        for (int64_t k = 0; k < inner; k++)
            out[i] += element(e, 0, flags & TRUCE_TRANSPOSE_A, batch, row, k) *
                      element(e, 1, flags & TRUCE_TRANSPOSE_B, batch, k, column);
    }
}

/* ---- moving ------------------------------------------------------------------------------------------ */

static void transposed(const example *e, double *out) {
    for (int64_t i = 0; i < truce_shape_size(&e->out_shape); i++) {
        int64_t index[TRUCE_MAX_DIMS], from[TRUCE_MAX_DIMS];
        unravel(&e->out_shape, i, index);
        for (int k = 0; k < e->out_shape.n_dims; k++) from[axis_of(e->p[k], e->out_shape.n_dims)] = index[k];
        out[i] = e->in[0][ravel(&e->shape[0], from)];
    }
}

static void sliced(const example *e, double *out) {
    int axis = axis_of(e->p[0], e->out_shape.n_dims);
    for (int64_t i = 0; i < truce_shape_size(&e->out_shape); i++) {
        int64_t index[TRUCE_MAX_DIMS];
        unravel(&e->out_shape, i, index);
        index[axis] = (int64_t)e->p[1] + index[axis] * (int64_t)e->p[3];
        out[i] = e->in[0][ravel(&e->shape[0], index)];
    }
}

static void joined(const example *e, double *out) {
    int axis = axis_of(e->p[1], e->out_shape.n_dims);
    for (int64_t i = 0; i < truce_shape_size(&e->out_shape); i++) {
        int64_t index[TRUCE_MAX_DIMS];
        int part = 0;
        unravel(&e->out_shape, i, index);
        while (index[axis] >= e->shape[part].dims[axis]) index[axis] -= e->shape[part++].dims[axis];
        out[i] = e->in[part][ravel(&e->shape[part], index)];
    }
}

/* out[outer..., i..., inner...] = x[outer..., index[i...], inner...] */
static void picked(const example *e, double *out) {
    int axis = axis_of(e->p[0], e->shape[0].n_dims), n_index = e->shape[1].n_dims;
    for (int64_t i = 0; i < truce_shape_size(&e->out_shape); i++) {
        int64_t index[TRUCE_MAX_DIMS], from[TRUCE_MAX_DIMS];
        unravel(&e->out_shape, i, index);
        for (int d = 0; d < e->shape[0].n_dims; d++) from[d] = d < axis ? index[d] : index[d + n_index - 1];
        from[axis] = (int64_t)e->in[1][ravel(&e->shape[1], index + axis)];
        out[i] = e->in[0][ravel(&e->shape[0], from)];
    }
}

/* ---- softmax and losses ------------------------------------------------------------------------------ */

/* log softmax(x) at a position, with the classes on `axis`. */
static double log_share(const example *e, int axis, const int64_t *index) {
    int64_t at[TRUCE_MAX_DIMS];
    double sum = 0, value = e->in[0][ravel(&e->shape[0], index)];
    memcpy(at, index, sizeof at);
    for (at[axis] = 0; at[axis] < e->shape[0].dims[axis]; at[axis]++)
        sum += exp(e->in[0][ravel(&e->shape[0], at)] - value);
    return -log(sum);
}

static void log_shares(const example *e, double *out) {
    for (int64_t i = 0; i < truce_shape_size(&e->out_shape); i++) {
        int64_t index[TRUCE_MAX_DIMS] = {0};
        unravel(&e->out_shape, i, index);
        out[i] = log_share(e, axis_of(e->p[0], e->shape[0].n_dims), index);
    }
}

static void shares(const example *e, double *out) {
    log_shares(e, out);
    for (int64_t i = 0; i < truce_shape_size(&e->out_shape); i++) out[i] = exp(out[i]);
}

static void mean_class_loss(const example *e, double *out) {
    int axis = axis_of(e->p[0], e->shape[0].n_dims);
    double sum = 0, n = 0;
    for (int64_t i = 0; i < truce_shape_size(&e->shape[1]); i++) {
        int64_t index[TRUCE_MAX_DIMS] = {0}, at[TRUCE_MAX_DIMS] = {0};
        if (e->in[1][i] < 0) continue;
        unravel(&e->shape[1], i, index);
        for (int d = 0; d < e->shape[0].n_dims; d++)
            at[d] = d < axis ? index[d] : d > axis ? index[d - 1] : 0;
        at[axis] = (int64_t)e->in[1][i];
        sum -= log_share(e, axis, at);
        n++;
    }
    *out = n > 0 ? sum / n : 0;
}

static void mean_loss(const example *e, double *out) {
    double sum = 0, n = 0;
    for (int64_t i = 0; i < truce_shape_size(&e->shape[0]); i++) {
        if (isnan(e->in[1][i])) continue;
        sum += e->f(e->in[0][i], e->in[1][i], e->p);
        n++;
    }
    *out = n > 0 ? sum / n : 0;
}

/* ---- images ------------------------------------------------------------------------------------------ */

/* x[plane] as seen through tap (y, x) of the window at (row, column) of the result; false in the padding. */
static bool seen(const example *e, int64_t plane, const int64_t at[2], const int64_t tap[2], double *value) {
    const truce_shape *x = &e->shape[0];
    int64_t in[2];
    truce_window w = op_window(e->p);
    for (int i = 0; i < 2; i++) {
        int64_t stride = w.stride[i] ? w.stride[i] : e->n_inputs > 1 ? 1 : w.size[i];
        in[i] = at[i] * stride - w.padding[i] + tap[i] * (w.dilation[i] ? w.dilation[i] : 1);
        if (in[i] < 0 || in[i] >= x->dims[x->n_dims - 2 + i]) return false;
    }
    int64_t height = x->dims[x->n_dims - 2], width = x->dims[x->n_dims - 1];
    *value = e->in[0][(plane * height + in[0]) * width + in[1]];
    return true;
}

static void pooled(const example *e, double *out, bool largest) {
    const truce_shape *y = &e->out_shape;
    int64_t height = y->dims[y->n_dims - 2], width = y->dims[y->n_dims - 1], tap[2];
    for (int64_t i = 0; i < truce_shape_size(y); i++) {
        int64_t at[2] = {i / width % height, i % width};
        double sum = 0, n = 0, best = -INFINITY, value;
        for (tap[0] = 0; tap[0] < (int64_t)e->p[0]; tap[0]++)
            for (tap[1] = 0; tap[1] < (int64_t)e->p[1]; tap[1]++)
                if (seen(e, i / (width * height), at, tap, &value))
                    sum += value, n++, best = fmax(best, value);
        out[i] = largest ? best : n > 0 ? sum / n : 0;
    }
}

static void max_pooled(const example *e, double *out) {
    pooled(e, out, true);
}
static void mean_pooled(const example *e, double *out) {
    pooled(e, out, false);
}

static void convolved(const example *e, double *out) {
    const truce_shape *y = &e->out_shape, *w = &e->shape[1];
    int64_t height = y->dims[y->n_dims - 2], width = y->dims[y->n_dims - 1], channels = w->dims[0], tap[2];
    int64_t groups = e->p[8] != 0 ? (int64_t)e->p[8] : 1, in = w->dims[1];
    for (int64_t i = 0; i < truce_shape_size(y); i++) {
        int64_t at[2] = {i / width % height, i % width}, o = i / (width * height) % channels;
        int64_t image = i / (width * height * channels), first = o / (channels / groups) * in;
        double sum = e->p[9] != 0 ? e->in[2][o] : 0, value;
        for (int64_t c = 0; c < in; c++)
            for (tap[0] = 0; tap[0] < w->dims[2]; tap[0]++)
                for (tap[1] = 0; tap[1] < w->dims[3]; tap[1]++)
                    if (seen(e, image * in * groups + first + c, at, tap, &value))
                        sum += value * e->in[1][((o * in + c) * w->dims[2] + tap[0]) * w->dims[3] + tap[1]];
        out[i] = sum;
    }
}

/* ---- norms ------------------------------------------------------------------------------------------- */

/* (x - mean) / sqrt(variance + epsilon) scale + shift, with scale and shift from `rest` on. */
static double normalised(const example *e, int rest, double x, double mean, double variance,
                         int64_t channel) {
    double y = (x - mean) / sqrt(variance + (e->p[2] > 0 ? e->p[2] : 1e-5));
    if (e->p[0] != 0) y *= e->in[rest++][channel];
    if (e->p[1] != 0) y += e->in[rest][channel];
    return y;
}

static void rows_normalised(const example *e, double *out) {
    int64_t n = e->out_shape.dims[e->out_shape.n_dims - 1];
    for (int64_t row = 0; row < truce_shape_size(&e->out_shape) / (n ? n : 1); row++) {
        const double *x = e->in[0] + row * n;
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < n; i++) mean += x[i] / (double)n;
        for (int64_t i = 0; i < n; i++) variance += (x[i] - mean) * (x[i] - mean) / (double)n;
        for (int64_t i = 0; i < n; i++) out[row * n + i] = normalised(e, 1, x[i], mean, variance, i);
    }
}

static void channels_normalised(const example *e, double *out) {
    int64_t n_all = truce_shape_size(&e->out_shape), channels = e->out_shape.dims[1];
    int64_t planes = e->out_shape.dims[0] * channels, size = planes > 0 ? n_all / planes : 0;
    for (int64_t c = 0; c < channels; c++) {
        double mean = 0, variance = 0, n = (double)(n_all / channels);
        for (int64_t i = 0; i < n_all; i++)
            if (i / size % channels == c) mean += e->in[0][i] / n;
        for (int64_t i = 0; i < n_all; i++)
            if (i / size % channels == c) variance += (e->in[0][i] - mean) * (e->in[0][i] - mean) / n;
        if (!e->training) mean = e->in[1][c], variance = e->in[2][c];
        for (int64_t i = 0; i < n_all; i++)
            if (i / size % channels == c) out[i] = normalised(e, 3, e->in[0][i], mean, variance, c);
    }
}

#endif
