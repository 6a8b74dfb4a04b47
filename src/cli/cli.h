/*
 * The command: each sub-command is one file that parses its options, calls the library, and prints.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/text.h"
#include "truce/base.h"

#include <jansson.h>
#include <stdbool.h>

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

typedef enum cli_option_kind {
    CLI_FLAG,   /* --json */
    CLI_VALUE,  /* --out DIR; the last one counts */
    CLI_VALUES, /* --set KEY=VALUE, as often as wanted */
} cli_option_kind;

typedef struct cli_option {
    const char *name; /* without dashes */
    char letter;      /* -o, or 0 */
    cli_option_kind kind;
    const char *value; /* what --help calls the value */
    const char *help;
} cli_option;

struct cli;

typedef struct cli_command {
    const char *name, *arguments, *summary, *description, *example;
    int min_arguments, max_arguments; /* max -1: any number */
    const cli_option *options;
    int n_options;
    bool terse;                  /* remarks of the library are not shown: they repeat those of the training */
    int (*run)(struct cli *cli); /* exit code */
} cli_command;

#define CLI_MAX_VALUES 256

/* One invocation: what was parsed, and the context to work with. */
typedef struct cli {
    const cli_command *command;
    truce_context *context;
    const char *arguments[CLI_MAX_VALUES];
    int n_arguments;
    struct {
        const char *name, *value;
    } given[CLI_MAX_VALUES];
    int n_given;
    bool json, quiet;
} cli;

extern const cli_command cli_balance, cli_train, cli_eval, cli_predict, cli_compare, cli_inspect, cli_methods,
    cli_report;

/* The command of that name, or NULL; the i-th, NULL past the end. */
const cli_command *cli_command_find(const char *name);
const cli_command *cli_command_at(int i);

/* Parses argv (without program and command name). CLI_DONE, or CLI_USAGE after a sentence on stderr. */
int cli_parse(cli *cli, int argc, char **argv);

/* The last value of an option, or NULL; the i-th of a repeated one, or NULL. */
const char *cli_value(const cli *cli, const char *name);
const char *cli_value_at(const cli *cli, const char *name, int i);
bool cli_has(const cli *cli, const char *name);

/* A whole number in low .. high, or `fallback` where the option is absent; false after a sentence on stderr.
 */
bool cli_integer(const cli *cli, const char *name, int64_t fallback, int64_t low, int64_t high, int64_t *out);

/* The i-th item of a comma-separated value; false past the end. */
bool cli_item(const char *list, int i, char *item, size_t bytes);

void cli_help(const cli_command *command);

/* Says what is wrong with the call, and where help is; returns CLI_USAGE. */
int cli_usage(const cli *cli, const char *format, ...) BASE_PRINTF(2, 3);

/* Says why the library failed; returns CLI_USAGE for mistakes in what was asked for, else CLI_FAILED. */
int cli_fail(const cli *cli, truce_status status);

/* Prints a JSON object as the answer and releases it; NaN becomes null. Returns the exit code. */
int cli_print_json(cli *cli, json_t *object);

/* A number, or null for NaN and infinity. */
json_t *cli_json_real(double value);

/* Receivers of the context's log and progress, on stderr. */
void cli_log(void *user, truce_log_level level, const char *line);
void cli_progress(void *user, const truce_progress *progress);

/* Whether stdout shows colours and box characters. */
bool cli_is_terminal(void);

#endif
