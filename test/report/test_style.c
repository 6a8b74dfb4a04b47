#include "support/test.h"

#include "check_markup.h"
#include "report/style.h"

#include <math.h>

static const report_theme *const themes[] = {&report_light, &report_dark};

static void mixing_ends_where_it_should(void **state) {
    (void)state;
    static const report_colour colours[] = {0x000000, 0xFFFFFF, 0x0072B2, 0xD55E00, 0x123456};
    for (size_t i = 0; i < BASE_COUNT(colours); i++)
        for (size_t j = 0; j < BASE_COUNT(colours); j++) {
            assert_int_equal(colours[i], report_mix(colours[i], colours[j], 0));
            assert_int_equal(colours[j], report_mix(colours[i], colours[j], 1));
        }
    assert_near(21, report_contrast(0x000000, 0xFFFFFF), 1e-9);
    assert_near(1, report_contrast(0x808080, 0x808080), 1e-9);
}

static void texts_stand_out_from_the_paper(void **state) {
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        assert_true(report_contrast(themes[t]->paper, themes[t]->ink) > 12);
        assert_true(report_contrast(themes[t]->paper, themes[t]->soft) > 4.5);
        for (int i = 0; i < REPORT_N_COLOURS; i++)
            assert_true(report_contrast(themes[t]->paper, themes[t]->series[i]) > 2.1);
    }
}

static void numbers_can_be_read_on_every_cell(void **state) {
    (void)state;
    for (size_t t = 0; t < 2; t++)
        for (int palette = 0; palette < 2; palette++)
            for (int level = 0; level < REPORT_N_LEVELS; level++) {
                report_colour cell = report_level_colour(themes[t], (report_palette)palette, level);
                report_colour ink = report_level_ink(themes[t], (report_palette)palette, level);
                if (report_contrast(cell, ink) < 4.2)
                    fail_msg("theme %zu, palette %d, level %d: %g", t, palette, level,
                             report_contrast(cell, ink));
            }
}

static void palettes_move_away_from_the_paper(void **state) {
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        double last = 0;
        for (int level = 0; level < REPORT_N_LEVELS; level++) {
            double contrast =
                report_contrast(themes[t]->paper, report_level_colour(themes[t], REPORT_SEQUENTIAL, level));
            assert_true(contrast > last);
            last = contrast;
        }
        for (int d = 1; d <= REPORT_N_LEVELS / 2; d++)
            for (int side = -1; side <= 1; side += 2) {
                int level = REPORT_N_LEVELS / 2 + side * d;
                assert_true(
                    report_contrast(themes[t]->paper, report_level_colour(themes[t], REPORT_SIGNED, level)) >
                    report_contrast(themes[t]->paper,
                                    report_level_colour(themes[t], REPORT_SIGNED, level - side)));
            }
    }
}

static void the_style_sheet_needs_no_escaping(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    report_put_chart_style((report_pen){context, &text});
    assert_ok(context, text.status);
    assert_null(strpbrk(base_text_get(&text), "<&"));
    int depth = 0;
    for (const char *c = base_text_get(&text); *c; c++) {
        depth += (*c == '{') - (*c == '}');
        assert_true(depth >= 0 && depth <= 2);
    }
    assert_int_equal(0, depth);
    base_text_free(context, &text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(mixing_ends_where_it_should),       TEST(texts_stand_out_from_the_paper),
        TEST(numbers_can_be_read_on_every_cell), TEST(palettes_move_away_from_the_paper),
        TEST(the_style_sheet_needs_no_escaping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
