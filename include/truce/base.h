/*
 * truce/base.h: what every other part of Truce stands on.
 *
 * A *context* owns the allocator, the worker threads, the seed, the log and the last error message.
 * Every fallible call returns a truce_status; on failure outputs are left untouched and
 * truce_context_message() holds one sentence for a human. A context serves one thread at a time; make one
 * context per thread to work in parallel. Nothing in the library prints, exits or aborts on data.
 */
#ifndef TRUCE_BASE_H
#define TRUCE_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define TRUCE_API __attribute__((visibility("default")))
#else
#define TRUCE_API
#endif

#define TRUCE_VERSION_MAJOR 0
#define TRUCE_VERSION_MINOR 1
#define TRUCE_VERSION_PATCH 0

/* One row per status: enumerator, name for programs, text for people. Zero is success. */
#define TRUCE_STATUS_TABLE(X)                                                                                \
    X(OK, "ok", "done")                                                                                      \
    X(ERROR_MEMORY, "memory", "out of memory")                                                               \
    X(ERROR_ARGUMENT, "argument", "an argument is not valid")                                                \
    X(ERROR_NAME, "name", "a name is not known")                                                             \
    X(ERROR_TYPE, "type", "a value has the wrong type")                                                      \
    X(ERROR_SHAPE, "shape", "shapes do not fit together")                                                    \
    X(ERROR_RANGE, "range", "a value is out of range")                                                       \
    X(ERROR_IO, "io", "a file could not be read or written")                                                 \
    X(ERROR_FORMAT, "format", "a file is not in the expected format")                                        \
    X(ERROR_DATA, "data", "the data cannot be used")                                                         \
    X(ERROR_NUMERIC, "numeric", "a computation gave NaN or infinity")                                        \
    X(ERROR_UNSUPPORTED, "unsupported", "this combination is not supported")                                 \
    X(ERROR_STATE, "state", "the call does not fit the object's state")                                      \
    X(ERROR_INTERRUPTED, "interrupted", "stopped on request")

typedef enum truce_status {
#define X(enumerator, name, text) TRUCE_##enumerator,
    TRUCE_STATUS_TABLE(X)
#undef X
} truce_status;

/* Short name of a status ("shape"), and its text ("shapes do not fit together"). Never NULL. */
TRUCE_API const char *truce_status_name(truce_status status);
TRUCE_API const char *truce_status_text(truce_status status);

/* "0.1.0", the version of the library that is linked. */
TRUCE_API const char *truce_version(void);

typedef struct truce_context truce_context;

/*
 * The one allocator function. Called as allocate(user, NULL, 0, n) for a new block, (user, p, old, n) to
 * resize, (user, p, old, 0) to free. Returns a block aligned for any type, or NULL if it cannot; a failed
 * resize leaves the old block alone. May be called from worker threads.
 */
typedef void *(*truce_allocate_fn)(void *user, void *block, size_t old_bytes, size_t new_bytes);

typedef enum truce_log_level { TRUCE_LOG_WARNING, TRUCE_LOG_INFO, TRUCE_LOG_DEBUG } truce_log_level;

/* Receives one line of log, without a newline at its end. */
typedef void (*truce_log_fn)(void *user, truce_log_level level, const char *line);

/*
 * Where long work stands. `what` names the work ("training adult"), `unit` what is counted ("step");
 * `note` is a short remark that changes ("loss 0.31"), may be empty. total is 0 where it is not known.
 */
typedef struct truce_progress {
    const char *what, *unit, *note;
    int64_t done, total;
    double seconds; /* since the work began */
} truce_progress;

/* Receives progress, at most a few times a second and once at the end of each piece of work. */
typedef void (*truce_progress_fn)(void *user, const truce_progress *progress);

/* How to make a context. A zeroed struct, or NULL in place of it, means all defaults. */
typedef struct truce_context_config {
    truce_allocate_fn allocate; /* default: the C library */
    void *allocate_user;
    truce_log_fn log; /* default: silence */
    void *log_user;
    truce_progress_fn progress; /* default: silence */
    void *progress_user;
    int n_threads; /* worker threads of heavy kernels; default (0): the processors this process may use */
    uint64_t seed; /* of everything random that has no seed of its own; default 0 */
} truce_context_config;

/*
 * Makes a context. Before the first matrix product the BLAS library is told to use one thread per call, for
 * the whole process: Truce splits work over its own threads, so that results do not depend on their number.
 */
TRUCE_API truce_status truce_context_create(const truce_context_config *config, truce_context **out);

/* Frees the context and its threads. Objects made with it must be gone. NULL is fine. */
TRUCE_API void truce_context_destroy(truce_context *context);

/* The sentence that explains the last failure on this context; "" if there was none. Owned by the context. */
TRUCE_API const char *truce_context_message(const truce_context *context);

TRUCE_API uint64_t truce_context_seed(const truce_context *context);
TRUCE_API int truce_context_threads(const truce_context *context);

/*
 * Asks the work that runs on this context to stop at the next safe point; it returns
 * TRUCE_ERROR_INTERRUPTED. May be called from a signal handler or another thread.
 */
TRUCE_API void truce_context_interrupt(truce_context *context);

/* Memory that went through the context's allocator. */
typedef struct truce_memory {
    size_t bytes;      /* in use now */
    size_t peak_bytes; /* the most that was in use */
    uint64_t requests; /* new blocks and resizes so far */
} truce_memory;

TRUCE_API truce_memory truce_context_memory(const truce_context *context);

typedef enum truce_dtype {
    TRUCE_FLOAT32,
    TRUCE_FLOAT64,
    TRUCE_INT32, /* indices and class labels */
} truce_dtype;

TRUCE_API size_t truce_dtype_bytes(truce_dtype dtype);
TRUCE_API const char *truce_dtype_name(truce_dtype dtype);

#define TRUCE_MAX_DIMS 8

/*
 * Sizes of an array, slowest axis first. n_dims 0 is a scalar. Inside a graph a negative size -k stands for
 * k times the batch size (see TRUCE_BATCH).
 */
typedef struct truce_shape {
    int n_dims;
    int64_t dims[TRUCE_MAX_DIMS];
} truce_shape;

/* Shorthand: truce_shape_of(3, 8, 28, 28) has n_dims 3. `n_dims` must not exceed TRUCE_MAX_DIMS. */
TRUCE_API truce_shape truce_shape_of(int n_dims, ...);

/* Product of the sizes; 1 for a scalar, 0 if any size is 0. */
TRUCE_API int64_t truce_shape_size(const truce_shape *shape);
TRUCE_API int truce_shape_equal(const truce_shape *a, const truce_shape *b);

#ifdef __cplusplus
}
#endif

#endif
