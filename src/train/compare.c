/*
 * Comparing methods: the same data, model and settings, several seeds, and each task alone for reference.
 *
 * Trainings are independent, so they run side by side, each with one thread in a context of its own; results
 * do not depend on how many run at once. A finished training is written to the record at once.
 */
#include "base/progress.h"
#include "base/team.h"
#include "io/file.h"
#include "train/score.h"
#include "train/trainer.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* A metric that counts for deltas and ranks. */
typedef struct counted_metric {
    int task;
    const train_metric *metric;
} counted_metric;

struct truce_comparison {
    truce_context *context;
    truce_recipe *recipe;
    data_source *source;
    char **methods; /* [n_methods] */
    int n_methods, n_seeds, n_tasks;
    int64_t first_seed;
    truce_compare_entry *entries; /* methods x seeds, then single x seeds */
    truce_task_result *results;   /* [n_entries][n_tasks] */
    int n_entries;
    counted_metric *metrics;
    int n_metrics;
    io_store *store;  /* NULL: no record is kept */
    int64_t *run_ids; /* [n_entries] in the record; 0 for tasks alone */
};

/* One training to be done. */
typedef struct job {
    truce_compare_entry *entry;
    truce_task_result *results;
    const char *method; /* NULL: the task alone */
    int task;
    int64_t reported; /* steps that progress knows of */
} job;

typedef struct work {
    truce_comparison *comparison;
    job *jobs;
    int n_jobs;
    pthread_mutex_t lock; /* of what is below, and of the entries' sums */
    base_progress progress;
    int64_t n_done, n_steps;
    truce_status status; /* of the record */
} work;

/* ---- what to compare --------------------------------------------------------------------------------- */

static truce_status add_method(truce_comparison *c, const char *name) {
    if (!truce_method_find(name)) {
        truce_balancer *unused = NULL;
        return truce_balancer_create(c->context, name, 1, &unused); /* fails, with the nearest name */
    }
    for (int i = 0; i < c->n_methods; i++)
        if (strcmp(c->methods[i], name) == 0) return TRUCE_OK;
    size_t capacity = (size_t)c->n_methods;
    BASE_TRY(base_resize(c->context, &c->methods, capacity + 1, sizeof *c->methods));
    BASE_TRY(base_copy_text(c->context, name, &c->methods[c->n_methods]));
    c->n_methods++;
    return TRUCE_OK;
}

static truce_status add_listed_methods(truce_comparison *c, const io_yaml *list) {
    for (int i = 0; i < list->n_items; i++) {
        truce_status status = add_method(c, list->items[i]->text);
        if (status) return io_yaml_fail_at(c->context, list->items[i], status);
    }
    return TRUCE_OK;
}

static truce_status choose_methods(truce_comparison *c, const truce_compare_config *config, const char *own) {
    const io_yaml *section = train_section(c->recipe, "compare"), *list = io_yaml_get(section, "methods");
    for (int i = 0; i < config->n_methods; i++) BASE_TRY(add_method(c, config->methods[i]));
    if (config->n_methods) return TRUCE_OK;
    if (list && list->kind == IO_YAML_LIST) return add_listed_methods(c, list);
    BASE_TRY(add_method(c, "sum"));
    return add_method(c, own);
}

typedef struct compare_settings {
    int64_t seeds;
} compare_settings;

static const truce_option compare_rows[] = {
    {"seeds", TRUCE_OPTION_INTEGER, "3", NULL, 1, 10000, "trainings per method, with different seeds",
     offsetof(compare_settings, seeds)},
};
static const base_options compare_options = {"section 'compare'", compare_rows, BASE_COUNT(compare_rows)};

static truce_status choose_seeds(truce_comparison *c, const truce_compare_config *config, int64_t own) {
    static const char *const others[] = {"methods", NULL};
    compare_settings settings;
    BASE_TRY(io_yaml_options(c->context, train_section(c->recipe, "compare"), &compare_options, others,
                             &settings));
    c->n_seeds = config->n_seeds > 0 ? config->n_seeds : (int)settings.seeds;
    c->first_seed = own != TRAIN_SEED_UNSET ? own : (int64_t)truce_context_seed(c->context);
    return TRUCE_OK;
}

/* ---- which metrics count ----------------------------------------------------------------------------- */

static truce_status choose_metrics(truce_comparison *c) {
    for (int task = 0; task < c->n_tasks; task++) {
        const train_metric *metrics[TRUCE_MAX_METRICS];
        int n = 0;
        const truce_target *target = truce_dataset_target(c->source->dataset, task);
        BASE_TRY(train_counted_metrics(c->context, c->recipe, target, metrics, &n));
        BASE_TRY(base_resize(c->context, &c->metrics, (size_t)(c->n_metrics + n), sizeof *c->metrics));
        for (int i = 0; i < n; i++) c->metrics[c->n_metrics++] = (counted_metric){task, metrics[i]};
    }
    return TRUCE_OK;
}

static double metric_value(const truce_compare_entry *entry, const counted_metric *counted) {
    const truce_task_result *result = &entry->results[counted->task];
    for (int i = 0; i < result->n_metrics; i++)
        if (strcmp(result->metrics[i].name, counted->metric->name) == 0) return result->metrics[i].value;
    return NAN;
}

/* ---- one training ------------------------------------------------------------------------------------ */

typedef struct relay {
    work *work;
    job *job;
    truce_context *context;
} relay;

/* A training's progress becomes part of the whole's, and the wish to stop comes back the other way. */
static void relay_progress(void *user, const truce_progress *progress) {
    relay *r = user;
    work *w = r->work;
    char note[96];
    pthread_mutex_lock(&w->lock);
    w->n_steps += progress->done - r->job->reported;
    r->job->reported = progress->done;
    snprintf(note, sizeof note, "%lld of %d trainings done", (long long)w->n_done, w->n_jobs);
    base_progress_to(&w->progress, BASE_MIN(w->n_steps, w->progress.state.total), note);
    pthread_mutex_unlock(&w->lock);
    if (base_check_interrupt(w->comparison->context)) truce_context_interrupt(r->context);
}

static truce_status add_test_metrics(truce_trainer *t, const truce_task_result *results) {
    for (int i = 0; i < t->model->n_tasks; i++)
        for (int k = 0; k < results[i].n_metrics; k++) {
            train_record r = {.step = t->step,
                              .epoch = t->best.epoch,
                              .split = "test",
                              .task = results[i].task,
                              .name = results[i].metrics[k].name,
                              .value = results[i].metrics[k].value};
            BASE_TRY(train_history_add(t->context, &t->history, &r));
        }
    return TRUCE_OK;
}

/* Writes a finished training; called under the lock. */
static truce_status write_record(work *w, const job *j, truce_trainer *t, truce_status trained) {
    truce_comparison *c = w->comparison;
    char status[BASE_MESSAGE_BYTES + 16] = "done";
    if (!c->store || !t) return TRUCE_OK;
    if (trained) snprintf(status, sizeof status, "failed: %s", truce_context_message(t->context));
    io_run run = {.name = t->what,
                  .kind = j->method ? "train" : "single",
                  .method = j->method ? j->method : t->model->tasks[0].info->name,
                  .seed = j->entry->seed};
    int64_t id = 0;
    BASE_TRY(io_store_begin_run(c->store, &run, &id));
    if (j->method) {
        c->run_ids[j->entry - c->entries] = id;
        BASE_TRY(train_record_notes(t, c->source, c->store, id));
    }
    BASE_TRY(train_history_store(&t->history, c->store, id));
    return io_store_end_run(c->store, id, status);
}

static truce_status train_one(work *w, job *j, truce_context *context, truce_trainer **out) {
    truce_comparison *c = w->comparison;
    train_config config = {.recipe = c->recipe,
                           .dataset = c->source->dataset,
                           .targets = j->method ? NULL : &j->task,
                           .n_targets = 1,
                           .balancer = j->method ? j->method : "sum",
                           .seed = j->entry->seed};
    BASE_TRY(train_create(context, &config, out));
    BASE_TRY(train_loop(*out, NULL));
    BASE_TRY(truce_trainer_evaluate(*out, TRUCE_TEST, j->results));
    return add_test_metrics(*out, j->results);
}

static void keep_failure(work *w, job *j, truce_context *context) {
    char *copy = NULL;
    if (j->entry->failure || base_copy_text(w->comparison->context, truce_context_message(context), &copy))
        return;
    j->entry->failure = copy;
}

static void finish(work *w, job *j, truce_context *context, truce_trainer *t, truce_status status) {
    pthread_mutex_lock(&w->lock);
    truce_status written = write_record(w, j, t, status);
    if (written && !w->status) w->status = written;
    if (status) keep_failure(w, j, context);
    if (t && t->step > 0) {
        double share = j->method ? 1 : 1.0 / w->comparison->n_tasks;
        j->entry->seconds_per_step += share * t->step_seconds / (double)t->step;
        j->entry->best_epoch = BASE_MAX(j->entry->best_epoch, t->best.epoch + 1);
    }
    w->n_done++;
    pthread_mutex_unlock(&w->lock);
}

static void run_job(void *arg, int64_t begin, int64_t end, int worker) {
    work *w = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        job *j = &w->jobs[i];
        relay r = {.work = w, .job = j};
        truce_context *parent = w->comparison->context;
        truce_trainer *t = NULL;
        truce_context_config config = {.allocate = parent->allocate,
                                       .allocate_user = parent->allocate_user,
                                       .progress = relay_progress,
                                       .progress_user = &r,
                                       .n_threads = 1};
        truce_status status = truce_context_create(&config, &r.context);
        if (status) {
            w->status = status;
            return;
        }
        status = base_check_interrupt(parent);
        if (!status) status = train_one(w, j, r.context, &t);
        finish(w, j, r.context, t, status);
        truce_trainer_destroy(t);
        truce_context_destroy(r.context);
    }
}

/* ---- all of them ------------------------------------------------------------------------------------- */

static truce_status plan_jobs(work *w) {
    truce_comparison *c = w->comparison;
    int n_method_jobs = c->n_methods * c->n_seeds;
    w->n_jobs = n_method_jobs + c->n_seeds * c->n_tasks;
    BASE_TRY(base_alloc(c->context, (size_t)w->n_jobs, sizeof *w->jobs, &w->jobs));
    for (int i = 0; i < n_method_jobs; i++)
        w->jobs[i] = (job){.entry = &c->entries[i],
                           .results = c->results + i * c->n_tasks,
                           .method = c->methods[i / c->n_seeds]};
    for (int i = 0; i < c->n_seeds * c->n_tasks; i++) {
        int entry = n_method_jobs + i / c->n_tasks, task = i % c->n_tasks;
        w->jobs[n_method_jobs + i] = (job){
            .entry = &c->entries[entry], .results = c->results + entry * c->n_tasks + task, .task = task};
    }
    return TRUCE_OK;
}

static truce_status allocate_entries(truce_comparison *c) {
    c->n_entries = (c->n_methods + 1) * c->n_seeds;
    size_t n = (size_t)c->n_entries;
    BASE_TRY(base_alloc(c->context, n, sizeof *c->entries, &c->entries));
    BASE_TRY(base_alloc(c->context, n * (size_t)c->n_tasks, sizeof *c->results, &c->results));
    BASE_TRY(base_alloc(c->context, n, sizeof *c->run_ids, &c->run_ids));
    for (int i = 0; i < c->n_entries; i++) {
        int method = i / c->n_seeds;
        c->entries[i] = (truce_compare_entry){.method = method < c->n_methods ? c->methods[method] : "single",
                                              .seed = c->first_seed + i % c->n_seeds,
                                              .results = c->results + i * c->n_tasks,
                                              .delta_m = NAN,
                                              .delta_p = NAN,
                                              .mean_rank = NAN};
        for (int t = 0; t < c->n_tasks; t++)
            c->results[i * c->n_tasks + t].task = truce_dataset_target(c->source->dataset, t)->name;
    }
    return TRUCE_OK;
}

static truce_status open_record(truce_comparison *c, const char *folder, io_store **out) {
    char *path = NULL;
    BASE_TRY(io_make_folders(c->context, folder));
    BASE_TRY(io_join(c->context, folder, "run.sqlite", &path));
    truce_status status = io_store_open(c->context, path, IO_STORE_FRESH, out);
    base_free(c->context, path);
    return status;
}

static truce_status run_jobs(truce_comparison *c, const train_settings *s) {
    work w = {.comparison = c};
    int64_t n_rows = 0;
    truce_dataset_split_rows(c->source->dataset, TRUCE_TRAIN, &n_rows);
    int64_t n_steps = (n_rows + s->batch - 1) / s->batch * s->epochs;
    truce_status status = plan_jobs(&w);
    if (!status) {
        pthread_mutex_init(&w.lock, NULL);
        w.progress = base_progress_begin(c->context, "comparing", "step", n_steps * w.n_jobs);
        base_parallel(c->context->team, w.n_jobs, 1, run_job, &w);
        status = base_check_interrupt(c->context);
        if (!status) base_progress_end(&w.progress, "");
        pthread_mutex_destroy(&w.lock);
        if (!status) status = w.status;
    }
    base_free(c->context, w.jobs);
    return status;
}

/* ---- scores ------------------------------------------------------------------------------------------ */

/* The single-task value of a metric: the mean over seeds. */
static double base_value(const truce_comparison *c, const counted_metric *counted) {
    double sum = 0;
    for (int s = 0; s < c->n_seeds; s++)
        sum += metric_value(&c->entries[c->n_methods * c->n_seeds + s], counted);
    return sum / c->n_seeds;
}

static truce_status score_deltas(truce_comparison *c) {
    train_score_entry *scores = NULL;
    BASE_TRY(base_alloc(c->context, (size_t)c->n_metrics, sizeof *scores, &scores));
    for (int i = 0; i < c->n_methods * c->n_seeds; i++) {
        for (int k = 0; k < c->n_metrics; k++)
            scores[k] = (train_score_entry){.task = c->metrics[k].task,
                                            .higher_is_better = c->metrics[k].metric->higher_is_better,
                                            .base = base_value(c, &c->metrics[k]),
                                            .value = metric_value(&c->entries[i], &c->metrics[k])};
        c->entries[i].delta_m = train_delta_m(scores, c->n_metrics);
        c->entries[i].delta_p = train_delta_p(scores, c->n_metrics);
    }
    base_free(c->context, scores);
    return TRUCE_OK;
}

/* Ranks among the methods of one seed. */
static truce_status score_ranks(truce_comparison *c) {
    size_t n_methods = (size_t)c->n_methods, n_metrics = (size_t)c->n_metrics;
    double *values = NULL, *ranks = NULL;
    bool *higher = NULL;
    truce_status status = base_alloc(c->context, n_methods * n_metrics, sizeof *values, &values);
    if (!status) status = base_alloc(c->context, n_methods, sizeof *ranks, &ranks);
    if (!status) status = base_alloc(c->context, n_metrics, sizeof *higher, &higher);
    for (int k = 0; k < c->n_metrics && !status; k++) higher[k] = c->metrics[k].metric->higher_is_better;
    for (int s = 0; s < c->n_seeds && !status; s++) {
        for (int m = 0; m < c->n_methods; m++)
            for (int k = 0; k < c->n_metrics; k++)
                values[m * c->n_metrics + k] = metric_value(&c->entries[m * c->n_seeds + s], &c->metrics[k]);
        status = train_mean_ranks(c->context, c->n_methods, c->n_metrics, values, higher, ranks);
        for (int m = 0; m < c->n_methods && !status; m++) c->entries[m * c->n_seeds + s].mean_rank = ranks[m];
    }
    base_free(c->context, higher);
    base_free(c->context, ranks);
    base_free(c->context, values);
    return status;
}

static truce_status record_score(truce_comparison *c, int entry, const char *name, double value) {
    io_scalar scalar = {.split = "test", .task = "", .name = name, .value = value};
    return io_store_add_scalar(c->store, c->run_ids[entry], &scalar);
}

static truce_status record_scores(truce_comparison *c) {
    if (!c->store) return TRUCE_OK;
    for (int i = 0; i < c->n_methods * c->n_seeds; i++) {
        if (c->run_ids[i] == 0) continue;
        BASE_TRY(record_score(c, i, "delta_m", c->entries[i].delta_m));
        BASE_TRY(record_score(c, i, "delta_p", c->entries[i].delta_p));
        BASE_TRY(record_score(c, i, "mean_rank", c->entries[i].mean_rank));
        BASE_TRY(record_score(c, i, "seconds_per_step", c->entries[i].seconds_per_step));
    }
    return io_store_flush(c->store);
}

/* ---- the whole --------------------------------------------------------------------------------------- */

static truce_status check_test_rows(const truce_comparison *c) {
    int64_t n = 0;
    truce_dataset_split_rows(c->source->dataset, TRUCE_TEST, &n);
    if (n > 0) return TRUCE_OK;
    return base_fail(
        c->context, TRUCE_ERROR_DATA,
        "methods are compared on test rows, but there are none; give data.test a file or a share");
}

static truce_status compare(truce_comparison *c, const truce_compare_config *config) {
    train_settings settings;
    data_request request = {.recipe = io_yaml_root(c->recipe->document),
                            .path = c->recipe->path,
                            .other_task_keys = train_task_keys};
    BASE_TRY(train_settings_read(c->context, c->recipe, &settings));
    BASE_TRY(choose_methods(c, config, settings.balancer));
    BASE_TRY(choose_seeds(c, config, settings.seed));
    BASE_TRY(data_source_open(c->context, &request, &c->source));
    c->n_tasks = truce_dataset_targets(c->source->dataset);
    BASE_TRY(check_test_rows(c));
    BASE_TRY(choose_metrics(c));
    BASE_TRY(allocate_entries(c));
    if (config->folder) BASE_TRY(open_record(c, config->folder, &c->store));
    BASE_TRY(run_jobs(c, &settings));
    BASE_TRY(score_deltas(c));
    BASE_TRY(score_ranks(c));
    return record_scores(c);
}

truce_status truce_compare(truce_context *context, truce_recipe *recipe, const truce_compare_config *config,
                           truce_comparison **out) {
    truce_comparison *c = NULL;
    BASE_TRY(base_alloc(context, 1, sizeof *c, &c));
    c->context = context;
    c->recipe = recipe;
    truce_status status = compare(c, config), closed = io_store_close(c->store);
    c->store = NULL;
    if (!status) status = closed;
    if (status) {
        truce_comparison_destroy(c);
        return status;
    }
    *out = c;
    return TRUCE_OK;
}

void truce_comparison_destroy(truce_comparison *c) {
    if (!c) return;
    truce_context *context = c->context;
    for (int i = 0; i < c->n_entries; i++) base_free(context, (void *)c->entries[i].failure);
    base_free(context, c->run_ids);
    base_free(context, c->metrics);
    base_free(context, c->results);
    base_free(context, c->entries);
    for (int i = 0; i < c->n_methods; i++) base_free(context, c->methods[i]);
    base_free(context, c->methods);
    data_source_destroy(c->source);
    base_free(context, c);
}

int truce_comparison_tasks(const truce_comparison *c) {
    return c->n_tasks;
}

int truce_comparison_count(const truce_comparison *c) {
    return c->n_entries;
}

const truce_compare_entry *truce_comparison_at(const truce_comparison *c, int i) {
    return i >= 0 && i < c->n_entries ? &c->entries[i] : NULL;
}

int truce_comparison_metric(const truce_comparison *c, int k, int *task, const char **name) {
    if (k < 0 || k >= c->n_metrics) return 0;
    *task = c->metrics[k].task;
    *name = c->metrics[k].metric->name;
    return 1;
}
