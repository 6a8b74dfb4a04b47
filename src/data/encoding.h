/*
 * What was fitted on training rows: how the values of a file become inputs and targets.
 *
 * An encoding is saved with a model (as JSON, see docs/data.md) and applied to other files for prediction and
 * evaluation. The same code encodes the training data, so the same file gives the same bits.
 */
#ifndef DATA_ENCODING_H
#define DATA_ENCODING_H

#include "data/dataset.h"
#include "data/table.h"

/* An input column of a table. */
typedef struct data_feature {
    const char *name;
    bool category;         /* else a number */
    double mean, scale;    /* number: encoded = (value - mean) / scale */
    double fill;           /* number: stands in for a missing value */
    bool flagged;          /* number: a column that says whether it is missing comes after it */
    bool by_number;        /* category: texts are numbers, so 1 and 1.0 are the same */
    base_names categories; /* category: known texts, in order; others are unknown */
    int first, width;      /* columns in the input that it goes to */
} data_feature;

/* An input that comes as an array. */
typedef struct data_array {
    const char *name;
    truce_shape shape;    /* of a row */
    double *mean, *scale; /* [row size]; NULL: as it is */
} data_array;

/* A task's target. */
typedef struct data_label {
    const char *name;   /* of the task */
    const char *column; /* of the file */
    truce_target_kind kind;
    bool by_number;      /* classes, binary: texts are numbers, so 1 and 1.0 are the same */
    base_names classes;  /* classes, binary: names by class */
    base_names positive; /* binary: texts that mean 1, any other 0; empty: `classes` says both */
    double mean, scale;  /* regression */
    int width;
} data_label;

typedef enum data_impute { DATA_IMPUTE_MEAN, DATA_IMPUTE_REFUSE } data_impute;
typedef enum data_unseen { DATA_UNSEEN_ERROR, DATA_UNSEEN_MISSING } data_unseen;

typedef struct data_encoding {
    truce_context *context;
    base_pool pool; /* of texts below */
    bool is_table;  /* else arrays */
    bool has_header;
    char delimiter;          /* 0: by the file's name */
    base_names file_columns; /* all columns of the file it was fitted on */
    data_texts missing;
    int impute, unseen; /* data_impute, data_unseen */
    bool embed;         /* categories go to an input of their own, else one column for each category */
    data_feature *features;
    int n_features;
    data_array *arrays;
    int n_arrays;
    data_label *labels;
    int n_labels;
} data_encoding;

/* An empty encoding with room for so many of each. */
truce_status data_encoding_create(truce_context *context, int n_features, int n_arrays, int n_labels,
                                  data_encoding **out);
void data_encoding_destroy(data_encoding *encoding);

/* Sets where every feature goes in its input; called once the features are known. */
void data_encoding_arrange(data_encoding *encoding);

/* Columns of the input of numbers, and of the input of categories. */
int data_encoding_numbers(const data_encoding *encoding);
int data_encoding_categories(const data_encoding *encoding);

/* Which of the known texts this is, or -1. */
int64_t data_find_value(const base_names *known, bool by_number, const char *text);

/*
 * Adds inputs, or a target, to a data set whose rows are those of the table. Column i of the table holds
 * feature i; a label's is given by its number, -1 for one that is not there: all its values are missing.
 */
truce_status data_encode_features(const data_encoding *encoding, const data_table *table,
                                  truce_dataset *dataset);
truce_status data_encode_label(const data_encoding *encoding, const data_label *label,
                               const data_table *table, int column, truce_dataset *dataset);

/*
 * A table for the encoding's columns, without rows: features, then labels (which files may lack if so said),
 * then `n_more` for the caller to describe.
 */
truce_status data_encoding_table(const data_encoding *encoding, int n_more, bool labels_optional,
                                 data_table *out);

/* "age", "age missing", "workclass=Private": column c of the input of numbers, appended. */
void data_encoding_column_name(const data_encoding *encoding, int c, base_text *out);

/* As JSON, appended; and back. `name` stands for where the text is from in messages. */
truce_status data_encoding_save(const data_encoding *encoding, base_text *out);
truce_status data_encoding_load(truce_context *context, const char *json, size_t n, const char *name,
                                data_encoding **out);

/*
 * A data set of new files, all of its rows in the test split. For a table: its rows, file after file, with
 * columns found by name, or by position where the files have no header; columns of targets may be absent. For
 * arrays: one file (.npy or IDX) for each input, in order; no targets.
 */
truce_status data_encoding_apply(const data_encoding *encoding, const char *const *paths, int n_paths,
                                 truce_dataset **out);

#endif
