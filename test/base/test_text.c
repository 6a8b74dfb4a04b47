#include "support/test.h"

#include "base/names.h"
#include "base/option.h"
#include "base/text.h"

#include <locale.h>
#include <math.h>

static void distances_count_slips(void **state) {
    static const struct {
        const char *a, *b;
        int distance;
    } rows[] = {{"", "", 0},
                {"", "abc", 3},
                {"abc", "", 3},
                {"cagrad", "cagrad", 0},
                {"CAGrad", "cagrad", 0},
                {"cagard", "cagrad", 1},
                {"cgrad", "cagrad", 1},
                {"pcgrat", "pcgrad", 1},
                {"mean", "sum", 4}};
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++)
        assert_int_equal(rows[i].distance, base_edit_distance(rows[i].a, rows[i].b));
}

static void a_slip_is_named_and_a_stranger_gets_the_list(void **state) {
    truce_context *context = *state;
    static const char *const names[] = {"sum", "mgda", "pcgrad", "cagrad"};
    assert_fails(context, TRUCE_ERROR_NAME, "method 'cagard' is not known; did you mean 'cagrad'?",
                 base_fail_name(context, "method", "cagard", base_name_of_text, names, 4));
    assert_fails(context, TRUCE_ERROR_NAME, "there are: sum, mgda, pcgrad, cagrad",
                 base_fail_name(context, "method", "transformer", base_name_of_text, names, 4));
}

static void texts_grow_and_report_once(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    for (int i = 0; i < 1000; i++) base_text_add(context, &text, "%d,", i);
    assert_ok(context, text.status);
    assert_int_equal(3890, text.n);
    assert_int_equal(3890, strlen(base_text_get(&text)));
    base_text_free(context, &text);
    assert_string_equal("", base_text_get(&text));
    test_fail_allocation(1);
    base_text_add(context, &text, "x");
    base_text_add(context, &text, "y");
    assert_int_equal(TRUCE_ERROR_MEMORY, text.status);
    assert_string_equal("", base_text_get(&text));
}

static void numbers_survive_the_round_trip(void **state) {
    static const double values[] = {
        0, 1, -1.5, 0.1, 1.0 / 3, 1e-300, 1.7976931348623157e308, 123456789.125, 5e-324};
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(values); i++) {
        char text[BASE_REAL_BYTES];
        double back;
        base_format_real(values[i], text);
        assert_true(base_parse_real(text, &back));
        assert_true(back == values[i]);
    }
    char text[BASE_REAL_BYTES];
    base_format_real(0.1, text);
    assert_string_equal("0.1", text);
    base_format_real(NAN, text);
    assert_non_null(strstr(text, "nan"));
}

/* Any locale with a decimal comma; false where the machine has none. */
static bool use_comma_locale(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "fr_FR.utf8"};
    for (size_t i = 0; i < BASE_COUNT(names); i++)
        if (setlocale(LC_NUMERIC, names[i])) return true;
    return false;
}

static void numbers_have_a_point_in_every_locale(void **state) {
    truce_context *context = *state;
    if (!use_comma_locale()) {
        printf("skipped: no locale with a decimal comma\n");
        skip();
    }
    base_text text = {0};
    char number[BASE_REAL_BYTES];
    base_text_add(context, &text, "%.2f", 1.5);
    base_print(number, sizeof number, "%g", 2.5);
    double back = base_strtod("3.5", NULL);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal("1.50", base_text_get(&text));
    assert_string_equal("2.5", number);
    assert_true(back == 3.5);
    base_text_free(context, &text);
}

static void only_whole_numbers_parse(void **state) {
    double real;
    int64_t integer;
    (void)state;
    assert_true(base_parse_real(" 2.5 ", &real));
    assert_false(base_parse_real("2.5x", &real));
    assert_false(base_parse_real("", &real));
    assert_true(base_parse_integer("-42", &integer));
    assert_false(base_parse_integer("4.2", &integer));
    assert_false(base_parse_integer("99999999999999999999", &integer));
}

static void stars_stand_for_any_text(void **state) {
    static const struct {
        const char *pattern, *name;
        bool fits;
    } rows[] = {{"tau*", "tau1", true},  {"tau*", "tau", true},
                {"tau*", "ta", false},   {"*", "", true},
                {"", "", true},          {"", "a", false},
                {"a*b*c", "abc", true},  {"a*b*c", "axbxbxc", true},
                {"a*b*c", "acb", false}, {"*end", "the end", true},
                {"a.b", "axb", false}};
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++)
        assert_int_equal(rows[i].fits, base_pattern_fits(rows[i].pattern, rows[i].name));
}

static void names_keep_their_order(void **state) {
    truce_context *context = *state;
    base_names names = {0};
    int64_t index;
    char name[16];
    assert_int_equal(-1, base_names_find(&names, "absent"));
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 500; i++) {
            snprintf(name, sizeof name, "n%d", i);
            assert_ok(context, base_names_add(context, &names, name, &index));
            assert_int_equal(i, index);
        }
    assert_int_equal(500, names.n);
    assert_int_equal(77, base_names_find(&names, "n77"));
    assert_int_equal(-1, base_names_find(&names, "n500"));
    base_names_free(context, &names);
}

typedef struct settings {
    double c;
    int64_t steps;
    int exact, mode;
    const char *name;
    truce_integers widths;
} settings;

static const truce_option rows[] = {
    {"c", TRUCE_OPTION_REAL, "0.4", NULL, 0, 10, "radius", offsetof(settings, c)},
    {"steps", TRUCE_OPTION_INTEGER, "20", NULL, 1, 1000, "steps", offsetof(settings, steps)},
    {"exact", TRUCE_OPTION_SWITCH, "true", NULL, 0, 0, "exact", offsetof(settings, exact)},
    {"mode", TRUCE_OPTION_CHOICE, "l2", "none|l2|loss", 0, 0, "mode", offsetof(settings, mode)},
    {"name", TRUCE_OPTION_TEXT, NULL, NULL, 0, 0, "name", offsetof(settings, name)},
    {"widths", TRUCE_OPTION_INTEGERS, "64, 32", NULL, 1, 4096, "widths", offsetof(settings, widths)},
};
static const base_options options = {"method 'cagrad'", rows, BASE_COUNT(rows)};

static void options_have_defaults_and_take_text(void **state) {
    truce_context *context = *state;
    settings s;
    memset(&s, 0xA5, sizeof s);
    base_option_defaults(&options, &s);
    assert_true(s.c == 0.4 && s.steps == 20 && s.exact == 1 && s.mode == 1 && !s.name);
    assert_true(s.widths.n == 2 && s.widths.values[0] == 64 && s.widths.values[1] == 32);
    assert_ok(context, base_option_set(context, &options, &s, "c", "1e-1"));
    assert_ok(context, base_option_set(context, &options, &s, "exact", "off"));
    assert_ok(context, base_option_set(context, &options, &s, "mode", "loss"));
    assert_ok(context, base_option_set(context, &options, &s, "widths", "[8, 16, 24]"));
    assert_true(s.c == 0.1 && s.exact == 0 && s.mode == 2 && s.widths.n == 3);
    base_text text = {0};
    for (int i = 0; i < options.n; i++) {
        base_option_get(context, &rows[i], &s, &text);
        base_text_add(context, &text, ";");
    }
    assert_string_equal("0.1;20;false;loss;;8, 16, 24;", base_text_get(&text));
    base_text_free(context, &text);
}

static void wrong_options_say_what_is_wrong(void **state) {
    truce_context *context = *state;
    settings s = {0};
    base_option_defaults(&options, &s);
    assert_fails(context, TRUCE_ERROR_NAME, "did you mean 'steps'?",
                 base_option_set(context, &options, &s, "setps", "1"));
    assert_fails(context, TRUCE_ERROR_TYPE, "'c' takes a number, not 'big'",
                 base_option_set(context, &options, &s, "c", "big"));
    assert_fails(context, TRUCE_ERROR_RANGE, "'c' must lie between 0 and 10, but is 11",
                 base_option_set(context, &options, &s, "c", "11"));
    assert_fails(context, TRUCE_ERROR_RANGE, "between 1 and 1000",
                 base_option_set(context, &options, &s, "steps", "0"));
    assert_fails(context, TRUCE_ERROR_NAME, "mode 'l3' is not known; did you mean 'l2'?",
                 base_option_set(context, &options, &s, "mode", "l3"));
    assert_fails(context, TRUCE_ERROR_TYPE, "takes true or false",
                 base_option_set(context, &options, &s, "exact", "perhaps"));
    assert_fails(context, TRUCE_ERROR_TYPE, "whole numbers",
                 base_option_set(context, &options, &s, "widths", "8, 1.5"));
    assert_true(s.c == 0.4 && s.steps == 20 && s.exact == 1 && s.mode == 1 && s.widths.n == 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(distances_count_slips),
        TEST(a_slip_is_named_and_a_stranger_gets_the_list),
        TEST(texts_grow_and_report_once),
        TEST(numbers_survive_the_round_trip),
        TEST(numbers_have_a_point_in_every_locale),
        TEST(only_whole_numbers_parse),
        TEST(stars_stand_for_any_text),
        TEST(names_keep_their_order),
        TEST(options_have_defaults_and_take_text),
        TEST(wrong_options_say_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
