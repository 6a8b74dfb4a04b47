/*
 * Parameters and state to and from safetensors files.
 */
#include "engine/parameters.h"
#include "truce/tensor_file.h"

static truce_storage storage_of(const truce_parameters *p) {
    return p->dtype == TRUCE_FLOAT64 ? TRUCE_STORE_F64 : TRUCE_STORE_F32;
}

static truce_status write_items(truce_parameters *p, truce_tensor_writer *writer,
                                const char *const *metadata) {
    for (; metadata && *metadata; metadata += 2)
        BASE_TRY(truce_tensor_writer_metadata(writer, metadata[0], metadata[1]));
    for (int i = 0; i < p->n_items; i++)
        BASE_TRY(truce_tensor_writer_announce(writer, p->items[i].name, storage_of(p), &p->items[i].shape));
    for (int i = 0; i < p->n_items; i++)
        BASE_TRY(truce_tensor_writer_write(writer, p->items[i].values,
                                           (size_t)p->items[i].size * truce_dtype_bytes(p->dtype)));
    return TRUCE_OK;
}

truce_status truce_parameters_save(truce_parameters *p, const char *path, const char *const *metadata) {
    truce_tensor_writer *writer = NULL;
    BASE_TRY(truce_tensor_writer_create(p->context, path, &writer));
    truce_status status = write_items(p, writer, metadata);
    if (status) {
        truce_tensor_writer_discard(writer);
        return status;
    }
    return truce_tensor_writer_commit(writer);
}

static truce_status check_item(truce_parameters *p, truce_tensor_file *file, const char *path,
                               const truce_parameter *item) {
    char found[ENGINE_SHAPE_TEXT_BYTES], wanted[ENGINE_SHAPE_TEXT_BYTES];
    const truce_tensor_info *tensor = truce_tensor_file_find(file, item->name);
    if (!tensor)
        return base_fail(p->context, TRUCE_ERROR_DATA, "%s: tensor '%s' is missing", path, item->name);
    if (truce_shape_equal(&tensor->shape, &item->shape)) return TRUCE_OK;
    return base_fail(p->context, TRUCE_ERROR_SHAPE, "%s: tensor '%s' is %s, but the model has %s", path,
                     item->name, engine_shape_text(&tensor->shape, found),
                     engine_shape_text(&item->shape, wanted));
}

/* All are checked before the first is changed. */
static truce_status read_items(truce_parameters *p, truce_tensor_file *file, const char *path) {
    for (int i = 0; i < p->n_items; i++) BASE_TRY(check_item(p, file, path, &p->items[i]));
    for (int i = 0; i < p->n_items; i++)
        BASE_TRY(truce_tensor_file_read(file, truce_tensor_file_find(file, p->items[i].name), p->dtype,
                                        p->items[i].values));
    return TRUCE_OK;
}

truce_status truce_parameters_load(truce_parameters *p, const char *path) {
    truce_tensor_file *file = NULL;
    BASE_TRY(truce_tensor_file_open(p->context, path, &file));
    truce_status status = read_items(p, file, path);
    truce_tensor_file_close(file);
    return status;
}
