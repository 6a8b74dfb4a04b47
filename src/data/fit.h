/*
 * From described features and labels to fitted ones, by what training rows hold.
 */
#ifndef DATA_FIT_H
#define DATA_FIT_H

#include "data/encoding.h"

/* What a fit looks at: a table, and the data set that knows which of its rows are training rows. */
typedef struct data_fit {
    const data_table *table;
    const truce_dataset *dataset;
    bool standardise;       /* numbers and regression targets */
    int64_t max_categories; /* of a feature */
} data_fit;

/* Column `column` of the table holds the values. Name and kind of the feature must be set. */
truce_status data_fit_feature(const data_fit *fit, int column, data_feature *feature);

/* Names, kind and `positive` of the label must be set. */
truce_status data_fit_label(const data_fit *fit, int column, data_label *label);

#endif
