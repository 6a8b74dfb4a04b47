/*
 * A small checker of what the reports write: XML that is well-formed (one root, balanced tags, quoted
 * attributes that do not repeat, no stray "<" or "&", nothing but allowed characters), unique ids, and links
 * that lead to one.
 */
#ifndef TEST_REPORT_CHECK_MARKUP_H
#define TEST_REPORT_CHECK_MARKUP_H

#include "report/utf8.h"

#include <ctype.h>

typedef struct checker {
    const char *at, *begin;
    const char *open[64]; /* names of open elements */
    size_t open_bytes[64], n_open, n_roots;
    const char *error;
} checker;

static inline bool check_skip(checker *c, const char *text) {
    size_t n = strlen(text);
    if (strncmp(c->at, text, n) != 0) return false;
    c->at += n;
    return true;
}

static inline void check_wrong(checker *c, const char *error) {
    if (!c->error) c->error = error;
}

static inline size_t check_name(checker *c) {
    const char *first = c->at;
    while (isalnum((unsigned char)*c->at) || *c->at == '-' || *c->at == ':') c->at++;
    if (c->at == first) check_wrong(c, "a name is missing");
    return (size_t)(c->at - first);
}

/* One character of text; entities are those that the reports use. */
static inline void check_character(checker *c) {
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    if (*c->at == '&') {
        for (size_t i = 0; i < BASE_COUNT(entities); i++)
            if (check_skip(c, entities[i])) return;
        check_wrong(c, "an & stands alone");
    }
    bool is_blank = *c->at == '\n' || *c->at == '\t';
    if (is_blank)
        c->at++;
    else if (report_utf8_next(&c->at) == REPORT_REPLACEMENT && memcmp(c->at - 3, "\xEF\xBF\xBD", 3) != 0)
        check_wrong(c, "a character is not allowed");
}

static inline void check_value(checker *c) {
    char quote = *c->at;
    if (quote != '\'' && quote != '"') {
        check_wrong(c, "an attribute is not quoted");
        return;
    }
    for (c->at++; !c->error && *c->at && *c->at != quote; check_character(c))
        if (*c->at == '<') check_wrong(c, "a < stands in an attribute");
    if (*c->at) c->at++;
}

static inline void check_attributes(checker *c) {
    const char *names[32];
    size_t bytes[32], n = 0;
    while (!c->error && isspace((unsigned char)*c->at)) {
        while (isspace((unsigned char)*c->at)) c->at++;
        if (*c->at == '/' || *c->at == '>') return;
        names[n] = c->at;
        bytes[n] = check_name(c);
        for (size_t i = 0; i < n; i++)
            if (bytes[i] == bytes[n] && !memcmp(names[i], names[n], bytes[n]))
                check_wrong(c, "an attribute repeats");
        if (++n == BASE_COUNT(names)) check_wrong(c, "too many attributes");
        if (!check_skip(c, "=")) check_wrong(c, "an attribute has no value");
        check_value(c);
    }
}

static inline void check_close(checker *c) {
    const char *name = c->at;
    size_t n = check_name(c);
    if (!c->n_open || c->open_bytes[c->n_open - 1] != n || memcmp(c->open[c->n_open - 1], name, n) != 0)
        check_wrong(c, "a closing tag does not match");
    else
        c->n_open--;
    if (!check_skip(c, ">")) check_wrong(c, "a closing tag does not end");
}

static inline void check_open(checker *c) {
    const char *name = c->at;
    size_t n = check_name(c);
    if (c->n_open == 0) c->n_roots++;
    check_attributes(c);
    if (check_skip(c, "/>")) return;
    if (!check_skip(c, ">")) check_wrong(c, "a tag does not end");
    if (c->n_open == BASE_COUNT(c->open)) {
        check_wrong(c, "elements are nested too deeply");
        return;
    }
    c->open[c->n_open] = name;
    c->open_bytes[c->n_open++] = n;
}

static inline void check_step(checker *c) {
    bool is_prolog = check_skip(c, "<?") || check_skip(c, "<!");
    if (is_prolog) {
        const char *end = strchr(c->at, '>');
        if (c->n_open || c->n_roots || !end)
            check_wrong(c, "a declaration is misplaced");
        else
            c->at = end + 1;
    } else if (check_skip(c, "</")) {
        check_close(c);
    } else if (check_skip(c, "<")) {
        check_open(c);
    } else {
        if (!c->n_open && !isspace((unsigned char)*c->at)) check_wrong(c, "text stands outside");
        check_character(c);
    }
}

/* Whether there is exactly one element with an id as at `id`, so many bytes long. */
static inline bool check_has_one(const char *markup, const char *id, size_t n) {
    int found = 0;
    for (const char *at = markup; (at = strstr(at, " id='")); at += 5)
        if (!strncmp(at + 5, id, n) && at[5 + n] == '\'') found++;
    return found == 1;
}

static inline void check_links(const char *markup) {
    static const char *const kinds[] = {" href='#", " id='"};
    for (size_t k = 0; k < BASE_COUNT(kinds); k++)
        for (const char *at = markup; (at = strstr(at, kinds[k])); at++) {
            const char *id = at + strlen(kinds[k]);
            size_t n = strcspn(id, "'");
            if (!n || !check_has_one(markup, id, n)) fail_msg("not exactly one id '%.*s'", (int)n, id);
        }
}

static inline void assert_well_formed(const char *markup) {
    checker c = {.at = markup, .begin = markup};
    while (*c.at && !c.error) check_step(&c);
    if (!c.error && (c.n_open || c.n_roots != 1)) c.error = "the elements are not one tree";
    if (c.error) fail_msg("%s at byte %zu: ...%.60s", c.error, (size_t)(c.at - c.begin), c.at);
    check_links(markup);
}

#endif
