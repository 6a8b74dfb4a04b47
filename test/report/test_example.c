/*
 * Everything that a report can hold, on one page, saved as example.html in the folder of the test (and a
 * chart as example.svg) for a person to look at.
 */
#include "support/test.h"

#include "base/rng.h"
#include "report/chart.h"
#include "report/page.h"

#include <math.h>
#include <stdlib.h>

enum { N_METHODS = 6, N_STEPS = 3000, N_EPOCHS = 60, N_TASKS = 40 };

static const char *const methods[N_METHODS] = {"equal weights", "uncertainty", "PCGrad",
                                               "CAGrad",        "Nash-MTL",    "FAMO"};
static const char *const tasks[] = {"income",         "marital status", "education",
                                    "hours per week", "capital gain",   "native country"};
static const double losses[N_METHODS] = {0.412, 0.398, 0.391, 0.377, 0.371, 0.374};

/* A falling curve with noise, the same in every run. */
static double curve(int method, double t, const char *purpose, int at) {
    base_rng rng = base_rng_make(7, purpose, (uint64_t)method, (uint64_t)at);
    return losses[method] + 1.6 * exp(-(3.5 + method) * t) + 0.012 * base_rng_normal(&rng);
}

static void add_figure(truce_context *context, report_page *page, base_text *svg, const char *caption) {
    assert_ok(context, svg->status);
    report_page_figure(page, base_text_get(svg), caption);
    base_text_free(context, svg);
}

static void add_intro(report_page *page) {
    static const report_fact facts[] = {
        {"Recipe", "recipes/census.yaml"}, {"Tasks", "6"},          {"Methods", "6"},
        {"Seeds", "5 (0, 1, 2, 3, 4)"},    {"Parameters", "1.31M"}, {"Trained in", "4 min 12 s"}};
    report_page_paragraph(page,
                          "Six ways of settling the conflict between %d task gradients were trained on the "
                          "same data, five times each. Every figure below is a mean over the seeds with its "
                          "standard deviation.",
                          6);
    report_page_facts(page, facts, BASE_COUNT(facts));
    report_page_code(page,
                     "truce compare recipes/census.yaml --set train.epochs=60 \\\n    --out runs/census");
    report_page_note(page, REPORT_NOTE,
                     "Lower is better for losses; Δm is the mean relative change against "
                     "training each task alone.");
    report_page_note(page, REPORT_WARNING,
                     "Seed 3 of uncertainty diverged in epoch 41 and is not in its means.");
}

static void add_row(report_table *table, int m) {
    report_table_row(table);
    report_table_text(table, methods[m]);
    report_table_spread(table, losses[m], 0.002 + 0.001 * m);
    report_table_spread(table, 0.84 + 0.004 * m, 0.0031);
    report_table_number(table, -3.1 + 1.4 * m);
    if (m == 4)
        report_table_missing(table);
    else
        report_table_number(table, 41.5 + 7.25 * m * m);
    report_table_number(table, 1.31e6 + 2e4 * m);
}

static void add_results(truce_context *context, report_page *page) {
    static const report_column columns[] = {
        {.header = "method"},
        {.header = "test loss", .format = {.digits = 3}, .best = REPORT_BEST_LOWEST},
        {.header = "accuracy", .format = {.digits = 3}, .best = REPORT_BEST_HIGHEST},
        {.header = "Δm", .unit = "%", .format = {.digits = 2}, .best = REPORT_BEST_HIGHEST},
        {.header = "time per epoch", .unit = "ms", .format = {.digits = 1}, .best = REPORT_BEST_LOWEST},
        {.header = "parameters", .format = {REPORT_PREFIX, 3}}};
    report_table *table = NULL;
    assert_ok(context, report_table_create(context, columns, BASE_COUNT(columns), &table));
    report_table_reference_row(table);
    report_table_text(table, "each task alone");
    report_table_spread(table, 0.383, 0.004);
    report_table_number(table, 0.852);
    report_table_number(table, 0);
    report_table_number(table, 198.2);
    report_table_number(table, 7.62e6);
    report_table_group(table, "Weights from losses");
    for (int m = 0; m < 2; m++) add_row(table, m);
    report_table_group(table, "Weights from gradients");
    for (int m = 2; m < N_METHODS; m++) add_row(table, m);
    report_page_heading(page, 2, "Results");
    report_page_table(page, table, "Test split, five seeds. Bold: best of its column.");
    for (int look = 0; look < 2; look++) {
        report_terminal terminal = {.utf8 = look, .colour = look, .n_columns = 100};
        base_text text = {0};
        assert_ok(context, report_table_print(table, &terminal, &text));
        if (getenv("TRUCE_SHOW")) printf("%s\n", base_text_get(&text));
        if (look == 0) report_page_code(page, base_text_get(&text));
        base_text_free(context, &text);
    }
    report_table_destroy(table);
}

static void add_curves(truce_context *context, report_page *page) {
    static double y[N_METHODS][N_EPOCHS], low[N_METHODS][N_EPOCHS], high[N_METHODS][N_EPOCHS], fine[N_STEPS];
    report_series series[N_METHODS], step = {.name = "training", .y = fine, .n = N_STEPS};
    for (int m = 0; m < N_METHODS; m++) {
        for (int i = 0; i < N_EPOCHS; i++) {
            y[m][i] = curve(m, i / 60.0, "curve", i);
            double half = 0.015 + 0.15 * exp(-i / 12.0);
            low[m][i] = y[m][i] - half;
            high[m][i] = y[m][i] + half;
        }
        series[m] = (report_series){
            .name = methods[m], .y = y[m], .low = low[m], .high = high[m], .n = m == 1 ? 42 : N_EPOCHS};
    }
    for (int i = 20; i < 26; i++) y[2][i] = NAN;
    for (int i = 0; i < N_STEPS; i++) fine[i] = 3 * curve(0, i / 1500.0, "fine", i);
    fine[1800] = 4.4;
    for (int i = 900; i < 990; i++) fine[i] = NAN;
    base_text svg = {0};
    report_plot plot = {.title = "Validation loss",
                        .x = {.label = "epoch"},
                        .y = {.label = "mean loss of the tasks"},
                        .series = series,
                        .n_series = N_METHODS};
    report_page_heading(page, 2, "Training");
    assert_ok(context, report_draw_plot(context, &plot, &svg));
    base_text alone = {0};
    assert_ok(context, report_chart_alone(context, base_text_get(&svg), &alone));
    test_write_text("example.svg", base_text_get(&alone));
    base_text_free(context, &alone);
    add_figure(context, page, &svg, "Lines are means, bands one standard deviation.");
    report_plot steps = {
        .x = {.label = "step"}, .y = {.label = "loss", .log = true}, .series = &step, .n_series = 1};
    assert_ok(context, report_draw_plot(context, &steps, &svg));
    add_figure(context, page, &svg, "Three thousand steps, one of them an outlier, ninety of them lost.");
}

static void add_cloud(truce_context *context, report_page *page) {
    static double x[N_METHODS], y[N_METHODS], cloud_x[200], cloud_y[200];
    for (int m = 0; m < N_METHODS; m++) {
        x[m] = 0.30 + 0.02 * m;
        y[m] = 0.52 - 0.05 * m + 0.006 * m * m;
    }
    for (int i = 0; i < 200; i++) {
        base_rng rng = base_rng_make(3, "cloud", (uint64_t)i, 0);
        cloud_x[i] = 0.33 + 0.1 * base_rng_uniform(&rng);
        cloud_y[i] = 0.45 + 0.12 * base_rng_uniform(&rng) - 0.8 * (cloud_x[i] - 0.33);
    }
    report_series series[] = {{.name = "weights drawn at random",
                               .x = cloud_x,
                               .y = cloud_y,
                               .n = 200,
                               .mark = REPORT_POINTS,
                               .colour = REPORT_MUTED},
                              {.name = "methods",
                               .x = x,
                               .y = y,
                               .n = N_METHODS,
                               .mark = REPORT_LINE_AND_POINTS,
                               .labels = methods,
                               .colour = 1}};
    report_plot plot = {.title = "What is given up for what",
                        .x = {.label = "loss of income"},
                        .y = {.label = "loss of marital status"},
                        .series = series,
                        .n_series = 2};
    base_text svg = {0};
    report_page_heading(page, 2, "Trade-offs");
    assert_ok(context, report_draw_plot(context, &plot, &svg));
    add_figure(context, page, &svg, "The Pareto front of two losses.");
}

static void add_bars(truce_context *context, report_page *page) {
    static double y[2][N_METHODS], low[2][N_METHODS], high[2][N_METHODS];
    for (int s = 0; s < 2; s++)
        for (int m = 0; m < N_METHODS; m++) {
            y[s][m] = s ? 0.6 * m - 1.1 : -3.1 + 1.4 * m;
            low[s][m] = y[s][m] - 0.4;
            high[s][m] = y[s][m] + 0.4;
        }
    y[0][4] = NAN;
    report_series series[] = {
        {.name = "small model", .y = y[0], .low = low[0], .high = high[0], .n = N_METHODS},
        {.name = "large model", .y = y[1], .low = low[1], .high = high[1], .n = N_METHODS}};
    report_bars bars = {.title = "Gain over training alone",
                        .names = methods,
                        .series = series,
                        .n_names = N_METHODS,
                        .n_series = 2,
                        .value = {.label = "Δm (%)"},
                        .digits = 1};
    base_text svg = {0};
    assert_ok(context, report_draw_bars(context, &bars, &svg));
    add_figure(context, page, &svg, "Bars are means, whiskers one standard deviation.");
    report_series accuracy = {.y = high[1], .n = N_METHODS};
    bars = (report_bars){.names = methods,
                         .series = &accuracy,
                         .n_names = N_METHODS,
                         .n_series = 1,
                         .value = {.label = "Δm (%)"},
                         .digits = 2,
                         .dots = true};
    assert_ok(context, report_draw_bars(context, &bars, &svg));
    add_figure(context, page, &svg, "Dots where zero is not the question.");
}

static void add_heat(truce_context *context, report_page *page) {
    static double few[36], many[N_TASKS * N_TASKS];
    static char names[N_TASKS][24];
    static const char *many_names[N_TASKS];
    for (int i = 0; i < 36; i++) {
        base_rng rng = base_rng_make(5, "heat", (uint64_t)i, 0);
        few[i] = i % 7 == 0 ? NAN : 0.08 * base_rng_normal(&rng);
    }
    for (int i = 0; i < N_TASKS * N_TASKS; i++) {
        base_rng rng = base_rng_make(5, "heat", (uint64_t)i, 1);
        many[i] = exp(-0.05 * abs(i / N_TASKS - i % N_TASKS)) * base_rng_uniform(&rng);
    }
    for (int i = 0; i < N_TASKS; i++) {
        snprintf(names[i], sizeof names[i], "attribute %d", i + 1);
        many_names[i] = names[i];
    }
    report_heat heat = {.title = "What one task's step does to another",
                        .values = few,
                        .rows = tasks,
                        .columns = tasks,
                        .n_rows = 6,
                        .n_columns = 6,
                        .row_label = "step of",
                        .column_label = "change in the loss of",
                        .palette = REPORT_SIGNED,
                        .digits = 3};
    base_text svg = {0};
    report_page_heading(page, 2, "Affinity");
    report_page_heading(page, 3, "Between tasks");
    assert_ok(context, report_draw_heat(context, &heat, &svg));
    add_figure(context, page, &svg, "Blue: the step helps; orange: it hurts.");
    heat = (report_heat){.title = "Overlap of 40 attributes",
                         .values = many,
                         .rows = many_names,
                         .columns = many_names,
                         .n_rows = N_TASKS,
                         .n_columns = N_TASKS,
                         .digits = 2};
    report_page_heading(page, 3, "Between many tasks");
    assert_ok(context, report_draw_heat(context, &heat, &svg));
    add_figure(context, page, &svg, NULL);
}

static void add_grid(truce_context *context, report_page *page) {
    static double y[6][3][40];
    report_series series[6][3];
    report_plot plots[6];
    for (int k = 0; k < 6; k++) {
        for (int m = 0; m < 3; m++) {
            for (int i = 0; i < 40; i++) y[k][m][i] = curve(m * 2, i / 40.0, tasks[k], i) + 0.1 * k;
            series[k][m] = (report_series){.name = methods[m * 2], .y = y[k][m], .n = 40};
        }
        plots[k] = (report_plot){.title = tasks[k], .series = series[k], .n_series = 3};
    }
    report_grid grid = {.title = "Loss of each task",
                        .plots = plots,
                        .n_plots = 6,
                        .x = {.label = "epoch"},
                        .y = {.label = "loss"}};
    base_text svg = {0};
    report_page_heading(page, 2, "Every task");
    assert_ok(context, report_draw_grid(context, &grid, &svg));
    add_figure(context, page, &svg, "The same scales in every picture.");
}

static void a_page_with_everything_is_saved(void **state) {
    truce_context *context = *state;
    report_page *page = NULL;
    base_text text = {0};
    assert_ok(context, report_page_create(context, "Census income: six tasks, six methods",
                                          "Comparison of 30 runs", &page));
    add_intro(page);
    add_results(context, page);
    add_curves(context, page);
    add_cloud(context, page);
    add_bars(context, page);
    add_heat(context, page);
    add_grid(context, page);
    assert_ok(context, report_page_finish(page, &text));
    test_write_text("example.html", base_text_get(&text));
    base_text_free(context, &text);
    report_page_destroy(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(a_page_with_everything_is_saved)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
