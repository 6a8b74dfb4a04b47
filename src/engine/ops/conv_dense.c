/*
 * Dense convolutions by register tiles: y and dx (one function, see source.h), and dw.
 *
 * y and dx: rows are output channels, columns are positions of the grid, summed over channels and taps. The
 * weights are packed once per call. A panel of TILE_WIDTH positions reads its vectors straight from the
 * copied image where rows of the grid fill vectors well; else the panel is packed first, which pays when many
 * channels use it. The work is cut into items (some images, some rows, some output channels), each of which
 * makes its own copy of what it reads.
 *
 * dw: rows are taps of input channels, columns are output channels, summed over positions; dy is transposed
 * to [position][channel] in pieces. Items are blocks of input channels times parts of the images; the parts'
 * sums are added in order.
 *
 * All cuts follow from shapes, so neither values nor their order depend on the number of threads.
 */
#include "engine/ops/conv.h"

enum {
    COPY_ELEMENTS = 96 * 1024, /* of an item's copy, where it can be chosen */
    K_BLOCK = 1024,            /* steps of a packed panel */
    PANELS_AT_ONCE = 64,       /* panels of TILE_ROWS channels in an item, at most */
    ITEMS = 16                 /* worth having, for all threads to have some */
};

/* ---- y and dx: the plan ------------------------------------------------------------------------------ */

/* Positions that are computed alike: all of y, or a phase of dx. */
typedef struct grid {
    int64_t rows, columns;
    int64_t first, row_step, column_step; /* in the target */
    int64_t n_taps, k;                    /* taps that are seen; channels times taps */
    int32_t *tap;                         /* [n_taps] */
    int32_t *offset;                      /* [k] in the source */
    real *a;                              /* [groups][panels][k][TILE_ROWS] */
} grid;

typedef struct correlation {
    const conv *c;
    const conv_pass *pass;
    bool back;     /* dx */
    bool in_place; /* the image itself is the source */
    source_planes source;
    int64_t m, n_panels; /* output channels of a group */
    grid *grids;
    int64_t n_grids, n_phases[2];
    int32_t *tap_list, *offset_list; /* of all grids */
    real *weights;
    int64_t from_image, from_group, to_image, to_group, to_plane;
    /* items */
    int64_t images, rows, panels;                         /* of an item */
    int64_t image_items, row_items, panel_items, n_items; /* row_items: of one image */
    /* each worker's own */
    real *copies, *packed, *sums;
    int64_t copy_size, packed_size, sums_size;
    int32_t *packed_offset; /* [K_BLOCK] */
} correlation;

static int64_t pieces(int64_t n, int64_t size) {
    return (n + size - 1) / size;
}

/* Rows and columns of the largest grid. */
static int64_t grid_size(const correlation *j, int axis) {
    const window_axis *w = &j->c->axis[axis];
    return j->back ? pieces(w->n_in, w->stride) : w->n_out;
}

static void cut_into_items(correlation *j) {
    const conv *c = j->c;
    int64_t rows = grid_size(j, 0), columns = grid_size(j, 1), slots = 1;
    for (int axis = 0; axis < 2; axis++) slots *= j->source.side[axis].n_slots;
    int64_t line = BASE_MAX(1, j->source.channels * slots * (columns + j->source.side[1].reach));
    int64_t fitting = COPY_ELEMENTS / line - j->source.side[0].reach;
    j->rows = j->in_place ? rows : BASE_MIN(rows, BASE_MAX(fitting, 1));
    int64_t at_once = pieces(2 * TILE_WIDTH, BASE_MAX(rows * columns, 1));
    int64_t image = BASE_MAX(1, line * (rows + j->source.side[0].reach));
    if (!j->in_place) at_once = BASE_MIN(at_once, COPY_ELEMENTS / image);
    j->images = BASE_MAX(1, BASE_MIN(at_once, pieces(c->n_images, 4)));
    j->image_items = pieces(c->n_images, j->images);
    j->row_items = rows ? pieces(rows, j->rows) : 0;
    int64_t spatial = BASE_MAX(1, j->image_items * j->row_items * c->groups);
    j->panel_items = BASE_MIN(pieces(ITEMS, spatial), pieces(j->n_panels, 8));
    j->panel_items = BASE_MAX(j->panel_items, pieces(j->n_panels, PANELS_AT_ONCE));
    j->panels = j->panel_items ? pieces(j->n_panels, j->panel_items) : 0;
    j->n_items = j->image_items * j->row_items * j->panel_items * c->groups;
}

static void take_room(correlation *j, base_team *team, conv_room *room) {
    const conv *c = j->c;
    int64_t team_size = base_team_size(team), taps = c->taps[0] * c->taps[1];
    int64_t k_all = j->source.channels * taps, k_block = BASE_MIN(k_all, K_BLOCK);
    j->copy_size = j->in_place ? 0 : tile_round(j->images * j->source.image_step + SIMD_LANES, 16);
    j->packed_size = tile_round(k_block * TILE_WIDTH + SIMD_LANES, 16);
    j->sums_size = (k_all > K_BLOCK ? j->panels : 1) * TILE_ROWS * TILE_WIDTH;
    j->grids = conv_take(room, j->n_grids, sizeof *j->grids);
    j->tap_list = conv_take(room, taps, sizeof(int32_t));
    j->offset_list = conv_take(room, k_all, sizeof(int32_t));
    j->weights = conv_take(room, c->groups * j->n_panels * k_all * TILE_ROWS, sizeof(real));
    j->packed_offset = conv_take(room, k_block, sizeof(int32_t));
    j->copies = conv_take(room, team_size * j->copy_size, sizeof(real));
    j->packed = conv_take(room, team_size * j->packed_size, sizeof(real));
    j->sums = conv_take(room, team_size * j->sums_size, sizeof(real));
}

/* All sizes, and where everything lies in `room`. */
static correlation plan(base_team *team, const conv *c, bool back, conv_room *room) {
    correlation j = {.c = c, .back = back, .n_grids = 1, .m = back ? c->in : c->out};
    source_side side[2];
    for (int axis = 0; axis < 2; axis++) {
        const window_axis *w = &c->axis[axis];
        side[axis] = back ? source_side_of_dx(w) : source_side_of_y(w);
        j.n_phases[axis] = back ? BASE_MIN(w->stride, w->n_in) : 1;
        j.n_grids *= j.n_phases[axis];
    }
    j.n_panels = pieces(j.m, TILE_ROWS);
    j.in_place = c->pointwise && c->in_size % SIMD_LANES == 0;
    j.source = source_for(side, back ? c->out : c->in, 0, 0);
    cut_into_items(&j);
    j.source = source_for(side, back ? c->out : c->in, j.rows, grid_size(&j, 1));
    j.to_plane = back ? c->in_size : c->out_size;
    j.from_group = (back ? c->out : c->in) * (back ? c->out_size : c->in_size);
    j.to_group = j.m * j.to_plane;
    j.from_image = j.from_group * c->groups;
    j.to_image = j.to_group * c->groups;
    take_room(&j, team, room);
    return j;
}

/* ---- y and dx: preparing the grids ------------------------------------------------------------------- */

/* The taps that phase (y, x) of the result takes, and where they find the first position's sources. */
static void list_taps(const correlation *j, int64_t phase_y, int64_t phase_x, grid *g) {
    const conv *c = j->c;
    for (int64_t ty = 0; ty < c->taps[0]; ty++)
        for (int64_t tx = 0; tx < c->taps[1]; tx++) {
            source_tap y = source_tap_of(&j->source.side[0], ty), x = source_tap_of(&j->source.side[1], tx);
            if (!j->back || (y.phase == phase_y && x.phase == phase_x))
                g->tap[g->n_taps++] = (int32_t)(ty * c->taps[1] + tx);
        }
    g->k = g->n_taps * j->source.channels;
    int32_t *offset = g->offset;
    for (int64_t channel = 0; channel < j->source.channels; channel++)
        for (int64_t t = 0; t < g->n_taps; t++)
            *offset++ =
                (int32_t)source_offset(&j->source, channel, g->tap[t] / c->taps[1], g->tap[t] % c->taps[1]);
}

static grid make_grid(const correlation *j, int64_t phase_y, int64_t phase_x) {
    const window_axis *h = &j->c->axis[0], *w = &j->c->axis[1];
    if (!j->back)
        return (grid){.rows = h->n_out, .columns = w->n_out, .row_step = w->n_out, .column_step = 1};
    return (grid){.rows = pieces(h->n_in - phase_y, h->stride),
                  .columns = pieces(w->n_in - phase_x, w->stride),
                  .first = phase_y * w->n_in + phase_x,
                  .row_step = h->stride * w->n_in,
                  .column_step = w->stride};
}

typedef struct packing {
    const correlation *j;
    const grid *g;
} packing;

/* Panels of all groups: a[k][r] is what output channel r of the panel takes of source channel and tap k. */
static void pack_panels(void *arg, int64_t begin, int64_t end, int worker) {
    const packing *p = arg;
    const correlation *j = p->j;
    const conv *c = j->c;
    const int64_t taps = c->taps[0] * c->taps[1], row_step = (j->back ? 1 : c->in) * taps;
    const int64_t channel_step = (j->back ? c->in : 1) * taps;
    (void)worker;
    for (int64_t panel = begin; panel < end; panel++) {
        int64_t group = panel / j->n_panels, first = panel % j->n_panels * TILE_ROWS;
        const real *w = j->pass->weight + group * c->out * c->in * taps + first * row_step;
        real *a = p->g->a + panel * p->g->k * TILE_ROWS;
        for (int64_t channel = 0; channel < j->source.channels; channel++, a += p->g->n_taps * TILE_ROWS)
            for (int64_t r = 0; r < TILE_ROWS; r++) {
                const real *from = w + channel * channel_step + r * row_step;
                for (int64_t t = 0; t < p->g->n_taps; t++)
                    a[t * TILE_ROWS + r] = first + r < j->m ? from[p->g->tap[t]] : 0;
            }
    }
}

static void prepare(correlation *j, base_team *team) {
    int32_t *tap = j->tap_list, *offset = j->offset_list;
    real *a = j->weights;
    for (int64_t i = 0; i < j->n_grids; i++) {
        int64_t y = i / j->n_phases[1], x = i % j->n_phases[1];
        grid *g = &j->grids[i];
        *g = make_grid(j, y, x);
        g->tap = tap, g->offset = offset, g->a = a;
        list_taps(j, y, x, g);
        tap += g->n_taps;
        offset += g->k;
        a += j->c->groups * j->n_panels * g->k * TILE_ROWS;
        packing p = {j, g};
        base_parallel(team, j->c->groups * j->n_panels, 1 + KERNEL_GRAIN / (g->k * TILE_ROWS + 1),
                      pack_panels, &p);
    }
    for (int64_t k = 0; k < BASE_MIN(K_BLOCK, j->source.channels * j->c->taps[0] * j->c->taps[1]); k++)
        j->packed_offset[k] = (int32_t)(k * TILE_WIDTH);
}

/* ---- y and dx: panels of positions ------------------------------------------------------------------- */

/* Neighbouring positions of a row: lanes [at, at + n) of a panel. */
typedef struct stretch {
    int64_t at, n;
    int64_t from, to; /* in the item's source, in the target of the first channel */
} stretch;

typedef struct panel {
    int n_vecs, n_stretches;
    stretch stretches[TILE_WIDTH];
} panel;

/* Positions of a grid that an item still has to do. */
typedef struct positions {
    int64_t n_images, rows, columns; /* of the item */
    int64_t image, row, column;      /* the next one */
    int64_t image_step, source_columns;
    int64_t to, to_image, row_step, column_step; /* of the target */
    bool direct;
} positions;

static void advance(positions *p, int64_t n) {
    p->column += n;
    if (p->column < p->columns) return;
    p->column = 0;
    if (++p->row < p->rows) return;
    p->row = 0;
    p->image++;
}

/* The next panel: each vector within a row if vectors are read directly, else as many positions as fit. */
static void next_panel(positions *p, panel *out) {
    int64_t at = 0;
    out->n_stretches = 0;
    while (at < TILE_WIDTH && p->image < p->n_images) {
        int64_t room = p->direct ? SIMD_LANES : TILE_WIDTH - at, n = BASE_MIN(room, p->columns - p->column);
        out->stretches[out->n_stretches++] = (stretch){
            .at = at,
            .n = n,
            .from = p->image * p->image_step + p->row * p->source_columns + p->column,
            .to = p->to + p->image * p->to_image + p->row * p->row_step + p->column * p->column_step};
        at += p->direct ? SIMD_LANES : n;
        advance(p, n);
    }
    out->n_vecs = (int)pieces(at, SIMD_LANES);
}

/* Steps [k, k + n) of a panel's sources, packed one after the other. Vectors may run over what follows. */
static void pack_sources(const grid *g, const panel *p, const real *source, int64_t k, int64_t n,
                         real *packed) {
    for (int64_t i = 0; i < n; i++, packed += TILE_WIDTH)
        for (int s = 0; s < p->n_stretches; s++) {
            const stretch *t = &p->stretches[s];
            const real *from = source + g->offset[k + i] + t->from;
            for (int64_t x = 0; x < t->n; x += SIMD_LANES)
                simd_store(packed + t->at + x, simd_load(from + x));
        }
}

/* One output channel of a panel from its sums. */
static void put_stretch(const conv_pass *pass, const stretch *t, int64_t step, real bias, const real *sums,
                        real *target) {
    const real *RESTRICT from = sums + t->at;
    real *RESTRICT to = target + t->to;
    if (step != 1)
        for (int64_t i = 0; i < t->n; i++) to[i * step] = (pass->adds ? to[i * step] : 0) + from[i];
    else if (pass->adds)
        for (int64_t i = 0; i < t->n; i++) to[i] += from[i];
    else if (t->n == SIMD_LANES)
        simd_store(to, simd_load(from) + bias);
    else
        for (int64_t i = 0; i < t->n; i++) to[i] = from[i] + bias;
}

/* Output channels of an item on one panel of positions. */
typedef struct rows_of_item {
    int64_t group, first, n; /* panels of TILE_ROWS channels */
    const real *source;
    real *packed, *sums;
} rows_of_item;

static void put_rows(const correlation *j, const grid *g, const rows_of_item *item, const panel *p,
                     int64_t rows, const real *sums) {
    for (int64_t r = 0; r < BASE_MIN(TILE_ROWS, j->m - rows * TILE_ROWS); r++) {
        int64_t channel = item->group * j->m + rows * TILE_ROWS + r;
        real bias = j->pass->bias ? j->pass->bias[channel] : 0;
        for (int s = 0; s < p->n_stretches; s++)
            put_stretch(j->pass, &p->stretches[s], g->column_step, bias, sums + r * TILE_WIDTH,
                        j->pass->to + channel * j->to_plane);
    }
}

static void run_panel(const correlation *j, const grid *g, const rows_of_item *item, const panel *p,
                      bool direct) {
    int64_t k_block = direct || g->k == 0 ? BASE_MAX(g->k, 1) : K_BLOCK;
    for (int64_t k = 0; k == 0 || k < g->k; k += k_block) {
        int64_t n = BASE_MIN(k_block, g->k - k);
        tile_rows t = {.k = n, .adds = k > 0, .offset = direct ? g->offset + k : j->packed_offset};
        if (!direct) pack_sources(g, p, item->source, k, n, item->packed);
        for (int v = 0; v < p->n_vecs; v++)
            t.b[v] = direct ? item->source + p->stretches[v].from : item->packed + v * SIMD_LANES;
        for (int64_t rows = item->first; rows < item->first + item->n; rows++) {
            t.a = g->a + ((item->group * j->n_panels + rows) * g->k + k) * TILE_ROWS;
            t.out = item->sums + (g->k > k_block ? rows - item->first : 0) * TILE_ROWS * TILE_WIDTH;
            tile_run_rows(&t, p->n_vecs);
            if (k + k_block >= g->k) put_rows(j, g, item, p, rows, t.out);
        }
    }
}

/* Reading vectors from the rows of the grid leaves some lanes idle; packing costs a pass over the sources. */
static bool reads_directly(const correlation *j, int64_t columns) {
    double lanes = (double)columns / (double)tile_round(columns, SIMD_LANES);
    double busy = (double)j->m / (double)(j->m + TILE_ROWS);
    return j->in_place || lanes >= busy;
}

static void run_grid(const correlation *j, const grid *g, const rows_of_item *item, int64_t image,
                     int64_t row) {
    positions p = {.n_images = BASE_MIN(j->images, j->c->n_images - image),
                   .rows = BASE_MIN(j->rows, g->rows - row),
                   .columns = g->columns,
                   .image_step = j->in_place ? j->from_image : j->source.image_step,
                   .source_columns = j->source.columns,
                   .to = image * j->to_image + g->first + row * g->row_step,
                   .to_image = j->to_image,
                   .row_step = g->row_step,
                   .column_step = g->column_step};
    if (p.rows <= 0 || p.columns <= 0) return;
    bool dense = p.source_columns == p.columns && p.column_step == 1 && p.row_step == p.columns;
    if (dense) p.columns *= p.rows, p.rows = 1;
    p.direct = reads_directly(j, p.columns);
    while (p.image < p.n_images) {
        panel next;
        next_panel(&p, &next);
        run_panel(j, g, item, &next, p.direct);
    }
}

static void run_items(void *arg, int64_t begin, int64_t end, int worker) {
    const correlation *j = arg;
    real *copies = j->copies + worker * j->copy_size;
    for (int64_t i = begin; i < end; i++) {
        int64_t row = i % j->row_items * j->rows, image = i / j->row_items % j->image_items * j->images;
        int64_t part = i / (j->row_items * j->image_items), group = part / j->panel_items;
        rows_of_item item = {.group = group,
                             .first = part % j->panel_items * j->panels,
                             .packed = j->packed + worker * j->packed_size,
                             .sums = j->sums + worker * j->sums_size};
        const real *from = j->pass->from + image * j->from_image + group * j->from_group;
        item.n = BASE_MIN(j->panels, j->n_panels - item.first);
        item.source = j->in_place ? from : copies;
        for (int64_t n = 0; n < BASE_MIN(j->images, j->c->n_images - image) && !j->in_place; n++)
            source_copy(&j->source, from + n * j->from_image, row, copies + n * j->source.image_step);
        for (int64_t g = 0; g < j->n_grids; g++) run_grid(j, &j->grids[g], &item, image, row);
    }
}

static void correlate(base_team *team, const conv *c, const conv_pass *pass, bool back, conv_room room) {
    correlation j = plan(team, c, back, &room);
    j.pass = pass;
    prepare(&j, team);
    base_parallel(team, j.n_items, 1, run_items, &j);
}

void KERNEL(conv_dense_y)(base_team *team, const conv *c, const conv_pass *pass, conv_room room) {
    correlate(team, c, pass, false, room);
}

void KERNEL(conv_dense_dx)(base_team *team, const conv *c, const conv_pass *pass, conv_room room) {
    correlate(team, c, pass, true, room);
}

/* ---- dw ---------------------------------------------------------------------------------------------- */

enum { TURNED_ELEMENTS = 48 * 1024, LEAST_STEPS = 512 };

typedef struct weight_sum {
    const conv *c;
    const conv_pass *pass; /* from x to dw */
    const real *dy;
    bool in_place;
    source_planes source;
    int64_t taps, width, k; /* width: output channels in whole vectors; k: rows of a block's sums */
    int64_t block, n_blocks, n_parts, images, rows; /* channels of a block; what is copied at once */
    int32_t *offset;                                /* [k] */
    real *copies, *turned, *sums;                   /* turned: dy as [position][width] */
    int64_t copy_size, turned_size, sums_size;      /* sums_size: of an item */
} weight_sum;

static void cut_weight_sum(weight_sum *j) {
    const conv *c = j->c;
    int64_t height = c->axis[0].n_out, columns = c->axis[1].n_out,
            room = TURNED_ELEMENTS / BASE_MAX(j->width, 1);
    int64_t line = j->source.channels * j->source.side[0].n_slots * j->source.side[1].n_slots *
                   (columns + j->source.side[1].reach);
    int64_t fitting = COPY_ELEMENTS / BASE_MAX(line, 1) - j->source.side[0].reach;
    if (j->in_place) fitting = height;
    j->rows = BASE_MAX(1, BASE_MIN(height, BASE_MIN(fitting, room / columns)));
    j->images = 1;
    if (j->rows < height) return;
    int64_t image = BASE_MAX(1, line * (height + j->source.side[0].reach));
    int64_t at_once = BASE_MIN(room / c->out_size, j->in_place ? INT64_MAX : COPY_ELEMENTS / image);
    j->images = BASE_MAX(1, BASE_MIN(at_once, pieces(c->n_images, j->n_parts)));
}

static weight_sum plan_weight_sum(base_team *team, const conv *c, conv_room *room) {
    weight_sum j = {.c = c, .in_place = c->pointwise, .taps = c->taps[0] * c->taps[1]};
    source_side side[2] = {source_side_of_y(&c->axis[0]), source_side_of_y(&c->axis[1])};
    int64_t team_size = base_team_size(team);
    j.width = tile_round(c->out, SIMD_LANES);
    j.block = BASE_MAX(1, BASE_MIN(c->in, BASE_MAX(32, pieces(LEAST_STEPS, j.taps))));
    j.n_blocks = pieces(c->in, j.block);
    j.n_parts = BASE_MAX(1, BASE_MIN(c->n_images, pieces(ITEMS, BASE_MAX(1, c->groups * j.n_blocks))));
    j.k = tile_round(j.block * j.taps, TILE_ROWS);
    j.source = source_for(side, j.block, 0, 0);
    cut_weight_sum(&j);
    j.source = source_for(side, j.block, j.in_place ? c->axis[0].n_out : j.rows, c->axis[1].n_out);
    j.copy_size = j.in_place ? 0 : tile_round(j.images * j.source.image_step, 16);
    j.turned_size = j.images * j.rows * c->axis[1].n_out * j.width;
    j.sums_size = j.k * j.width;
    j.offset = conv_take(room, j.k, sizeof *j.offset);
    j.copies = conv_take(room, team_size * j.copy_size, sizeof(real));
    j.turned = conv_take(room, team_size * j.turned_size, sizeof(real));
    j.sums = conv_take(room, j.n_parts * c->groups * j.n_blocks * j.sums_size, sizeof(real));
    return j;
}

/* n positions of dy's channels of a group, as [position][width]. */
static void turn(const weight_sum *j, const real *dy, int64_t n, real *to) {
    tile_turn(dy, j->c->out_size, j->c->out, n, to, j->width);
    for (int64_t q = 0; q < n && j->c->out < j->width; q++)
        memset(to + q * j->width + j->c->out, 0, (size_t)(j->width - j->c->out) * sizeof(real));
}

typedef struct weight_item {
    int64_t group, block, image, n_images, row, n_rows;
    const real *source, *turned;
    real *sums;
} weight_item;

/* Adds what some rows of some images give to the block's sums. */
static void add_products(const weight_sum *j, const weight_item *item) {
    const int64_t columns = j->c->axis[1].n_out, n_vecs = j->width / SIMD_LANES;
    bool dense = j->source.columns == columns;
    tile_points t = {.n_images = item->n_images,
                     .n_rows = dense ? 1 : item->n_rows,
                     .n_columns = dense ? columns * item->n_rows : columns,
                     .image_step =
                         j->in_place ? j->c->groups * j->c->in * j->c->in_size : j->source.image_step,
                     .row_step = j->source.columns,
                     .stride = j->width};
    int64_t n_k = BASE_MIN(j->block, j->c->in - item->block * j->block) * j->taps;
    for (int64_t k = 0; k < n_k; k += TILE_ROWS) {
        for (int r = 0; r < TILE_ROWS; r++) t.a[r] = item->source + j->offset[BASE_MIN(k + r, n_k - 1)];
        for (int64_t v = 0; v < n_vecs; v += TILE_VECS) {
            t.b = item->turned + v * SIMD_LANES;
            t.out = item->sums + k * j->width + v * SIMD_LANES;
            tile_run_points(&t, (int)BASE_MIN(TILE_VECS, n_vecs - v));
        }
    }
}

static void run_pieces(const weight_sum *j, weight_item *item, real *copies, real *turned) {
    const conv *c = j->c;
    const real *x = j->pass->from + (item->group * c->in + item->block * j->block) * c->in_size;
    const real *dy = j->dy + item->group * c->out * c->out_size + item->row * c->axis[1].n_out;
    int64_t x_step = c->groups * c->in * c->in_size, dy_step = c->groups * c->out * c->out_size;
    int64_t n = item->n_rows * c->axis[1].n_out;
    source_planes s = j->source;
    s.channels = BASE_MIN(j->block, c->in - item->block * j->block);
    for (int64_t i = 0; i < item->n_images; i++) {
        int64_t image = item->image + i;
        if (!j->in_place) source_copy(&s, x + image * x_step, item->row, copies + i * s.image_step);
        turn(j, dy + image * dy_step, n, turned + i * n * j->width);
    }
    item->turned = turned;
    item->source = j->in_place ? x + item->image * x_step + item->row * c->axis[1].n_in : copies;
    add_products(j, item);
}

static void run_weight_items(void *arg, int64_t begin, int64_t end, int worker) {
    const weight_sum *j = arg;
    const conv *c = j->c;
    for (int64_t i = begin; i < end; i++) {
        int64_t part = i % j->n_parts, first = part * c->n_images / j->n_parts;
        int64_t last = (part + 1) * c->n_images / j->n_parts;
        weight_item item = {.group = i / j->n_parts / j->n_blocks,
                            .block = i / j->n_parts % j->n_blocks,
                            .sums = j->sums + i * j->sums_size};
        memset(item.sums, 0, (size_t)j->sums_size * sizeof(real));
        for (item.image = first; item.image < last; item.image += j->images)
            for (item.row = 0; item.row < c->axis[0].n_out; item.row += j->rows) {
                item.n_images = BASE_MIN(j->images, last - item.image);
                item.n_rows = BASE_MIN(j->rows, c->axis[0].n_out - item.row);
                run_pieces(j, &item, j->copies + worker * j->copy_size, j->turned + worker * j->turned_size);
            }
    }
}

/* dw [o][k] (+)= the parts' sums [k][o], for vectors of output channels. */
static void add_parts(void *arg, int64_t begin, int64_t end, int worker) {
    const weight_sum *j = arg;
    const conv *c = j->c;
    const int64_t n_vecs = j->width / SIMD_LANES, k_all = c->in * j->taps;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        int64_t group = i / n_vecs, o = i % n_vecs * SIMD_LANES, n = BASE_MIN(SIMD_LANES, c->out - o);
        real *to = j->pass->to + (group * c->out + o) * k_all;
        for (int64_t k = 0; k < k_all; k++) {
            int64_t block = k / (j->block * j->taps), first = (group * j->n_blocks + block) * j->n_parts;
            const real *from = j->sums + first * j->sums_size + k % (j->block * j->taps) * j->width + o;
            simd_vec sum = {0};
            for (int64_t part = 0; part < j->n_parts; part++) sum += simd_load(from + part * j->sums_size);
            for (int64_t lane = 0; lane < n; lane++)
                to[lane * k_all + k] = (j->pass->adds ? to[lane * k_all + k] : 0) + sum[lane];
        }
    }
}

void KERNEL(conv_dense_dw)(base_team *team, const conv *c, const conv_pass *pass, const real *dy,
                           conv_room room) {
    weight_sum j = plan_weight_sum(team, c, &room);
    j.pass = pass;
    j.dy = dy;
    for (int64_t k = 0; k < j.block * j.taps; k++)
        j.offset[k] = (int32_t)source_offset(&j.source, k / j.taps, k % j.taps / c->taps[1], k % c->taps[1]);
    base_parallel(team, c->groups * j.n_blocks * j.n_parts, 1, run_weight_items, &j);
    int64_t n_vecs = j.width / SIMD_LANES, each = c->in * j.taps * SIMD_LANES * (1 + j.n_parts);
    base_parallel(team, c->groups * n_vecs, 1 + KERNEL_GRAIN / (each + 1), add_parts, &j);
}

size_t KERNEL(conv_dense_bytes)(base_team *team, const conv *c) {
    conv_room y = {0}, dx = {0}, dw = {0};
    plan(team, c, false, &y);
    plan(team, c, true, &dx);
    plan_weight_sum(team, c, &dw);
    return BASE_MAX(y.used, BASE_MAX(dx.used, dw.used));
}
