/*
 * How YAML trees are made, for the files that make them: everything of a document lies in one pool.
 */
#ifndef IO_YAML_TREE_H
#define IO_YAML_TREE_H

#include "base/pool.h"
#include "io/yaml.h"

enum {
    IO_YAML_MAX_DEPTH = 64,
    IO_YAML_MAX_NODES = 1000000,         /* with every alias counted as what it stands for */
    IO_YAML_MAX_TEXT = 64 * 1024 * 1024, /* bytes, likewise */
    IO_YAML_MAX_KEY =
        255 /* bytes, which take at most four characters each; YAML limits keys to 1024 of them */
};

struct io_yaml_document {
    truce_context *context;
    base_pool pool;
    io_yaml *root;
    size_t n_nodes, n_text;
};

/* A text that becomes part of a document. */
typedef struct io_yaml_source {
    const char *text;
    size_t n;
    const char *name; /* of the file; lives as long as the document */
    bool has_lines;   /* else messages and nodes carry no line */
    int depth;        /* at which the tree will hang */
} io_yaml_source;

/* Parses one document into a tree. *out is NULL where the text holds none. */
truce_status io_yaml_build(io_yaml_document *document, const io_yaml_source *source, io_yaml **out);

/* A node of that kind, empty; fails where the document has too many. */
truce_status io_yaml_new(io_yaml_document *document, io_yaml_kind kind, const char *file, int line,
                         io_yaml **out);

/* Appends an item to a list, or (key not NULL, borrowed) to a map. */
truce_status io_yaml_add(io_yaml_document *document, io_yaml *parent, const char *key, int key_line,
                         io_yaml *item);

/* Position of a key in a map, or -1. */
int io_yaml_find(const io_yaml *map, const char *key);

#endif
