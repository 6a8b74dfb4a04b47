/*
 * Numbers of 16 bits: IEEE 754 binary16 (F16) and bfloat16 (BF16).
 *
 * To float is exact for every bit pattern: subnormals become the normal numbers that they are, infinities
 * stay, a NaN keeps its sign and payload. From float rounds to nearest, ties to even; what is too large
 * becomes infinity, and a NaN stays a NaN (quiet, with what fits of its payload). Every branch can be a
 * selection, so that loops over these functions vectorise; no subnormal float enters the arithmetic, so that
 * they do not depend on how the processor treats those.
 */
#ifndef IO_HALF_H
#define IO_HALF_H

#include <stdint.h>
#include <string.h>

static inline float io_float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t io_bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float io_bf16_to_float(uint16_t half) {
    return io_float_of_bits((uint32_t)half << 16);
}

static inline uint16_t io_bf16_of_float(float value) {
    uint32_t bits = io_bits_of_float(value);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    uint32_t nan = bits >> 16 | 0x40;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}

/* A subnormal is its mantissa times 2^-24; else the exponent's bias goes from 15 to 127, or 31 to 255. */
static inline float io_f16_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
    uint32_t normal = (magnitude << 13) + (magnitude >= 0x7c00 ? 224u << 23 : 112u << 23);
    uint32_t subnormal = io_bits_of_float((float)(int32_t)magnitude * 0x1p-24f);
    return io_float_of_bits(sign | (magnitude < 0x400 ? subnormal : normal));
}

/*
 * For numbers below 2^-14 adding 0.5 to their magnitude lets the float addition round at the last bit of a
 * subnormal half, 2^-24, and leaves the mantissa in the low bits, under the default rounding mode.
 */
static inline uint16_t io_f16_of_float(float value) {
    uint32_t bits = io_bits_of_float(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    uint32_t normal = (magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
    uint32_t subnormal = io_bits_of_float(io_float_of_bits(magnitude) + 0.5f) - io_bits_of_float(0.5f);
    uint32_t half = magnitude < 113u << 23 ? subnormal : normal;
    if (magnitude >= 143u << 23) half = 0x7c00;
    if (magnitude > 0x7f800000) half = 0x7e00 | (magnitude >> 13 & 0x3ff);
    return (uint16_t)(sign | half);
}

#endif
