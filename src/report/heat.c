/*
 * A matrix as coloured cells. Cells are as wide as their numbers need; where a matrix has too many columns
 * for that, numbers give way (they stay in the tooltips) and cells shrink. Names of columns lie flat if they
 * fit, else lean, else stand; where rows or columns are thinner than letters, only every second or third is
 * named. A palette has a fixed number of levels, so that the style sheet can colour them for light and dark.
 * Missing cells are hatched.
 */
#include "report/frame.h"
#include "report/number.h"
#include "report/style.h"

#include <math.h>

#define WIDTH 720
#define WIDEST 912 /* what the column of a page holds */
#define EDGE 1
#define LONGEST_ROW 180
#define LONGEST_COLUMN 150
#define LEAST_NUMBERS 34 /* px of a cell with a number, at least and at most */
#define MOST_NUMBERS 72
#define LETTER_ROW 12    /* rows and columns thinner than this are named in part */
#define LEAST_LEANING 18 /* columns from which on names lean rather than stand */
#define MOST_TIPS 4096   /* cells with tooltips */
#define LEGEND 52
#define PALETTE_WIDTH 200
#define COS_45 0.70710678

typedef struct picture {
    const report_heat *heat;
    double low, high; /* of the palette */
    bool has_missing;
    report_box box; /* of the cells */
    report_point cell;
    double size; /* of the letters in cells; 0: none are written */
    double angle;
    double head, width, height;
} picture;

static double value_at(const report_heat *heat, int row, int column) {
    return heat->values[(size_t)row * (size_t)heat->n_columns + (size_t)column];
}

static report_number number_of(const report_heat *heat, double value) {
    return report_format_number(value, NAN, (report_format){REPORT_FIXED, heat->digits}, REPORT_TYPESET);
}

static void find_range(picture *p) {
    const report_heat *heat = p->heat;
    report_range range = report_range_begin(false);
    for (int i = 0; i < heat->n_rows; i++)
        for (int j = 0; j < heat->n_columns; j++) {
            report_range_add(&range, value_at(heat, i, j));
            if (isnan(value_at(heat, i, j))) p->has_missing = true;
        }
    bool is_given = heat->low < heat->high;
    p->low = is_given ? heat->low : fmin(range.low, range.high);
    p->high = is_given ? heat->high : fmax(range.low, range.high);
    if (!is_given && range.low > range.high) p->low = 0, p->high = 1;
    if (heat->palette == REPORT_SIGNED) {
        p->high = fmax(fabs(p->low), fabs(p->high));
        p->low = -p->high;
    }
}

static int level_of(const picture *p, double value) {
    double part = p->high > p->low ? value / (p->high - p->low) - p->low / (p->high - p->low) : 0.5;
    return (int)lround(fmin(fmax(part, 0), 1) * (REPORT_N_LEVELS - 1));
}

static double numbers_width(const report_heat *heat, double size) {
    double widest = 0;
    for (int i = 0; i < heat->n_rows; i++)
        for (int j = 0; j < heat->n_columns; j++) {
            report_number number = number_of(heat, value_at(heat, i, j));
            if (!isnan(value_at(heat, i, j))) widest = fmax(widest, report_text_width(number.value, size));
        }
    return widest;
}

static double names_width(const char *const *names, int n, double most) {
    double widest = 0;
    for (int i = 0; names && i < n; i++) widest = fmax(widest, report_text_width(names[i], REPORT_TEXT_SIZE));
    return fmin(widest, most);
}

/* Cells with numbers in large letters, in small ones, or without, whichever first fits the page. */
static void choose_cells(picture *p, double left) {
    static const double sizes[] = {REPORT_TEXT_SIZE, REPORT_SMALL_SIZE};
    int n = BASE_MAX(p->heat->n_columns, 1);
    for (size_t i = 0; i < BASE_COUNT(sizes); i++) {
        double needed =
            fmax(numbers_width(p->heat, sizes[i]) + 0.8 * sizes[i], LEAST_NUMBERS * sizes[i] / 12);
        if (needed * n > WIDEST - left - EDGE) continue;
        p->size = sizes[i];
        p->cell.x = floor(fmax(needed, fmin((WIDTH - left - EDGE) / n, MOST_NUMBERS)));
        p->cell.y = i == 0 ? 30 : 22;
        return;
    }
    p->cell.x = p->cell.y = fmax(3, fmin(floor((WIDEST - left - EDGE) / n), 24));
}

/* Height of the names of columns; *beyond is what a leaning name takes to the right of the last column. */
static double lean_names(picture *p, double *beyond) {
    const report_heat *heat = p->heat;
    double width = names_width(heat->columns, heat->n_columns, LONGEST_COLUMN);
    *beyond = 0;
    if (!heat->columns) return 6;
    if (width <= p->cell.x - 6) return 20;
    p->angle = p->cell.x >= LEAST_LEANING ? -45 : -90;
    if (p->angle == -90) return width + 12;
    *beyond = width * COS_45 + 8 - p->cell.x / 2;
    return width * COS_45 + 18;
}

static report_number palette_number(const picture *p, double part) {
    return number_of(p->heat, p->low + part * (p->high - p->low));
}

static double palette_room(const picture *p, double part) {
    return report_text_width(palette_number(p, part).value, REPORT_TEXT_SIZE) + 8;
}

static double palette_width(const picture *p) {
    return fmax(PALETTE_WIDTH, palette_room(p, 0) + palette_room(p, 1));
}

static void lay_out(picture *p) {
    const report_heat *heat = p->heat;
    find_range(p);
    double corner = heat->row_label ? report_text_width(heat->row_label, REPORT_TEXT_SIZE) : 0;
    double names = fmax(names_width(heat->rows, heat->n_rows, LONGEST_ROW), fmin(corner, LONGEST_ROW));
    double left = EDGE + (names > 0 ? names + 10 : 0), beyond;
    choose_cells(p, left);
    p->head = report_head_height(heat->title, NULL, WIDTH);
    double top = p->head + (heat->column_label ? 20 : 0) + lean_names(p, &beyond);
    p->box = (report_box){left, top, left + p->cell.x * heat->n_columns, top + p->cell.y * heat->n_rows};
    p->width = fmax(p->box.right + fmax(beyond, EDGE), palette_width(p) + 110);
    p->height = p->box.bottom + LEGEND;
}

static report_box cell_box(const picture *p, int row, int column) {
    double x = p->box.left + column * p->cell.x, y = p->box.top + row * p->cell.y;
    double gap = p->cell.x >= 8 ? 0.5 : 0;
    return (report_box){x + gap, y + gap, x + p->cell.x - gap, y + p->cell.y - gap};
}

static void put_tip(report_pen pen, const report_heat *heat, int row, int column) {
    double value = value_at(heat, row, column);
    report_put(pen, "<title>");
    if (heat->rows) report_put_text(pen, heat->rows[row]);
    if (heat->rows && heat->columns) report_put(pen, ", ");
    if (heat->columns) report_put_text(pen, heat->columns[column]);
    if (isnan(value))
        report_put(pen, ": missing</title>");
    else
        report_put(pen, ": %.6g</title>", value);
}

/* Falling lines x + y = k that fill a box. */
static void draw_hatch(report_pen pen, report_box box) {
    double w = box.right - box.left, h = box.bottom - box.top, step = fmin(6, w);
    report_svg_path(pen, "hatch");
    for (double k = step; k < w + h; k += step) {
        report_svg_move(pen, 'M', (report_point){box.left + fmax(0, k - h), box.top + fmin(k, h)});
        report_svg_move(pen, 'L', (report_point){box.left + fmin(k, w), box.top + fmax(0, k - w)});
    }
    report_put(pen, "'/>\n");
}

static void draw_level(report_pen pen, const picture *p, int level, report_box box) {
    char class[8];
    base_print(class, sizeof class, "%c%d", p->heat->palette == REPORT_SIGNED ? 'd' : 'q', level);
    report_svg_rect(pen, class, box);
}

static void draw_value(report_pen pen, const picture *p, double value, report_box box) {
    draw_level(pen, p, level_of(p, value), box);
    if (p->size <= 0) return;
    report_number number = number_of(p->heat, value);
    report_label label = {.text = number.value,
                          .class = p->size < REPORT_TEXT_SIZE ? "small" : NULL,
                          .at = {(box.left + box.right) / 2, (box.top + box.bottom) / 2},
                          .anchor = REPORT_MIDDLE,
                          .size = p->size};
    report_svg_label(pen, &label);
}

static void draw_missing(report_pen pen, report_box box) {
    report_svg_rect(pen, "hole", box);
    draw_hatch(pen, box);
}

static void draw_cell(report_pen pen, const picture *p, int row, int column) {
    bool has_tip = (int64_t)p->heat->n_rows * p->heat->n_columns <= MOST_TIPS;
    report_box box = cell_box(p, row, column);
    double value = value_at(p->heat, row, column);
    if (has_tip) report_put(pen, "<g>");
    if (has_tip) put_tip(pen, p->heat, row, column);
    if (isnan(value))
        draw_missing(pen, box);
    else
        draw_value(pen, p, value, box);
    if (has_tip) report_put(pen, "</g>\n");
}

static void draw_row_names(report_pen pen, const picture *p) {
    int stride = (int)ceil(LETTER_ROW / p->cell.y);
    for (int i = 0; p->heat->rows && i < p->heat->n_rows; i += stride) {
        report_label label = {.text = p->heat->rows[i],
                              .class = "name",
                              .at = {p->box.left - 8, p->box.top + (i + 0.5) * p->cell.y},
                              .anchor = REPORT_END,
                              .room = LONGEST_ROW};
        report_svg_label(pen, &label);
    }
}

static void draw_column_names(report_pen pen, const picture *p) {
    int stride = (int)ceil(LETTER_ROW / p->cell.x);
    for (int j = 0; p->heat->columns && j < p->heat->n_columns; j += stride) {
        report_label label = {.text = p->heat->columns[j],
                              .class = "name",
                              .at = {p->box.left + (j + 0.5) * p->cell.x, p->box.top - 10},
                              .anchor = p->angle == 0 ? REPORT_MIDDLE : REPORT_START,
                              .room = p->angle == 0 ? 0 : LONGEST_COLUMN,
                              .angle = p->angle};
        report_svg_label(pen, &label);
    }
}

/* What rows and columns are: in the corner and above the names. */
static void draw_sides(report_pen pen, const picture *p) {
    report_label rows = {.text = p->heat->row_label,
                         .at = {p->box.left - 8, p->box.top - 10},
                         .anchor = REPORT_END,
                         .room = LONGEST_ROW};
    report_label columns = {.text = p->heat->column_label,
                            .at = {p->box.left, p->head + 8},
                            .room = p->width - p->box.left - EDGE};
    if (rows.text) report_svg_label(pen, &rows);
    if (columns.text) report_svg_label(pen, &columns);
}

/* The middle is left out where it would touch the ends. */
static void draw_palette_numbers(report_pen pen, const picture *p, double left, double y) {
    double width = palette_width(p), half = palette_room(p, 0.5) / 2;
    bool has_middle = fmax(palette_room(p, 0), palette_room(p, 1)) + half < width / 2;
    for (int k = 0; k <= 2; k++) {
        report_number number = palette_number(p, k / 2.0);
        report_label label = {
            .text = number.value, .at = {left + k / 2.0 * width, y}, .anchor = (report_anchor)k};
        if (k != 1 || has_middle) report_svg_label(pen, &label);
    }
}

/* The palette with its numbers, and the hatching where it occurs. */
static void draw_legend(report_pen pen, const picture *p) {
    double width = palette_width(p), step = width / REPORT_N_LEVELS, top = p->box.bottom + 16;
    double left = p->box.left + width + 110 > p->width ? EDGE : p->box.left;
    report_put(pen, "<g>\n");
    for (int i = 0; i < REPORT_N_LEVELS; i++)
        draw_level(pen, p, i, (report_box){left + i * step, top, left + (i + 1) * step, top + 10});
    report_put(pen, "</g>\n");
    draw_palette_numbers(pen, p, left, top + 22);
    if (!p->has_missing) return;
    left += width + 20;
    draw_missing(pen, (report_box){left, top - 2, left + 18, top + 12});
    report_label label = {.text = "missing", .at = {left + 24, top + 5}};
    report_svg_label(pen, &label);
}

static void draw_picture(report_pen pen, const picture *p) {
    report_svg_open(pen, p->width, p->height, p->heat->title);
    report_draw_head(pen, p->heat->title, NULL, p->width);
    draw_sides(pen, p);
    draw_row_names(pen, p);
    draw_column_names(pen, p);
    for (int i = 0; i < p->heat->n_rows; i++)
        for (int j = 0; j < p->heat->n_columns; j++) draw_cell(pen, p, i, j);
    if (p->heat->n_rows && p->heat->n_columns)
        draw_legend(pen, p);
    else
        report_draw_nothing(pen, (report_box){0, p->box.bottom, p->width, p->box.bottom + LEGEND});
    report_svg_close(pen);
}

truce_status report_draw_heat(truce_context *context, const report_heat *heat, base_text *out) {
    if (heat->n_rows > REPORT_MAX_HEAT || heat->n_columns > REPORT_MAX_HEAT)
        return base_fail(context, TRUCE_ERROR_RANGE,
                         "a heat map of %d x %d cells is too large to read; show at most %d rows and columns",
                         heat->n_rows, heat->n_columns, REPORT_MAX_HEAT);
    base_text text = {0};
    report_pen pen = {context, &text};
    picture p = {.heat = heat};
    lay_out(&p);
    draw_picture(pen, &p);
    return report_deliver(pen, out);
}
