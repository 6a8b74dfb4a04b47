#include "support/test.h"

#include "report/number.h"

#include <float.h>
#include <math.h>

static void numbers_read_as_people_write_them(void **state) {
    static const struct {
        double value;
        report_notation notation;
        int digits;
        const char *text;
    } rows[] = {
        {0, REPORT_FIXED, 3, "0.000"},
        {-0.0, REPORT_FIXED, 2, "0.00"},
        {-0.0001, REPORT_FIXED, 2, "0.00"},
        {-0.005001, REPORT_FIXED, 2, "-0.01"},
        {0.9126, REPORT_FIXED, 3, "0.913"},
        {41, REPORT_FIXED, 0, "41"},
        {1e14, REPORT_FIXED, 0, "100000000000000"},
        {1e15, REPORT_FIXED, 2, "1.00e+15"},
        {-DBL_MAX, REPORT_FIXED, 3, "-1.798e+308"},
        {DBL_TRUE_MIN, REPORT_FIXED, 3, "0.000"},
        {0.0912, REPORT_SIGNIFICANT, 3, "0.0912"},
        {12.34, REPORT_SIGNIFICANT, 3, "12.3"},
        {123456, REPORT_SIGNIFICANT, 3, "123456"},
        {1234567, REPORT_SIGNIFICANT, 3, "1.23e+06"},
        {9.999, REPORT_SIGNIFICANT, 3, "10.0"},
        {1.234e-5, REPORT_SIGNIFICANT, 3, "1.23e-05"},
        {5e-324, REPORT_SIGNIFICANT, 1, "5e-324"},
        {DBL_MAX, REPORT_SIGNIFICANT, 4, "1.798e+308"},
        {0, REPORT_SIGNIFICANT, 2, "0.0"},
        {0.5, REPORT_SIGNIFICANT, 0, "0.5"},
        {11689512, REPORT_PREFIX, 3, "11.7M"},
        {999.6, REPORT_PREFIX, 3, "1.00k"},
        {999.4, REPORT_PREFIX, 3, "999"},
        {0.25, REPORT_PREFIX, 3, "250m"},
        {-2.5e-6, REPORT_PREFIX, 2, "-2.5u"},
        {1, REPORT_PREFIX, 1, "1"},
        {0, REPORT_PREFIX, 3, "0.00"},
        {1e20, REPORT_PREFIX, 2, "1.0e+20"},
        {1e-20, REPORT_PREFIX, 2, "1.0e-20"},
        {NAN, REPORT_FIXED, 3, "nan"},
        {-NAN, REPORT_SIGNIFICANT, 3, "nan"},
        {-INFINITY, REPORT_PREFIX, 3, "-inf"},
        {INFINITY, REPORT_FIXED, 3, "inf"},
        {1.0 / 3, REPORT_FIXED, 99, "0.333333333333333"},
        {2.5, REPORT_FIXED, -4, "2"},
    };
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        report_format format = {rows[i].notation, rows[i].digits};
        report_number number = report_format_number(rows[i].value, NAN, format, REPORT_PLAIN);
        assert_string_equal(rows[i].text, number.value);
        assert_string_equal("", number.spread);
    }
}

static void a_spread_has_the_decimals_of_its_value(void **state) {
    static const struct {
        double value, spread;
        report_format format;
        const char *value_text, *spread_text;
    } rows[] = {
        {0.912, 0.0041, {REPORT_FIXED, 3}, "0.912", "0.004"},
        {12.34, 0.567, {REPORT_SIGNIFICANT, 3}, "12.3", "0.6"},
        {1.234e-5, 4e-7, {REPORT_SIGNIFICANT, 3}, "1.23e-05", "0.04e-05"},
        {11.69e6, 120e3, {REPORT_PREFIX, 3}, "11.7M", "0.1M"},
        {0.5, INFINITY, {REPORT_FIXED, 2}, "0.50", "inf"},
        {NAN, 0.1, {REPORT_FIXED, 2}, "nan", "0.10"},
        {1, 1e30, {REPORT_FIXED, 2}, "1.00", "1.00e+30"},
    };
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        report_number number =
            report_format_number(rows[i].value, rows[i].spread, rows[i].format, REPORT_ASCII);
        assert_string_equal(rows[i].value_text, number.value);
        assert_string_equal(rows[i].spread_text, number.spread);
    }
}

static void signs_suit_the_screen(void **state) {
    (void)state;
    report_format format = {REPORT_FIXED, 1};
    assert_string_equal("-1.5", report_format_number(-1.5, NAN, format, REPORT_PLAIN).value);
    assert_string_equal("−1.5", report_format_number(-1.5, NAN, format, REPORT_TYPESET).value);
    assert_string_equal("−inf", report_format_number(-INFINITY, NAN, format, REPORT_TYPESET).value);
    assert_string_equal(" +- ", report_spread_sign(REPORT_ASCII));
    assert_string_equal(" ± ", report_spread_sign(REPORT_PLAIN));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(numbers_read_as_people_write_them),
        TEST(a_spread_has_the_decimals_of_its_value),
        TEST(signs_suit_the_screen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
