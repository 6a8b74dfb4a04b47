/*
 * truce report: the page of a run, made again.
 */
#include "cli/results.h"

#include "io/file.h"
#include "report/run_page.h"

#include <stdio.h>

static int run(cli *c) {
    const char *output = cli_value(c, "output");
    char *page = NULL, *store = NULL;
    truce_status status = io_join(c->context, c->arguments[0], "run.sqlite", &store);
    if (!status)
        status = output ? base_copy_text(c->context, output, &page)
                        : io_join(c->context, c->arguments[0], "report.html", &page);
    if (!status) status = report_run_page(c->context, store, page);
    int code = CLI_DONE;
    if (status)
        code = cli_fail(c, status);
    else if (c->json)
        code = cli_print_json(c, json_pack("{s:s}", "page", page));
    else if (!c->quiet)
        printf("page: %s\n", page);
    base_free(c->context, page);
    base_free(c->context, store);
    return code;
}

static const cli_option options[] = {
    {"output", 'o', CLI_VALUE, "FILE", "the page (default: RUN/report.html)"},
};

const cli_command cli_report = {
    .name = "report",
    .arguments = "RUN",
    .summary = "one HTML page of a run",
    .description =
        "Draws results, curves, weights and gradient conflicts from RUN/run.sqlite, also while a training\n"
        "goes on. The page needs no other file.",
    .example = "truce report runs/adult --output adult.html",
    .min_arguments = 1,
    .max_arguments = 1,
    .options = options,
    .n_options = BASE_COUNT(options),
    .run = run,
};
