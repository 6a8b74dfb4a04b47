/*
 * One self-contained HTML page: no scripts, no other files, readable on a phone and on paper, light or dark
 * as the reader prefers. A page is built from top to bottom. As with base_text, a failure while building is
 * kept and returned by report_page_finish, so that building needs no checks. Everything from outside is
 * escaped.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report/table.h"

typedef struct report_page report_page;

/* subtitle: NULL for none. */
truce_status report_page_create(truce_context *context, const char *title, const char *subtitle,
                                report_page **out);
void report_page_destroy(report_page *page);

/* A heading of level 2 (a section) or 3, with an anchor made of its text. Sections are listed at the top. */
void report_page_heading(report_page *page, int level, const char *text);

/* A paragraph; printf's format. */
void report_page_paragraph(report_page *page, const char *format, ...) BASE_PRINTF(2, 3);

typedef enum report_note { REPORT_NOTE, REPORT_WARNING } report_note;

/* A remark that must not be missed. */
void report_page_note(report_page *page, report_note kind, const char *format, ...) BASE_PRINTF(3, 4);

/* caption: NULL for none. */
void report_page_table(report_page *page, const report_table *table, const char *caption);

/* A chart, as a drawing function of chart.h wrote it. */
void report_page_figure(report_page *page, const char *svg, const char *caption);

typedef struct report_fact {
    const char *name, *value;
} report_fact;

void report_page_facts(report_page *page, const report_fact *facts, int n_facts);

/* Command lines, files: line breaks and blanks are kept. */
void report_page_code(report_page *page, const char *text);

/* Appends the whole page; on failure `out` keeps what it had. */
truce_status report_page_finish(report_page *page, base_text *out);

#endif
