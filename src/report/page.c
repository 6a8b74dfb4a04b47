/*
 * The page is well-formed XML as well as HTML, which the tests check. A policy in its head forbids everything
 * but inline styles, so that even a mistake in escaping could not load or run anything.
 */
#include "report/page.h"

#include "report/page_style.h"
#include "report/style.h"

#include <assert.h>
#include <string.h>

/* Sections that are worth a list of them. */
#define LEAST_SECTIONS 3

struct report_page {
    truce_context *context;
    base_text title, subtitle;
    base_text body, sections; /* sections: the list of them */
    base_text slugs;          /* anchors so far, each between newlines */
    int n_sections;
};

static report_pen body_pen(report_page *page) {
    return (report_pen){page->context, &page->body};
}

truce_status report_page_create(truce_context *context, const char *title, const char *subtitle,
                                report_page **out) {
    report_page *page = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *page, &page));
    page->context = context;
    base_text_add(context, &page->title, "%s", title);
    base_text_add(context, &page->subtitle, "%s", subtitle ? subtitle : "");
    base_text_add(context, &page->slugs, "\n");
    *out = page;
    return TRUCE_OK;
}

void report_page_destroy(report_page *page) {
    if (!page) return;
    base_text *texts[] = {&page->slugs, &page->sections, &page->body, &page->subtitle, &page->title};
    for (size_t i = 0; i < BASE_COUNT(texts); i++) base_text_free(page->context, texts[i]);
    base_free(page->context, page);
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/* ASCII letters and digits in lower case, with a hyphen for each run of other characters. */
static void add_slug_letters(truce_context *context, base_text *slug, const char *text) {
    for (; *text; text++) {
        bool is_kept = is_letter(*text);
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (is_kept)
            base_text_add_n(context, slug, &c, 1);
        else if (slug->n && slug->bytes[slug->n - 1] != '-')
            base_text_add_n(context, slug, "-", 1);
    }
    while (slug->n && slug->bytes[slug->n - 1] == '-') slug->bytes[--slug->n] = 0;
    if (!slug->n) base_text_add(context, slug, "section");
}

static bool is_used(const report_page *page, const char *slug, size_t n) {
    const char *at = base_text_get(&page->slugs);
    for (; (at = strstr(at, slug)); at++)
        if (at[-1] == '\n' && at[n] == '\n') return true;
    return false;
}

/* An anchor that no other heading has: "results", "results-2", ... */
static void make_slug(report_page *page, const char *text, base_text *slug) {
    add_slug_letters(page->context, slug, text);
    size_t n = slug->n;
    for (int k = 2; !slug->status && is_used(page, slug->bytes, slug->n); k++) {
        slug->n = n;
        base_text_add(page->context, slug, "-%d", k);
    }
    base_text_add(page->context, &page->slugs, "%s\n", base_text_get(slug));
    if (slug->status) page->body.status = slug->status;
}

static void list_section(report_page *page, const char *slug, const char *text) {
    report_pen pen = {page->context, &page->sections};
    page->n_sections++;
    report_put(pen, "<li><a href='#%s'>", slug);
    report_put_text(pen, text);
    report_put(pen, "</a></li>\n");
}

void report_page_heading(report_page *page, int level, const char *text) {
    assert(level == 2 || level == 3);
    base_text slug = {0};
    report_pen pen = body_pen(page);
    make_slug(page, text, &slug);
    report_put(pen, "<h%d id='%s'>", level, base_text_get(&slug));
    report_put_text(pen, text);
    report_put(pen, "<a class='anchor' href='#%s' aria-label='Link to this section'>#</a></h%d>\n",
               base_text_get(&slug), level);
    if (level == 2) list_section(page, base_text_get(&slug), text);
    base_text_free(page->context, &slug);
}

/* A formatted text in an element. */
static void put_formatted(report_page *page, const char *open, const char *close, const char *format,
                          va_list args) {
    base_text text = {0};
    base_text_add_args(page->context, &text, format, args);
    report_put(body_pen(page), "%s", open);
    report_put_text(body_pen(page), base_text_get(&text));
    report_put(body_pen(page), "%s\n", close);
    if (text.status) page->body.status = text.status;
    base_text_free(page->context, &text);
}

void report_page_paragraph(report_page *page, const char *format, ...) {
    va_list args;
    va_start(args, format);
    put_formatted(page, "<p>", "</p>", format, args);
    va_end(args);
}

void report_page_note(report_page *page, report_note kind, const char *format, ...) {
    static const char *const opens[] = {"<p class='note'><strong>Note</strong> ",
                                        "<p class='note warning'><strong>Warning</strong> "};
    va_list args;
    va_start(args, format);
    put_formatted(page, opens[kind], "</p>", format, args);
    va_end(args);
}

void report_page_table(report_page *page, const report_table *table, const char *caption) {
    report_put(body_pen(page), "<div class='table'>\n");
    truce_status status = report_table_html(table, caption, &page->body);
    if (!page->body.status) page->body.status = status;
    report_put(body_pen(page), "</div>\n");
}

void report_page_figure(report_page *page, const char *svg, const char *caption) {
    report_pen pen = body_pen(page);
    report_put(pen, "<figure>\n<div class='picture'>%s</div>\n", svg);
    if (caption) {
        report_put(pen, "<figcaption>");
        report_put_text(pen, caption);
        report_put(pen, "</figcaption>\n");
    }
    report_put(pen, "</figure>\n");
}

void report_page_facts(report_page *page, const report_fact *facts, int n_facts) {
    report_pen pen = body_pen(page);
    report_put(pen, "<dl class='facts'>\n");
    for (int i = 0; i < n_facts; i++) {
        report_put(pen, "<div><dt>");
        report_put_text(pen, facts[i].name);
        report_put(pen, "</dt><dd>");
        report_put_text(pen, facts[i].value);
        report_put(pen, "</dd></div>\n");
    }
    report_put(pen, "</dl>\n");
}

void report_page_code(report_page *page, const char *text) {
    report_put(body_pen(page), "<pre><code>");
    report_put_text(body_pen(page), text);
    report_put(body_pen(page), "</code></pre>\n");
}

static void put_head(report_pen pen, const report_page *page) {
    report_put(pen, "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'/>\n");
    report_put(pen, "<meta http-equiv='Content-Security-Policy' "
                    "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n");
    report_put(pen, "<meta name='viewport' content='width=device-width, initial-scale=1'/>\n");
    report_put(pen, "<meta name='color-scheme' content='light dark'/>\n");
    report_put(pen, "<meta name='generator' content='Truce %s'/>\n<title>", truce_version());
    report_put_text(pen, base_text_get(&page->title));
    report_put(pen, "</title>\n<style>\n");
    report_put_page_style(pen);
    report_put_chart_style(pen);
    report_put(pen, "</style>\n</head>\n");
}

static void put_titles(report_pen pen, const report_page *page) {
    report_put(pen, "<header>\n<h1>");
    report_put_text(pen, base_text_get(&page->title));
    report_put(pen, "</h1>\n");
    if (page->subtitle.n) {
        report_put(pen, "<p class='subtitle'>");
        report_put_text(pen, base_text_get(&page->subtitle));
        report_put(pen, "</p>\n");
    }
    report_put(pen, "</header>\n");
    if (page->n_sections >= LEAST_SECTIONS)
        report_put(pen, "<nav aria-label='Contents'>\n<ul>\n%s</ul>\n</nav>\n",
                   base_text_get(&page->sections));
}

static truce_status status_of(const report_page *page) {
    const base_text *texts[] = {&page->title, &page->subtitle, &page->body, &page->sections, &page->slugs};
    for (size_t i = 0; i < BASE_COUNT(texts); i++)
        if (texts[i]->status) return texts[i]->status;
    return TRUCE_OK;
}

truce_status report_page_finish(report_page *page, base_text *out) {
    BASE_TRY(status_of(page));
    base_text text = {0};
    report_pen pen = {page->context, &text};
    put_head(pen, page);
    report_put(pen, "<body>\n<main>\n");
    put_titles(pen, page);
    base_text_add_n(page->context, &text, base_text_get(&page->body), page->body.n);
    report_put(pen, "</main>\n<footer>Made by Truce %s</footer>\n</body>\n</html>\n", truce_version());
    return report_deliver(pen, out);
}
