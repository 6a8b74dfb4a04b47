/*
 * Whether a data set can be trained on, decided before the first step and in one sentence, instead of by a
 * loss that is NaN after an hour. Inputs are read through the same calls as in training, a block of rows at a
 * time, so rows that are made when they are read are looked at too.
 */
#include "base/text.h"
#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES (1 << 20)

/* NaN and infinity have all bits of the exponent set; testing bits lets the compiler use wide instructions.
 */
static bool all_finite(const float *values, int64_t n) {
    uint32_t bad = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bad |= (bits & 0x7F800000u) == 0x7F800000u;
    }
    return !bad;
}

static const char *name_of(float value) {
    return isnan(value) ? "NaN" : value > 0 ? "infinity" : "-infinity";
}

static truce_status check_numbers(truce_context *context, const truce_input *input, const float *values,
                                  const int64_t *rows, int64_t n) {
    int64_t size = truce_shape_size(&input->row_shape), k = 0;
    if (all_finite(values, n * size)) return TRUCE_OK;
    while (isfinite(values[k])) k++;
    return base_fail(context, TRUCE_ERROR_DATA,
                     "%s in input '%s' at row %lld, element %lld; rows count from 0", name_of(values[k]),
                     input->name, (long long)rows[k / size], (long long)(k % size));
}

static truce_status check_categories(truce_context *context, const truce_input *input, const int32_t *values,
                                     const int64_t *rows, int64_t n) {
    int64_t width = input->row_shape.dims[0];
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < width; c++) {
            int32_t value = values[i * width + c];
            if (value < 0 || value >= input->cardinality[c])
                return base_fail(
                    context, TRUCE_ERROR_DATA,
                    "input '%s' at row %lld, column %lld: category %d is not in 0 .. %d; rows count "
                    "from 0",
                    input->name, (long long)rows[i], (long long)c, value, input->cardinality[c] - 1);
        }
    return TRUCE_OK;
}

static truce_status check_input(const truce_dataset *dataset, int i) {
    truce_context *context = dataset->context;
    const data_input *input = dataset->inputs[i];
    int64_t block = BASE_MAX(1, BLOCK_BYTES / (int64_t)input->row_bytes);
    void *values = NULL;
    truce_status status =
        data_alloc_rows(context, BASE_MIN(block, dataset->n_rows), input->row_bytes, &values);
    for (int64_t begin = 0; !status && begin < dataset->n_rows; begin += block) {
        int64_t n = BASE_MIN(block, dataset->n_rows - begin);
        const int64_t *rows = dataset->split_rows + begin;
        status = truce_dataset_read_input(dataset, i, rows, n, values);
        if (status) break;
        if (input->about.kind == TRUCE_INPUT_NUMBERS)
            status = check_numbers(context, &input->about, values, rows, n);
        else
            status = check_categories(context, &input->about, values, rows, n);
    }
    base_free_aligned(context, values);
    return status;
}

static truce_status fail_no_label(const truce_dataset *dataset, const truce_target *target) {
    return base_fail(dataset->context, TRUCE_ERROR_DATA,
                     "task '%s' has no label in any of the %lld training rows", target->name,
                     (long long)dataset->split_begin[1]);
}

static truce_status check_regression(const truce_dataset *dataset, const data_target *target) {
    const float *values = target->values;
    int64_t width = target->about.width, n = dataset->split_begin[1], n_labels = 0;
    float first = 0;
    bool varies = false;
    for (int64_t k = 0; k < dataset->n_rows * width; k++)
        if (isinf(values[k]))
            return base_fail(dataset->context, TRUCE_ERROR_DATA,
                             "%s in the target of task '%s' at row %lld; rows count from 0",
                             name_of(values[k]), target->about.name, (long long)(k / width));
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < width; c++) {
            float value = values[dataset->split_rows[i] * width + c];
            if (isnan(value)) continue;
            if (n_labels++ == 0) first = value;
            varies = varies || value != first;
        }
    if (n_labels == 0) return fail_no_label(dataset, &target->about);
    if (varies) return TRUCE_OK;
    char text[BASE_REAL_BYTES]; /* in the task's own units */
    base_format_real(target->about.mean + target->about.scale * (double)first, text);
    return base_fail(dataset->context, TRUCE_ERROR_DATA,
                     "the target of task '%s' is the same (%s) in all its %lld training labels",
                     target->about.name, text, (long long)n_labels);
}

/* Class of a row; -1 where it is missing, n_classes where it is none. */
static int32_t class_of(const data_target *target, int64_t row) {
    int32_t n_classes = target->about.n_classes;
    if (target->about.kind == TRUCE_TARGET_BINARY) {
        float value = ((const float *)target->values)[row];
        return isnan(value) ? -1 : value == 0 ? 0 : value == 1 ? 1 : n_classes;
    }
    int32_t value = ((const int32_t *)target->values)[row];
    return value < -1 || value > n_classes ? n_classes : value;
}

static void format_label(const data_target *target, int64_t row, char *text, size_t bytes) {
    if (target->about.kind == TRUCE_TARGET_BINARY)
        snprintf(text, bytes, "%g", (double)((const float *)target->values)[row]);
    else
        snprintf(text, bytes, "%d", ((const int32_t *)target->values)[row]);
}

static truce_status fail_label(const truce_dataset *dataset, const data_target *target, int64_t row) {
    char text[BASE_REAL_BYTES], range[64] = "0, 1 or NaN (missing)";
    format_label(target, row, text, sizeof text);
    if (target->about.kind == TRUCE_TARGET_CLASSES)
        snprintf(range, sizeof range, "0 .. %d or -1 (missing)", target->about.n_classes - 1);
    return base_fail(dataset->context, TRUCE_ERROR_DATA,
                     "label %s of task '%s' at row %lld is not one of %s; rows count from 0", text,
                     target->about.name, (long long)row, range);
}

static const char *class_name(const truce_target *target, int32_t i, char number[16]) {
    if (target->class_names) return target->class_names[i];
    snprintf(number, 16, "%d", i);
    return number;
}

/* counts [n_classes][TRUCE_N_SPLITS] */
static truce_status count_classes(const truce_dataset *dataset, const data_target *target, int64_t *counts) {
    for (int split = 0; split < TRUCE_N_SPLITS; split++)
        for (int64_t i = dataset->split_begin[split]; i < dataset->split_begin[split + 1]; i++) {
            int32_t class = class_of(target, dataset->split_rows[i]);
            if (class == target->about.n_classes) return fail_label(dataset, target, dataset->split_rows[i]);
            if (class >= 0) counts[class * TRUCE_N_SPLITS + split]++;
        }
    return TRUCE_OK;
}

static truce_status fail_unseen(const truce_dataset *dataset, const truce_target *target, int32_t class,
                                const int64_t count[TRUCE_N_SPLITS]) {
    char number[16], where[64];
    bool both = count[TRUCE_VALIDATION] && count[TRUCE_TEST];
    truce_split split = count[TRUCE_VALIDATION] ? TRUCE_VALIDATION : TRUCE_TEST;
    snprintf(where, sizeof where, "%s", both ? "validation and test" : truce_split_name(split));
    return base_fail(dataset->context, TRUCE_ERROR_DATA,
                     "class '%s' of task '%s' occurs in %s rows only (%lld of them)",
                     class_name(target, class, number), target->name, where,
                     (long long)(count[TRUCE_VALIDATION] + count[TRUCE_TEST]));
}

static truce_status judge_classes(const truce_dataset *dataset, const truce_target *target,
                                  const int64_t *counts) {
    int64_t n_labels = 0;
    int32_t n_seen = 0, last_seen = 0;
    char number[16];
    for (int32_t c = 0; c < target->n_classes; c++) {
        int64_t n = counts[c * TRUCE_N_SPLITS + TRUCE_TRAIN];
        n_labels += n;
        n_seen += n > 0;
        if (n) last_seen = c;
    }
    if (n_labels == 0) return fail_no_label(dataset, target);
    if (n_seen == 1)
        return base_fail(dataset->context, TRUCE_ERROR_DATA,
                         "the target of task '%s' is the same (class '%s') in all its %lld training labels",
                         target->name, class_name(target, last_seen, number), (long long)n_labels);
    for (int32_t c = 0; c < target->n_classes; c++) {
        const int64_t *count = counts + c * TRUCE_N_SPLITS;
        if (!count[TRUCE_TRAIN] && (count[TRUCE_VALIDATION] || count[TRUCE_TEST]))
            return fail_unseen(dataset, target, c, count);
    }
    return TRUCE_OK;
}

static truce_status check_classes(const truce_dataset *dataset, const data_target *target) {
    int64_t *counts = NULL;
    BASE_TRY(base_alloc(dataset->context, (size_t)target->about.n_classes * TRUCE_N_SPLITS, sizeof *counts,
                        &counts));
    truce_status status = count_classes(dataset, target, counts);
    if (!status) status = judge_classes(dataset, &target->about, counts);
    base_free(dataset->context, counts);
    return status;
}

truce_status truce_dataset_check(const truce_dataset *dataset) {
    truce_context *context = dataset->context;
    if (dataset->n_inputs == 0) return base_fail(context, TRUCE_ERROR_DATA, "the data set has no input");
    if (dataset->n_targets == 0) return base_fail(context, TRUCE_ERROR_DATA, "the data set has no task");
    if (dataset->split_begin[1] == 0)
        return base_fail(context, TRUCE_ERROR_DATA, "the data set has no training rows");
    for (size_t i = 0; i < dataset->n_inputs; i++) BASE_TRY(check_input(dataset, (int)i));
    for (size_t i = 0; i < dataset->n_targets; i++) {
        const data_target *target = dataset->targets[i];
        BASE_TRY(target->about.kind == TRUCE_TARGET_REGRESSION ? check_regression(dataset, target)
                                                               : check_classes(dataset, target));
    }
    return TRUCE_OK;
}
