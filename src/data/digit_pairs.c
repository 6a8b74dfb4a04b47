/*
 * Multi-MNIST (Sabour et al., arXiv 1710.09829; as a two-task problem Sener and Koltun, arXiv 1810.04650):
 * one digit at the top left and another at the bottom right of one canvas, the brighter pixel winning.
 *
 * Row i draws its two images from the stream (seed, "digit pairs", i). Rows that are not test rows know the
 * first images only, test rows the last ones only, so no test pair shows a stroke that was trained on.
 * Validation rows, which are divided off later, share their images with the training rows.
 */
#include "base/rng.h"
#include "data/generators.h"

#include <string.h>

#define SIDE 28
#define IMAGE_PIXELS (SIDE * SIDE)
#define N_CLASSES 10
#define FIELD(name) offsetof(truce_digit_pairs_config, name)

static const truce_option option_rows[] = {
    {"rows", TRUCE_OPTION_INTEGER, "10000", NULL, 1, DATA_MAX_ROWS, "rows that are not test rows",
     FIELD(rows)},
    {"test_rows", TRUCE_OPTION_INTEGER, "2000", NULL, 0, DATA_MAX_ROWS, "test rows", FIELD(test_rows)},
    {"n_test_images", TRUCE_OPTION_INTEGER, "0", NULL, 0, DATA_MAX_ROWS,
     "how many images, the last, serve test pairs only; 0 means a fifth", FIELD(n_test_images)},
    {"size", TRUCE_OPTION_INTEGER, "36", NULL, SIDE, 512, "pixels of a side of the canvas", FIELD(size)},
    {"seed", TRUCE_OPTION_INTEGER, "0", NULL, 0, 0, "of everything random in the data", FIELD(seed)},
};
const base_options data_digit_pairs_options = {"digit_pairs", option_rows, BASE_COUNT(option_rows)};

truce_digit_pairs_config truce_digit_pairs_defaults(void) {
    truce_digit_pairs_config config = {0};
    base_option_defaults(&data_digit_pairs_options, &config);
    return config;
}

typedef struct pairs {
    truce_context *context;
    truce_digit_pairs_config config;
    unsigned char *images; /* a copy of the caller's */
    int64_t n_train_images;
} pairs;

static void release_pairs(void *user) {
    pairs *p = user;
    if (!p) return;
    base_free(p->context, p->images);
    base_free(p->context, p);
}

static void draw_pair(const pairs *p, int64_t row, int64_t pair[2]) {
    base_rng rng = base_rng_make((uint64_t)p->config.seed, "digit pairs", (uint64_t)row, 0);
    bool test = row >= p->config.rows;
    int64_t first = test ? p->n_train_images : 0;
    int64_t n = test ? p->config.n_images - p->n_train_images : p->n_train_images;
    for (int side = 0; side < 2; side++) pair[side] = first + (int64_t)base_rng_below(&rng, (uint64_t)n);
}

static void paste(const unsigned char *image, float *out, int64_t size) {
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float value = (float)image[y * SIDE + x] / 255;
            out[y * size + x] = BASE_MAX(out[y * size + x], value);
        }
}

static truce_status fill_pairs(void *user, const int64_t *rows, int64_t n, float *out) {
    const pairs *p = user;
    int64_t size = p->config.size, pair[2];
    memset(out, 0, (size_t)(n * size * size) * sizeof *out);
    for (int64_t i = 0; i < n; i++) {
        draw_pair(p, rows[i], pair);
        paste(p->images + pair[0] * IMAGE_PIXELS, out, size);
        paste(p->images + pair[1] * IMAGE_PIXELS, out + (size + 1) * (size - SIDE), size);
        out += size * size;
    }
    return TRUCE_OK;
}

static int64_t count_test_images(const truce_digit_pairs_config *config) {
    if (config->n_test_images) return config->n_test_images;
    return config->test_rows ? BASE_MAX(1, config->n_images / 5) : 0;
}

static truce_status check_config(truce_context *context, const truce_digit_pairs_config *config) {
    if (!config || !config->images || !config->labels)
        return base_fail(context, TRUCE_ERROR_ARGUMENT,
                         "digit pairs are made of images and labels; none are given");
    BASE_TRY(base_option_check(context, &data_digit_pairs_options, config));
    if (config->n_images <= count_test_images(config))
        return base_fail(context, TRUCE_ERROR_DATA,
                         "digit_pairs: of %lld images, %lld serve test pairs; none are left to train on",
                         (long long)config->n_images, (long long)count_test_images(config));
    for (int64_t i = 0; i < config->n_images; i++)
        if (config->labels[i] >= N_CLASSES)
            return base_fail(context, TRUCE_ERROR_DATA, "digit_pairs: label %d of image %lld is not a digit",
                             config->labels[i], (long long)i);
    return TRUCE_OK;
}

static truce_status copy_images(truce_context *context, const truce_digit_pairs_config *config, pairs **out) {
    pairs *p = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *p, &p));
    *p = (pairs){.context = context, .config = *config};
    p->n_train_images = config->n_images - count_test_images(config);
    truce_status status = base_alloc(context, (size_t)config->n_images, IMAGE_PIXELS, &p->images);
    if (status) {
        release_pairs(p);
        return status;
    }
    memcpy(p->images, config->images, (size_t)config->n_images * IMAGE_PIXELS);
    p->config.images = p->images;
    p->config.labels = NULL; /* only borrowed */
    *out = p;
    return TRUCE_OK;
}

static truce_status add_labels(truce_dataset *dataset, const pairs *p, const unsigned char *labels) {
    static const char *const names[2] = {"left", "right"};
    int64_t pair[2];
    for (int side = 0; side < 2; side++) {
        truce_target target = {.name = names[side], .kind = TRUCE_TARGET_CLASSES, .n_classes = N_CLASSES};
        int32_t *values = NULL;
        BASE_TRY(data_alloc_rows(p->context, dataset->n_rows, sizeof *values, &values));
        for (int64_t row = 0; row < dataset->n_rows; row++) {
            draw_pair(p, row, pair);
            values[row] = labels[pair[side]];
        }
        truce_status status = data_adopt_target(dataset, &target, values);
        if (status) {
            base_free_aligned(p->context, values);
            return status;
        }
    }
    return TRUCE_OK;
}

static truce_status add_pairs(truce_dataset *dataset, const truce_digit_pairs_config *config) {
    truce_input input = {.name = "image", .row_shape = {3, {1, config->size, config->size}}};
    pairs *p = NULL;
    BASE_TRY(copy_images(dataset->context, config, &p));
    truce_status status = add_labels(dataset, p, config->labels);
    if (status) {
        release_pairs(p);
        return status;
    }
    return truce_dataset_add_lazy_input(dataset, &input, fill_pairs, p, release_pairs);
}

truce_status truce_digit_pairs_create(truce_context *context, const truce_digit_pairs_config *config,
                                      truce_dataset **out) {
    truce_dataset *dataset = NULL;
    BASE_TRY(check_config(context, config));
    BASE_TRY(truce_dataset_create(context, config->rows + config->test_rows, &dataset));
    truce_status status = add_pairs(dataset, config);
    if (status) {
        truce_dataset_destroy(dataset);
        return status;
    }
    data_mark_test_rows(dataset, config->test_rows);
    *out = dataset;
    return TRUCE_OK;
}
