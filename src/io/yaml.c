/* The tree: making it, looking into it, changing it. Parsing is in yaml_parse.c. */
#include "io/yaml.h"

#include "io/file.h"
#include "io/utf8.h"
#include "io/yaml_tree.h"

#include <stdio.h>
#include <string.h>

static bool is_null(const io_yaml *node) {
    return node->kind == IO_YAML_SCALAR && node->plain && node->text[0] == 0;
}

static truce_status make_document(truce_context *context, const char *name, io_yaml_source *source,
                                  io_yaml_document **out) {
    io_yaml_document *document = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *document, &document));
    document->context = context;
    truce_status status = base_pool_text(context, &document->pool, name, strlen(name), &source->name);
    if (!status) status = io_yaml_build(document, source, &document->root);
    if (!status && (!document->root || is_null(document->root)))
        status = io_yaml_new(document, IO_YAML_MAP, source->name, 1, &document->root);
    if (status)
        io_yaml_destroy(document);
    else
        *out = document;
    return status;
}

truce_status io_yaml_parse(truce_context *context, const char *text, size_t n, const char *name,
                           io_yaml_document **out) {
    io_yaml_source source = {.text = text, .n = n, .has_lines = true};
    return make_document(context, name, &source, out);
}

truce_status io_yaml_read(truce_context *context, const char *path, io_yaml_document **out) {
    io_bytes file = {0};
    BASE_TRY(io_bytes_read(context, path, &file));
    truce_status status = io_yaml_parse(context, (const char *)file.bytes, file.n, path, out);
    io_bytes_free(context, &file);
    return status;
}

void io_yaml_destroy(io_yaml_document *document) {
    if (!document) return;
    truce_context *context = document->context;
    base_pool_free(context, &document->pool);
    base_free(context, document);
}

const io_yaml *io_yaml_root(const io_yaml_document *document) {
    return document->root;
}

truce_status io_yaml_new(io_yaml_document *document, io_yaml_kind kind, const char *file, int line,
                         io_yaml **out) {
    io_yaml *node = NULL;
    if (document->n_nodes == IO_YAML_MAX_NODES)
        return base_fail(document->context, TRUCE_ERROR_FORMAT, "%s: more than %d values, aliases counted",
                         file, (int)IO_YAML_MAX_NODES);
    BASE_TRY(base_pool_alloc(document->context, &document->pool, 1, sizeof *node, &node));
    *node = (io_yaml){.kind = kind, .text = "", .file = file, .line = line};
    document->n_nodes++;
    *out = node;
    return TRUCE_OK;
}

/* Room in the arrays of a node is a power of two, so that its number of items tells when they are full. */
static bool is_full(int n) {
    return n == 0 || (n >= 4 && (n & (n - 1)) == 0);
}

static truce_status widen(io_yaml_document *document, io_yaml *node) {
    truce_context *context = document->context;
    base_pool *pool = &document->pool;
    size_t n = (size_t)node->n_items, room = BASE_MAX(4, 2 * n);
    io_yaml **items = NULL;
    const char **keys = NULL;
    int *key_lines = NULL;
    bool map = node->kind == IO_YAML_MAP;
    BASE_TRY(base_pool_alloc(context, pool, room, sizeof *items, &items));
    BASE_TRY(base_pool_alloc(context, pool, map ? room : 0, sizeof *keys, &keys));
    BASE_TRY(base_pool_alloc(context, pool, map ? room : 0, sizeof *key_lines, &key_lines));
    if (n) memcpy(items, node->items, n * sizeof *items);
    if (n && map) memcpy(keys, node->keys, n * sizeof *keys);
    if (n && map) memcpy(key_lines, node->key_lines, n * sizeof *key_lines);
    node->items = items;
    node->keys = keys;
    node->key_lines = key_lines;
    return TRUCE_OK;
}

truce_status io_yaml_add(io_yaml_document *document, io_yaml *parent, const char *key, int key_line,
                         io_yaml *item) {
    int n = parent->n_items;
    if (is_full(n)) BASE_TRY(widen(document, parent));
    parent->items[n] = item;
    if (key) {
        parent->keys[n] = key;
        parent->key_lines[n] = key_line;
    }
    parent->n_items++;
    return TRUCE_OK;
}

int io_yaml_find(const io_yaml *map, const char *key) {
    for (int i = 0; i < map->n_items; i++)
        if (strcmp(map->keys[i], key) == 0) return i;
    return -1;
}

const io_yaml *io_yaml_get(const io_yaml *map, const char *key) {
    int i = map && map->kind == IO_YAML_MAP ? io_yaml_find(map, key) : -1;
    return i < 0 || is_null(map->items[i]) ? NULL : map->items[i];
}

truce_status io_yaml_fail_at(truce_context *context, const io_yaml *at, truce_status status) {
    if (at->line > 0) return base_fail_at(context, status, "%s:%d", at->file, at->line);
    return base_fail_at(context, status, "%s", at->file);
}

truce_status io_yaml_fail(truce_context *context, const io_yaml *at, truce_status status, const char *format,
                          ...) {
    char text[BASE_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    base_fail(context, status, "%s", text);
    return io_yaml_fail_at(context, at, status);
}

/* The path of an assignment, cut at its dots: n parts, one after the other in `parts`. */
typedef struct override {
    const char *parts[IO_YAML_MAX_DEPTH];
    int n;
    const char *value;
} override;

static truce_status cut_path(io_yaml_document *document, const char *text, override *out) {
    truce_context *context = document->context;
    const char *equals = strchr(text, '='), *part = NULL;
    if (!io_utf8_is_valid(text, strlen(text)))
        return base_fail(context, TRUCE_ERROR_ARGUMENT, "it is not in UTF-8");
    if (!equals || equals == text)
        return base_fail(context, TRUCE_ERROR_ARGUMENT, "write it as section.key=value");
    out->n = 0;
    out->value = equals + 1;
    for (const char *begin = text; begin <= equals;) {
        size_t n = strcspn(begin, ".=");
        if (n == 0 || n > IO_YAML_MAX_KEY)
            return base_fail(context, TRUCE_ERROR_ARGUMENT, "a name before the '=' is %s",
                             n ? "too long" : "empty");
        if (out->n == IO_YAML_MAX_DEPTH - 1)
            return base_fail(context, TRUCE_ERROR_ARGUMENT, "the path is deeper than %d levels",
                             IO_YAML_MAX_DEPTH);
        BASE_TRY(base_pool_text(context, &document->pool, begin, n, &part));
        out->parts[out->n++] = part;
        begin += n + 1;
    }
    return TRUCE_OK;
}

/* Where a part of the path leads to: its place in `node`, or NULL in *slot where a map lacks the key. */
static truce_status find_slot(io_yaml_document *document, io_yaml *node, const char *part, io_yaml ***slot) {
    truce_context *context = document->context;
    int64_t i = -1;
    *slot = NULL;
    if (node->kind == IO_YAML_SCALAR)
        return base_fail(context, TRUCE_ERROR_TYPE, "there is no '%s' in the single value '%s'", part,
                         node->text);
    if (node->kind == IO_YAML_MAP) {
        i = io_yaml_find(node, part);
    } else if (!base_parse_integer(part, &i) || i < 0 || i >= node->n_items) {
        return base_fail(context, TRUCE_ERROR_NAME, "'%s' is no place in a list of %d (they count from 0)",
                         part, node->n_items);
    }
    if (i >= 0) *slot = &node->items[i];
    return TRUCE_OK;
}

/* The value inside the maps that the rest of the path names. */
static truce_status wrap(io_yaml_document *document, const override *path, int first, io_yaml **value) {
    for (int i = path->n - 1; i >= first; i--) {
        io_yaml *map = NULL;
        BASE_TRY(io_yaml_new(document, IO_YAML_MAP, (*value)->file, 0, &map));
        BASE_TRY(io_yaml_add(document, map, path->parts[i], 0, *value));
        *value = map;
    }
    return TRUCE_OK;
}

static truce_status assign(io_yaml_document *document, const override *path, io_yaml *value) {
    io_yaml *node = document->root, **slot = NULL;
    for (int i = 0; i < path->n; i++) {
        BASE_TRY(find_slot(document, node, path->parts[i], &slot));
        if (slot && i + 1 < path->n && !is_null(*slot)) {
            node = *slot;
            continue;
        }
        BASE_TRY(wrap(document, path, i + 1, &value));
        if (!slot) return io_yaml_add(document, node, path->parts[i], 0, value);
        *slot = value;
        break;
    }
    return TRUCE_OK;
}

static truce_status set(io_yaml_document *document, const char *text) {
    override path = {.n = 0};
    io_yaml *value = NULL;
    BASE_TRY(cut_path(document, text, &path));
    io_yaml_source source = {.text = path.value, .n = strlen(path.value), .name = "--set", .depth = path.n};
    BASE_TRY(io_yaml_build(document, &source, &value));
    if (!value) {
        BASE_TRY(io_yaml_new(document, IO_YAML_SCALAR, source.name, 0, &value));
        value->plain = true;
    }
    return assign(document, &path, value);
}

truce_status io_yaml_set(io_yaml_document *document, const char *assignment) {
    truce_status status = set(document, assignment);
    return status ? base_fail_at(document->context, status, "--set '%s'", assignment) : TRUCE_OK;
}
