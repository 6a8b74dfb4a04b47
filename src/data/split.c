/*
 * Who is in which split.
 *
 * Rows are divided by the method of largest remainder: of N rows, a share s puts round(s N) rows into its
 * split. Each stratum (all rows with one key; the random rule knows one stratum only) first gives the whole
 * part of s n of its n rows; the rows that are still missing come one each from the strata with the largest
 * fractional parts, at equal parts from the smaller key. Which rows of a stratum go is drawn from a stream
 * that depends on seed and key alone. Validation is served before test.
 *
 * Groups stay whole. They are drawn in random order, and one is taken into the validation split if that
 * brings the split's size nearer to its share; the others are then offered to the test split in the same way.
 */
#include "base/rng.h"
#include "data/dataset.h"

#include <math.h>
#include <stdlib.h>

/* A stable counting sort; rows come out ascending within their split. */
void data_arrange_splits(truce_dataset *dataset) {
    int64_t at[TRUCE_N_SPLITS + 1] = {0};
    for (int64_t i = 0; i < dataset->n_rows; i++) at[dataset->splits[i] + 1]++;
    for (int k = 0; k < TRUCE_N_SPLITS; k++) at[k + 1] += at[k];
    for (int k = 0; k <= TRUCE_N_SPLITS; k++) dataset->split_begin[k] = at[k];
    for (int64_t i = 0; i < dataset->n_rows; i++) dataset->split_rows[at[dataset->splits[i]]++] = i;
}

void data_mark_test_rows(truce_dataset *dataset, int64_t n) {
    for (int64_t i = dataset->n_rows - n; i < dataset->n_rows; i++) dataset->splits[i] = TRUCE_TEST;
    data_arrange_splits(dataset);
}

const int64_t *truce_dataset_split_rows(const truce_dataset *dataset, truce_split split, int64_t *n) {
    *n = dataset->split_begin[split + 1] - dataset->split_begin[split];
    return dataset->n_rows ? dataset->split_rows + dataset->split_begin[split] : NULL;
}

truce_status truce_dataset_assign(truce_dataset *dataset, const truce_split *splits) {
    for (int64_t i = 0; i < dataset->n_rows; i++)
        if ((int)splits[i] < 0 || splits[i] >= TRUCE_N_SPLITS)
            return base_fail(dataset->context, TRUCE_ERROR_RANGE,
                             "row %lld is put into split %d, which there is not", (long long)i,
                             (int)splits[i]);
    for (int64_t i = 0; i < dataset->n_rows; i++) dataset->splits[i] = (unsigned char)splits[i];
    data_arrange_splits(dataset);
    return TRUCE_OK;
}

/* The rows of one key: n of them from `first` on in division.rows. */
typedef struct stratum {
    int64_t key, first, n, n_validation, n_test;
    double remainder;
} stratum;

typedef struct keyed_row {
    int64_t key, row;
} keyed_row;

/* What one call of truce_dataset_divide works on. */
typedef struct division {
    truce_dataset *dataset;
    const truce_split_config *config;
    int64_t n, n_validation, n_test; /* rows to divide, and to put into each split */
    keyed_row *rows;                 /* by key, then by row */
    int64_t *shuffled;               /* room for the rows of one stratum, or for the numbers of all strata */
    stratum *strata;
    int64_t n_strata;
} division;

static truce_status check_share(truce_context *context, truce_split split, double share) {
    if (share >= 0 && share < 1) return TRUCE_OK;
    return base_fail(context, TRUCE_ERROR_RANGE, "the %s share must be at least 0 and below 1, but is %g",
                     truce_split_name(split), share);
}

static truce_status check_config(truce_context *context, const truce_split_config *config) {
    BASE_TRY(check_share(context, TRUCE_VALIDATION, config->validation));
    BASE_TRY(check_share(context, TRUCE_TEST, config->test));
    if (config->validation + config->test >= 1)
        return base_fail(context, TRUCE_ERROR_RANGE,
                         "the validation share %g and the test share %g leave nothing to train on",
                         config->validation, config->test);
    if (config->rule != TRUCE_SPLIT_RANDOM && !config->keys)
        return base_fail(context, TRUCE_ERROR_ARGUMENT, "a stratified or grouped split needs keys");
    return TRUCE_OK;
}

static truce_status fail_empty(const division *d, truce_split split, double share) {
    return base_fail(
        d->dataset->context, TRUCE_ERROR_DATA,
        "the %s split would be empty: its share %g of %lld rows is less than one row; raise the share, "
        "or set it to 0",
        truce_split_name(split), share, (long long)d->n);
}

static truce_status count_rows(division *d) {
    const truce_split_config *config = d->config;
    d->n_validation = llround(config->validation * (double)d->n);
    d->n_test = llround(config->test * (double)d->n);
    if (config->validation > 0 && d->n_validation == 0)
        return fail_empty(d, TRUCE_VALIDATION, config->validation);
    if (config->test > 0 && d->n_test == 0) return fail_empty(d, TRUCE_TEST, config->test);
    if (d->n_validation + d->n_test < d->n) return TRUCE_OK;
    return base_fail(d->dataset->context, TRUCE_ERROR_DATA,
                     "the train split would be empty: of %lld rows, %lld go to validation and %lld to test",
                     (long long)d->n, (long long)d->n_validation, (long long)d->n_test);
}

static int by_key(const void *a, const void *b) {
    const keyed_row *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static truce_status find_strata(division *d) {
    truce_context *context = d->dataset->context;
    bool keyed = d->config->rule != TRUCE_SPLIT_RANDOM;
    const int64_t *rows = d->dataset->split_rows; /* those in training come first */
    size_t capacity = 0;
    BASE_TRY(base_alloc(context, (size_t)d->n, sizeof *d->rows, &d->rows));
    BASE_TRY(base_alloc(context, (size_t)d->n, sizeof *d->shuffled, &d->shuffled));
    for (int64_t i = 0; i < d->n; i++)
        d->rows[i] = (keyed_row){keyed ? d->config->keys[rows[i]] : 0, rows[i]};
    if (keyed) qsort(d->rows, (size_t)d->n, sizeof *d->rows, by_key);
    for (int64_t i = 0; i < d->n; i++) {
        if (i == 0 || d->rows[i].key != d->rows[i - 1].key) {
            BASE_TRY(base_grow(context, &d->strata, &capacity, (size_t)d->n_strata + 1, sizeof *d->strata));
            d->strata[d->n_strata++] = (stratum){.key = d->rows[i].key, .first = i};
        }
        d->strata[d->n_strata - 1].n++;
    }
    return TRUCE_OK;
}

static int by_remainder(const void *a, const void *b) {
    const stratum *x = a, *y = b;
    if (x->remainder != y->remainder) return x->remainder > y->remainder ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

static int64_t room_in(const stratum *s) {
    return s->n - s->n_validation - s->n_test;
}

/* Takes `total` rows from the strata, in proportion, into the count at `offset` of each. */
static void apportion(division *d, double share, int64_t total, size_t offset) {
    for (int64_t g = 0; g < d->n_strata; g++) {
        stratum *s = &d->strata[g];
        double quota = share * (double)s->n;
        int64_t whole = BASE_MIN((int64_t)floor(quota), room_in(s));
        *(int64_t *)((char *)s + offset) = whole;
        s->remainder = quota - (double)whole;
        total -= whole;
    }
    qsort(d->strata, (size_t)d->n_strata, sizeof *d->strata, by_remainder);
    for (int64_t g = 0; total > 0; g = (g + 1) % d->n_strata) {
        if (room_in(&d->strata[g]) == 0) continue;
        ++*(int64_t *)((char *)&d->strata[g] + offset);
        total--;
    }
}

static void deal_strata(division *d) {
    unsigned char *splits = d->dataset->splits;
    apportion(d, d->config->validation, d->n_validation, offsetof(stratum, n_validation));
    apportion(d, d->config->test, d->n_test, offsetof(stratum, n_test));
    for (int64_t g = 0; g < d->n_strata; g++) {
        const stratum *s = &d->strata[g];
        base_rng rng = base_rng_make(d->config->seed, "split", (uint64_t)s->key, 0);
        for (int64_t i = 0; i < s->n; i++) d->shuffled[i] = d->rows[s->first + i].row;
        base_rng_shuffle(&rng, d->shuffled, s->n);
        for (int64_t i = 0; i < s->n_validation; i++) splits[d->shuffled[i]] = TRUCE_VALIDATION;
        for (int64_t i = 0; i < s->n_test; i++) splits[d->shuffled[s->n_validation + i]] = TRUCE_TEST;
    }
}

/* Chooses groups, among those not yet taken, until `wanted` rows are met as nearly as may be; their number.
 */
static int64_t choose_groups(division *d, int64_t wanted, size_t offset) {
    int64_t taken = 0;
    for (int64_t i = 0; i < d->n_strata; i++) {
        stratum *s = &d->strata[d->shuffled[i]];
        if (room_in(s) == 0 || taken + s->n - wanted >= wanted - taken) continue;
        *(int64_t *)((char *)s + offset) = s->n;
        taken += s->n;
    }
    return taken;
}

static truce_status fail_groups(const division *d, truce_split split, int64_t wanted) {
    int64_t smallest = d->n;
    for (int64_t g = 0; g < d->n_strata; g++) smallest = BASE_MIN(smallest, d->strata[g].n);
    return base_fail(
        d->dataset->context, TRUCE_ERROR_DATA,
        "the %s split would be empty: its share asks for %lld of %lld rows, but the %lld groups stay "
        "whole and the smallest has %lld rows; raise the share",
        truce_split_name(split), (long long)wanted, (long long)d->n, (long long)d->n_strata,
        (long long)smallest);
}

static truce_status deal_groups(division *d) {
    base_rng rng = base_rng_make(d->config->seed, "split groups", 0, 0);
    for (int64_t g = 0; g < d->n_strata; g++) d->shuffled[g] = g;
    base_rng_shuffle(&rng, d->shuffled, d->n_strata);
    int64_t n_validation = choose_groups(d, d->n_validation, offsetof(stratum, n_validation));
    if (d->n_validation && !n_validation) return fail_groups(d, TRUCE_VALIDATION, d->n_validation);
    int64_t n_test = choose_groups(d, d->n_test, offsetof(stratum, n_test));
    if (d->n_test && !n_test) return fail_groups(d, TRUCE_TEST, d->n_test);
    if (n_validation + n_test == d->n)
        return base_fail(d->dataset->context, TRUCE_ERROR_DATA,
                         "the train split would be empty: all %lld groups go to validation or test",
                         (long long)d->n_strata);
    for (int64_t g = 0; g < d->n_strata; g++) {
        const stratum *s = &d->strata[g];
        truce_split split = s->n_validation ? TRUCE_VALIDATION : s->n_test ? TRUCE_TEST : TRUCE_TRAIN;
        for (int64_t i = 0; i < s->n; i++)
            d->dataset->splits[d->rows[s->first + i].row] = (unsigned char)split;
    }
    return TRUCE_OK;
}

truce_status truce_dataset_divide(truce_dataset *dataset, const truce_split_config *config) {
    division d = {.dataset = dataset, .config = config};
    truce_dataset_split_rows(dataset, TRUCE_TRAIN, &d.n);
    BASE_TRY(check_config(dataset->context, config));
    BASE_TRY(count_rows(&d));
    if (d.n_validation + d.n_test == 0) return TRUCE_OK;
    truce_status status = find_strata(&d);
    if (!status) {
        if (config->rule == TRUCE_SPLIT_GROUPED)
            status = deal_groups(&d);
        else
            deal_strata(&d);
    }
    if (!status) data_arrange_splits(dataset);
    base_free(dataset->context, d.strata);
    base_free(dataset->context, d.shuffled);
    base_free(dataset->context, d.rows);
    return status;
}
