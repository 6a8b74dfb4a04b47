#include "base/context.h"

#include "base/team.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(x) #x
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *truce_version(void) {
    return VERSION_TEXT(TRUCE_VERSION_MAJOR, TRUCE_VERSION_MINOR, TRUCE_VERSION_PATCH);
}

const char *truce_status_name(truce_status status) {
    switch (status) {
#define X(enumerator, name, text)                                                                            \
    case TRUCE_##enumerator: return name;
        TRUCE_STATUS_TABLE(X)
#undef X
    }
    return "unknown";
}

const char *truce_status_text(truce_status status) {
    switch (status) {
#define X(enumerator, name, text)                                                                            \
    case TRUCE_##enumerator: return text;
        TRUCE_STATUS_TABLE(X)
#undef X
    }
    return "an unknown status";
}

static void *default_allocate(void *user, void *block, size_t old_bytes, size_t new_bytes) {
    (void)user;
    (void)old_bytes;
    if (new_bytes) return realloc(block, new_bytes);
    free(block);
    return NULL;
}

truce_status truce_context_create(const truce_context_config *config, truce_context **out) {
    static const truce_context_config defaults;
    if (!out) return TRUCE_ERROR_ARGUMENT;
    if (!config) config = &defaults;
    truce_allocate_fn allocate = config->allocate ? config->allocate : default_allocate;
    truce_context *context = allocate(config->allocate_user, NULL, 0, sizeof *context);
    if (!context) return TRUCE_ERROR_MEMORY;
    memset(context, 0, sizeof *context);
    context->allocate = allocate;
    context->allocate_user = config->allocate_user;
    context->log = config->log;
    context->log_user = config->log_user;
    context->progress = config->progress;
    context->progress_user = config->progress_user;
    context->seed = config->seed;
    int n_threads = config->n_threads > 0 ? config->n_threads : base_processors();
    truce_status status = base_team_create(context, n_threads, &context->team);
    if (status) {
        allocate(config->allocate_user, context, sizeof *context, 0);
        return status;
    }
    *out = context;
    return TRUCE_OK;
}

void truce_context_destroy(truce_context *context) {
    if (!context) return;
    base_team_destroy(context, context->team);
    context->allocate(context->allocate_user, context, sizeof *context, 0);
}

const char *truce_context_message(const truce_context *context) {
    return context->message;
}

uint64_t truce_context_seed(const truce_context *context) {
    return context->seed;
}

int truce_context_threads(const truce_context *context) {
    return base_team_size(context->team);
}

void truce_context_interrupt(truce_context *context) {
    atomic_store(&context->interrupted, 1);
}

truce_memory truce_context_memory(const truce_context *context) {
    return (truce_memory){.bytes = atomic_load(&context->bytes),
                          .peak_bytes = atomic_load(&context->peak_bytes),
                          .requests = atomic_load(&context->requests)};
}

truce_status base_check_interrupt(truce_context *context) {
    if (!atomic_load(&context->interrupted)) return TRUCE_OK;
    return base_fail(context, TRUCE_ERROR_INTERRUPTED, "stopped on request");
}

truce_status base_fail(truce_context *context, truce_status status, const char *format, ...) {
    if (!context) return status;
    char text[BASE_MESSAGE_BYTES]; /* arguments may point into the message that stands */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(context->message, text, sizeof text);
    return status;
}

truce_status base_fail_at(truce_context *context, truce_status status, const char *format, ...) {
    if (!context) return status;
    char prefix[BASE_MESSAGE_BYTES / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    return base_fail(context, status, "%s: %s", prefix, context->message);
}

void base_log(truce_context *context, truce_log_level level, const char *format, ...) {
    if (!context || !context->log) return;
    char line[BASE_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    context->log(context->log_user, level, line);
}
