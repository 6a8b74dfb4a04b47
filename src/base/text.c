#define _GNU_SOURCE /* strtod_l */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool base_pattern_fits(const char *pattern, const char *name) {
    const char *star = NULL, *retry = NULL; /* the last star, and where its text may end at the earliest */
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            retry = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return *pattern == 0;
}

/* Numbers in files have a decimal point whatever the program's locale says. */
static locale_t c_locale;

static void make_c_locale(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t plain_locale(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_c_locale);
    return c_locale;
}

/* Without a C locale (out of memory) this changes and restores nothing. */
static int print_plainly(char *out, size_t bytes, const char *format, va_list args) {
    locale_t kept = uselocale(plain_locale());
    int n = vsnprintf(out, bytes, format, args);
    uselocale(kept);
    return n;
}

int base_print(char *out, size_t bytes, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = print_plainly(out, bytes, format, args);
    va_end(args);
    return n;
}

static char *make_room(truce_context *context, base_text *text, size_t n) {
    if (!text->status) text->status = base_grow(context, &text->bytes, &text->capacity, text->n + n + 1, 1);
    return text->status ? NULL : text->bytes + text->n;
}

void base_text_add_n(truce_context *context, base_text *text, const char *bytes, size_t n) {
    char *end = make_room(context, text, n);
    if (!end) return;
    memcpy(end, bytes, n);
    end[n] = 0;
    text->n += n;
}

void base_text_add_args(truce_context *context, base_text *text, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = print_plainly(NULL, 0, format, args);
    char *end = n >= 0 ? make_room(context, text, (size_t)n) : NULL;
    if (end) {
        print_plainly(end, (size_t)n + 1, format, again);
        text->n += (size_t)n;
    }
    va_end(again);
}

void base_text_add(truce_context *context, base_text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    base_text_add_args(context, text, format, args);
    va_end(args);
}

void base_text_free(truce_context *context, base_text *text) {
    base_free(context, text->bytes);
    *text = (base_text){0};
}

const char *base_text_get(const base_text *text) {
    return text->bytes ? text->bytes : "";
}

static int lower(char c) {
    return tolower((unsigned char)c);
}

/* Optimal string alignment over three rolling rows; names beyond the limit count as far away. */
int base_edit_distance(const char *a, const char *b) {
    enum { LONGEST = 63 };
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST) return LONGEST;
    int rows[3][LONGEST + 1];
    for (size_t j = 0; j <= m; j++) rows[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int change = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = BASE_MIN(BASE_MIN(above[j] + 1, row[j - 1] + 1), above[j - 1] + change);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = BASE_MIN(row[j], above2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *base_nearest_name(const char *given, base_name_fn name, const void *list, int n) {
    const char *nearest = NULL;
    int nearest_distance = (int)BASE_MIN(3, 1 + strlen(given) / 3);
    for (int i = 0; i < n; i++) {
        int distance = base_edit_distance(given, name(list, i));
        if (distance > nearest_distance || (nearest && distance == nearest_distance)) continue;
        nearest = name(list, i);
        nearest_distance = distance;
    }
    return nearest;
}

truce_status base_fail_name(truce_context *context, const char *what, const char *given, base_name_fn name,
                            const void *list, int n) {
    const char *nearest = base_nearest_name(given, name, list, n);
    if (nearest)
        return base_fail(context, TRUCE_ERROR_NAME, "%s '%s' is not known; did you mean '%s'?", what, given,
                         nearest);
    char names[BASE_MESSAGE_BYTES / 2] = "";
    size_t used = 0;
    for (int i = 0; i < n && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", name(list, i));
    return base_fail(context, TRUCE_ERROR_NAME, "%s '%s' is not known; there are: %s", what, given, names);
}

const char *base_name_of_text(const void *list, int i) {
    return ((const char *const *)list)[i];
}

static bool only_blanks(const char *text) {
    while (isspace((unsigned char)*text)) text++;
    return *text == 0;
}

double base_strtod(const char *text, char **end) {
    locale_t plain = plain_locale();
    return plain ? strtod_l(text, end, plain) : strtod(text, end);
}

void base_format_real(double value, char text[BASE_REAL_BYTES]) {
    for (int digits = 6; digits <= 17; digits++) {
        base_print(text, BASE_REAL_BYTES, "%.*g", digits, value);
        if (isnan(value) || base_strtod(text, NULL) == value) return;
    }
}

bool base_parse_real(const char *text, double *out) {
    char *end;
    double value = base_strtod(text, &end);
    if (end == text || !only_blanks(end)) return false;
    *out = value;
    return true;
}

bool base_parse_integer(const char *text, int64_t *out) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || !only_blanks(end) || errno) return false;
    *out = value;
    return true;
}
