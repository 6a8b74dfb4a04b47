#include "data/summary.h"

#include "data/number.h"

#include <math.h>
#include <stdio.h>

const char *data_one_writing(const char *text, char room[BASE_REAL_BYTES]) {
    double value;
    if (!data_parse_number(text, &value)) return text;
    base_format_real(value == 0 ? 0 : value, room); /* no -0 */
    return room;
}

/* Values are looked up as they stand first, as most are written in one way. */
static truce_status note_value(truce_context *context, data_summary *summary, const char *text) {
    char room[BASE_REAL_BYTES];
    int64_t index;
    if (summary->many || base_names_find(&summary->few, text) >= 0) return TRUCE_OK;
    BASE_TRY(base_names_add(context, &summary->few, data_one_writing(text, room), &index));
    summary->many = summary->few.n > DATA_FEW;
    return TRUCE_OK;
}

truce_status data_summary_add(truce_context *context, data_summary *summary, const char *text) {
    double value;
    if (data_parse_number(text, &value)) {
        summary->n_numbers++;
        summary->fractions = summary->fractions || value != floor(value);
    } else {
        summary->n_texts++;
    }
    return note_value(context, summary, text);
}

void data_summary_free(truce_context *context, data_summary *summary) {
    base_names_free(context, &summary->few);
}

bool data_summary_is_text(const data_summary *summary) {
    return summary->n_texts > 0 && summary->n_texts >= summary->n_numbers;
}

const char *data_kind_name(truce_target_kind kind) {
    static const char *const names[] = {"regression", "binary", "classes"};
    return names[kind];
}

/* Two values are binary; few whole numbers, and texts, are classes. */
static truce_target_kind guess_kind(const data_summary *summary) {
    if (!summary->many && summary->few.n == 2) return TRUCE_TARGET_BINARY;
    if (data_summary_is_text(summary) || (summary->n_texts && !summary->many)) return TRUCE_TARGET_CLASSES;
    return summary->fractions || summary->many ? TRUCE_TARGET_REGRESSION : TRUCE_TARGET_CLASSES;
}

truce_target_kind data_choose_kind(truce_context *context, const data_task *task,
                                   const data_summary *summary) {
    switch (task->type) {
    case DATA_TASK_REGRESSION: return TRUCE_TARGET_REGRESSION;
    case DATA_TASK_BINARY: return TRUCE_TARGET_BINARY;
    case DATA_TASK_CLASSES: return TRUCE_TARGET_CLASSES;
    default: break;
    }
    truce_target_kind kind = guess_kind(summary);
    const char *what = summary->n_texts ? "values" : summary->fractions ? "numbers" : "whole numbers";
    char n[32] = "many";
    if (!summary->many) snprintf(n, sizeof n, "%zu", summary->few.n);
    base_log(context, TRUCE_LOG_INFO, "data: '%s' holds %s different %s, so task '%s' gets type: %s",
             task->target, n, what, task->name, data_kind_name(kind));
    return kind;
}
