/*
 * Any text is refused or becomes a tree, which reads back from its own YAML as the same tree, takes the last
 * line as an override, and fills options or is refused.
 */
#include "fuzz.h"

#include "io/yaml.h"

#include <stdlib.h>
#include <string.h>

typedef struct settings {
    double rate;
    int64_t epochs;
    int mode;
    const char *name;
    truce_integers widths;
} settings;

static const truce_option rows[] = {
    {"rate", TRUCE_OPTION_REAL, "0.1", NULL, 0, 10, "", offsetof(settings, rate)},
    {"epochs", TRUCE_OPTION_INTEGER, "20", NULL, 1, 1000, "", offsetof(settings, epochs)},
    {"mode", TRUCE_OPTION_CHOICE, "l2", "none|l2", 0, 0, "", offsetof(settings, mode)},
    {"name", TRUCE_OPTION_TEXT, NULL, NULL, 0, 0, "", offsetof(settings, name)},
    {"widths", TRUCE_OPTION_INTEGERS, "64, 32", NULL, 1, 4096, "", offsetof(settings, widths)},
};
static const base_options options = {"section 'train'", rows, BASE_COUNT(rows)};
static const char *const others[] = {"data", NULL};

static bool same_tree(const io_yaml *a, const io_yaml *b) {
    if (a->kind != b->kind || a->n_items != b->n_items || strcmp(a->text, b->text) != 0) return false;
    if (a->kind == IO_YAML_SCALAR && !a->text[0] && a->plain != b->plain) return false;
    for (int i = 0; i < a->n_items; i++) {
        if (a->kind == IO_YAML_MAP && strcmp(a->keys[i], b->keys[i]) != 0) return false;
        if (!same_tree(a->items[i], b->items[i])) return false;
    }
    return true;
}

static void check_round_trip(truce_context *context, const io_yaml *root) {
    base_text text = {0};
    io_yaml_document *again = NULL;
    fuzz_check(io_yaml_write(context, root, &text) == TRUCE_OK, "a tree can be written");
    fuzz_check(io_yaml_parse(context, text.bytes, text.n, "again", &again) == TRUCE_OK,
               "what is written is YAML");
    fuzz_check(same_tree(root, io_yaml_root(again)), "what is written reads back");
    io_yaml_destroy(again);
    base_text_free(context, &text);
}

/* The last line as an override. */
static void override(truce_context *context, io_yaml_document *document, const uint8_t *data, size_t n) {
    char *line = NULL;
    size_t begin = n;
    while (begin > 0 && data[begin - 1] != '\n') begin--;
    fuzz_check(base_copy_text_n(context, (const char *)data + begin, n - begin, &line) == TRUCE_OK, "memory");
    if (io_yaml_set(document, line) == TRUCE_OK) check_round_trip(context, io_yaml_root(document));
    base_free(context, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    truce_context *context = fuzz_context();
    io_yaml_document *document = NULL;
    settings s = {0};
    if (io_yaml_parse(context, (const char *)data, n, "fuzz", &document)) {
        fuzz_check(truce_context_message(context)[0], "a failure has a message");
        return 0;
    }
    check_round_trip(context, io_yaml_root(document));
    io_yaml_options(context, io_yaml_root(document), &options, others, &s);
    override(context, document, data, n);
    io_yaml_destroy(document);
    return 0;
}
