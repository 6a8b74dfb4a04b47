/*
 * From libyaml's events to a tree.
 *
 * An alias becomes a copy of what it stands for, so that the tree stays a tree and an override changes one
 * place only; texts are shared. What aliases could blow up is bounded by the number of nodes and bytes of a
 * document. Tags of the core schema are accepted, since every value is a text here; others, which ask for
 * something that would not happen, are refused. Merge keys (<<), which YAML 1.2 dropped, are refused
 * likewise.
 */
#include "io/yaml_tree.h"

#include "base/names.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* A list or map that is not closed yet. */
typedef struct frame {
    io_yaml *node;
    const char *key; /* of a map: read, and waiting for its value */
    int key_line;
    base_names seen; /* keys so far */
} frame;

typedef struct builder {
    io_yaml_document *document;
    truce_context *context;
    const io_yaml_source *source;
    yaml_parser_t parser;
    frame frames[IO_YAML_MAX_DEPTH];
    int n_frames, n_documents;
    base_names anchors;
    io_yaml **anchored; /* by number of the anchor */
    size_t anchored_capacity;
    io_yaml *root;
} builder;

static int line_of(const builder *b, yaml_mark_t mark) {
    return b->source->has_lines ? (int)mark.line + 1 : 0;
}

static truce_status fail_here(builder *b, yaml_mark_t mark, truce_status status, const char *format, ...)
    BASE_PRINTF(4, 5);

static truce_status fail_here(builder *b, yaml_mark_t mark, truce_status status, const char *format, ...) {
    char text[BASE_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    base_fail(b->context, status, "%s", text);
    if (!b->source->has_lines) return status;
    return base_fail_at(b->context, status, "%s:%d", b->source->name, line_of(b, mark));
}

/* What libyaml says, and how one says it to somebody who writes a recipe. Other problems are passed on. */
static const struct {
    const char *problem, *text;
} problems[] = {
    {"found character that cannot start any token",
     "a text cannot begin with this character; put it in quotes"},
    {"found a tab character", "a tab cannot indent; use spaces"},
    {"mapping values are not allowed",
     "a ':' where no key can be; put the text in quotes, or check the indentation"},
    {"mapping keys are not allowed", "a key where none can be; check the indentation"},
    {"block sequence entries are not allowed", "a '-' where no list can begin; check the indentation"},
    {"could not find expected ':'", "a key without ':' behind it"},
    {"did not find expected key",
     "neither a key nor the end of the map; check the indentation and the quotes"},
    {"did not find expected '-' indicator", "neither a '-' nor the end of the list; check the indentation"},
    {"did not find expected ',' or ']'", "a ',' or ']' is missing in a list"},
    {"did not find expected ',' or '}'", "a ',' or '}' is missing in a map"},
    {"found unexpected end of stream", "a quote is not closed"},
    {"did not find expected node content", "a key or a value is missing here"},
    {"found unknown escape character", "an unknown escape in double quotes; write \\\\ for a backslash"},
    {"did not find expected <document start>", "something follows the end of the document"},
    {"found undefined tag handle", "a tag that is not defined; put a text that begins with '!' in quotes"},
};

static const char *plain_problem(const char *problem) {
    for (size_t i = 0; i < BASE_COUNT(problems); i++)
        if (strstr(problem, problems[i].problem)) return problems[i].text;
    return problem;
}

/* Whether that line (from 0) is indented with a tab. */
static bool has_tab_indent(const io_yaml_source *source, size_t line) {
    const char *c = source->text, *end = source->text + source->n;
    for (; line && c < end; line--) {
        const char *newline = memchr(c, '\n', (size_t)(end - c));
        c = newline ? newline + 1 : end;
    }
    while (c < end && *c == ' ') c++;
    return c < end && *c == '\t';
}

static size_t count_newlines(const char *text, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += text[i] == '\n';
    return count;
}

static truce_status fail_syntax(builder *b) {
    const yaml_parser_t *parser = &b->parser;
    yaml_mark_t mark = parser->problem_mark, opened = parser->context_mark;
    const char *problem = parser->problem ? parser->problem : "no YAML";
    if (parser->error == YAML_MEMORY_ERROR)
        return base_fail(b->context, TRUCE_ERROR_MEMORY, "out of memory while YAML was read");
    if (parser->error == YAML_READER_ERROR) {
        mark.line = count_newlines(b->source->text, BASE_MIN(parser->problem_offset, b->source->n));
        return fail_here(b, mark, TRUCE_ERROR_FORMAT, "no text in UTF-8 (%s)", problem);
    }
    if (has_tab_indent(b->source, mark.line)) problem = "found a tab character";
    const char *text = plain_problem(problem);
    if (!parser->context || opened.line == mark.line || !b->source->has_lines)
        return fail_here(b, mark, TRUCE_ERROR_FORMAT, "%s", text);
    return fail_here(b, mark, TRUCE_ERROR_FORMAT, "%s (what is wrong begins on line %d)", text,
                     line_of(b, opened));
}

static truce_status count_text(builder *b, const char *text, yaml_mark_t mark) {
    b->document->n_text += strlen(text);
    if (b->document->n_text <= IO_YAML_MAX_TEXT) return TRUCE_OK;
    return fail_here(b, mark, TRUCE_ERROR_FORMAT, "more than %d bytes of text, aliases counted",
                     (int)IO_YAML_MAX_TEXT);
}

static truce_status check_tag(builder *b, const yaml_char_t *tag, yaml_mark_t mark) {
    static const char core[] = "tag:yaml.org,2002:";
    static const char *const known[] = {"str", "int", "float", "bool", "null", "seq", "map"};
    const char *text = (const char *)tag;
    if (!text || strcmp(text, "!") == 0) return TRUCE_OK;
    for (size_t i = 0; i < BASE_COUNT(known) && strncmp(text, core, sizeof core - 1) == 0; i++)
        if (strcmp(text + sizeof core - 1, known[i]) == 0) return TRUCE_OK;
    return fail_here(b, mark, TRUCE_ERROR_UNSUPPORTED, "the tag '%s' means nothing here", text);
}

/* Remembers a node by its anchor; a later anchor of the same name takes its place. */
static truce_status remember_anchor(builder *b, const yaml_char_t *anchor, io_yaml *node) {
    int64_t i;
    if (!anchor) return TRUCE_OK;
    BASE_TRY(base_names_add(b->context, &b->anchors, (const char *)anchor, &i));
    BASE_TRY(base_grow(b->context, &b->anchored, &b->anchored_capacity, b->anchors.n, sizeof *b->anchored));
    b->anchored[i] = node;
    return TRUCE_OK;
}

static truce_status take_key(builder *b, frame *top, const io_yaml *node, yaml_mark_t mark) {
    int64_t i;
    size_t n = top->seen.n;
    if (node->kind != IO_YAML_SCALAR || (node->plain && !node->text[0]))
        return fail_here(b, mark, TRUCE_ERROR_FORMAT, "a key is missing here, or is null or no text");
    if (node->plain && strcmp(node->text, "<<") == 0)
        return fail_here(b, mark, TRUCE_ERROR_UNSUPPORTED, "merge keys (<<) are not read; repeat the values");
    if (strlen(node->text) > IO_YAML_MAX_KEY)
        return fail_here(b, mark, TRUCE_ERROR_FORMAT, "a key is longer than %d bytes", (int)IO_YAML_MAX_KEY);
    BASE_TRY(base_names_add(b->context, &top->seen, node->text, &i));
    if ((size_t)i < n && b->source->has_lines)
        return fail_here(b, mark, TRUCE_ERROR_FORMAT, "key '%s' is given twice; the first time on line %d",
                         node->text, top->node->key_lines[i]);
    if ((size_t)i < n) return fail_here(b, mark, TRUCE_ERROR_FORMAT, "key '%s' is given twice", node->text);
    top->key = node->text;
    top->key_line = line_of(b, mark);
    return TRUCE_OK;
}

/* Puts a node to where it belongs: the top, a list, a key's place or a key. */
static truce_status place(builder *b, io_yaml *node, yaml_mark_t mark) {
    if (b->n_frames == 0) {
        b->root = node;
        return TRUCE_OK;
    }
    frame *top = &b->frames[b->n_frames - 1];
    if (top->node->kind == IO_YAML_MAP && !top->key) return take_key(b, top, node, mark);
    BASE_TRY(io_yaml_add(b->document, top->node, top->key, top->key_line, node));
    top->key = NULL;
    return TRUCE_OK;
}

static bool means_null(const char *text) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < BASE_COUNT(words); i++)
        if (strcmp(text, words[i]) == 0) return true;
    return false;
}

/* A tag that makes a text of what would be null otherwise. */
static bool is_text_tag(const yaml_char_t *tag) {
    return tag && (strcmp((const char *)tag, "!") == 0 || strcmp((const char *)tag, YAML_STR_TAG) == 0);
}

static truce_status on_scalar(builder *b, const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    const yaml_char_t *tag = event->data.scalar.tag;
    yaml_mark_t mark = event->start_mark;
    io_yaml *node = NULL;
    BASE_TRY(check_tag(b, tag, mark));
    if (strlen(text) != event->data.scalar.length)
        return fail_here(b, mark, TRUCE_ERROR_FORMAT, "a text may not contain a NUL character");
    BASE_TRY(count_text(b, text, mark));
    BASE_TRY(io_yaml_new(b->document, IO_YAML_SCALAR, b->source->name, line_of(b, mark), &node));
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !is_text_tag(tag);
    if (!node->plain || !means_null(text))
        BASE_TRY(base_pool_text(b->context, &b->document->pool, text, strlen(text), &node->text));
    BASE_TRY(remember_anchor(b, event->data.scalar.anchor, node));
    return place(b, node, mark);
}

static truce_status fail_depth(builder *b, yaml_mark_t mark) {
    return fail_here(b, mark, TRUCE_ERROR_FORMAT, "lists and maps are nested deeper than %d levels",
                     (int)IO_YAML_MAX_DEPTH);
}

static truce_status open_frame(builder *b, io_yaml_kind kind, const yaml_event_t *event) {
    bool map = kind == IO_YAML_MAP;
    yaml_mark_t mark = event->start_mark;
    io_yaml *node = NULL;
    BASE_TRY(check_tag(b, map ? event->data.mapping_start.tag : event->data.sequence_start.tag, mark));
    if (b->source->depth + b->n_frames >= IO_YAML_MAX_DEPTH) return fail_depth(b, mark);
    BASE_TRY(io_yaml_new(b->document, kind, b->source->name, line_of(b, mark), &node));
    BASE_TRY(
        remember_anchor(b, map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor, node));
    BASE_TRY(place(b, node, mark));
    b->frames[b->n_frames++] = (frame){.node = node};
    return TRUCE_OK;
}

static void close_frame(builder *b) {
    base_names_free(b->context, &b->frames[--b->n_frames].seen);
}

/* Copies a tree that will hang at `depth`. */
static truce_status copy_tree(builder *b, const io_yaml *from, int depth, yaml_mark_t mark, io_yaml **out) {
    io_yaml *copy = NULL, *item = NULL;
    if (from->kind != IO_YAML_SCALAR && depth >= IO_YAML_MAX_DEPTH) return fail_depth(b, mark);
    BASE_TRY(count_text(b, from->text, mark));
    BASE_TRY(io_yaml_new(b->document, from->kind, from->file, from->line, &copy));
    copy->text = from->text;
    copy->plain = from->plain;
    for (int i = 0; i < from->n_items; i++) {
        bool map = from->kind == IO_YAML_MAP;
        BASE_TRY(copy_tree(b, from->items[i], depth + 1, mark, &item));
        BASE_TRY(
            io_yaml_add(b->document, copy, map ? from->keys[i] : NULL, map ? from->key_lines[i] : 0, item));
    }
    *out = copy;
    return TRUCE_OK;
}

static truce_status on_alias(builder *b, const yaml_event_t *event) {
    const char *name = (const char *)event->data.alias.anchor;
    yaml_mark_t mark = event->start_mark;
    int64_t i = base_names_find(&b->anchors, name);
    io_yaml *copy = NULL;
    if (i < 0)
        return fail_here(b, mark, TRUCE_ERROR_FORMAT, "no anchor '&%s' stands before '*%s'", name, name);
    for (int k = 0; k < b->n_frames; k++)
        if (b->frames[k].node == b->anchored[i])
            return fail_here(b, mark, TRUCE_ERROR_FORMAT, "'*%s' stands inside of what it stands for", name);
    BASE_TRY(copy_tree(b, b->anchored[i], b->source->depth + b->n_frames, mark, &copy));
    return place(b, copy, mark);
}

static truce_status on_event(builder *b, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_SCALAR_EVENT: return on_scalar(b, event);
    case YAML_ALIAS_EVENT: return on_alias(b, event);
    case YAML_SEQUENCE_START_EVENT: return open_frame(b, IO_YAML_LIST, event);
    case YAML_MAPPING_START_EVENT: return open_frame(b, IO_YAML_MAP, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: close_frame(b); return TRUCE_OK;
    case YAML_DOCUMENT_START_EVENT:
        if (b->n_documents++ == 0) return TRUCE_OK;
        return fail_here(b, event->start_mark, TRUCE_ERROR_FORMAT,
                         "a second document begins here; only one can be read");
    default: return TRUCE_OK;
    }
}

static truce_status read_events(builder *b) {
    truce_status status = TRUCE_OK;
    for (bool more = true; more && !status;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b->parser, &event)) return fail_syntax(b);
        status = on_event(b, &event);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return status;
}

truce_status io_yaml_build(io_yaml_document *document, const io_yaml_source *source, io_yaml **out) {
    builder b = {.document = document, .context = document->context, .source = source};
    if (!yaml_parser_initialize(&b.parser))
        return base_fail(b.context, TRUCE_ERROR_MEMORY, "out of memory while YAML was read");
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)source->text, source->n);
    truce_status status = read_events(&b);
    while (b.n_frames) close_frame(&b);
    base_free(b.context, b.anchored);
    base_names_free(b.context, &b.anchors);
    yaml_parser_delete(&b.parser);
    if (!status) *out = b.root;
    return status;
}
