/*
 * Numbers in the fields of data files.
 */
#ifndef DATA_NUMBER_H
#define DATA_NUMBER_H

#include <stdbool.h>

/*
 * The whole text as a decimal number; blanks around it are fine. Stricter than strtod: no hexadecimal, and
 * neither infinity nor NaN, by name or by overflow. Gives the nearest double, and fast.
 */
bool data_parse_number(const char *text, double *out);

#endif
