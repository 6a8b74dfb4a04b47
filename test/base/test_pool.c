#include "support/test.h"

#include "base/pool.h"

static void pieces_are_zeroed_aligned_and_apart(void **state) {
    truce_context *context = *state;
    base_pool pool = {0};
    unsigned char *pieces[300];
    for (size_t i = 0; i < 300; i++) {
        size_t bytes = 1 + i * i % 9000;
        assert_ok(context, base_pool_alloc(context, &pool, bytes, 1, &pieces[i]));
        assert_int_equal(0, (uintptr_t)pieces[i] % 16);
        for (size_t j = 0; j < bytes; j++) assert_int_equal(0, pieces[i][j]);
        memset(pieces[i], (int)(i % 255) + 1, bytes);
    }
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal(i % 255 + 1, pieces[i][0]);
        assert_int_equal(i % 255 + 1, pieces[i][i * i % 9000]);
    }
    base_pool_free(context, &pool);
    base_pool_free(context, &pool);
}

static void small_pieces_share_few_blocks(void **state) {
    truce_context *context = *state;
    base_pool pool = {0};
    uint64_t before = truce_context_memory(context).requests;
    for (int i = 0; i < 10000; i++) {
        const char *text;
        assert_ok(context, base_pool_text(context, &pool, "a text", 6, &text));
        assert_string_equal("a text", text);
    }
    assert_true(truce_context_memory(context).requests - before < 20);
    base_pool_free(context, &pool);
}

static void nothing_overflow_and_failure_are_values(void **state) {
    truce_context *context = *state;
    base_pool pool = {0};
    char *piece = (char *)1;
    assert_ok(context, base_pool_alloc(context, &pool, 0, 8, &piece));
    assert_null(piece);
    assert_fails(context, TRUCE_ERROR_MEMORY, "out of memory",
                 base_pool_alloc(context, &pool, SIZE_MAX / 2, 3, &piece));
    assert_fails(context, TRUCE_ERROR_MEMORY, "out of memory",
                 base_pool_alloc(context, &pool, SIZE_MAX - 4, 1, &piece));
    test_fail_allocation(1);
    assert_int_equal(TRUCE_ERROR_MEMORY, base_pool_alloc(context, &pool, 8, 1, &piece));
    assert_ok(context, base_pool_alloc(context, &pool, 8, 1, &piece));
    base_pool_free(context, &pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(pieces_are_zeroed_aligned_and_apart),
        TEST(small_pieces_share_few_blocks),
        TEST(nothing_overflow_and_failure_are_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
