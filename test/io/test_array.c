#include "support/test.h"

#include "base/rng.h"
#include "io/array.h"
#include "io/shape.h"

#include <math.h>
#include <stdlib.h>
#include <zlib.h>

/* A .npy file of any version from its dictionary and its elements. */
static size_t make_npy(int version, const char *dictionary, const void *elements, size_t n, char *out) {
    size_t head = version == 1 ? 10 : 12, m = strlen(dictionary);
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (char)version;
    for (size_t i = 7; i < head; i++) out[i] = 0;
    out[8] = (char)(m & 255);
    out[9] = (char)(m >> 8);
    memcpy(out + head, dictionary, m);
    if (n) memcpy(out + head + m, elements, n);
    return head + m + n;
}

static void write_npy(const char *path, int version, const char *dictionary, const void *elements, size_t n) {
    static char file[100000];
    test_write_file(path, file, make_npy(version, dictionary, elements, n, file));
}

static void every_number_type_is_read_in_both_orders(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *descr;
        const char *little; /* two elements, little-endian */
        int bytes;
        io_array_kind kind;
        double first, second;
    } rows[] = {
        {"f2", "\x00\xc0\x01\x00", 2, IO_ARRAY_F32, -2, 0x1p-24},
        {"f4", "\x00\x00\xc0\xbf\x00\x00\x80\x7f", 4, IO_ARRAY_F32, -1.5, INFINITY},
        {"f8", "\x9a\x99\x99\x99\x99\x99\xb9\x3f\x00\x00\x00\x00\x00\x00\x00\xc0", 8, IO_ARRAY_F64, 0.1, -2},
        {"i1", "\xff\x7f", 1, IO_ARRAY_I32, -1, 127},
        {"i2", "\xfe\xff\x00\x01", 2, IO_ARRAY_I32, -2, 256},
        {"i4", "\xfd\xff\xff\xff\x04\x03\x02\x01", 4, IO_ARRAY_I32, -3, 16909060},
        {"i8", "\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x80", 8, IO_ARRAY_I64, -1,
         -0x1p63},
        {"u1", "\xff\x01", 1, IO_ARRAY_U8, 255, 1},
        {"u2", "\xff\xff\x02\x01", 2, IO_ARRAY_I32, 65535, 258},
        {"u4", "\xff\xff\xff\xff\x01\x00\x00\x00", 4, IO_ARRAY_I64, 4294967295.0, 1},
        {"u8", "\x01\x00\x00\x00\x00\x00\x00\x40\x07\x00\x00\x00\x00\x00\x00\x00", 8, IO_ARRAY_I64, 0x1p62,
         7},
        {"b1", "\x01\x00", 1, IO_ARRAY_U8, 1, 0},
        {"b1", "\x02\xff", 1, IO_ARRAY_U8, 1, 1},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++)
        for (int version = 1; version <= 3; version++)
            for (const char *order = rows[i].bytes == 1 ? "<>|" : "<>"; *order; order++) {
                char dictionary[128], bytes[16];
                int n = rows[i].bytes;
                for (int k = 0; k < 2 * n; k++)
                    bytes[k] = rows[i].little[*order == '>' ? k / n * n + n - 1 - k % n : k];
                snprintf(dictionary, sizeof dictionary,
                         "{'descr': '%c%s', 'fortran_order': False, 'shape': (2,), }   \n", *order,
                         rows[i].descr);
                write_npy("type.npy", version, dictionary, bytes, 2 * (size_t)n);
                io_array array;
                assert_ok(context, io_npy_read(context, "type.npy", &array));
                assert_int_equal(rows[i].kind, array.kind);
                assert_int_equal(1, array.shape.n_dims);
                assert_true(io_array_get(&array, 0) == rows[i].first);
                assert_true(io_array_get(&array, 1) == rows[i].second);
                assert_int_equal(0, (uintptr_t)array.values % BASE_ALIGNMENT);
                io_array_free(context, &array);
            }
}

static void dictionaries_may_be_written_in_any_way(void **state) {
    truce_context *context = *state;
    static const char *const rows[] = {
        "{'descr':'|u1','fortran_order':False,'shape':(2,3)}",
        "{\"shape\": (2, 3,), \"descr\": \"|u1\", \"fortran_order\": False}\n",
        "  { 'fortran_order' : False , 'shape' : ( 2 , 3 ) , 'descr' : '<u1' , } \n",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2L, 3L), }",
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        io_array array;
        write_npy("written.npy", 1, rows[i], "abcdef", 6);
        assert_ok(context, io_npy_read(context, "written.npy", &array));
        assert_true(array.shape.n_dims == 2 && array.shape.dims[0] == 2 && array.shape.dims[1] == 3);
        assert_memory_equal("abcdef", array.values, 6);
        io_array_free(context, &array);
    }
}

/* The element at (i, j, ...) holds its row-major number; written with the first axis fastest. */
static void fortran_order_of_any_rank_becomes_row_major(void **state) {
    truce_context *context = *state;
    base_rng rng = base_rng_make(11, "fortran", 0, 0);
    for (int round = 0; round < 200; round++) {
        int rank = (int)base_rng_below(&rng, TRUCE_MAX_DIMS + 1);
        int64_t dims[TRUCE_MAX_DIMS], n = 1;
        char shape[256] = "";
        for (int i = 0; i < rank; i++) {
            dims[i] = (int64_t)base_rng_below(&rng, 4) + (round % 10 != 0);
            n *= dims[i];
            snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%d, ", (int)dims[i]);
        }
        static int32_t elements[65536 * 4];
        for (int64_t row_major = 0; row_major < n; row_major++) {
            int64_t rest = row_major, column_major = 0, stride = n;
            for (int i = rank - 1; i >= 0; i--) {
                stride /= dims[i];
                column_major += rest % dims[i] * stride;
                rest /= dims[i];
            }
            elements[column_major] = (int32_t)row_major;
        }
        char dictionary[400];
        static char file[sizeof elements + 500];
        snprintf(dictionary, sizeof dictionary, "{'descr': '<i4', 'fortran_order': True, 'shape': (%s)}",
                 shape);
        size_t bytes = make_npy(2, dictionary, elements, (size_t)n * 4, file);
        test_write_file("fortran.npy", file, bytes);
        io_array array;
        assert_ok(context, io_npy_read(context, "fortran.npy", &array));
        for (int64_t i = 0; i < n; i++) assert_int_equal(i, ((int32_t *)array.values)[i]);
        io_array_free(context, &array);
    }
}

#define DICTIONARY(descr, order, shape) "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape "}"

static void npy_files_that_cannot_be_read_say_why(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *dictionary;
        size_t n;
        truce_status status;
        const char *message;
    } rows[] = {
        {DICTIONARY("'|O'", "False", "(2,)"), 16, TRUCE_ERROR_UNSUPPORTED,
         "bad.npy: holds Python objects (dtype '|O')"},
        {DICTIONARY("'<U7'", "False", "(2,)"), 56, TRUCE_ERROR_UNSUPPORTED, "holds texts (dtype '<U7')"},
        {DICTIONARY("'<c8'", "False", "(2,)"), 16, TRUCE_ERROR_UNSUPPORTED, "holds complex numbers"},
        {DICTIONARY("'<f16'", "False", "(2,)"), 32, TRUCE_ERROR_UNSUPPORTED,
         "of an unusual size (dtype '<f16')"},
        {DICTIONARY("'<M8[ns]'", "False", "(2,)"), 16, TRUCE_ERROR_UNSUPPORTED, "holds dates"},
        {DICTIONARY("[('a', '<f4')]", "False", "(2,)"), 8, TRUCE_ERROR_UNSUPPORTED, "structured dtype"},
        {DICTIONARY("'f4'", "False", "(2,)"), 8, TRUCE_ERROR_FORMAT, "no byte order"},
        {DICTIONARY("'|f4'", "False", "(2,)"), 8, TRUCE_ERROR_FORMAT, "no byte order"},
        {DICTIONARY("'<f4'", "Maybe", "(2,)"), 8, TRUCE_ERROR_FORMAT, "not True or False"},
        {DICTIONARY("'<f4'", "False", "(2)"), 8, TRUCE_ERROR_FORMAT, "its shape is no tuple"},
        {DICTIONARY("'<f4'", "False", "[2]"), 8, TRUCE_ERROR_FORMAT, "its shape is no tuple"},
        {DICTIONARY("'<f4'", "False", "(-2,)"), 8, TRUCE_ERROR_FORMAT, "no tuple of sizes"},
        {DICTIONARY("'<f4'", "False", "(2 2)"), 16, TRUCE_ERROR_FORMAT, "no tuple of sizes"},
        {DICTIONARY("'<f4'", "False", "(1,,)"), 4, TRUCE_ERROR_FORMAT, "no tuple of sizes"},
        {DICTIONARY("'<f4'", "False", "(99999999999999999999,)"), 8, TRUCE_ERROR_FORMAT, "no tuple of sizes"},
        {DICTIONARY("'<f4'", "False", "(4294967296, 4294967296)"), 8, TRUCE_ERROR_FORMAT,
         "a shape of [4294967296, 4294967296] is not possible"},
        {DICTIONARY("'<f4'", "False", "(0, 9223372036854775807, 3)"), 0, TRUCE_ERROR_FORMAT, "not possible"},
        {DICTIONARY("'<f4'", "False", "(1,1,1,1,1,1,1,1,1)"), 4, TRUCE_ERROR_UNSUPPORTED, "more than 8 axes"},
        {DICTIONARY("'<f4'", "False", "(2, 3)"), 23, TRUCE_ERROR_FORMAT,
         "bad.npy: the header announces [2, 3], 24 bytes, but 23 follow; the file is truncated"},
        {DICTIONARY("'<f4'", "False", "(2, 3)"), 25, TRUCE_ERROR_FORMAT,
         "24 bytes, but 25 follow; the file is damaged"},
        {DICTIONARY("'<u8'", "False", "(2,)"), 16, TRUCE_ERROR_RANGE,
         "element 0 is 18446744073709551615, beyond"},
        {DICTIONARY("'<f4'", "False", "(2,)") "x", 8, TRUCE_ERROR_FORMAT, "something follows the dictionary"},
        {"{'descr': '<f4', 'shape': (2,)}", 8, TRUCE_ERROR_FORMAT, "dtype, order or shape is missing"},
        {"{'descr': '<f4', 'descr': '<f4', 'shape': (2,)}", 8, TRUCE_ERROR_FORMAT, "unknown or there twice"},
        {"{'descr': '<f4', 'more': 1}", 8, TRUCE_ERROR_FORMAT, "unknown or there twice"},
        {"{'descr': '<f4' 'shape': (2,)}", 8, TRUCE_ERROR_FORMAT, "it is no dictionary"},
        {"{'descr': '<f4", 8, TRUCE_ERROR_FORMAT, "its dtype is no text"},
        {"{'descr': '<f\\x34'", 8, TRUCE_ERROR_FORMAT, "its dtype is no text"},
        {"{", 0, TRUCE_ERROR_FORMAT, "it is no dictionary"},
        {"", 0, TRUCE_ERROR_FORMAT, "it is no dictionary"},
    };
    char elements[64];
    io_array array;
    memset(elements, 255, sizeof elements);
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        write_npy("bad.npy", 1, rows[i].dictionary, elements, rows[i].n);
        assert_fails(context, rows[i].status, rows[i].message, io_npy_read(context, "bad.npy", &array));
    }
    test_write_text("bad.npy", "some text that is no array");
    assert_fails(context, TRUCE_ERROR_FORMAT, "bad.npy: this is no .npy file",
                 io_npy_read(context, "bad.npy", &array));
    test_write_text("bad.npy", "");
    assert_fails(context, TRUCE_ERROR_FORMAT, "this is no .npy file",
                 io_npy_read(context, "bad.npy", &array));
    test_write_file("bad.npy", "\x93NUMPY\x04\x00\x01\x00x", 11);
    assert_fails(context, TRUCE_ERROR_UNSUPPORTED, "version 4.0", io_npy_read(context, "bad.npy", &array));
    test_write_file("bad.npy", "\x93NUMPY\x01\x00\xff\xffx", 11);
    assert_fails(context, TRUCE_ERROR_FORMAT, "ends within its header",
                 io_npy_read(context, "bad.npy", &array));
    test_write_file("bad.npy", "\x93NUMPY\x02\x00\x01\x00x", 11);
    assert_fails(context, TRUCE_ERROR_FORMAT, "ends within its header",
                 io_npy_read(context, "bad.npy", &array));
    assert_fails(context, TRUCE_ERROR_IO, "No such file", io_npy_read(context, "absent.npy", &array));
}

static void what_is_written_reads_back(void **state) {
    truce_context *context = *state;
    static const io_array_kind kinds[] = {IO_ARRAY_F64, IO_ARRAY_F32, IO_ARRAY_I64, IO_ARRAY_I32,
                                          IO_ARRAY_U8};
    static const truce_shape shapes[] = {
        {0}, {1, {0}}, {1, {1}}, {1, {7}}, {2, {3, 0}}, {2, {5, 3}}, {8, {1, 2, 1, 3, 1, 1, 2, 1}}};
    base_rng rng = base_rng_make(12, "npy", 0, 0);
    for (size_t k = 0; k < BASE_COUNT(kinds); k++)
        for (size_t s = 0; s < BASE_COUNT(shapes); s++) {
            unsigned char bytes[256];
            for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)base_rng_u32(&rng);
            io_array array = {kinds[k], shapes[s], bytes}, got;
            size_t n = (size_t)truce_shape_size(&shapes[s]) * io_array_kind_bytes(kinds[k]);
            assert_ok(context, io_npy_write(context, "written.npy", &array));
            assert_ok(context, io_npy_read(context, "written.npy", &got));
            assert_int_equal(kinds[k], got.kind);
            assert_true(truce_shape_equal(&shapes[s], &got.shape));
            if (n) assert_memory_equal(bytes, got.values, n);
            io_array_free(context, &got);
        }
}

/* The bytes that numpy.save writes for this array. */
static void what_is_written_is_what_numpy_writes(void **state) {
    truce_context *context = *state;
    static const char expected[] =
        "\x93NUMPY\x01\x00\x76\x00{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }"
        "                                                          \n";
    int32_t values[6] = {1, 2, 3, 4, 5, 6};
    io_array array = {IO_ARRAY_I32, {2, {2, 3}}, values};
    io_bytes got;
    assert_ok(context, io_npy_write(context, "golden.npy", &array));
    assert_ok(context, io_bytes_read(context, "golden.npy", &got));
    assert_int_equal(128, sizeof expected - 1);
    assert_int_equal(128 + sizeof values, got.n);
    assert_memory_equal(expected, got.bytes, 128);
    io_bytes_free(context, &got);
    assert_fails(context, TRUCE_ERROR_IO, "absent/x.npy: No such",
                 io_npy_write(context, "absent/x.npy", &array));
}

static void idx_files_of_all_types_are_read(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *bytes;
        size_t n;
        io_array_kind kind;
        int n_dims;
        double last;
    } rows[] = {
        {"\0\0\x08\x01\0\0\0\x02\x01\xff", 10, IO_ARRAY_U8, 1, 255},
        {"\0\0\x09\x02\0\0\0\x01\0\0\0\x02\x01\xff", 14, IO_ARRAY_I32, 2, -1},
        {"\0\0\x0b\x01\0\0\0\x01\x01\x02", 10, IO_ARRAY_I32, 1, 258},
        {"\0\0\x0c\x01\0\0\0\x01\xff\xff\xff\xfe", 12, IO_ARRAY_I32, 1, -2},
        {"\0\0\x0d\x01\0\0\0\x01\x3f\xc0\0\0", 12, IO_ARRAY_F32, 1, 1.5},
        {"\0\0\x0e\x01\0\0\0\x01\xbf\xf8\0\0\0\0\0\0", 16, IO_ARRAY_F64, 1, -1.5},
        {"\0\0\x08\0\x07", 5, IO_ARRAY_U8, 0, 7},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        io_array array;
        test_write_file("x.idx", rows[i].bytes, rows[i].n);
        gzFile packed = gzopen("x.idx.gz", "wb");
        assert_int_equal(rows[i].n, gzwrite(packed, rows[i].bytes, (unsigned)rows[i].n));
        assert_int_equal(Z_OK, gzclose(packed));
        for (int gz = 0; gz < 2; gz++) {
            assert_ok(context, io_idx_read(context, gz ? "x.idx.gz" : "x.idx", &array));
            assert_int_equal(rows[i].kind, array.kind);
            assert_int_equal(rows[i].n_dims, array.shape.n_dims);
            assert_true(io_array_get(&array, truce_shape_size(&array.shape) - 1) == rows[i].last);
            io_array_free(context, &array);
        }
    }
    io_array array;
    test_write_file("x.idx", "\0\0\x08\x02\0\0\0\0\0\0\0\x03", 12);
    assert_ok(context, io_idx_read(context, "x.idx", &array));
    assert_int_equal(0, truce_shape_size(&array.shape));
    io_array_free(context, &array);
}

static void idx_files_that_cannot_be_read_say_why(void **state) {
    truce_context *context = *state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *message;
    } rows[] = {
        {"", 0, "bad.idx: this is no IDX file"},
        {"\0\0\x08", 3, "this is no IDX file"},
        {"\x89PNG", 4, "this is no IDX file"},
        {"\0\0\x0a\x01\0\0\0\x01\x01", 9, "no element type 0x0A"},
        {"\0\0\x08\x09", 4, "9 axes; at most 8"},
        {"\0\0\x08\x03\0\0\0\x01\0\0\0\x01", 12, "ends within its header"},
        {"\0\0\x08\x01\0\0\0\x03\x01\x02", 10, "announces [3], 3 bytes, but 2 follow; the file is truncated"},
        {"\0\0\x08\x01\0\0\0\x01\x01\x02", 10, "1 bytes, but 2 follow; the file is damaged"},
        {"\0\0\x0e\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16, "is not possible"},
    };
    io_array array;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        test_write_file("bad.idx", rows[i].bytes, rows[i].n);
        truce_status status = io_idx_read(context, "bad.idx", &array);
        assert_true(status == TRUCE_ERROR_FORMAT || status == TRUCE_ERROR_UNSUPPORTED);
        assert_fails(context, status, rows[i].message, status);
    }
}

static void mnist_is_as_its_page_says(void **state) {
    truce_context *context = *state;
    const char *path = test_data("mnist-t10k/t10k-labels-idx1-ubyte.gz");
    io_array array;
    if (!path) return;
    assert_ok(context, io_idx_read(context, path, &array));
    assert_true(array.kind == IO_ARRAY_U8 && array.shape.n_dims == 1 && array.shape.dims[0] == 10000);
    assert_true(io_array_get(&array, 0) == 7 && io_array_get(&array, 1) == 2 && io_array_get(&array, 2) == 1);
    io_array_free(context, &array);
}

static void shapes_from_files_are_counted_with_care(void **state) {
    static const struct {
        truce_shape shape;
        bool good;
        int64_t count;
        const char *text;
    } rows[] = {
        {{0}, true, 1, "[]"},
        {{1, {0}}, true, 0, "[0]"},
        {{3, {2, 3, 4}}, true, 24, "[2, 3, 4]"},
        {{2, {-1, 4}}, false, 0, "[-1, 4]"},
        {{2, {INT64_MAX, 2}}, false, 0, "[9223372036854775807, 2]"},
        {{3, {INT64_MAX / 64, 1, 0}}, true, 0, "[144115188075855871, 1, 0]"},
        {{3, {INT64_MAX, 0, INT64_MAX}}, false, 0, "[9223372036854775807, 0, 9223372036854775807]"},
    };
    (void)state;
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        int64_t count = -1;
        char text[IO_SHAPE_TEXT_BYTES];
        assert_int_equal(rows[i].good, io_shape_count(&rows[i].shape, &count));
        assert_int_equal(rows[i].good ? rows[i].count : -1, count);
        io_shape_text(&rows[i].shape, text);
        assert_string_equal(rows[i].text, text);
    }
}

static truce_status use_everything(truce_context *context) {
    int32_t values[6] = {1, 2, 3, 4, 5, 6};
    io_array array = {IO_ARRAY_I32, {2, {2, 3}}, values}, got;
    BASE_TRY(io_npy_write(context, "memory.npy", &array));
    BASE_TRY(io_npy_read(context, "memory.npy", &got));
    io_array_free(context, &got);
    BASE_TRY(io_idx_read(context, "memory.idx.gz", &got));
    io_array_free(context, &got);
    return TRUCE_OK;
}

static void every_failing_allocation_is_survived(void **state) {
    truce_context *context = *state;
    test_write_file("memory.idx.gz", "\0\0\x08\x01\0\0\0\x01\x05", 9);
    for (long k = 1, failed = 1; failed; k++) {
        test_fail_allocation(k);
        truce_status status = use_everything(context);
        failed = test_allocation_failed();
        assert_int_equal(failed ? TRUCE_ERROR_MEMORY : TRUCE_OK, status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_number_type_is_read_in_both_orders),
        TEST(dictionaries_may_be_written_in_any_way),
        TEST(fortran_order_of_any_rank_becomes_row_major),
        TEST(npy_files_that_cannot_be_read_say_why),
        TEST(what_is_written_reads_back),
        TEST(what_is_written_is_what_numpy_writes),
        TEST(idx_files_of_all_types_are_read),
        TEST(idx_files_that_cannot_be_read_say_why),
        TEST(mnist_is_as_its_page_says),
        TEST(shapes_from_files_are_counted_with_care),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
