#include "support/test.h"

#include "base/memory.h"

static void blocks_are_zeroed_and_counted(void **state) {
    truce_context *context = *state;
    size_t before = truce_context_memory(context).bytes;
    char *block;
    assert_ok(context, base_alloc(context, 10, 10, &block));
    for (int i = 0; i < 100; i++) assert_int_equal(0, block[i]);
    assert_int_equal(before + 100, truce_context_memory(context).bytes);
    base_free(context, block);
    assert_int_equal(before, truce_context_memory(context).bytes);
    assert_true(truce_context_memory(context).peak_bytes >= before + 100);
}

static void nothing_is_a_null_block(void **state) {
    truce_context *context = *state;
    char *block = (char *)1;
    assert_ok(context, base_alloc(context, 0, 8, &block));
    assert_null(block);
    base_free(context, block);
}

static void aligned_blocks_are_aligned(void **state) {
    truce_context *context = *state;
    for (size_t n = 0; n < 200; n += 7) {
        char *block;
        assert_ok(context, base_alloc_aligned(context, n, 1, &block));
        assert_int_equal(0, (uintptr_t)block % BASE_ALIGNMENT);
        memset(block, 1, n);
        base_free_aligned(context, block);
    }
}

static void sizes_that_overflow_are_refused(void **state) {
    truce_context *context = *state;
    char *block = NULL;
    assert_fails(context, TRUCE_ERROR_MEMORY, "out of memory", base_alloc(context, SIZE_MAX / 2, 3, &block));
    assert_fails(context, TRUCE_ERROR_MEMORY, "out of memory",
                 base_alloc_aligned(context, SIZE_MAX, 1, &block));
    assert_null(block);
}

static void a_failed_resize_keeps_the_block(void **state) {
    truce_context *context = *state;
    char *block;
    assert_ok(context, base_copy_text(context, "kept", &block));
    test_fail_allocation(1);
    assert_int_equal(TRUCE_ERROR_MEMORY, base_resize(context, &block, 1000, 1));
    assert_string_equal("kept", block);
    assert_ok(context, base_resize(context, &block, 1000, 1));
    assert_string_equal("kept", block);
    assert_ok(context, base_resize(context, &block, 0, 1));
    assert_null(block);
}

static void arrays_grow_by_doubling(void **state) {
    truce_context *context = *state;
    int *items = NULL;
    size_t capacity = 0;
    uint64_t before = truce_context_memory(context).requests;
    for (size_t i = 0; i < 1000; i++) {
        assert_ok(context, base_grow(context, &items, &capacity, i + 1, sizeof *items));
        items[i] = (int)i;
    }
    for (int i = 0; i < 1000; i++) assert_int_equal(i, items[i]);
    assert_true(truce_context_memory(context).requests - before < 12);
    base_free(context, items);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(blocks_are_zeroed_and_counted),   TEST(nothing_is_a_null_block),
        TEST(aligned_blocks_are_aligned),      TEST(sizes_that_overflow_are_refused),
        TEST(a_failed_resize_keeps_the_block), TEST(arrays_grow_by_doubling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
