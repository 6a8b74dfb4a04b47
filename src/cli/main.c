/*
 * truce: the command. Finds the sub-command, makes the context, and hands over.
 */
#include "cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const cli_command *const commands[] = {&cli_train,   &cli_compare, &cli_eval,    &cli_predict,
                                              &cli_inspect, &cli_report,  &cli_balance, &cli_methods};

const cli_command *cli_command_at(int i) {
    return i >= 0 && (size_t)i < BASE_COUNT(commands) ? commands[i] : NULL;
}

const cli_command *cli_command_find(const char *name) {
    for (size_t i = 0; i < BASE_COUNT(commands); i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

static const char *command_name(const void *list, int i) {
    (void)list;
    return commands[i]->name;
}

static void print_overview(FILE *file) {
    fprintf(file, "truce %s: multi-task learning without conflict\n\n", truce_version());
    for (size_t i = 0; i < BASE_COUNT(commands); i++)
        fprintf(file, "  truce %-9s %-24s %s\n", commands[i]->name, commands[i]->arguments,
                commands[i]->summary);
    fprintf(file, "\n  truce COMMAND --help      every option, with an example\n  truce --version\n");
}

static int unknown_command(const char *name) {
    const char *nearest = base_nearest_name(name, command_name, NULL, (int)BASE_COUNT(commands));
    fprintf(stderr, "truce: command '%s' is not known", name);
    if (nearest) fprintf(stderr, "; did you mean '%s'?", nearest);
    fprintf(stderr, "\nsee 'truce --help'\n");
    return CLI_USAGE;
}

/* The first Ctrl-C asks the work to stop at a safe point, the second one stops it. */
static truce_context *interrupted_context;

static void on_interrupt(int signal_number) {
    truce_context_interrupt(interrupted_context);
    signal(signal_number, SIG_DFL);
}

static int run(cli *c) {
    int64_t threads, seed;
    if (!cli_integer(c, "threads", 0, 1, 4096, &threads) || !cli_integer(c, "seed", 0, 0, INT64_MAX, &seed))
        return CLI_USAGE;
    truce_context_config config = {.log = cli_log,
                                   .log_user = c,
                                   .progress = cli_progress,
                                   .progress_user = c,
                                   .n_threads = (int)threads,
                                   .seed = (uint64_t)seed};
    truce_status status = truce_context_create(&config, &c->context);
    if (status) {
        fprintf(stderr, "truce: %s\n", truce_status_text(status));
        return CLI_FAILED;
    }
    interrupted_context = c->context;
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a failed write, told as such */
    int code = c->command->run(c);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    truce_context_destroy(c->context);
    return code;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_overview(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("truce %s\n", truce_version());
        return CLI_DONE;
    }
    bool help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0;
    if (help && argc == 2) {
        print_overview(stdout);
        return CLI_DONE;
    }
    const char *name = help ? argv[2] : argv[1];
    cli c = {.command = cli_command_find(name)};
    if (!c.command) return unknown_command(name);
    int code = help ? CLI_DONE : cli_parse(&c, argc - 2, argv + 2);
    if (code) return code;
    if (!help && !cli_has(&c, "help")) return run(&c);
    cli_help(c.command);
    return CLI_DONE;
}
