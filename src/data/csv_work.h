/*
 * What reading a recipe's CSV files passes from step to step; see csv_source.c.
 */
#ifndef DATA_CSV_WORK_H
#define DATA_CSV_WORK_H

#include "data/encoding.h"

typedef struct data_csv_own {
    const char *delimiter;
    int impute, unseen;
} data_csv_own;

typedef struct data_csv_settings {
    data_common common;
    data_csv_own own;
} data_csv_settings;

typedef struct data_csv_categories {
    int embed;
    int64_t max_categories;
} data_csv_categories;

/* Everything on the way from recipe to data set. */
typedef struct data_csv_work {
    data_recipe *recipe;
    truce_context *context;
    data_csv_settings settings;
    data_csv_categories categories;
    data_texts exclude, inputs, categorical;
    bool has_inputs, has_categorical; /* whether the recipe names them */
    data_portion train, validation, test;
    base_names given_names; /* of files without header */
    data_dialect dialect;
    data_survey survey;
    bool *is_input;  /* [n_columns] */
    const char *key; /* column that splits are made by, or NULL */
    data_encoding *encoding;
    data_table table; /* columns: features, labels, and the key if there is one */
    int key_column;   /* of the table, or -1 */
    truce_dataset *dataset;
} data_csv_work;

/* Puts the line of a key of the section in front of the message that stands. */
truce_status data_csv_fail(const data_csv_work *work, const char *key, truce_status status);

/* Settings, lists and paths from the recipe. */
truce_status data_csv_read_settings(data_csv_work *work);

/* The header of the first file, which column is what, and what the columns hold. */
truce_status data_csv_survey(data_csv_work *work);

/* The encoding, described but not fitted. */
truce_status data_csv_describe(data_csv_work *work);

#endif
