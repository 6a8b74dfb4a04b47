/*
 * truce/train.h: training one network for several tasks, judging it, and using it.
 *
 * What to train is told by a recipe, in YAML: from a file, or a text in the program. docs/recipes.md lists
 * every key.
 *
 *     truce_recipe_parse(context, "train: {balancer: cagrad, epochs: 20}", &recipe);
 *     truce_trainer_create(context, recipe, dataset, &trainer);
 *     truce_trainer_run(trainer, NULL);
 *     truce_trainer_evaluate(trainer, TRUCE_TEST, results);
 */
#ifndef TRUCE_TRAIN_H
#define TRUCE_TRAIN_H

#include "truce/data.h"
#include "truce/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct truce_recipe truce_recipe;

/* Reads a recipe from a file, or from a text. Errors name file and line. */
TRUCE_API truce_status truce_recipe_read(truce_context *context, const char *path, truce_recipe **out);
TRUCE_API truce_status truce_recipe_parse(truce_context *context, const char *text, truce_recipe **out);

/* Sets one value by its path: "train.balancer=pcgrad", "model.trunk.widths=[32, 32]". */
TRUCE_API truce_status truce_recipe_set(truce_recipe *recipe, const char *assignment);
TRUCE_API void truce_recipe_destroy(truce_recipe *recipe);

typedef struct truce_metric {
    const char *name; /* "accuracy" */
    double value;     /* NaN where it is not defined, for example without labels */
    int higher_is_better;
} truce_metric;

#define TRUCE_MAX_METRICS 16

/* How well one task does on some rows. */
typedef struct truce_task_result {
    const char *task;
    int64_t n_labelled;
    int n_metrics;
    truce_metric metrics[TRUCE_MAX_METRICS];
} truce_task_result;

typedef struct truce_trainer truce_trainer;

/*
 * Prepares a training. `dataset` may be NULL: the recipe's `data:` section then says where the rows come
 * from. Recipe and data set are borrowed until the trainer is destroyed.
 */
TRUCE_API truce_status truce_trainer_create(truce_context *context, truce_recipe *recipe,
                                            truce_dataset *dataset, truce_trainer **out);
TRUCE_API void truce_trainer_destroy(truce_trainer *trainer);

/*
 * Trains. The trainer then holds the parameters that were best on validation rows (the last ones without such
 * rows). With a folder, the run is written there: model.safetensors, recipe.yaml, encoding.json, run.sqlite.
 * On NaN or infinity it stops with TRUCE_ERROR_NUMERIC and a message that names task, step and tensor; the
 * best parameters so far stay.
 */
TRUCE_API truce_status truce_trainer_run(truce_trainer *trainer, const char *folder);

/* Opens a run that was written by truce_trainer_run, to evaluate or predict. */
TRUCE_API truce_status truce_trainer_open(truce_context *context, const char *folder, truce_trainer **out);

/*
 * Opens a run to use its model on rows of other files, which are encoded as the training rows were and stand
 * in the test split; targets may be absent. The training data is not needed.
 */
TRUCE_API truce_status truce_trainer_open_files(truce_context *context, const char *folder,
                                                const char *const *paths, int n_paths, truce_trainer **out);

/* The rows that a trainer works on, owned by it or by whoever gave them. */
TRUCE_API truce_dataset *truce_trainer_dataset(truce_trainer *trainer);

/* Numbers per row that truce_trainer_predict gives for a task. */
TRUCE_API int truce_trainer_outputs(const truce_trainer *trainer, int task);

/* The epoch (from 1) whose parameters were best, 0 before training; seconds per step so far. */
TRUCE_API int64_t truce_trainer_best_epoch(const truce_trainer *trainer);
TRUCE_API double truce_trainer_seconds_per_step(const truce_trainer *trainer);

/*
 * Opens a run that was cut off, at its last checkpoint (at its beginning, if there is none yet);
 * truce_trainer_run with the same folder then ends in the same bits as a training that was never cut off.
 */
TRUCE_API truce_status truce_trainer_resume(truce_context *context, const char *folder, truce_trainer **out);

TRUCE_API int truce_trainer_tasks(const truce_trainer *trainer);
TRUCE_API const truce_target *truce_trainer_task(const truce_trainer *trainer, int task);

/* Metrics of every task on a split, [n_tasks]. Names are owned by the trainer. */
TRUCE_API truce_status truce_trainer_evaluate(truce_trainer *trainer, truce_split split,
                                              truce_task_result *results);

/*
 * Predictions for rows of the trainer's data set: classes, probabilities [n][n_classes]; binary, the
 * probability of 1 [n]; regression, numbers in the target's own units [n][width].
 */
TRUCE_API truce_status truce_trainer_predict(truce_trainer *trainer, int task, const int64_t *rows, int64_t n,
                                             float *out);

/* The trained parameters, owned by the trainer. */
TRUCE_API truce_parameters *truce_trainer_parameters(truce_trainer *trainer);

/* ---- comparing methods --------------------------------------------------------------------------------- */

typedef struct truce_comparison truce_comparison;

typedef struct truce_compare_config {
    const char *const
        *methods; /* names of balancers; NULL: the recipe's `compare:` section, or sum and the recipe's */
    int n_methods;
    int n_seeds;        /* 0: the recipe's, or 3; seeds are 0, 1, ... after the recipe's own */
    const char *folder; /* where the record goes (run.sqlite); NULL: nowhere */
} truce_compare_config;

/* One training: a method with a seed, or one task alone. */
typedef struct truce_compare_entry {
    const char *method; /* "single" for tasks alone: one entry per seed, made of one training per task */
    int64_t seed;
    const char *failure; /* why it stopped, or NULL */
    const truce_task_result
        *results; /* [n_tasks] on the test rows, of the parameters best on validation rows */
    double delta_m, delta_p, mean_rank; /* NaN for single */
    double seconds_per_step;
    int64_t best_epoch;
} truce_compare_entry;

/*
 * Trains every method with every seed, and each task alone with every seed for reference, several at a time
 * on the context's threads. A training that fails is an entry with its failure; the others go on.
 */
TRUCE_API truce_status truce_compare(truce_context *context, truce_recipe *recipe,
                                     const truce_compare_config *config, truce_comparison **out);
TRUCE_API void truce_comparison_destroy(truce_comparison *comparison);

TRUCE_API int truce_comparison_tasks(const truce_comparison *comparison);
TRUCE_API int truce_comparison_count(const truce_comparison *comparison);
TRUCE_API const truce_compare_entry *truce_comparison_at(const truce_comparison *comparison, int i);

/* The metrics that deltas and ranks are made of: the k-th one's task and name; 0 past the end, else 1. */
TRUCE_API int truce_comparison_metric(const truce_comparison *comparison, int k, int *task,
                                      const char **name);

#ifdef __cplusplus
}
#endif

#endif
