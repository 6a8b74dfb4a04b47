/*
 * Options and help, from the tables of the commands.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option common[] = {
    {"json", 0, CLI_FLAG, NULL, "print one JSON object"},
    {"quiet", 'q', CLI_FLAG, NULL, "no progress, no remarks"},
    {"threads", 0, CLI_VALUE, "N", "worker threads (default: all processors)"},
    {"seed", 0, CLI_VALUE, "N", "seed of everything random (default: 0)"},
    {"help", 'h', CLI_FLAG, NULL, "this text"},
};

/* Options of a command, then the common ones. */
static const cli_option *option_at(const cli_command *command, int i) {
    if (i < command->n_options) return &command->options[i];
    i -= command->n_options;
    return i < (int)BASE_COUNT(common) ? &common[i] : NULL;
}

static int count_options(const cli_command *command) {
    return command->n_options + (int)BASE_COUNT(common);
}

static const char *option_name(const void *command, int i) {
    return option_at(command, i)->name;
}

static const cli_option *find_option(const cli_command *command, const char *name, size_t n) {
    for (int i = 0; i < count_options(command); i++) {
        const cli_option *option = option_at(command, i);
        if (strlen(option->name) == n && strncmp(option->name, name, n) == 0) return option;
    }
    return NULL;
}

static const cli_option *find_letter(const cli_command *command, char letter) {
    for (int i = 0; i < count_options(command); i++)
        if (option_at(command, i)->letter == letter) return option_at(command, i);
    return NULL;
}

static int unknown_option(cli *c, const char *text, const char *name) {
    const char *nearest = base_nearest_name(name, option_name, c->command, count_options(c->command));
    if (nearest) return cli_usage(c, "option '%s' is not known; did you mean '--%s'?", text, nearest);
    return cli_usage(c, "option '%s' is not known", text);
}

static int keep(cli *c, const cli_option *option, const char *value) {
    if (c->n_given == CLI_MAX_VALUES) return cli_usage(c, "more than %d options", CLI_MAX_VALUES);
    c->given[c->n_given].name = option->name;
    c->given[c->n_given++].value = value;
    return CLI_DONE;
}

/* Parses argv[*i], with its value if it has one. */
static int parse_option(cli *c, int argc, char **argv, int *i) {
    char *text = argv[*i];
    bool is_long = text[1] == '-';
    const char *name = text + (is_long ? 2 : 1), *equals = is_long ? strchr(name, '=') : NULL;
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const cli_option *option = is_long        ? find_option(c->command, name, n)
                               : name[1] == 0 ? find_letter(c->command, name[0])
                                              : NULL;
    if (!option) return unknown_option(c, text, name);
    if (option->kind == CLI_FLAG) {
        if (equals) return cli_usage(c, "option '--%s' takes no value", option->name);
        return keep(c, option, "");
    }
    if (equals) return keep(c, option, equals + 1);
    if (*i + 1 == argc) return cli_usage(c, "option '%s' needs a value: %s", text, option->value);
    return keep(c, option, argv[++*i]);
}

int cli_parse(cli *c, int argc, char **argv) {
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        int code = CLI_DONE;
        if (!options_end && strcmp(argv[i], "--") == 0)
            options_end = true;
        else if (!options_end && argv[i][0] == '-' && argv[i][1])
            code = parse_option(c, argc, argv, &i);
        else if (c->n_arguments < CLI_MAX_VALUES)
            c->arguments[c->n_arguments++] = argv[i];
        if (code) return code;
    }
    c->json = cli_has(c, "json");
    c->quiet = cli_has(c, "quiet");
    const cli_command *command = c->command;
    if (cli_has(c, "help")) return CLI_DONE;
    if (c->n_arguments < command->min_arguments) return cli_usage(c, "give %s", command->arguments);
    if (command->max_arguments >= 0 && c->n_arguments > command->max_arguments)
        return cli_usage(c, "'%s' is one argument too many", c->arguments[command->max_arguments]);
    return CLI_DONE;
}

const char *cli_value_at(const cli *c, const char *name, int i) {
    for (int k = 0; k < c->n_given; k++)
        if (strcmp(c->given[k].name, name) == 0 && i-- == 0) return c->given[k].value;
    return NULL;
}

const char *cli_value(const cli *c, const char *name) {
    for (int k = c->n_given - 1; k >= 0; k--)
        if (strcmp(c->given[k].name, name) == 0) return c->given[k].value;
    return NULL;
}

bool cli_has(const cli *c, const char *name) {
    return cli_value(c, name) != NULL;
}

bool cli_integer(const cli *c, const char *name, int64_t fallback, int64_t low, int64_t high, int64_t *out) {
    const char *text = cli_value(c, name);
    *out = fallback;
    if (!text) return true;
    if (base_parse_integer(text, out) && *out >= low && *out <= high) return true;
    cli_usage(c, "option '--%s' takes a whole number from %lld to %lld, not '%s'", name, (long long)low,
              (long long)high, text);
    return false;
}

bool cli_item(const char *list, int i, char *item, size_t bytes) {
    for (; i > 0; i--) {
        list = strchr(list, ',');
        if (!list) return false;
        list++;
    }
    size_t n = BASE_MIN(strcspn(list, ","), bytes - 1);
    memcpy(item, list, n);
    item[n] = 0;
    return n > 0;
}

static void print_option(const cli_option *option) {
    char left[64], letter[8] = "    ";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
             option->value ? option->value : "");
    printf("  %-26s %s\n", left, option->help);
}

void cli_help(const cli_command *command) {
    printf("truce %s %s\n\n%s\n\n%s\n\noptions:\n", command->name, command->arguments, command->summary,
           command->description);
    for (int i = 0; i < count_options(command); i++) print_option(option_at(command, i));
    printf("\nexample:\n  %s\n", command->example);
}
