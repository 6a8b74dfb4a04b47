/*
 * From CSV files to a data set, in this order: read the settings and find the files; read the header and
 * decide which column is what; survey the training files to see what the columns hold; load all files; divide
 * the rows; fit on training rows; encode everything.
 */
#include "data/csv_work.h"
#include "data/fit.h"
#include "data/source.h"

static truce_status choose_default_key(data_csv_work *work) {
    const data_encoding *encoding = work->encoding;
    if (work->settings.common.rule == TRUCE_SPLIT_GROUPED) {
        base_fail(work->context, TRUCE_ERROR_ARGUMENT,
                  "'split: grouped' needs 'split_by', the column that names the group");
        return data_csv_fail(work, "split", TRUCE_ERROR_ARGUMENT);
    }
    for (int i = 0; i < encoding->n_labels && work->key_column < 0; i++)
        if (encoding->labels[i].kind != TRUCE_TARGET_REGRESSION) work->key_column = encoding->n_features + i;
    if (work->key_column >= 0) return TRUCE_OK;
    base_fail(work->context, TRUCE_ERROR_ARGUMENT,
              "'split: stratified' needs 'split_by', as no task has classes");
    return data_csv_fail(work, "split", TRUCE_ERROR_ARGUMENT);
}

static truce_status make_table(data_csv_work *work) {
    work->key_column = -1;
    BASE_TRY(data_encoding_table(work->encoding, work->key != NULL, false, &work->table));
    if (work->settings.common.rule == TRUCE_SPLIT_RANDOM) return TRUCE_OK;
    if (!work->key) return choose_default_key(work);
    work->key_column = work->table.n_columns - 1;
    work->table.columns[work->key_column].name = work->key;
    work->table.columns[work->key_column].cells = DATA_CELLS_TEXTS;
    return TRUCE_OK;
}

static truce_status load_files(data_csv_work *work, const data_portion *portion, truce_split split) {
    for (int i = 0; i < portion->files.n; i++)
        BASE_TRY(data_table_add_file(&work->table, &work->dialect, portion->files.items[i], split));
    return TRUCE_OK;
}

static truce_status load(data_csv_work *work) {
    BASE_TRY(make_table(work));
    BASE_TRY(load_files(work, &work->train, TRUCE_TRAIN));
    BASE_TRY(load_files(work, &work->validation, TRUCE_VALIDATION));
    BASE_TRY(load_files(work, &work->test, TRUCE_TEST));
    if (work->table.n_rows > 0) return TRUCE_OK;
    return base_fail(work->context, TRUCE_ERROR_DATA, "%s holds no rows", work->train.files.items[0]);
}

/* Dividing. */

static truce_status fail_no_group(const data_csv_work *work, int64_t row) {
    char place[DATA_PLACE_BYTES];
    data_table_place(&work->table, row, place);
    return base_fail(work->context, TRUCE_ERROR_DATA,
                     "%s: column '%s' holds no value, but 'split: grouped' needs one in every row", place,
                     work->key);
}

static truce_status divide_by(data_csv_work *work, truce_split_config *config, int64_t *keys) {
    const int32_t *codes = work->table.columns[work->key_column].codes;
    for (int64_t row = 0; row < work->table.n_rows; row++) {
        if (codes[row] < 0 && config->rule == TRUCE_SPLIT_GROUPED) return fail_no_group(work, row);
        keys[row] = codes[row];
    }
    config->keys = keys;
    return truce_dataset_divide(work->dataset, config);
}

static truce_status divide(data_csv_work *work) {
    truce_split_config config = {.validation = work->validation.share,
                                 .test = work->test.share,
                                 .rule = (truce_split_rule)work->settings.common.rule,
                                 .seed = (uint64_t)work->settings.common.split_seed};
    int64_t *keys = NULL;
    truce_status status;
    if (config.rule == TRUCE_SPLIT_RANDOM) {
        status = truce_dataset_divide(work->dataset, &config);
    } else {
        BASE_TRY(base_alloc(work->context, (size_t)work->table.n_rows, sizeof *keys, &keys));
        status = divide_by(work, &config, keys);
        base_free(work->context, keys);
    }
    return status ? data_csv_fail(work, work->validation.share > 0 ? "validation" : "test", status)
                  : TRUCE_OK;
}

/* Fitting and encoding. */

static truce_status fit(data_csv_work *work) {
    data_encoding *encoding = work->encoding;
    data_fit how = {.table = &work->table, .dataset = work->dataset};
    how.standardise = work->settings.common.standardise;
    how.max_categories = work->categories.max_categories;
    for (int i = 0; i < encoding->n_features; i++)
        BASE_TRY(data_fit_feature(&how, i, &encoding->features[i]));
    for (int i = 0; i < encoding->n_labels; i++) {
        how.standardise = work->recipe->tasks[i].standardise;
        truce_status status = data_fit_label(&how, encoding->n_features + i, &encoding->labels[i]);
        if (status) return io_yaml_fail_at(work->context, &work->recipe->tasks[i].at, status);
    }
    data_encoding_arrange(encoding);
    return TRUCE_OK;
}

static truce_status encode(data_csv_work *work) {
    const data_encoding *encoding = work->encoding;
    BASE_TRY(data_encode_features(encoding, &work->table, work->dataset));
    for (int i = 0; i < encoding->n_labels; i++)
        BASE_TRY(data_encode_label(encoding, &encoding->labels[i], &work->table, encoding->n_features + i,
                                   work->dataset));
    return TRUCE_OK;
}

static truce_status make_dataset(data_csv_work *work) {
    BASE_TRY(truce_dataset_create(work->context, work->table.n_rows, &work->dataset));
    BASE_TRY(data_table_assign(&work->table, work->dataset));
    BASE_TRY(divide(work));
    BASE_TRY(fit(work));
    return encode(work);
}

static truce_status open_csv(data_csv_work *work) {
    BASE_TRY(data_csv_read_settings(work));
    BASE_TRY(data_csv_survey(work));
    BASE_TRY(data_csv_describe(work));
    BASE_TRY(load(work));
    return make_dataset(work);
}

truce_status data_open_csv(data_recipe *recipe, data_source *source) {
    data_csv_work work = {
        .recipe = recipe, .context = recipe->context, .table = {.context = recipe->context}};
    truce_status status = open_csv(&work);
    if (status) {
        truce_dataset_destroy(work.dataset);
        data_encoding_destroy(work.encoding);
    } else {
        source->dataset = work.dataset;
        source->encoding = work.encoding;
    }
    data_table_free(&work.table);
    data_survey_free(recipe->context, &work.survey);
    base_free(recipe->context, work.is_input);
    base_names_free(recipe->context, &work.given_names);
    return status;
}
