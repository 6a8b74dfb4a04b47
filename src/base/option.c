#include "base/option.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void *field_of(const truce_option *option, void *values) {
    return (char *)values + option->offset;
}

static const char *option_name(const void *list, int i) {
    return ((const truce_option *)list)[i].name;
}

int base_option_find(const base_options *options, const char *name) {
    for (int i = 0; i < options->n; i++)
        if (strcmp(options->rows[i].name, name) == 0) return i;
    return -1;
}

truce_status base_option_unknown(truce_context *context, const base_options *options, const char *name) {
    char what[256];
    if (options->n == 0)
        return base_fail(context, TRUCE_ERROR_NAME, "%s takes no options, but '%s' is given", options->owner,
                         name);
    snprintf(what, sizeof what, "%s: option", options->owner);
    return base_fail_name(context, what, name, option_name, options->rows, options->n);
}

bool base_option_choice(const char *choices, int i, char *name, size_t bytes) {
    for (; i > 0; i--) {
        choices = strchr(choices, '|');
        if (!choices) return false;
        choices++;
    }
    size_t n = BASE_MIN(strcspn(choices, "|"), bytes - 1);
    memcpy(name, choices, n);
    name[n] = 0;
    return true;
}

static const char *kind_text(truce_option_kind kind) {
    switch (kind) {
    case TRUCE_OPTION_REAL: return "a number";
    case TRUCE_OPTION_INTEGER: return "a whole number";
    case TRUCE_OPTION_SWITCH: return "true or false";
    case TRUCE_OPTION_CHOICE: return "one of its choices";
    case TRUCE_OPTION_TEXT: return "a text";
    case TRUCE_OPTION_REALS: return "a list of numbers";
    case TRUCE_OPTION_INTEGERS: return "a list of whole numbers";
    }
    return "a value";
}

static truce_status fail_kind(truce_context *context, const base_options *options, const truce_option *option,
                              const char *text) {
    return base_fail(context, TRUCE_ERROR_TYPE, "%s: '%s' takes %s, not '%s'", options->owner, option->name,
                     kind_text(option->kind), text);
}

static truce_status check_range(truce_context *context, const base_options *options,
                                const truce_option *option, double value) {
    if (option->low >= option->high || (value >= option->low && value <= option->high)) return TRUCE_OK;
    return base_fail(context, TRUCE_ERROR_RANGE, "%s: '%s' must lie between %g and %g, but is %g",
                     options->owner, option->name, option->low, option->high, value);
}

static truce_status set_choice(truce_context *context, const base_options *options,
                               const truce_option *option, int *field, const char *text) {
    char names[16][32];
    const char *list[16];
    int n = 0;
    while (n < 16 && base_option_choice(option->choices, n, names[n], sizeof names[n])) {
        if (strcmp(names[n], text) == 0) {
            *field = n;
            return TRUCE_OK;
        }
        list[n] = names[n];
        n++;
    }
    char what[256];
    snprintf(what, sizeof what, "%s: %s", options->owner, option->name);
    return base_fail_name(context, what, text, base_name_of_text, list, n);
}

static bool parse_switch(const char *text, int *out) {
    static const char *const on[] = {"true", "yes", "on", "1"}, *const off[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < BASE_COUNT(on); i++) {
        if (strcmp(text, on[i]) == 0) return *out = 1, true;
        if (strcmp(text, off[i]) == 0) return *out = 0, true;
    }
    return false;
}

/* Copies the next item of "a, b, c" (brackets around the list are fine); false at the end. */
static bool next_item(const char **text, char *item, size_t bytes) {
    while (isspace((unsigned char)**text) || **text == ',' || **text == '[') (*text)++;
    size_t n = strcspn(*text, ",]");
    if (n == 0) return false;
    size_t kept = BASE_MIN(n, bytes - 1);
    memcpy(item, *text, kept);
    item[kept] = 0;
    *text += n;
    return true;
}

static truce_status set_list(truce_context *context, const base_options *options, const truce_option *option,
                             void *field, const char *text) {
    truce_reals reals = {0};
    truce_integers integers = {0};
    char item[64];
    for (const char *rest = text; next_item(&rest, item, sizeof item);) {
        bool whole = option->kind == TRUCE_OPTION_INTEGERS;
        if (reals.n == TRUCE_OPTION_LIST_MAX)
            return base_fail(context, TRUCE_ERROR_RANGE, "%s: '%s' takes at most %d values", options->owner,
                             option->name, TRUCE_OPTION_LIST_MAX);
        int at = reals.n++;
        integers.n = reals.n;
        if (whole && !base_parse_integer(item, &integers.values[at]))
            return fail_kind(context, options, option, text);
        if (!base_parse_real(item, &reals.values[at])) return fail_kind(context, options, option, text);
        BASE_TRY(check_range(context, options, option, reals.values[at]));
    }
    if (option->kind == TRUCE_OPTION_INTEGERS)
        memcpy(field, &integers, sizeof integers);
    else
        memcpy(field, &reals, sizeof reals);
    return TRUCE_OK;
}

static truce_status set_field(truce_context *context, const base_options *options, const truce_option *option,
                              void *field, const char *text) {
    double real;
    int64_t integer;
    switch (option->kind) {
    case TRUCE_OPTION_REAL:
        if (!base_parse_real(text, &real)) return fail_kind(context, options, option, text);
        BASE_TRY(check_range(context, options, option, real));
        *(double *)field = real;
        return TRUCE_OK;
    case TRUCE_OPTION_INTEGER:
        if (!base_parse_integer(text, &integer)) return fail_kind(context, options, option, text);
        BASE_TRY(check_range(context, options, option, (double)integer));
        *(int64_t *)field = integer;
        return TRUCE_OK;
    case TRUCE_OPTION_SWITCH:
        return parse_switch(text, field) ? TRUCE_OK : fail_kind(context, options, option, text);
    case TRUCE_OPTION_CHOICE: return set_choice(context, options, option, field, text);
    case TRUCE_OPTION_TEXT: *(const char **)field = text; return TRUCE_OK;
    case TRUCE_OPTION_REALS:
    case TRUCE_OPTION_INTEGERS: return set_list(context, options, option, field, text);
    }
    return TRUCE_ERROR_TYPE;
}

truce_status base_option_set(truce_context *context, const base_options *options, void *values,
                             const char *name, const char *text) {
    int row = base_option_find(options, name);
    if (row < 0) return base_option_unknown(context, options, name);
    const truce_option *option = &options->rows[row];
    return set_field(context, options, option, field_of(option, values), text);
}

static size_t field_bytes(truce_option_kind kind) {
    switch (kind) {
    case TRUCE_OPTION_REAL: return sizeof(double);
    case TRUCE_OPTION_INTEGER: return sizeof(int64_t);
    case TRUCE_OPTION_SWITCH:
    case TRUCE_OPTION_CHOICE: return sizeof(int);
    case TRUCE_OPTION_TEXT: return sizeof(const char *);
    case TRUCE_OPTION_REALS: return sizeof(truce_reals);
    case TRUCE_OPTION_INTEGERS: return sizeof(truce_integers);
    }
    return 0;
}

void base_option_defaults(const base_options *options, void *values) {
    for (int i = 0; i < options->n; i++) {
        const truce_option *option = &options->rows[i];
        void *field = field_of(option, values);
        memset(field, 0, field_bytes(option->kind));
        if (option->fallback) set_field(NULL, options, option, field, option->fallback);
    }
}

static truce_status check_list(truce_context *context, const base_options *options,
                               const truce_option *option, const void *field) {
    const truce_reals *reals = field;
    const truce_integers *integers = field;
    bool whole = option->kind == TRUCE_OPTION_INTEGERS;
    for (int i = 0; i < (whole ? integers->n : reals->n); i++)
        BASE_TRY(
            check_range(context, options, option, whole ? (double)integers->values[i] : reals->values[i]));
    return TRUCE_OK;
}

truce_status base_option_check(truce_context *context, const base_options *options, const void *values) {
    for (int i = 0; i < options->n; i++) {
        const truce_option *option = &options->rows[i];
        const void *field = (const char *)values + option->offset;
        switch (option->kind) {
        case TRUCE_OPTION_REAL:
            BASE_TRY(check_range(context, options, option, *(const double *)field));
            break;
        case TRUCE_OPTION_INTEGER:
            BASE_TRY(check_range(context, options, option, (double)*(const int64_t *)field));
            break;
        case TRUCE_OPTION_REALS:
        case TRUCE_OPTION_INTEGERS: BASE_TRY(check_list(context, options, option, field)); break;
        case TRUCE_OPTION_SWITCH:
        case TRUCE_OPTION_CHOICE:
        case TRUCE_OPTION_TEXT: break;
        }
    }
    return TRUCE_OK;
}

static void add_list(truce_context *context, const truce_option *option, const void *field, base_text *out) {
    char number[BASE_REAL_BYTES];
    const truce_reals *reals = field;
    const truce_integers *integers = field;
    bool whole = option->kind == TRUCE_OPTION_INTEGERS;
    for (int i = 0; i < (whole ? integers->n : reals->n); i++) {
        base_format_real(whole ? (double)integers->values[i] : reals->values[i], number);
        base_text_add(context, out, "%s%s", i ? ", " : "", number);
    }
}

void base_option_get(truce_context *context, const truce_option *option, const void *values, base_text *out) {
    const void *field = (const char *)values + option->offset;
    char number[BASE_REAL_BYTES];
    const char *text;
    switch (option->kind) {
    case TRUCE_OPTION_REAL:
        base_format_real(*(const double *)field, number);
        base_text_add(context, out, "%s", number);
        return;
    case TRUCE_OPTION_INTEGER:
        base_text_add(context, out, "%lld", (long long)*(const int64_t *)field);
        return;
    case TRUCE_OPTION_SWITCH:
        base_text_add(context, out, "%s", *(const int *)field ? "true" : "false");
        return;
    case TRUCE_OPTION_CHOICE:
        if (base_option_choice(option->choices, *(const int *)field, number, sizeof number))
            base_text_add(context, out, "%s", number);
        return;
    case TRUCE_OPTION_TEXT:
        text = *(const char *const *)field;
        base_text_add(context, out, "%s", text ? text : "");
        return;
    case TRUCE_OPTION_REALS:
    case TRUCE_OPTION_INTEGERS: add_list(context, option, field, out); return;
    }
}
