/*
 * Numbers as people read them.
 */
#ifndef REPORT_NUMBER_H
#define REPORT_NUMBER_H

#include "base/text.h"

typedef enum report_notation {
    REPORT_FIXED,       /* `digits` after the point: "0.912"; from 1e15 on with an exponent */
    REPORT_SIGNIFICANT, /* `digits` that count: "0.0912", "1.23e-05" */
    REPORT_PREFIX,      /* `digits` that count, with k M G T P or m u n p: "11.7M", "250m" */
} report_notation;

typedef struct report_format {
    report_notation notation;
    int digits; /* 0 .. 15; 0 counts as 1 where digits count */
} report_format;

/* Which signs the reader's screen has. */
typedef enum report_signs {
    REPORT_ASCII,   /* "-", "+-" */
    REPORT_PLAIN,   /* "-", U+00B1: what programs read back as a number */
    REPORT_TYPESET, /* U+2212, U+00B1 */
} report_signs;

#define REPORT_NUMBER_BYTES 48

/*
 * A value and its spread in the same unit and with the same number of decimals: "0.912" and "0.004". Without
 * a spread (NaN) the second text is "". No value is written as a negative zero; NaN is "nan", infinity "inf".
 */
typedef struct report_number {
    char value[REPORT_NUMBER_BYTES], spread[REPORT_NUMBER_BYTES];
} report_number;

report_number report_format_number(double value, double spread, report_format format, report_signs signs);

/* The sign between value and spread, with blanks around it. */
const char *report_spread_sign(report_signs signs);

#endif
