/*
 * A trainer and its parts. Life and interface are in trainer.c, one step in step.c, epochs in loop.c, judging
 * in evaluate.c, the run's folder in folder.c.
 */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "data/source.h"
#include "model/model.h"
#include "train/history.h"
#include "train/metrics.h"
#include "train/recipe.h"
#include "truce/balance.h"

/* What a trainer is made from; `truce_trainer_create` fills in all but the first two by defaults. */
typedef struct train_config {
    truce_recipe *recipe;
    truce_dataset *dataset; /* NULL: the recipe's data */
    bool unchecked;         /* rows to predict need not be fit for training */
    const int *targets;     /* which targets are trained; NULL: all */
    int n_targets;
    const char *balancer; /* instead of the recipe's, with default options; NULL: the recipe's */
    int64_t seed;         /* instead of the recipe's; TRAIN_SEED_UNSET: the recipe's */
} train_config;

/* The best parameters so far. */
typedef struct train_best {
    void *block, *state; /* copies */
    double criterion;    /* smaller is better */
    int64_t epoch;       /* -1: none yet */
} train_best;

struct truce_trainer {
    truce_context *context;
    truce_recipe *recipe;
    bool owns_recipe, owns_dataset;
    data_source *source; /* NULL where the caller gave the data set */
    truce_dataset *dataset;
    train_settings settings;
    uint64_t seed;
    model *model;
    const char **task_names; /* [T], borrowed */
    truce_parameters *parameters;
    truce_program *train_program, *eval_program;
    truce_balancer *balancer;
    truce_optimizer *optimizer;
    truce_schedule schedule;
    truce_own_gradient own;
    unsigned needs;
    bool compares; /* gradients are compared on some batches */
    /* room for one step */
    double *losses, *weights, *gramian; /* [T], [T], [T][T] */
    double *conflict_sums;              /* [T][T] cosines of this epoch, */
    double *norm_sums;                  /* [T] norms of gradients on the shared parameters, as many as */
    int64_t *conflict_counts;           /* [T][T] and how many there were */
    double *loss_sums;                  /* [T] over labelled batches of this epoch, */
    int64_t *loss_counts;               /* [T] and how many there were */
    double *weight_sums;                /* [T] over this epoch's steps */
    int64_t *order;                     /* [n_train] training rows in the order of this epoch */
    int64_t n_train;
    void *wide; /* floats on their way to a float64 program */
    /* judging */
    double *baseline; /* [T] loss of the best constant prediction on validation rows */
    train_best best;
    train_history history;
    int64_t step, epoch, epoch_begin; /* steps taken; epoch, and the step at which it began */
    double step_seconds;              /* spent in steps so far */
    io_store *store;                  /* while a run is recorded, else NULL */
    int64_t run;                      /* its number in the store */
    char *what;                       /* for progress: "adult, cagrad, seed 0" */
};

truce_status train_create(truce_context *context, const train_config *config, truce_trainer **out);

/* One step on rows [n]. With `compare`, cosines of the tasks' gradients are added to the epoch's. */
truce_status train_step(truce_trainer *trainer, const int64_t *rows, int64_t n, bool compare);

/* Puts rows into a program's inputs and targets. */
truce_status train_fill(truce_trainer *trainer, truce_program *program, const int64_t *rows, int64_t n);

/* All tasks' outputs and losses over some rows. */
typedef struct train_judgement {
    train_predictions *predictions; /* [T]; arrays are owned by the judgement */
    double *losses;                 /* [T] means over labelled rows; NaN without any */
    int n_tasks;
} train_judgement;

truce_status train_judge(truce_trainer *trainer, const int64_t *rows, int64_t n, train_judgement *out);
void train_judgement_free(truce_context *context, train_judgement *judgement);

/* What is made smaller by training: see `criterion` in docs/recipes.md. */
truce_status train_criterion(truce_trainer *trainer, const train_judgement *judgement, double *out);

/* Checks the criterion's name and prepares the baselines. */
truce_status train_criterion_prepare(truce_trainer *trainer);

/* Epochs until the end, patience, or trouble. `folder` may be NULL. */
truce_status train_loop(truce_trainer *trainer, const char *folder);

/* Keeps the parameters as the best ones, or brings the best ones back. */
truce_status train_keep_best(truce_trainer *trainer, double criterion);
void train_restore_best(truce_trainer *trainer);

/* The metrics of a task by which methods are compared: those of its `metrics:`, or the usual one. */
truce_status train_counted_metrics(truce_context *context, const truce_recipe *recipe,
                                   const truce_target *target, const train_metric *metrics[TRUCE_MAX_METRICS],
                                   int *n);

/* Notes for the page of a run: its data, its model, the metrics that count. `source` may be NULL. */
truce_status train_record_notes(truce_trainer *trainer, const data_source *source, io_store *store,
                                int64_t run);

/* Writes the parameters as they are into the run's folder; writes what was recorded since the last time. */
truce_status train_folder_save_model(truce_trainer *trainer, const char *folder);
truce_status train_record_flush(truce_trainer *trainer);

#endif
