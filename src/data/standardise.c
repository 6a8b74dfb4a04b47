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

void data_moments_first(data_moments *m, double value) {
    if (!isfinite(value)) return;
    if (m->n == 0 || value < m->low) m->low = value;
    if (m->n == 0 || value > m->high) m->high = value;
    m->sum += value;
    m->n++;
}

void data_moments_between(data_moments *m) {
    m->mean = m->n ? m->sum / (double)m->n : 0;
    if (m->low == m->high) m->mean = m->low;
    m->sum = 0;
}

void data_moments_second(data_moments *m, double value) {
    if (!isfinite(value)) return;
    double d = value - m->mean;
    m->sum += d * d;
}

void data_moments_end(data_moments *m) {
    m->scale = m->low == m->high ? 1 : sqrt(m->sum / (double)m->n);
}

/* Mean and scale of `width` columns over the training rows of values [n_rows][width]. */
static void fit_columns(const truce_dataset *dataset, const float *values, int64_t width,
                        data_moments *columns) {
    int64_t n;
    const int64_t *rows = truce_dataset_split_rows(dataset, TRUCE_TRAIN, &n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < width; c++)
            data_moments_first(&columns[c], (double)values[rows[i] * width + c]);
    for (int64_t c = 0; c < width; c++) data_moments_between(&columns[c]);
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < width; c++)
            data_moments_second(&columns[c], (double)values[rows[i] * width + c]);
    for (int64_t c = 0; c < width; c++) data_moments_end(&columns[c]);
}

truce_status truce_dataset_standardise_input(truce_dataset *dataset, int i, double *mean, double *scale) {
    truce_context *context = dataset->context;
    const truce_input *about = truce_dataset_input(dataset, i);
    float *values = dataset->inputs[i]->values;
    data_moments *columns = NULL;
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
                data_standardised((double)values[r * width + c], columns[c].mean, columns[c].scale);
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
    data_moments all = {0};
    if (about->kind != TRUCE_TARGET_REGRESSION)
        return base_fail(dataset->context, TRUCE_ERROR_UNSUPPORTED,
                         "task '%s' cannot be standardised: it is not a regression", about->name);
    const int64_t *rows = truce_dataset_split_rows(dataset, TRUCE_TRAIN, &n);
    for (int64_t k = 0; k < n * width; k++)
        data_moments_first(&all, (double)values[rows[k / width] * width + k % width]);
    data_moments_between(&all);
    for (int64_t k = 0; k < n * width; k++)
        data_moments_second(&all, (double)values[rows[k / width] * width + k % width]);
    data_moments_end(&all);
    for (int64_t k = 0; k < dataset->n_rows * width; k++)
        values[k] = data_standardised((double)values[k], all.mean, all.scale);
    about->mean += about->scale * all.mean;
    about->scale *= all.scale;
    return TRUCE_OK;
}
