#include "data/open.h"

#include "io/array.h"

static void write_array(truce_context *context, const char *path, io_array_kind kind, truce_shape shape,
                        void *values) {
    io_array array = {kind, shape, values};
    assert_ok(context, io_npy_write(context, path, &array));
}

/* Ten rows of two numbers, a target of each kind, and groups. */
static void write_ten(truce_context *context) {
    static double x[20], y[10], wide[30];
    static float flag[10];
    static int32_t kind[10], group[10];
    for (int i = 0; i < 10; i++) {
        x[2 * i] = i;
        x[2 * i + 1] = 5;
        y[i] = i * i;
        flag[i] = i == 3 ? NAN : (float)(i % 2);
        kind[i] = i == 4 ? -1 : 10 * (i % 3);
        group[i] = i / 2;
        for (int c = 0; c < 3; c++) wide[3 * i + c] = i + 100 * c;
    }
    write_array(context, "x.npy", IO_ARRAY_F64, truce_shape_of(2, 10, 2), x);
    write_array(context, "y.npy", IO_ARRAY_F64, truce_shape_of(1, 10), y);
    write_array(context, "wide.npy", IO_ARRAY_F64, truce_shape_of(2, 10, 3), wide);
    write_array(context, "flag.npy", IO_ARRAY_F32, truce_shape_of(1, 10), flag);
    write_array(context, "kind.npy", IO_ARRAY_I32, truce_shape_of(1, 10), kind);
    write_array(context, "group.npy", IO_ARRAY_I32, truce_shape_of(1, 10), group);
}

static void arrays_become_inputs_and_targets(void **state) {
    truce_context *context = *state;
    write_ten(context);
    data_source *source = open_recipe(context, "data: {inputs: x.npy, missing: [-1]}\n"
                                               "tasks: {y: {type: regression}, flag: , kind: , wide: , "
                                               "third: {type: regression, target: wide.npy, column: 2, "
                                               "standardise: no}, ten: {target: kind.npy, positive: 10}}\n");
    static const truce_target_kind kinds[] = {TRUCE_TARGET_REGRESSION, TRUCE_TARGET_BINARY,
                                              TRUCE_TARGET_CLASSES,    TRUCE_TARGET_REGRESSION,
                                              TRUCE_TARGET_REGRESSION, TRUCE_TARGET_BINARY};
    for (int i = 0; i < 6; i++) assert_int_equal(kinds[i], truce_dataset_target(source->dataset, i)->kind);
    assert_near(number_at(source, 0, 0), -4.5 / sqrt(8.25), 1e-7);
    assert_true(number_at(source, 0, 1) == 0);
    assert_true(isnan(target_at(source, 1, 3)) && target_at(source, 1, 5) == 1);
    assert_true(class_at(source, 2, 4) == -1 && class_at(source, 2, 5) == 2);
    assert_string_equal("20", truce_dataset_target(source->dataset, 2)->class_names[2]);
    assert_int_equal(3, truce_dataset_target(source->dataset, 3)->width);
    assert_true(target_at(source, 4, 7) == 207);
    assert_true(target_at(source, 5, 1) == 1 && target_at(source, 5, 0) == 0 &&
                isnan(target_at(source, 5, 4)));
    const truce_target *wide = truce_dataset_target(source->dataset, 3);
    float values[3];
    const int64_t row = 7;
    truce_dataset_read_target(source->dataset, 3, &row, 1, values);
    for (int c = 0; c < 3; c++) assert_near(wide->mean + wide->scale * (double)values[c], 7 + 100 * c, 1e-5);
    data_source_destroy(source);
}

static void several_inputs_and_files_for_each_split(void **state) {
    truce_context *context = *state;
    static unsigned char image[10 * 4];
    static float two[4] = {1, 2, 3, 4}, targets[2] = {7, 9};
    static unsigned char two_images[2 * 4] = {255};
    write_ten(context);
    memset(image, 51, sizeof image);
    write_array(context, "image.npy", IO_ARRAY_U8, truce_shape_of(3, 10, 2, 2), image);
    write_array(context, "image2.npy", IO_ARRAY_U8, truce_shape_of(3, 2, 2, 2), two_images);
    write_array(context, "x2.npy", IO_ARRAY_F32, truce_shape_of(2, 2, 2), two);
    write_array(context, "y2.npy", IO_ARRAY_F32, truce_shape_of(1, 2), targets);
    data_source *source = open_recipe(
        context, "data: {inputs: {image: image.npy, x: x.npy}, standardise: no, validation: 0.2,\n"
                 "       test_inputs: {image: image2.npy, x: x2.npy}}\n"
                 "tasks: {y: {test_target: y2.npy, standardise: no, type: regression}}\n");
    assert_int_equal(12, truce_dataset_rows(source->dataset));
    assert_int_equal(2, count_split(source->dataset, TRUCE_VALIDATION));
    assert_int_equal(2, count_split(source->dataset, TRUCE_TEST));
    const truce_shape *shape = &truce_dataset_input(source->dataset, 0)->row_shape;
    assert_true(shape->n_dims == 3 && shape->dims[0] == 1 && shape->dims[2] == 2);
    assert_true(number_at(source, 0, 0) == 51.0f / 255 && number_at(source, 10, 0) == 1);
    assert_true(target_at(source, 0, 11) == 9);
    data_source_destroy(source);
}

static void rows_are_divided_by_tasks_or_arrays(void **state) {
    truce_context *context = *state;
    int64_t n;
    write_ten(context);
    data_source *source =
        open_recipe(context, "data: {inputs: x.npy, test: 0.4, split: grouped, split_by: group.npy}\n"
                             "tasks: {y: {type: regression}}\n");
    const int64_t *rows = truce_dataset_split_rows(source->dataset, TRUCE_TEST, &n);
    assert_int_equal(4, n);
    assert_true(rows[0] / 2 == rows[1] / 2 && rows[2] / 2 == rows[3] / 2);
    data_source_destroy(source);
    source = open_recipe(context, "data: {inputs: x.npy, test: 0.4, split: stratified, split_by: parity}\n"
                                  "tasks: {y: {type: regression}, parity: {target: flag.npy}}\n");
    rows = truce_dataset_split_rows(source->dataset, TRUCE_TEST, &n);
    assert_int_equal(4, n);
    data_source_destroy(source);
}

static void faults_are_named(void **state) {
    truce_context *context = *state;
    static float three[6], scalar[1];
    static double gaps[10] = {0, 1, NAN};
    write_ten(context);
    write_array(context, "three.npy", IO_ARRAY_F32, truce_shape_of(2, 3, 2), three);
    write_array(context, "narrow.npy", IO_ARRAY_F32, truce_shape_of(2, 6, 1), three);
    write_array(context, "scalar.npy", IO_ARRAY_F32, truce_shape_of(0), scalar);
    write_array(context, "gaps.npy", IO_ARRAY_F64, truce_shape_of(1, 10), gaps);
    static int32_t unseen[3] = {0, 10, 30};
    write_array(context, "unseen.npy", IO_ARRAY_I32, truce_shape_of(1, 3), unseen);
    test_write_text("bad.npy", "nonsense");
    static const struct {
        const char *recipe;
        truce_status status;
        const char *message;
    } rows[] = {
        {"data: {inputs: three.npy}\ntasks: {y: }\n", TRUCE_ERROR_SHAPE,
         "y.npy has 10 rows, but three.npy has 3"},
        {"data: {inputs: x.npy, test_inputs: narrow.npy}\ntasks: {y: {test_target: y.npy}}\n",
         TRUCE_ERROR_SHAPE, "narrow.npy has rows of [1], but the training rows are [2]"},
        {"data: {inputs: scalar.npy}\ntasks: {y: }\n", TRUCE_ERROR_SHAPE,
         "scalar.npy holds a single number, not rows"},
        {"data: {inputs: x.npy}\n", TRUCE_ERROR_FORMAT, "the recipe has no 'tasks'"},
        {"data: {inputs: [x.npy]}\ntasks: {y: }\n", TRUCE_ERROR_FORMAT, "'inputs' takes a file, or a map"},
        {"data: {inputs: {x: [x.npy]}}\ntasks: {y: }\n", TRUCE_ERROR_TYPE,
         "'inputs' takes the name of a file"},
        {"data: {inputs: x.npy}\ntasks: {z: }\n", TRUCE_ERROR_IO, "recipe.yaml:2: 'z.npy' was not found"},
        {"data: {inputs: x.npy}\ntasks: {'y*': }\n", TRUCE_ERROR_ARGUMENT,
         "a pattern does not name an array"},
        {"data: {inputs: x.npy, test_inputs: x.npy}\ntasks: {y: }\n", TRUCE_ERROR_ARGUMENT,
         "task 'y' and the inputs must both have test_target and test_inputs, or neither"},
        {"data: {inputs: {x: x.npy}, test_inputs: {z: x.npy}}\ntasks: {y: }\n", TRUCE_ERROR_NAME,
         "input 'x' has no file here"},
        {"data: {inputs: x.npy}\ntasks: {wide: {type: classes}}\n", TRUCE_ERROR_SHAPE,
         "has 3 columns; 'column' says which"},
        {"data: {inputs: x.npy}\ntasks: {wide: {column: 3}}\n", TRUCE_ERROR_RANGE,
         "has 3 columns, counted from 0"},
        {"data: {inputs: bad.npy}\ntasks: {y: }\n", TRUCE_ERROR_FORMAT, "bad.npy"},
        {"data: {inputs: gaps.npy}\ntasks: {y: {type: regression}}\n", TRUCE_ERROR_DATA,
         "NaN in input 'x' at row 2"},
        {"data: {inputs: x.npy, missing: [q]}\ntasks: {y: }\n", TRUCE_ERROR_TYPE,
         "'missing' takes at most 20 numbers here, not 'q'"},
        {"data: {inputs: x.npy, test: x.npy}\ntasks: {y: }\n", TRUCE_ERROR_TYPE, "'test' takes a share"},
        {"data: {inputs: x.npy, test: 0.2, split: grouped}\ntasks: {kind: }\n", TRUCE_ERROR_ARGUMENT,
         "needs 'split_by'"},
        {"data: {inputs: x.npy, test: 0.2, split: stratified, split_by: three.npy}\ntasks: {y: {type: "
         "regression}}\n",
         TRUCE_ERROR_SHAPE, "three.npy has 6 elements, but there are 10 rows to divide"},
        {"data: {inputs: x.npy, test_inputs: three.npy}\ntasks: {kind: {test_target: unseen.npy}}\n",
         TRUCE_ERROR_DATA, "unseen.npy: element 2: column 'kind.npy' holds '30', a class of task 'kind'"},
        {"data: {inputs: x.npy, nois: 1}\ntasks: {y: }\n", TRUCE_ERROR_NAME, "option 'nois' is not known"},
        {"data: {format: idx, images: x.npy}\n", TRUCE_ERROR_FORMAT,
         "IDX files come in pairs: 'images' and 'labels'"},
        {"data: {format: idx, labels: x.npy}\n", TRUCE_ERROR_FORMAT, "IDX files come in pairs"},
        {"data: {format: idx, images: x.npy, labels: y.npy}\ntasks: [a, b]\n", TRUCE_ERROR_ARGUMENT,
         "one task only"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_recipe_fails(context, rows[i].status, rows[i].message, rows[i].recipe);
}

static void write_idx(const char *images, const char *labels, int n, int n_classes) {
    static unsigned char bytes[16 + 100 * 6];
    const unsigned char head[16] = {0, 0, 8, 3, 0, 0, 0, (unsigned char)n, 0, 0, 0, 2, 0, 0, 0, 3};
    memcpy(bytes, head, 16);
    for (int i = 0; i < 6 * n; i++) bytes[16 + i] = (unsigned char)i;
    test_write_file(images, bytes, 16 + 6 * (size_t)n);
    const unsigned char label_head[8] = {0, 0, 8, 1, 0, 0, 0, (unsigned char)n};
    memcpy(bytes, label_head, 8);
    for (int i = 0; i < n; i++) bytes[8 + i] = (unsigned char)(i % n_classes);
    test_write_file(labels, bytes, 8 + (size_t)n);
}

static void idx_files_are_images_with_a_task(void **state) {
    truce_context *context = *state;
    write_idx("a-images-idx3-ubyte", "a-labels-idx1-ubyte", 40, 4);
    write_idx("b-images-idx3-ubyte", "b-labels-idx1-ubyte", 8, 4);
    data_source *source = open_recipe(
        context,
        "data: {images: a-images-idx3-ubyte, labels: a-labels-idx1-ubyte, validation: 0.25,\n"
        "       test_images: b-images-idx3-ubyte, test_labels: b-labels-idx1-ubyte, split: stratified}\n");
    assert_int_equal(48, truce_dataset_rows(source->dataset));
    assert_int_equal(10, count_split(source->dataset, TRUCE_VALIDATION));
    const truce_shape *shape = &truce_dataset_input(source->dataset, 0)->row_shape;
    assert_true(shape->n_dims == 3 && shape->dims[0] == 1 && shape->dims[1] == 2 && shape->dims[2] == 3);
    assert_true(number_at(source, 1, 0) == 6.0f / 255);
    assert_string_equal("label", truce_dataset_target(source->dataset, 0)->name);
    assert_true(class_at(source, 0, 6) == 2 && class_at(source, 0, 47) == 3);
    data_source_destroy(source);
    write_idx("a-images-idx3-ubyte", "a-labels-idx1-ubyte", 60, 30);
    source = open_recipe(context, "data: {images: a-images-idx3-ubyte, labels: a-labels-idx1-ubyte}\n"
                                  "tasks: {letter: }\n");
    assert_string_equal("letter", truce_dataset_target(source->dataset, 0)->name);
    assert_int_equal(30, truce_dataset_target(source->dataset, 0)->n_classes);
    data_source_destroy(source);
}

static void real_digits_are_read(void **state) {
    truce_context *context = *state;
    if (!test_data("mnist-t10k/t10k-images-idx3-ubyte.gz")) return;
    data_source *source = open_recipe(
        context, "name: mnist-t10k\n"
                 "data: {images: t10k-images-idx3-ubyte.gz, labels: t10k-labels-idx1-ubyte.gz, test: 0.2}\n");
    static const int first[] = {7, 2, 1, 0, 4, 1, 4, 9, 5, 9};
    for (int i = 0; i < 10; i++) assert_int_equal(first[i], class_at(source, 0, i));
    assert_int_equal(10, truce_dataset_target(source->dataset, 0)->n_classes);
    data_source_destroy(source);
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    data_source *source = NULL;
    write_ten(context);
    write_idx("a-images-idx3-ubyte", "a-labels-idx1-ubyte", 8, 4);
    assert_survives_failing_allocations(
        context,
        open_text(context,
                  "data: {inputs: x.npy, test: 0.2, split: stratified, split_by: group.npy, missing: [-1], "
                  "unseen: missing}\n"
                  "tasks: {y: , flag: {type: binary, positive: 1}, kind: , wide: }\n",
                  &source),
        data_source_destroy(source));
    assert_survives_failing_allocations(
        context,
        open_text(context, "data: {images: a-images-idx3-ubyte, labels: a-labels-idx1-ubyte}\n", &source),
        data_source_destroy(source));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(arrays_become_inputs_and_targets),    TEST(several_inputs_and_files_for_each_split),
        TEST(rows_are_divided_by_tasks_or_arrays), TEST(faults_are_named),
        TEST(idx_files_are_images_with_a_task),    TEST(real_digits_are_read),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
