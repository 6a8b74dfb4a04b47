/*
 * Numbers in files: of given byte order, at any address.
 */
#ifndef IO_BYTES_H
#define IO_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The number in the first n <= 8 bytes. */
static inline uint64_t io_load(const unsigned char *bytes, int n, bool big_endian) {
    uint64_t value = 0;
    for (int i = 0; i < n; i++) value |= (uint64_t)bytes[big_endian ? n - 1 - i : i] << 8 * i;
    return value;
}

static inline void io_put_little(uint64_t value, unsigned char *bytes, int n) {
    for (int i = 0; i < n; i++) bytes[i] = (unsigned char)(value >> 8 * i);
}

static inline double io_double_of_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t io_bits_of_double(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Whether this machine stores the most significant byte first. */
static inline bool io_is_big_endian(void) {
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

#endif
