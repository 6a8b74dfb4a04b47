/*
 * Recipes: which sections there are, and the `train:` section as a struct.
 */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

#include "io/yaml.h"
#include "truce/optim.h"
#include "truce/train.h"

struct truce_recipe {
    truce_context *context;
    io_yaml_document *document;
    char *path; /* NULL if it was a text */
};

typedef enum train_heads { TRAIN_HEADS_METHOD, TRAIN_HEADS_OWN, TRAIN_HEADS_WEIGHTED } train_heads;

/* The `train:` section. */
typedef struct train_settings {
    int64_t epochs, batch, eval_batch, seed, conflicts, patience;
    double rate, clip, checkpoint;
    int heads;     /* train_heads */
    int precision; /* 0: float32, 1: float64 */
    const char *criterion;
    const char *balancer, *optimizer;
    const io_yaml *balancer_settings, *optimizer_settings; /* may be NULL */
    const io_yaml *balancer_at, *optimizer_at;             /* where they stand, may be NULL */
    struct {
        int kind;             /* truce_schedule_kind */
        double warmup, every; /* epochs */
        double factor, floor;
    } schedule;
} train_settings;

/* Reads the section; every key is checked. */
truce_status train_settings_read(truce_context *context, const truce_recipe *recipe, train_settings *out);

/* The options of the section for documentation: the plain ones, and those of `schedule`. */
extern const base_options train_options, train_schedule_options;

/* A section of the recipe, or NULL. */
const io_yaml *train_section(const truce_recipe *recipe, const char *name);

/* The recipe's `name:`, or the name of its file without folder and ending, or "run". */
truce_status train_recipe_name(truce_context *context, const truce_recipe *recipe, char **out);

/* Keys of a task's settings that are not the data's; NULL-terminated. */
extern const char *const train_task_keys[];

/* A seed of the `train:` section that is not set follows the context. */
#define TRAIN_SEED_UNSET (-1)

#endif
