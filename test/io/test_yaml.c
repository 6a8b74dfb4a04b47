#include "support/test.h"

#include "base/rng.h"
#include "io/file.h"
#include "io/utf8.h"
#include "io/yaml.h"

#include <stdlib.h>

static io_yaml_document *parse(truce_context *context, const char *text) {
    io_yaml_document *document = NULL;
    assert_ok(context, io_yaml_parse(context, text, strlen(text), "recipe.yaml", &document));
    return document;
}

static const char *text_at(const io_yaml *map, const char *key) {
    const io_yaml *value = io_yaml_get(map, key);
    return value ? value->text : NULL;
}

static void every_value_knows_its_line(void **state) {
    truce_context *context = *state;
    io_yaml_document *document = parse(context, "# a recipe\n"
                                                "data: {rows: 10, \"odd key\": 'it''s'}\n"
                                                "\n"
                                                "train:\n"
                                                "  widths: [64, 32]\n"
                                                "  tasks:\n"
                                                "    - left\n"
                                                "    - name: right\n"
                                                "      weight: 2\n"
                                                "text: |\n"
                                                "  two\n"
                                                "  lines\n");
    const io_yaml *root = io_yaml_root(document), *train = io_yaml_get(root, "train");
    const io_yaml *tasks = io_yaml_get(train, "tasks"), *data = io_yaml_get(root, "data");
    assert_int_equal(IO_YAML_MAP, root->kind);
    assert_int_equal(3, root->n_items);
    assert_int_equal(4, root->key_lines[1]);
    assert_string_equal("10", text_at(data, "rows"));
    assert_string_equal("it's", text_at(data, "odd key"));
    assert_false(io_yaml_get(data, "odd key")->plain);
    assert_true(io_yaml_get(data, "rows")->plain);
    assert_int_equal(2, io_yaml_get(train, "widths")->n_items);
    assert_int_equal(5, io_yaml_get(train, "widths")->line);
    assert_string_equal("left", tasks->items[0]->text);
    assert_int_equal(7, tasks->items[0]->line);
    assert_int_equal(9, io_yaml_get(tasks->items[1], "weight")->line);
    assert_string_equal("two\nlines\n", text_at(root, "text"));
    assert_string_equal("recipe.yaml", root->file);
    assert_null(io_yaml_get(root, "absent"));
    assert_null(io_yaml_get(NULL, "x"));
    assert_null(io_yaml_get(tasks, "x"));
    io_yaml_destroy(document);
    io_yaml_destroy(NULL);
}

static void nothing_is_an_empty_map_and_null_is_not_given(void **state) {
    truce_context *context = *state;
    static const char *const empty[] = {"", "\n\n", "# only a remark\n", "---\n...\n", "\xEF\xBB\xBF"};
    for (size_t i = 0; i < BASE_COUNT(empty); i++) {
        io_yaml_document *document = parse(context, empty[i]);
        const io_yaml *root = io_yaml_root(document);
        assert_int_equal(IO_YAML_MAP, root->kind);
        assert_int_equal(0, root->n_items);
        io_yaml_destroy(document);
    }
    io_yaml_document *document = parse(context, "a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: !!str null\n");
    const io_yaml *root = io_yaml_root(document);
    assert_null(io_yaml_get(root, "a"));
    assert_null(io_yaml_get(root, "b"));
    assert_null(io_yaml_get(root, "c"));
    assert_string_equal("", text_at(root, "d"));
    assert_string_equal("null", text_at(root, "e"));
    assert_string_equal("null", text_at(root, "f"));
    io_yaml_destroy(document);
}

static void what_is_wrong_is_said_with_its_line(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"a: 1\nb: 2\n\na: 3\n", "recipe.yaml:4: key 'a' is given twice; the first time on line 1"},
        {"x: {a: 1, 'a': 2}", "recipe.yaml:1: key 'a' is given twice"},
        {"a:\n\tb: 1\n", "recipe.yaml:2: a tab cannot indent; use spaces"},
        {"a: 1\n\tb: 2\n", "recipe.yaml:2: a tab cannot indent; use spaces"},
        {"a: 1\nb: @x\n", "recipe.yaml:2: a text cannot begin with this character; put it in quotes"},
        {"a: b: c\n", "recipe.yaml:1: a ':' where no key can be"},
        {"a: 1\n  b: 2\n", "recipe.yaml:2: a ':' where no key can be"},
        {"a: [1, 2\nb: 3\n",
         "recipe.yaml:2: a ',' or ']' is missing in a list (what is wrong begins on line 1)"},
        {"a: {x: 1\nb: 3]\n", "a ',' or '}' is missing in a map"},
        {"a: 'open\nb: 2\n", "a quote is not closed (what is wrong begins on line 1)"},
        {"a: 1\nb\nc: 2\n", "recipe.yaml:3: a key without ':' behind it"},
        {"a: \"\\q\"\n", "an unknown escape"},
        {"- a\nb: 1\n", "recipe.yaml:2: neither a '-' nor the end of the list"},
        {"a: 1\n---\nb: 2\n", "recipe.yaml:2: a second document begins here"},
        {"a: *b\n", "recipe.yaml:1: no anchor '&b' stands before '*b'"},
        {"a: &a\n  b:\n    c: *a\n", "recipe.yaml:3: '*a' stands inside of what it stands for"},
        {"a: &a [1, *a]\n", "stands inside of what it stands for"},
        {"[a, b]: 1\n", "recipe.yaml:1: a key is missing here"},
        {"a: 1\n? \n: 2\n", "recipe.yaml:2: a key is missing here"},
        {"{a: 1,\n : 2}\n", "recipe.yaml:2: a key or a value is missing here"},
        {"null: 2\n", "a key is missing here, or is null"},
        {"a: !include other.yaml\n", "the tag '!include' means nothing here"},
        {"a: !x!y z\n", "a tag that is not defined"},
        {"b: &b {x: 1}\na:\n  <<: *b\n", "recipe.yaml:3: merge keys (<<) are not read"},
        {"a: \"x\\0y\"\n", "recipe.yaml:1: a text may not contain a NUL character"},
        {"a: 1\nb: \xff\n", "recipe.yaml:2: no text in UTF-8"},
        {"a: 1\nb: \x01\n", "recipe.yaml:2: no text in UTF-8"},
    };
    io_yaml_document *document = NULL;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        const char *text = rows[i].text;
        truce_status status = io_yaml_parse(context, text, strlen(text), "recipe.yaml", &document);
        assert_true(status == TRUCE_ERROR_FORMAT || status == TRUCE_ERROR_UNSUPPORTED);
        assert_fails(context, status, rows[i].message, status);
    }
    assert_null(document);
}

static void files_are_read_and_named(void **state) {
    truce_context *context = *state;
    io_yaml_document *document = NULL;
    test_write_text("bad.yaml", "a: 1\na: 2\n");
    test_write_text("good.yaml", "a: 1\n");
    assert_fails(context, TRUCE_ERROR_IO, "absent.yaml: No such file",
                 io_yaml_read(context, "absent.yaml", &document));
    assert_fails(context, TRUCE_ERROR_FORMAT, "bad.yaml:2: key 'a'",
                 io_yaml_read(context, "bad.yaml", &document));
    assert_ok(context, io_yaml_read(context, "good.yaml", &document));
    assert_string_equal("1", text_at(io_yaml_root(document), "a"));
    io_yaml_destroy(document);
}

static void aliases_are_copies(void **state) {
    truce_context *context = *state;
    io_yaml_document *document = parse(
        context, "base: &base\n  lr: 0.1\n  widths: &w [1, 2]\nmore: *base\nw: *w\nlr: &w 3\nagain: *w\n");
    const io_yaml *root = io_yaml_root(document);
    assert_string_equal("0.1", text_at(io_yaml_get(root, "more"), "lr"));
    assert_int_equal(2, io_yaml_get(io_yaml_get(root, "more"), "lr")->line);
    assert_int_equal(2, io_yaml_get(root, "w")->n_items);
    assert_string_equal("3", text_at(root, "again"));
    assert_ok(context, io_yaml_set(document, "more.lr=7"));
    assert_string_equal("7", text_at(io_yaml_get(root, "more"), "lr"));
    assert_string_equal("0.1", text_at(io_yaml_get(root, "base"), "lr"));
    io_yaml_destroy(document);
}

/* Each line holds the one before it ten times: ten lines would be 10^10 values. */
static void a_billion_laughs_end_early(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    io_yaml_document *document;
    base_text_add(context, &text, "a0: &a0 [x]\n");
    for (int i = 1; i < 12; i++) {
        base_text_add(context, &text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++) base_text_add(context, &text, "%s*a%d", k ? ", " : "", i - 1);
        base_text_add(context, &text, "]\n");
    }
    assert_fails(context, TRUCE_ERROR_FORMAT, "laughs.yaml: more than 1000000 values, aliases counted",
                 io_yaml_parse(context, text.bytes, text.n, "laughs.yaml", &document));
    base_text_free(context, &text);
    base_text_add(context, &text, "a: &a \"%01000000d\"\nb:\n", 0);
    for (int k = 0; k < 100; k++) base_text_add(context, &text, "- *a\n");
    assert_fails(context, TRUCE_ERROR_FORMAT, "long.yaml:69: more than 67108864 bytes of text",
                 io_yaml_parse(context, text.bytes, text.n, "long.yaml", &document));
    base_text_free(context, &text);
}

static char *nested(int depth) {
    static char text[4000];
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    text[2 * depth] = 0;
    return text;
}

static void depth_is_bounded(void **state) {
    truce_context *context = *state;
    io_yaml_document *document = parse(context, nested(64));
    io_yaml_destroy(document);
    static const int depths[] = {65, 500, 1500};
    for (size_t i = 0; i < BASE_COUNT(depths); i++)
        assert_fails(
            context, TRUCE_ERROR_FORMAT, "nested deeper than 64 levels",
            io_yaml_parse(context, nested(depths[i]), 2 * (size_t)depths[i], "deep.yaml", &document));
    char text[300];
    snprintf(text, sizeof text, "a: &a %.80s\n", nested(40));
    strcat(text, "b: [[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]\n");
    assert_fails(context, TRUCE_ERROR_FORMAT, "deep.yaml:2: lists and maps are nested deeper",
                 io_yaml_parse(context, text, strlen(text), "deep.yaml", &document));
}

static void many_keys_and_items_are_fine(void **state) {
    truce_context *context = *state;
    base_text text = {0};
    for (int i = 0; i < 30000; i++) base_text_add(context, &text, "key%d: %d\n", i, i);
    io_yaml_document *document = parse(context, text.bytes);
    const io_yaml *root = io_yaml_root(document);
    assert_int_equal(30000, root->n_items);
    for (int i = 0; i < 30000; i += 777) {
        char expected[16];
        snprintf(expected, sizeof expected, "%d", i);
        assert_string_equal(expected, root->items[i]->text);
        assert_int_equal(i + 1, root->key_lines[i]);
    }
    io_yaml_destroy(document);
    base_text_free(context, &text);
}

static void overrides_change_and_make_values(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *set, *yaml;
    } rows[] = {
        {"a=2", "a: 2\nb:\n  c: 3\n  d: [1, 2]\ne: null\n"},
        {"b.c=x=y", "a: 2\nb:\n  c: x=y\n  d: [1, 2]\ne: null\n"},
        {"b.d.1=7", "a: 2\nb:\n  c: x=y\n  d: [1, 7]\ne: null\n"},
        {"b.new.deep=[1, 2]", "a: 2\nb:\n  c: x=y\n  d: [1, 7]\n  new:\n    deep: [1, 2]\ne: null\n"},
        {"b={x: 1}", "a: 2\nb:\n  x: 1\ne: null\n"},
        {"e.f=\"q\"", "a: 2\nb:\n  x: 1\ne:\n  f: \"q\"\n"},
        {"e.f=", "a: 2\nb:\n  x: 1\ne:\n  f: null\n"},
        {"e.f.g=null", "a: 2\nb:\n  x: 1\ne:\n  f:\n    g: null\n"},
    };
    io_yaml_document *document = parse(context, "a: 1\nb: {c: 3, d: [1, 2]}\ne:\n");
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        base_text text = {0};
        assert_ok(context, io_yaml_set(document, rows[i].set));
        assert_ok(context, io_yaml_write(context, io_yaml_root(document), &text));
        assert_string_equal(rows[i].yaml, base_text_get(&text));
        base_text_free(context, &text);
    }
    const io_yaml *a = io_yaml_get(io_yaml_root(document), "a");
    assert_string_equal("--set", a->file);
    assert_int_equal(0, a->line);
    assert_int_equal(TRUCE_ERROR_RANGE, io_yaml_fail(context, a, TRUCE_ERROR_RANGE, "%d is too much", 2));
    assert_string_equal("--set: 2 is too much", truce_context_message(context));
    io_yaml_destroy(document);
}

static void overrides_that_cannot_be_change_nothing(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *set, *message;
    } rows[] = {
        {"a", "--set 'a': write it as section.key=value"},
        {"=1", "write it as section.key=value"},
        {".a=1", "a name before the '=' is empty"},
        {"b..c=1", "a name before the '=' is empty"},
        {"b.=1", "a name before the '=' is empty"},
        {"a.x=1", "--set 'a.x=1': there is no 'x' in the single value '1'"},
        {"b.l.3=1", "'3' is no place in a list of 2"},
        {"b.l.x=1", "'x' is no place in a list of 2"},
        {"a=[1", "--set 'a=[1': a ',' or ']' is missing"},
        {"a={x: 1, x: 2}", "key 'x' is given twice"},
        {"a=\"x", "a quote is not closed"},
        {"\xff=1", "it is not in UTF-8"},
        {"1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9."
         "0.1.2."
         "3.4.5.6.7.8.9.0.1.2.3.4.5=6",
         "deeper than 64 levels"},
    };
    static const char yaml[] = "a: 1\nb:\n  l: [1, 2]\n";
    io_yaml_document *document = parse(context, yaml);
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        truce_status status = io_yaml_set(document, rows[i].set);
        assert_true(status != TRUCE_OK);
        assert_fails(context, status, rows[i].message, status);
    }
    base_text text = {0};
    assert_ok(context, io_yaml_write(context, io_yaml_root(document), &text));
    assert_string_equal(yaml, base_text_get(&text));
    base_text_free(context, &text);
    io_yaml_destroy(document);
}

typedef struct settings {
    double rate;
    int64_t epochs;
    const char *name;
    truce_integers widths;
    truce_reals weights;
} settings;

static const truce_option rows_of_train[] = {
    {"rate", TRUCE_OPTION_REAL, "0.1", NULL, 0, 10, "step size", offsetof(settings, rate)},
    {"epochs", TRUCE_OPTION_INTEGER, "20", NULL, 1, 1000, "passes", offsetof(settings, epochs)},
    {"name", TRUCE_OPTION_TEXT, NULL, NULL, 0, 0, "name", offsetof(settings, name)},
    {"widths", TRUCE_OPTION_INTEGERS, "64, 32", NULL, 1, 4096, "widths", offsetof(settings, widths)},
    {"weights", TRUCE_OPTION_REALS, NULL, NULL, 0, 0, "weights", offsetof(settings, weights)},
};
static const base_options train_options = {"section 'train'", rows_of_train, BASE_COUNT(rows_of_train)};
static const char *const others[] = {"optimiser", "balance", NULL};

static void options_are_filled_from_a_map(void **state) {
    truce_context *context = *state;
    settings s = {0};
    io_yaml_document *document =
        parse(context, "rate: 1e-2\nepochs:\nname: 'two words'\nwidths: [8, 16, 24]\n"
                       "weights: 1, 0.5\noptimiser: {name: adam}\n");
    assert_ok(context, io_yaml_options(context, io_yaml_root(document), &train_options, others, &s));
    assert_true(s.rate == 0.01 && s.epochs == 20);
    assert_string_equal("two words", s.name);
    assert_true(s.widths.n == 3 && s.widths.values[2] == 24);
    assert_true(s.weights.n == 2 && s.weights.values[1] == 0.5);
    assert_ok(context, io_yaml_set(document, "widths=[]"));
    assert_ok(context, io_yaml_options(context, io_yaml_root(document), &train_options, others, &s));
    assert_int_equal(0, s.widths.n);
    s = (settings){0};
    assert_ok(context, io_yaml_options(context, NULL, &train_options, others, &s));
    assert_true(s.rate == 0.1 && !s.name && s.widths.n == 2);
    io_yaml_destroy(document);
}

static void wrong_options_are_pointed_at(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *text;
        truce_status status;
        const char *message;
    } rows[] = {
        {"rate: 1\nepoch: 3\n", TRUCE_ERROR_NAME,
         "recipe.yaml:2: section 'train': option 'epoch' is not known; did you mean 'epochs'?"},
        {"optimizer:\n", TRUCE_ERROR_NAME,
         "recipe.yaml:1: section 'train': option 'optimizer' is not known; did you mean 'optimiser'?"},
        {"zzzzzz: 1\n", TRUCE_ERROR_NAME,
         "there are: rate, epochs, name, widths, weights, optimiser, balance"},
        {"rate:\n  20\n", TRUCE_ERROR_RANGE,
         "recipe.yaml:2: section 'train': 'rate' must lie between 0 and 10"},
        {"epochs: many\n", TRUCE_ERROR_TYPE, "recipe.yaml:1: section 'train': 'epochs' takes a whole number"},
        {"epochs: {a: 1}\n", TRUCE_ERROR_TYPE, "'epochs' takes a single value, not a map"},
        {"name: [a, b]\n", TRUCE_ERROR_TYPE, "'name' takes a single value, not a list"},
        {"widths: {a: 1}\n", TRUCE_ERROR_TYPE, "'widths' takes a list, not a map"},
        {"widths: [1, [2]]\n", TRUCE_ERROR_TYPE, "'widths' takes numbers in its list, not a list"},
        {"widths:\n- 1\n- ~\n", TRUCE_ERROR_TYPE, "recipe.yaml:3: section 'train': 'widths' takes numbers"},
        {"widths: [\"1,2\"]\n", TRUCE_ERROR_TYPE, "takes numbers in its list, not '1,2'"},
        {"widths: [1.5]\n", TRUCE_ERROR_TYPE,
         "recipe.yaml:1: section 'train': 'widths' takes a list of whole"},
        {"- a\n", TRUCE_ERROR_TYPE, "recipe.yaml:1: section 'train' must be a map (key: value), not a list"},
        {"text\n", TRUCE_ERROR_TYPE, "section 'train' must be a map (key: value), not a single value"},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        settings s = {0};
        io_yaml_document *document = parse(context, rows[i].text);
        assert_fails(context, rows[i].status, rows[i].message,
                     io_yaml_options(context, io_yaml_root(document), &train_options, others, &s));
        io_yaml_destroy(document);
    }
    static const base_options none = {"method 'sum'", NULL, 0};
    io_yaml_document *document = parse(context, "c: 1\n");
    assert_fails(context, TRUCE_ERROR_NAME, "recipe.yaml:1: method 'sum' takes no options, but 'c' is given",
                 io_yaml_options(context, io_yaml_root(document), &none, NULL, NULL));
    io_yaml_destroy(document);
}

static void assert_same_tree(const io_yaml *a, const io_yaml *b) {
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->n_items, b->n_items);
    assert_string_equal(a->text, b->text);
    if (a->kind == IO_YAML_SCALAR && !a->text[0]) assert_int_equal(a->plain, b->plain);
    for (int i = 0; i < a->n_items; i++) {
        if (a->kind == IO_YAML_MAP) assert_string_equal(a->keys[i], b->keys[i]);
        assert_same_tree(a->items[i], b->items[i]);
    }
}

static void assert_round_trip(truce_context *context, const io_yaml *root) {
    base_text text = {0};
    assert_ok(context, io_yaml_write(context, root, &text));
    io_yaml_document *document = parse(context, base_text_get(&text));
    assert_same_tree(root, io_yaml_root(document));
    io_yaml_destroy(document);
    base_text_free(context, &text);
}

static void what_is_written_reads_back(void **state) {
    truce_context *context = *state;
    static const char *const texts[] = {
        "{}",
        "[]",
        "x",
        "a: []\nb: {}\n",
        "- - - 1\n    - 2\n  - a: 1\n    b: {c: [1, {d: 2}]}\n- x\n",
        "a: \"tab\\tline\\nquote\\\" \\\\ \\x07 \\u0085 \\u2028 \\uFEFF \\U0001F600 \xC3\xA4\"\n",
        "'null': '~'\n'': ''\n'a: b': ': '\n'- ': '# x'\n'<<': '...'\n",
        "a: ' blank '\nb: 'x '\nc: '-'\nd: '---'\ne: '[1'\nf: 'a # b'\ng: 1e-5\nh: -.inf\ni: a b\n",
        "k: >\n  folded\n  text\n\n  more\nl: |+\n  kept\n\n",
    };
    for (size_t i = 0; i < BASE_COUNT(texts); i++) {
        io_yaml_document *document = parse(context, texts[i]);
        assert_round_trip(context, io_yaml_root(document));
        io_yaml_destroy(document);
    }
}

/* Characters that YAML could take for something else, drawn more often than others. */
static void random_text(base_rng *rng, char *out, size_t most) {
    static const char *const pieces[] = {
        "a", "Z",    "0", "-",    ":",  " ",    "#",        "'", "\"",  "\\",  "\n",       "\t",          "[",
        "]", "{",    "}", ",",    "&",  "*",    "!",        "|", ">",   "%",   "@",        "`",           "?",
        "~", "null", ".", "\x01", "\r", "\x7f", "\xC3\xA9", "=", "...", "---", "\xC2\x85", "\xE2\x80\xA8"};
    size_t n = base_rng_below(rng, most);
    out[0] = 0;
    for (size_t i = 0; i < n; i++) strcat(out, pieces[base_rng_below(rng, BASE_COUNT(pieces))]);
}

static void any_text_reads_back(void **state) {
    truce_context *context = *state;
    base_rng rng = base_rng_make(3, "yaml texts", 0, 0);
    for (int round = 0; round < 3000; round++) {
        char key[64], value[64];
        random_text(&rng, key, 8);
        random_text(&rng, value, 8);
        io_yaml scalar = {.text = value, .plain = value[0] && base_rng_below(&rng, 2)};
        io_yaml *item = &scalar;
        io_yaml list = {.kind = IO_YAML_LIST, .text = "", .n_items = 1, .items = &item}, *list_item = &list;
        const char *keys = key;
        io_yaml map = {.kind = IO_YAML_MAP, .text = "", .n_items = 1, .items = &list_item, .keys = &keys};
        assert_round_trip(context, &map);
        map.items = &item;
        assert_round_trip(context, &map);
        assert_round_trip(context, &scalar);
    }
    char longest[256], longer[258];
    memset(longest, 1, 255);
    longest[255] = 0;
    io_yaml scalar = {.text = "x"}, *item = &scalar;
    const char *key = longest;
    io_yaml map = {.kind = IO_YAML_MAP, .text = "", .n_items = 1, .items = &item, .keys = &key};
    assert_round_trip(context, &map);
    memset(longer, 'k', 257);
    longer[256] = ':';
    longer[257] = 0;
    io_yaml_document *document;
    assert_fails(context, TRUCE_ERROR_FORMAT, "a key is longer than 255 bytes",
                 io_yaml_parse(context, longer, 257, "long.yaml", &document));
    io_yaml broken = {.text = "caf\xe9"};
    base_text text = {0};
    assert_fails(context, TRUCE_ERROR_FORMAT, "not in UTF-8", io_yaml_write(context, &broken, &text));
    base_text_free(context, &text);
}

static void utf8_is_decoded_strictly(void **state) {
    static const char *const bad[] = {"\x80",
                                      "\xc1\x81",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xc3",
                                      "\xe2\x82",
                                      "\xe2(\xa1"};
    static const struct {
        const char *bytes;
        uint32_t code;
    } good[] = {{"a", 'a'},
                {"\x7f", 0x7f},
                {"\xc2\x80", 0x80},
                {"\xdf\xbf", 0x7ff},
                {"\xe0\xa0\x80", 0x800},
                {"\xed\x9f\xbf", 0xd7ff},
                {"\xef\xbf\xbf", 0xffff},
                {"\xf0\x90\x80\x80", 0x10000},
                {"\xf4\x8f\xbf\xbf", 0x10ffff}};
    uint32_t code;
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(bad); i++) assert_false(io_utf8_is_valid(bad[i], strlen(bad[i])));
    for (size_t i = 0; i < BASE_COUNT(good); i++) {
        assert_int_equal(strlen(good[i].bytes), io_utf8_decode(good[i].bytes, strlen(good[i].bytes), &code));
        assert_int_equal(good[i].code, code);
    }
    assert_true(io_utf8_is_valid("", 0));
    assert_int_equal(0, io_utf8_decode("", 0, &code));
}

static truce_status use_everything(truce_context *context) {
    static const char yaml[] = "a: &a {x: 1, y: [1, 2, 3, 4, 5]}\nb: *a\nrate: 3\nwidths: [1, 2]\nname: t\n";
    static const char *const more[] = {"a", "b", "c", NULL};
    io_yaml_document *document = NULL;
    base_text text = {0};
    settings s = {0};
    test_write_text("memory.yaml", yaml);
    BASE_TRY(io_yaml_read(context, "memory.yaml", &document));
    truce_status status = io_yaml_set(document, "c.d.e={f: [1, g]}");
    if (!status) status = io_yaml_options(context, io_yaml_root(document), &train_options, more, &s);
    if (!status) status = io_yaml_write(context, io_yaml_root(document), &text);
    base_text_free(context, &text);
    io_yaml_destroy(document);
    return status;
}

static void every_failing_allocation_is_survived(void **state) {
    truce_context *context = *state;
    for (long k = 1, failed = 1; failed; k++) {
        test_fail_allocation(k);
        truce_status status = use_everything(context);
        failed = test_allocation_failed();
        assert_int_equal(failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_value_knows_its_line),
        TEST(nothing_is_an_empty_map_and_null_is_not_given),
        TEST(what_is_wrong_is_said_with_its_line),
        TEST(files_are_read_and_named),
        TEST(aliases_are_copies),
        TEST(a_billion_laughs_end_early),
        TEST(depth_is_bounded),
        TEST(many_keys_and_items_are_fine),
        TEST(overrides_change_and_make_values),
        TEST(overrides_that_cannot_be_change_nothing),
        TEST(options_are_filled_from_a_map),
        TEST(wrong_options_are_pointed_at),
        TEST(what_is_written_reads_back),
        TEST(any_text_reads_back),
        TEST(utf8_is_decoded_strictly),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
