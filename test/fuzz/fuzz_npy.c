/* Any file is refused or becomes an array with all of its elements. */
#include "fuzz.h"

#include "io/array.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    truce_context *context = fuzz_context();
    io_array array = {0};
    if (io_npy_read(context, fuzz_file(data, n), &array)) {
        fuzz_check(truce_context_message(context)[0], "a failure has a message");
        return 0;
    }
    int64_t size = truce_shape_size(&array.shape);
    double sum = 0;
    for (int64_t i = 0; i < size; i++) sum += io_array_get(&array, i);
    fuzz_check(size > 0 || sum == 0, "an array without elements has none");
    fuzz_check((size_t)size <= n, "no element comes from nowhere");
    io_array_free(context, &array);
    return 0;
}
