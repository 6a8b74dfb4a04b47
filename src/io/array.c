#include "io/array.h"

#include "io/array_load.h"
#include "io/bytes.h"
#include "io/half.h"
#include "io/shape.h"

static const struct {
    int bytes;
    io_array_kind kind;
} elements[IO_N_ELEMENTS] = {
    [IO_ELEMENT_F2] = {2, IO_ARRAY_F32}, [IO_ELEMENT_F4] = {4, IO_ARRAY_F32},
    [IO_ELEMENT_F8] = {8, IO_ARRAY_F64}, [IO_ELEMENT_I1] = {1, IO_ARRAY_I32},
    [IO_ELEMENT_I2] = {2, IO_ARRAY_I32}, [IO_ELEMENT_I4] = {4, IO_ARRAY_I32},
    [IO_ELEMENT_I8] = {8, IO_ARRAY_I64}, [IO_ELEMENT_U1] = {1, IO_ARRAY_U8},
    [IO_ELEMENT_U2] = {2, IO_ARRAY_I32}, [IO_ELEMENT_U4] = {4, IO_ARRAY_I64},
    [IO_ELEMENT_U8] = {8, IO_ARRAY_I64}, [IO_ELEMENT_BOOL] = {1, IO_ARRAY_U8},
};

size_t io_array_kind_bytes(io_array_kind kind) {
    static const size_t bytes[] = {
        [IO_ARRAY_F64] = 8, [IO_ARRAY_F32] = 4, [IO_ARRAY_I64] = 8, [IO_ARRAY_I32] = 4, [IO_ARRAY_U8] = 1};
    return bytes[kind];
}

void io_array_free(truce_context *context, io_array *array) {
    base_free_aligned(context, array->values);
    *array = (io_array){0};
}

double io_array_get(const io_array *array, int64_t i) {
    switch (array->kind) {
    case IO_ARRAY_F64: return ((const double *)array->values)[i];
    case IO_ARRAY_F32: return (double)((const float *)array->values)[i];
    case IO_ARRAY_I64: return (double)((const int64_t *)array->values)[i];
    case IO_ARRAY_I32: return ((const int32_t *)array->values)[i];
    case IO_ARRAY_U8: return ((const uint8_t *)array->values)[i];
    }
    return 0;
}

/* n elements, `stride` bytes apart, into the row-major values from element `first` on. */
typedef struct run {
    const unsigned char *from;
    int64_t stride, n, first;
} run;

/* One loop per element type: `bits` are those of the element. */
#define CONVERT(type, n_bytes, expression)                                                                   \
    for (int64_t i = 0; i < r->n; i++) {                                                                     \
        uint64_t bits = io_load(r->from + i * r->stride, n_bytes, big);                                      \
        ((type *)values)[r->first + i] = (expression);                                                       \
    }                                                                                                        \
    return

static void convert_run(io_element element, bool big, const run *r, void *values) {
    switch (element) {
    case IO_ELEMENT_F2: CONVERT(float, 2, io_f16_to_float((uint16_t)bits));
    case IO_ELEMENT_F4: CONVERT(float, 4, io_float_of_bits((uint32_t)bits));
    case IO_ELEMENT_F8: CONVERT(double, 8, io_double_of_bits(bits));
    case IO_ELEMENT_I1: CONVERT(int32_t, 1, (int8_t)bits);
    case IO_ELEMENT_I2: CONVERT(int32_t, 2, (int16_t)bits);
    case IO_ELEMENT_I4: CONVERT(int32_t, 4, (int32_t)bits);
    case IO_ELEMENT_I8:
    case IO_ELEMENT_U8: CONVERT(int64_t, 8, (int64_t)bits);
    case IO_ELEMENT_U1: CONVERT(uint8_t, 1, (uint8_t)bits);
    case IO_ELEMENT_U2: CONVERT(int32_t, 2, (int32_t)bits);
    case IO_ELEMENT_U4: CONVERT(int64_t, 4, (int64_t)bits);
    case IO_ELEMENT_BOOL: CONVERT(uint8_t, 1, bits != 0);
    case IO_N_ELEMENTS: return;
    }
}

/* Steps the indices of all axes but the last, and the file's offset (in elements) with them. */
static int64_t step_outer(const truce_shape *shape, int64_t index[TRUCE_MAX_DIMS], const int64_t *strides,
                          int64_t offset) {
    for (int axis = shape->n_dims - 2; axis >= 0; axis--) {
        offset += strides[axis];
        if (++index[axis] < shape->dims[axis]) return offset;
        offset -= index[axis] * strides[axis];
        index[axis] = 0;
    }
    return offset;
}

/* Fortran order: runs along the last axis, which is the slowest one in the file. */
static void convert_fortran(const io_array_header *header, const unsigned char *bytes, int64_t n,
                            void *values) {
    const truce_shape *shape = &header->shape;
    int64_t strides[TRUCE_MAX_DIMS] = {1}, index[TRUCE_MAX_DIMS] = {0}, offset = 0;
    int size = elements[header->element].bytes, last = shape->n_dims - 1;
    for (int axis = 1; axis <= last; axis++) strides[axis] = strides[axis - 1] * shape->dims[axis - 1];
    for (int64_t first = 0; first < n; first += shape->dims[last]) {
        run r = {bytes + offset * size, strides[last] * size, shape->dims[last], first};
        convert_run(header->element, header->big_endian, &r, values);
        offset = step_outer(shape, index, strides, offset);
    }
}

static truce_status check_bytes(truce_context *context, const io_array_header *header, size_t n_bytes,
                                int64_t *out_n) {
    char shape[IO_SHAPE_TEXT_BYTES];
    int64_t n = 0;
    io_shape_text(&header->shape, shape);
    if (!io_shape_count(&header->shape, &n))
        return base_fail(context, TRUCE_ERROR_FORMAT, "%s: a shape of %s is not possible", header->path,
                         shape);
    size_t announced = (size_t)n * (size_t)elements[header->element].bytes;
    if (announced != n_bytes)
        return base_fail(context, TRUCE_ERROR_FORMAT,
                         "%s: the header announces %s, %zu bytes, but %zu follow; the file is %s",
                         header->path, shape, announced, n_bytes,
                         announced > n_bytes ? "truncated" : "damaged");
    *out_n = n;
    return TRUCE_OK;
}

static truce_status check_unsigned(truce_context *context, const io_array_header *header,
                                   const int64_t *values, int64_t n) {
    for (int64_t i = 0; header->element == IO_ELEMENT_U8 && i < n; i++)
        if (values[i] < 0)
            return base_fail(context, TRUCE_ERROR_RANGE,
                             "%s: element %lld is %llu, beyond 64-bit signed integers", header->path,
                             (long long)i, (unsigned long long)values[i]);
    return TRUCE_OK;
}

truce_status io_array_load(truce_context *context, const io_array_header *header, const unsigned char *bytes,
                           size_t n_bytes, io_array *out) {
    int64_t n = 0;
    void *values = NULL;
    io_array_kind kind = elements[header->element].kind;
    BASE_TRY(check_bytes(context, header, n_bytes, &n));
    BASE_TRY(base_alloc_aligned(context, (size_t)n, io_array_kind_bytes(kind), &values));
    if (header->fortran_order && header->shape.n_dims > 1) {
        convert_fortran(header, bytes, n, values);
    } else {
        run all = {bytes, elements[header->element].bytes, n, 0};
        convert_run(header->element, header->big_endian, &all, values);
    }
    truce_status status = check_unsigned(context, header, values, n);
    if (status)
        base_free_aligned(context, values);
    else
        *out = (io_array){.kind = kind, .shape = header->shape, .values = values};
    return status;
}
