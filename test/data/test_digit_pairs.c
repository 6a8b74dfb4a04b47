#include "data/make.h"

enum { N_IMAGES = 50, SIDE = 28, PIXELS = SIDE * SIDE };

static unsigned char images[N_IMAGES * PIXELS], labels[N_IMAGES];

/* Image i is grey 5 i + 5 all over, and its label is i mod 10. */
static truce_digit_pairs_config plain_images(void) {
    truce_digit_pairs_config config = truce_digit_pairs_defaults();
    for (int i = 0; i < N_IMAGES; i++) {
        memset(images + i * PIXELS, 5 * i + 5, PIXELS);
        labels[i] = (unsigned char)(i % 10);
    }
    config.images = images;
    config.labels = labels;
    config.n_images = N_IMAGES;
    config.rows = 2000;
    config.test_rows = 500;
    return config;
}

static truce_dataset *make(truce_context *context, const truce_digit_pairs_config *config) {
    truce_dataset *dataset = NULL;
    assert_ok(context, truce_digit_pairs_create(context, config, &dataset));
    return dataset;
}

static int image_of(float grey) {
    return (int)lrintf(grey * 255) / 5 - 1;
}

static void pairs_are_pasted_at_the_corners_with_their_labels(void **state) {
    truce_context *context = *state;
    truce_digit_pairs_config config = plain_images();
    truce_dataset *dataset = make(context, &config);
    memset(images, 0, sizeof images); /* only borrowed by the call */
    assert_int_equal(500, count_split(dataset, TRUCE_TEST));
    assert_string_equal("left", truce_dataset_target(dataset, 0)->name);
    assert_int_equal(10, truce_dataset_target(dataset, 1)->n_classes);
    float *pixels = read_all_inputs(context, dataset, 0);
    int32_t *left = read_all_targets(dataset, 0), *right = read_all_targets(dataset, 1);
    int used[N_IMAGES] = {0};
    for (int i = 0; i < 2500; i++) {
        const float *p = pixels + i * 36 * 36;
        int a = image_of(p[0]), b = image_of(p[36 * 36 - 1]);
        assert_int_equal(a % 10, left[i]);
        assert_int_equal(b % 10, right[i]);
        assert_true(i < 2000 ? a < 40 && b < 40 : a >= 40 && b >= 40);
        assert_true(p[35] == 0 && p[7 * 36 + 28] == 0); /* right of the one, above the other */
        assert_true(p[18 * 36 + 18] == fmaxf(p[0], p[36 * 36 - 1]));
        used[a]++;
        used[b]++;
    }
    for (int i = 0; i < N_IMAGES; i++) assert_true(used[i] > 50);
    assert_ok(context, truce_dataset_check(dataset));
    free(pixels), free(left), free(right);
    truce_dataset_destroy(dataset);
}

static void any_order_gives_the_same_images(void **state) {
    truce_context *context = *state;
    truce_digit_pairs_config config = plain_images();
    config.size = 28;
    truce_dataset *dataset = make(context, &config);
    const int64_t rows[] = {1234, 17, 1234}, single = 17;
    float several[3 * PIXELS], one[PIXELS];
    assert_ok(context, truce_dataset_read_input(dataset, 0, rows, 3, several));
    assert_ok(context, truce_dataset_read_input(dataset, 0, &single, 1, one));
    assert_memory_equal(several + PIXELS, one, sizeof one);
    assert_memory_equal(several, several + 2 * PIXELS, sizeof one);
    truce_dataset_destroy(dataset);
}

static void test_images_default_to_a_fifth_and_may_be_chosen(void **state) {
    truce_context *context = *state;
    truce_digit_pairs_config config = plain_images();
    config.n_test_images = 1;
    config.size = 56;
    truce_dataset *dataset = make(context, &config);
    float *pixels = read_all_inputs(context, dataset, 0);
    for (int i = 2000; i < 2500; i++) assert_int_equal(N_IMAGES - 1, image_of(pixels[i * 56 * 56]));
    free(pixels);
    truce_dataset_destroy(dataset);
    config.test_rows = config.n_test_images = 0;
    config.n_images = 1;
    truce_dataset_destroy(make(context, &config));
}

static void configurations_that_cannot_be_are_refused(void **state) {
    truce_context *context = *state;
    truce_digit_pairs_config config = plain_images();
    truce_dataset *dataset = NULL;
    assert_fails(context, TRUCE_ERROR_ARGUMENT, "none are given",
                 truce_digit_pairs_create(context, NULL, &dataset));
    config.rows = 0;
    assert_fails(context, TRUCE_ERROR_RANGE, "'rows'", truce_digit_pairs_create(context, &config, &dataset));
    config = plain_images();
    config.size = 27;
    assert_fails(context, TRUCE_ERROR_RANGE, "'size'", truce_digit_pairs_create(context, &config, &dataset));
    config = plain_images();
    config.n_test_images = N_IMAGES;
    assert_fails(context, TRUCE_ERROR_DATA, "of 50 images, 50 serve test pairs; none are left",
                 truce_digit_pairs_create(context, &config, &dataset));
    config.n_test_images = -1;
    assert_fails(context, TRUCE_ERROR_RANGE, "'n_test_images'",
                 truce_digit_pairs_create(context, &config, &dataset));
    config = plain_images();
    config.n_images = 0;
    assert_fails(context, TRUCE_ERROR_DATA, "of 0 images",
                 truce_digit_pairs_create(context, &config, &dataset));
    config = plain_images();
    config.rows = 1000000000000000;
    assert_fails(context, TRUCE_ERROR_MEMORY, "out of memory",
                 truce_digit_pairs_create(context, &config, &dataset));
    config = plain_images();
    labels[31] = 10;
    assert_fails(context, TRUCE_ERROR_DATA, "label 10 of image 31 is not a digit",
                 truce_digit_pairs_create(context, &config, &dataset));
    assert_null(dataset);
}

static void every_allocation_may_fail(void **state) {
    truce_context *context = *state;
    truce_digit_pairs_config config = plain_images();
    truce_dataset *dataset = NULL;
    assert_survives_failing_allocations(context, truce_digit_pairs_create(context, &config, &dataset),
                                        truce_dataset_destroy(dataset));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(pairs_are_pasted_at_the_corners_with_their_labels),
        TEST(any_order_gives_the_same_images),
        TEST(test_images_default_to_a_fifth_and_may_be_chosen),
        TEST(configurations_that_cannot_be_are_refused),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
