/*
 * Numbers as people read them: a number is scaled by a power of ten, printed with a fixed count of decimals,
 * and followed by the power's name ("M", "e-05"). Both choices are made from the value, after rounding, and
 * hold for its spread as well, so that "0.912" and "0.004" compare digit by digit.
 */
#include "report/number.h"

#include <math.h>
#include <string.h>

enum { MOST_DIGITS = 15 };

/* value = printed x 10^exponent, with this many decimals. */
typedef struct scaling {
    int exponent, decimals;
    char suffix[8];
} scaling;

/* Decimal exponent of the value once it is rounded to so many digits; 0 for zero. */
static int exponent_of(double value, int digits) {
    char text[REPORT_NUMBER_BYTES];
    base_print(text, sizeof text, "%.*e", digits - 1, value);
    int64_t exponent = 0;
    base_parse_integer(strchr(text, 'e') + 1, &exponent);
    return value == 0 ? 0 : (int)exponent;
}

static scaling with_exponent(int exponent, int decimals) {
    scaling s = {.exponent = exponent, .decimals = decimals};
    base_print(s.suffix, sizeof s.suffix, "e%+03d", exponent);
    return s;
}

static scaling scale_fixed(double value, int digits) {
    if (fabs(value) < 1e15) return (scaling){.decimals = digits};
    return with_exponent(exponent_of(value, digits + 1), digits);
}

static scaling scale_significant(double value, int digits) {
    int exponent = exponent_of(value, digits);
    if (exponent < -4 || exponent >= BASE_MAX(digits, 6)) return with_exponent(exponent, digits - 1);
    return (scaling){.decimals = BASE_MAX(0, digits - 1 - exponent)};
}

static scaling scale_prefix(double value, int digits) {
    static const char prefixes[] = "pnum\0kMGTP";
    int exponent = exponent_of(value, digits), third = (int)floor(exponent / 3.0);
    if (third < -4 || third > 5) return with_exponent(exponent, digits - 1);
    return (scaling){.exponent = 3 * third,
                     .decimals = BASE_MAX(0, digits - 1 - (exponent - 3 * third)),
                     .suffix = {prefixes[third + 4]}};
}

static scaling choose_scaling(double value, report_format format) {
    int digits = BASE_MIN(BASE_MAX(format.digits, 0), MOST_DIGITS);
    switch (format.notation) {
    case REPORT_SIGNIFICANT: return scale_significant(value, BASE_MAX(digits, 1));
    case REPORT_PREFIX: return scale_prefix(value, BASE_MAX(digits, 1));
    default: return scale_fixed(value, digits);
    }
}

static bool has_digit_above_zero(const char *text) {
    return strpbrk(text, "123456789") != NULL;
}

/* Powers of ten beyond 308 are reached in two steps. */
static double shift(double value, int exponent) {
    int half = exponent / 2;
    return value / pow(10, half) / pow(10, exponent - half);
}

static void print_scaled(double value, scaling s, report_signs signs, char out[REPORT_NUMBER_BYTES]) {
    char digits[REPORT_NUMBER_BYTES];
    double scaled = s.exponent ? shift(fabs(value), s.exponent) : fabs(value);
    base_print(digits, sizeof digits, scaled < 1e20 ? "%.*f" : "%.*e", s.decimals, scaled);
    bool is_negative = value < 0 && has_digit_above_zero(digits);
    base_print(out, REPORT_NUMBER_BYTES, "%s%s%s",
               !is_negative              ? ""
               : signs == REPORT_TYPESET ? "−"
                                         : "-",
               digits, s.suffix);
}

static void print_special(double value, report_signs signs, char out[REPORT_NUMBER_BYTES]) {
    const char *sign = isnan(value) || value > 0 ? "" : signs == REPORT_TYPESET ? "−" : "-";
    base_print(out, REPORT_NUMBER_BYTES, "%s%s", sign, isnan(value) ? "nan" : "inf");
}

report_number report_format_number(double value, double spread, report_format format, report_signs signs) {
    report_number number = {0};
    scaling s = choose_scaling(isfinite(value) ? value : 0, format);
    if (isfinite(value))
        print_scaled(value, s, signs, number.value);
    else
        print_special(value, signs, number.value);
    if (isfinite(spread))
        print_scaled(spread, s, signs, number.spread);
    else if (isinf(spread))
        print_special(spread, signs, number.spread);
    return number;
}

const char *report_spread_sign(report_signs signs) {
    return signs == REPORT_ASCII ? " +- " : " ± ";
}
