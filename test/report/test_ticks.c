#include "support/test.h"

#include "base/rng.h"
#include "report/scale.h"
#include "report/ticks.h"

#include <math.h>

/* 1, 2 or 5 times a power of ten. */
static bool is_round(double value) {
    double mantissa = value / pow(10, floor(log10(value) + 1e-9));
    return fabs(mantissa - 1) < 1e-6 || fabs(mantissa - 2) < 1e-6 || fabs(mantissa - 5) < 1e-6;
}

static void assert_linear(double low, double high, int n) {
    report_ticks ticks = report_ticks_linear(low, high, n, false);
    double slack = 1e-5 * ticks.step;
    bool is_good = ticks.n >= 2 && ticks.n <= n && is_round(ticks.step) && ticks.at[0] <= low + slack &&
                   ticks.at[ticks.n - 1] >= high - slack;
    for (int i = 1; i < ticks.n; i++)
        is_good = is_good && fabs(ticks.at[i] - ticks.at[i - 1] - ticks.step) <=
                                 1e-6 * ticks.step + 1e-15 * fabs(ticks.at[i]);
    if (!is_good)
        fail_msg("[%.17g, %.17g] in %d: %d ticks from %g by %g", low, high, n, ticks.n, ticks.at[0],
                 ticks.step);
}

static void few_round_ticks_cover_any_range(void **state) {
    (void)state;
    base_rng rng = base_rng_make(1, "ticks", 0, 0);
    for (int k = 0; k < 20000; k++) {
        double size = pow(10, 560 * base_rng_uniform(&rng) - 280);
        double low = size * (2 * base_rng_uniform(&rng) - 1);
        double width = size * pow(10, -7 * base_rng_uniform(&rng));
        assert_linear(low, low + width, 3 + (int)base_rng_below(&rng, REPORT_MAX_TICKS - 2));
    }
    assert_linear(-1e280, 1e280, 3);
    assert_linear(0.3, 0.9, 7);
    assert_linear(0.1 + 0.2, 0.9, 7);
}

static void whole_numbers_have_whole_ticks(void **state) {
    (void)state;
    for (int high = 1; high < 30; high++) {
        report_ticks ticks = report_ticks_linear(0, high, 16, true);
        for (int i = 0; i < ticks.n; i++) assert_true(ticks.at[i] == floor(ticks.at[i]));
    }
}

static void logarithmic_ticks_are_few_and_inside(void **state) {
    (void)state;
    base_rng rng = base_rng_make(2, "ticks", 0, 0);
    for (int k = 0; k < 20000; k++) {
        double low = pow(10, 500 * base_rng_uniform(&rng) - 280);
        double high = low * pow(10, pow(10, 4 * base_rng_uniform(&rng) - 2));
        if (high > 1e280) continue;
        int n = 4 + (int)base_rng_below(&rng, REPORT_MAX_TICKS - 3);
        report_ticks ticks = report_ticks_log(low, high, n);
        bool is_good = ticks.n >= 1 && ticks.n <= n;
        for (int i = 0; i < ticks.n; i++) {
            is_good = is_good && ticks.at[i] >= low * (1 - 1e-6) && ticks.at[i] <= high * (1 + 1e-6);
            is_good = is_good && (i == 0 || ticks.at[i] > ticks.at[i - 1]);
        }
        if (!is_good) fail_msg("[%.17g, %.17g] in %d: %d ticks", low, high, n, ticks.n);
    }
}

static void write_ticks(const report_ticks *ticks, char *out, size_t bytes) {
    size_t n = 0;
    for (int i = 0; i < ticks->n; i++) {
        char text[REPORT_TICK_BYTES];
        report_tick_text(ticks, i, text);
        n += (size_t)snprintf(out + n, bytes - n, "%s%s", i ? " " : "", text);
    }
}

static void ticks_read_as_people_write_them(void **state) {
    static const struct {
        double low, high;
        int n;
        bool log;
        const char *text;
    } rows[] = {
        {0, 1, 6, false, "0.0 0.2 0.4 0.6 0.8 1.0"},
        {-0.3, 0.5, 6, false, "−0.4 −0.2 0.0 0.2 0.4 0.6"},
        {0, 97, 6, false, "0 20 40 60 80 100"},
        {0, 9000, 6, false, "0 2000 4000 6000 8000 10000"},
        {0, 120000, 5, false, "0 50k 100k 150k"},
        {0, 2.2e6, 6, false, "0.0 0.5M 1.0M 1.5M 2.0M 2.5M"},
        {0, 3e9, 4, false, "0 1G 2G 3G"},
        {0, 2e-5, 5, false, "0.0 0.5×10⁻⁵ 1.0×10⁻⁵ 1.5×10⁻⁵ 2.0×10⁻⁵"},
        {1e20, 3e20, 4, false, "1×10²⁰ 2×10²⁰ 3×10²⁰"},
        {1.0001, 1.0003, 4, false, "1.0001 1.0002 1.0003"},
        {1234567.8, 1234567.9, 3, false, "1234567.80 1234567.85 1234567.90"},
        {0.5, 2000, 8, true, "1 10 100 1000"},
        {1, 100, 8, true, "1 2 5 10 20 50 100"},
        {1e-9, 1, 4, true, "10⁻⁹ 10⁻⁶ 0.001 1"},
        {1e4, 1e6, 8, true, "10⁴ 2×10⁴ 5×10⁴ 10⁵ 2×10⁵ 5×10⁵ 10⁶"},
        {2, 4.4, 6, true, "2.0 2.5 3.0 3.5 4.0"},
    };
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        char text[512] = "";
        report_ticks ticks = rows[i].log ? report_ticks_log(rows[i].low, rows[i].high, rows[i].n)
                                         : report_ticks_linear(rows[i].low, rows[i].high, rows[i].n, false);
        write_ticks(&ticks, text, sizeof text);
        assert_string_equal(rows[i].text, text);
    }
}

static void neighbouring_ticks_never_read_the_same(void **state) {
    (void)state;
    base_rng rng = base_rng_make(3, "ticks", 0, 0);
    for (int k = 0; k < 5000; k++) {
        double size = pow(10, 40 * base_rng_uniform(&rng) - 20), low = size * base_rng_uniform(&rng);
        report_ticks ticks =
            report_ticks_linear(low, low + size * pow(10, -6 * base_rng_uniform(&rng)), 8, false);
        for (int i = 1; i < ticks.n; i++) {
            char a[REPORT_TICK_BYTES], b[REPORT_TICK_BYTES];
            report_tick_text(&ticks, i - 1, a);
            report_tick_text(&ticks, i, b);
            if (!strcmp(a, b)) fail_msg("%.17g and %.17g read %s", ticks.at[i - 1], ticks.at[i], a);
        }
    }
}

static void any_data_give_a_safe_scale(void **state) {
    static const double values[] = {0,        -0.0,      1,      -1,   1e300,       -1e300,
                                    1e-300,   5e-324,    NAN,    1e16, 1e280,       -1e280,
                                    INFINITY, -INFINITY, 1e-280, 7,    7.0000000001};
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(values); i++)
        for (size_t j = 0; j < BASE_COUNT(values); j++)
            for (int kind = 0; kind < 6; kind++) {
                report_axis axis = {.log = kind % 2};
                report_range range = report_range_begin(axis.log);
                report_range_add(&range, values[i]);
                report_range_add(&range, values[j]);
                report_ticks ticks;
                report_scale s = report_scale_fit(&axis, &range, (report_margin)(kind / 2), 6, &ticks);
                s.to = 100;
                assert_true(isfinite(s.low) && isfinite(s.high) && s.low < s.high && ticks.n >= 1);
                assert_true(ticks.n <= 6 && (!axis.log || s.low > 0));
                double px = report_scale_px(&s, values[i]);
                assert_true(report_range_takes(&range, values[i]) ? px > -1e-6 && px < 100.001 : isnan(px));
            }
}

static void an_axis_keeps_the_range_it_asks_for(void **state) {
    (void)state;
    report_axis axis = {.low = 0.25, .high = 0.75};
    report_range range = report_range_begin(false);
    report_range_add(&range, 100);
    report_ticks ticks;
    report_scale s = report_scale_fit(&axis, &range, REPORT_TO_TICKS, 6, &ticks);
    assert_true(s.low == 0.25 && s.high == 0.75 && ticks.at[0] >= 0.25 && ticks.at[ticks.n - 1] <= 0.75);
    axis = (report_axis){.log = true, .low = -1, .high = 10}; /* cannot be: the data decide */
    s = report_scale_fit(&axis, &range, REPORT_TIGHT, 6, &ticks);
    assert_true(s.low > 0 && s.low < 100 && s.high > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(few_round_ticks_cover_any_range),        TEST(whole_numbers_have_whole_ticks),
        TEST(logarithmic_ticks_are_few_and_inside),   TEST(ticks_read_as_people_write_them),
        TEST(neighbouring_ticks_never_read_the_same), TEST(any_data_give_a_safe_scale),
        TEST(an_axis_keeps_the_range_it_asks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
