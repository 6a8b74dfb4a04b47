/*
 * The life of a balancer: options, arrays, state. What happens at a step is in step.c.
 */
#include "balance/balancer.h"

#include "balance/columns.h"
#include "balance/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static base_options options_of(const truce_balancer *balancer, char owner[BALANCE_TASK_BYTES]) {
    const truce_method *about = &balancer->method->about;
    snprintf(owner, BALANCE_TASK_BYTES, "method '%s'", about->name);
    return (base_options){owner, about->options, about->n_options};
}

truce_context *balance_context(const truce_balancer *balancer) {
    return balancer->context;
}

int balance_tasks(const truce_balancer *balancer) {
    return balancer->n_tasks;
}

int64_t balance_parameters(const truce_balancer *balancer) {
    return balancer->n_parameters;
}

int64_t balance_steps(const truce_balancer *balancer) {
    return (int64_t)*balancer->steps;
}

int64_t balance_epochs(const truce_balancer *balancer) {
    return (int64_t)*balancer->epochs;
}

truce_balancer *balance_inner(truce_balancer *balancer) {
    return balancer->inner;
}

base_rng balance_rng(const truce_balancer *balancer, uint64_t a) {
    return base_rng_make(balancer->seed, balancer->method->about.name, (uint64_t)balance_steps(balancer), a);
}

const char *balance_task_text(const truce_balancer *balancer, int i, char text[BALANCE_TASK_BYTES]) {
    if (balancer->names)
        snprintf(text, BALANCE_TASK_BYTES, "task '%s'", balancer->names[i]);
    else
        snprintf(text, BALANCE_TASK_BYTES, "task %d", i);
    return text;
}

truce_status balance_fail(const truce_balancer *balancer, truce_status status, const char *format, ...) {
    char text[BASE_MESSAGE_BYTES / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return base_fail(balancer->context, status, "method '%s': %s", balancer->method->about.name, text);
}

truce_status balance_check_list(const truce_balancer *balancer, const char *option, const truce_reals *list) {
    if (list->n == 0 || list->n == balancer->n_tasks) return TRUCE_OK;
    return balance_fail(balancer, TRUCE_ERROR_ARGUMENT,
                        "'%s' must have one value for each of the %d tasks, but has %d", option,
                        balancer->n_tasks, list->n);
}

void balance_take_list(const balance_step *step, const truce_reals *list, double fallback, double *out) {
    for (int i = 0; i < step->n; i++) out[i] = list->n ? list->values[step->task[i]] : fallback;
}

/* Making and destroying. */

static void release_arrays(truce_balancer *balancer) {
    truce_context *context = balancer->context;
    for (int i = 0; i < balancer->n_inner; i++) base_free(context, balancer->inner_names[i]);
    base_free(context, balancer->inner_names);
    for (int i = 0; i < balancer->n_scratch; i++) base_free_aligned(context, balancer->scratch[i]);
    for (int i = 0; i < balancer->n_arrays; i++) {
        base_free(context, balancer->arrays[i].gathered);
        base_free_aligned(context, balancer->arrays[i].values);
    }
    base_free(context, balancer->task);
    balancer->task = NULL;
    balancer->blocks = NULL;
    balancer->inner_names = NULL;
    balancer->n_inner = balancer->n_scratch = balancer->n_arrays = 0;
    balancer->prepared = false;
}

/* The inner balancer of a wrapper: any method with weights but another wrapper. */
static truce_status wrap(truce_balancer *balancer, const char *name) {
    const balance_method *method = balance_find(name);
    truce_balancer *inner = NULL;
    if (!method) return balance_unknown(balancer->context, "inner method", name);
    if (method->wraps || !(method->about.properties & TRUCE_WEIGHTED))
        return balance_fail(balancer, TRUCE_ERROR_UNSUPPORTED,
                            "'%s' cannot be its inner method, because it %s", name,
                            method->wraps ? "is a wrapper itself" : "has no weights to smooth");
    BASE_TRY(truce_balancer_create(balancer->context, name, balancer->n_tasks, &inner));
    truce_balancer_destroy(balancer->inner);
    balancer->inner = inner;
    inner->seed = balancer->seed;
    inner->names = balancer->names;
    return TRUCE_OK;
}

static truce_status fill_in(truce_balancer *balancer) {
    char owner[BALANCE_TASK_BYTES];
    BASE_TRY(base_alloc(balancer->context, 1, balancer->method->bytes, &balancer->self));
    base_options options = options_of(balancer, owner);
    base_option_defaults(&options, balancer->self);
    return balancer->method->wraps ? wrap(balancer, "mgda") : TRUCE_OK;
}

truce_status truce_balancer_create(truce_context *context, const char *name, int n_tasks,
                                   truce_balancer **out) {
    const balance_method *method = balance_find(name);
    truce_balancer *balancer = NULL;
    if (!method) return balance_unknown(context, "method", name);
    if (n_tasks < 1)
        return base_fail(context, TRUCE_ERROR_ARGUMENT, "method '%s' needs at least one task, not %d", name,
                         n_tasks);
    BASE_TRY(base_alloc(context, 1, sizeof *balancer, &balancer));
    balancer->context = context;
    balancer->method = method;
    balancer->n_tasks = n_tasks;
    balancer->seed = truce_context_seed(context);
    truce_status status = fill_in(balancer);
    if (status)
        truce_balancer_destroy(balancer);
    else
        *out = balancer;
    return status;
}

void truce_balancer_destroy(truce_balancer *balancer) {
    if (!balancer) return;
    release_arrays(balancer);
    truce_balancer_destroy(balancer->inner);
    base_free(balancer->context, balancer->self);
    base_free(balancer->context, balancer);
}

const truce_method *truce_balancer_method(const truce_balancer *balancer) {
    return &balancer->method->about;
}

void truce_balancer_name_tasks(truce_balancer *balancer, const char *const *names) {
    balancer->names = names;
    if (balancer->inner) balancer->inner->names = names;
}

/* Options. */

static truce_status check_unprepared(const truce_balancer *balancer) {
    if (!balancer->prepared) return TRUCE_OK;
    return balance_fail(balancer, TRUCE_ERROR_STATE, "its options are fixed since its first step");
}

/* Options that were not set by hand take their defaults, and then what the variant says. */
static void apply_variant(truce_balancer *balancer, const char *variant) {
    const balance_method *method = balancer->method;
    char owner[BALANCE_TASK_BYTES];
    base_options options = options_of(balancer, owner);
    for (int i = 0; i < options.n; i++) {
        const truce_option *row = &options.rows[i];
        if ((balancer->by_hand >> i & 1) || !row->fallback || strcmp(row->name, "variant") == 0) continue;
        base_option_set(balancer->context, &options, balancer->self, row->name, row->fallback);
    }
    for (int i = 0; i < method->n_presets; i++) {
        const balance_preset *preset = &method->presets[i];
        int row = base_option_find(&options, preset->option);
        if (strcmp(preset->variant, variant) != 0 || (balancer->by_hand >> row & 1)) continue;
        base_option_set(balancer->context, &options, balancer->self, preset->option, preset->value);
    }
}

static const char *inner_option(const truce_balancer *balancer, const char *option) {
    return balancer->inner && strncmp(option, "inner.", 6) == 0 ? option + 6 : NULL;
}

truce_status truce_balancer_set(truce_balancer *balancer, const char *option, const char *value) {
    const char *inner = inner_option(balancer, option);
    char owner[BALANCE_TASK_BYTES];
    base_options options = options_of(balancer, owner);
    BASE_TRY(check_unprepared(balancer));
    if (inner) return truce_balancer_set(balancer->inner, inner, value);
    if (balancer->inner && strcmp(option, "inner") == 0) {
        BASE_TRY(wrap(balancer, value));
        value = balancer->inner->method->about.name; /* a text that stays */
    }
    BASE_TRY(base_option_set(balancer->context, &options, balancer->self, option, value));
    balancer->by_hand |= (uint64_t)1 << base_option_find(&options, option);
    if (strcmp(option, "variant") == 0) apply_variant(balancer, value);
    return TRUCE_OK;
}

truce_status truce_balancer_get(const truce_balancer *balancer, const char *option, char *text,
                                size_t bytes) {
    const char *inner = inner_option(balancer, option);
    char owner[BALANCE_TASK_BYTES];
    base_options options = options_of(balancer, owner);
    base_text value = {0};
    if (inner) return truce_balancer_get(balancer->inner, inner, text, bytes);
    int row = base_option_find(&options, option);
    if (row < 0) return base_option_unknown(balancer->context, &options, option);
    base_option_get(balancer->context, &options.rows[row], balancer->self, &value);
    truce_status status = value.status;
    if (!status) snprintf(text, bytes, "%s", base_text_get(&value));
    base_text_free(balancer->context, &value);
    return status;
}

truce_status truce_balancer_seed(truce_balancer *balancer, uint64_t seed) {
    BASE_TRY(check_unprepared(balancer));
    balancer->seed = seed;
    return balancer->inner ? truce_balancer_seed(balancer->inner, seed) : TRUCE_OK;
}

unsigned balance_needs(const truce_balancer *balancer) {
    const balance_method *method = balancer->method;
    if (balancer->inner) return balance_needs(balancer->inner);
    return method->needs ? method->needs(balancer->self) : method->about.needs | method->internal;
}

unsigned truce_balancer_needs(const truce_balancer *balancer) {
    return balance_needs(balancer) & ~BALANCE_POSITIVE_LOSSES;
}

/* Arrays. */

static void set_initial(balance_array *array) {
    for (int64_t i = 0; i < array->n; i++) array->values[i] = array->initial;
}

static int64_t extent_size(const truce_balancer *balancer, balance_extent extent) {
    int64_t tasks = balancer->n_tasks, parameters = balancer->n_parameters;
    switch (extent) {
    case BALANCE_ONE: return 1;
    case BALANCE_TASK: return tasks;
    case BALANCE_PAIR: return tasks * tasks;
    case BALANCE_PARAMETERS: return parameters;
    case BALANCE_ROWS: return tasks * parameters;
    }
    return 0;
}

truce_status balance_keep(truce_balancer *balancer, const char *name, balance_extent extent, double initial,
                          double **pointer) {
    balance_array *array = &balancer->arrays[balancer->n_arrays];
    *array = (balance_array){.name = name, .extent = extent, .initial = initial, .pointer = pointer};
    array->n = extent_size(balancer, extent);
    balancer->n_arrays++;
    BASE_TRY(base_alloc_aligned(balancer->context, (size_t)array->n, sizeof(double), &array->values));
    if (extent == BALANCE_TASK || extent == BALANCE_PAIR)
        BASE_TRY(base_alloc(balancer->context, (size_t)array->n, sizeof(double), &array->gathered));
    set_initial(array);
    *pointer = array->values;
    return TRUCE_OK;
}

truce_status balance_scratch(truce_balancer *balancer, size_t n, double **pointer) {
    double **block = &balancer->scratch[balancer->n_scratch];
    BASE_TRY(base_alloc_aligned(balancer->context, n, sizeof(double), block));
    balancer->n_scratch++;
    *pointer = *block;
    return TRUCE_OK;
}

/* The entries of an array that belong to the present tasks, one way or the other. */
static void move_entries(const balance_array *array, int n_tasks, const balance_step *step, bool gather) {
    bool pairs = array->extent == BALANCE_PAIR;
    for (int i = 0; i < step->n; i++)
        for (int j = 0; j < (pairs ? step->n : 1); j++) {
            double *part = &array->gathered[pairs ? i * step->n + j : i];
            double *whole = &array->values[pairs ? step->task[i] * n_tasks + step->task[j] : step->task[i]];
            if (gather)
                *part = *whole;
            else
                *whole = *part;
        }
}

void balance_gather_state(truce_balancer *balancer, const balance_step *step) {
    if (step->n == balancer->n_tasks) return;
    for (int i = 0; i < balancer->n_arrays; i++) {
        balance_array *array = &balancer->arrays[i];
        if (!array->gathered) continue;
        move_entries(array, balancer->n_tasks, step, true);
        *array->pointer = array->gathered;
    }
}

void balance_scatter_state(truce_balancer *balancer, const balance_step *step) {
    for (int i = 0; i < balancer->n_arrays; i++) {
        balance_array *array = &balancer->arrays[i];
        if (*array->pointer == array->values) continue;
        move_entries(array, balancer->n_tasks, step, false);
        *array->pointer = array->values;
    }
}

static truce_status make_step_arrays(truce_balancer *balancer) {
    size_t tasks = (size_t)balancer->n_tasks;
    double **vectors[] = {&balancer->losses, &balancer->norms, &balancer->scores, &balancer->weights};
    double **squares[] = {&balancer->gramian, &balancer->cross, &balancer->validation, &balancer->from_rows};
    BASE_TRY(base_alloc(balancer->context, tasks, sizeof *balancer->task, &balancer->task));
    for (size_t i = 0; i < BASE_COUNT(vectors); i++) BASE_TRY(balance_scratch(balancer, tasks, vectors[i]));
    for (size_t i = 0; i < BASE_COUNT(squares); i++)
        BASE_TRY(balance_scratch(balancer, tasks * tasks, squares[i]));
    return balance_columns_prepare(balancer);
}

static truce_status name_inner_state(truce_balancer *balancer) {
    truce_balance_state state;
    int n = 0;
    while (truce_balancer_state(balancer->inner, n, &state)) n++;
    BASE_TRY(base_alloc(balancer->context, (size_t)n, sizeof *balancer->inner_names, &balancer->inner_names));
    for (int i = 0; i < n; i++) {
        truce_balancer_state(balancer->inner, i, &state);
        size_t bytes = strlen(state.name) + sizeof "inner.";
        BASE_TRY(base_alloc(balancer->context, bytes, 1, &balancer->inner_names[i]));
        balancer->n_inner++;
        snprintf(balancer->inner_names[i], bytes, "inner.%s", state.name);
    }
    return TRUCE_OK;
}

static truce_status make_arrays(truce_balancer *balancer) {
    const balance_method *method = balancer->method;
    BASE_TRY(balance_keep(balancer, "steps", BALANCE_ONE, 0, &balancer->steps));
    BASE_TRY(balance_keep(balancer, "epochs", BALANCE_ONE, 0, &balancer->epochs));
    BASE_TRY(make_step_arrays(balancer));
    if (method->prepare) BASE_TRY(method->prepare(balancer, balancer->self));
    if (!balancer->inner) return TRUCE_OK;
    BASE_TRY(truce_balancer_prepare(balancer->inner, balancer->n_parameters));
    return name_inner_state(balancer);
}

/* Methods that see inner products only may meet Jacobians of any width. */
static truce_status change_width(truce_balancer *balancer, int64_t n_parameters, bool fixed) {
    if (n_parameters == balancer->n_parameters || (n_parameters == 0 && !fixed)) return TRUCE_OK;
    if (fixed)
        return balance_fail(balancer, TRUCE_ERROR_SHAPE, "it was prepared for %lld parameters, not %lld",
                            (long long)balancer->n_parameters, (long long)n_parameters);
    balancer->n_parameters = n_parameters;
    return balance_columns_prepare(balancer);
}

truce_status truce_balancer_prepare(truce_balancer *balancer, int64_t n_parameters) {
    bool coordinates = balance_needs(balancer) & TRUCE_NEEDS_JACOBIAN;
    if (n_parameters < 0 || (coordinates && n_parameters == 0))
        return balance_fail(balancer, TRUCE_ERROR_SHAPE,
                            "it works on the columns of the Jacobian, but there are %lld",
                            (long long)n_parameters);
    if (balancer->prepared) return change_width(balancer, n_parameters, coordinates);
    balancer->n_parameters = n_parameters;
    truce_status status = make_arrays(balancer);
    if (status)
        release_arrays(balancer);
    else
        balancer->prepared = true;
    return status;
}

void truce_balancer_reset(truce_balancer *balancer) {
    for (int i = 0; i < balancer->n_arrays; i++) set_initial(&balancer->arrays[i]);
    if (balancer->inner) truce_balancer_reset(balancer->inner);
}

int truce_balancer_state(truce_balancer *balancer, int i, truce_balance_state *out) {
    if (i < 0 || !balancer->prepared) return 0;
    if (i < balancer->n_arrays) {
        const balance_array *array = &balancer->arrays[i];
        *out = (truce_balance_state){array->name, TRUCE_FLOAT64, array->n, array->values};
        return 1;
    }
    i -= balancer->n_arrays;
    if (i >= balancer->n_inner || !truce_balancer_state(balancer->inner, i, out)) return 0;
    out->name = balancer->inner_names[i];
    return 1;
}
