/*
 * What the command says: answers on stdout, remarks, progress and errors on stderr.
 */
#include "cli/cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECONDS_BETWEEN_LINES 10

bool cli_is_terminal(void) {
    return isatty(STDOUT_FILENO);
}

int cli_usage(const cli *c, const char *format, ...) {
    char text[BASE_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "truce %s: %s\nsee 'truce %s --help'\n", c->command->name, text, c->command->name);
    return CLI_USAGE;
}

static bool is_usage(truce_status status) {
    return status == TRUCE_ERROR_NAME || status == TRUCE_ERROR_ARGUMENT || status == TRUCE_ERROR_TYPE ||
           status == TRUCE_ERROR_RANGE;
}

int cli_fail(const cli *c, truce_status status) {
    const char *message = truce_context_message(c->context);
    if (!message[0]) message = truce_status_text(status);
    fprintf(stderr, "truce %s: %s\n", c->command->name, message);
    if (c->json) {
        json_t *object =
            json_pack("{s: {s: s, s: s}}", "error", "status", truce_status_name(status), "message", message);
        if (object) json_dumpf(object, stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(object);
    }
    return is_usage(status) ? CLI_USAGE : CLI_FAILED;
}

int cli_print_json(cli *c, json_t *object) {
    int written = object ? json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : -1;
    json_decref(object);
    if (written == 0) printf("\n");
    if (written == 0 && fflush(stdout) == 0) return CLI_DONE;
    fprintf(stderr, "truce %s: the answer could not be written\n", c->command->name);
    return CLI_FAILED;
}

json_t *cli_json_real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

void cli_log(void *user, truce_log_level level, const char *line) {
    const cli *c = user;
    if (level == TRUCE_LOG_DEBUG) return;
    if (level == TRUCE_LOG_INFO && (c->quiet || c->command->terse)) return;
    fprintf(stderr, "%s%s\n", level == TRUCE_LOG_WARNING ? "warning: " : "", line);
}

/* "1:05", "2:03:10" */
static void format_seconds(double seconds, char *text, size_t bytes) {
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, bytes, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, bytes, "%ld:%02ld", s / 60, s % 60);
}

static void print_progress(const truce_progress *p, const char *end) {
    double rate = p->seconds > 0 ? (double)p->done / p->seconds : 0;
    char left[32] = "", spent[32];
    format_seconds(p->seconds, spent, sizeof spent);
    if (rate > 0 && p->total > p->done) {
        strcpy(left, ", ");
        format_seconds((double)(p->total - p->done) / rate, left + 2, sizeof left - 8);
        strcat(left, " left");
    }
    fprintf(stderr, "%s: %lld", p->what, (long long)p->done);
    if (p->total) fprintf(stderr, "/%lld", (long long)p->total);
    fprintf(stderr, " %ss, %.4g/s, %s%s", p->unit, rate, spent, left);
    if (p->note[0]) fprintf(stderr, "; %s", p->note);
    fprintf(stderr, "%s", end);
}

void cli_progress(void *user, const truce_progress *p) {
    static double last;
    const cli *c = user;
    bool ended = p->total > 0 && p->done == p->total;
    if (c->quiet) return;
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K");
        print_progress(p, ended ? "\n" : "");
        return;
    }
    if (p->seconds < last) last = 0;
    if (!ended && p->seconds - last < SECONDS_BETWEEN_LINES) return;
    last = ended ? 0 : p->seconds;
    print_progress(p, "\n");
}
