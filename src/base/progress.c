#include "base/progress.h"

#include <time.h>

#define SECONDS_BETWEEN_REPORTS 0.2

double base_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

base_progress base_progress_begin(truce_context *context, const char *what, const char *unit, int64_t total) {
    double now = base_seconds();
    return (base_progress){.context = context,
                           .state = {.what = what, .unit = unit, .note = "", .total = total},
                           .began = now,
                           .last = now};
}

static void report(base_progress *progress, double now, const char *note) {
    truce_context *context = progress->context;
    progress->last = now;
    progress->state.seconds = now - progress->began;
    progress->state.note = note ? note : "";
    if (context->progress) context->progress(context->progress_user, &progress->state);
}

void base_progress_to(base_progress *progress, int64_t done, const char *note) {
    double now = base_seconds();
    progress->state.done = done;
    if (now - progress->last >= SECONDS_BETWEEN_REPORTS) report(progress, now, note);
}

void base_progress_end(base_progress *progress, const char *note) {
    if (progress->state.total > 0) progress->state.done = progress->state.total;
    report(progress, base_seconds(), note);
}
