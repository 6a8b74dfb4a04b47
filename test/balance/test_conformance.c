/*
 * Runs conformance.json: known answers that any implementation of these methods can be held against. The file
 * explains its layout at its head.
 */
#include "balance/make.h"

#include <jansson.h>

typedef struct numbers {
    size_t n, width; /* rows and columns of a matrix; width 1 for a list */
    double *values;
} numbers;

static double number(const json_t *value) {
    return json_is_null(value) ? (double)NAN : json_number_value(value); /* null: no labels */
}

static numbers read_numbers(const json_t *list) {
    numbers out = {.n = json_array_size(list), .width = 1};
    if (json_is_array(json_array_get(list, 0))) out.width = json_array_size(json_array_get(list, 0));
    out.values = calloc(out.n * out.width + 1, sizeof *out.values);
    for (size_t i = 0; i < out.n; i++) {
        const json_t *row = json_array_get(list, i);
        for (size_t k = 0; k < out.width; k++)
            out.values[i * out.width + k] = number(json_is_array(row) ? json_array_get(row, k) : row);
    }
    return out;
}

typedef struct known_case {
    truce_context *context;
    const json_t *json;
    const char *name;
    double tolerance;
    int step;
    int failures;
    truce_balancer *balancer;
} known_case;

static void compare(known_case *c, const char *what, const json_t *expected, const double *found) {
    numbers list = read_numbers(expected);
    for (size_t i = 0; i < list.n; i++) {
        double unit = fmax(1, fabs(list.values[i]));
        if (fabs(found[i] - list.values[i]) <= c->tolerance * unit) continue;
        fprintf(stderr, "%s, step %d: %s[%d] is %.10g, not %.10g\n", c->name, c->step, what, (int)i, found[i],
                list.values[i]);
        c->failures++;
    }
    free(list.values);
}

static void run_step(known_case *c, const json_t *step) {
    static const char *const names[] = {"losses", "gramian", "cross_gramian", "validation_gramian",
                                        "scores", "jacobian"};
    numbers in[6];
    double w[MOST_TASKS], d[MOST_PARAMETERS];
    for (size_t i = 0; i < 6; i++) in[i] = read_numbers(json_object_get(step, names[i]));
    const double *field[6];
    for (size_t i = 0; i < 6; i++) field[i] = in[i].n ? in[i].values : NULL;
    truce_balance_input input = {.losses = field[0],
                                 .gramian = field[1],
                                 .cross_gramian = field[2],
                                 .validation_gramian = field[3],
                                 .scores = field[4],
                                 .dtype = TRUCE_FLOAT64,
                                 .jacobian = field[5],
                                 .n_parameters = (int64_t)in[5].width};
    input.learning_rate = json_number_value(json_object_get(step, "learning_rate"));
    const json_t *weights = json_object_get(step, "weights"), *direction = json_object_get(step, "direction");
    if (field[5])
        assert_ok(c->context, truce_balancer_aggregate(c->balancer, &input, d, w));
    else
        assert_ok(c->context, truce_balancer_weigh(c->balancer, &input, w));
    if (weights) compare(c, "weights", weights, w);
    if (direction) compare(c, "direction", direction, d);
    for (size_t i = 0; i < 6; i++) free(in[i].values);
    const json_t *after = json_object_get(step, "losses_after"),
                 *epoch = json_object_get(step, "epoch_losses");
    numbers told = read_numbers(after ? after : epoch);
    if (after) assert_ok(c->context, truce_balancer_observe(c->balancer, told.values));
    if (epoch) assert_ok(c->context, truce_balancer_end_epoch(c->balancer, told.values));
    free(told.values);
}

static int run_case(truce_context *context, const json_t *json) {
    known_case c = {.context = context, .json = json};
    c.name = json_string_value(json_object_get(json, "name"));
    c.tolerance = json_number_value(json_object_get(json, "tolerance"));
    if (!c.name || !(c.tolerance > 0)) fail_msg("a case lacks its name or tolerance");
    const char *key, *method = json_string_value(json_object_get(json, "method"));
    json_t *value;
    size_t i;
    int n_tasks = (int)json_integer_value(json_object_get(json, "tasks"));
    assert_ok(context, truce_balancer_create(context, method, n_tasks, &c.balancer));
    json_object_foreach(json_object_get(json, "options"), key, value)
        assert_ok(context, truce_balancer_set(c.balancer, key, json_string_value(value)));
    json_array_foreach(json_object_get(json, "steps"), i, value) {
        c.step = (int)i;
        run_step(&c, value);
    }
    truce_balancer_destroy(c.balancer);
    return c.failures;
}

static void all_known_answers_are_met(void **state) {
    json_error_t error;
    json_t *file =
        json_load_file(TEST_SOURCE_FOLDER "/test/balance/conformance.json", JSON_REJECT_DUPLICATES, &error);
    if (!file) fail_msg("conformance.json:%d: %s", error.line, error.text);
    json_t *cases = json_object_get(file, "cases"), *value;
    size_t i;
    int failures = 0;
    json_array_foreach(cases, i, value) failures += run_case(*state, value);
    assert_int_equal(0, failures);
    printf("%d cases\n", (int)json_array_size(cases));
    assert_true(json_array_size(cases) > 10);
    json_decref(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {TEST(all_known_answers_are_met)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
