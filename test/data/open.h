/*
 * Sources from recipes that stand in a test.
 */
#ifndef TEST_DATA_OPEN_H
#define TEST_DATA_OPEN_H

#include "data/make.h"

#include "data/source.h"

/* Opens the source of a recipe; other keys of tasks: loss and weight. */
static inline truce_status open_text(truce_context *context, const char *recipe, data_source **out) {
    static const char *const others[] = {"loss", "weight", NULL};
    io_yaml_document *document = NULL;
    truce_status status = io_yaml_parse(context, recipe, strlen(recipe), "recipe.yaml", &document);
    if (status) return status;
    const data_request request = {io_yaml_root(document), NULL, others};
    status = data_source_open(context, &request, out);
    io_yaml_destroy(document);
    return status;
}

static inline data_source *open_recipe(truce_context *context, const char *recipe) {
    data_source *source = NULL;
    assert_ok(context, open_text(context, recipe, &source));
    return source;
}

#define assert_recipe_fails(context, status, text, recipe)                                                   \
    do {                                                                                                     \
        data_source *failed_source = NULL;                                                                   \
        assert_fails(context, status, text, open_text(context, recipe, &failed_source));                     \
        assert_null(failed_source);                                                                          \
    } while (0)

/* Input and target of a row. */
static inline float number_at(const data_source *source, int64_t row, int column) {
    float values[1000];
    if (truce_dataset_read_input(source->dataset, 0, &row, 1, values)) fail();
    return values[column];
}

static inline float target_at(const data_source *source, int task, int64_t row) {
    float value;
    truce_dataset_read_target(source->dataset, task, &row, 1, &value);
    return value;
}

static inline int32_t class_at(const data_source *source, int task, int64_t row) {
    int32_t value;
    truce_dataset_read_target(source->dataset, task, &row, 1, &value);
    return value;
}

#endif
