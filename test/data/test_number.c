#include "data/make.h"

#include "base/rng.h"
#include "data/number.h"

static void decimals_are_read_as_strtod_reads_them(void **state) {
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1",
                                        "+1.5",
                                        "-2.25",
                                        ".5",
                                        "5.",
                                        "0.1",
                                        "3.38e-005",
                                        "1e22",
                                        "1e23",
                                        "1E-22",
                                        "1e-23",
                                        "123456789012345678901234567890",
                                        "0.00000000000000000000000000000001",
                                        "9007199254740993",
                                        "9007199254740992",
                                        "5.827000141143799",
                                        "12.180999755859375",
                                        "-197.629416",
                                        "1e-400",
                                        "4.9e-324",
                                        "1.7976931348623157e308",
                                        " 7 ",
                                        "\t8",
                                        "00012",
                                        "1e0000000000000000000001",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "99999999999999999999e-19",
                                        "0e999999999999"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value = -1;
        if (!data_parse_number(texts[i], &value)) fail_msg("'%s' was not read", texts[i]);
        double wanted = strtod(texts[i], NULL);
        if (memcmp(&value, &wanted, sizeof value) != 0) fail_msg("'%s' is %.17g", texts[i], value);
    }
}

static void what_is_no_decimal_is_refused(void **state) {
    static const char *const texts[] = {"",       " ",     "-",   ".",   "e5",       "abc",   "1a",  "1 2",
                                        "0x10",   "inf",   "nan", "NaN", "infinity", "1e",    "1e+", "1e400",
                                        "-1e400", "1.2.3", "1,5", "--1", "+-1",      "1e5.5", "-.e1"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value = 42;
        if (data_parse_number(texts[i], &value)) fail_msg("'%s' was read as %g", texts[i], value);
        assert_true(value == 42);
    }
}

static void random_decimals_round_to_the_nearest_double(void **state) {
    base_rng rng = base_rng_make(3, "test", 0, 0);
    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[64];
        double value;
        int digits = 1 + (int)base_rng_below(&rng, 20);
        double magnitude = pow(10, 60 * base_rng_uniform(&rng) - 30);
        snprintf(text, sizeof text, i % 2 ? "%.*g" : "%.*e", digits, base_rng_normal(&rng) * magnitude);
        assert_true(data_parse_number(text, &value));
        assert_true(value == strtod(text, NULL));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(decimals_are_read_as_strtod_reads_them),
        TEST(what_is_no_decimal_is_refused),
        TEST(random_decimals_round_to_the_nearest_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
