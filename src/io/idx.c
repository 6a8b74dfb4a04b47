/*
 * IDX, the format of MNIST: two zero bytes, the element type, the number of axes, a big-endian 32-bit size
 * per axis, the elements (http://yann.lecun.com/exdb/mnist).
 */
#include "io/array.h"

#include "io/array_load.h"
#include "io/bytes.h"

static bool find_element(unsigned char code, io_element *out) {
    switch (code) {
    case 0x08: *out = IO_ELEMENT_U1; return true;
    case 0x09: *out = IO_ELEMENT_I1; return true;
    case 0x0B: *out = IO_ELEMENT_I2; return true;
    case 0x0C: *out = IO_ELEMENT_I4; return true;
    case 0x0D: *out = IO_ELEMENT_F4; return true;
    case 0x0E: *out = IO_ELEMENT_F8; return true;
    default: return false;
    }
}

static truce_status load(truce_context *context, const char *path, const io_bytes *file, io_array *out) {
    const unsigned char *bytes = file->bytes;
    io_array_header header = {.path = path, .big_endian = true};
    if (file->n < 4 || bytes[0] || bytes[1])
        return base_fail(context, TRUCE_ERROR_FORMAT, "%s: this is no IDX file", path);
    if (!find_element(bytes[2], &header.element))
        return base_fail(context, TRUCE_ERROR_FORMAT, "%s: IDX knows no element type 0x%02X", path, bytes[2]);
    if (bytes[3] > TRUCE_MAX_DIMS)
        return base_fail(context, TRUCE_ERROR_UNSUPPORTED,
                         "%s: the array has %d axes; at most %d can be read", path, bytes[3], TRUCE_MAX_DIMS);
    size_t head = 4 + 4 * (size_t)bytes[3];
    if (file->n < head)
        return base_fail(context, TRUCE_ERROR_FORMAT, "%s: the file ends within its header", path);
    header.shape.n_dims = bytes[3];
    for (int i = 0; i < header.shape.n_dims; i++)
        header.shape.dims[i] = (int64_t)io_load(bytes + 4 + 4 * i, 4, true);
    return io_array_load(context, &header, bytes + head, file->n - head, out);
}

truce_status io_idx_read(truce_context *context, const char *path, io_array *out) {
    io_bytes file = {0};
    BASE_TRY(io_bytes_read(context, path, &file));
    truce_status status = load(context, path, &file, out);
    io_bytes_free(context, &file);
    return status;
}
