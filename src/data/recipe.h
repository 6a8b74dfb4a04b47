/*
 * The `data:` and `tasks:` sections of a recipe, as far as every kind of data reads them alike.
 */
#ifndef DATA_RECIPE_H
#define DATA_RECIPE_H

#include "base/names.h"
#include "base/pool.h"
#include "data/find_file.h"
#include "io/yaml.h"
#include "truce/data.h"

typedef enum data_format {
    DATA_FORMAT_AUTO,
    DATA_FORMAT_CSV,
    DATA_FORMAT_NPY,
    DATA_FORMAT_IDX,
    DATA_FORMAT_GLYPHS,
    DATA_FORMAT_TABULAR,
    DATA_FORMAT_DIGIT_PAIRS
} data_format;

/* Texts, borrowed from a recipe or a pool. */
typedef struct data_texts {
    const char **items;
    int n;
} data_texts;

bool data_texts_hold(const data_texts *texts, const char *text);

/* Whether a name fits a pattern, in which `*` stands for any characters; and whether a text is a pattern. */
bool data_matches(const char *pattern, const char *name);
bool data_is_pattern(const char *text);

typedef enum data_task_type {
    DATA_TASK_AUTO, /* what the target's values suggest */
    DATA_TASK_REGRESSION,
    DATA_TASK_BINARY,
    DATA_TASK_CLASSES
} data_task_type;

/* One entry of `tasks:`. Its name may be a pattern. */
typedef struct data_task {
    const char *name;
    const char *target; /* what holds its labels; the name where the recipe says nothing */
    const char *test_target, *validation_target; /* arrays only; NULL for none */
    int64_t column;                              /* arrays only: of a target with several; -1 for all */
    int type;                                    /* data_task_type */
    int standardise;                             /* regression */
    data_texts positive;                         /* binary: values that mean 1 */
    io_yaml at;                                  /* where it stands, for messages */
} data_task;

/* A share of rows, or files that hold them; neither where n is 0 and the share 0. */
typedef struct data_portion {
    double share;
    data_texts files;
    const io_yaml *at;
} data_portion;

/* Settings that every kind of data has. */
typedef struct data_common {
    const char *folder, *split_by;
    int64_t split_seed;
    int format; /* data_format */
    int rule;   /* truce_split_rule */
    int standardise;
} data_common;

#define DATA_MOST_OPTIONS 32

typedef struct data_recipe {
    truce_context *context;
    base_pool pool;      /* of texts and lists below */
    const char *name;    /* of the recipe; "data" where it has none */
    const io_yaml *data; /* the section */
    data_places places;
    data_task *tasks;
    int n_tasks; /* 0: all that there are */
} data_recipe;

typedef struct data_request {
    const io_yaml *recipe;              /* the top of the recipe */
    const char *path;                   /* of its file, NULL where there is none */
    const char *const *other_task_keys; /* keys of a task that others read; ends with NULL; NULL for none */
} data_request;

/* Reads what is common. The recipe borrows from the YAML tree, and wants data_recipe_free in any case. */
truce_status data_recipe_read(truce_context *context, const data_request *request, data_recipe *out);
void data_recipe_free(data_recipe *recipe);

/* What `format:` says, else what the names of the files suggest. */
truce_status data_recipe_format(data_recipe *recipe, data_format *out);

/*
 * Fills `values`, a struct that begins with a data_common, from the section by the common table and another
 * (offsets of `own` are from `own_values`, a place inside of `values`). Keys in `others` are left alone.
 */
truce_status data_recipe_options(data_recipe *recipe, const base_options *own, void *values, void *own_values,
                                 const char *const *others);

/* Texts of a key: one, or a list of them; none where it is not given. */
truce_status data_recipe_texts(data_recipe *recipe, const io_yaml *map, const char *key, data_texts *out);

/* `validation: 0.1` or `validation: file.csv`. */
truce_status data_recipe_portion(data_recipe *recipe, const char *key, data_portion *out);

/* As portion, where files make no sense. */
truce_status data_recipe_share(data_recipe *recipe, const char *key, double *out);

/* Path of a file named at `at`, in the recipe's pool. */
truce_status data_recipe_find(data_recipe *recipe, const io_yaml *at, const char *file, const char **out);

/*
 * Replaces every task whose name is a pattern by one task for each of the names that it matches, except those
 * that are a task, or the target of one, already.
 */
truce_status data_recipe_expand(data_recipe *recipe, const base_names *names);

#endif
