/*
 * YAML as a tree in which every value knows its line, so that an error in a recipe can be pointed at.
 *
 * Parsed by libyaml. Aliases become copies of what they stand for; a mapping that names a key twice is
 * refused, and so are a second document, tags outside the core schema, more than 64 levels and more than a
 * million values. Scalars stay texts: what they mean is decided by the table of options that reads them.
 */
#ifndef IO_YAML_H
#define IO_YAML_H

#include "base/option.h"

typedef enum io_yaml_kind { IO_YAML_SCALAR, IO_YAML_LIST, IO_YAML_MAP } io_yaml_kind;

typedef struct io_yaml {
    io_yaml_kind kind;
    const char *text; /* of a scalar; "" for null */
    bool plain;       /* scalar without quotes: null and ~ mean nothing given */
    const char *file; /* where it stands; "--set" for overrides */
    int line;         /* from 1; 0 for overrides */
    int n_items;
    struct io_yaml **items; /* of a list; the values of a map */
    const char **keys;      /* of a map */
    int *key_lines;
} io_yaml;

typedef struct io_yaml_document io_yaml_document;

/* Reads one document from a file, or from a text (`name` then stands for the file in messages). */
truce_status io_yaml_read(truce_context *context, const char *path, io_yaml_document **out);
truce_status io_yaml_parse(truce_context *context, const char *text, size_t n, const char *name,
                           io_yaml_document **out);
void io_yaml_destroy(io_yaml_document *document);

/* The top of the tree, owned by the document. An empty document is an empty map. */
const io_yaml *io_yaml_root(const io_yaml_document *document);

/*
 * "a.b.c=value": sets or makes the value at that path; the value is YAML itself ("[1, 2]", "{x: 1}", "text").
 * Maps on the way are made, and a number picks an item of a list ("models.0.weight=2"); a path through a
 * scalar is an error. On failure the tree is as it was.
 */
truce_status io_yaml_set(io_yaml_document *document, const char *assignment);

/* The value of a key of a map, or NULL. NULL map is fine. Null scalars count as not given. */
const io_yaml *io_yaml_get(const io_yaml *map, const char *key);

/* Puts "file:line: " before the context's message and returns the status. */
truce_status io_yaml_fail_at(truce_context *context, const io_yaml *at, truce_status status);

/* Fails at this place with a message of its own. */
truce_status io_yaml_fail(truce_context *context, const io_yaml *at, truce_status status, const char *format,
                          ...) BASE_PRINTF(4, 5);

/*
 * Fills `values` by a table of options: defaults first, then every key of the map (which may be NULL). Keys
 * named in `others` (a NULL-terminated list, may be NULL) are left for the caller; any other key is an error
 * that says what was meant. A list of plain values fits options that take lists; null keeps the default.
 * Texts are borrowed from the document.
 */
truce_status io_yaml_options(truce_context *context, const io_yaml *map, const base_options *options,
                             const char *const *others, void *values);

/*
 * A choice with settings is written either as a plain name ("adam") or as a map that holds the name under
 * `key`
 * ({type: adam, beta1: 0.8}). *name is that name, or `fallback` where nothing is given; *settings (may be
 * NULL) is the map, or NULL.
 */
truce_status io_yaml_choice(truce_context *context, const io_yaml *at, const char *key, const char *fallback,
                            const char **name, const io_yaml **settings);

/* Appends the tree as YAML that reads back as the same tree. Fails for texts that are not in UTF-8. */
truce_status io_yaml_write(truce_context *context, const io_yaml *root, base_text *out);

#endif
