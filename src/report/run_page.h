/*
 * The page of a folder of runs: what was trained, how well it does, curves, weights, and gradient conflicts.
 */
#ifndef REPORT_RUN_PAGE_H
#define REPORT_RUN_PAGE_H

#include "base/context.h"

/*
 * Reads a run store and writes the page. Notes of a run that the page shows: "data" and "model" (a line
 * each), and "metrics": one line "task<TAB>metric<TAB>1 or 0" (higher is better) for each metric that counts.
 */
truce_status report_run_page(truce_context *context, const char *store_path, const char *page_path);

#endif
