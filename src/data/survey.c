/* The first reading of a table: what its columns hold, which decides how they are loaded. */
#include "data/reader.h"

#include <string.h>

#define ROWS_PER_LOOK 4096 /* between looks at whether somebody wants to stop */

static truce_status note_field(data_reader *reader, data_summary *summary, const char *text) {
    if (!data_reader_is_missing(reader, text)) return data_summary_add(reader->context, summary, text);
    summary->n_missing++;
    return TRUCE_OK;
}

/* The columns of this file in the order of the first one's, which must all be there; -1 for one not wanted.
 */
static truce_status find_columns(const data_reader *reader, const base_names *names, const bool *wants,
                                 int64_t *places) {
    for (size_t i = 0; i < names->n; i++) {
        places[i] = wants[i] ? base_names_find(&reader->names, names->names[i]) : -1;
        if (wants[i] && places[i] < 0)
            return base_fail(reader->context, TRUCE_ERROR_DATA, "%s has no column '%s'", reader->path,
                             names->names[i]);
    }
    return TRUCE_OK;
}

static truce_status survey_rows(data_reader *reader, data_survey *survey, const int64_t *places) {
    bool more = true;
    for (int64_t row = 0;; row++) {
        if (row % ROWS_PER_LOOK == 0) BASE_TRY(base_check_interrupt(reader->context));
        BASE_TRY(data_reader_next(reader, &more));
        if (!more) return TRUCE_OK;
        for (size_t i = 0; i < survey->names.n; i++)
            if (places[i] >= 0) BASE_TRY(note_field(reader, &survey->columns[i], reader->fields[places[i]]));
    }
}

static truce_status copy_names(truce_context *context, const base_names *from, base_names *to) {
    for (size_t i = 0; i < from->n; i++) {
        int64_t index;
        BASE_TRY(base_names_add(context, to, from->names[i], &index));
    }
    return TRUCE_OK;
}

/* Work on one survey: whose columns are wanted is known after the first header. */
typedef struct survey_work {
    data_survey survey;
    bool *wants;
    int64_t *places;
    data_wants_fn wanted;
    void *user;
} survey_work;

static truce_status begin_survey(data_reader *reader, survey_work *work) {
    truce_context *context = reader->context;
    data_survey *survey = &work->survey;
    size_t n = reader->names.n;
    BASE_TRY(base_alloc(context, n, sizeof *survey->columns, &survey->columns));
    BASE_TRY(base_alloc(context, n, sizeof *work->wants, &work->wants));
    BASE_TRY(base_alloc(context, n, sizeof *work->places, &work->places));
    BASE_TRY(copy_names(context, &reader->names, &survey->names));
    return work->wanted(work->user, &survey->names, work->wants);
}

static truce_status survey_file(truce_context *context, const data_dialect *dialect, const char *path,
                                survey_work *work) {
    data_reader reader;
    BASE_TRY(data_reader_open(context, dialect, path, &reader));
    truce_status status = work->survey.columns ? TRUCE_OK : begin_survey(&reader, work);
    if (!status) status = find_columns(&reader, &work->survey.names, work->wants, work->places);
    if (!status) status = survey_rows(&reader, &work->survey, work->places);
    data_reader_close(&reader);
    return status;
}

truce_status data_table_survey(truce_context *context, const data_dialect *dialect, const data_texts *paths,
                               data_wants_fn wanted, void *user, data_survey *out) {
    survey_work work = {.wanted = wanted, .user = user};
    truce_status status = TRUCE_OK;
    for (int i = 0; i < paths->n && !status; i++)
        status = survey_file(context, dialect, paths->items[i], &work);
    base_free(context, work.places);
    base_free(context, work.wants);
    if (status)
        data_survey_free(context, &work.survey);
    else
        *out = work.survey;
    return status;
}

void data_survey_free(truce_context *context, data_survey *survey) {
    for (size_t i = 0; survey->columns && i < survey->names.n; i++)
        data_summary_free(context, &survey->columns[i]);
    base_free(context, survey->columns);
    base_names_free(context, &survey->names);
    *survey = (data_survey){0};
}
