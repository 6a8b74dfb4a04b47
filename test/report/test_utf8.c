#include "support/test.h"

#include "report/utf8.h"

static void code_points_come_one_by_one(void **state) {
    static const struct {
        const char *text;
        uint32_t codes[6];
    } rows[] = {
        {"", {0}},
        {"aß€😀", {'a', 0xDF, 0x20AC, 0x1F600}},
        {"\x7f\x01\n", {0xFFFD, 0xFFFD, 0xFFFD}},   /* controls */
        {"\xc3", {0xFFFD}},                         /* cut off */
        {"\xc3(", {0xFFFD, '('}},                   /* followed by something else */
        {"\x80x", {0xFFFD, 'x'}},                   /* no beginning */
        {"\xc0\xaf", {0xFFFD, 0xFFFD}},             /* overlong */
        {"\xe0\x80\xaf", {0xFFFD}},                 /* overlong */
        {"\xed\xa0\x80!", {0xFFFD, '!'}},           /* half of a surrogate pair */
        {"\xf4\x90\x80\x80", {0xFFFD}},             /* beyond Unicode */
        {"\xf8\x88", {0xFFFD, 0xFFFD}},             /* no UTF-8 at all */
        {"\xef\xbf\xbf", {0xFFFD}},                 /* not a character */
        {"a\u202eb", {'a', 0xFFFD, 'b'}},           /* turns the text around */
        {"\xf0\x9f\x98", {0xFFFD, 0xFFFD, 0xFFFD}}, /* cut off */
    };
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        const char *at = rows[i].text;
        for (int k = 0; k < 6; k++) {
            uint32_t code = report_utf8_next(&at);
            if (code != rows[i].codes[k]) fail_msg("row %zu, code %d: U+%04X", i, k, (unsigned)code);
            if (!code) break;
        }
        assert_int_equal(0, *at);
    }
}

static void every_code_point_survives_the_round_trip(void **state) {
    truce_context *context = *state;
    for (uint32_t code = 0x20; code <= 0x10FFFF; code += code < 0x3000 ? 1 : 61) {
        base_text text = {0};
        report_utf8_add(context, &text, code);
        assert_ok(context, text.status);
        const char *at = text.bytes;
        uint32_t back = report_utf8_next(&at);
        assert_true(back == code || back == REPORT_REPLACEMENT);
        assert_int_equal(0, *at);
        base_text_free(context, &text);
    }
}

static void terminals_give_wide_characters_two_cells(void **state) {
    static const struct {
        const char *text;
        double cells;
    } rows[] = {{"", 0},        {"abc", 3},  {"größe", 5}, {"日本語", 6},  {"é", 1},
                {"e\u0301", 1}, {"한글", 4}, {"😀", 2},     {"Ω ± 1 …", 7}, {"\xff\xfe", 2}};
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++)
        assert_true(report_measure_text(rows[i].text, report_measure_cells) == rows[i].cells);
}

static void texts_are_cut_between_characters(void **state) {
    static const struct {
        const char *text;
        double room;
        size_t bytes;
    } rows[] = {{"abcdef", 6, 6}, {"abcdef", 5, 4}, {"größe", 4, 4}, {"größe", 3, 2},
                {"日本語", 5, 6}, {"日本語", 4, 3}, {"abc", 0, 0},   {"", 0, 0}};
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        size_t n = report_fit_text(rows[i].text, rows[i].room, report_measure_cells);
        if (n != rows[i].bytes) fail_msg("'%s' in %g: %zu bytes", rows[i].text, rows[i].room, n);
    }
}

static void wider_letters_take_more_room(void **state) {
    (void)state;
    double narrow = report_measure_text("illi", report_measure_ems);
    double wide = report_measure_text("WMWM", report_measure_ems);
    assert_true(narrow < 1.5 && wide > 3.4);
    assert_true(report_measure_text("0123456789", report_measure_ems) >= 6.36); /* DejaVu Sans */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(code_points_come_one_by_one),
        TEST(every_code_point_survives_the_round_trip),
        TEST(terminals_give_wide_characters_two_cells),
        TEST(texts_are_cut_between_characters),
        TEST(wider_letters_take_more_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
