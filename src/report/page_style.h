/*
 * The looks of pages.
 */
#ifndef REPORT_PAGE_STYLE_H
#define REPORT_PAGE_STYLE_H

#include "report/markup.h"

/* The style sheet of a page, without that of its charts. */
void report_put_page_style(report_pen pen);

#endif
