#include "data/open.h"

#include "base/rng.h"
#include "io/array.h"

/* Rows with numbers, gaps, texts in quotes, texts that are not in UTF-8, and values hard to write down. */
static void write_rich(void) {
    test_write_text("rich.csv", "n,gap,word,\"na\"\"me\",zip,y,t,b,more\n"
                                "0.1,1,caf\xe9,\"a,b\",10,1e-3,p,yes,1\n"
                                "12345678.9,,\"x\ny\",\"a\"\"b\",9,2.5,q,no,2\n"
                                "-3e-7,3,,\"a,b\",10.0,7,r,yes,3\n"
                                "0.3333333333333333,?,caf\xe9,\"a\"\"b\",9,,p,no,4\n");
}

static const char rich_onehot[] =
    "data: {train: rich.csv, exclude: more, categorical: {columns: [word, na*, zip]}}\n"
    "tasks: {y: , t: , pq: {target: t, positive: [p, q]}, b: }\n";
static const char rich_embedded[] =
    "data: {train: rich.csv, exclude: more, unseen: missing, missing: ['?'],\n"
    "       categorical: {columns: [word, na*, zip], encoding: embedding}}\n"
    "tasks: {y: {standardise: false}, t: , pq: {target: t, positive: [p, q]}, b: }\n";

static data_encoding *reload(truce_context *context, const data_encoding *encoding) {
    base_text json = {0};
    data_encoding *loaded = NULL;
    assert_ok(context, data_encoding_save(encoding, &json));
    assert_ok(context, data_encoding_load(context, json.bytes, json.n, "model.json", &loaded));
    base_text again = {0};
    assert_ok(context, data_encoding_save(loaded, &again));
    assert_string_equal(json.bytes, again.bytes);
    base_text_free(context, &json);
    base_text_free(context, &again);
    return loaded;
}

static void assert_same_inputs(truce_context *context, const truce_dataset *a, const truce_dataset *b) {
    assert_int_equal(truce_dataset_inputs(a), truce_dataset_inputs(b));
    for (int i = 0; i < truce_dataset_inputs(a); i++) {
        const truce_input *input = truce_dataset_input(a, i);
        assert_string_equal(input->name, truce_dataset_input(b, i)->name);
        assert_true(truce_shape_equal(&input->row_shape, &truce_dataset_input(b, i)->row_shape));
        float *x = read_all_inputs(context, a, i), *y = read_all_inputs(context, b, i);
        size_t n = (size_t)(truce_dataset_rows(a) * truce_shape_size(&input->row_shape));
        assert_memory_equal(x, y, n * sizeof *x);
        free(x), free(y);
    }
}

static void assert_same_targets(const truce_dataset *a, const truce_dataset *b) {
    assert_int_equal(truce_dataset_targets(a), truce_dataset_targets(b));
    for (int i = 0; i < truce_dataset_targets(a); i++) {
        const truce_target *s = truce_dataset_target(a, i), *t = truce_dataset_target(b, i);
        assert_string_equal(s->name, t->name);
        assert_true(s->kind == t->kind && s->n_classes == t->n_classes && s->mean == t->mean &&
                    s->scale == t->scale);
        for (int c = 0; c < s->n_classes; c++) assert_string_equal(s->class_names[c], t->class_names[c]);
        float *x = read_all_targets(a, i), *y = read_all_targets(b, i);
        assert_memory_equal(x, y, (size_t)truce_dataset_rows(a) * sizeof *x);
        free(x), free(y);
    }
}

static void the_training_file_gives_the_same_bits_again(void **state) {
    truce_context *context = *state;
    static const char *const recipes[] = {rich_onehot, rich_embedded};
    static const char *const paths[] = {"rich.csv"};
    write_rich();
    for (int i = 0; i < 2; i++) {
        data_source *source = open_recipe(context, recipes[i]);
        data_encoding *encoding = reload(context, source->encoding);
        truce_dataset *dataset = NULL;
        assert_ok(context, data_encoding_apply(encoding, paths, 1, &dataset));
        assert_int_equal(4, count_split(dataset, TRUCE_TEST));
        assert_same_inputs(context, source->dataset, dataset);
        assert_same_targets(source->dataset, dataset);
        truce_dataset_destroy(dataset);
        data_encoding_destroy(encoding);
        data_source_destroy(source);
    }
}

static void real_data_give_the_same_bits_again(void **state) {
    truce_context *context = *state;
    char train[4096], test[4096];
    const char *path = test_data("adult/adult-train.csv");
    if (!path) return;
    snprintf(train, sizeof train, "%s", path);
    snprintf(test, sizeof test, "%s", test_data("adult/adult-test.csv"));
    const char *const paths[] = {train, test};
    data_source *source = open_recipe(
        context, "name: adult\n"
                 "data:\n"
                 "  train: adult-train.csv\n"
                 "  test: adult-test.csv\n"
                 "  validation: 0.1\n"
                 "  columns: [age, workclass, fnlwgt, education, education-num, marital-status, occupation,\n"
                 "            relationship, race, sex, capital-gain, capital-loss, hours-per-week,\n"
                 "            native-country, income]\n"
                 "  exclude: [fnlwgt, relationship]\n"
                 "tasks:\n"
                 "  income: {type: binary, positive: ['>50K', '>50K.']}\n"
                 "  marital: {target: marital-status}\n");
    assert_int_equal(32561 + 16281, truce_dataset_rows(source->dataset));
    assert_int_equal(3256, count_split(source->dataset, TRUCE_VALIDATION));
    assert_int_equal(7, truce_dataset_target(source->dataset, 1)->n_classes);
    float *income = read_all_targets(source->dataset, 0);
    int n_rich = 0;
    for (int i = 0; i < 32561; i++) n_rich += income[i] == 1;
    assert_int_equal(7841, n_rich);
    free(income);
    data_encoding *encoding = reload(context, source->encoding);
    truce_dataset *dataset = NULL;
    assert_ok(context, data_encoding_apply(encoding, paths, 2, &dataset));
    assert_same_inputs(context, source->dataset, dataset);
    assert_same_targets(source->dataset, dataset);
    truce_dataset_destroy(dataset);
    data_encoding_destroy(encoding);
    data_source_destroy(source);
}

static truce_status apply(const data_encoding *encoding, const char *text, truce_dataset **out) {
    static const char *const paths[] = {"new.csv"};
    test_write_text("new.csv", text);
    *out = NULL;
    return data_encoding_apply(encoding, paths, 1, out);
}

static void new_files_go_by_name(void **state) {
    truce_context *context = *state;
    test_write_text("old.csv", "x,t,c\n1,p,u\n3,q,v\n");
    data_source *source = open_recipe(context, "data: {train: old.csv}\ntasks: {t: }\n");
    const data_encoding *encoding = source->encoding;
    truce_dataset *dataset = NULL;
    assert_ok(context, apply(encoding, "more,c,x\n9,w,5\n9,v,\n", &dataset));
    float *x = read_all_inputs(context, dataset, 0), *t = read_all_targets(dataset, 0);
    static const float wanted[6] = {3, 0, 0, 0, 0, 1}; /* (5 - 2) / 1, unknown; missing, v */
    assert_memory_equal(wanted, x, sizeof wanted);
    assert_true(isnan(t[0]) && isnan(t[1])); /* no labels */
    free(x), free(t);
    truce_dataset_destroy(dataset);
    assert_fails(context, TRUCE_ERROR_DATA, "new.csv has no column 'x'; is it 'X'?",
                 apply(encoding, "X,c\n1,u\n", &dataset));
    assert_fails(context, TRUCE_ERROR_DATA, "new.csv:3: column 'x' holds 'z'",
                 apply(encoding, "x,c\n1,u\nz,v\n", &dataset));
    assert_fails(context, TRUCE_ERROR_DATA, "new.csv:2: column 't' holds 'r', a class of task 't'",
                 apply(encoding, "x,c,t\n1,u,r\n", &dataset));
    assert_ok(context, apply(encoding, "x,c\n", &dataset));
    assert_int_equal(0, truce_dataset_rows(dataset));
    truce_dataset_destroy(dataset);
    data_source_destroy(source);
}

static void new_files_without_header_go_by_position(void **state) {
    truce_context *context = *state;
    test_write_text("old.csv", "p,1,u\nq,3,v\n");
    data_source *source = open_recipe(context, "data: {train: old.csv, columns: [t, x, c]}\ntasks: {t: }\n");
    static const char *const texts[] = {"q,5,v\n", "5,v\n", "t,x,c\nq,5,v\n", "x,c\n5,v\n"};
    truce_dataset *dataset = NULL;
    for (int i = 0; i < 4; i++) {
        assert_ok(context, apply(source->encoding, texts[i], &dataset));
        float *x = read_all_inputs(context, dataset, 0);
        assert_true(truce_dataset_rows(dataset) == 1 && x[0] == 3 && x[1] == 0 && x[2] == 1);
        free(x);
        truce_dataset_destroy(dataset);
    }
    assert_fails(
        context, TRUCE_ERROR_DATA,
        "new.csv has 4 columns; by position it needs the 3 of the training file, or the 2 that are left",
        apply(source->encoding, "1,2,3,4\n", &dataset));
    data_source_destroy(source);
}

static void arrays_are_applied_by_shape(void **state) {
    truce_context *context = *state;
    double values[] = {1, 2, 3, 4, 5, 9};
    int32_t labels[] = {0, 1, 1};
    io_array x = {IO_ARRAY_F64, truce_shape_of(2, 3, 2), values},
             y = {IO_ARRAY_I32, truce_shape_of(1, 3), labels};
    static const char *const paths[] = {"x.npy", "x.npy"}, *const wrong[] = {"y.npy"};
    assert_ok(context, io_npy_write(context, "x.npy", &x));
    assert_ok(context, io_npy_write(context, "y.npy", &y));
    data_source *source = open_recipe(context, "data: {inputs: x.npy}\ntasks: {y: }\n");
    data_encoding *encoding = reload(context, source->encoding);
    truce_dataset *dataset = NULL;
    assert_ok(context, data_encoding_apply(encoding, paths, 1, &dataset));
    assert_same_inputs(context, source->dataset, dataset);
    truce_dataset_destroy(dataset);
    dataset = NULL;
    assert_fails(context, TRUCE_ERROR_ARGUMENT, "takes 1 arrays, one file each, but 2 files",
                 data_encoding_apply(encoding, paths, 2, &dataset));
    assert_fails(context, TRUCE_ERROR_SHAPE, "y.npy has rows of [1], but input 'x' takes [2]",
                 data_encoding_apply(encoding, wrong, 1, &dataset));
    assert_null(dataset);
    data_encoding_destroy(encoding);
    data_source_destroy(source);
}

static void encodings_that_make_no_sense_are_refused(void **state) {
    truce_context *context = *state;
#define TABLE                                                                                                \
    "\"encoding\": 1, \"kind\": \"table\", \"unseen\": \"error\", \"header\": true, \"delimiter\": \"\", "   \
    "\"columns\": [\"a\", \"b\"], \"missing\": [], \"impute\": \"mean\", \"categories\": \"onehot\", "
#define NUMBER                                                                                               \
    "{\"name\": \"a\", \"kind\": \"number\", \"mean\": 0, \"scale\": 1, \"fill\": 0, \"flagged\": false}"
#define ARRAYS "\"encoding\": 1, \"kind\": \"arrays\", \"unseen\": \"error\", "
    static const struct {
        const char *json, *message;
    } rows[] = {
        {"", "model.json:1: the encoding is not valid JSON"},
        {"[]", "'encoding' must be 1"},
        {"{\"encoding\": 2}", "'encoding' must be 1"},
        {"{\"encoding\": 1, \"encoding\": 1}", "not valid JSON"},
        {"{\"encoding\": 1, \"kind\": \"tree\"}", "'kind' must be one of"},
        {"{" TABLE "\"inputs\": [], \"tasks\": []}", "'inputs' must be a list that is not empty"},
        {"{" TABLE "\"inputs\": 5, \"tasks\": []}", "'inputs' must be a list"},
        {"{" TABLE "\"inputs\": [" NUMBER "]}", "'tasks' must be a list"},
        {"{" TABLE "\"inputs\": [3], \"tasks\": []}", "input: 'name' must be a text"},
        {"{" TABLE "\"inputs\": [{\"name\": {\"hex\": \"6g\"}}], \"tasks\": []}",
         "input: 'name' must be a text"},
        {"{" TABLE "\"inputs\": [{\"name\": {\"hex\": \"610\"}}], \"tasks\": []}",
         "input: 'name' must be a text"},
        {"{" TABLE "\"inputs\": [{\"name\": {\"hex\": \"00\"}}], \"tasks\": []}",
         "input: 'name' must be a text"},
        {"{" TABLE "\"inputs\": [{\"name\": \"a\", \"kind\": 1}], \"tasks\": []}",
         "input 'a': 'kind' must be"},
        {"{" TABLE "\"inputs\": [{\"name\": \"z\", \"kind\": \"number\"}], \"tasks\": []}",
         "input 'z': 'name' must be one of 'columns'"},
        {"{" TABLE "\"inputs\": [{\"name\": \"a\", \"kind\": \"number\", \"mean\": \"0\"}], \"tasks\": []}",
         "'mean' must be a number"},
        {"{" TABLE
         "\"inputs\": [{\"name\": \"a\", \"kind\": \"number\", \"mean\": 0, \"scale\": 0}], \"tasks\": []}",
         "'scale' must be above 0"},
        {"{" TABLE "\"inputs\": [{\"name\": \"a\", \"kind\": \"category\", \"by_number\": false, \"values\": "
         "[]}], \"tasks\": []}",
         "'values' must be a list that is not empty"},
        {"{" TABLE "\"inputs\": [{\"name\": \"a\", \"kind\": \"category\", \"by_number\": 0, \"values\": "
         "[]}], \"tasks\": []}",
         "'by_number' must be true or false"},
        {"{" TABLE "\"inputs\": [{\"name\": \"a\", \"kind\": \"category\", \"by_number\": true, \"values\": "
         "[\"x\", \"x\"]}], "
         "\"tasks\": []}",
         "'values' must be a list without repetitions"},
        {"{" TABLE "\"inputs\": [" NUMBER
         "], \"tasks\": [{\"name\": \"t\", \"column\": \"b\", \"kind\": \"regression\", "
         "\"mean\": 0, \"scale\": 1, \"width\": 0}]}",
         "task 't': 'width' must be a whole number above 0"},
        {"{" TABLE "\"inputs\": [" NUMBER
         "], \"tasks\": [{\"name\": \"t\", \"column\": \"b\", \"kind\": \"binary\", "
         "\"by_number\": false, \"classes\": [\"x\"]}]}",
         "task 't': 'classes' must be a list of two"},
        {"{" ARRAYS "\"inputs\": [{\"name\": \"x\", \"shape\": []}], \"tasks\": []}",
         "'shape' must be a list of 1 to 7"},
        {"{" ARRAYS "\"inputs\": [{\"name\": \"x\", \"shape\": [0]}], \"tasks\": []}",
         "'shape' must be a list of plausible"},
        {"{" ARRAYS "\"inputs\": [{\"name\": \"x\", \"shape\": [4294967296, 4294967296]}], \"tasks\": []}",
         "'shape' must be a list of plausible"},
        {"{" ARRAYS
         "\"inputs\": [{\"name\": \"x\", \"shape\": [2], \"mean\": [1, 2], \"scale\": [1]}], \"tasks\": []}",
         "'scale' must be a list of as many numbers as a row has"},
        {"{" ARRAYS "\"inputs\": [{\"name\": \"x\", \"shape\": [1099511627776], \"mean\": [1], \"scale\": "
         "[1]}], \"tasks\": []}",
         "'scale' must be a list of as many numbers"},
        {"{" ARRAYS
         "\"inputs\": [{\"name\": \"x\", \"shape\": [1], \"mean\": [1], \"scale\": [-1]}], \"tasks\": []}",
         "'scale' must be numbers above 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        data_encoding *encoding = NULL;
        assert_fails(
            context, TRUCE_ERROR_FORMAT, rows[i].message,
            data_encoding_load(context, rows[i].json, strlen(rows[i].json), "model.json", &encoding));
        assert_null(encoding);
    }
}

/* Whatever a damaged file says, loading it either fails or gives an encoding that can be used and freed. */
static void damaged_encodings_do_no_harm(void **state) {
    truce_context *context = *state;
    static const char *const paths[] = {"rich.csv"};
    write_rich();
    data_source *source = open_recipe(context, rich_onehot);
    base_text json = {0};
    assert_ok(context, data_encoding_save(source->encoding, &json));
    base_rng rng = base_rng_make(12, "fuzz", 0, 0);
    char *damaged = malloc(json.n);
    for (int round = 0; round < 3000; round++) {
        memcpy(damaged, json.bytes, json.n);
        size_t n = round % 10 ? json.n : (size_t)base_rng_below(&rng, json.n);
        for (int k = 0; k < 1 + round % 3 && n; k++)
            damaged[base_rng_below(&rng, n)] =
                round % 2 ? (char)base_rng_u32(&rng) : "0123456789-\"[]{},:e"[base_rng_below(&rng, 19)];
        data_encoding *encoding = NULL;
        truce_dataset *dataset = NULL;
        if (data_encoding_load(context, damaged, n, "damaged", &encoding)) continue;
        if (data_encoding_apply(encoding, paths, 1, &dataset) == TRUCE_OK) truce_dataset_destroy(dataset);
        data_encoding_destroy(encoding);
    }
    free(damaged);
    base_text_free(context, &json);
    data_source_destroy(source);
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    static const char *const paths[] = {"rich.csv"};
    write_rich();
    data_source *source = open_recipe(context, rich_embedded);
    base_text json = {0};
    assert_ok(context, data_encoding_save(source->encoding, &json));
    data_encoding *encoding = NULL;
    truce_dataset *dataset = NULL;
    assert_survives_failing_allocations(context,
                                        data_encoding_load(context, json.bytes, json.n, "m", &encoding),
                                        data_encoding_destroy(encoding));
    assert_survives_failing_allocations(context, data_encoding_apply(source->encoding, paths, 1, &dataset),
                                        truce_dataset_destroy(dataset));
    base_text_free(context, &json);
    data_source_destroy(source);
}

static void saving_survives_failing_allocations(void **state) {
    truce_context *context = *state;
    write_rich();
    data_source *source = open_recipe(context, rich_onehot);
    for (long k = 1;; k++) {
        base_text json = {0};
        test_fail_allocation(k);
        truce_status status = data_encoding_save(source->encoding, &json);
        bool failed = test_allocation_failed();
        test_fail_allocation(0);
        base_text_free(context, &json);
        assert_int_equal(failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
        if (!failed) break;
    }
    data_source_destroy(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_training_file_gives_the_same_bits_again),
        TEST(real_data_give_the_same_bits_again),
        TEST(new_files_go_by_name),
        TEST(new_files_without_header_go_by_position),
        TEST(arrays_are_applied_by_shape),
        TEST(encodings_that_make_no_sense_are_refused),
        TEST(damaged_encodings_do_no_harm),
        TEST(every_allocation_may_fail),
        TEST(saving_survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
