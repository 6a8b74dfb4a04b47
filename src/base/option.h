/*
 * Reading and writing values by a table of options (truce/option.h).
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/text.h"
#include "truce/option.h"

/* A table with the name of its owner ("method 'cagrad'", "section 'train'"), which messages mention. */
typedef struct base_options {
    const char *owner;
    const truce_option *rows;
    int n;
} base_options;

/* Row of a name, or -1. */
int base_option_find(const base_options *options, const char *name);

/* Fails with the name that was probably meant. */
truce_status base_option_unknown(truce_context *context, const base_options *options, const char *name);

/* Fills every field of `values` with its default. */
void base_option_defaults(const base_options *options, void *values);

/* Sets one field from text. The error names the option, what it takes, and the text. */
truce_status base_option_set(truce_context *context, const base_options *options, void *values,
                             const char *name, const char *text);

/*
 * Checks every number of a struct that a program filled against its bounds; NaN is out of any bounds. The
 * error is the one base_option_set gives.
 */
truce_status base_option_check(truce_context *context, const base_options *options, const void *values);

/* One field as text, appended ("0.5", "64, 64"). */
void base_option_get(truce_context *context, const truce_option *option, const void *values, base_text *out);

/* The i-th name of "none|l2|loss" into `name`; false past the end. */
bool base_option_choice(const char *choices, int i, char *name, size_t bytes);

#endif
