/*
 * UTF-8 by the rules of RFC 3629, and the width of code points.
 *
 * Terminals give East Asian "wide" characters two cells and combining marks none (Unicode Standard Annex 11);
 * the ranges below are the blocks that names are made of, not the whole annex. A drawing does not know the
 * reader's font, so widths in it are estimates: per character the larger advance of DejaVu Sans and
 * Liberation Sans, which are the widest of the fonts that `system-ui` and `sans-serif` stand for.
 */
#include "report/utf8.h"

#include <string.h>

typedef struct range {
    uint32_t first, last;
} range;

static bool is_in(const range *ranges, size_t n, uint32_t code) {
    for (size_t i = 0; i < n; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return true;
    return false;
}

/* Control characters, what XML forbids, and overrides of the writing direction. */
static bool is_forbidden(uint32_t code) {
    static const range ranges[] = {{0x01, 0x1F},     {0x7F, 0x9F},     {0x202A, 0x202E},
                                   {0x2066, 0x2069}, {0xD800, 0xDFFF}, {0xFFFE, 0xFFFF}};
    return is_in(ranges, BASE_COUNT(ranges), code);
}

static bool is_mark(uint32_t code) {
    static const range ranges[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
                                   {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
                                   {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
                                   {0xFEFF, 0xFEFF}};
    return is_in(ranges, BASE_COUNT(ranges), code);
}

static bool is_wide(uint32_t code) {
    static const range ranges[] = {
        {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
        {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
        {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
        {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
    return is_in(ranges, BASE_COUNT(ranges), code);
}

/* Bytes that follow a first byte; -1 if it is none. */
static int count_followers(unsigned char first) {
    if (first < 0x80) return 0;
    if (first < 0xC2 || first >= 0xF5) return -1;
    return first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
}

uint32_t report_utf8_next(const char **text) {
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000}, payload[] = {0x7F, 0x1F, 0x0F, 0x07};
    const unsigned char *bytes = (const unsigned char *)*text;
    if (bytes[0] == 0) return 0;
    *text += 1;
    int n = count_followers(bytes[0]);
    if (n < 0) return REPORT_REPLACEMENT;
    uint32_t code = bytes[0] & payload[n];
    for (int i = 1; i <= n; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return REPORT_REPLACEMENT;
        code = code << 6 | (bytes[i] & 0x3Fu);
    }
    *text += n;
    return code < least[n] || code > 0x10FFFF || is_forbidden(code) ? REPORT_REPLACEMENT : code;
}

void report_utf8_add(truce_context *context, base_text *text, uint32_t code) {
    static const unsigned char heads[] = {0, 0xC0, 0xE0, 0xF0};
    int n = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    char bytes[4] = {(char)(heads[n] | code >> (6 * n))};
    for (int i = 1; i <= n; i++) bytes[i] = (char)(0x80 | (code >> (6 * (n - i)) & 0x3F));
    base_text_add_n(context, text, bytes, (size_t)n + 1);
}

double report_measure_cells(uint32_t code) {
    return is_mark(code) ? 0 : is_wide(code) ? 2 : 1;
}

double report_measure_ems(uint32_t code) {
    static const unsigned char hundredths[] = {
        32, 40, 46, 84, 64, 95, 78, 27, 39,  39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 34, 34, 84, 84, 84, 56, 102, 68, 69, 72, 77, 67, 61, 78, 75, 29, 50, 67, 56, 86, 75, 79,
        67, 79, 72, 67, 61, 73, 68, 99, 69,  67, 69, 39, 34, 39, 84, 56, 50, 61, 63, 55, 63, 62, 35, 63,
        63, 28, 28, 58, 28, 97, 63, 61, 63,  63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84};
    if (code >= ' ' && code < 0x7F) return hundredths[code - ' '] / 100.0;
    if (is_mark(code)) return 0;
    if (is_wide(code) || code >= 0x10000) return 1;
    return code >= 0x2000 && code < 0x2C00 ? 0.85 : 0.75;
}

double report_measure_text(const char *text, report_measure measure) {
    double room = 0;
    for (uint32_t code; (code = report_utf8_next(&text));) room += measure(code);
    return room;
}

size_t report_fit_text(const char *text, double room, report_measure measure) {
    if (report_measure_text(text, measure) <= room) return strlen(text);
    double used = measure(0x2026);
    const char *end = text, *next = text;
    for (uint32_t code; (code = report_utf8_next(&next)); end = next) {
        used += measure(code);
        if (used > room) break;
    }
    return (size_t)(end - text);
}
