/*
 * truce methods: everything that can be named in a recipe, with references, options and defaults.
 */
#include "cli/results.h"

#include "model/trunk.h"
#include "train/metrics.h"
#include "truce/balance.h"
#include "truce/optim.h"

#include <stdio.h>
#include <string.h>

/* What all kinds of methods have in common. */
typedef struct entry {
    const char *name, *title, *reference, *summary;
    char needs[160];
    const truce_option *options;
    int n_options;
} entry;

typedef struct kind {
    const char *name, *what;
    bool (*at)(int i, entry *out);
} kind;

static void describe_bits(unsigned bits, const char *const *names, int n, char text[160]) {
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < n; i++)
        if (bits >> i & 1u)
            used += (size_t)snprintf(text + used, 160 - used, "%s%s", used ? ", " : "", names[i]);
}

static bool balancer_at(int i, entry *out) {
    static const char *const needs[] = {"losses",       "Gramian",      "Jacobian",       "cross Gramian",
                                        "losses after", "epoch losses", "validation pass"};
    const truce_method *m = truce_method_at(i);
    if (!m) return false;
    *out = (entry){m->name, m->title, m->reference, m->summary, "", m->options, m->n_options};
    describe_bits(m->needs, needs, (int)BASE_COUNT(needs), out->needs);
    return true;
}

static bool optimizer_at(int i, entry *out) {
    const truce_optimizer_method *m = truce_optimizer_method_at(i);
    if (!m) return false;
    *out = (entry){m->name, m->title, m->reference, m->summary, "", m->options, m->n_options};
    return true;
}

static bool trunk_at(int i, entry *out) {
    const model_trunk *m = model_trunk_at(i);
    if (!m) return false;
    *out = (entry){m->name, m->title, m->reference, m->summary, "", m->options, m->n_options};
    snprintf(out->needs, sizeof out->needs, "%s", m->takes == MODEL_IMAGES ? "pictures" : "rows of numbers");
    return true;
}

static bool metric_at(int i, entry *out) {
    static const char *const kinds[] = {"regression", "binary", "classes"};
    const train_metric *m = train_metric_at(i);
    if (!m) return false;
    *out = (entry){m->name, m->help, "", m->higher_is_better ? "higher is better" : "lower is better",
                   "",      NULL,    0};
    describe_bits(m->kinds, kinds, (int)BASE_COUNT(kinds), out->needs);
    return true;
}

static const kind kinds[] = {
    {"balancers", "settling the conflict between task gradients (train.balancer)", balancer_at},
    {"optimizers", "update rules (train.optimizer)", optimizer_at},
    {"trunks", "shared networks (model.trunk)", trunk_at},
    {"metrics", "how good predictions are (tasks.NAME.metrics)", metric_at},
};

static const char *kind_name(const void *list, int i) {
    (void)list;
    return kinds[i].name;
}

/* ---- JSON -------------------------------------------------------------------------------------------- */

static json_t *json_option(const truce_option *o) {
    static const char *const names[] = {"real", "integer", "switch", "choice", "text", "reals", "integers"};
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s}", "name", o->name, "kind", names[o->kind], "default",
                     o->fallback, "choices", o->choices, "help", o->help);
}

static json_t *json_entry(const entry *e) {
    json_t *options = json_array();
    for (int i = 0; i < e->n_options; i++) json_array_append_new(options, json_option(&e->options[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "name", e->name, "title", e->title, "reference",
                     e->reference, "summary", e->summary, "needs", e->needs, "options", options);
}

static json_t *json_kinds(const char *only) {
    json_t *object = json_object();
    for (size_t k = 0; k < BASE_COUNT(kinds); k++) {
        entry e;
        json_t *list = json_array();
        if (only && strcmp(only, kinds[k].name) != 0) {
            json_decref(list);
            continue;
        }
        for (int i = 0; kinds[k].at(i, &e); i++) json_array_append_new(list, json_entry(&e));
        json_object_set_new(object, kinds[k].name, list);
    }
    return object;
}

/* ---- text -------------------------------------------------------------------------------------------- */

static void print_entry(const entry *e) {
    printf("%s: %s\n  %s\n", e->name, e->title, e->summary);
    if (e->reference[0]) printf("  %s\n", e->reference);
    if (e->needs[0]) printf("  needs: %s\n", e->needs);
    for (int i = 0; i < e->n_options; i++) {
        const truce_option *o = &e->options[i];
        printf("    %-16s %s%s%s%s (default: %s)\n", o->name, o->help, o->choices ? " [" : "",
               o->choices ? o->choices : "", o->choices ? "]" : "", o->fallback ? o->fallback : "none");
    }
}

static truce_status print_kind(cli *c, const kind *k) {
    static const report_column columns[] = {
        {.header = "name"}, {.header = "what"}, {.header = "needs"}, {.header = "reference"}};
    report_table *table = NULL;
    entry e;
    printf("%s: %s\n\n", k->name, k->what);
    BASE_TRY(report_table_create(c->context, columns, (int)BASE_COUNT(columns), &table));
    for (int i = 0; k->at(i, &e); i++) {
        report_table_row(table);
        report_table_text(table, e.name);
        report_table_text(table, e.title);
        report_table_text(table, e.needs);
        report_table_text(table, e.reference);
    }
    truce_status status = cli_print_table(c, table);
    report_table_destroy(table);
    return status;
}

static bool print_named(const char *name) {
    bool found = false;
    entry e;
    for (size_t k = 0; k < BASE_COUNT(kinds); k++)
        for (int i = 0; kinds[k].at(i, &e); i++)
            if (strcmp(e.name, name) == 0) {
                print_entry(&e);
                found = true;
            }
    return found;
}

static int run(cli *c) {
    const char *only = c->n_arguments ? c->arguments[0] : NULL;
    bool known = !only;
    for (size_t k = 0; k < BASE_COUNT(kinds); k++) known = known || strcmp(kinds[k].name, only) == 0;
    if (known && c->json) return cli_print_json(c, json_kinds(only));
    if (!known && !c->json && print_named(only)) return CLI_DONE;
    if (!known) {
        truce_status status =
            base_fail_name(c->context, "kind or method", only, kind_name, NULL, (int)BASE_COUNT(kinds));
        return cli_fail(c, status);
    }
    for (size_t k = 0; k < BASE_COUNT(kinds); k++) {
        if (only && strcmp(kinds[k].name, only) != 0) continue;
        truce_status status = print_kind(c, &kinds[k]);
        if (status) return cli_fail(c, status);
        if (!only) printf("\n");
    }
    return CLI_DONE;
}

const cli_command cli_methods = {
    .name = "methods",
    .arguments = "[KIND | NAME]",
    .summary = "every method with reference and options",
    .description =
        "Without an argument lists all kinds: balancers, optimizers, trunks, metrics. With a kind lists its\n"
        "methods; with the name of one method shows its options and defaults.",
    .example = "truce methods cagrad",
    .max_arguments = 1,
    .run = run,
};
