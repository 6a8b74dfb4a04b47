/* From a map of a recipe to the struct that code works with, by a table of options. */
#include "io/yaml.h"

#include <stdio.h>
#include <string.h>

/* What a map may hold: the names of options and those that the caller looks after. */
typedef struct known_keys {
    const base_options *options;
    const char *const *others;
} known_keys;

static const char *known_key(const void *list, int i) {
    const known_keys *keys = list;
    int n = keys->options->n;
    return i < n ? keys->options->rows[i].name : keys->others[i - n];
}

static int count_known(const known_keys *keys) {
    int n = 0;
    while (keys->others && keys->others[n]) n++;
    return keys->options->n + n;
}

static bool is_other(const char *const *others, const char *key) {
    for (; others && *others; others++)
        if (strcmp(*others, key) == 0) return true;
    return false;
}

static truce_status fail_unknown(truce_context *context, const io_yaml *map, int i, const known_keys *keys) {
    char what[256];
    int n = count_known(keys);
    io_yaml at = {.file = map->file, .line = map->key_lines[i]};
    snprintf(what, sizeof what, "%s: option", keys->options->owner);
    truce_status status = n ? base_fail_name(context, what, map->keys[i], known_key, keys, n)
                            : base_option_unknown(context, keys->options, map->keys[i]);
    return io_yaml_fail_at(context, &at, status);
}

static const char *kind_text(const io_yaml *node) {
    switch (node->kind) {
    case IO_YAML_SCALAR: return "a single value";
    case IO_YAML_LIST: return "a list";
    case IO_YAML_MAP: return "a map";
    }
    return "a value";
}

static truce_status fail_kind(truce_context *context, const base_options *options, const char *name,
                              const char *wanted, const io_yaml *value) {
    return io_yaml_fail(context, value, TRUCE_ERROR_TYPE, "%s: '%s' takes %s, not %s", options->owner, name,
                        wanted, kind_text(value));
}

/* "a, b" of a list of plain values; an item that would not stay one number on its own is refused. */
static truce_status join_items(truce_context *context, const base_options *options, const char *name,
                               const io_yaml *list, base_text *out) {
    for (int i = 0; i < list->n_items; i++) {
        const io_yaml *item = list->items[i];
        if (item->kind != IO_YAML_SCALAR)
            return fail_kind(context, options, name, "numbers in its list", item);
        if (!item->text[0] || strpbrk(item->text, ",[]"))
            return io_yaml_fail(context, item, TRUCE_ERROR_TYPE,
                                "%s: '%s' takes numbers in its list, not '%s'", options->owner, name,
                                item->text);
        base_text_add(context, out, "%s%s", i ? ", " : "", item->text);
    }
    return out->status;
}

static truce_status set_list(truce_context *context, const base_options *options, void *values,
                             const char *name, const io_yaml *list) {
    base_text text = {0};
    truce_status status = join_items(context, options, name, list, &text);
    if (!status) {
        status = base_option_set(context, options, values, name, base_text_get(&text));
        if (status) io_yaml_fail_at(context, list, status);
    }
    base_text_free(context, &text);
    return status;
}

static truce_status set_option(truce_context *context, const base_options *options, void *values,
                               const char *name, const io_yaml *value) {
    truce_option_kind kind = options->rows[base_option_find(options, name)].kind;
    bool takes_list = kind == TRUCE_OPTION_REALS || kind == TRUCE_OPTION_INTEGERS;
    if (value->kind == IO_YAML_LIST && takes_list) return set_list(context, options, values, name, value);
    if (value->kind != IO_YAML_SCALAR)
        return fail_kind(context, options, name, takes_list ? "a list" : "a single value", value);
    truce_status status = base_option_set(context, options, values, name, value->text);
    return status ? io_yaml_fail_at(context, value, status) : TRUCE_OK;
}

truce_status io_yaml_options(truce_context *context, const io_yaml *map, const base_options *options,
                             const char *const *others, void *values) {
    known_keys keys = {options, others};
    base_option_defaults(options, values);
    if (!map) return TRUCE_OK;
    if (map->kind != IO_YAML_MAP)
        return io_yaml_fail(context, map, TRUCE_ERROR_TYPE, "%s must be a map (key: value), not %s",
                            options->owner, kind_text(map));
    for (int i = 0; i < map->n_items; i++) {
        if (is_other(others, map->keys[i])) continue;
        if (base_option_find(options, map->keys[i]) < 0) return fail_unknown(context, map, i, &keys);
        const io_yaml *value = io_yaml_get(map, map->keys[i]);
        if (value) BASE_TRY(set_option(context, options, values, map->keys[i], value));
    }
    return TRUCE_OK;
}

truce_status io_yaml_choice(truce_context *context, const io_yaml *at, const char *key, const char *fallback,
                            const char **name, const io_yaml **settings) {
    const io_yaml *named = at && at->kind == IO_YAML_MAP ? io_yaml_get(at, key) : at;
    if (at && at->kind == IO_YAML_LIST)
        return io_yaml_fail(context, at, TRUCE_ERROR_TYPE, "give a name, or a map with '%s', not a list",
                            key);
    if (named && named->kind != IO_YAML_SCALAR)
        return io_yaml_fail(context, named, TRUCE_ERROR_TYPE, "'%s' takes a name, not %s", key,
                            kind_text(named));
    *name = named ? named->text : fallback;
    if (settings) *settings = at && at->kind == IO_YAML_MAP ? at : NULL;
    return TRUCE_OK;
}
