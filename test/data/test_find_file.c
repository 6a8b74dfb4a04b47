#include "data/make.h"

#include "base/memory.h"
#include "data/find_file.h"
#include "io/file.h"

#include <sys/stat.h>
#include <unistd.h>

static void lay_out(void) {
    mkdir("shared", 0777), mkdir("shared/adult", 0777), mkdir("recipes", 0777);
    test_write_text("shared/a", "");
    test_write_text("shared/adult/b", "");
    test_write_text("c", "");
    test_write_text("recipes/d", "");
}

static void assert_found(truce_context *context, const data_places *places, const char *file,
                         const char *path) {
    char *found = NULL;
    assert_ok(context, data_find_file(context, places, file, &found));
    assert_string_equal(path, found);
    base_free(context, found);
}

static void files_are_found_in_each_place_in_turn(void **state) {
    truce_context *context = *state;
    const data_places places = {"adult", "recipes/adult.yaml"};
    lay_out();
    setenv("TRUCE_DATA", "shared", 1);
    assert_found(context, &places, "a", "shared/a");
    assert_found(context, &places, "b", "shared/adult/b");
    assert_found(context, &places, "c", "c");
    assert_found(context, &places, "d", "recipes/d");
    test_write_text("shared/d", "");
    assert_found(context, &places, "d", "shared/d");
    assert_int_equal(0, unlink("shared/d"));
    char here[1024], absolute[1100];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(absolute, sizeof absolute, "%s/c", here);
    assert_found(context, &places, absolute, absolute);
}

static void what_is_missing_is_said_with_where_it_was_looked_for(void **state) {
    truce_context *context = *state;
    const data_places places = {"adult", "recipes/adult.yaml"}, none = {NULL, NULL};
    char *found = NULL;
    lay_out();
    setenv("TRUCE_DATA", "shared", 1);
    assert_fails(
        context, TRUCE_ERROR_IO,
        "'x.csv' was not found; it was looked for as shared/x.csv, shared/adult/x.csv, x.csv, recipes/x.csv",
        data_find_file(context, &places, "x.csv", &found));
    unsetenv("TRUCE_DATA");
    assert_fails(context, TRUCE_ERROR_IO, "looked for as x.csv (set TRUCE_DATA to the folder",
                 data_find_file(context, &none, "x.csv", &found));
    assert_fails(context, TRUCE_ERROR_IO, "looked for as /nowhere/x",
                 data_find_file(context, &places, "/nowhere/x", &found));
    assert_null(found);
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    const data_places places = {"adult", "recipes/adult.yaml"};
    char *found = NULL;
    lay_out();
    setenv("TRUCE_DATA", "shared", 1);
    assert_survives_failing_allocations(context, data_find_file(context, &places, "d", &found),
                                        base_free(context, found));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(files_are_found_in_each_place_in_turn),
        TEST(what_is_missing_is_said_with_where_it_was_looked_for),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
