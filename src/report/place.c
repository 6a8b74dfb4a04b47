/*
 * Finding room for labels.
 *
 * Spreading out is isotonic regression: with z[i] = height[i] - i gap the heights are far enough apart when z
 * does not fall, and the nearest such z comes from pooling adjacent violators, limited to the bounds
 * afterwards. Labels of points try the places around the point, right first, and are given up where all of
 * them are taken: the name is in the tooltip.
 */
#include "report/place.h"

#include "report/style.h"

#include <assert.h>
#include <math.h>

void report_spread_out(double *heights, int n, double gap, double top, double bottom) {
    assert(n <= REPORT_MAX_SPREAD);
    double mean[REPORT_MAX_SPREAD];
    int size[REPORT_MAX_SPREAD], n_blocks = 0, i = 0;
    for (int k = 0; k < n; k++) {
        mean[n_blocks] = heights[k] - k * gap;
        size[n_blocks++] = 1;
        for (; n_blocks > 1 && mean[n_blocks - 2] > mean[n_blocks - 1]; n_blocks--) {
            int a = size[n_blocks - 2], b = size[n_blocks - 1];
            mean[n_blocks - 2] = (a * mean[n_blocks - 2] + b * mean[n_blocks - 1]) / (a + b);
            size[n_blocks - 2] = a + b;
        }
    }
    for (int k = 0; k < n_blocks; k++)
        for (int last = i + size[k]; i < last; i++)
            heights[i] = fmax(top, fmin(mean[k], bottom - (n - 1) * gap)) + i * gap;
}

truce_status report_placer_add(truce_context *context, report_placer *placer, report_obstacle obstacle) {
    BASE_TRY(
        base_grow(context, &placer->obstacles, &placer->capacity, placer->n + 1, sizeof *placer->obstacles));
    placer->obstacles[placer->n++] = obstacle;
    return TRUCE_OK;
}

void report_placer_free(truce_context *context, report_placer *placer) {
    base_free(context, placer->obstacles);
}

static bool overlap(const report_box *a, const report_box *b) {
    return a->left < b->right && b->left < a->right && a->top < b->bottom && b->top < a->bottom;
}

static bool is_free(const report_placer *placer, const report_box *box, bool over_soft) {
    const report_box *b = &placer->bounds;
    if (box->left < b->left || box->right > b->right || box->top < b->top || box->bottom > b->bottom)
        return false;
    for (size_t i = 0; i < placer->n; i++) {
        const report_obstacle *obstacle = &placer->obstacles[i];
        if (!(obstacle->is_soft && over_soft) && overlap(box, &obstacle->box)) return false;
    }
    return true;
}

/* The k-th place to try about a point; false when there are no more. */
static bool place_about(report_point at, double width, size_t k, report_box *box) {
    static const struct {
        double side, drop; /* to the right (1), to the left (-1) or centred; px down */
    } tries[] = {{1, 0},    {-1, 0},  {0, -14}, {0, 14}, {1, -11},  {1, 11},
                 {-1, -11}, {-1, 11}, {1, -20}, {1, 20}, {-1, -20}, {-1, 20}};
    if (k >= BASE_COUNT(tries)) return false;
    double side = tries[k].side, y = at.y + tries[k].drop, half = REPORT_TEXT_SIZE / 2.0 + 1;
    double left = side > 0 ? at.x + 8 : side < 0 ? at.x - 8 - width : at.x - width / 2;
    *box = (report_box){left, y - half, left + width, y + half};
    return true;
}

bool report_placer_find(const report_placer *placer, report_point at, double width, report_box *out) {
    report_box box;
    for (int over_soft = 0; over_soft < 2; over_soft++)
        for (size_t k = 0; place_about(at, width, k, &box); k++) {
            if (!is_free(placer, &box, over_soft)) continue;
            *out = box;
            return true;
        }
    return false;
}
