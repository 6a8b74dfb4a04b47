/*
 * A recipe's data: the data set, ready to be trained on, and the encoding that goes with the model.
 */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include "data/encoding.h"

typedef struct data_source {
    truce_context *context;
    truce_dataset *dataset;
    data_encoding *encoding;
} data_source;

/*
 * Makes what the sections `data:` and `tasks:` describe, divides it into splits, checks it with
 * truce_dataset_check, and logs what it is. Nothing of the recipe is kept.
 */
truce_status data_source_open(truce_context *context, const data_request *request, data_source **out);
void data_source_destroy(data_source *source);

/* Rows, inputs and tasks in a few lines for people, appended. */
void data_source_describe(const data_source *source, base_text *out);

/* The kinds of data, each in a file of its own: fill dataset and encoding, or leave them NULL and fail. */
truce_status data_open_csv(data_recipe *recipe, data_source *source);
truce_status data_open_arrays(data_recipe *recipe, data_format format, data_source *source);
truce_status data_open_generated(data_recipe *recipe, data_format format, data_source *source);

#endif
