/*
 * UTF-8 (RFC 3629), strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef IO_UTF8_H
#define IO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at the front of bytes[n], which goes to *out; 0 if there is no valid one. */
size_t io_utf8_decode(const char *bytes, size_t n, uint32_t *out);

bool io_utf8_is_valid(const char *bytes, size_t n);

#endif
