#include "report/run_page.h"

#include "io/file.h"
#include "report/chart.h"
#include "report/page.h"
#include "report/run_data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *method_at(const report_data *data, int i) {
    return data->methods.names[i];
}

static int n_methods(const report_data *data) {
    return (int)data->methods.n;
}

static bool has_alone(const report_data *data) {
    for (int i = 0; i < data->n_runs; i++)
        if (data->runs[i].alone) return true;
    return false;
}

/* ---- results ----------------------------------------------------------------------------------------- */

/* What a table or chart shows of each method besides its metrics. */
typedef struct extra {
    const char *name, *header, *unit;
    double factor;
    int digits;
    report_best best;
} extra;

static const extra extras[] = {
    {"delta_m", "delta_m", "%", 1, 2, REPORT_BEST_LOWEST},
    {"delta_p", "delta_p", "%", 1, 2, REPORT_BEST_HIGHEST},
    {"mean_rank", "mean rank", NULL, 1, 2, REPORT_BEST_LOWEST},
    {"seconds_per_step", "step", "ms", 1e3, 3, REPORT_BEST_NONE},
};

static void add_cell(report_table *table, report_summary s, double factor) {
    if (s.n == 0)
        report_table_missing(table);
    else if (isnan(s.deviation))
        report_table_number(table, factor * s.mean);
    else
        report_table_spread(table, factor * s.mean, factor * s.deviation);
}

static bool shows_extras(const report_data *data) {
    report_query query = {
        .method = method_at(data, 0), .split = "test", .task = "", .name = "delta_m", .epoch = -1};
    return report_data_summary(data, &query).n > 0;
}

static void fill_method(const report_data *data, report_table *table, const char *method, int n_extras) {
    report_table_row(table);
    report_table_text(table, method);
    for (int e = 0; e < n_extras; e++) {
        report_query query = {
            .method = method, .split = "test", .task = "", .name = extras[e].name, .epoch = -1};
        add_cell(table, report_data_summary(data, &query), extras[e].factor);
    }
    for (int k = 0; k < data->n_counted; k++) {
        const report_counted *counted = &data->counted[k];
        report_query query = {
            .method = method, .split = "test", .task = counted->task, .name = counted->metric, .epoch = -1};
        add_cell(table, report_data_summary(data, &query), 1);
    }
}

static void fill_alone(const report_data *data, report_table *table, int n_extras) {
    report_table_reference_row(table);
    report_table_text(table, "each task alone");
    for (int e = 0; e < n_extras; e++) report_table_missing(table);
    for (int k = 0; k < data->n_counted; k++) {
        const report_counted *counted = &data->counted[k];
        report_query query = {
            .split = "test", .task = counted->task, .name = counted->metric, .alone = true, .epoch = -1};
        add_cell(table, report_data_summary(data, &query), 1);
    }
}

enum { MOST_COLUMNS = 48, HEADER_BYTES = 160 };

static int describe_columns(const report_data *data, int n_extras, report_column columns[MOST_COLUMNS],
                            char headers[MOST_COLUMNS][HEADER_BYTES]) {
    int n = 0;
    columns[n++] = (report_column){.header = "method"};
    for (int e = 0; e < n_extras; e++)
        columns[n++] = (report_column){.header = extras[e].header,
                                       .unit = extras[e].unit,
                                       .format = {REPORT_FIXED, extras[e].digits},
                                       .best = extras[e].best};
    for (int k = 0; k < data->n_counted; k++, n++) {
        snprintf(headers[n], HEADER_BYTES, "%s %s", data->counted[k].task, data->counted[k].metric);
        report_best best = data->counted[k].higher_is_better ? REPORT_BEST_HIGHEST : REPORT_BEST_LOWEST;
        columns[n] = (report_column){.header = headers[n], .format = {REPORT_FIXED, 4}, .best = best};
    }
    return n;
}

static truce_status add_results(const report_data *data, report_page *page, int n_extras) {
    char headers[MOST_COLUMNS][HEADER_BYTES];
    report_column columns[MOST_COLUMNS];
    report_table *table = NULL;
    if (data->n_counted == 0 || data->n_counted + n_extras + 1 > MOST_COLUMNS) return TRUCE_OK;
    int n = describe_columns(data, n_extras, columns, headers);
    BASE_TRY(report_table_create(data->context, columns, n, &table));
    for (int m = 0; m < n_methods(data); m++) fill_method(data, table, method_at(data, m), n_extras);
    if (has_alone(data)) fill_alone(data, table, n_extras);
    report_page_heading(page, 2, "Results");
    report_page_table(
        page, table,
        n_extras ? "Test rows, parameters chosen on validation rows; mean and standard deviation over "
                   "seeds. delta_m (lower is better) and delta_p (higher is better) are relative to each "
                   "task alone."
                 : "Test rows, parameters chosen on validation rows.");
    report_table_destroy(table);
    return TRUCE_OK;
}

/* delta_p of every method with its spread: how much better or worse than each task alone. */
static truce_status add_deltas(const report_data *data, report_page *page) {
    int n = n_methods(data);
    double *values = NULL;
    base_text svg = {0};
    BASE_TRY(base_alloc(data->context, 3 * (size_t)n, sizeof *values, &values));
    for (int m = 0; m < n; m++) {
        report_query query = {
            .method = method_at(data, m), .split = "test", .task = "", .name = "delta_p", .epoch = -1};
        report_summary s = report_data_summary(data, &query);
        double spread = isnan(s.deviation) ? 0 : s.deviation;
        values[m] = s.mean;
        values[n + m] = s.mean - spread;
        values[2 * n + m] = s.mean + spread;
    }
    report_series series = {.y = values, .low = values + n, .high = values + 2 * n, .n = n};
    report_bars bars = {.names = (const char *const *)data->methods.names,
                        .series = &series,
                        .n_names = n,
                        .n_series = 1,
                        .value = {.label = "delta_p (%)"},
                        .digits = 1};
    truce_status status = report_draw_bars(data->context, &bars, &svg);
    if (!status)
        report_page_figure(
            page, base_text_get(&svg),
            "Mean change for the better against each task alone; one standard deviation over seeds.");
    base_text_free(data->context, &svg);
    base_free(data->context, values);
    return status;
}

/* ---- curves ------------------------------------------------------------------------------------------ */

/* A mean with its spread over epochs. */
typedef struct curve {
    double *x, *y, *low, *high;
} curve;

static truce_status make_curve(const report_data *data, report_query query, curve *out) {
    size_t n = (size_t)data->n_epochs;
    double *room = NULL;
    BASE_TRY(base_alloc(data->context, 4 * n, sizeof *room, &room));
    *out = (curve){room, room + n, room + 2 * n, room + 3 * n};
    for (size_t e = 0; e < n; e++) {
        query.epoch = (int64_t)e;
        report_summary s = report_data_summary(data, &query);
        double spread = isnan(s.deviation) ? 0 : s.deviation;
        out->x[e] = (double)e + 1;
        out->y[e] = s.mean;
        out->low[e] = s.mean - spread;
        out->high[e] = s.mean + spread;
    }
    return TRUCE_OK;
}

/* One small plot per task, one line per method; `name` NULL: the task's first metric that counts. */
typedef struct curves {
    const char *title, *split, *name, *y_label, *caption;
    bool alone; /* with a line for the task alone */
    bool log;
} curves;

static const char *metric_of(const report_data *data, const char *task) {
    for (int k = 0; k < data->n_counted; k++)
        if (strcmp(data->counted[k].task, task) == 0) return data->counted[k].metric;
    return "loss";
}

static truce_status fill_plot(const report_data *data, const curves *what, const char *task,
                              report_series *series, report_plot *plot) {
    const char *name = what->name ? what->name : metric_of(data, task);
    int n = 0;
    for (int m = 0; m < n_methods(data) + (what->alone && has_alone(data) ? 1 : 0); m++) {
        bool alone = m == n_methods(data);
        curve c;
        report_query query = {.method = alone ? NULL : method_at(data, m),
                              .split = what->split,
                              .task = task,
                              .name = name,
                              .alone = alone};
        BASE_TRY(make_curve(data, query, &c));
        series[n++] = (report_series){.name = alone ? "alone" : method_at(data, m),
                                      .x = c.x,
                                      .y = c.y,
                                      .low = c.low,
                                      .high = c.high,
                                      .n = (int)data->n_epochs,
                                      .colour = alone ? REPORT_MUTED : 0};
    }
    *plot = (report_plot){.title = task, .series = series, .n_series = n};
    return TRUCE_OK;
}

static void free_series(const report_data *data, report_series *series, int n) {
    for (int i = 0; i < n; i++) base_free(data->context, (void *)series[i].x);
    base_free(data->context, series);
}

static truce_status add_curves(const report_data *data, report_page *page, const curves *what) {
    size_t n_tasks = data->tasks.n, n_series = (size_t)n_methods(data) + 1;
    report_plot *plots = NULL;
    report_series *series = NULL;
    base_text svg = {0};
    truce_status status = base_alloc(data->context, n_tasks, sizeof *plots, &plots);
    if (!status) status = base_alloc(data->context, n_tasks * n_series, sizeof *series, &series);
    for (size_t t = 0; t < n_tasks && !status; t++)
        status = fill_plot(data, what, data->tasks.names[t], series + t * n_series, &plots[t]);
    report_grid grid = {.plots = plots,
                        .n_plots = (int)n_tasks,
                        .x = {.label = "epoch"},
                        .y = {.label = what->y_label, .log = what->log},
                        .own_y = true};
    if (!status) status = report_draw_grid(data->context, &grid, &svg);
    if (!status) {
        report_page_heading(page, 3, what->title);
        report_page_figure(page, base_text_get(&svg), what->caption);
    }
    base_text_free(data->context, &svg);
    if (series) free_series(data, series, (int)(n_tasks * n_series));
    base_free(data->context, plots);
    return status;
}

/* ---- conflicts --------------------------------------------------------------------------------------- */

/* The mean over a method's seeds; false if none recorded cosines. */
static bool mean_cosines(const report_data *data, const char *method, double *out, int n) {
    int n_found = 0;
    memset(out, 0, (size_t)n * (size_t)n * sizeof *out);
    for (int i = 0; i < data->n_cosines; i++) {
        const report_matrix *m = &data->cosines[i];
        if (m->n != n || data->runs[m->run].alone || strcmp(data->runs[m->run].method, method) != 0) continue;
        for (int k = 0; k < n * n; k++) out[k] += m->values[k];
        n_found++;
    }
    for (int k = 0; k < n * n && n_found; k++) out[k] /= n_found;
    return n_found > 0;
}

static truce_status add_heat(const report_data *data, report_page *page, const char *method,
                             const double *cosines) {
    char title[160];
    base_text svg = {0};
    int n = (int)data->tasks.n;
    const char *const *names = (const char *const *)data->tasks.names;
    report_heat heat = {.values = cosines,
                        .rows = names,
                        .columns = names,
                        .n_rows = n,
                        .n_columns = n,
                        .palette = REPORT_SIGNED,
                        .low = -1,
                        .high = 1,
                        .digits = 2};
    truce_status status = report_draw_heat(data->context, &heat, &svg);
    snprintf(title, sizeof title, "%s: cosine between task gradients on the shared parameters", method);
    if (!status) report_page_figure(page, base_text_get(&svg), title);
    base_text_free(data->context, &svg);
    return status;
}

static truce_status add_conflicts(const report_data *data, report_page *page) {
    int n = (int)data->tasks.n;
    double *cosines = NULL;
    truce_status status = TRUCE_OK;
    bool begun = false;
    if (n < 2 || n > REPORT_MAX_HEAT || data->n_cosines == 0) return TRUCE_OK;
    BASE_TRY(base_alloc(data->context, (size_t)(n * n), sizeof *cosines, &cosines));
    for (int m = 0; m < n_methods(data) && !status; m++) {
        if (!mean_cosines(data, method_at(data, m), cosines, n)) continue;
        if (!begun) {
            report_page_heading(page, 2, "Gradient conflict");
            report_page_paragraph(
                page, "Means over the training and its seeds. Below zero, a step that helps one task "
                      "hurts the other, to first order.");
        }
        begun = true;
        status = add_heat(data, page, method_at(data, m), cosines);
    }
    base_free(data->context, cosines);
    return status;
}

/* ---- the page ---------------------------------------------------------------------------------------- */

static void add_failures(const report_data *data, report_page *page) {
    for (int i = 0; i < data->n_runs; i++)
        if (strncmp(data->runs[i].status, "failed", 6) == 0)
            report_page_note(page, REPORT_WARNING, "%s (%s, seed %lld) %s", data->runs[i].name,
                             data->runs[i].method, (long long)data->runs[i].seed, data->runs[i].status);
}

/* The first line of a note. */
static const char *first_line(const char *note, char line[256]) {
    snprintf(line, 256, "%.*s", (int)BASE_MIN(strcspn(note, "\n"), 255), note);
    return line;
}

static void add_facts(const report_data *data, report_page *page) {
    char runs[64], line[256];
    int n_failed = 0;
    report_fact facts[4];
    int n = 0;
    for (int i = 0; i < data->n_runs; i++) n_failed += strncmp(data->runs[i].status, "failed", 6) == 0;
    snprintf(runs, sizeof runs, n_failed ? "%d, %d of them failed" : "%d", data->n_runs, n_failed);
    facts[n++] = (report_fact){"trainings", runs};
    if (data->about_data) facts[n++] = (report_fact){"data", first_line(data->about_data, line)};
    if (data->about_model) facts[n++] = (report_fact){"model", data->about_model};
    facts[n++] = (report_fact){"begun", data->runs[0].started};
    report_page_facts(page, facts, n);
}

static const curves all_curves[] = {
    {"Validation metric", "validation", NULL, NULL, "Mean over seeds; the band is one standard deviation.",
     true, false},
    {"Validation loss", "validation", "loss", "loss", NULL, true, true},
    {"Training loss", "train", "loss", "loss", NULL, true, true},
    {"Gradient norms", "train", "gradient_norm", "norm",
     "Norms of the tasks' gradients on the shared parameters: who pulls hardest.", false, true},
    {"Task weights", "train", "weight", "weight", "Mean weight over the steps of each epoch.", false, false},
};

static truce_status build(const report_data *data, report_page *page) {
    bool extra_columns = shows_extras(data);
    add_facts(data, page);
    add_failures(data, page);
    BASE_TRY(add_results(data, page, extra_columns ? (int)BASE_COUNT(extras) : 0));
    if (extra_columns) BASE_TRY(add_deltas(data, page));
    BASE_TRY(add_conflicts(data, page));
    report_page_heading(page, 2, "Curves");
    for (size_t i = 0; i < BASE_COUNT(all_curves); i++) BASE_TRY(add_curves(data, page, &all_curves[i]));
    if (data->about_data) {
        report_page_heading(page, 2, "Data");
        report_page_code(page, data->about_data);
    }
    return TRUCE_OK;
}

static truce_status write_page(const report_data *data, const char *path) {
    report_page *page = NULL;
    base_text html = {0};
    const char *name = data->runs[0].name;
    char title[200];
    snprintf(title, sizeof title, "%.*s", (int)strcspn(name, ","), name);
    BASE_TRY(report_page_create(data->context, title, "Multi-task training with Truce", &page));
    truce_status status = build(data, page);
    if (!status) status = report_page_finish(page, &html);
    if (!status) status = io_write_text(data->context, path, base_text_get(&html));
    base_text_free(data->context, &html);
    report_page_destroy(page);
    return status;
}

truce_status report_run_page(truce_context *context, const char *store_path, const char *page_path) {
    report_data data;
    BASE_TRY(report_data_read(context, store_path, &data));
    truce_status status = write_page(&data, page_path);
    report_data_free(&data);
    return status;
}
