/*
 * Two handwritten glyphs per image: conflict with a knob, from nothing but a seed.
 *
 * Row i draws everything from the stream (seed, "glyphs", i): which glyphs, how each is posed (lean, size,
 * place, pen), how far every control point of its strokes strays, the background and, from a stream of its
 * own, the noise. So an image can be made in any order, by any thread, or anew each time it is read.
 *
 * The left glyph stands left of and above the middle, the right one right of and below it; they overlap in
 * the middle, where only the shape of a stroke tells whose it is. That makes `left` and `right` compete for
 * the same features; `same` and `sum` need both, and `slant` and `ink` ask for what the first four must
 * ignore.
 */
#include "base/rng.h"
#include "base/team.h"
#include "data/generators.h"
#include "data/glyph_shapes.h"
#include "data/pen.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
#define MAX_STORED_BYTES ((size_t)1 << 29) /* larger sets of images are drawn when they are read */
#define ROWS_PER_CHUNK 32

#define FIELD(name) offsetof(truce_glyphs_config, name)

static const truce_option option_rows[] = {
    {"rows", TRUCE_OPTION_INTEGER, "4000", NULL, 1, DATA_MAX_ROWS, "rows that are not test rows",
     FIELD(rows)},
    {"test_rows", TRUCE_OPTION_INTEGER, "1000", NULL, 0, DATA_MAX_ROWS, "test rows", FIELD(test_rows)},
    {"size", TRUCE_OPTION_INTEGER, "28", NULL, 8, 512, "pixels of a side", FIELD(size)},
    {"n_classes", TRUCE_OPTION_INTEGER, "10", NULL, 2, DATA_N_GLYPHS, "different glyphs", FIELD(n_classes)},
    {"noise", TRUCE_OPTION_REAL, "0.15", NULL, 0, 10, "standard deviation of pixel noise", FIELD(noise)},
    {"missing", TRUCE_OPTION_REAL, "0", NULL, 0, 1, "share of training labels that are withheld",
     FIELD(missing)},
    {"spurious", TRUCE_OPTION_REAL, "0", NULL, 0, 1,
     "share of training rows whose background tells the left glyph", FIELD(spurious)},
    {"seed", TRUCE_OPTION_INTEGER, "0", NULL, 0, 0, "of everything random in the data", FIELD(seed)},
};
const base_options data_glyphs_options = {"glyphs", option_rows, BASE_COUNT(option_rows)};

truce_glyphs_config truce_glyphs_defaults(void) {
    truce_glyphs_config config = {0};
    base_option_defaults(&data_glyphs_options, &config);
    return config;
}

enum { LEFT, RIGHT, SAME, SUM, SLANT, INK, N_TASKS };

/* What is drawn in a row, before anything is. */
typedef struct plan {
    int glyphs[2];
    int texture; /* -1 for none */
} plan;

/* How one glyph is written. Its unit box goes through `map` and then to `centre`, in pixels. */
typedef struct glyph_pose {
    double map[2][2], centre[2];
    double lean; /* of the upright, to the right, in radians */
    double radius, sway, phase;
    double stray; /* standard deviation of control points, in the unit box */
    double ink;
    int variant;
} glyph_pose;

/* The two glyphs are the same more often than chance has it, so that `same` is worth learning. */
static int draw_partner(base_rng *rng, int glyph, int n_classes) {
    double p_same = BASE_MAX(0.25, 1.0 / n_classes);
    bool same = base_rng_uniform(rng) < p_same;
    int other = (int)base_rng_below(rng, (uint64_t)n_classes - 1);
    if (same) return glyph;
    return other < glyph ? other : other + 1;
}

static plan make_plan(const truce_glyphs_config *config, int64_t row, base_rng *rng) {
    plan p = {.texture = -1};
    p.glyphs[0] = (int)base_rng_below(rng, (uint64_t)config->n_classes);
    p.glyphs[1] = draw_partner(rng, p.glyphs[0], (int)config->n_classes);
    if (config->spurious <= 0) return p;
    bool tells = base_rng_uniform(rng) < config->spurious && row < config->rows;
    int any = (int)base_rng_below(rng, (uint64_t)config->n_classes);
    p.texture = tells ? p.glyphs[0] : any;
    return p;
}

static double between(base_rng *rng, double low, double high) {
    return low + (high - low) * base_rng_uniform(rng);
}

/* Rotation after shear after scaling, of a unit box around its middle. */
static void set_map(glyph_pose *p, double rotation, double shear, double width, double height) {
    double c = cos(rotation), s = sin(rotation);
    p->map[0][0] = c * width;
    p->map[0][1] = (-c * shear - s) * height;
    p->map[1][0] = s * width;
    p->map[1][1] = (c - s * shear) * height;
    p->lean = atan(shear) + rotation;
}

static glyph_pose make_pose(int side, int64_t size, base_rng *rng) {
    static const double centres[2][2] = {{0.36, 0.41}, {0.64, 0.59}};
    double pixels = (double)size, scale = between(rng, 0.85, 1.12);
    glyph_pose p = {.variant = base_rng_uniform(rng) < 0.65 ? 0 : 1};
    double rotation = 0.10 * base_rng_normal(rng), shear = between(rng, -0.35, 0.5);
    double width = 0.40 * scale * between(rng, 0.85, 1.15) * pixels;
    double height = 0.60 * scale * between(rng, 0.9, 1.1) * pixels;
    set_map(&p, rotation, shear, width, height);
    for (int axis = 0; axis < 2; axis++)
        p.centre[axis] = pixels * (centres[side][axis] + between(rng, -0.045, 0.045));
    p.radius = pixels * between(rng, 0.022, 0.046);
    p.sway = between(rng, 0, 0.35);
    p.phase = between(rng, 0, 2 * PI);
    p.stray = 0.028;
    p.ink = between(rng, 0.7, 1);
    return p;
}

/* A pen on its way: where it is, how far it has come (in glyph heights), and how it writes. */
typedef struct writer {
    const data_canvas *canvas;
    const glyph_pose *pose;
    base_rng *rng;
    double at[2]; /* in the unit box */
    data_pen pen;
    double way;
} writer;

static data_pen pen_at(const writer *w, const double at[2]) {
    const glyph_pose *p = w->pose;
    double u = at[0] - 0.5, v = at[1] - 0.5;
    double radius = p->radius * (1 + p->sway * sin(p->phase + 3 * w->way));
    return (data_pen){(float)(p->centre[0] + p->map[0][0] * u + p->map[0][1] * v),
                      (float)(p->centre[1] + p->map[1][0] * u + p->map[1][1] * v), (float)radius};
}

static void move_to(writer *w, const double to[2]) {
    memcpy(w->at, to, sizeof w->at);
    w->pen = pen_at(w, to);
}

static void draw_to(writer *w, const double to[2]) {
    w->way += hypot(to[0] - w->at[0], to[1] - w->at[1]);
    data_pen from = w->pen;
    move_to(w, to);
    data_pen_draw(w->canvas, &from, &w->pen, (float)w->pose->ink);
}

/* A Bezier curve of degree n over points[0 .. n] (de Casteljau), as straight pieces of about three pixels. */
static void draw_curve(writer *w, double points[4][2], int degree) {
    int n_pieces = degree == 1 ? 1 : 4 + w->canvas->size / 8;
    for (int piece = 1; piece <= n_pieces; piece++) {
        double t = (double)piece / n_pieces, work[4][2];
        memcpy(work, points, sizeof work);
        for (int level = degree; level > 0; level--)
            for (int i = 0; i < level; i++)
                for (int axis = 0; axis < 2; axis++) work[i][axis] += t * (work[i + 1][axis] - work[i][axis]);
        draw_to(w, work[0]);
    }
}

static void draw_glyph(const data_canvas *canvas, int glyph, const glyph_pose *pose, base_rng *rng) {
    writer w = {.canvas = canvas, .pose = pose, .rng = rng};
    for (const data_stroke *s = data_glyph_shape(glyph, pose->variant); s->kind != DATA_STROKE_END; s++) {
        int n = data_stroke_points(s->kind);
        double points[4][2] = {{w.at[0], w.at[1]}};
        for (int i = 0; i < n; i++)
            for (int axis = 0; axis < 2; axis++)
                points[i + 1][axis] = (double)s->points[i][axis] + pose->stray * base_rng_normal(rng);
        if (s->kind == DATA_STROKE_MOVE)
            move_to(&w, points[1]);
        else
            draw_curve(&w, points, n);
    }
}

/* Stripes whose direction tells one texture from another; ink stays on top of them. */
static void draw_texture(const data_canvas *canvas, int texture, int n_classes, base_rng *rng) {
    double angle = PI * texture / n_classes, wave = 2 * PI * 5 / canvas->size;
    double along_x = wave * cos(angle), along_y = wave * sin(angle), phase = between(rng, -0.5, 0.5);
    for (int y = 0; y < canvas->size; y++)
        for (int x = 0; x < canvas->size; x++) {
            float *pixel = &canvas->pixels[y * canvas->size + x];
            float value = (float)(0.15 + 0.15 * sin(phase + along_x * x + along_y * y));
            *pixel = BASE_MAX(*pixel, value);
        }
}

/* Normal noise by Box and Muller, both of a pair and in single precision: there are many pixels. */
static void add_noise(float *pixels, int64_t n, double noise, base_rng *rng) {
    for (int64_t i = 0; i < n; i += 2) {
        float u = ((float)(base_rng_u32(rng) >> 8) + 1) * 0x1p-24f,
              v = (float)(base_rng_u32(rng) >> 8) * 0x1p-24f;
        float radius = (float)noise * sqrtf(-2 * logf(u));
        pixels[i] += radius * cosf((float)(2 * PI) * v);
        if (i + 1 < n) pixels[i + 1] += radius * sinf((float)(2 * PI) * v);
    }
    for (int64_t i = 0; i < n; i++) pixels[i] = pixels[i] < 0 ? 0 : pixels[i] > 1 ? 1 : pixels[i];
}

static float inked_share(const float *pixels, int64_t n) {
    int64_t inked = 0;
    for (int64_t i = 0; i < n; i++) inked += pixels[i] >= 1.0f / 3;
    return (float)inked / (float)n;
}

/* What a row shows beyond which glyphs: known once it is drawn. */
typedef struct measures {
    plan plan;
    float slant, ink;
} measures;

static measures draw_row(const truce_glyphs_config *config, int64_t row, float *pixels) {
    uint64_t seed = (uint64_t)config->seed;
    base_rng rng = base_rng_make(seed, "glyphs", (uint64_t)row, 0);
    base_rng noise = base_rng_make(seed, "glyph noise", (uint64_t)row, 0);
    int64_t n = config->size * config->size;
    data_canvas canvas = {pixels, (int)config->size};
    measures m = {.plan = make_plan(config, row, &rng)};
    memset(pixels, 0, (size_t)n * sizeof *pixels);
    for (int side = 0; side < 2; side++) {
        glyph_pose p = make_pose(side, config->size, &rng);
        draw_glyph(&canvas, m.plan.glyphs[side], &p, &rng);
        m.slant += (float)(side == 0 ? p.lean : -p.lean);
    }
    m.ink = inked_share(pixels, n);
    if (m.plan.texture >= 0) draw_texture(&canvas, m.plan.texture, (int)config->n_classes, &rng);
    if (config->noise > 0) add_noise(pixels, n, config->noise, &noise);
    return m;
}

/* Making a set: the arrays that are filled, by row. */
typedef struct job {
    truce_context *context;
    const truce_glyphs_config *config;
    float *images;         /* [n_rows][size][size], or NULL: drawn for its labels and dropped */
    float *scratch;        /* [n_workers][size][size] */
    void *labels[N_TASKS]; /* [n_rows] of int32_t (left, right) or float */
} job;

static void fill_labels(job *j, int64_t row, const measures *m) {
    const int *glyphs = m->plan.glyphs;
    ((int32_t *)j->labels[LEFT])[row] = glyphs[0];
    ((int32_t *)j->labels[RIGHT])[row] = glyphs[1];
    ((float *)j->labels[SAME])[row] = glyphs[0] == glyphs[1];
    ((float *)j->labels[SUM])[row] = (float)(glyphs[0] + glyphs[1]);
    ((float *)j->labels[SLANT])[row] = m->slant;
    ((float *)j->labels[INK])[row] = m->ink;
}

static void draw_rows(void *arg, int64_t begin, int64_t end, int worker) {
    job *j = arg;
    int64_t n = j->config->size * j->config->size;
    for (int64_t row = begin; row < end; row++) {
        measures m = draw_row(j->config, row, j->images ? j->images + row * n : j->scratch + worker * n);
        fill_labels(j, row, &m);
    }
}

/*
 * Withholding: each label by its own draw, but a label that would leave its class without any in training
 * rows (for slant and ink: the task without two) stays.
 */

#define N_KINDS (2 * DATA_N_GLYPHS)

static int kind_of_label(const job *j, int task, int64_t row) {
    switch (task) {
    case LEFT:
    case RIGHT: return ((const int32_t *)j->labels[task])[row];
    case SAME:
    case SUM: return (int)((const float *)j->labels[task])[row];
    default: return 0;
    }
}

static bool is_withheld(const truce_glyphs_config *config, int task, int64_t row) {
    base_rng rng = base_rng_make((uint64_t)config->seed, "glyphs withheld", (uint64_t)row, (uint64_t)task);
    return base_rng_uniform(&rng) < config->missing;
}

static void drop_label(job *j, int task, int64_t row) {
    if (task == LEFT || task == RIGHT)
        ((int32_t *)j->labels[task])[row] = -1;
    else
        ((float *)j->labels[task])[row] = NAN;
}

static void withhold(job *j, int task) {
    int64_t kept[N_KINDS] = {0}, enough = task == SLANT || task == INK ? 2 : 1;
    for (int64_t row = 0; row < j->config->rows; row++)
        if (!is_withheld(j->config, task, row)) kept[kind_of_label(j, task, row)]++;
    for (int64_t row = 0; row < j->config->rows; row++) {
        int kind = kind_of_label(j, task, row);
        if (!is_withheld(j->config, task, row)) continue;
        if (kept[kind] < enough)
            kept[kind]++;
        else
            drop_label(j, task, row);
    }
}

/* Images that are drawn when they are read. */
typedef struct lazy_images {
    truce_context *context;
    truce_glyphs_config config;
} lazy_images;

static truce_status fill_images(void *user, const int64_t *rows, int64_t n, float *out) {
    const truce_glyphs_config *config = &((lazy_images *)user)->config;
    for (int64_t i = 0; i < n; i++) draw_row(config, rows[i], out + i * config->size * config->size);
    return TRUCE_OK;
}

static void release_images(void *user) {
    base_free(((lazy_images *)user)->context, user);
}

static truce_status add_images(job *j, truce_dataset *dataset) {
    int64_t size = j->config->size;
    truce_input input = {.name = "image", .row_shape = {3, {1, size, size}}};
    if (j->images) {
        BASE_TRY(data_adopt_input(dataset, &input, j->images));
        j->images = NULL;
        return TRUCE_OK;
    }
    lazy_images *lazy = NULL;
    BASE_TRY(base_alloc(j->context, 1, sizeof *lazy, &lazy));
    *lazy = (lazy_images){j->context, *j->config};
    return truce_dataset_add_lazy_input(dataset, &input, fill_images, lazy, release_images);
}

static truce_status add_labels(job *j, truce_dataset *dataset) {
    const int n_classes = (int)j->config->n_classes;
    const truce_target targets[N_TASKS] = {
        [LEFT] = {.name = "left", .kind = TRUCE_TARGET_CLASSES, .n_classes = n_classes},
        [RIGHT] = {.name = "right", .kind = TRUCE_TARGET_CLASSES, .n_classes = n_classes},
        [SAME] = {.name = "same", .kind = TRUCE_TARGET_BINARY},
        [SUM] = {.name = "sum"},
        [SLANT] = {.name = "slant"},
        [INK] = {.name = "ink"},
    };
    for (int task = 0; task < N_TASKS; task++) {
        BASE_TRY(data_adopt_target(dataset, &targets[task], j->labels[task]));
        j->labels[task] = NULL;
    }
    return TRUCE_OK;
}

static truce_status alloc_job(job *j, int64_t n_rows) {
    size_t image_bytes = (size_t)(j->config->size * j->config->size) * sizeof(float);
    int n_workers = base_team_size(j->context->team);
    for (int task = 0; task < N_TASKS; task++)
        BASE_TRY(data_alloc_rows(j->context, n_rows, sizeof(float), &j->labels[task]));
    if ((size_t)n_rows <= MAX_STORED_BYTES / image_bytes)
        return data_alloc_rows(j->context, n_rows, image_bytes, &j->images);
    return data_alloc_rows(j->context, n_workers, image_bytes, &j->scratch);
}

static void free_job(job *j) {
    base_free_aligned(j->context, j->scratch);
    base_free_aligned(j->context, j->images);
    for (int task = 0; task < N_TASKS; task++) base_free_aligned(j->context, j->labels[task]);
}

truce_status truce_glyphs_create(truce_context *context, const truce_glyphs_config *config,
                                 truce_dataset **out) {
    const truce_glyphs_config defaults = truce_glyphs_defaults();
    if (!config) config = &defaults;
    BASE_TRY(base_option_check(context, &data_glyphs_options, config));
    int64_t n_rows = config->rows + config->test_rows;
    truce_dataset *dataset = NULL;
    job j = {.context = context, .config = config};
    truce_status status = truce_dataset_create(context, n_rows, &dataset);
    if (!status) status = alloc_job(&j, n_rows);
    if (!status) {
        base_parallel(context->team, n_rows, ROWS_PER_CHUNK, draw_rows, &j);
        for (int task = 0; task < N_TASKS && config->missing > 0; task++) withhold(&j, task);
        data_mark_test_rows(dataset, config->test_rows);
        status = add_images(&j, dataset);
    }
    if (!status) status = add_labels(&j, dataset);
    free_job(&j);
    if (status)
        truce_dataset_destroy(dataset);
    else
        *out = dataset;
    return status;
}
