/*
 * A tree as YAML: maps and lists as blocks, lists of plain values in brackets, and every text in quotes that
 * would not read back as it is without.
 */
#include "io/yaml.h"

#include "io/utf8.h"

#include <ctype.h>
#include <string.h>

typedef struct writer {
    truce_context *context;
    base_text *out;
    truce_status status;
} writer;

static void put(writer *w, const char *text) {
    base_text_add_n(w->context, w->out, text, strlen(text));
}

static void indent(writer *w, int depth) {
    for (int i = 0; i < depth; i++) put(w, "  ");
}

static bool is_null_word(const char *text) {
    return strcmp(text, "null") == 0 || strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0;
}

/* Whether a text without quotes reads back as itself, in brackets too. Quotes more than YAML asks for. */
static bool is_safe(const char *text) {
    const char *begin = text + (*text == '-' || *text == '+');
    if (!isalnum((unsigned char)*begin) && !strchr("_./", *begin)) return false;
    if (!*begin || is_null_word(text) || strncmp(text, "...", 3) == 0) return false;
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] > 0x7e ||
            (!isalnum((unsigned char)text[i]) && !strchr("_./+-*=() ", text[i])))
            return false;
    return text[n - 1] != ' ';
}

/* Characters that YAML wants escaped: control characters, line ends, the byte-order mark, non-characters. */
static bool needs_escape(uint32_t code) {
    if (code < 0x20 || code == '"' || code == '\\') return true;
    if (code >= 0x7f && code <= 0xa0) return true;
    return code == 0x2028 || code == 0x2029 || code == 0xfeff || (code >= 0xfffe && code <= 0xffff);
}

static void put_escape(writer *w, uint32_t code) {
    if (code == '"' || code == '\\')
        base_text_add(w->context, w->out, "\\%c", (char)code);
    else if (code == '\n')
        put(w, "\\n");
    else if (code == '\t')
        put(w, "\\t");
    else
        base_text_add(w->context, w->out, code < 0x100 ? "\\x%02X" : "\\u%04X", (unsigned)code);
}

static void put_quoted(writer *w, const char *text) {
    uint32_t code = 0;
    put(w, "\"");
    for (size_t n = strlen(text), i = 0, step; i < n; i += step) {
        step = io_utf8_decode(text + i, n - i, &code);
        if (step == 0) {
            w->status =
                base_fail(w->context, TRUCE_ERROR_FORMAT, "a text is not in UTF-8 and cannot be YAML");
            return;
        }
        if (needs_escape(code))
            put_escape(w, code);
        else
            base_text_add_n(w->context, w->out, text + i, step);
    }
    put(w, "\"");
}

static void put_text(writer *w, const char *text, bool plain) {
    if (plain && is_safe(text))
        put(w, text);
    else
        put_quoted(w, text);
}

static void put_scalar(writer *w, const io_yaml *node) {
    if (node->plain && !node->text[0])
        put(w, "null");
    else
        put_text(w, node->text, node->plain);
}

/* Fits on the line where it begins. */
static bool is_inline(const io_yaml *node) {
    if (node->kind == IO_YAML_SCALAR || node->n_items == 0) return true;
    for (int i = 0; i < node->n_items; i++)
        if (node->kind == IO_YAML_MAP || node->items[i]->kind != IO_YAML_SCALAR) return false;
    return true;
}

static void put_inline(writer *w, const io_yaml *node) {
    if (node->kind == IO_YAML_SCALAR) {
        put_scalar(w, node);
        return;
    }
    put(w, node->kind == IO_YAML_MAP ? "{" : "[");
    for (int i = 0; i < node->n_items; i++) {
        if (i) put(w, ", ");
        put_scalar(w, node->items[i]);
    }
    put(w, node->kind == IO_YAML_MAP ? "}" : "]");
}

/* A list or map as lines; the first of them is indented already where it stands behind a '-'. */
static void put_block(writer *w, const io_yaml *node, int depth, bool begun) {
    bool map = node->kind == IO_YAML_MAP;
    for (int i = 0; i < node->n_items && !w->status; i++) {
        const io_yaml *item = node->items[i];
        if (i || !begun) indent(w, depth);
        if (map) put_text(w, node->keys[i], true);
        put(w, map ? ":" : "-");
        if (is_inline(item)) {
            put(w, " ");
            put_inline(w, item);
            put(w, "\n");
        } else {
            put(w, map ? "\n" : " ");
            put_block(w, item, depth + 1, !map);
        }
    }
}

truce_status io_yaml_write(truce_context *context, const io_yaml *root, base_text *out) {
    writer w = {.context = context, .out = out};
    if (is_inline(root)) {
        put_inline(&w, root);
        put(&w, "\n");
    } else {
        put_block(&w, root, 0, false);
    }
    return w.status ? w.status : out->status;
}
