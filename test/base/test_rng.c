#include "support/test.h"

#include "base/rng.h"

#include <math.h>

/* Known answers of Philox4x32-10 from the Random123 distribution (kat_vectors). */
static void philox_gives_the_published_answers(void **state) {
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t out[4];
        base_philox(rows[i].counter, rows[i].key, out);
        assert_memory_equal(out, rows[i].out, sizeof out);
    }
}

static void streams_differ_and_repeat(void **state) {
    (void)state;
    base_rng a = base_rng_make(1, "shuffle", 0, 0), b = base_rng_make(1, "shuffle", 1, 0);
    base_rng c = base_rng_make(1, "dropout", 0, 0), again = base_rng_make(1, "shuffle", 0, 0);
    uint64_t first = base_rng_u64(&a);
    assert_true(first == base_rng_u64(&again));
    assert_true(first != base_rng_u64(&b));
    assert_true(first != base_rng_u64(&c));
}

static void moments_are_right(void **state) {
    enum { N = 200000 };
    (void)state;
    base_rng rng = base_rng_make(7, "moments", 0, 0);
    double uniform = 0, normal = 0, square = 0;
    for (int i = 0; i < N; i++) {
        double u = base_rng_uniform(&rng), z = base_rng_normal(&rng);
        assert_true(u >= 0 && u < 1);
        uniform += u;
        normal += z;
        square += z * z;
    }
    /* five standard errors */
    assert_near(uniform / N, 0.5, 5 / sqrt(12.0 * N));
    assert_near(normal / N, 0, 5 / sqrt((double)N));
    assert_near(square / N, 1, 5 * sqrt(2.0 / N));
}

static void below_is_unbiased_and_in_range(void **state) {
    (void)state;
    base_rng rng = base_rng_make(3, "below", 0, 0);
    int counts[7] = {0};
    for (int i = 0; i < 70000; i++) counts[base_rng_below(&rng, 7)]++;
    for (int i = 0; i < 7; i++) assert_in_range(counts[i], 9500, 10500);
    assert_int_equal(0, base_rng_below(&rng, 1));
}

static void shuffle_is_a_permutation(void **state) {
    (void)state;
    int64_t items[101], seen[101] = {0};
    base_rng rng = base_rng_make(3, "shuffle", 0, 0);
    for (int64_t i = 0; i < 101; i++) items[i] = i;
    base_rng_shuffle(&rng, items, 101);
    int moved = 0;
    for (int64_t i = 0; i < 101; i++) {
        seen[items[i]]++;
        moved += items[i] != i;
    }
    for (int i = 0; i < 101; i++) assert_int_equal(1, seen[i]);
    assert_true(moved > 80);
    base_rng_shuffle(&rng, items, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(streams_differ_and_repeat),
        cmocka_unit_test(moments_are_right),
        cmocka_unit_test(below_is_unbiased_and_in_range),
        cmocka_unit_test(shuffle_is_a_permutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
