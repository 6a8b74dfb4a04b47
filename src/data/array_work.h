/*
 * What reading arrays passes from step to step; see array_source.c.
 */
#ifndef DATA_ARRAY_WORK_H
#define DATA_ARRAY_WORK_H

#include "data/arrays.h"
#include "data/source.h"

/* The files of one input or target: one for each split, or NULL. */
typedef struct data_array_files {
    const char *name;
    const char *paths[TRUCE_N_SPLITS];
} data_array_files;

/* A task's labels. */
typedef struct data_array_label {
    const data_task *task;
    data_array_files files;
    data_table table; /* of one number for each row */
    float *wide;      /* [n_rows][width] where there are several */
    int64_t width;
} data_array_label;

typedef struct data_array_own {
    int unseen;
} data_array_own;

typedef struct data_array_settings {
    data_common common;
    data_array_own own;
} data_array_settings;

typedef struct data_array_work {
    data_recipe *recipe;
    truce_context *context;
    data_array_settings settings;
    double validation, test;  /* shares */
    double missing[DATA_FEW]; /* numbers that stand for no value */
    int n_missing;
    data_array_files *inputs;
    data_array_label *labels;
    int n_inputs, n_labels;
    int64_t n_rows[TRUCE_N_SPLITS];      /* of the files of each split */
    const char *counted[TRUCE_N_SPLITS]; /* the file that told so */
    int64_t *keys;                       /* [n_rows] for the division */
    data_encoding *encoding;
    truce_dataset *dataset;
} data_array_work;

/* The arrays of one input or target. */
typedef struct data_array_parts {
    io_array arrays[TRUCE_N_SPLITS];
    truce_shape row_shape;
    int64_t row_size;
} data_array_parts;

/* Settings, names and paths from the recipe. */
truce_status data_array_read_settings(data_array_work *work, data_format format);

/* The files of one input or target; what was loaded wants freeing also after a failure. */
truce_status data_array_load(data_array_work *work, const data_array_files *files, data_array_parts *parts);
void data_array_free_parts(data_array_work *work, data_array_parts *parts);

/* All rows of all files as float, training rows first. */
truce_status data_array_join(data_array_work *work, const data_array_parts *parts, float **out);

/* Rows of all files. */
int64_t data_array_count(const data_array_work *work);

/* Reads the labels of task i and decides on its kind; fits them and adds the target, once rows are divided.
 */
truce_status data_array_load_labels(data_array_work *work, int i);
truce_status data_array_add_target(data_array_work *work, data_array_label *array, data_label *label);

#endif
