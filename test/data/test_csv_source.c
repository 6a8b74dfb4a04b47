#include "data/open.h"

#include "base/rng.h"

#define SMALL                                                                                                \
    "data: {train: small.csv}\n"                                                                             \
    "tasks: {y: {type: regression}}\n"

static void write_small(void) {
    test_write_text("small.csv", "a,colour,y\n"
                                 "1,red,10\n"
                                 "2,blue,20\n"
                                 "3,red,60\n");
}

static void numbers_are_standardised_and_categories_spread_out(void **state) {
    truce_context *context = *state;
    write_small();
    data_source *source = open_recipe(context, SMALL);
    assert_int_equal(3, truce_dataset_rows(source->dataset));
    assert_int_equal(3, truce_dataset_input(source->dataset, 0)->row_shape.dims[0]);
    double deviation = sqrt(2.0 / 3);
    for (int row = 0; row < 3; row++) {
        assert_near(number_at(source, row, 0), (row - 1) / deviation, 1e-7);
        assert_true(number_at(source, row, 1) == (float)(row == 1)); /* blue before red */
        assert_true(number_at(source, row, 2) == (float)(row != 1));
    }
    const truce_target *y = truce_dataset_target(source->dataset, 0);
    assert_near(y->mean + y->scale * (double)target_at(source, 0, 2), 60, 1e-6);
    assert_near(y->mean, 30, 1e-15);
    base_text name = {0};
    for (int c = 0; c < 3; c++) {
        data_encoding_column_name(source->encoding, c, &name);
        base_text_add(context, &name, ";");
    }
    assert_string_equal("a;colour=blue;colour=red;", base_text_get(&name));
    base_text_free(context, &name);
    data_source_destroy(source);
}

static void nothing_is_scaled_that_should_not_be(void **state) {
    truce_context *context = *state;
    write_small();
    data_source *source = open_recipe(context, "data: {train: small.csv, standardise: false, exclude: col*}\n"
                                               "tasks: {y: {type: regression, standardise: false}}\n");
    assert_int_equal(1, truce_dataset_input(source->dataset, 0)->row_shape.dims[0]);
    assert_true(number_at(source, 2, 0) == 3 && target_at(source, 0, 2) == 60);
    data_source_destroy(source);
}

static void files_without_header_take_names_from_the_recipe(void **state) {
    truce_context *context = *state;
    static const char *const contents[] = {"1;x\n2;y\n3;x\n", "v;t\n1;x\n2;y\n3;x\n"};
    for (int i = 0; i < 2; i++) { /* a header that repeats the names does no harm */
        test_write_text("bare.txt", contents[i]);
        data_source *source =
            open_recipe(context, "data: {train: bare.txt, columns: [v, t], delimiter: semicolon}\n"
                                 "tasks: {t: }\n");
        assert_int_equal(3, truce_dataset_rows(source->dataset));
        assert_int_equal(TRUCE_TARGET_BINARY, truce_dataset_target(source->dataset, 0)->kind);
        data_source_destroy(source);
    }
}

static void missing_numbers_get_the_training_mean_and_a_flag(void **state) {
    truce_context *context = *state;
    test_write_text("a.csv", "a,b,t\n1,5,0\n?,6,1\n3,7,0\n");
    test_write_text("b.csv", "a,b,t\n,NA,1\n");
    data_source *source =
        open_recipe(context, "data: {train: a.csv, test: b.csv, standardise: false}\ntasks: {t: }\n");
    static const float wanted[4][3] = {{1, 0, 5}, {2, 1, 6}, {3, 0, 7}, {2, 1, 6}};
    assert_int_equal(3, truce_dataset_input(source->dataset, 0)->row_shape.dims[0]); /* no flag for b */
    for (int row = 0; row < 4; row++)
        for (int c = 0; c < 3; c++) assert_true(number_at(source, row, c) == wanted[row][c]);
    base_text name = {0};
    data_encoding_column_name(source->encoding, 1, &name);
    assert_string_equal("a missing", base_text_get(&name));
    base_text_free(context, &name);
    data_source_destroy(source);
    assert_recipe_fails(context, TRUCE_ERROR_DATA, "a.csv:3: column 'a' holds no value",
                        "data: {train: a.csv, impute: refuse}\ntasks: {t: }\n");
}

static void texts_for_no_value_can_be_chosen(void **state) {
    truce_context *context = *state;
    test_write_text("a.csv", "a,c,t\n1,?,0\n-,x,1\n3,?,\n4,x,-\n");
    data_source *source = open_recipe(context, "data: {train: a.csv, missing: '-', standardise: false}\n"
                                               "tasks: {t: {type: binary}}\n");
    assert_int_equal(4,
                     truce_dataset_input(source->dataset, 0)->row_shape.dims[0]); /* a, its flag, c=?, c=x */
    assert_true(number_at(source, 1, 1) == 1 && number_at(source, 0, 2) == 1);
    assert_true(isnan(target_at(source, 0, 2)) && isnan(target_at(source, 0, 3)));
    data_source_destroy(source);
}

static void categories_that_training_rows_lack_are_unknown(void **state) {
    truce_context *context = *state;
    test_write_text("a.csv", "c,d,t\nx,p,0\ny,,1\n");
    test_write_text("b.csv", "c,d,t\nz,p,0\n,q,1\ny,p,1\n");
    data_source *source = open_recipe(context, "data: {train: a.csv, test: b.csv}\ntasks: {t: }\n");
    static const float wanted[5][3] = {{1, 0, 1}, {0, 1, 0}, {0, 0, 1}, {0, 0, 0}, {0, 1, 1}};
    for (int row = 0; row < 5; row++)
        for (int c = 0; c < 3; c++) assert_true(number_at(source, row, c) == wanted[row][c]);
    data_source_destroy(source);
    source = open_recipe(
        context, "data: {train: a.csv, test: b.csv, categorical: {encoding: embedding}}\ntasks: {t: }\n");
    const truce_input *input = truce_dataset_input(source->dataset, 0);
    assert_int_equal(TRUCE_INPUT_CATEGORIES, input->kind);
    assert_true(input->row_shape.dims[0] == 2 && input->cardinality[0] == 3 && input->cardinality[1] == 2);
    static const int32_t codes[5][2] = {{1, 1}, {2, 0}, {0, 1}, {0, 0}, {2, 1}};
    for (int64_t row = 0; row < 5; row++) {
        int32_t got[2];
        assert_ok(context, truce_dataset_read_input(source->dataset, 0, &row, 1, got));
        assert_memory_equal(codes[row], got, sizeof got);
    }
    data_source_destroy(source);
}

static void columns_of_numbers_can_be_categories(void **state) {
    truce_context *context = *state;
    test_write_text("a.csv", "zip,n,t\n10,1,0\n9,2,1\n10.0,3,1\n");
    data_source *source =
        open_recipe(context, "data: {train: a.csv, categorical: {columns: zip, encoding: embedding}}\n"
                             "tasks: {t: }\n");
    assert_int_equal(2, truce_dataset_inputs(source->dataset));
    assert_string_equal("x", truce_dataset_input(source->dataset, 0)->name);
    assert_int_equal(3, truce_dataset_input(source->dataset, 1)->cardinality[0]);
    static const int32_t codes[3] = {2, 1, 2}; /* 9 before 10; 10.0 is 10 */
    for (int64_t row = 0; row < 3; row++) {
        int32_t got;
        assert_ok(context, truce_dataset_read_input(source->dataset, 1, &row, 1, &got));
        assert_int_equal(codes[row], got);
    }
    data_source_destroy(source);
}

static void tasks_get_the_kind_that_their_column_suggests(void **state) {
    truce_context *context = *state;
    char text[4000] = "x,flag,yes,few,grade,real,many\n";
    for (int i = 0; i < 60; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d,%d,%s,%d,%c,%g,%d\n", i, i % 2,
                 i % 3 ? "yes" : "no", i % 5, 'a' + i % 7, i / 7.0, 1000 + i);
    test_write_text("kinds.csv", text);
    data_source *source = open_recipe(context, "data: {train: kinds.csv, inputs: x}\n"
                                               "tasks: [flag, 'yes', few, grade, real, many]\n");
    static const struct {
        truce_target_kind kind;
        int n_classes;
    } wanted[] = {{TRUCE_TARGET_BINARY, 2},  {TRUCE_TARGET_BINARY, 2},     {TRUCE_TARGET_CLASSES, 5},
                  {TRUCE_TARGET_CLASSES, 7}, {TRUCE_TARGET_REGRESSION, 0}, {TRUCE_TARGET_REGRESSION, 0}};
    for (int i = 0; i < 6; i++) {
        const truce_target *target = truce_dataset_target(source->dataset, i);
        assert_int_equal(wanted[i].kind, target->kind);
        assert_int_equal(wanted[i].n_classes, target->n_classes);
    }
    assert_string_equal("yes", truce_dataset_target(source->dataset, 1)->class_names[1]);
    assert_true(target_at(source, 1, 0) == 0 && target_at(source, 1, 1) == 1);
    assert_int_equal(4, class_at(source, 2, 9));
    data_source_destroy(source);
}

static void positive_values_make_any_column_binary(void **state) {
    truce_context *context = *state;
    test_write_text("a.csv", "x,m\n1,single\n2,married\n3,divorced\n4,\n");
    test_write_text("b.csv", "x,m\n1,widowed\n2,married.\n");
    data_source *source = open_recipe(context, "data: {train: a.csv, test: b.csv}\n"
                                               "tasks: {wed: {target: m, positive: [married, married.]}}\n");
    static const float wanted[] = {0, 1, 0, NAN, 0, 1};
    for (int row = 0; row < 6; row++) {
        float got = target_at(source, 0, row);
        assert_true(got == wanted[row] || (isnan(got) && isnan(wanted[row])));
    }
    assert_string_equal("married", truce_dataset_target(source->dataset, 0)->class_names[1]);
    assert_string_equal("other", truce_dataset_target(source->dataset, 0)->class_names[0]);
    data_source_destroy(source);
    assert_recipe_fails(
        context, TRUCE_ERROR_DATA,
        "recipe.yaml:2: task 'wed': column 'm' holds none of the values in 'positive' ('Married', ...); it "
        "holds 'single', 'married', 'divorced'",
        "data: {train: a.csv}\ntasks: {wed: {target: m, positive: Married}}\n");
    assert_recipe_fails(
        context, TRUCE_ERROR_DATA,
        "task 'm' is binary, but column 'm' holds 3 different values in training rows ('divorced', "
        "'married', 'single'); 'positive' says which",
        "data: {train: a.csv}\ntasks: {m: {type: binary}}\n");
}

static void numbers_written_in_two_ways_are_one_class(void **state) {
    truce_context *context = *state;
    test_write_text("a.csv", "x,t\n1,0\n2,1\n3,2\n4,10\n");
    test_write_text("b.csv", "x,t\n1,1.0\n2,1e1\n");
    data_source *source =
        open_recipe(context, "data: {train: a.csv, test: b.csv}\ntasks: {t: {type: classes}}\n");
    assert_int_equal(1, class_at(source, 0, 4));
    assert_int_equal(3, class_at(source, 0, 5)); /* sorted as numbers */
    data_source_destroy(source);
}

static void classes_that_training_rows_lack_are_an_error_or_missing(void **state) {
    truce_context *context = *state;
    test_write_text("a.csv", "x,t\n1,p\n2,q\n3,r\n");
    test_write_text("b.csv", "x,t\n1,p\n\n2,s\n");
    assert_recipe_fails(
        context, TRUCE_ERROR_DATA,
        "b.csv:4: column 't' holds 's', a class of task 'kind' that no training row holds; 'unseen: missing'",
        "data: {train: a.csv, test: b.csv}\ntasks: {kind: {target: t}}\n");
    data_source *source =
        open_recipe(context, "data: {train: a.csv, validation: b.csv, unseen: missing}\ntasks: {t: }\n");
    assert_int_equal(-1, class_at(source, 0, 4));
    assert_int_equal(2, count_split(source->dataset, TRUCE_VALIDATION));
    data_source_destroy(source);
}

static void what_is_fitted_comes_from_training_rows(void **state) {
    truce_context *context = *state;
    char text[20000] = "x,c,t\n";
    for (int i = 0; i < 300; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d,c%d,%d\n", i, i / 10, i % 2);
    test_write_text("a.csv", text);
    data_source *source =
        open_recipe(context, "data: {train: a.csv, test: 0.9, split_seed: 3}\ntasks: {t: }\n");
    int64_t n;
    const int64_t *rows = truce_dataset_split_rows(source->dataset, TRUCE_TRAIN, &n);
    double sum = 0;
    bool seen[30] = {false};
    int n_seen = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)rows[i];
        n_seen += !seen[rows[i] / 10];
        seen[rows[i] / 10] = true;
    }
    assert_int_equal(30, n);
    assert_true(n_seen < 30);
    assert_near(source->encoding->features[0].mean, sum / 30, 1e-14);
    assert_int_equal(n_seen, source->encoding->features[1].categories.n);
    assert_int_equal(n_seen + 1, truce_dataset_input(source->dataset, 0)->row_shape.dims[0]);
    data_source_destroy(source);
}

static void rows_are_divided_by_classes_columns_or_groups(void **state) {
    truce_context *context = *state;
    char text[20000] = "subject,x,t,y\n";
    for (int i = 0; i < 400; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "s%d,%d,%c,%g\n", i / 10, i * 7 % 31,
                 i % 4 ? 'a' : 'b', i / 3.0);
    test_write_text("a.csv", text);
    data_source *source =
        open_recipe(context, "data: {train: a.csv, validation: 0.25, test: 0.25, split: stratified}\n"
                             "tasks: {y: , t: }\n");
    int64_t n;
    const int64_t *rows = truce_dataset_split_rows(source->dataset, TRUCE_TEST, &n);
    int n_b = 0;
    for (int64_t i = 0; i < n; i++) n_b += target_at(source, 1, rows[i]) == 1;
    assert_true(n == 100 && n_b == 25);
    data_source_destroy(source);
    source = open_recipe(
        context, "data: {train: a.csv, test: 0.2, split: grouped, split_by: subject}\ntasks: {t: }\n");
    assert_int_equal(
        2, truce_dataset_input(source->dataset, 0)->row_shape.dims[0]); /* x and y, not the subject */
    rows = truce_dataset_split_rows(source->dataset, TRUCE_TEST, &n);
    assert_int_equal(80, n);
    for (int64_t i = 0; i < n; i++) assert_int_equal(rows[i] / 10, rows[i - i % 10] / 10);
    data_source_destroy(source);
    source = open_recipe(
        context, "data: {train: a.csv, test: 0.2, split: stratified, split_by: subject, exclude: subject}\n"
                 "tasks: {t: }\n");
    rows = truce_dataset_split_rows(source->dataset, TRUCE_TEST, &n);
    for (int64_t i = 0; i < 80; i++) assert_int_equal(i / 2, rows[i] / 10); /* two of each subject */
    data_source_destroy(source);
}

static void patterns_of_inputs_leave_targets_alone(void **state) {
    truce_context *context = *state;
    test_write_text("a.csv", "x1,x2,xt,z\n1,2,0,4\n3,5,1,6\n");
    data_source *source = open_recipe(context, "data: {train: a.csv, inputs: 'x*'}\ntasks: {xt: }\n");
    assert_int_equal(2, truce_dataset_input(source->dataset, 0)->row_shape.dims[0]);
    data_source_destroy(source);
}

static void several_files_are_one(void **state) {
    truce_context *context = *state;
    test_write_text("a.csv", "x,t\n1,0\n2,1\n");
    test_write_text("b.csv", "\xEF\xBB\xBFt,extra,x\n1,9,3\n0,9,4\n");
    data_source *source =
        open_recipe(context, "data: {train: [a.csv, b.csv], test: [b.csv], standardise: no}\n"
                             "tasks: {t: {type: binary}}\n");
    assert_int_equal(4, count_split(source->dataset, TRUCE_TRAIN));
    assert_int_equal(2, count_split(source->dataset, TRUCE_TEST));
    static const float x[] = {1, 2, 3, 4, 3, 4}, t[] = {0, 1, 1, 0, 1, 0};
    for (int row = 0; row < 6; row++) {
        assert_true(number_at(source, row, 0) == x[row]); /* columns go by name */
        assert_true(target_at(source, 0, row) == t[row]);
    }
    data_source_destroy(source);
}

static void faults_are_named_with_file_line_and_column(void **state) {
    truce_context *context = *state;
    test_write_text("abc.csv", "age,name,t\n1,x,0\n2,y,1\nabc,x,1\n4,y,0\n");
    test_write_text("good.csv", "age,name,t\n1,x,0\n2,y,1\n");
    test_write_text("text.csv", "age,name,t\n1,x,0\nold,y,1\n");
    test_write_text("other.csv", "years,name,t\n1,x,0\n");
    test_write_text("twice.csv", "a,b,a\n1,2,3\n");
    test_write_text("ragged.csv", "a,b\n1,2\n1,2,3\n");
    test_write_text("empty.csv", "");
    test_write_text("header.csv", "age,t\n");
    test_write_text("gaps.csv", "age,none,t\n1,,0\n2,?,1\n");
    test_write_text("same.csv", "age,t\n1,5\n2,5\n");
    test_write_text("unlabelled.csv", "age,t,s\n1,,0\n2,,1\n");
    test_write_text("wide.csv", "id,t\na1,0\na2,1\na3,0\na4,1\n");
    test_write_text("groups.csv", "g,x,t\na,1,0\n,2,1\nb,3,1\n");
    static const struct {
        const char *recipe;
        truce_status status;
        const char *message;
    } rows[] = {
        {"data: {train: abc.csv}\ntasks: {t: }\n", TRUCE_ERROR_DATA,
         "abc.csv:4: column 'age' holds 'abc', which is not a number; list the text under 'missing'"},
        {"data: {train: abc.csv}\ntasks: {age: {type: regression}}\n", TRUCE_ERROR_DATA,
         "abc.csv:4: column 'age'"},
        {"data: {train: good.csv, test: text.csv}\ntasks: {t: }\n", TRUCE_ERROR_DATA,
         "text.csv:3: column 'age' holds 'old', which is not a number"},
        {"data: {train: good.csv, test: other.csv}\ntasks: {t: }\n", TRUCE_ERROR_DATA,
         "other.csv has no column 'age'"},
        {"data: {train: [good.csv, other.csv]}\ntasks: {t: }\n", TRUCE_ERROR_DATA,
         "other.csv has no column 'age'"},
        {"data: {train: good.csv, categorical: {columns: [age]}}\ntasks: {t: }\n", TRUCE_ERROR_DATA,
         "good.csv:2: column 'name' holds 'x'"},
        {"data: {train: twice.csv}\ntasks: {b: }\n", TRUCE_ERROR_FORMAT,
         "twice.csv:1: columns 1 and 3 are both named 'a'"},
        {"data: {train: ragged.csv}\ntasks: {b: }\n", TRUCE_ERROR_FORMAT, "ragged.csv:3"},
        {"data: {train: empty.csv}\ntasks: {b: }\n", TRUCE_ERROR_FORMAT, "empty.csv: the file is empty"},
        {"data: {train: header.csv}\ntasks: {t: }\n", TRUCE_ERROR_DATA, "header.csv holds no rows"},
        {"data: {train: gaps.csv}\ntasks: {t: }\n", TRUCE_ERROR_DATA,
         "column 'none' holds no value in any of the 2 training rows; exclude it"},
        {"data: {train: same.csv}\ntasks: {t: {type: regression}}\n", TRUCE_ERROR_DATA,
         "recipe.yaml:1: the target of task 't' is the same (5)"},
        {"data: {train: unlabelled.csv}\ntasks: {t: {type: regression}}\n", TRUCE_ERROR_DATA,
         "task 't' has no label"},
        {"data: {train: unlabelled.csv}\ntasks: {t: {type: classes}}\n", TRUCE_ERROR_DATA,
         "task 't' has no label"},
        {"data: {train: wide.csv, categorical: {max_categories: 3}}\ntasks: {t: }\n", TRUCE_ERROR_DATA,
         "column 'id' holds 4 different texts ('a1', ...), more than max_categories: 3"},
        {"data: {train: good.csv, columns: [a, b]}\ntasks: {a: }\n", TRUCE_ERROR_FORMAT,
         "good.csv:1: the row has 3 fields, but 2 columns are named for it"},
        {"data: {train: good.csv, columns: [a, a]}\ntasks: {a: }\n", TRUCE_ERROR_NAME,
         "'columns' names 'a' twice"},
        {"data: {train: good.csv}\n", TRUCE_ERROR_FORMAT, "the recipe has no 'tasks'"},
        {"data: {train: good.csv}\ntasks:\n  tt:\n", TRUCE_ERROR_NAME,
         "recipe.yaml:3: task 'tt': column 'tt' is not known; did you mean 't'?"},
        {"data: {train: good.csv, inputs: [aeg]}\ntasks: {t: }\n", TRUCE_ERROR_NAME,
         "recipe.yaml:1: 'inputs': column 'aeg' is not known; did you mean 'age'?"},
        {"data: {train: good.csv, exclude: ['z*']}\ntasks: {t: }\n", TRUCE_ERROR_NAME,
         "'exclude': 'z*' matches no column"},
        {"data: {train: good.csv, categorical: {columns: nam}}\ntasks: {t: }\n", TRUCE_ERROR_NAME,
         "did you mean 'name'?"},
        {"data: {train: good.csv, inputs: [age, t]}\ntasks: {t: }\n", TRUCE_ERROR_ARGUMENT,
         "column 't' is an input and the target of task 't'"},
        {"data: {train: good.csv, exclude: [age, name]}\ntasks: {t: }\n", TRUCE_ERROR_ARGUMENT,
         "no column is left"},
        {"data: {train: nowhere.csv}\ntasks: {t: }\n", TRUCE_ERROR_IO,
         "recipe.yaml:1: 'nowhere.csv' was not found"},
        {"data: {format: csv}\ntasks: {t: }\n", TRUCE_ERROR_FORMAT, "names no file to train on"},
        {"data: {train: good.csv, delimiter: ab}\ntasks: {t: }\n", TRUCE_ERROR_TYPE,
         "'delimiter' takes one character"},
        {"data: {train: good.csv, trian: b}\ntasks: {t: }\n", TRUCE_ERROR_NAME,
         "option 'trian' is not known; did you mean 'train'?"},
        {"data: {train: good.csv, standardize: no}\ntasks: {t: }\n", TRUCE_ERROR_NAME,
         "did you mean 'standardise'?"},
        {"data: {train: good.csv, impute: median}\ntasks: {t: }\n", TRUCE_ERROR_NAME, "'median'"},
        {"data: {train: good.csv, categorical: {encode: x}}\ntasks: {t: }\n", TRUCE_ERROR_NAME,
         "did you mean 'encoding'?"},
        {"data: {train: good.csv, test: 1}\ntasks: {t: }\n", TRUCE_ERROR_RANGE, "'test' as a share"},
        {"data: {train: good.csv, test: 0.1}\ntasks: {t: }\n", TRUCE_ERROR_DATA,
         "recipe.yaml:1: the test split would be empty: its share 0.1 of 2 rows"},
        {"data: {train: good.csv, split: grouped}\ntasks: {t: }\n", TRUCE_ERROR_ARGUMENT,
         "'split: grouped' needs 'split_by'"},
        {"data: {train: good.csv, split: stratified}\ntasks: {age: {type: regression}}\n",
         TRUCE_ERROR_ARGUMENT, "'split: stratified' needs 'split_by'"},
        {"data: {train: good.csv, split: grouped, split_by: nam}\ntasks: {t: }\n", TRUCE_ERROR_NAME,
         "did you mean 'name'?"},
        {"data: {train: groups.csv, test: 0.5, split: grouped, split_by: g}\ntasks: {t: }\n",
         TRUCE_ERROR_DATA, "groups.csv:3: column 'g' holds no value"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_recipe_fails(context, rows[i].status, rows[i].message, rows[i].recipe);
}

static char log_text[4000];

static void note_log(void *user, truce_log_level level, const char *line) {
    (void)user;
    (void)level;
    strncat(log_text, line, sizeof log_text - strlen(log_text) - 2);
    strcat(log_text, "\n");
}

static void what_was_decided_is_logged(void **state) {
    (void)state;
    truce_context *context = NULL;
    truce_context_config config = {.n_threads = 1, .log = note_log};
    assert_int_equal(TRUCE_OK, truce_context_create(&config, &context));
    test_write_text("a.csv", "x,c,t\n1,p,0\n2,q,3\n3,q,7\n");
    test_write_text("b.csv", "x,c,t,u,v\n,r,0,1,2\n");
    log_text[0] = 0;
    data_source_destroy(open_recipe(context, "data: {train: a.csv, test: b.csv}\ntasks: {t: }\n"));
    static const char *const lines[] = {
        "data: 't' holds 3 different whole numbers, so task 't' gets type: classes",
        "data: b.csv has 2 columns that the training file has not ('v', ...); they are ignored",
        "data: column 'x' is missing in 1 row(s), but in no training row; the training mean stands in",
        "data: column 'c' holds texts that training rows do not ('r') in 1 row(s); they are",
        "data: 4 rows: 3 train, 0 validation, 1 test",
        "data: input x: numbers [3] from 1 column(s) of numbers and 1 of categories",
        "data: task t: 3 classes; 3 training labels",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(log_text, lines[i])) fail_msg("no '%s' in:\n%s", lines[i], log_text);
    truce_context_destroy(context);
}

static void an_interrupt_stops_the_reading(void **state) {
    truce_context *context = *state;
    write_small();
    truce_context_interrupt(context);
    assert_recipe_fails(context, TRUCE_ERROR_INTERRUPTED, "stopped on request", SMALL);
}

/* Whatever a damaged recipe or file says, opening it either fails or gives a source that can be freed. */
static void damage_does_no_harm(void **state) {
    truce_context *context = *state;
    static const char recipe[] =
        "data: {train: a.csv, test: 0.25, split: stratified, exclude: [q*], missing: [NA],\n"
        "  categorical: {columns: [c*], encoding: onehot, max_categories: 9}, validation: 0.2}\n"
        "tasks: {y: {type: regression}, t: {positive: [p, q]}, '*k': }\n";
#define ROWS "1,x,1,p,0.5,1\n2,y,3,q,1,2\n3,x,5,r,,3\n4,z,2,p,2,1\n5,x,1,q,3,2\n6,y,9,r,3,3\n"
    static const char table[] = "a,c,quit,t,y,k\n" ROWS ROWS ROWS "7,x,4,p,2,1\n8,\"z\",1,r,1,2\n";
    static const char letters[] = "0123456789-\"'[]{},:*\n abcnpqrtxyk.#&!";
    base_rng rng = base_rng_make(21, "fuzz", 0, 0);
    int n_opened = 0;
    test_write_text("a.csv", table);
    data_source_destroy(open_recipe(context, recipe));
    for (int round = 0; round < 4000; round++) {
        char text[sizeof recipe], rows[sizeof table];
        data_source *source = NULL;
        memcpy(text, recipe, sizeof text);
        memcpy(rows, table, sizeof rows);
        char *damaged = round % 2 ? text : rows;
        size_t n = round % 2 ? sizeof text - 1 : sizeof rows - 1;
        for (int k = 0; k < 1 + round % 3; k++)
            damaged[base_rng_below(&rng, n)] = letters[base_rng_below(&rng, sizeof letters - 1)];
        test_write_text("a.csv", rows);
        if (open_text(context, text, &source)) continue;
        n_opened++;
        data_source_destroy(source);
    }
    assert_true(n_opened > 100);
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    test_write_text(
        "a.csv", "a,c,m,t,y\n1,x,,p,0.5\n2,y,3,q,1\n3,x,5,r,\n4,z,2,p,2\n5,x,1,q,3\n6,y,9,r,3\n7,x,4,p,2\n");
    static const char recipe[] =
        "data: {train: a.csv, test: 0.15, split: stratified, missing: ['NA'], exclude: [q*, c],\n"
        "  columns: [a, c, m, 'quit', y], categorical: {columns: [m], encoding: embedding}}\n"
        "tasks: {y: {type: regression}, kind: {target: quit, positive: [p, q]}}\n";
    static const char plain[] = "data: {train: a.csv, split: grouped, split_by: c, validation: 0.3}\n"
                                "tasks: {'t': , y: {type: regression}}\n";
    data_source *source = NULL;
    test_write_text("b.csv", "1,x,,p,0.5\n2,y,3,q,1\n3,x,5,r,\n4,z,2,p,2\n5,x,1,q,3\n6,y,2,r,3\n7,x,3,p,2\n");
    char named[sizeof recipe];
    memcpy(named, recipe, sizeof recipe);
    *strstr(named, "a.csv") = 'b';
    assert_survives_failing_allocations(context, open_text(context, named, &source),
                                        data_source_destroy(source));
    assert_survives_failing_allocations(context, open_text(context, plain, &source),
                                        data_source_destroy(source));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_standardised_and_categories_spread_out),
        TEST(nothing_is_scaled_that_should_not_be),
        TEST(files_without_header_take_names_from_the_recipe),
        TEST(missing_numbers_get_the_training_mean_and_a_flag),
        TEST(texts_for_no_value_can_be_chosen),
        TEST(categories_that_training_rows_lack_are_unknown),
        TEST(columns_of_numbers_can_be_categories),
        TEST(tasks_get_the_kind_that_their_column_suggests),
        TEST(positive_values_make_any_column_binary),
        TEST(numbers_written_in_two_ways_are_one_class),
        TEST(classes_that_training_rows_lack_are_an_error_or_missing),
        TEST(what_is_fitted_comes_from_training_rows),
        TEST(rows_are_divided_by_classes_columns_or_groups),
        TEST(patterns_of_inputs_leave_targets_alone),
        TEST(several_files_are_one),
        TEST(faults_are_named_with_file_line_and_column),
        TEST(what_was_decided_is_logged),
        TEST(an_interrupt_stops_the_reading),
        TEST(damage_does_no_harm),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
