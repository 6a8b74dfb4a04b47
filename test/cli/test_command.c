/*
 * The command as people type it: answers, exit codes, and what it says to wrong input.
 */
#include "support/test.h"

#include "io/file.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/wait.h>

/* Output of the last command. */
static char out[1 << 18], err[1 << 16];

static void slurp(const char *path, char *text, size_t bytes) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(text, 1, bytes - 1, file);
    text[n] = 0;
    fclose(file);
}

/* Runs `truce ARGUMENTS`; its exit code. */
static int truce(const char *arguments) {
    char line[2048];
    snprintf(line, sizeof line, "%s %s >out.txt 2>err.txt", TEST_PROGRAM, arguments);
    int status = system(line);
    slurp("out.txt", out, sizeof out);
    slurp("err.txt", err, sizeof err);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static json_t *answer(const char *arguments) {
    json_error_t error;
    int code = truce(arguments);
    if (code != 0) fail_msg("truce %s: %d: %s", arguments, code, err);
    json_t *object = json_loads(out, 0, &error);
    if (!json_is_object(object)) fail_msg("truce %s printed no object: %s", arguments, out);
    return object;
}

static const char table[] = "x1,x2,colour,size,kind,price\n";

/* A table with two numbers, a category, a class task, a binary task and a regression, some values missing. */
static void write_table(const char *path, int n_rows, int first) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(table, file);
    for (int i = first; i < first + n_rows; i++) {
        double x1 = (i * 37 % 101) / 50.0 - 1, x2 = (i * 53 % 97) / 48.0 - 1;
        const char *colour = i % 3 == 0 ? "red" : i % 3 == 1 ? "green" : "blue";
        fprintf(file, "%g,%g,%s,%s,%s,", x1, x2, i % 11 ? colour : "", i % 3 ? "small" : "large",
                x1 > 0.3 ? "a"
                : x2 > 0 ? "b"
                         : "c");
        if (i % 7)
            fprintf(file, "%g\n", 100 + 10 * x1 - 5 * x2 + (i % 3));
        else
            fputs("?\n", file);
    }
    fclose(file);
}

static const char recipe[] = "name: shop\n"
                             "data: {train: table.csv, test: 0.2, validation: 0.2}\n"
                             "tasks:\n"
                             "  kind: {type: classes}\n"
                             "  size: {type: binary, positive: large}\n"
                             "  price: {type: regression}\n"
                             "model: {trunk: {type: mlp, widths: [16]}}\n"
                             "train: {epochs: 5, batch: 32, rate: 0.01}\n";

static int setup(void **state) {
    if (system("rm -rf runs")) return -1;
    write_table("table.csv", 600, 0);
    write_table("new.csv", 20, 600);
    test_write_text("shop.yaml", recipe);
    return test_setup(state);
}

static void a_run_is_trained_judged_and_used(void **state) {
    (void)state;
    json_t *trained = answer("train shop.yaml --out runs/shop --json --quiet --seed 3");
    assert_int_equal(3, json_array_size(json_object_get(trained, "tasks")));
    assert_string_equal("test", json_string_value(json_object_get(trained, "split")));
    assert_true(io_exists(json_string_value(json_object_get(trained, "page"))));

    json_t *judged = answer("eval runs/shop --split test --json");
    assert_string_equal("test", json_string_value(json_object_get(judged, "split")));
    assert_true(json_equal(json_object_get(trained, "tasks"), json_object_get(judged, "tasks")));
    json_t *first = json_array_get(json_object_get(judged, "tasks"), 0);
    assert_string_equal("kind", json_string_value(json_object_get(first, "task")));
    assert_true(json_real_value(json_object_get(json_object_get(first, "metrics"), "accuracy")) > 0.5);

    json_t *predicted = answer("predict runs/shop --input new.csv --output p.csv --json");
    assert_int_equal(20, json_integer_value(json_object_get(predicted, "rows")));
    char text[8192];
    slurp("p.csv", text, sizeof text);
    assert_non_null(strstr(text, "kind,kind:p:"));
    assert_non_null(strstr(text, "size,size:p,price\n"));
    assert_int_equal(0, truce("predict runs/shop --input new.csv --output p.npy"));
    assert_true(io_exists("p.npy"));

    json_t *inspected = answer("inspect runs/shop/model.safetensors --json");
    assert_true(json_array_size(json_object_get(inspected, "tensors")) == 8);
    json_t *listed = answer("inspect runs/shop --json");
    assert_int_equal(1, json_array_size(json_object_get(listed, "runs")));

    json_decref(listed);
    json_decref(inspected);
    json_decref(predicted);
    json_decref(judged);
    json_decref(trained);
}

/* Columns of targets may be absent, and the order of columns does not matter. */
static void new_rows_need_only_inputs(void **state) {
    (void)state;
    assert_int_equal(0, truce("train shop.yaml --out runs/shop -q"));
    test_write_text("only.csv", "colour,x2,x1\nred,0.5,-0.5\nviolet,0,1\n");
    assert_int_equal(0, truce("predict runs/shop --input only.csv --output p.csv"));
    test_write_text("less.csv", "colour,x2\nred,0.5\n");
    assert_int_equal(1, truce("predict runs/shop --input less.csv --output q.csv"));
    assert_non_null(strstr(err, "x1"));
    assert_false(io_exists("q.csv"));
}

static void a_run_is_not_overwritten_by_chance(void **state) {
    (void)state;
    assert_int_equal(0, truce("train shop.yaml -q"));
    assert_true(io_exists("runs/shop/model.safetensors"));
    assert_int_equal(1, truce("train shop.yaml -q"));
    assert_non_null(strstr(err, "--force"));
    assert_int_equal(0, truce("train shop.yaml -q --force"));
}

static void the_same_seed_gives_the_same_bits(void **state) {
    (void)state;
    assert_int_equal(0, truce("train shop.yaml -q --out runs/a --threads 1 --seed 5"));
    assert_int_equal(0, truce("train shop.yaml -q --out runs/b --threads 2 --seed 5"));
    assert_int_equal(0, truce("train shop.yaml -q --out runs/c --threads 2 --seed 6"));
    assert_int_equal(0, system("cmp -s runs/a/model.safetensors runs/b/model.safetensors"));
    assert_int_not_equal(0, system("cmp -s runs/a/model.safetensors runs/c/model.safetensors"));
}

static void methods_are_compared(void **state) {
    (void)state;
    json_t *one =
        answer("compare shop.yaml --methods sum,pcgrad --seeds 2 --out runs/x --json -q --threads 1");
    json_t *two =
        answer("compare shop.yaml --methods sum,pcgrad --seeds 2 --out runs/y --json -q --threads 2");
    json_t *entries = json_object_get(one, "entries");
    assert_int_equal(6, json_array_size(entries));
    for (size_t i = 0; i < 6; i++) {
        json_t *a = json_array_get(entries, i), *b = json_array_get(json_object_get(two, "entries"), i);
        bool single = strcmp(json_string_value(json_object_get(a, "method")), "single") == 0;
        assert_true(json_equal(json_object_get(a, "tasks"), json_object_get(b, "tasks")));
        assert_true(json_equal(json_object_get(a, "delta_m"), json_object_get(b, "delta_m")));
        assert_int_equal(single, json_is_null(json_object_get(a, "delta_m")));
        assert_int_equal(single, json_is_null(json_object_get(a, "mean_rank")));
        assert_int_equal(3, json_array_size(json_object_get(a, "tasks")));
        assert_true(json_real_value(json_object_get(a, "seconds_per_step")) > 0);
    }
    json_decref(two);
    json_decref(one);
    assert_int_equal(0, truce("compare shop.yaml --seeds 1 --out runs/z -q"));
    assert_non_null(strstr(out, "each task alone"));
    assert_non_null(strstr(out, "delta_m"));
    assert_int_equal(0, truce("report runs/z --output page.html"));
    assert_true(io_exists("page.html"));
}

static void help_is_everywhere(void **state) {
    static const char *const commands[] = {"train",   "compare", "eval",   "predict",
                                           "inspect", "report",  "methods"};
    char line[64];
    (void)state;
    assert_int_equal(0, truce("--help"));
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        assert_non_null(strstr(out, commands[i]));
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        snprintf(line, sizeof line, "%s --help", commands[i]);
        assert_int_equal(0, truce(line));
        assert_non_null(strstr(out, "example:"));
        assert_non_null(strstr(out, "--json"));
    }
    assert_int_equal(0, truce("--version"));
    assert_non_null(strstr(out, truce_version()));
    assert_int_equal(0, truce("methods"));
    assert_int_equal(0, truce("methods cagrad"));
    assert_non_null(strstr(out, "2110.14048"));
    json_decref(answer("methods --json"));
}

/* One line each: what is typed (after files were made), exit code, and what the message must say. */
static void wrong_input_is_told(void **state) {
    static const struct {
        const char *arguments;
        int code;
        const char *message;
    } rows[] = {
        {"", 2, "truce COMMAND --help"},
        {"tarin shop.yaml", 2, "did you mean 'train'?"},
        {"train", 2, "give RECIPE.yaml"},
        {"train --resume runs/none", 1, "run.json is not there"},
        {"train shop.yaml --resume runs/none", 2, "give nothing else"},
        {"train shop.yaml more.yaml", 2, "'more.yaml' is one argument too many"},
        {"train shop.yaml --ot x", 2, "did you mean '--out'?"},
        {"train shop.yaml --out", 2, "needs a value"},
        {"train shop.yaml --threads zero", 2, "takes a whole number"},
        {"train absent.yaml", 1, "absent.yaml: No such file"},
        {"train shop.yaml --set train.epoch=3", 2, "did you mean 'epochs'?"},
        {"train shop.yaml --set train", 2, "--set train"},
        {"train shop.yaml --set train.balancer=pcgrat", 2, "did you mean 'pcgrad'?"},
        {"train shop.yaml --set train.rate=quick", 2, "takes a number, not 'quick'"},
        {"train shop.yaml --set tasks.kind.target=kin", 2, "kin"},
        {"train shop.yaml --set data.train=absent.csv", 1, "absent.csv"},
        {"train shop.yaml --set tasks.kind.kind=x", 2, "option 'kind' is not known"},
        {"compare shop.yaml --methods sum,magd", 2, "did you mean 'mgda'?"},
        {"compare shop.yaml --seeds 0", 2, "--seeds"},
        {"eval runs/none", 1, "run.json is not there"},
        {"eval runs/none --split tests", 2, "takes train, validation or test"},
        {"predict runs/none --output x.csv", 2, "--input FILE"},
        {"inspect absent.safetensors", 1, "absent.safetensors"},
        {"inspect shop.yaml", 1, "shop.yaml"},
        {"methods balancer", 2, "did you mean 'balancers'?"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int code = truce(rows[i].arguments);
        if (code != rows[i].code || !strstr(err, rows[i].message))
            fail_msg("truce %s: %d: %s", rows[i].arguments, code, err);
        assert_int_equal(0, system("test ! -e runs"));
    }
}

/* Damaged data: the file is named, with its line where there is one, and nothing is left behind. */
static void wrong_data_is_told(void **state) {
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "table.csv"},
        {"x1,x2,colour,size,kind,price\n", "table.csv"},
        {"x1,x2,colour,size,kind,price\n1,2,red,small,a\n", "table.csv:2"},
        {"x1,x2,colour,size,kind,price\n1,2,\"red,small,a,3\n", "table.csv:2"},
        {"x1,x2,colour,size,kind,price\n1,2,red,small,a,3\n1,2,red,large,a,3\n1,2,red,large,a,3\n"
         "1,2,red,small,a,3\n2,1,red,small,a,3\n1,2,blue,small,a,3\n",
         "task 'kind'"},
        {"x1,x2,colour,size,kind,price\nnan,2,red,small,a,?\n1,2,red,large,b,?\n1,2,red,large,a,?\n"
         "1,2,red,small,a,?\n2,1,red,small,b,?\n1,2,blue,small,a,?\n",
         "task 'price'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_write_text("table.csv", rows[i].text);
        int code = truce("train shop.yaml");
        if (code == 0 || !strstr(err, rows[i].message)) fail_msg("case %d: %d: %s", (int)i, code, err);
        assert_int_equal(0, system("test ! -e runs"));
    }
}

/* Files may not grow beyond 8 kB: the old model stays, the command says why, no temporary file is left. */
static void a_full_disk_loses_nothing(void **state) {
    (void)state;
    assert_int_equal(0, truce("train shop.yaml -q --out runs/shop"));
    assert_int_equal(0, system("cp runs/shop/model.safetensors kept.safetensors"));
    assert_int_equal(0, truce("predict runs/shop --input table.csv --output p.csv"));
    assert_int_equal(0, system("cp p.csv kept.csv"));
    char line[1024];
    snprintf(line, sizeof line,
             "ulimit -f 8; %s predict runs/shop --input table.csv --output p.csv >out.txt 2>err.txt",
             TEST_PROGRAM);
    assert_int_equal(1, WEXITSTATUS(system(line)));
    slurp("err.txt", err, sizeof err);
    assert_non_null(strstr(err, "p.csv: File too large"));
    assert_int_equal(0, system("cmp p.csv kept.csv"));
    snprintf(line, sizeof line, "ulimit -f 8; %s train shop.yaml -q --out runs/full >out.txt 2>err.txt",
             TEST_PROGRAM);
    assert_int_equal(1, WEXITSTATUS(system(line)));
    slurp("err.txt", err, sizeof err);
    assert_non_null(strstr(err, "runs/full/"));
    assert_int_equal(0, system("cmp runs/shop/model.safetensors kept.safetensors"));
    assert_int_equal(0, system("test -z \"$(find . -name '*.tmp*')\""));
}

#define COMMAND_TEST(function) cmocka_unit_test_setup_teardown(function, setup, test_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(a_run_is_trained_judged_and_used),
        COMMAND_TEST(new_rows_need_only_inputs),
        COMMAND_TEST(a_run_is_not_overwritten_by_chance),
        COMMAND_TEST(the_same_seed_gives_the_same_bits),
        COMMAND_TEST(methods_are_compared),
        COMMAND_TEST(help_is_everywhere),
        COMMAND_TEST(wrong_input_is_told),
        COMMAND_TEST(wrong_data_is_told),
        COMMAND_TEST(a_full_disk_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
