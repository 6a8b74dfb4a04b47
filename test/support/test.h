/*
 * What every test includes: cmocka with the headers that it wants, and a context made for the test.
 */
#ifndef TEST_SUPPORT_TEST_H
#define TEST_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "truce/base.h"

/*
 * Setup and teardown of a test: *state is a truce_context whose allocator counts, and can fail on purpose.
 * The teardown fails the test if a block was not freed.
 */
int test_setup(void **state);
int test_teardown(void **state);

/* Makes the k-th request from now on (1 is the next) return NULL, once; 0 stops that. */
void test_fail_allocation(long k);

/* Whether the failure that was asked for has happened. */
bool test_allocation_failed(void);

/* A row for cmocka's table: a test function with the context. */
#define TEST(function) cmocka_unit_test_setup_teardown(function, test_setup, test_teardown)

/* The call must succeed; otherwise the test fails with the context's message. */
#define assert_ok(context, call)                                                                             \
    do {                                                                                                     \
        truce_status assert_ok_status = (call);                                                              \
        if (assert_ok_status)                                                                                \
            fail_msg("%s: %s (%s)", #call, truce_context_message(context),                                   \
                     truce_status_name(assert_ok_status));                                                   \
    } while (0)

/* The call must fail with this status and a message that contains the text. */
#define assert_fails(context, status, text, call)                                                            \
    do {                                                                                                     \
        assert_int_equal(status, call);                                                                      \
        if (!strstr(truce_context_message(context), text))                                                   \
            fail_msg("message is '%s', without '%s'", truce_context_message(context), text);                 \
    } while (0)

/* |a - b| <= tolerance * max(1, |a|, |b|). */
#define assert_near(a, b, tolerance) test_assert_near(a, b, tolerance, #a, __FILE__, __LINE__)
void test_assert_near(double a, double b, double tolerance, const char *what, const char *file, int line);

/* Path of a file in $TRUCE_DATA, or NULL after a line that says what is skipped. Owned by the callee. */
const char *test_data(const char *file);

/* Writes a small file for a test to read. */
void test_write_file(const char *path, const void *bytes, size_t n);
void test_write_text(const char *path, const char *text);

#endif
