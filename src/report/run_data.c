#include "report/run_data.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

/* ---- reading ----------------------------------------------------------------------------------------- */

static truce_status add_run(void *user, const io_run *run) {
    report_data *data = user;
    truce_context *context = data->context;
    report_run made = {.id = run->id, .seed = run->seed, .alone = strcmp(run->kind, "single") == 0};
    int64_t unused;
    BASE_TRY(
        base_grow(context, &data->runs, &data->run_capacity, (size_t)data->n_runs + 1, sizeof *data->runs));
    data->runs[data->n_runs] = made;
    report_run *kept = &data->runs[data->n_runs++];
    BASE_TRY(base_copy_text(context, run->name, &kept->name));
    BASE_TRY(base_copy_text(context, run->method, &kept->method));
    BASE_TRY(base_copy_text(context, run->status, &kept->status));
    BASE_TRY(base_copy_text(context, run->started, &kept->started));
    return made.alone ? TRUCE_OK : base_names_add(context, &data->methods, run->method, &unused);
}

static truce_status number_text(report_data *data, const char *text, int *out) {
    int64_t index = 0;
    BASE_TRY(base_names_add(data->context, &data->texts, text, &index));
    *out = (int)index;
    return TRUCE_OK;
}

static truce_status add_value(void *user, const io_scalar *scalar) {
    report_data *data = user;
    report_value value = {.run = data->n_runs - 1, .epoch = scalar->epoch, .value = scalar->value};
    int64_t unused;
    BASE_TRY(base_grow(data->context, &data->values, &data->value_capacity, data->n_values + 1,
                       sizeof *data->values));
    BASE_TRY(number_text(data, scalar->split, &value.split));
    BASE_TRY(number_text(data, scalar->task, &value.task));
    BASE_TRY(number_text(data, scalar->name, &value.name));
    if (scalar->task[0]) BASE_TRY(base_names_add(data->context, &data->tasks, scalar->task, &unused));
    data->n_epochs = BASE_MAX(data->n_epochs, scalar->epoch + 1);
    data->values[data->n_values++] = value;
    return TRUCE_OK;
}

/* While the matrices of one run are read: their sum and counts. */
typedef struct matrix_sum {
    report_data *data;
    int n;
    double *sum, *count;
} matrix_sum;

static truce_status add_matrix(void *user, int64_t step, int n_rows, int n_columns, const double *values) {
    matrix_sum *s = user;
    size_t size = (size_t)n_rows * (size_t)n_columns;
    (void)step;
    if (n_rows != n_columns || (s->sum && n_rows != s->n)) return TRUCE_OK;
    if (!s->sum) BASE_TRY(base_alloc(s->data->context, size, sizeof *s->sum, &s->sum));
    if (!s->count) BASE_TRY(base_alloc(s->data->context, size, sizeof *s->count, &s->count));
    s->n = n_rows;
    for (size_t i = 0; i < size; i++) {
        if (isnan(values[i])) continue;
        s->sum[i] += values[i];
        s->count[i]++;
    }
    return TRUCE_OK;
}

static truce_status read_cosines(report_data *data, io_store *store, int run) {
    matrix_sum s = {.data = data};
    truce_status status = io_store_each_matrix(store, data->runs[run].id, "gradient_cosine", add_matrix, &s);
    if (!status && s.sum) {
        size_t n = (size_t)data->n_cosines;
        status = base_resize(data->context, &data->cosines, n + 1, sizeof *data->cosines);
        for (int i = 0; i < s.n * s.n; i++) s.sum[i] = s.count[i] > 0 ? s.sum[i] / s.count[i] : (double)NAN;
        if (!status) {
            data->cosines[data->n_cosines++] = (report_matrix){.run = run, .n = s.n, .values = s.sum};
            s.sum = NULL;
        }
    }
    base_free(data->context, s.count);
    base_free(data->context, s.sum);
    return status;
}

/* One line: task, metric, 1 or 0. */
static truce_status add_counted(report_data *data, const char *line, size_t n) {
    const char *tab = memchr(line, '\t', n), *end = line + n;
    const char *second = tab ? memchr(tab + 1, '\t', (size_t)(end - tab - 1)) : NULL;
    if (!second) return TRUCE_OK;
    size_t count = (size_t)data->n_counted;
    BASE_TRY(base_resize(data->context, &data->counted, count + 1, sizeof *data->counted));
    report_counted *counted = &data->counted[data->n_counted++];
    *counted = (report_counted){.higher_is_better = second + 1 < end && second[1] == '1'};
    BASE_TRY(base_copy_text_n(data->context, line, (size_t)(tab - line), &counted->task));
    return base_copy_text_n(data->context, tab + 1, (size_t)(second - tab - 1), &counted->metric);
}

static truce_status read_notes(report_data *data, io_store *store, int64_t run) {
    char *metrics = NULL;
    truce_status status = TRUCE_OK;
    if (!data->about_data) status = io_store_note(store, run, "data", &data->about_data);
    if (!status && !data->about_model) status = io_store_note(store, run, "model", &data->about_model);
    if (!status && data->n_counted == 0) status = io_store_note(store, run, "metrics", &metrics);
    for (const char *line = metrics; line && *line && !status;) {
        size_t n = strcspn(line, "\n");
        status = add_counted(data, line, n);
        line += n + (line[n] == '\n');
    }
    base_free(data->context, metrics);
    return status;
}

/* Values are read run by run, so that each knows its run by its place. */
static truce_status read_runs(report_data *data, io_store *store) {
    BASE_TRY(io_store_each_run(store, add_run, data));
    int n_runs = data->n_runs;
    for (int run = 0; run < n_runs; run++) {
        data->n_runs = run + 1;
        BASE_TRY(io_store_each_scalar(store, data->runs[run].id, NULL, NULL, NULL, add_value, data));
        data->n_runs = n_runs;
        BASE_TRY(read_cosines(data, store, run));
        if (!data->runs[run].alone) BASE_TRY(read_notes(data, store, data->runs[run].id));
    }
    return TRUCE_OK;
}

truce_status report_data_read(truce_context *context, const char *path, report_data *out) {
    report_data data = {.context = context};
    io_store *store = NULL;
    BASE_TRY(io_store_open(context, path, IO_STORE_READ, &store));
    truce_status status = read_runs(&data, store), closed = io_store_close(store);
    if (!status) status = closed;
    if (!status && data.n_runs == 0) status = base_fail(context, TRUCE_ERROR_DATA, "%s holds no runs", path);
    if (status)
        report_data_free(&data);
    else
        *out = data;
    return status;
}

void report_data_free(report_data *data) {
    truce_context *context = data->context;
    for (int i = 0; i < data->n_runs; i++) {
        base_free(context, data->runs[i].name);
        base_free(context, data->runs[i].method);
        base_free(context, data->runs[i].status);
        base_free(context, data->runs[i].started);
    }
    for (int i = 0; i < data->n_counted; i++) {
        base_free(context, data->counted[i].task);
        base_free(context, data->counted[i].metric);
    }
    for (int i = 0; i < data->n_cosines; i++) base_free(context, data->cosines[i].values);
    base_free(context, data->about_data);
    base_free(context, data->about_model);
    base_free(context, data->cosines);
    base_free(context, data->counted);
    base_names_free(context, &data->tasks);
    base_names_free(context, &data->methods);
    base_names_free(context, &data->texts);
    base_free(context, data->values);
    base_free(context, data->runs);
}

/* ---- asking ------------------------------------------------------------------------------------------ */

static bool wanted_run(const report_run *run, const report_query *query) {
    return run->alone == query->alone && strcmp(run->method, query->alone ? query->task : query->method) == 0;
}

report_summary report_data_summary(const report_data *data, const report_query *query) {
    int64_t split = base_names_find(&data->texts, query->split),
            task = base_names_find(&data->texts, query->task);
    int64_t name = base_names_find(&data->texts, query->name);
    double sum = 0, squares = 0;
    int n = 0;
    for (size_t i = 0; i < data->n_values; i++) {
        const report_value *v = &data->values[i];
        if (v->split != split || v->task != task || v->name != name || isnan(v->value)) continue;
        if (query->epoch >= 0 && v->epoch != query->epoch) continue;
        if (!wanted_run(&data->runs[v->run], query)) continue;
        sum += v->value;
        squares += v->value * v->value;
        n++;
    }
    report_summary s = {.n = n, .mean = n ? sum / n : (double)NAN, .deviation = NAN};
    if (n > 1) s.deviation = sqrt(fmax(0, (squares - n * s.mean * s.mean) / (n - 1)));
    return s;
}
