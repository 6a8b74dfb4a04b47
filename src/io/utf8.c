#include "io/utf8.h"

/* Continuation bytes after a first byte, or -1. */
static int continuation(unsigned char first) {
    if (first < 0x80) return 0;
    if (first < 0xc2) return -1; /* a continuation byte, or an overlong form */
    if (first < 0xe0) return 1;
    if (first < 0xf0) return 2;
    return first < 0xf5 ? 3 : -1;
}

size_t io_utf8_decode(const char *bytes, size_t n, uint32_t *out) {
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    if (n == 0) return 0;
    unsigned char first = (unsigned char)bytes[0];
    int more = continuation(first);
    if (more < 0 || (size_t)more >= n) return 0;
    uint32_t code = more ? first & (0x3fu >> more) : first;
    for (int i = 1; i <= more; i++) {
        unsigned char next = (unsigned char)bytes[i];
        if ((next & 0xc0) != 0x80) return 0;
        code = code << 6 | (next & 0x3f);
    }
    if (code < smallest[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return 0;
    *out = code;
    return (size_t)more + 1;
}

bool io_utf8_is_valid(const char *bytes, size_t n) {
    uint32_t code;
    for (size_t i = 0, step; i < n; i += step) {
        step = io_utf8_decode(bytes + i, n - i, &code);
        if (step == 0) return false;
    }
    return true;
}
