/*
 * Writing HTML and SVG. What comes from outside passes through report_put_text, which leaves no character
 * that could end a text or an attribute, and no byte that would make the page invalid UTF-8 or malformed XML.
 */
#include "report/markup.h"

#include <string.h>

void report_put(report_pen pen, const char *format, ...) {
    va_list args;
    va_start(args, format);
    base_text_add_args(pen.context, pen.text, format, args);
    va_end(args);
}

static const char *entity_of(uint32_t code) {
    switch (code) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

static void put_code(report_pen pen, uint32_t code) {
    const char *entity = entity_of(code);
    if (entity)
        base_text_add_n(pen.context, pen.text, entity, strlen(entity));
    else
        report_utf8_add(pen.context, pen.text, code);
}

/* Line breaks and tabs are the control characters that a text may hold. */
static void put_until(report_pen pen, const char *text, const char *end) {
    while (text < end) {
        bool is_blank = *text == '\n' || *text == '\t';
        uint32_t code = is_blank ? (uint32_t)*text++ : report_utf8_next(&text);
        put_code(pen, code);
    }
}

void report_put_text(report_pen pen, const char *text) {
    put_until(pen, text, text + strlen(text));
}

void report_put_short(report_pen pen, const char *text, double room, report_measure measure) {
    size_t n = report_fit_text(text, room, measure);
    put_until(pen, text, text + n);
    if (text[n]) report_put(pen, "…");
}

/* As many cells as the code point takes, so that columns stay aligned. */
static void put_question_marks(report_pen pen, uint32_t code) {
    for (int n = (int)report_measure_cells(code); n > 0; n--) report_put(pen, "?");
}

void report_put_cells(report_pen pen, const char *text, int room, bool ascii) {
    const char *end = text + report_fit_text(text, room, report_measure_cells);
    while (text < end) {
        uint32_t code = report_utf8_next(&text);
        if (ascii && code > 0x7E)
            put_question_marks(pen, code);
        else
            report_utf8_add(pen.context, pen.text, code);
    }
    if (*end) report_put(pen, "%s", ascii ? "~" : "…");
}

truce_status report_deliver(report_pen pen, base_text *out) {
    if (!pen.text->status) base_text_add_n(pen.context, out, base_text_get(pen.text), pen.text->n);
    truce_status status = pen.text->status ? pen.text->status : out->status;
    base_text_free(pen.context, pen.text);
    return status;
}
