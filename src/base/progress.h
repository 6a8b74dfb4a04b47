/*
 * Telling whoever waits how far long work has come, a few times a second at most; and the clock for it.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include "base/context.h"

/* Seconds of a clock that only goes forward. */
double base_seconds(void);

typedef struct base_progress {
    truce_context *context;
    truce_progress state;
    double began, last;
} base_progress;

/* The texts are borrowed until the end. */
base_progress base_progress_begin(truce_context *context, const char *what, const char *unit, int64_t total);

/* Reports if enough time has passed since the last report. `note` is borrowed for the call; may be NULL. */
void base_progress_to(base_progress *progress, int64_t done, const char *note);

/* Reports the end of the work, always. */
void base_progress_end(base_progress *progress, const char *note);

#endif
