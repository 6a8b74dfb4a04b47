/*
 * truce/option.h: what a method, an optimiser or a section of a recipe can be told.
 *
 * Everything with settings describes them in a table of truce_option rows. The same rows read recipes and
 * --set, print `truce methods`, check names and ranges, and fill the struct that the code works with.
 */
#ifndef TRUCE_OPTION_H
#define TRUCE_OPTION_H

#include "truce/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum truce_option_kind {
    TRUCE_OPTION_REAL,    /* double */
    TRUCE_OPTION_INTEGER, /* int64_t */
    TRUCE_OPTION_SWITCH,  /* int, 0 or 1; text: true, false, yes, no, on, off */
    TRUCE_OPTION_CHOICE,  /* int, the index in `choices` */
    TRUCE_OPTION_TEXT,    /* const char *, borrowed from whoever set it */
    TRUCE_OPTION_REALS,   /* truce_reals; text: 1, 0.5, 2 */
    TRUCE_OPTION_INTEGERS /* truce_integers; text: 64, 64 */
} truce_option_kind;

#define TRUCE_OPTION_LIST_MAX 64

typedef struct truce_reals {
    int n;
    double values[TRUCE_OPTION_LIST_MAX];
} truce_reals;

typedef struct truce_integers {
    int n;
    int64_t values[TRUCE_OPTION_LIST_MAX];
} truce_integers;

typedef struct truce_option {
    const char *name;
    truce_option_kind kind;
    const char *fallback; /* the default, as text; NULL leaves the field zero (an empty list, no text) */
    const char *choices;  /* TRUCE_OPTION_CHOICE: "none|l2|loss" */
    double low, high;     /* inclusive bounds of numbers, checked where low < high */
    const char *help;     /* one line: what it does, its unit, the symbol in the paper */
    size_t offset;        /* of the field in the struct that holds the values */
} truce_option;

#ifdef __cplusplus
}
#endif

#endif
