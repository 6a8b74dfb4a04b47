#include "support/test.h"

#include "check_markup.h"
#include "report/chart.h"
#include "report/page.h"

#define HOSTILE "<b>&\"' </code></p><script>alert(1)</script>\x1b\xff\xed\xa0\x80"

static truce_status make_page(truce_context *context, base_text *out) {
    static const report_fact facts[] = {{"name", "value"}, {HOSTILE, HOSTILE}};
    static const double y[] = {1, 2, 3};
    report_column columns[] = {{.header = HOSTILE, .unit = HOSTILE}};
    report_series series = {.name = HOSTILE, .y = y, .n = 3};
    report_plot plot = {.title = HOSTILE, .series = &series, .n_series = 1};
    report_page *page = NULL;
    report_table *table = NULL;
    base_text svg = {0};
    truce_status status = report_page_create(context, HOSTILE, HOSTILE, &page);
    if (!status) status = report_table_create(context, columns, 1, &table);
    if (!status) status = report_draw_plot(context, &plot, &svg);
    if (!status) {
        report_table_group(table, HOSTILE);
        report_table_row(table);
        report_table_text(table, HOSTILE);
        report_page_heading(page, 2, HOSTILE);
        report_page_paragraph(page, "%s is %d", HOSTILE, 5);
        report_page_note(page, REPORT_NOTE, "%s", HOSTILE);
        report_page_note(page, REPORT_WARNING, "%s", HOSTILE);
        report_page_heading(page, 3, HOSTILE);
        report_page_facts(page, facts, BASE_COUNT(facts));
        report_page_code(page, "a < b && c\n\t\"quoted\" " HOSTILE);
        report_page_table(page, table, HOSTILE);
        report_page_figure(page, base_text_get(&svg), HOSTILE);
        status = report_page_finish(page, out);
    }
    base_text_free(context, &svg);
    report_table_destroy(table);
    report_page_destroy(page);
    return status;
}

static void nothing_from_outside_becomes_markup(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    assert_ok(context, make_page(context, &text));
    assert_well_formed(base_text_get(&text));
    assert_null(strstr(base_text_get(&text), "<script"));
    assert_null(strstr(base_text_get(&text), "<b>"));
    assert_null(strchr(base_text_get(&text), '\x1b'));
    assert_non_null(strstr(base_text_get(&text), "<p>&lt;b&gt;&amp;&quot;&#39; &lt;/code&gt;"));
    base_text_free(context, &text);
}

static void a_page_stands_alone(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    assert_ok(context, make_page(context, &text));
    static const char *const outside[] = {" src=", "@import", "url(", "<link", "<iframe", "javascript:"};
    for (size_t i = 0; i < BASE_COUNT(outside); i++) assert_null(strstr(base_text_get(&text), outside[i]));
    assert_non_null(strstr(base_text_get(&text), "default-src 'none'"));
    assert_non_null(strstr(base_text_get(&text), "<footer>Made by Truce 0.1.0</footer>"));
    base_text_free(context, &text);
}

static void headings_have_anchors_of_their_own(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *heading, *anchor;
    } rows[] = {{"Results", "results"},       {"Results", "results-2"},
                {"results-2", "results-2-2"}, {"  Loss & gain (%)", "loss-gain"},
                {"結果", "section"},          {"日本", "section-2"},
                {"RESULTS", "results-3"},     {"", "section-3"},
                {"Result", "result"}};
    report_page *page = NULL;
    base_text text = {0};
    char expected[64];
    assert_ok(context, report_page_create(context, "t", NULL, &page));
    for (size_t i = 0; i < BASE_COUNT(rows); i++) report_page_heading(page, 2, rows[i].heading);
    assert_ok(context, report_page_finish(page, &text));
    assert_well_formed(base_text_get(&text));
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        snprintf(expected, sizeof expected, "<h2 id='%s'>", rows[i].anchor);
        if (!strstr(base_text_get(&text), expected)) fail_msg("no %s", expected);
    }
    assert_non_null(strstr(base_text_get(&text), "<nav"));
    base_text_free(context, &text);
    report_page_destroy(page);
}

static void an_empty_page_is_a_page(void **state) {
    truce_context *context = *state;
    report_page *page = NULL;
    base_text text = {0};
    assert_ok(context, report_page_create(context, "", NULL, &page));
    assert_ok(context, report_page_finish(page, &text));
    assert_well_formed(base_text_get(&text));
    assert_null(strstr(base_text_get(&text), "<nav"));
    base_text_free(context, &text);
    report_page_destroy(page);
    report_page_destroy(NULL);
}

static void the_same_page_has_the_same_bytes(void **state) {
    truce_context *context = *state;
    base_text a = {0}, b = {0};
    assert_ok(context, make_page(context, &a));
    assert_ok(context, make_page(context, &b));
    assert_string_equal(base_text_get(&a), base_text_get(&b));
    base_text_free(context, &a);
    base_text_free(context, &b);
}

static void every_failed_allocation_is_reported(void **state) {
    truce_context *context = *state;
    for (long k = 1;; k++) {
        base_text text = {0};
        test_fail_allocation(k);
        truce_status status = make_page(context, &text);
        bool has_failed = test_allocation_failed();
        test_fail_allocation(0);
        assert_int_equal(has_failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
        assert_true(!status || text.n == 0);
        base_text_free(context, &text);
        if (!has_failed) break;
    }
}

/* The checker itself finds what it is meant to find. */
static void the_checker_finds_faults(void **state) {
    static const char *const faults[] = {
        "<a><b></a></b>",   "<a",          "<a>",         "</a>", "<a/><b/>", "<a>&nbsp;</a>", "<a x=1/>",
        "<a x='1' x='2'/>", "<a>\x01</a>", "<a>\xff</a>", "text"};
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(faults); i++) {
        checker c = {.at = faults[i], .begin = faults[i]};
        while (*c.at && !c.error) check_step(&c);
        assert_true(c.error || c.n_open || c.n_roots != 1);
    }
    assert_well_formed("<?xml?><a x='1' y=\"2\"><b/>text &amp; \xef\xbf\xbd</a>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nothing_from_outside_becomes_markup),
        TEST(a_page_stands_alone),
        TEST(headings_have_anchors_of_their_own),
        TEST(an_empty_page_is_a_page),
        TEST(the_same_page_has_the_same_bytes),
        TEST(every_failed_allocation_is_reported),
        TEST(the_checker_finds_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
