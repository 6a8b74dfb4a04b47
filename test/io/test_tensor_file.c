#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "io/file.h"
#include "io/half.h"
#include "truce/tensor_file.h"

#include <math.h>
#include <stdlib.h>

/* A file of a header as given and n bytes of data that count up. */
static void write_tensors(const char *path, const char *header, size_t n) {
    static unsigned char file[4000];
    size_t m = strlen(header);
    for (int i = 0; i < 8; i++) file[i] = (unsigned char)(m >> 8 * i);
    memcpy(file + 8, header, m);
    for (size_t i = 0; i < n; i++) file[8 + m + i] = (unsigned char)i;
    test_write_file(path, file, 8 + m + n);
}

static void tensors_come_in_the_order_of_their_data(void **state) {
    truce_context *context = *state;
    truce_tensor_file *file;
    write_tensors("order.safetensors",
                  "{\"late\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[6,10]},"
                  "\"__metadata__\":{\"format\":\"pt\",\"empty\":\"\"},"
                  "\"none\":{\"dtype\":\"F64\",\"shape\":[3,0],\"data_offsets\":[6,6]},"
                  "\"\\u00e4\\n\":{\"data_offsets\":[2,6],\"shape\":[2],\"dtype\":\"I16\",\"more\":[1]},"
                  "\"early\":{\"dtype\":\"U8\",\"shape\":[2,1],\"data_offsets\":[0,2]}}      ",
                  10);
    assert_ok(context, truce_tensor_file_open(context, "order.safetensors", &file));
    static const char *const names[] = {"early", "\xC3\xA4\n", "none", "late"};
    assert_int_equal(4, truce_tensor_file_count(file));
    for (int i = 0; i < 4; i++) {
        const truce_tensor_info *tensor = truce_tensor_file_at(file, i);
        assert_string_equal(names[i], tensor->name);
        assert_ptr_equal(tensor, truce_tensor_file_find(file, names[i]));
    }
    const truce_tensor_info *second = truce_tensor_file_at(file, 1);
    assert_true(second->storage == TRUCE_STORE_I16 && second->shape.n_dims == 1 &&
                second->shape.dims[0] == 2);
    assert_true(second->n_bytes == 4 && memcmp(second->bytes, "\2\3\4\5", 4) == 0);
    assert_null(truce_tensor_file_find(file, "absent"));
    assert_string_equal("pt", truce_tensor_file_metadata(file, "format"));
    assert_null(truce_tensor_file_metadata(file, "absent"));
    const char *key, *value;
    assert_int_equal(1, truce_tensor_file_metadata_at(file, 1, &key, &value));
    assert_string_equal("empty", key);
    assert_string_equal("", value);
    assert_int_equal(0, truce_tensor_file_metadata_at(file, 2, &key, &value));
    assert_int_equal(0, truce_tensor_file_metadata_at(file, -1, &key, &value));
    truce_tensor_file_close(file);
    truce_tensor_file_close(NULL);
}

static void files_without_tensors_are_fine(void **state) {
    truce_context *context = *state;
    static const char *const headers[] = {"{}", "{}      ", "{\"__metadata__\":{}}",
                                          "{\"__metadata__\":null}"};
    for (size_t i = 0; i < BASE_COUNT(headers); i++) {
        truce_tensor_file *file;
        write_tensors("none.safetensors", headers[i], 0);
        assert_ok(context, truce_tensor_file_open(context, "none.safetensors", &file));
        assert_int_equal(0, truce_tensor_file_count(file));
        assert_null(truce_tensor_file_find(file, "x"));
        truce_tensor_file_close(file);
    }
}

#define TENSOR(name, dtype, shape, begin, end)                                                               \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" begin "," end "]}"

static void hostile_headers_are_refused_by_name(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *header;
        size_t n;
        const char *message;
    } rows[] = {
        {"", 0, "bad.safetensors: the header is not valid JSON"},
        {"[]", 0, "the header is no JSON object"},
        {"{} x", 0, "the header is not valid JSON"},
        {"{\"a\":1}", 0, "'a' is no tensor"},
        {"{\"a\":{}}", 0, "tensor 'a' has no dtype"},
        {"{" TENSOR("a", "F31", "1", "0", "4") "}", 4, "tensor 'a' has dtype 'F31', which is not known"},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor 'a' has no shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "its data_offsets are no [begin, end]"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "no [begin, end]"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}}", 4, "no [begin, end]"},
        {"{" TENSOR("a", "F32", "1", "4", "0") "}", 4, "no [begin, end]"},
        {"{" TENSOR("a", "F32", "1", "-4", "0") "}", 4, "no [begin, end]"},
        {"{" TENSOR("a", "F32", "1", "0", "4.0") "}", 4, "no [begin, end]"},
        {"{" TENSOR("a", "F32", "-1", "0", "4") "}", 4, "size 0 of its shape is no number of elements"},
        {"{" TENSOR("a", "F32", "2,1.0", "0", "8") "}", 8, "size 1 of its shape is no number of elements"},
        {"{" TENSOR("a", "F32", "2,\"1\"", "0", "8") "}", 8, "size 1 of its shape is no number of elements"},
        {"{" TENSOR("a", "F32", "99999999999999999999", "0", "8") "}", 8,
         "the header is not valid JSON: too big"},
        {"{" TENSOR("a", "U8", "1,1,1,1,1,1,1,1,1", "0", "1") "}", 1,
         "tensor 'a' has 9 axes; at most 8 can be read"},
        {"{" TENSOR("a", "U8", "4294967296,4294967296", "0", "0") "}", 0,
         "[4294967296, 4294967296] of U8 is no possible"},
        {"{" TENSOR("a", "F4", "3", "0", "1") "}", 1, "[3] of F4 is no possible size"},
        {"{" TENSOR("a", "F32", "2", "0", "4") "}", 4, "[2] of F32 take 8 bytes, but its offsets leave 4"},
        {"{" TENSOR("a", "F32", "0", "0", "4") "}", 4, "take 0 bytes, but its offsets leave 4"},
        {"{" TENSOR("a", "F32", "2", "0", "8") "}", 7,
         "tensor 'a' ends at byte 8 of the data, of which there are 7"},
        {"{" TENSOR("a", "U8", "2", "0", "2") "," TENSOR("b", "U8", "2", "3", "5") "}", 5,
         "tensor 'b' begins at byte 3 of the data, with a gap behind the end of 'a' at 2"},
        {"{" TENSOR("b", "U8", "2", "1", "3") "," TENSOR("a", "U8", "2", "0", "2") "}", 3,
         "tensor 'b' begins at byte 1 of the data, before the end of 'a' at 2"},
        {"{" TENSOR("a", "U8", "2", "0", "2") "," TENSOR("b", "U8", "2", "0", "2") "}", 2,
         "before the end of 'a' at 2"},
        {"{" TENSOR("a", "U8", "2", "1", "3") "}", 3, "with a gap behind the end of 'the header' at 0"},
        {"{" TENSOR("a", "U8", "2", "0", "2") "}", 3,
         "the tensors end at byte 2 of the data, of which there are 3"},
        {"{}", 1, "the tensors end at byte 0 of the data, of which there are 1"},
        {"{" TENSOR("a", "U8", "1", "0", "1") "," TENSOR("a", "U8", "1", "1", "2") "}", 2,
         "names something twice"},
        {"{\"__metadata__\":1}", 0, "__metadata__ is no map of texts"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__: 'a' is no text"},
        {"{\"a\xff\":1}", 0, "the header is not valid JSON"},
        {"{\"a\\u0000\":1}", 0, "the header is not valid JSON"},
    };
    truce_tensor_file *file = NULL;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        write_tensors("bad.safetensors", rows[i].header, rows[i].n);
        truce_status status = truce_tensor_file_open(context, "bad.safetensors", &file);
        assert_true(status == TRUCE_ERROR_FORMAT || status == TRUCE_ERROR_UNSUPPORTED);
        assert_fails(context, status, rows[i].message, status);
    }
    assert_null(file);
}

static void hostile_lengths_are_refused(void **state) {
    truce_context *context = *state;
    truce_tensor_file *file = NULL;
    test_write_text("bad.safetensors", "");
    assert_fails(context, TRUCE_ERROR_FORMAT, "0 bytes are no safetensors file",
                 truce_tensor_file_open(context, "bad.safetensors", &file));
    test_write_file("bad.safetensors", "\3\0\0\0\0\0\0\0{}", 10);
    assert_fails(context, TRUCE_ERROR_FORMAT, "should take 3 bytes, but 2 follow; the file is truncated",
                 truce_tensor_file_open(context, "bad.safetensors", &file));
    test_write_file("bad.safetensors", "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
    assert_fails(context, TRUCE_ERROR_FORMAT,
                 "a header of 18446744073709551615 bytes, above the limit of 100000000",
                 truce_tensor_file_open(context, "bad.safetensors", &file));
    test_write_file("bad.safetensors", "\1\xe1\xf5\5\0\0\0\0{}", 10);
    assert_fails(context, TRUCE_ERROR_FORMAT, "a header of 100000001 bytes",
                 truce_tensor_file_open(context, "bad.safetensors", &file));
    assert_fails(context, TRUCE_ERROR_IO, "absent.safetensors: No such file",
                 truce_tensor_file_open(context, "absent.safetensors", &file));
    assert_fails(context, TRUCE_ERROR_IO, "/tmp is a folder", truce_tensor_file_open(context, "/tmp", &file));
}

/* Depth that a recursive parser could not survive. */
static void deep_json_is_refused(void **state) {
    truce_context *context = *state;
    enum { DEPTH = 3000 };
    char header[DEPTH + 8] = "{\"a\":";
    memset(header + 5, '[', DEPTH - 5);
    header[DEPTH] = 0;
    truce_tensor_file *file;
    write_tensors("deep.safetensors", header, 0);
    assert_fails(context, TRUCE_ERROR_FORMAT, "the header is not valid JSON",
                 truce_tensor_file_open(context, "deep.safetensors", &file));
}

static void flipped_bits_are_refused_or_read(void **state) {
    truce_context *context = *state;
    base_rng rng = base_rng_make(21, "flips", 0, 0);
    static const char header[] = "{\"__metadata__\":{\"k\":\"v\"}," TENSOR(
        "a", "U8", "2,3", "0", "6") "," TENSOR("b", "F32", "1", "6", "10") "}";
    write_tensors("whole.safetensors", header, 10);
    io_bytes whole;
    assert_ok(context, io_bytes_read(context, "whole.safetensors", &whole));
    for (int round = 0; round < 3000; round++) {
        unsigned char bytes[400];
        size_t n = whole.n - (round % 3 ? 0 : base_rng_below(&rng, whole.n));
        memcpy(bytes, whole.bytes, n);
        for (int k = 0; k < 2 && n; k++)
            bytes[base_rng_below(&rng, n)] ^= (unsigned char)(1u << base_rng_below(&rng, 8));
        test_write_file("flipped.safetensors", bytes, n);
        truce_tensor_file *file = NULL;
        if (truce_tensor_file_open(context, "flipped.safetensors", &file) == TRUCE_OK)
            for (int64_t i = 0; i < truce_tensor_file_count(file); i++) {
                const truce_tensor_info *tensor = truce_tensor_file_at(file, i);
                for (size_t k = 0; k < tensor->n_bytes; k++)
                    assert_true(((const unsigned char *)tensor->bytes)[k] < 255);
            }
        truce_tensor_file_close(file);
    }
    io_bytes_free(context, &whole);
}

static void storage_types_have_names_and_sizes(void **state) {
    (void)state;
    assert_string_equal("BF16", truce_storage_name(TRUCE_STORE_BF16));
    assert_string_equal("F8_E4M3", truce_storage_name(TRUCE_STORE_F8_E4M3));
    assert_int_equal(8, truce_storage_bytes(TRUCE_STORE_F64));
    assert_int_equal(2, truce_storage_bytes(TRUCE_STORE_U16));
    assert_int_equal(1, truce_storage_bytes(TRUCE_STORE_BOOL));
    assert_int_equal(8, truce_storage_bytes(TRUCE_STORE_C64));
    assert_int_equal(0, truce_storage_bytes(TRUCE_STORE_F4));
    assert_int_equal(6, truce_storage_bits(TRUCE_STORE_F6_E2M3));
}

static truce_tensor_writer *begin(truce_context *context, const char *path) {
    truce_tensor_writer *writer = NULL;
    assert_ok(context, truce_tensor_writer_create(context, path, &writer));
    return writer;
}

static void the_bytes_of_a_file_are_as_specified(void **state) {
    truce_context *context = *state;
    truce_shape pair = truce_shape_of(1, 2), scalar = truce_shape_of(0), none = truce_shape_of(2, 0, 3);
    truce_tensor_writer *writer = begin(context, "golden.safetensors");
    assert_ok(context, truce_tensor_writer_metadata(writer, "k\"\n", "old"));
    assert_ok(context, truce_tensor_writer_announce(writer, "b", TRUCE_STORE_U8, &pair));
    assert_ok(context, truce_tensor_writer_announce(writer, "n", TRUCE_STORE_F64, &none));
    assert_ok(context, truce_tensor_writer_announce(writer, "a\\", TRUCE_STORE_F32, &scalar));
    assert_ok(context, truce_tensor_writer_metadata(writer, "k\"\n", "v\t"));
    assert_ok(context, truce_tensor_writer_write(writer, "\1", 1));
    assert_ok(context, truce_tensor_writer_write(writer, "\2", 1));
    assert_ok(context, truce_tensor_writer_write(writer, NULL, 0));
    assert_ok(context, truce_tensor_writer_write(writer, "\3\4\5\6", 4));
    assert_ok(context, truce_tensor_writer_commit(writer));
    static const char header[] = "{\"__metadata__\":{\"k\\\"\\u000a\":\"v\\u0009\"},"
                                 "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                                 "\"n\":{\"dtype\":\"F64\",\"shape\":[0, 3],\"data_offsets\":[2,2]},"
                                 "\"a\\\\\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[2,6]}}";
    io_bytes got;
    size_t n = sizeof header - 1, padded = (n + 7) / 8 * 8;
    assert_ok(context, io_bytes_read(context, "golden.safetensors", &got));
    assert_int_equal(8 + padded + 6, got.n);
    assert_int_equal(padded, got.bytes[0] + 256 * got.bytes[1]);
    assert_memory_equal(header, got.bytes + 8, n);
    for (size_t i = n; i < padded; i++) assert_int_equal(' ', got.bytes[8 + i]);
    assert_memory_equal("\1\2\3\4\5\6", got.bytes + 8 + padded, 6);
    io_bytes_free(context, &got);
    truce_tensor_file *file;
    assert_ok(context, truce_tensor_file_open(context, "golden.safetensors", &file));
    assert_int_equal(3, truce_tensor_file_count(file));
    assert_string_equal("v\t", truce_tensor_file_metadata(file, "k\"\n"));
    assert_int_equal(0, truce_tensor_file_find(file, "a\\")->shape.n_dims);
    truce_tensor_file_close(file);
}

static void random_files_read_back(void **state) {
    truce_context *context = *state;
    base_rng rng = base_rng_make(22, "tensors", 0, 0);
    static unsigned char values[200][600];
    for (int round = 0; round < 30; round++) {
        int n = (int)base_rng_below(&rng, 200);
        truce_shape shapes[200];
        truce_storage storages[200];
        char name[32];
        truce_tensor_writer *writer = begin(context, "random.safetensors");
        for (int i = 0; i < n; i++) {
            storages[i] = (truce_storage)base_rng_below(&rng, TRUCE_STORE_F4 + 1);
            shapes[i] = truce_shape_of((int)base_rng_below(&rng, 3));
            for (int d = 0; d < shapes[i].n_dims; d++)
                shapes[i].dims[d] = (int64_t)base_rng_below(&rng, 4) * 2;
            if (truce_storage_bytes(storages[i]) == 0) shapes[i] = truce_shape_of(1, 8);
            snprintf(name, sizeof name, "layer.%d.weight", i);
            assert_ok(context, truce_tensor_writer_announce(writer, name, storages[i], &shapes[i]));
        }
        for (int i = 0; i < n; i++) {
            size_t bytes = (size_t)(truce_shape_size(&shapes[i]) * truce_storage_bits(storages[i]) / 8),
                   cut = bytes / 3;
            for (size_t k = 0; k < bytes; k++) values[i][k] = (unsigned char)base_rng_u32(&rng);
            assert_ok(context, truce_tensor_writer_write(writer, values[i], cut));
            assert_ok(context, truce_tensor_writer_write(writer, values[i] + cut, bytes - cut));
        }
        assert_ok(context, truce_tensor_writer_commit(writer));
        truce_tensor_file *file;
        assert_ok(context, truce_tensor_file_open(context, "random.safetensors", &file));
        assert_int_equal(n, truce_tensor_file_count(file));
        for (int i = 0; i < n; i++) {
            const truce_tensor_info *tensor = truce_tensor_file_at(file, i);
            snprintf(name, sizeof name, "layer.%d.weight", i);
            assert_ptr_equal(tensor, truce_tensor_file_find(file, name));
            assert_int_equal(storages[i], tensor->storage);
            assert_true(truce_shape_equal(&shapes[i], &tensor->shape));
            if (tensor->n_bytes) assert_memory_equal(values[i], tensor->bytes, tensor->n_bytes);
        }
        truce_tensor_file_close(file);
    }
}

/* One tensor of each floating-point type, behind one odd byte so that nothing is aligned. */
static void values_convert_exactly(void **state) {
    truce_context *context = *state;
    enum { N = 65536 };
    static uint16_t halves[N];
    static float floats[N], as_float[N];
    static double doubles[N], as_double[N];
    base_rng rng = base_rng_make(23, "values", 0, 0);
    for (uint32_t i = 0; i < N; i++) {
        halves[i] = (uint16_t)i;
        floats[i] = io_float_of_bits(base_rng_u32(&rng) & (i % 5 ? 0xffffffff : 0x807fffff));
        doubles[i] = base_rng_normal(&rng) * pow(2, (double)i / 100 - 330);
    }
    doubles[0] = NAN;
    doubles[1] = -INFINITY;
    truce_shape shape = truce_shape_of(2, 256, 256), one = truce_shape_of(0);
    truce_tensor_writer *writer = begin(context, "values.safetensors");
    static const truce_storage storages[] = {TRUCE_STORE_F16, TRUCE_STORE_BF16, TRUCE_STORE_F32,
                                             TRUCE_STORE_F64};
    const void *values[] = {halves, halves, floats, doubles};
    assert_ok(context, truce_tensor_writer_announce(writer, "odd", TRUCE_STORE_U8, &one));
    for (int i = 0; i < 4; i++)
        assert_ok(context,
                  truce_tensor_writer_announce(writer, truce_storage_name(storages[i]), storages[i], &shape));
    assert_ok(context, truce_tensor_writer_write(writer, "x", 1));
    for (int i = 0; i < 4; i++)
        assert_ok(context,
                  truce_tensor_writer_write(writer, values[i], N * truce_storage_bytes(storages[i])));
    assert_ok(context, truce_tensor_writer_commit(writer));
    truce_tensor_file *file;
    assert_ok(context, truce_tensor_file_open(context, "values.safetensors", &file));
    for (int k = 0; k < 4; k++) {
        const truce_tensor_info *tensor = truce_tensor_file_at(file, k + 1);
        assert_ok(context, truce_tensor_file_read(file, tensor, TRUCE_FLOAT32, as_float));
        assert_ok(context, truce_tensor_file_read(file, tensor, TRUCE_FLOAT64, as_double));
        for (int i = 0; i < N; i++) {
            float expected = k == 0   ? io_f16_to_float(halves[i])
                             : k == 1 ? io_bf16_to_float(halves[i])
                             : k == 2 ? floats[i]
                                      : (float)doubles[i];
            double precise = k == 3 ? doubles[i] : (double)expected;
            if (isnan(expected)) {
                assert_true(isnan(as_float[i]) && isnan(as_double[i]));
                assert_int_equal(signbit(expected) != 0, signbit(as_double[i]) != 0);
            } else {
                assert_int_equal(io_bits_of_float(expected), io_bits_of_float(as_float[i]));
                assert_true(as_double[i] == precise);
            }
            if (k < 3) assert_int_equal(io_bits_of_float(expected), io_bits_of_float(as_float[i]));
        }
    }
    assert_fails(context, TRUCE_ERROR_TYPE, "tensor 'odd' holds U8, not F64, F32, F16 or BF16",
                 truce_tensor_file_read(file, truce_tensor_file_at(file, 0), TRUCE_FLOAT32, as_float));
    assert_fails(context, TRUCE_ERROR_TYPE, "not int32",
                 truce_tensor_file_read(file, truce_tensor_file_at(file, 1), TRUCE_INT32, as_float));
    truce_tensor_file_close(file);
}

static void wrong_use_of_a_writer_fails_and_leaves_nothing(void **state) {
    truce_context *context = *state;
    truce_shape pair = truce_shape_of(1, 2), negative = truce_shape_of(2, 2, -1), odd = truce_shape_of(1, 3);
    truce_shape huge = {2, {INT64_MAX, 3}};
    truce_tensor_writer *writer = begin(context, "wrong.safetensors");
    remove("wrong.safetensors");
    assert_ok(context, truce_tensor_writer_announce(writer, "a", TRUCE_STORE_U8, &pair));
    assert_fails(context, TRUCE_ERROR_NAME, "wrong.safetensors: tensor 'a' is announced twice",
                 truce_tensor_writer_announce(writer, "a", TRUCE_STORE_U8, &pair));
    assert_fails(context, TRUCE_ERROR_NAME, "announced twice", truce_tensor_writer_write(writer, "x", 1));
    assert_fails(context, TRUCE_ERROR_NAME, "announced twice", truce_tensor_writer_commit(writer));
    static const struct {
        const char *name;
        truce_status status;
        const char *message;
    } rows[] = {{"__metadata__", TRUCE_ERROR_NAME, "no tensor can be named __metadata__"},
                {"\xff", TRUCE_ERROR_FORMAT, "is not in UTF-8"}};
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        writer = begin(context, "wrong.safetensors");
        assert_fails(context, rows[i].status, rows[i].message,
                     truce_tensor_writer_announce(writer, rows[i].name, TRUCE_STORE_U8, &pair));
        truce_tensor_writer_discard(writer);
    }
    const truce_shape *shapes[] = {&negative, &huge, &odd};
    for (size_t i = 0; i < BASE_COUNT(shapes); i++) {
        writer = begin(context, "wrong.safetensors");
        assert_fails(context, TRUCE_ERROR_SHAPE, "is no possible size",
                     truce_tensor_writer_announce(writer, "a", TRUCE_STORE_F4, shapes[i]));
        truce_tensor_writer_discard(writer);
    }
    writer = begin(context, "wrong.safetensors");
    assert_fails(context, TRUCE_ERROR_FORMAT, "UTF-8", truce_tensor_writer_metadata(writer, "k", "\xff"));
    truce_tensor_writer_discard(writer);
    truce_tensor_writer_discard(NULL);
    assert_fails(context, TRUCE_ERROR_IO, "absent/x: No such file",
                 truce_tensor_writer_create(context, "absent/x", &writer));
    assert_false(io_exists("wrong.safetensors"));
}

static void values_must_be_as_many_as_announced(void **state) {
    truce_context *context = *state;
    truce_shape pair = truce_shape_of(1, 2);
    static const struct {
        int pieces[3];
        truce_status status;
        const char *message;
    } rows[] = {
        {{3}, TRUCE_ERROR_STATE, "tensor 'a' takes 2 bytes, not more"},
        {{1, 2}, TRUCE_ERROR_STATE, "tensor 'a' takes 2 bytes, not more"},
        {{2, 2, 1}, TRUCE_ERROR_STATE, "every announced tensor is complete"},
        {{2, 1}, TRUCE_ERROR_STATE, "tensor 'b' got 1 of its 2 bytes"},
        {{0}, TRUCE_ERROR_STATE, "tensor 'a' got 0 of its 2 bytes"},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        truce_tensor_writer *writer = begin(context, "many.safetensors");
        assert_ok(context, truce_tensor_writer_announce(writer, "a", TRUCE_STORE_U8, &pair));
        assert_ok(context, truce_tensor_writer_announce(writer, "b", TRUCE_STORE_I8, &pair));
        for (int k = 0; k < 3 && rows[i].pieces[k]; k++)
            truce_tensor_writer_write(writer, "xyz", (size_t)rows[i].pieces[k]);
        assert_fails(context, rows[i].status, rows[i].message, truce_tensor_writer_commit(writer));
        assert_false(io_exists("many.safetensors"));
    }
    truce_tensor_writer *writer = begin(context, "many.safetensors");
    assert_ok(context, truce_tensor_writer_announce(writer, "a", TRUCE_STORE_U8, &pair));
    assert_ok(context, truce_tensor_writer_write(writer, "x", 1));
    assert_fails(context, TRUCE_ERROR_STATE, "tensors and metadata come before them",
                 truce_tensor_writer_announce(writer, "b", TRUCE_STORE_U8, &pair));
    truce_tensor_writer_discard(writer);
    writer = begin(context, "empty.safetensors");
    assert_ok(context, truce_tensor_writer_commit(writer));
    truce_tensor_file *file;
    assert_ok(context, truce_tensor_file_open(context, "empty.safetensors", &file));
    truce_tensor_file_close(file);
}

static void a_full_device_is_a_failure_at_commit(void **state) {
    truce_context *context = *state;
    if (!io_exists("/dev/full")) {
        printf("skipped: there is no /dev/full\n");
        return;
    }
    truce_tensor_writer *writer = begin(context, "/dev/full");
    assert_fails(context, TRUCE_ERROR_IO, "/dev/full: No space left on device",
                 truce_tensor_writer_commit(writer));
}

static truce_status write_small(truce_context *context, const char *path) {
    truce_tensor_writer *writer = NULL;
    truce_shape pair = truce_shape_of(1, 2);
    char name[16];
    BASE_TRY(truce_tensor_writer_create(context, path, &writer));
    truce_status status = truce_tensor_writer_metadata(writer, "format", "pt");
    if (!status) status = truce_tensor_writer_metadata(writer, "format", "np");
    for (int i = 0; i < 20 && !status; i++) {
        snprintf(name, sizeof name, "tensor%d", i);
        status = truce_tensor_writer_announce(writer, name, TRUCE_STORE_U8, &pair);
    }
    for (int i = 0; i < 20 && !status; i++) status = truce_tensor_writer_write(writer, "xy", 2);
    if (!status) return truce_tensor_writer_commit(writer);
    assert_int_equal(status, truce_tensor_writer_commit(writer));
    return status;
}

static truce_status use_everything(truce_context *context) {
    truce_tensor_file *file = NULL;
    BASE_TRY(write_small(context, "memory.safetensors"));
    BASE_TRY(truce_tensor_file_open(context, "memory.safetensors", &file));
    truce_tensor_file_close(file);
    return TRUCE_OK;
}

static void every_failing_allocation_is_survived(void **state) {
    truce_context *context = *state;
    for (long k = 1, failed = 1; failed; k++) {
        test_fail_allocation(k);
        truce_status status = use_everything(context);
        failed = test_allocation_failed();
        assert_int_equal(failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(tensors_come_in_the_order_of_their_data),
        TEST(files_without_tensors_are_fine),
        TEST(hostile_headers_are_refused_by_name),
        TEST(hostile_lengths_are_refused),
        TEST(deep_json_is_refused),
        TEST(flipped_bits_are_refused_or_read),
        TEST(storage_types_have_names_and_sizes),
        TEST(the_bytes_of_a_file_are_as_specified),
        TEST(random_files_read_back),
        TEST(values_convert_exactly),
        TEST(wrong_use_of_a_writer_fails_and_leaves_nothing),
        TEST(values_must_be_as_many_as_announced),
        TEST(a_full_device_is_a_failure_at_commit),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
