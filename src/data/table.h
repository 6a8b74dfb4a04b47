/*
 * Tables in CSV files: looking at them, and loading the columns that are wanted.
 *
 * A file is read twice. The first reading (the survey) tells what its columns hold, the second loads them, as
 * numbers or as texts that are kept once each. Nothing else of a file stays in memory.
 */
#ifndef DATA_TABLE_H
#define DATA_TABLE_H

#include "base/names.h"
#include "data/summary.h"

/* How files of a table are written. Texts are borrowed. */
typedef struct data_dialect {
    char delimiter;          /* 0: by the file's name */
    const base_names *names; /* of the columns where files have no header; NULL: the first row is one */
    data_texts missing;      /* texts that stand for no value, besides the empty one */
} data_dialect;

typedef struct data_survey {
    base_names names; /* of the columns */
    data_summary *columns;
} data_survey;

/*
 * Reads the header, and looks at the columns [n_names] for which `wanted` (called once the header is read,
 * may fill wants[]) says so.
 */
typedef truce_status (*data_wants_fn)(void *user, const base_names *names, bool *wants);

truce_status data_table_survey(truce_context *context, const data_dialect *dialect, const data_texts *paths,
                               data_wants_fn wanted, void *user, data_survey *out);
void data_survey_free(truce_context *context, data_survey *survey);

typedef enum data_cells { DATA_CELLS_NUMBERS, DATA_CELLS_TEXTS } data_cells;

typedef struct data_cells_column {
    const char *name; /* borrowed */
    data_cells cells;
    bool optional;   /* a file may lack it; its values are then missing */
    double *numbers; /* [n_rows]; NaN where missing */
    int32_t *codes;  /* [n_rows]: which of `texts`; -1 where missing */
    base_names texts;
} data_cells_column;

typedef struct data_table_file {
    const char *path; /* borrowed */
    int64_t first_row;
    truce_split split;
} data_table_file;

typedef struct data_table {
    truce_context *context;
    data_cells_column *columns;
    int n_columns;
    data_table_file *files;
    int n_files;
    int64_t n_rows;
    int64_t *lines;          /* [n_rows]: where each row began; NULL: rows are elements of arrays */
    const base_names *known; /* columns of the training file: any other is logged; NULL: none is */
    size_t capacity, file_capacity;
} data_table;

/* Room for n columns, to be described by the caller before files are added. */
truce_status data_table_init(truce_context *context, int n_columns, data_table *out);
void data_table_free(data_table *table);

/* Adds the rows of a file. */
truce_status data_table_add_file(data_table *table, const data_dialect *dialect, const char *path,
                                 truce_split split);

/* Adds rows to a table of one column from an array; NaN is missing. Elements take the place of lines. */
truce_status data_table_add_values(data_table *table, const char *path, truce_split split,
                                   const double *values, int64_t n);

/* Which split each row's file belongs to, into the data set (whose rows are the table's). */
truce_status data_table_assign(const data_table *table, truce_dataset *dataset);

#define DATA_PLACE_BYTES 512

/* "adult-train.csv:17" */
void data_table_place(const data_table *table, int64_t row, char place[DATA_PLACE_BYTES]);

#endif
