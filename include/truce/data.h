/*
 * truce/data.h: rows with inputs and, per task, a target that may be missing.
 *
 * A data set holds n_rows rows. Each *input* is an array with one slice per row. Each *target* belongs to a
 * task. A missing target is NaN (regression, binary) or -1 (classes): it adds nothing to a loss, a gradient
 * or a metric. Every row belongs to one split.
 */
#ifndef TRUCE_DATA_H
#define TRUCE_DATA_H

#include "truce/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct truce_dataset truce_dataset;

typedef enum truce_split { TRUCE_TRAIN, TRUCE_VALIDATION, TRUCE_TEST } truce_split;
#define TRUCE_N_SPLITS 3

TRUCE_API const char *truce_split_name(truce_split split); /* "train", "validation", "test" */

typedef enum truce_input_kind {
    TRUCE_INPUT_NUMBERS,   /* float32, any row shape; images are [channels][height][width] in 0..1 */
    TRUCE_INPUT_CATEGORIES /* int32, row shape [n_columns]; value v of column c is 0 <= v < cardinality[c] */
} truce_input_kind;

typedef struct truce_input {
    const char *name;
    truce_input_kind kind;
    truce_shape row_shape;
    const int32_t *cardinality; /* TRUCE_INPUT_CATEGORIES: [row_shape.dims[0]] */
} truce_input;

typedef enum truce_target_kind {
    TRUCE_TARGET_REGRESSION, /* float32 [width] */
    TRUCE_TARGET_BINARY,     /* float32, 0 or 1 */
    TRUCE_TARGET_CLASSES     /* int32, 0 <= class < n_classes */
} truce_target_kind;

typedef struct truce_target {
    const char *name; /* of the task */
    truce_target_kind kind;
    int n_classes;                  /* TRUCE_TARGET_CLASSES; 2 for binary */
    const char *const *class_names; /* [n_classes], or NULL: 0, 1, ... */
    int width;                      /* TRUCE_TARGET_REGRESSION: numbers per row; 0 means 1 */
    double mean, scale; /* regression: in its own units = mean + scale * stored; scale 0 means 1 */
} truce_target;

/* Rows of a lazily made input: fills out[n][row size] for the given rows. Must depend on its arguments only.
 */
typedef truce_status (*truce_fill_fn)(void *user, const int64_t *rows, int64_t n, float *out);

/* An empty data set of n_rows rows, all of them in the training split. */
TRUCE_API truce_status truce_dataset_create(truce_context *context, int64_t n_rows, truce_dataset **out);
TRUCE_API void truce_dataset_destroy(truce_dataset *dataset);

/*
 * Adds an input and copies its description and its values: float [n_rows][row size], or int32_t for
 * categories. Names are unique within inputs, and within targets.
 */
TRUCE_API truce_status truce_dataset_add_input(truce_dataset *dataset, const truce_input *input,
                                               const void *values);

/*
 * Adds an input that is made when it is read (numbers only). `release` (may be NULL) is called with `user`
 * when the data set is destroyed, or at once if this call fails.
 */
TRUCE_API truce_status truce_dataset_add_lazy_input(truce_dataset *dataset, const truce_input *input,
                                                    truce_fill_fn fill, void *user,
                                                    void (*release)(void *user));

/* Adds a task's target and copies its values: float [n_rows][width], or int32_t [n_rows] for classes. */
TRUCE_API truce_status truce_dataset_add_target(truce_dataset *dataset, const truce_target *target,
                                                const void *values);

TRUCE_API int64_t truce_dataset_rows(const truce_dataset *dataset);
TRUCE_API int truce_dataset_inputs(const truce_dataset *dataset);
TRUCE_API int truce_dataset_targets(const truce_dataset *dataset);

/* Descriptions, owned by the data set. */
TRUCE_API const truce_input *truce_dataset_input(const truce_dataset *dataset, int i);
TRUCE_API const truce_target *truce_dataset_target(const truce_dataset *dataset, int i);
TRUCE_API int truce_dataset_find_target(const truce_dataset *dataset, const char *name); /* or -1 */

/* Gathers rows of an input: float or (categories) int32_t [n][row size]. Rows are below truce_dataset_rows.
 */
TRUCE_API truce_status truce_dataset_read_input(const truce_dataset *dataset, int i, const int64_t *rows,
                                                int64_t n, void *out);

/* Gathers rows of a target: float [n][width], or int32_t [n] for classes. */
TRUCE_API void truce_dataset_read_target(const truce_dataset *dataset, int i, const int64_t *rows, int64_t n,
                                         void *out);

/* Rows of a split in ascending order, owned by the data set. */
TRUCE_API const int64_t *truce_dataset_split_rows(const truce_dataset *dataset, truce_split split,
                                                  int64_t *n);

/* Puts each row into a split: splits [n_rows]. */
TRUCE_API truce_status truce_dataset_assign(truce_dataset *dataset, const truce_split *splits);

typedef enum truce_split_rule {
    TRUCE_SPLIT_RANDOM,     /* each row alone */
    TRUCE_SPLIT_STRATIFIED, /* by key: each key's rows are divided in the same proportion */
    TRUCE_SPLIT_GROUPED     /* by key: rows of one key stay together */
} truce_split_rule;

typedef struct truce_split_config {
    double validation, test; /* shares of the rows that are divided; 0 for none; sum below 1 */
    truce_split_rule rule;
    const int64_t *keys; /* [n_rows]; for the rules that need it */
    uint64_t seed;
} truce_split_config;

/*
 * Divides the rows that are now in the training split; rows already in another split stay there, so a given
 * test file and a drawn validation share go together. A share above 0 that is too small to put a row into its
 * split is an error, as is one that leaves no training rows. See docs/data.md for the exact rules.
 */
TRUCE_API truce_status truce_dataset_divide(truce_dataset *dataset, const truce_split_config *config);

/*
 * Standardises what is stored by mean and standard deviation over its present (finite) values in *training
 * rows*: stored = (value - mean) / scale. Numbers that are constant there only get their mean removed.
 *
 * An input must be numeric, stored and of one axis; each of its columns is treated apart. Outputs may be
 * NULL: mean and scale receive [row size] numbers.
 *
 * A regression target has one mean and scale for all its width, which the data set keeps: they lead back to
 * its own units, also after several standardisations.
 */
TRUCE_API truce_status truce_dataset_standardise_input(truce_dataset *dataset, int i, double *mean,
                                                       double *scale);
TRUCE_API truce_status truce_dataset_standardise_target(truce_dataset *dataset, int i);

/*
 * Checks that the data set can be trained on: training rows, inputs and targets exist, no NaN or infinity in
 * inputs, categories and labels in range, for every task at least one label in training rows that is not the
 * same for all of them, and no class that occurs outside the training rows only. Fails with TRUCE_ERROR_DATA
 * and a sentence that names input or task, class and row (rows count from 0).
 */
TRUCE_API truce_status truce_dataset_check(const truce_dataset *dataset);

/*
 * Generators. Row i depends on the configuration and i only; test rows come after the others and carry all
 * labels. Each configuration has a function that fills in its defaults; change what should differ. NULL
 * stands for the defaults. Formulas are in docs/data.md.
 */

typedef struct truce_glyphs_config {
    int64_t rows, test_rows; /* default 4000, 1000 */
    int64_t size;            /* pixels of a side, 8 .. 512; default 28 */
    int64_t n_classes;       /* different glyphs, 2 .. 10; default 10 */
    double noise;            /* standard deviation of pixel noise; default 0.15 */
    double missing;          /* share of training labels that are withheld, each task apart; default 0 */
    double spurious;         /* share of training rows whose background tells the left glyph; default 0 */
    int64_t seed;            /* default 0 */
} truce_glyphs_config;

TRUCE_API truce_glyphs_config truce_glyphs_defaults(void);

/*
 * Two overlapping handwritten digits drawn by strokes, under random affine changes, thickness and noise.
 * Input "image" [1][size][size]. Tasks: left, right (classes); same (binary: are they the same glyph); sum
 * (regression: of the two numbers); slant (regression: difference of their slants, in radians); ink
 * (regression: share of inked pixels). With `spurious` every image has a background texture, which goes with
 * the left glyph in that share of training rows and is random in the others and in test rows.
 */
TRUCE_API truce_status truce_glyphs_create(truce_context *context, const truce_glyphs_config *config,
                                           truce_dataset **out);

typedef struct truce_tabular_config {
    int64_t rows, test_rows; /* default 4000, 1000 */
    int64_t n_inputs;        /* at least n_tasks, at most 4096; default 20 */
    int64_t n_tasks;         /* at most 1024; default 4 */
    int64_t n_binary;        /* of the tasks, how many (the last) are binary; default 0 */
    double relatedness;      /* cosine between any two tasks' functions, -1/(n_tasks-1) .. 1; default 0.5 */
    double nonlinearity;     /* share of a target's variance that is not linear in the inputs; default 0.5 */
    double scale_ratio;      /* largest over smallest target scale; scales grow geometrically; default 1 */
    double noise;            /* noise variance over signal variance; default 0.1 */
    double overlap; /* share of training rows that carry all labels; the others carry one; default 1 */
    int64_t seed;   /* default 0 */
} truce_tabular_config;

TRUCE_API truce_tabular_config truce_tabular_defaults(void);

/*
 * Regression and binary tasks task1, task2, ... on Gaussian inputs "x" [n_inputs], with a chosen relation
 * between the tasks.
 */
TRUCE_API truce_status truce_tabular_create(truce_context *context, const truce_tabular_config *config,
                                            truce_dataset **out);

typedef struct truce_digit_pairs_config {
    const unsigned char *images; /* [n_images][28][28], borrowed while the call lasts; no default */
    const unsigned char *labels; /* [n_images], 0 .. 9; no default */
    int64_t n_images;
    int64_t n_test_images;   /* the last ones, which serve test pairs only; default (0): a fifth */
    int64_t rows, test_rows; /* default 10000, 2000 */
    int64_t size;            /* side of the canvas, 28 .. 512; default 36 */
    int64_t seed;            /* default 0 */
} truce_digit_pairs_config;

TRUCE_API truce_digit_pairs_config truce_digit_pairs_defaults(void);

/*
 * Multi-MNIST: pairs of digits, one at the top left and one at the bottom right of a 36 x 36 canvas
 * (pixelwise maximum), from a set of labelled 28 x 28 images. Input "image" [1][size][size], made when it is
 * read. Tasks left, right (10 classes).
 */
TRUCE_API truce_status truce_digit_pairs_create(truce_context *context,
                                                const truce_digit_pairs_config *config, truce_dataset **out);

#ifdef __cplusplus
}
#endif

#endif
