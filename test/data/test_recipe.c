#include "data/make.h"

#include "base/names.h"
#include "data/recipe.h"

static void stars_stand_for_any_characters(void **state) {
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {"tau*", "tau1", true},
        {"tau*", "tau", true},
        {"tau*", "xtau1", false},
        {"*", "", true},
        {"*", "any", true},
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"*PerPop", "PerPop", true},
        {"*PerPop", "murdPerPop", true},
        {"*PerPop", "PerPops", false},
        {"a*b*c", "axxbyyc", true},
        {"a*b*c", "axxbyycd", false},
        {"a*b*c", "abcbc", true},
        {"**a**", "bab", true},
        {"a?", "ab", false},
        {"a?", "a?", true},
        {"*ab", "aab", true},
        {"x.y", "xzy", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (data_matches(rows[i].pattern, rows[i].name) != rows[i].matches)
            fail_msg("'%s' and '%s'", rows[i].pattern, rows[i].name);
    assert_true(data_is_pattern("a*") && !data_is_pattern("a?"));
}

typedef struct parsed {
    io_yaml_document *document;
    data_recipe recipe;
} parsed;

static truce_status parse(truce_context *context, const char *text, parsed *out) {
    static const char *const others[] = {"loss", NULL};
    assert_ok(context, io_yaml_parse(context, text, strlen(text), "r.yaml", &out->document));
    const data_request request = {io_yaml_root(out->document), NULL, others};
    return data_recipe_read(context, &request, &out->recipe);
}

static void drop(parsed *p) {
    data_recipe_free(&p->recipe);
    io_yaml_destroy(p->document);
}

static void tasks_are_read_with_their_defaults(void **state) {
    truce_context *context = *state;
    parsed p;
    assert_ok(context, parse(context,
                             "name: adult\n"
                             "data: {train: a.csv}\n"
                             "tasks:\n"
                             "  income: {target: wage, positive: ['>50K', 1], loss: focal}\n"
                             "  age:\n"
                             "  kind: {type: classes, standardise: false}\n",
                             &p));
    const data_task *tasks = p.recipe.tasks;
    assert_int_equal(3, p.recipe.n_tasks);
    assert_string_equal("adult", p.recipe.places.folder);
    assert_string_equal("wage", tasks[0].target);
    assert_int_equal(DATA_TASK_BINARY, tasks[0].type);
    assert_true(tasks[0].positive.n == 2 && data_texts_hold(&tasks[0].positive, "1"));
    assert_string_equal("age", tasks[1].target);
    assert_true(tasks[1].type == DATA_TASK_AUTO && tasks[1].standardise && tasks[1].at.line == 5);
    assert_true(tasks[2].type == DATA_TASK_CLASSES && !tasks[2].standardise);
    drop(&p);
    assert_ok(context, parse(context, "data: {folder: f}\ntasks: [a, b]\n", &p));
    assert_true(p.recipe.n_tasks == 2 && strcmp(p.recipe.tasks[1].name, "b") == 0);
    assert_string_equal("f", p.recipe.places.folder);
    drop(&p);
    assert_ok(context, parse(context, "data: {}\n", &p));
    assert_true(p.recipe.n_tasks == 0 && !p.recipe.places.folder);
    drop(&p);
}

static void recipes_that_make_no_sense_are_refused_at_their_line(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *text;
        truce_status status;
        const char *message;
    } rows[] = {
        {"name: x\n", TRUCE_ERROR_FORMAT, "r.yaml:1: the recipe has no section 'data'"},
        {"data: 5\n", TRUCE_ERROR_TYPE, "r.yaml:1: section 'data' takes a map"},
        {"data: {}\ntasks: income\n", TRUCE_ERROR_TYPE, "r.yaml:2: 'tasks' takes a map"},
        {"data: {}\ntasks: [[a]]\n", TRUCE_ERROR_TYPE, "r.yaml:2: 'tasks' takes a map"},
        {"data: {}\ntasks: [a, a]\n", TRUCE_ERROR_NAME, "task 'a' is listed twice"},
        {"data: {}\ntasks:\n  a: {tpye: binary}\n", TRUCE_ERROR_NAME,
         "r.yaml:3: task 'a': option 'tpye' is not known; did you mean 'type'?"},
        {"data: {}\ntasks:\n  a: {type: binry}\n", TRUCE_ERROR_NAME, "did you mean 'binary'?"},
        {"data: {}\ntasks:\n  a*: {target: b}\n", TRUCE_ERROR_ARGUMENT,
         "r.yaml:3: task 'a*' stands for every column"},
        {"data: {}\ntasks:\n  a: {type: classes, positive: b}\n", TRUCE_ERROR_ARGUMENT,
         "'positive' belongs to tasks of type binary"},
        {"data: {}\ntasks:\n  a: {positive: {b: c}}\n", TRUCE_ERROR_TYPE,
         "'positive' takes a text or a list of texts"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        parsed p = {0};
        assert_fails(context, rows[i].status, rows[i].message, parse(context, rows[i].text, &p));
        drop(&p);
    }
}

static void patterns_become_tasks_in_the_order_of_what_they_match(void **state) {
    truce_context *context = *state;
    static const char *const columns[] = {"x", "tau2", "tau1", "tau3", "other"};
    base_names names = {0};
    int64_t index;
    parsed p;
    for (int i = 0; i < 5; i++) assert_ok(context, base_names_add(context, &names, columns[i], &index));
    assert_ok(
        context,
        parse(context, "data: {}\ntasks: {tau1: {type: classes}, 'tau*': {type: regression}, 'o*': }\n", &p));
    assert_ok(context, data_recipe_expand(&p.recipe, &names));
    static const char *const wanted[] = {"tau1", "tau2", "tau3", "other"};
    assert_int_equal(4, p.recipe.n_tasks);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(wanted[i], p.recipe.tasks[i].name);
        assert_string_equal(wanted[i], p.recipe.tasks[i].target);
    }
    assert_true(p.recipe.tasks[0].type == DATA_TASK_CLASSES &&
                p.recipe.tasks[2].type == DATA_TASK_REGRESSION);
    drop(&p);
    assert_ok(context, parse(context, "data: {}\ntasks:\n  z*:\n", &p));
    assert_fails(context, TRUCE_ERROR_NAME, "r.yaml:3: task 'z*' matches nothing that is there",
                 data_recipe_expand(&p.recipe, &names));
    drop(&p);
    base_names_free(context, &names);
}

static void the_format_is_said_or_seen_from_the_names(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *text;
        data_format format;
    } rows[] = {
        {"data: {train: a.csv}", DATA_FORMAT_CSV},
        {"data: {train: [a.data, b.data]}", DATA_FORMAT_CSV},
        {"data: {inputs: x.npy}", DATA_FORMAT_NPY},
        {"data: {inputs: {a: x.npy.gz}}", DATA_FORMAT_NPY},
        {"data: {images: t10k-images-idx3-ubyte.gz}", DATA_FORMAT_IDX},
        {"data: {format: glyphs}", DATA_FORMAT_GLYPHS},
        {"data: {format: csv, train: x.npy}", DATA_FORMAT_CSV},
        {"data: {format: digit_pairs, images: x-ubyte}", DATA_FORMAT_DIGIT_PAIRS},
    };
    parsed p;
    data_format format;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_ok(context, parse(context, rows[i].text, &p));
        assert_ok(context, data_recipe_format(&p.recipe, &format));
        assert_int_equal(rows[i].format, format);
        drop(&p);
    }
    assert_ok(context, parse(context, "data: {noise: 1}", &p));
    assert_fails(context, TRUCE_ERROR_FORMAT, "names no files", data_recipe_format(&p.recipe, &format));
    drop(&p);
    assert_ok(context, parse(context, "data: {format: gliphs}", &p));
    assert_fails(context, TRUCE_ERROR_NAME, "did you mean 'glyphs'?", data_recipe_format(&p.recipe, &format));
    drop(&p);
}

static void portions_are_shares_or_files(void **state) {
    truce_context *context = *state;
    parsed p;
    data_portion portion;
    double share;
    assert_ok(context, parse(context, "data: {a: 0.25, b: f.csv, c: [f.csv, g.csv], d: 1.5, e: }", &p));
    assert_ok(context, data_recipe_portion(&p.recipe, "a", &portion));
    assert_true(portion.share == 0.25 && portion.files.n == 0);
    assert_ok(context, data_recipe_portion(&p.recipe, "b", &portion));
    assert_true(portion.share == 0 && portion.files.n == 1);
    assert_ok(context, data_recipe_portion(&p.recipe, "c", &portion));
    assert_true(portion.files.n == 2);
    assert_ok(context, data_recipe_portion(&p.recipe, "e", &portion));
    assert_true(portion.share == 0 && portion.files.n == 0);
    assert_fails(context, TRUCE_ERROR_RANGE,
                 "r.yaml:1: 'd' as a share of the rows must be at least 0 and below 1",
                 data_recipe_portion(&p.recipe, "d", &portion));
    assert_fails(context, TRUCE_ERROR_TYPE, "'b' takes a share of the rows here",
                 data_recipe_share(&p.recipe, "b", &share));
    drop(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(stars_stand_for_any_characters),
        TEST(tasks_are_read_with_their_defaults),
        TEST(recipes_that_make_no_sense_are_refused_at_their_line),
        TEST(patterns_become_tasks_in_the_order_of_what_they_match),
        TEST(the_format_is_said_or_seen_from_the_names),
        TEST(portions_are_shares_or_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
