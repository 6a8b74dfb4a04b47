/*
 * Text: a growing buffer, and the nearest name to a misspelt one.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/memory.h"

/* A growing, always terminated text. Zeroed is empty. After a failed append `status` stays set. */
typedef struct base_text {
    char *bytes; /* NULL while empty */
    size_t n, capacity;
    truce_status status;
} base_text;

/*
 * Appends, with a decimal point in every locale; after a first failure does nothing, so that a caller checks
 * `status` once at the end.
 */
void base_text_add(truce_context *context, base_text *text, const char *format, ...) BASE_PRINTF(3, 4);
void base_text_add_args(truce_context *context, base_text *text, const char *format, va_list args)
    BASE_PRINTF(3, 0);
void base_text_add_n(truce_context *context, base_text *text, const char *bytes, size_t n);
void base_text_free(truce_context *context, base_text *text);

/* The text so far, "" while empty. */
const char *base_text_get(const base_text *text);

/* Changes (insert, delete, replace, swap of neighbours) that turn one name into the other, ignoring case. */
int base_edit_distance(const char *a, const char *b);

/* The i-th name of some list. */
typedef const char *(*base_name_fn)(const void *list, int i);

/* The name nearest to `given` if it is near enough to be a slip, else NULL. */
const char *base_nearest_name(const char *given, base_name_fn name, const void *list, int n);

/*
 * Fails with TRUCE_ERROR_NAME and "WHAT 'given' is not known; did you mean 'nearest'?", or, where nothing is
 * near, with the list of what there is.
 */
truce_status base_fail_name(truce_context *context, const char *what, const char *given, base_name_fn name,
                            const void *list, int n);

/* base_name_fn for an array of texts. */
const char *base_name_of_text(const void *list, int i);

/* Whether a name fits a pattern in which * stands for any text, also none. */
bool base_pattern_fits(const char *pattern, const char *name);

/* snprintf and strtod with a decimal point in every locale. */
int base_print(char *out, size_t bytes, const char *format, ...) BASE_PRINTF(3, 4);
double base_strtod(const char *text, char **end);

/* The shortest decimal that reads back as the same number, with a point in every locale. */
#define BASE_REAL_BYTES 32
void base_format_real(double value, char text[BASE_REAL_BYTES]);

/* The whole text as a number. False if it is none (blanks around it are fine). */
bool base_parse_real(const char *text, double *out);
bool base_parse_integer(const char *text, int64_t *out);

#endif
