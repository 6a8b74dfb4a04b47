/*
 * Rows, inputs and targets. A data set keeps every array as one block of equal rows, so that gathering a
 * batch is one copy per row. Descriptions are copied in and never move, so pointers to them stay valid while
 * others are added. Which row is in which split is kept in split.c; what the numbers should look like is
 * judged in check.c.
 */
#include "data/dataset.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *truce_split_name(truce_split split) {
    static const char *const names[TRUCE_N_SPLITS] = {"train", "validation", "test"};
    return names[split];
}

truce_status truce_dataset_create(truce_context *context, int64_t n_rows, truce_dataset **out) {
    if (n_rows < 0)
        return base_fail(context, TRUCE_ERROR_ARGUMENT, "a data set cannot have %lld rows",
                         (long long)n_rows);
    truce_dataset *dataset = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *dataset, &dataset));
    dataset->context = context;
    dataset->n_rows = n_rows;
    truce_status status = base_alloc(context, (size_t)n_rows, 1, &dataset->splits);
    if (!status) status = base_alloc(context, (size_t)n_rows, sizeof(int64_t), &dataset->split_rows);
    if (status) {
        truce_dataset_destroy(dataset);
        return status;
    }
    data_arrange_splits(dataset);
    *out = dataset;
    return TRUCE_OK;
}

static void free_input(truce_context *context, data_input *input) {
    if (!input) return;
    if (input->release) input->release(input->user);
    base_free_aligned(context, input->values);
    base_free(context, (void *)input->about.cardinality);
    base_free(context, (void *)input->about.name);
    base_free(context, input);
}

static void free_target(truce_context *context, data_target *target) {
    if (!target) return;
    base_free_aligned(context, target->values);
    for (int i = 0; target->about.class_names && i < target->about.n_classes; i++)
        base_free(context, (void *)target->about.class_names[i]);
    base_free(context, (void *)target->about.class_names);
    base_free(context, (void *)target->about.name);
    base_free(context, target);
}

void truce_dataset_destroy(truce_dataset *dataset) {
    if (!dataset) return;
    truce_context *context = dataset->context;
    for (size_t i = 0; i < dataset->n_inputs; i++) free_input(context, dataset->inputs[i]);
    for (size_t i = 0; i < dataset->n_targets; i++) free_target(context, dataset->targets[i]);
    base_free(context, dataset->inputs);
    base_free(context, dataset->targets);
    base_free(context, dataset->split_rows);
    base_free(context, dataset->splits);
    base_free(context, dataset);
}

truce_status data_row_bytes(truce_context *context, const char *what, const truce_shape *row_shape,
                            size_t *out) {
    size_t bytes = sizeof(float);
    for (int i = 0; i < row_shape->n_dims; i++) {
        if (row_shape->dims[i] <= 0)
            return base_fail(context, TRUCE_ERROR_SHAPE, "%s: axis %d of a row has %lld elements", what, i,
                             (long long)row_shape->dims[i]);
        if (!base_multiply(bytes, (size_t)row_shape->dims[i], &bytes))
            return base_fail(context, TRUCE_ERROR_MEMORY, "%s: a row is larger than any memory", what);
    }
    *out = bytes;
    return TRUCE_OK;
}

truce_status data_alloc_rows(truce_context *context, int64_t n_rows, size_t row_bytes, void *out) {
    return base_alloc_aligned(context, (size_t)n_rows, row_bytes, out);
}

/* Descriptions: checked, and copied with everything they point to. */

static truce_status check_input(truce_dataset *dataset, const truce_input *input) {
    truce_context *context = dataset->context;
    if (!input->name || !*input->name)
        return base_fail(context, TRUCE_ERROR_ARGUMENT, "an input needs a name");
    for (size_t i = 0; i < dataset->n_inputs; i++)
        if (strcmp(dataset->inputs[i]->about.name, input->name) == 0)
            return base_fail(context, TRUCE_ERROR_NAME, "there are two inputs '%s'", input->name);
    if (input->row_shape.n_dims < 0 || input->row_shape.n_dims >= TRUCE_MAX_DIMS) /* one axis is the rows' */
        return base_fail(context, TRUCE_ERROR_SHAPE, "input '%s' has %d axes; a row may have 0 to %d",
                         input->name, input->row_shape.n_dims, TRUCE_MAX_DIMS - 1);
    if (input->kind == TRUCE_INPUT_NUMBERS) return TRUCE_OK;
    if (input->row_shape.n_dims != 1 || !input->cardinality)
        return base_fail(context, TRUCE_ERROR_SHAPE,
                         "input '%s' holds categories: it needs one axis and a cardinality for each column",
                         input->name);
    for (int64_t c = 0; c < input->row_shape.dims[0]; c++)
        if (input->cardinality[c] < 1)
            return base_fail(context, TRUCE_ERROR_RANGE, "input '%s': column %lld has %d categories",
                             input->name, (long long)c, input->cardinality[c]);
    return TRUCE_OK;
}

static truce_status copy_cardinality(truce_context *context, const truce_input *from, truce_input *to) {
    size_t n = (size_t)from->row_shape.dims[0];
    int32_t *copy = NULL;
    BASE_TRY(base_alloc(context, n, sizeof *copy, &copy));
    memcpy(copy, from->cardinality, n * sizeof *copy);
    to->cardinality = copy;
    return TRUCE_OK;
}

static truce_status copy_input(truce_context *context, const truce_input *input, data_input *to) {
    char what[256], *name = NULL;
    snprintf(what, sizeof what, "input '%s'", input->name);
    BASE_TRY(data_row_bytes(context, what, &input->row_shape, &to->row_bytes));
    BASE_TRY(base_copy_text(context, input->name, &name));
    to->about = (truce_input){.name = name, .kind = input->kind, .row_shape = input->row_shape};
    return input->kind == TRUCE_INPUT_CATEGORIES ? copy_cardinality(context, input, &to->about) : TRUCE_OK;
}

/* Appends `made` (values not yet set) to the data set, or frees it. */
static truce_status add_input(truce_dataset *dataset, const truce_input *input, data_input **out) {
    truce_context *context = dataset->context;
    BASE_TRY(check_input(dataset, input));
    BASE_TRY(base_grow(context, &dataset->inputs, &dataset->inputs_capacity, dataset->n_inputs + 1,
                       sizeof *dataset->inputs));
    data_input *made = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *made, &made));
    truce_status status = copy_input(context, input, made);
    if (status) {
        free_input(context, made);
        return status;
    }
    dataset->inputs[dataset->n_inputs++] = *out = made;
    return TRUCE_OK;
}

static truce_status check_target(truce_dataset *dataset, const truce_target *target) {
    truce_context *context = dataset->context;
    if (!target->name || !*target->name)
        return base_fail(context, TRUCE_ERROR_ARGUMENT, "a target needs the name of its task");
    if (truce_dataset_find_target(dataset, target->name) >= 0)
        return base_fail(context, TRUCE_ERROR_NAME, "there are two tasks '%s'", target->name);
    if (target->kind == TRUCE_TARGET_CLASSES && target->n_classes < 1)
        return base_fail(context, TRUCE_ERROR_RANGE, "task '%s' has %d classes", target->name,
                         target->n_classes);
    if (target->kind == TRUCE_TARGET_REGRESSION && target->width < 0)
        return base_fail(context, TRUCE_ERROR_SHAPE, "task '%s' has %d numbers per row", target->name,
                         target->width);
    return TRUCE_OK;
}

static truce_status copy_class_names(truce_context *context, const truce_target *from, truce_target *to) {
    char **names = NULL;
    BASE_TRY(base_alloc(context, (size_t)to->n_classes, sizeof *names, &names));
    to->class_names = (const char *const *)names;
    for (int i = 0; i < to->n_classes; i++)
        BASE_TRY(base_copy_text(context, from->class_names[i], &names[i]));
    return TRUCE_OK;
}

static truce_status copy_target(truce_context *context, const truce_target *target, data_target *to) {
    bool numbers = target->kind == TRUCE_TARGET_REGRESSION;
    char *name = NULL;
    BASE_TRY(base_copy_text(context, target->name, &name));
    to->about = (truce_target){.name = name, .kind = target->kind, .width = 1, .scale = 1};
    if (target->kind == TRUCE_TARGET_BINARY) to->about.n_classes = 2;
    if (target->kind == TRUCE_TARGET_CLASSES) to->about.n_classes = target->n_classes;
    if (numbers) {
        to->about.width = target->width ? target->width : 1;
        to->about.mean = target->mean;
        to->about.scale = target->scale != 0 ? target->scale : 1;
    }
    to->row_bytes = (size_t)to->about.width * sizeof(float);
    return target->class_names && !numbers ? copy_class_names(context, target, &to->about) : TRUCE_OK;
}

static truce_status add_target(truce_dataset *dataset, const truce_target *target, data_target **out) {
    truce_context *context = dataset->context;
    BASE_TRY(check_target(dataset, target));
    BASE_TRY(base_grow(context, &dataset->targets, &dataset->targets_capacity, dataset->n_targets + 1,
                       sizeof *dataset->targets));
    data_target *made = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *made, &made));
    truce_status status = copy_target(context, target, made);
    if (status) {
        free_target(context, made);
        return status;
    }
    dataset->targets[dataset->n_targets++] = *out = made;
    return TRUCE_OK;
}

static truce_status copy_rows(truce_dataset *dataset, const void *values, size_t row_bytes, void **out) {
    void *copy = NULL;
    BASE_TRY(data_alloc_rows(dataset->context, dataset->n_rows, row_bytes, &copy));
    if (dataset->n_rows) memcpy(copy, values, (size_t)dataset->n_rows * row_bytes);
    *out = copy;
    return TRUCE_OK;
}

truce_status truce_dataset_add_input(truce_dataset *dataset, const truce_input *input, const void *values) {
    data_input *made = NULL;
    BASE_TRY(add_input(dataset, input, &made));
    truce_status status = copy_rows(dataset, values, made->row_bytes, &made->values);
    if (status) free_input(dataset->context, dataset->inputs[--dataset->n_inputs]);
    return status;
}

truce_status data_adopt_input(truce_dataset *dataset, const truce_input *input, void *values) {
    data_input *made = NULL;
    BASE_TRY(add_input(dataset, input, &made));
    made->values = values;
    return TRUCE_OK;
}

truce_status truce_dataset_add_lazy_input(truce_dataset *dataset, const truce_input *input,
                                          truce_fill_fn fill, void *user, void (*release)(void *user)) {
    data_input *made = NULL;
    assert(input->kind == TRUCE_INPUT_NUMBERS);
    truce_status status = add_input(dataset, input, &made);
    if (status) {
        if (release) release(user);
        return status;
    }
    made->fill = fill;
    made->user = user;
    made->release = release;
    return TRUCE_OK;
}

truce_status truce_dataset_add_target(truce_dataset *dataset, const truce_target *target,
                                      const void *values) {
    data_target *made = NULL;
    BASE_TRY(add_target(dataset, target, &made));
    truce_status status = copy_rows(dataset, values, made->row_bytes, &made->values);
    if (status) free_target(dataset->context, dataset->targets[--dataset->n_targets]);
    return status;
}

truce_status data_adopt_target(truce_dataset *dataset, const truce_target *target, void *values) {
    data_target *made = NULL;
    BASE_TRY(add_target(dataset, target, &made));
    made->values = values;
    return TRUCE_OK;
}

/* Copies the names before anything changes. */
static truce_status copy_names(truce_context *context, const char *const *names, int n, char **out) {
    for (int i = 0; i < n; i++) BASE_TRY(base_copy_text(context, names[i], &out[i]));
    return TRUCE_OK;
}

static void swap_targets(truce_dataset *dataset, const int *which, char **names, int n,
                         data_target **selected) {
    truce_context *context = dataset->context;
    for (int i = 0; i < n; i++) {
        selected[i] = dataset->targets[which[i]];
        dataset->targets[which[i]] = NULL;
        base_free(context, (void *)selected[i]->about.name);
        selected[i]->about.name = names[i];
    }
    for (size_t i = 0; i < dataset->n_targets; i++) free_target(context, dataset->targets[i]);
    base_free(context, dataset->targets);
    dataset->targets = selected;
    dataset->n_targets = dataset->targets_capacity = (size_t)n;
}

truce_status data_select_targets(truce_dataset *dataset, const int *which, const char *const *names, int n) {
    truce_context *context = dataset->context;
    data_target **selected = NULL;
    char **copies = NULL;
    truce_status status = base_alloc(context, (size_t)n, sizeof *selected, &selected);
    if (!status) status = base_alloc(context, (size_t)n, sizeof *copies, &copies);
    if (!status) status = copy_names(context, names, n, copies);
    if (!status) {
        swap_targets(dataset, which, copies, n, selected);
    } else {
        for (int i = 0; copies && i < n; i++) base_free(context, copies[i]);
        base_free(context, selected);
    }
    base_free(context, copies);
    return status;
}

int64_t truce_dataset_rows(const truce_dataset *dataset) {
    return dataset->n_rows;
}

int truce_dataset_inputs(const truce_dataset *dataset) {
    return (int)dataset->n_inputs;
}

int truce_dataset_targets(const truce_dataset *dataset) {
    return (int)dataset->n_targets;
}

const truce_input *truce_dataset_input(const truce_dataset *dataset, int i) {
    assert(i >= 0 && (size_t)i < dataset->n_inputs);
    return &dataset->inputs[i]->about;
}

const truce_target *truce_dataset_target(const truce_dataset *dataset, int i) {
    assert(i >= 0 && (size_t)i < dataset->n_targets);
    return &dataset->targets[i]->about;
}

int truce_dataset_find_target(const truce_dataset *dataset, const char *name) {
    for (size_t i = 0; i < dataset->n_targets; i++)
        if (strcmp(dataset->targets[i]->about.name, name) == 0) return (int)i;
    return -1;
}

static void gather_words(const uint32_t *values, const int64_t *rows, int64_t n, uint32_t *out) {
    for (int64_t i = 0; i < n; i++) out[i] = values[rows[i]];
}

static void gather(const void *values, size_t row_bytes, const int64_t *rows, int64_t n, void *out) {
    if (row_bytes == sizeof(uint32_t)) {
        gather_words(values, rows, n, out);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)out + (size_t)i * row_bytes, (const char *)values + (size_t)rows[i] * row_bytes,
               row_bytes);
}

static void require_rows(const truce_dataset *dataset, const int64_t *rows, int64_t n) {
    (void)dataset;
    (void)rows;
    for (int64_t i = 0; i < n; i++) assert(rows[i] >= 0 && rows[i] < dataset->n_rows);
}

truce_status truce_dataset_read_input(const truce_dataset *dataset, int i, const int64_t *rows, int64_t n,
                                      void *out) {
    assert(i >= 0 && (size_t)i < dataset->n_inputs);
    require_rows(dataset, rows, n);
    const data_input *input = dataset->inputs[i];
    if (input->fill) return input->fill(input->user, rows, n, out);
    gather(input->values, input->row_bytes, rows, n, out);
    return TRUCE_OK;
}

void truce_dataset_read_target(const truce_dataset *dataset, int i, const int64_t *rows, int64_t n,
                               void *out) {
    assert(i >= 0 && (size_t)i < dataset->n_targets);
    require_rows(dataset, rows, n);
    const data_target *target = dataset->targets[i];
    gather(target->values, target->row_bytes, rows, n, out);
}
