#include "train/history.h"

#include <string.h>

truce_status train_history_add(truce_context *context, train_history *h, const train_record *record) {
    BASE_TRY(base_grow(context, &h->records, &h->record_capacity, h->n_records + 1, sizeof *h->records));
    h->records[h->n_records++] = *record;
    return TRUCE_OK;
}

truce_status train_history_add_matrix(truce_context *context, train_history *h, int64_t step,
                                      const char *name, int n, const double *values) {
    train_matrix matrix = {.step = step, .name = name, .n = n};
    size_t size = (size_t)n * (size_t)n;
    BASE_TRY(base_grow(context, &h->matrices, &h->matrix_capacity, h->n_matrices + 1, sizeof *h->matrices));
    BASE_TRY(base_alloc(context, size, sizeof *matrix.values, &matrix.values));
    if (size) memcpy(matrix.values, values, size * sizeof *values);
    h->matrices[h->n_matrices++] = matrix;
    return TRUCE_OK;
}

truce_status train_history_store(train_history *h, io_store *store, int64_t run) {
    for (; h->n_records_stored < h->n_records; h->n_records_stored++) {
        const train_record *r = &h->records[h->n_records_stored];
        io_scalar scalar = {.step = r->step,
                            .epoch = r->epoch,
                            .split = r->split,
                            .task = r->task,
                            .name = r->name,
                            .value = r->value};
        BASE_TRY(io_store_add_scalar(store, run, &scalar));
    }
    for (; h->n_matrices_stored < h->n_matrices; h->n_matrices_stored++) {
        const train_matrix *m = &h->matrices[h->n_matrices_stored];
        BASE_TRY(io_store_add_matrix(store, run, m->step, m->name, m->n, m->n, m->values));
    }
    return io_store_flush(store);
}

void train_history_free(truce_context *context, train_history *h) {
    for (size_t i = 0; i < h->n_matrices; i++) base_free(context, h->matrices[i].values);
    base_free(context, h->matrices);
    base_free(context, h->records);
    *h = (train_history){0};
}
