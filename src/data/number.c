/*
 * Most numbers in files have few digits. Digits that fit 53 bits and a power of ten up to 22 are both exact
 * doubles, so one multiplication or division rounds once and gives the nearest double (W. D. Clinger, "How to
 * read floating point numbers accurately", PLDI 1990). Anything else is left to strtod.
 */
#include "data/number.h"

#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

#define MOST_DIGITS 19 /* that an uint64_t holds for sure */
#define MOST_EXPONENT 22

typedef struct decimal {
    uint64_t digits;
    int n_digits, exponent; /* value: digits x 10^exponent; n_digits above MOST_DIGITS: some were dropped */
    bool any;
} decimal;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Reads digits; each moves the exponent by `step`, which is -1 behind the point. */
static const char *read_digits(const char *text, int step, decimal *d) {
    for (; is_digit(*text); text++) {
        d->any = true;
        d->exponent += step;
        if (d->n_digits < MOST_DIGITS) d->digits = 10 * d->digits + (uint64_t)(*text - '0');
        if (d->digits) d->n_digits++;
    }
    return text;
}

static const char *read_exponent(const char *text, decimal *d) {
    const char *at = text + 1;
    bool negative = *at == '-';
    int exponent = 0;
    if (*at == '-' || *at == '+') at++;
    if (!is_digit(*at)) return text;
    for (; is_digit(*at); at++) exponent = BASE_MIN(10 * exponent + (*at - '0'), 100000);
    d->exponent += negative ? -exponent : exponent;
    return at;
}

static bool convert(const decimal *d, double *out) {
    static const double powers[MOST_EXPONENT + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (FLT_EVAL_METHOD != 0 || d->n_digits > MOST_DIGITS || d->digits > (uint64_t)1 << 53) return false;
    if (d->exponent < -MOST_EXPONENT || d->exponent > MOST_EXPONENT) return false;
    *out =
        d->exponent < 0 ? (double)d->digits / powers[-d->exponent] : (double)d->digits * powers[d->exponent];
    return true;
}

bool data_parse_number(const char *text, double *out) {
    decimal d = {0};
    double value;
    while (*text == ' ' || *text == '\t') text++;
    bool negative = *text == '-';
    const char *at = *text == '-' || *text == '+' ? text + 1 : text;
    at = read_digits(at, 0, &d);
    if (*at == '.') at = read_digits(at + 1, -1, &d);
    if (d.any && (*at == 'e' || *at == 'E')) at = read_exponent(at, &d);
    while (*at == ' ' || *at == '\t') at++;
    if (!d.any || *at) return false;
    if (convert(&d, &value))
        value = negative ? -value : value;
    else
        value = base_strtod(text, NULL);
    if (!isfinite(value)) return false;
    *out = value;
    return true;
}
