/*
 * Mean 0 and standard deviation 1, as the training rows have it.
 *
 * Two passes in double, mean = sum x / n and then variance = sum (x - mean)^2 / n, so that a large offset
 * does not eat the variance. Values that are missing (NaN) or infinite neither count nor change into
 * something else: what may not be there is check.c's business. A column whose training values are all equal
 * keeps the scale 1; equality is tested on the values themselves, as the variance of n equal values may come
 * out as rounding.
 */
#include "data/standardise.h"

#include <math.h>

typedef struct column {
    double mean, sum, scale;
    float low, high;
    int64_t n;
} column;

static void first_pass(column *c, float x) {
    if (!isfinite(x)) return;
    if (c->n == 0 || x < c->low) c->low = x;
    if (c->n == 0 || x > c->high) c->high = x;
    c->sum += (double)x;
    c->n++;
}

static void end_first_pass(column *c) {
    c->mean = c->n ? c->sum / (double)c->n : 0;
    if (c->low == c->high) c->mean = (double)c->low;
    c->sum = 0;
}

static void second_pass(column *c, float x) {
    if (!isfinite(x)) return;
    double d = (double)x - c->mean;
    c->sum += d * d;
}

static void end_second_pass(column *c) {
    c->scale = c->low == c->high ? 1 : sqrt(c->sum / (double)c->n);
}

/* Mean and scale of `width` columns over the training rows of values [n_rows][width]. */
static void fit_columns(const truce_dataset *dataset, const float *values, int64_t width, column *columns) {
    int64_t n;
    const int64_t *rows = truce_dataset_split_rows(dataset, TRUCE_TRAIN, &n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < width; c++) first_pass(&columns[c], values[rows[i] * width + c]);
    for (int64_t c = 0; c < width; c++) end_first_pass(&columns[c]);
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < width; c++) second_pass(&columns[c], values[rows[i] * width + c]);
    for (int64_t c = 0; c < width; c++) end_second_pass(&columns[c]);
}

truce_status truce_dataset_standardise_input(truce_dataset *dataset, int i, double *mean, double *scale) {
    truce_context *context = dataset->context;
    const truce_input *about = truce_dataset_input(dataset, i);
    float *values = dataset->inputs[i]->values;
    column *columns = NULL;
    if (about->kind != TRUCE_INPUT_NUMBERS || about->row_shape.n_dims != 1 || dataset->inputs[i]->fill)
        return base_fail(context, TRUCE_ERROR_UNSUPPORTED,
                         "input '%s' cannot be standardised: only stored numbers with one axis per row can",
                         about->name);
    int64_t width = about->row_shape.dims[0];
    BASE_TRY(base_alloc(context, (size_t)width, sizeof *columns, &columns));
    fit_columns(dataset, values, width, columns);
    for (int64_t r = 0; r < dataset->n_rows; r++)
        for (int64_t c = 0; c < width; c++)
            values[r * width + c] =
                data_standardised(values[r * width + c], columns[c].mean, columns[c].scale);
    for (int64_t c = 0; c < width; c++) {
        if (mean) mean[c] = columns[c].mean;
        if (scale) scale[c] = columns[c].scale;
    }
    base_free(context, columns);
    return TRUCE_OK;
}

truce_status truce_dataset_standardise_target(truce_dataset *dataset, int i) {
    truce_target *about = &dataset->targets[i]->about;
    float *values = dataset->targets[i]->values;
    int64_t n, width = about->width;
    column all = {0};
    if (about->kind != TRUCE_TARGET_REGRESSION)
        return base_fail(dataset->context, TRUCE_ERROR_UNSUPPORTED,
                         "task '%s' cannot be standardised: it is not a regression", about->name);
    const int64_t *rows = truce_dataset_split_rows(dataset, TRUCE_TRAIN, &n);
    for (int64_t k = 0; k < n * width; k++) first_pass(&all, values[rows[k / width] * width + k % width]);
    end_first_pass(&all);
    for (int64_t k = 0; k < n * width; k++) second_pass(&all, values[rows[k / width] * width + k % width]);
    end_second_pass(&all);
    for (int64_t k = 0; k < dataset->n_rows * width; k++)
        values[k] = data_standardised(values[k], all.mean, all.scale);
    about->mean += about->scale * all.mean;
    about->scale *= all.scale;
    return TRUCE_OK;
}
