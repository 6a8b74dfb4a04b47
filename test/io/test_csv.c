#include "support/test.h"

#include "base/rng.h"
#include "io/csv.h"

#include <stdlib.h>
#include <zlib.h>

/* All rows of a file as one text: fields in <>, rows by line number. */
static truce_status read_all(truce_context *context, const char *path, const io_csv_config *config,
                             base_text *out) {
    io_csv *csv = NULL;
    const char *const *fields;
    int n;
    BASE_TRY(io_csv_open(context, path, config, &csv));
    truce_status status;
    while (!(status = io_csv_next(csv, &fields, &n)) && n) {
        base_text_add(context, out, "%d", (int)io_csv_line(csv));
        for (int i = 0; i < n; i++) base_text_add(context, out, "<%s>", fields[i]);
        base_text_add(context, out, ";");
    }
    if (!status) status = io_csv_next(csv, &fields, &n);
    if (!status) assert_int_equal(0, n);
    if (status && status != TRUCE_ERROR_MEMORY) assert_int_equal(status, io_csv_next(csv, &fields, &n));
    io_csv_close(csv);
    return status ? status : out->status;
}

static void rows_are_split_as_they_should(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *path, *bytes, *rows;
    } rows[] = {
        {"t.csv", "", ""},
        {"t.csv", "\n\r\n  \n", ""},
        {"t.csv", "\xEF\xBB\xBF", ""},
        {"t.csv", "a", "1<a>;"},
        {"t.csv", "a,b\n1,2\n", "1<a><b>;2<1><2>;"},
        {"t.csv", "a,b\r\n1,2\r\n", "1<a><b>;2<1><2>;"},
        {"t.csv", "a,b\r\r\n1,2\r", "1<a><b>;2<1><2>;"},
        {"t.csv",
         "\xEF\xBB\xBF"
         "a,b\n1,2",
         "1<a><b>;2<1><2>;"},
        {"t.csv", "\n a , b \n\n   \n1,\t2\t\n", "2<a><b>;5<1><2>;"},
        {"t.csv", ",\n,\n", "1<><>;2<><>;"},
        {"t.csv", "\"\"\n\"\"", "1<>;2<>;"},
        {"t.csv", "\"a,b\", \"c\"\"d\" ,\"\"\"\"\n1,2,3", "1<a,b><c\"d><\">;2<1><2><3>;"},
        {"t.csv", "\"two\nlines\",x\n1,2\n", "1<two\nlines><x>;3<1><2>;"},
        {"t.csv", "\"\r\n\n\",x\r\n1,2\n", "1<\r\n\n><x>;4<1><2>;"},
        {"t.csv", "5\" disk,it's\n", "1<5\" disk><it's>;"},
        {"t.csv", "\" kept \",x", "1< kept ><x>;"},
        {"t.csv", "a;b\n", "1<a;b>;"},
        {"t.csv", "\xC3\xA4,\xFF\n", "1<\xC3\xA4><\xFF>;"},
        {"t.tsv", "a\tb c\n\t\n", "1<a><b c>;2<><>;"},
        {"t.tab", " a \tb,c\n", "1<a><b,c>;"},
        {"t.tsv.gz", "a\tb\n", "1<a><b>;"},
        {"t.csv.gz", "a,b\n", "1<a><b>;"},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        base_text text = {0};
        test_write_text(rows[i].path, rows[i].bytes);
        assert_ok(context, read_all(context, rows[i].path, NULL, &text));
        assert_string_equal(rows[i].rows, base_text_get(&text));
        base_text_free(context, &text);
    }
    base_text text = {0};
    test_write_text("semicolons.csv", "a;b,c\n");
    assert_ok(context, read_all(context, "semicolons.csv", &(io_csv_config){.delimiter = ';'}, &text));
    assert_string_equal("1<a><b,c>;", base_text_get(&text));
    base_text_free(context, &text);
    io_csv_close(NULL);
}

static void what_is_wrong_is_said_with_its_line(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } rows[] = {
        {"a,b\n1,2\n1,2,3\n", 0, "bad.csv:3: the row has 3 fields, the first row has 2"},
        {"a,b\n\"x\ny\"\n", 0, "bad.csv:2: the row has 1 fields, the first row has 2"},
        {"a,b\n1,\"x\n\n\n", 0, "bad.csv:2: the quote that opens here is not closed"},
        {"a,b\n\"x\n\n\",\"y\n\n", 0, "bad.csv:4: the quote that opens here is not closed"},
        {"a\n\"", 0, "bad.csv:2: the quote that opens here is not closed"},
        {"a\n\"\"\"", 0, "bad.csv:2: the quote that opens here is not closed"},
        {"a\n\"x\"y\n", 0, "bad.csv:2: text behind a closing quote"},
        {"a\n\"x\" \"y\"\n", 0, "bad.csv:2: text behind a closing quote"},
        {"a\nb\0c\n", 6, "bad.csv:2: a NUL byte"},
        {"a\n\"b\0c\"\n", 8, "bad.csv:2: a NUL byte"},
        {"a\n\"b\"\0\n", 7, "bad.csv:2: a NUL byte"},
        {"\0", 1, "bad.csv:1: a NUL byte"},
        {"a\rb\rc\r", 0, "bad.csv:1: a carriage return inside a line"},
        {"\xff\xfe"
         "a\0,\0",
         6, "bad.csv:1: the file is in UTF-16"},
        {"\xfe\xff\0a", 4, "bad.csv:1: the file is in UTF-16"},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        base_text text = {0};
        test_write_file("bad.csv", rows[i].bytes, rows[i].n ? rows[i].n : strlen(rows[i].bytes));
        assert_fails(context, TRUCE_ERROR_FORMAT, rows[i].message, read_all(context, "bad.csv", NULL, &text));
        base_text_free(context, &text);
    }
    base_text text = {0};
    assert_fails(context, TRUCE_ERROR_IO, "absent.csv: No such file",
                 read_all(context, "absent.csv", NULL, &text));
}

/* Fields and rows of all lengths around the size of a block, so that everything meets its border once. */
static void blocks_leave_no_seam(void **state) {
    truce_context *context = *state;
    static const char *const tails[] = {",\"q\"\"\nr\"\r\n", ",q\r\n", ",\"q\" \n", ", q,\n"};
    static const char *const rows[] = {"<q\"\nr>;", "<q>;", "<q>;", "<q><>;"};
    enum { BLOCK = 256 * 1024 };
    char *text = malloc(2 * BLOCK), expected[64];
    const char *const *fields;
    assert_non_null(text);
    for (size_t tail = 0; tail < BASE_COUNT(tails); tail++)
        for (size_t n = BLOCK - 14; n < BLOCK + 3; n++) {
            memset(text, 'x', n);
            strcpy(text + n, tails[tail]);
            test_write_file("seam.csv", text, strlen(text));
            io_csv *csv;
            int n_fields;
            assert_ok(context, io_csv_open(context, "seam.csv", NULL, &csv));
            assert_ok(context, io_csv_next(csv, &fields, &n_fields));
            assert_int_equal(n, strlen(fields[0]));
            snprintf(expected, sizeof expected, n_fields == 3 ? "<%s><%s>;" : "<%s>;", fields[1],
                     n_fields == 3 ? fields[2] : "");
            assert_string_equal(rows[tail], expected);
            assert_ok(context, io_csv_next(csv, &fields, &n_fields));
            assert_int_equal(0, n_fields);
            io_csv_close(csv);
        }
    free(text);
}

static void a_quote_that_swallows_the_file_is_caught(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    gzFile file = gzopen("swallow.csv.gz", "wb1");
    assert_non_null(file);
    static char line[1 << 20];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    assert_int_equal(6, gzwrite(file, "a,b\n,\"", 6));
    for (int i = 0; i < 130; i++) assert_int_equal(sizeof line, gzwrite(file, line, sizeof line));
    assert_int_equal(Z_OK, gzclose(file));
    assert_fails(context, TRUCE_ERROR_FORMAT, "swallow.csv.gz:2: a row of more than 64 MB",
                 read_all(context, "swallow.csv.gz", NULL, &text));
    base_text_free(context, &text);
}

static void random_field(base_rng *rng, char *out) {
    static const char pieces[] = "abc012.,,\"\"\n\r  \t;'\xEF\xBB";
    size_t n = base_rng_below(rng, 100) ? base_rng_below(rng, 12) : 3000 * base_rng_below(rng, 200);
    for (size_t i = 0; i < n; i++) out[i] = pieces[base_rng_below(rng, sizeof pieces - 1)];
    out[n] = 0;
}

static void what_is_written_reads_back(void **state) {
    truce_context *context = *state;
    static char text[600001];
    for (int columns = 1; columns <= 7; columns += 2) {
        io_output *output;
        io_csv *csv;
        const char *const *fields;
        int n, n_rows = 700;
        base_rng write = base_rng_make(5, "csv", (uint64_t)columns, 0), read = write;
        assert_ok(context, io_output_open(context, "table.csv", &output));
        for (int row = 0; row < n_rows; row++) {
            for (int i = 0; i < columns; i++) {
                random_field(&write, text);
                assert_ok(context, io_csv_write_field(output, text, i == 0));
            }
            assert_ok(context, io_output_write(output, "\n", 1));
        }
        assert_ok(context, io_output_commit(output));
        assert_ok(context, io_csv_open(context, "table.csv", NULL, &csv));
        for (int row = 0; row < n_rows; row++) {
            assert_ok(context, io_csv_next(csv, &fields, &n));
            assert_int_equal(columns, n);
            for (int i = 0; i < columns; i++) {
                random_field(&read, text);
                assert_string_equal(text, fields[i]);
            }
        }
        assert_ok(context, io_csv_next(csv, &fields, &n));
        assert_int_equal(0, n);
        io_csv_close(csv);
    }
}

static void quotes_are_written_only_where_needed(void **state) {
    truce_context *context = *state;
    static const char *const fields[] = {"a", "", "1.5", "two words", "a,b", "say \"hi\"", " x", "5'"};
    io_output *output;
    io_bytes got;
    static const char expected[] = "a,,1.5,two words,\"a,b\",\"say \"\"hi\"\"\",\" x\",5'\n";
    assert_ok(context, io_output_open(context, "quotes.csv", &output));
    for (size_t i = 0; i < BASE_COUNT(fields); i++)
        assert_ok(context, io_csv_write_field(output, fields[i], i == 0));
    assert_ok(context, io_output_print(output, "\n"));
    assert_ok(context, io_output_commit(output));
    assert_ok(context, io_bytes_read(context, "quotes.csv", &got));
    assert_int_equal(sizeof expected - 1, got.n);
    assert_memory_equal(expected, got.bytes, got.n);
    io_bytes_free(context, &got);
}

static void wide_rows_are_fine(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    for (int row = 0; row < 3; row++)
        for (int i = 0; i < 100000; i++) base_text_add(context, &text, "%s%d", i ? "," : "\n", i);
    test_write_file("wide.csv", text.bytes, text.n);
    base_text_free(context, &text);
    io_csv *csv;
    const char *const *fields;
    int n;
    assert_ok(context, io_csv_open(context, "wide.csv", NULL, &csv));
    for (int row = 0; row < 3; row++) {
        assert_ok(context, io_csv_next(csv, &fields, &n));
        assert_int_equal(100000, n);
        assert_string_equal("0", fields[0]);
        assert_string_equal("99999", fields[99999]);
    }
    io_csv_close(csv);
}

static void every_failing_allocation_is_survived(void **state) {
    truce_context *context = *state;
    io_output *output;
    static char text[600000];
    memset(text, 'x', sizeof text - 1);
    assert_ok(context, io_output_open(context, "memory.csv", &output));
    for (int i = 0; i < 20; i++)
        assert_ok(context, io_csv_write_field(output, i == 17 ? text : "\"", i == 0));
    assert_ok(context, io_output_commit(output));
    for (long k = 1, failed = 1; failed; k++) {
        base_text rows = {0};
        test_fail_allocation(k);
        truce_status status = read_all(context, "memory.csv", NULL, &rows);
        failed = test_allocation_failed();
        assert_int_equal(failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
        base_text_free(context, &rows);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(rows_are_split_as_they_should),
        TEST(what_is_wrong_is_said_with_its_line),
        TEST(blocks_leave_no_seam),
        TEST(a_quote_that_swallows_the_file_is_caught),
        TEST(what_is_written_reads_back),
        TEST(quotes_are_written_only_where_needed),
        TEST(wide_rows_are_fine),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
