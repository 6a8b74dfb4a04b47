/*
 * What values a column holds, and what kind of task they suggest.
 */
#ifndef DATA_SUMMARY_H
#define DATA_SUMMARY_H

#include "data/recipe.h"

#define DATA_FEW 20 /* this many different values are still few */

typedef struct data_summary {
    int64_t n_numbers, n_texts, n_missing; /* n_texts: values that are no number */
    bool fractions;                        /* a number is no whole one */
    base_names few; /* different values (numbers in one way of writing), as long as they are few */
    bool many;      /* there are more; `few` is then of no use */
} data_summary;

/* Zeroed is empty. `text` is not missing. */
truce_status data_summary_add(truce_context *context, data_summary *summary, const char *text);
void data_summary_free(truce_context *context, data_summary *summary);

/* A column of mostly numbers with a text among them is more likely at fault than one of categories. */
bool data_summary_is_text(const data_summary *summary);

/* The type that a task asks for, or the one that the values suggest, which is then logged. */
truce_target_kind data_choose_kind(truce_context *context, const data_task *task,
                                   const data_summary *summary);

/* "regression", "binary", "classes" */
const char *data_kind_name(truce_target_kind kind);

/* A number as text in its one way of writing, so that 1, 1.0 and 1e0 are one class. Other texts stay. */
const char *data_one_writing(const char *text, char room[BASE_REAL_BYTES]);

#endif
