/*
 * The runs of a store in memory, grouped the way pages show them: by method, with seeds as repeats.
 */
#ifndef REPORT_RUN_DATA_H
#define REPORT_RUN_DATA_H

#include "base/names.h"
#include "io/store.h"

typedef struct report_run {
    int64_t id, seed;
    char *name, *method, *status, *started;
    bool alone; /* one task for reference; `method` is then its name */
} report_run;

/* Texts are numbers in `texts`. */
typedef struct report_value {
    int run, split, task, name;
    int64_t epoch;
    double value;
} report_value;

typedef struct report_counted {
    char *task, *metric;
    bool higher_is_better;
} report_counted;

typedef struct report_matrix {
    int run, n;
    double *values; /* [n][n]; the mean over all that were recorded, NaN where there was none */
} report_matrix;

typedef struct report_data {
    truce_context *context;
    report_run *runs;
    int n_runs;
    size_t run_capacity;
    report_value *values;
    size_t n_values, value_capacity;
    base_names texts, methods, tasks; /* methods of runs with all tasks; tasks in the order of recording */
    report_counted *counted;
    int n_counted;
    report_matrix *cosines; /* one per run that recorded any */
    int n_cosines;
    char *about_data, *about_model; /* notes, or NULL */
    int64_t n_epochs;               /* the longest run */
} report_data;

truce_status report_data_read(truce_context *context, const char *path, report_data *out);
void report_data_free(report_data *data);

/*
 * Over the seeds of a method (or, with `alone`, of the task alone): count, mean and standard deviation of a
 * value. epoch < 0: any, for values that a run has once.
 */
typedef struct report_query {
    const char *method, *split, *task, *name;
    bool alone;
    int64_t epoch;
} report_query;

typedef struct report_summary {
    int n;
    double mean, deviation; /* NaN where n is too small */
} report_summary;

report_summary report_data_summary(const report_data *data, const report_query *query);

#endif
