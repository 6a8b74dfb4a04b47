/*
 * The context as the library itself sees it, and the one way to fail.
 */
#ifndef BASE_CONTEXT_H
#define BASE_CONTEXT_H

#include "truce/base.h"

#include <stdarg.h>
#include <stdatomic.h>

typedef struct base_team base_team;

#define BASE_MESSAGE_BYTES 2048

struct truce_context {
    truce_allocate_fn allocate;
    void *allocate_user;
    truce_log_fn log;
    void *log_user;
    truce_progress_fn progress;
    void *progress_user;
    base_team *team;
    uint64_t seed;
    atomic_int interrupted;
    atomic_size_t bytes, peak_bytes;
    atomic_uint_fast64_t requests;
    char message[BASE_MESSAGE_BYTES];
};

#if defined(__GNUC__)
#define BASE_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define BASE_PRINTF(text, first)
#endif

/* Records the sentence and returns the status, so that failing is one statement. */
truce_status base_fail(truce_context *context, truce_status status, const char *format, ...)
    BASE_PRINTF(3, 4);

/* Puts "prefix: " before the message that stands, for a caller that knows the file or the task at fault. */
truce_status base_fail_at(truce_context *context, truce_status status, const char *format, ...)
    BASE_PRINTF(3, 4);

void base_log(truce_context *context, truce_log_level level, const char *format, ...) BASE_PRINTF(3, 4);

/* TRUCE_ERROR_INTERRUPTED once somebody has asked to stop, else TRUCE_OK. */
truce_status base_check_interrupt(truce_context *context);

/* Leaves a function with its status as soon as a call fails. For functions that hold nothing to clean up. */
#define BASE_TRY(call)                                                                                       \
    do {                                                                                                     \
        truce_status base_try_status = (call);                                                               \
        if (base_try_status) return base_try_status;                                                         \
    } while (0)

#define BASE_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BASE_MIN(a, b) ((a) < (b) ? (a) : (b))
#define BASE_MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
