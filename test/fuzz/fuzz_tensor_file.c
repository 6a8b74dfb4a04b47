/* Any file is refused or can be used: every byte of every tensor is there, and floating-point ones convert.
 */
#include "fuzz.h"

#include "truce/tensor_file.h"

#include <string.h>

static void use_tensor(truce_context *context, truce_tensor_file *file, const truce_tensor_info *tensor) {
    double *values = NULL;
    size_t n = (size_t)truce_shape_size(&tensor->shape);
    unsigned sum = 0;
    for (size_t i = 0; i < tensor->n_bytes; i++) sum += ((const uint8_t *)tensor->bytes)[i];
    fuzz_check(sum <= 255 * tensor->n_bytes, "bytes can be read");
    fuzz_check(n * (size_t)truce_storage_bits(tensor->storage) == 8 * tensor->n_bytes, "sizes fit");
    fuzz_check(truce_tensor_file_find(file, tensor->name) == tensor, "a tensor is found by its name");
    if (tensor->n_bytes == 0 || base_alloc(context, n, sizeof *values, &values)) return;
    truce_tensor_file_read(file, tensor, TRUCE_FLOAT64, values);
    truce_tensor_file_read(file, tensor, TRUCE_FLOAT32, values);
    base_free(context, values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    truce_context *context = fuzz_context();
    truce_tensor_file *file = NULL;
    const char *key, *value;
    if (truce_tensor_file_open(context, fuzz_file(data, n), &file)) {
        fuzz_check(truce_context_message(context)[0], "a failure has a message");
        return 0;
    }
    for (int64_t i = 0; i < truce_tensor_file_count(file); i++)
        use_tensor(context, file, truce_tensor_file_at(file, i));
    for (int64_t i = 0; truce_tensor_file_metadata_at(file, i, &key, &value); i++)
        fuzz_check(strcmp(truce_tensor_file_metadata(file, key), value) == 0, "metadata is found by its key");
    truce_tensor_file_close(file);
    return 0;
}
