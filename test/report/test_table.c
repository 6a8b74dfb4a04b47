#include "support/test.h"

#include "check_markup.h"
#include "report/markup.h"
#include "report/table.h"

#include <math.h>

static const report_column columns[] = {
    {.header = "task"},
    {.header = "loss", .format = {.digits = 3}, .best = REPORT_BEST_LOWEST},
    {.header = "time", .unit = "ms", .format = {.digits = 1}, .best = REPORT_BEST_LOWEST},
    {.header = "note"},
};

static report_table *make_table(truce_context *context) {
    report_table *table = NULL;
    assert_ok(context, report_table_create(context, columns, BASE_COUNT(columns), &table));
    report_table_reference_row(table);
    report_table_text(table, "alone");
    report_table_number(table, 0.1);
    report_table_group(table, "together");
    report_table_row(table);
    report_table_text(table, "größe");
    report_table_spread(table, 0.9123, 0.004);
    report_table_number(table, 12.25);
    report_table_text(table, "ok");
    report_table_row(table);
    report_table_text(table, "日本");
    report_table_spread(table, 0.5, 0.0126);
    report_table_missing(table);
    report_table_text(table, "-");
    report_table_group(table, NULL);
    report_table_row(table);
    report_table_text(table, "c");
    report_table_number(table, NAN);
    report_table_number(table, 9);
    return table;
}

static void assert_prints(truce_context *context, const report_terminal *terminal, const char *expected) {
    report_table *table = make_table(context);
    base_text text = {0};
    assert_ok(context, report_table_print(table, terminal, &text));
    assert_string_equal(expected, base_text_get(&text));
    base_text_free(context, &text);
    report_table_destroy(table);
}

static void a_terminal_shows_aligned_columns(void **state) {
    static const report_terminal terminal = {.utf8 = true};
    assert_prints(*state, &terminal,
                  "task             loss  time (ms)  note\n"
                  "──────────────────────────────────────\n"
                  "alone  0.100                  –   –\n"
                  "──────────────────────────────────────\n"
                  "together\n"
                  "größe  0.912 ± 0.004       12.2   ok\n"
                  "日本   0.500 ± 0.013*         –   -\n"
                  "──────────────────────────────────────\n"
                  "c        nan                9.0*  –\n");
}

static void a_plain_file_holds_ascii_only(void **state) {
    static const report_terminal terminal = {0};
    assert_prints(*state, &terminal,
                  "task              loss  time (ms)  note\n"
                  "---------------------------------------\n"
                  "alone  0.100                   -   -\n"
                  "---------------------------------------\n"
                  "together\n"
                  "gr??e  0.912 +- 0.004       12.2   ok\n"
                  "????   0.500 +- 0.013*         -   -\n"
                  "---------------------------------------\n"
                  "c        nan                 9.0*  -\n");
}

static void colours_are_switched_on_only_when_asked_for(void **state) {
    static const report_terminal terminal = {.utf8 = true, .colour = true};
    assert_prints(
        *state, &terminal,
        "\033[1mtask\033[0m            \033[1mloss\033[0m  \033[1mtime (ms)\033[0m  \033[1mnote\033[0m\n"
        "─────────────────────────────────────\n"
        "alone  0.100                  \033[2m–\033[0m  \033[2m–\033[0m\n"
        "─────────────────────────────────────\n"
        "\033[1mtogether\033[0m\n"
        "größe  0.912\033[2m ± 0.004\033[0m       12.2  ok\n"
        "日本   \033[1;32m0.500\033[0m\033[2m ± 0.013\033[0m          \033[2m–\033[0m  -\n"
        "─────────────────────────────────────\n"
        "c        nan                \033[1;32m9.0\033[0m  \033[2m–\033[0m\n");
}

static void a_narrow_terminal_cuts_texts_but_never_numbers(void **state) {
    truce_context *context = *state;
    static const report_column wide[] = {{.header = "a long header of texts"},
                                         {.header = "value", .format = {.digits = 2}}};
    report_table *table = NULL;
    base_text text = {0};
    assert_ok(context, report_table_create(context, wide, 2, &table));
    report_table_row(table);
    report_table_text(table, "an even longer text, which has no end");
    report_table_spread(table, 1234.5, 0.25);
    report_terminal terminal = {.utf8 = true, .n_columns = 30};
    assert_ok(context, report_table_print(table, &terminal, &text));
    assert_string_equal("a long header…           value\n"
                        "──────────────────────────────\n"
                        "an even longe…  1234.50 ± 0.25\n",
                        base_text_get(&text));
    base_text_free(context, &text);
    terminal.n_columns = 5;
    assert_ok(context, report_table_print(table, &terminal, &text));
    assert_non_null(strstr(base_text_get(&text), "an even…  1234.50 ± 0.25\n"));
    base_text_free(context, &text);
    report_table_destroy(table);
}

/* Rows of one number each, and which of them are marked. */
static void assert_marks(truce_context *context, report_best best, const double *values, int n,
                         const char *marks) {
    report_column column = {.header = "x", .format = {.digits = 2}, .best = best};
    report_table *table = NULL;
    base_text text = {0};
    report_terminal terminal = {0};
    char found[16] = "";
    assert_ok(context, report_table_create(context, &column, 1, &table));
    for (int i = 0; i < n; i++) {
        report_table_row(table);
        report_table_number(table, values[i]);
    }
    assert_ok(context, report_table_print(table, &terminal, &text));
    const char *line = base_text_get(&text);
    for (int i = 0; i < n + 2; i++, line = strchr(line, '\n') + 1)
        if (i >= 2) strcat(found, memchr(line, '*', strcspn(line, "\n")) ? "*" : ".");
    assert_string_equal(marks, found);
    base_text_free(context, &text);
    report_table_destroy(table);
}

static void the_best_of_a_column_is_marked_with_its_ties(void **state) {
    static const struct {
        report_best best;
        double values[5];
        int n;
        const char *marks;
    } rows[] = {
        {REPORT_BEST_LOWEST, {3, 1, 2}, 3, ".*."},
        {REPORT_BEST_HIGHEST, {3, 1, 2}, 3, "*.."},
        {REPORT_BEST_NONE, {3, 1, 2}, 3, "..."},
        {REPORT_BEST_LOWEST, {1.001, 1.002, 1.006}, 3, "**."}, /* the reader sees 1.00, 1.00 and 1.01 */
        {REPORT_BEST_LOWEST, {NAN, 5, NAN}, 3, "..."},         /* nobody to compete with */
        {REPORT_BEST_HIGHEST, {NAN, 5, 4}, 3, ".*."},
        {REPORT_BEST_HIGHEST, {INFINITY, 5, -INFINITY}, 3, "*.."},
        {REPORT_BEST_LOWEST, {NAN, NAN}, 2, ".."},
        {REPORT_BEST_LOWEST, {1}, 1, "."},
        {REPORT_BEST_LOWEST, {0}, 0, ""},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++)
        assert_marks(*state, rows[i].best, rows[i].values, rows[i].n, rows[i].marks);
}

static void every_line_of_a_table_is_equally_wide(void **state) {
    truce_context *context = *state;
    static const char *const names[] = {"a",   "größe", "日本語テキスト", "e\u0301clair", "😀", "\xff\xfe bad",
                                        "x\ty"};
    report_column two[] = {{.header = "name"}, {.header = "n", .unit = "µs"}};
    report_table *table = NULL;
    base_text text = {0};
    report_terminal terminal = {.utf8 = true};
    assert_ok(context, report_table_create(context, two, 2, &table));
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        report_table_row(table);
        report_table_text(table, names[i]);
        report_table_number(table, pow(10, (double)i));
    }
    assert_ok(context, report_table_print(table, &terminal, &text));
    for (char *line = strtok(text.bytes, "\n"), *first = line; line; line = strtok(NULL, "\n"))
        assert_true(report_measure_text(line, report_measure_cells) ==
                    report_measure_text(first, report_measure_cells));
    base_text_free(context, &text);
    report_table_destroy(table);
}

static void names_cannot_command_the_terminal(void **state) {
    truce_context *context = *state;
    report_column column = {.header = "\033]0;title\007"};
    report_table *table = NULL;
    base_text text = {0};
    report_terminal terminal = {.utf8 = true};
    assert_ok(context, report_table_create(context, &column, 1, &table));
    report_table_group(table, "\033[2J");
    report_table_row(table);
    report_table_text(table, "red \033[31m\r\n");
    assert_ok(context, report_table_print(table, &terminal, &text));
    assert_null(strpbrk(base_text_get(&text), "\033\007\r"));
    base_text_free(context, &text);
    report_table_destroy(table);
}

static void html_says_the_same(void **state) {
    truce_context *context = *state;
    report_table *table = NULL;
    base_text text = {0};
    assert_ok(context, report_table_create(context, columns, 3, &table));
    report_table_row(table);
    report_table_text(table, "<b>&\"'");
    report_table_spread(table, -0.5, 0.25);
    report_table_missing(table);
    report_table_group(table, "g");
    report_table_reference_row(table);
    assert_ok(context, report_table_html(table, "a < b", &text));
    assert_string_equal(
        "<table>\n<caption>a &lt; b</caption>\n"
        "<thead><tr><th scope='col' class='left'>task</th><th scope='col' class='right'>loss</th>"
        "<th scope='col' class='right'>time <span class='unit'>(ms)</span></th></tr></thead>\n"
        "<tbody>\n"
        "<tr><th scope='row' class='left'>&lt;b&gt;&amp;&quot;&#39;</th>"
        "<td class='right'><span class='value'>−0.500</span>"
        "<span class='spread' style='min-width:7ch'> ± 0.250</span></td>"
        "<td class='right missing'>–</td></tr>\n"
        "</tbody>\n<tbody>\n"
        "<tr class='group'><th scope='rowgroup' colspan='3'><span>g</span></th></tr>\n"
        "<tr class='reference'><td class='left missing'>–</td>"
        "<td class='right missing'>–<span class='spread' style='min-width:7ch'></span></td>"
        "<td class='right missing'>–</td></tr>\n"
        "</tbody>\n</table>\n",
        base_text_get(&text));
    assert_well_formed(base_text_get(&text));
    base_text_free(context, &text);
    report_table_destroy(table);
}

static truce_status make_and_write(truce_context *context, base_text *out) {
    report_table *table = NULL;
    report_terminal terminal = {.utf8 = true};
    BASE_TRY(report_table_create(context, columns, BASE_COUNT(columns), &table));
    for (int i = 0; i < 20; i++) {
        report_table_group(table, "a title of a group");
        report_table_row(table);
        report_table_text(table, "a text that needs some room");
        report_table_spread(table, i, 1);
    }
    truce_status status = report_table_print(table, &terminal, out);
    if (!status) status = report_table_html(table, NULL, out);
    report_table_destroy(table);
    return status;
}

static void every_failed_allocation_is_reported(void **state) {
    truce_context *context = *state;
    for (long k = 1;; k++) {
        base_text text = {0};
        test_fail_allocation(k);
        truce_status status = make_and_write(context, &text);
        bool has_failed = test_allocation_failed();
        test_fail_allocation(0);
        assert_int_equal(has_failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
        base_text_free(context, &text);
        if (!has_failed) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_terminal_shows_aligned_columns),
        TEST(a_plain_file_holds_ascii_only),
        TEST(colours_are_switched_on_only_when_asked_for),
        TEST(a_narrow_terminal_cuts_texts_but_never_numbers),
        TEST(the_best_of_a_column_is_marked_with_its_ties),
        TEST(every_line_of_a_table_is_equally_wide),
        TEST(names_cannot_command_the_terminal),
        TEST(html_says_the_same),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
