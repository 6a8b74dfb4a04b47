#include "support/test.h"

#include "base/rng.h"
#include "io/half.h"

#include <math.h>

/* The value of 16 bits from the definition, for finite ones: sign x mantissa x 2^exponent. */
static double value_of(uint16_t half, int mantissa_bits, int bias) {
    int exponent = (half & 0x7fff) >> mantissa_bits, mantissa = half & ((1 << mantissa_bits) - 1);
    double magnitude = exponent ? ldexp((1 << mantissa_bits) + mantissa, exponent - bias - mantissa_bits)
                                : ldexp(mantissa, 1 - bias - mantissa_bits);
    return half & 0x8000 ? -magnitude : magnitude;
}

static void every_f16_has_its_value(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 0x10000; i++) {
        uint16_t half = (uint16_t)i;
        float value = io_f16_to_float(half);
        assert_int_equal(half >> 15, signbit(value) != 0);
        if ((half & 0x7fff) > 0x7c00) {
            assert_true(isnan(value));
            assert_int_equal(half & 0x3ff, io_bits_of_float(value) >> 13 & 0x3ff);
        } else if ((half & 0x7fff) == 0x7c00) {
            assert_true(isinf(value));
        } else {
            assert_true((double)value == value_of(half, 10, 15));
        }
    }
}

static void every_bf16_has_its_value(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 0x10000; i++) {
        uint16_t half = (uint16_t)i;
        float value = io_bf16_to_float(half);
        assert_int_equal((uint32_t)half << 16, io_bits_of_float(value));
        if ((half & 0x7fff) < 0x7f80) assert_true((double)value == value_of(half, 7, 127));
    }
}

static void every_value_comes_back(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 0x10000; i++) {
        uint16_t half = (uint16_t)i;
        bool f16_nan = (half & 0x7fff) > 0x7c00, bf16_nan = (half & 0x7fff) > 0x7f80;
        assert_int_equal(f16_nan ? half | 0x200 : half, io_f16_of_float(io_f16_to_float(half)));
        assert_int_equal(bf16_nan ? half | 0x40 : half, io_bf16_of_float(io_bf16_to_float(half)));
    }
}

/* All neighbours, both signs: the middle goes to the even one, the floats beside the middle to the nearer
 * one. */
static void halves_round_to_nearest_even(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 0x7c00; i++) {
        float low = io_f16_to_float((uint16_t)i),
              high = i == 0x7bff ? 65536 : io_f16_to_float((uint16_t)(i + 1));
        float middle = low + (high - low) / 2;
        uint32_t even = i + (i & 1);
        for (uint32_t sign = 0; sign < 2; sign++) {
            float s = sign ? -1 : 1;
            assert_int_equal(even | sign << 15, io_f16_of_float(s * middle));
            assert_int_equal(i | sign << 15, io_f16_of_float(s * nextafterf(middle, 0)));
            assert_int_equal((i + 1) | sign << 15, io_f16_of_float(s * nextafterf(middle, INFINITY)));
        }
    }
    for (uint32_t i = 0; i < 0x7f80; i++) {
        uint32_t middle = i << 16 | 0x8000, even = i + (i & 1);
        for (uint32_t sign = 0; sign < 2; sign++) {
            assert_int_equal(even | sign << 15, io_bf16_of_float(io_float_of_bits(middle | sign << 31)));
            assert_int_equal(i | sign << 15, io_bf16_of_float(io_float_of_bits((middle - 1) | sign << 31)));
            assert_int_equal((i + 1) | sign << 15,
                             io_bf16_of_float(io_float_of_bits((middle + 1) | sign << 31)));
        }
    }
}

static void large_small_and_no_numbers_stay_what_they_are(void **state) {
    (void)state;
    base_rng rng = base_rng_make(4, "half", 0, 0);
    assert_int_equal(0x7c00, io_f16_of_float(1e30f));
    assert_int_equal(0xfc00, io_f16_of_float(-INFINITY));
    assert_int_equal(0x7f80, io_bf16_of_float(3.4e38f));
    assert_int_equal(0x8000, io_f16_of_float(-1e-30f));
    assert_int_equal(0, io_f16_of_float(io_float_of_bits(1)));
    for (int i = 0; i < 100000; i++) {
        uint32_t payload = 1 + (uint32_t)base_rng_below(&rng, 0x7fffff),
                 sign = base_rng_u32(&rng) & 0x80000000;
        float nan = io_float_of_bits(sign | 0x7f800000 | payload);
        assert_true(isnan(io_f16_to_float(io_f16_of_float(nan))));
        assert_true(isnan(io_bf16_to_float(io_bf16_of_float(nan))));
        assert_int_equal(sign >> 16, io_f16_of_float(nan) & 0x8000);
        assert_int_equal(sign >> 16, io_bf16_of_float(nan) & 0x8000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_f16_has_its_value),
        TEST(every_bf16_has_its_value),
        TEST(every_value_comes_back),
        TEST(halves_round_to_nearest_even),
        TEST(large_small_and_no_numbers_stay_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
