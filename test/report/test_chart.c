#include "support/test.h"

#include "base/rng.h"
#include "check_markup.h"
#include "report/chart.h"
#include "report/page.h"

#include <math.h>
#include <stdlib.h>

#define HOSTILE "</title></svg><script>alert('x')</script>&\"\x1b\xff"
#define LONG "a name that goes on and on and on, longer than any name should be, and then some more"

static const double few[] = {3, 1, 2}, one[] = {0.5}, none[] = {NAN, NAN, NAN};
static const double huge[] = {-1e300, 1e308, 5e279}, tiny[] = {5e-324, 1e-310, 1e-200}, flat[] = {7, 7, 7};
static const double mixed[] = {-1, 0, 10}, infinite[] = {INFINITY, 1, -INFINITY};
static const double close[] = {1, 1 + 1e-15, 1 - 1e-15}, wide[] = {1e-250, 1, 1e250};
static const char *const hostile_names[] = {HOSTILE, LONG, ""};

static base_text draw(truce_context *context, const report_plot *plot) {
    base_text svg = {0};
    assert_ok(context, report_draw_plot(context, plot, &svg));
    assert_well_formed(base_text_get(&svg));
    assert_null(strstr(base_text_get(&svg), "<script"));
    static const char *const wrong[] = {"='nan", "='-nan", "='inf", "='-inf"};
    for (size_t i = 0; i < BASE_COUNT(wrong); i++) assert_null(strstr(base_text_get(&svg), wrong[i]));
    return svg;
}

/* Collects what the awkward charts look like, for a person who wants to see. */
static void keep(truce_context *context, report_page *page, base_text *svg, const char *caption) {
    report_page_figure(page, base_text_get(svg), caption);
    base_text_free(context, svg);
}

static report_plot plot_of(const report_series *series, int n, bool log) {
    return (report_plot){.title = HOSTILE,
                         .x = {.label = HOSTILE},
                         .y = {.label = LONG LONG, .log = log},
                         .series = series,
                         .n_series = n};
}

static void add_awkward_plots(truce_context *context, report_page *page) {
    static const struct {
        const char *what;
        const double *y;
        int n;
    } rows[] = {{"three points", few, 3},         {"one point", one, 1},
                {"no points", NULL, 0},           {"all NaN", none, 3},
                {"huge values", huge, 3},         {"tiny values", tiny, 3},
                {"equal values", flat, 3},        {"signs", mixed, 3},
                {"infinite values", infinite, 3}, {"values very close", close, 3},
                {"values far apart", wide, 3}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++)
        for (int kind = 0; kind < 6; kind++) {
            report_series series = {.name = HOSTILE,
                                    .y = rows[i].y,
                                    .n = rows[i].n,
                                    .low = rows[i].y,
                                    .high = rows[i].y,
                                    .labels = rows[i].n == 3 ? hostile_names : NULL,
                                    .mark = (report_mark)(kind % 3)};
            report_plot plot = plot_of(&series, 1, kind >= 3);
            base_text svg = draw(context, &plot);
            char caption[96];
            snprintf(caption, sizeof caption, "%s, mark %d%s", rows[i].what, kind % 3,
                     kind >= 3 ? ", log" : "");
            keep(context, page, &svg, caption);
        }
    report_plot empty = {0};
    base_text svg = draw(context, &empty);
    keep(context, page, &svg, "nothing at all");
}

enum { N_TASKS = 40, N_POINTS = 30 };

static void add_many_series(truce_context *context, report_page *page) {
    static double y[N_TASKS][N_POINTS];
    static char names[N_TASKS][32];
    report_series series[N_TASKS];
    for (int s = 0; s < N_TASKS; s++) {
        for (int i = 0; i < N_POINTS; i++) y[s][i] = exp(-0.1 * i) * (1 + 0.1 * s) + 0.02 * s;
        snprintf(names[s], sizeof names[s], s % 9 ? "task %d" : "task with a longer name %d", s);
        series[s] = (report_series){.name = names[s], .y = y[s], .n = N_POINTS};
    }
    for (int n = 7; n <= N_TASKS; n += 11) {
        report_plot plot = {.title = "Many tasks", .x = {.label = "epoch"}, .series = series, .n_series = n};
        base_text svg = draw(context, &plot);
        keep(context, page, &svg, "many series");
    }
    report_plot narrow = {.series = series, .n_series = 9, .width = 340};
    base_text svg = draw(context, &narrow);
    keep(context, page, &svg, "a narrow picture");
}

static void add_awkward_heats(truce_context *context, report_page *page) {
    static const double values[] = {NAN, 1e-9, -1e9, INFINITY, -INFINITY, 0};
    for (int rows = 0; rows <= 3; rows++)
        for (int palette = 0; palette < 2; palette++) {
            report_heat heat = {.title = HOSTILE,
                                .values = values,
                                .rows = hostile_names,
                                .columns = hostile_names,
                                .n_rows = rows,
                                .n_columns = 2,
                                .row_label = LONG,
                                .column_label = LONG,
                                .palette = (report_palette)palette,
                                .digits = 2};
            base_text svg = {0};
            assert_ok(context, report_draw_heat(context, &heat, &svg));
            assert_well_formed(base_text_get(&svg));
            keep(context, page, &svg, "an awkward heat map");
        }
    report_heat bare = {.values = none, .n_rows = 1, .n_columns = 3};
    base_text svg = {0};
    assert_ok(context, report_draw_heat(context, &bare, &svg));
    assert_well_formed(base_text_get(&svg));
    keep(context, page, &svg, "all missing");
}

static void add_awkward_bars(truce_context *context, report_page *page) {
    static const double *const values[] = {few, none, huge, tiny, flat, mixed, infinite};
    for (size_t i = 0; i < BASE_COUNT(values); i++)
        for (int dots = 0; dots < 2; dots++) {
            report_series series[] = {{.name = HOSTILE, .y = values[i], .n = 3, .low = mixed, .high = few},
                                      {.name = LONG, .y = few, .n = 3}};
            report_bars bars = {.title = LONG LONG,
                                .names = hostile_names,
                                .series = series,
                                .n_names = 3,
                                .n_series = 1 + (int)i % 2,
                                .value = {.label = HOSTILE, .log = dots},
                                .dots = dots,
                                .digits = 1};
            base_text svg = {0};
            assert_ok(context, report_draw_bars(context, &bars, &svg));
            assert_well_formed(base_text_get(&svg));
            keep(context, page, &svg, "awkward bars");
        }
    report_bars empty = {0};
    base_text svg = {0};
    assert_ok(context, report_draw_bars(context, &empty, &svg));
    assert_well_formed(base_text_get(&svg));
    keep(context, page, &svg, "no bars");
}

static void add_awkward_grids(truce_context *context, report_page *page) {
    static const double *const values[] = {few, none, flat, mixed, infinite, few, tiny};
    report_series series[7][2];
    report_plot plots[7];
    for (int i = 0; i < 7; i++) {
        series[i][0] = (report_series){.name = i % 2 ? "odd" : "even", .y = values[i], .n = 3};
        series[i][1] = (report_series){.y = few, .n = i ? 3 : 0, .colour = REPORT_MUTED};
        plots[i] =
            (report_plot){.title = i ? hostile_names[i % 3] : NULL, .series = series[i], .n_series = 2};
    }
    for (int n = 0; n <= 7; n++) {
        report_grid grid = {
            .title = LONG, .plots = plots, .n_plots = n, .own_y = n % 2, .y = {.label = LONG}};
        base_text svg = {0};
        assert_ok(context, report_draw_grid(context, &grid, &svg));
        assert_well_formed(base_text_get(&svg));
        keep(context, page, &svg, "an awkward grid");
    }
}

static void awkward_charts_are_well_formed(void **state) {
    truce_context *context = *state;
    report_page *page = NULL;
    base_text text = {0};
    assert_ok(context, report_page_create(context, "Awkward charts", NULL, &page));
    add_awkward_plots(context, page);
    add_many_series(context, page);
    add_awkward_heats(context, page);
    add_awkward_bars(context, page);
    add_awkward_grids(context, page);
    assert_ok(context, report_page_finish(page, &text));
    assert_well_formed(base_text_get(&text));
    test_write_text("awkward.html", base_text_get(&text));
    base_text_free(context, &text);
    report_page_destroy(page);
}

static void a_chart_says_what_it_leaves_out(void **state) {
    truce_context *context = *state;
    static const double y[] = {-1, 0, 1, 10, INFINITY, NAN};
    report_series series = {.y = y, .n = 6};
    report_plot plot = {.y = {.log = true}, .series = &series, .n_series = 1};
    base_text svg = draw(context, &plot);
    assert_non_null(strstr(base_text_get(&svg), "2 values not shown: not positive, on a logarithmic axis"));
    assert_non_null(strstr(base_text_get(&svg), "1 value not shown: too large"));
    base_text_free(context, &svg);
    plot.y.log = false;
    svg = draw(context, &plot);
    assert_null(strstr(base_text_get(&svg), "not positive"));
    base_text_free(context, &svg);
    series.n = 0;
    svg = draw(context, &plot);
    assert_non_null(strstr(base_text_get(&svg), "no values"));
    base_text_free(context, &svg);
}

/* Compares with a file beside this one; TRUCE_WRITE_GOLDEN=1 writes it instead, to be looked at before it is
 * kept. */
static void assert_golden(const char *file, const char *text) {
    char path[512];
    static char expected[16384];
    snprintf(path, sizeof path, "%s/test/report/golden/%s", TEST_SOURCE_FOLDER, file);
    if (getenv("TRUCE_WRITE_GOLDEN")) test_write_text(path, text);
    FILE *golden = fopen(path, "rb");
    assert_non_null(golden);
    size_t n = fread(expected, 1, sizeof expected - 1, golden);
    expected[n] = 0;
    fclose(golden);
    assert_string_equal(expected, text);
}

/* A value of any size and sign, now and then none. */
static double any_value(base_rng *rng, double spread) {
    double kind = base_rng_uniform(rng);
    if (kind < 0.05) return NAN;
    if (kind < 0.07) return kind < 0.06 ? INFINITY : -INFINITY;
    return base_rng_normal(rng) * pow(10, spread * (2 * base_rng_uniform(rng) - 1));
}

static base_text draw_random(truce_context *context, uint64_t seed) {
    enum { MOST = 60 };
    static double numbers[8][4][MOST];
    base_rng rng = base_rng_make(seed, "chart", 0, 0);
    report_series series[8] = {0};
    double spread = 300 * pow(base_rng_uniform(&rng), 4);
    int n_series = (int)base_rng_below(&rng, 9);
    for (int s = 0; s < n_series; s++) {
        for (int k = 0; k < 4 * MOST; k++) numbers[s][k / MOST][k % MOST] = any_value(&rng, spread);
        series[s] = (report_series){.name = base_rng_below(&rng, 3) ? "a name" : NULL,
                                    .x = base_rng_below(&rng, 2) ? numbers[s][0] : NULL,
                                    .y = numbers[s][1],
                                    .low = numbers[s][2],
                                    .high = base_rng_below(&rng, 2) ? numbers[s][3] : NULL,
                                    .n = (int)base_rng_below(&rng, MOST + 1),
                                    .mark = (report_mark)base_rng_below(&rng, 3),
                                    .colour = (int)base_rng_below(&rng, 50) - 1};
    }
    report_plot plot = {
        .x = {.log = base_rng_below(&rng, 2), .low = any_value(&rng, 1), .high = any_value(&rng, 1)},
        .y = {.log = base_rng_below(&rng, 2), .low = any_value(&rng, 1), .high = any_value(&rng, 1)},
        .series = series,
        .n_series = n_series,
        .width = (int)base_rng_below(&rng, 1000),
        .height = (int)base_rng_below(&rng, 1000)};
    return draw(context, &plot);
}

static void no_numbers_break_a_plot(void **state) {
    truce_context *context = *state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        base_text svg = draw_random(context, seed);
        for (const char *at = base_text_get(&svg); (at = strstr(at, " d='")); at++)
            if (strcspn(at + 4, "'") != strspn(at + 4, "MLZahv-.0123456789 ")) fail_msg("seed %d", (int)seed);
        base_text_free(context, &svg);
    }
}

static void a_small_plot_is_the_one_that_was_approved(void **state) {
    truce_context *context = *state;
    static const double x[] = {0, 1, 2, 3}, y[] = {0, 1, NAN, 0.5}, low[] = {0, 0.5, 0, 0},
                        high[] = {0.5, 1, 1, 1};
    static const char *const labels[] = {"p", NULL, NULL, "q & r"};
    report_series series[] = {{.name = "a<b", .x = x, .y = y, .low = low, .high = high, .n = 4},
                              {.name = "c", .y = x, .n = 4, .mark = REPORT_POINTS, .labels = labels}};
    report_plot plot = {.title = "t",
                        .x = {.label = "epoch"},
                        .y = {.label = "loss"},
                        .series = series,
                        .n_series = 2,
                        .width = 300,
                        .height = 100};
    base_text svg = draw(context, &plot);
    assert_golden("plot.svg", base_text_get(&svg));
    base_text_free(context, &svg);
}

static void small_bars_are_those_that_were_approved(void **state) {
    truce_context *context = *state;
    static const char *const names[] = {"one", "two"};
    static const double y[] = {-1, 2}, low[] = {-1.5, 1}, high[] = {-0.5, 3};
    report_series series = {.y = y, .low = low, .high = high, .n = 2};
    report_bars bars = {.names = names,
                        .series = &series,
                        .n_names = 2,
                        .n_series = 1,
                        .value = {.label = "gain"},
                        .digits = 1,
                        .width = 320};
    base_text svg = {0};
    assert_ok(context, report_draw_bars(context, &bars, &svg));
    assert_golden("bars.svg", base_text_get(&svg));
    base_text_free(context, &svg);
}

static int count(const char *text, const char *part) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)); at++) n++;
    return n;
}

static void thousands_of_points_make_a_small_picture(void **state) {
    truce_context *context = *state;
    enum { N = 100000 };
    static double y[N];
    for (int i = 0; i < N; i++) y[i] = sin(i * 0.37) + 1e-5 * i;
    y[54321] = 9;
    y[12345] = -7;
    report_series series = {.name = "s", .y = y, .n = N};
    report_plot plot = {.series = &series, .n_series = 1, .y = {.low = -8, .high = 10}};
    base_text svg = draw(context, &plot);
    assert_true(svg.n < 100000);
    /* The outliers stand at 9/10 and 1/18 of the height: 300 px, the last of them at 309. */
    assert_non_null(strstr(base_text_get(&svg), " 25.7"));
    assert_non_null(strstr(base_text_get(&svg), " 292.3"));
    base_text_free(context, &svg);
    series.mark = REPORT_POINTS;
    svg = draw(context, &plot);
    int n = count(base_text_get(&svg), "class='dot'");
    assert_true(n > 1000 && n < 60000);
    base_text_free(context, &svg);
}

static void a_heat_map_shows_its_values(void **state) {
    truce_context *context = *state;
    static const double values[] = {-0.5, 0, 0.25, NAN};
    static const char *const names[] = {"a", "b"};
    report_heat heat = {.values = values,
                        .rows = names,
                        .columns = names,
                        .n_rows = 2,
                        .n_columns = 2,
                        .palette = REPORT_SIGNED,
                        .digits = 2};
    base_text svg = {0};
    assert_ok(context, report_draw_heat(context, &heat, &svg));
    const char *text = base_text_get(&svg);
    assert_golden("heat.svg", text);
    assert_non_null(strstr(text, "<title>a, a: -0.5</title><rect class='d0'"));
    assert_non_null(strstr(text, "<title>a, b: 0</title><rect class='d12'"));
    assert_non_null(strstr(text, "<title>b, a: 0.25</title><rect class='d18'"));
    assert_non_null(strstr(text, "<title>b, b: missing</title><rect class='hole'"));
    assert_non_null(strstr(text, ">−0.50</text>"));
    base_text_free(context, &svg);
}

static void a_heat_map_beyond_reading_is_refused(void **state) {
    truce_context *context = *state;
    base_text svg = {0};
    report_heat heat = {.n_rows = 3, .n_columns = 1000};
    assert_fails(context, TRUCE_ERROR_RANGE, "at most 256", report_draw_heat(context, &heat, &svg));
    assert_int_equal(0, svg.n);
}

static void a_large_heat_map_gives_up_numbers_before_names(void **state) {
    truce_context *context = *state;
    enum { N = 200 };
    double *values = calloc(N * N, sizeof *values);
    assert_non_null(values);
    for (int i = 0; i < N * N; i++) values[i] = i;
    const char *names[N];
    for (int i = 0; i < N; i++) names[i] = "name";
    for (int n = 1; n <= N; n += n < 50 ? 7 : 50) {
        base_text svg = {0};
        report_heat heat = {.values = values, .rows = names, .columns = names, .n_rows = n, .n_columns = n};
        assert_ok(context, report_draw_heat(context, &heat, &svg));
        assert_well_formed(base_text_get(&svg));
        assert_true(count(base_text_get(&svg), ">name</text>") >= 2);
        double width = strtod(strstr(base_text_get(&svg), "width='") + 7, NULL);
        assert_true(width <= 960);
        base_text_free(context, &svg);
    }
    free(values);
}

static void a_series_keeps_its_colour_across_a_grid(void **state) {
    truce_context *context = *state;
    report_series first[] = {{.name = "a", .y = few, .n = 3}, {.name = "b", .y = few, .n = 3}};
    report_series second[] = {{.name = "b", .y = few, .n = 3}, {.name = "c", .y = few, .n = 3}};
    report_plot plots[] = {{.series = first, .n_series = 2}, {.series = second, .n_series = 2}};
    report_grid grid = {.plots = plots, .n_plots = 2};
    base_text svg = {0};
    assert_ok(context, report_draw_grid(context, &grid, &svg));
    const char *text = base_text_get(&svg);
    assert_int_equal(3, count(text, "class='name'")); /* the legend */
    const char *at = strstr(text, "<title>b</title>");
    at = strstr(at + 1, "<title>b</title>");
    while (strncmp(at, "<g class='s", 11) != 0) at--;
    assert_int_equal('1', at[11]);
    base_text_free(context, &svg);
}

static void a_chart_alone_is_a_whole_file(void **state) {
    truce_context *context = *state;
    report_series series = {.name = HOSTILE, .y = few, .n = 3};
    report_plot plot = {.title = HOSTILE, .series = &series, .n_series = 1};
    base_text svg = draw(context, &plot), alone = {0};
    assert_ok(context, report_chart_alone(context, base_text_get(&svg), &alone));
    assert_well_formed(base_text_get(&alone));
    assert_non_null(strstr(base_text_get(&alone), "prefers-color-scheme:dark"));
    base_text_free(context, &svg);
    base_text_free(context, &alone);
}

/* Draws one of each kind. */
static truce_status draw_all(truce_context *context, base_text *out) {
    static const char *const names[] = {"a", "b", "c"};
    report_series series[] = {{.name = "a", .y = few, .low = mixed, .high = few, .n = 3},
                              {.name = "b", .y = few, .n = 3, .mark = REPORT_POINTS, .labels = names}};
    report_plot plots[2] = {{.series = series, .n_series = 2}, {.series = series, .n_series = 2}};
    report_grid grid = {.plots = plots, .n_plots = 2};
    report_bars bars = {.names = names, .series = series, .n_names = 3, .n_series = 2};
    report_heat heat = {.values = few, .rows = names, .n_rows = 3, .n_columns = 1};
    BASE_TRY(report_draw_plot(context, &plots[0], out));
    BASE_TRY(report_draw_grid(context, &grid, out));
    BASE_TRY(report_draw_bars(context, &bars, out));
    BASE_TRY(report_draw_heat(context, &heat, out));
    return report_chart_alone(context, base_text_get(out), out);
}

static void the_same_numbers_give_the_same_bytes(void **state) {
    truce_context *context = *state;
    base_text a = {0}, b = {0};
    assert_ok(context, draw_all(context, &a));
    assert_ok(context, draw_all(context, &b));
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.bytes, b.bytes, a.n);
    base_text_free(context, &a);
    base_text_free(context, &b);
}

static void every_failed_allocation_is_reported(void **state) {
    truce_context *context = *state;
    for (long k = 1;; k++) {
        base_text text = {0};
        test_fail_allocation(k);
        truce_status status = draw_all(context, &text);
        bool has_failed = test_allocation_failed();
        test_fail_allocation(0);
        assert_int_equal(has_failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
        base_text_free(context, &text);
        if (!has_failed) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(awkward_charts_are_well_formed),
        TEST(a_chart_says_what_it_leaves_out),
        TEST(no_numbers_break_a_plot),
        TEST(a_small_plot_is_the_one_that_was_approved),
        TEST(small_bars_are_those_that_were_approved),
        TEST(thousands_of_points_make_a_small_picture),
        TEST(a_heat_map_shows_its_values),
        TEST(a_heat_map_beyond_reading_is_refused),
        TEST(a_large_heat_map_gives_up_numbers_before_names),
        TEST(a_series_keeps_its_colour_across_a_grid),
        TEST(a_chart_alone_is_a_whole_file),
        TEST(the_same_numbers_give_the_same_bytes),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
