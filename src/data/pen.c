/*
 * The line from a to b is the set of points whose distance to the segment is below the pen's radius at the
 * nearest point of the segment. A pixel whose centre lies at distance d gets coverage clamp(r + 1/2 - d, 0,
 * 1): an edge one pixel wide, which is what makes the line smooth. Only pixels in the segment's bounding box
 * are looked at.
 */
#include "data/pen.h"

#include "base/context.h"

#include <math.h>

typedef struct segment {
    float x, y, dx, dy, inverse; /* inverse: 1 / squared length, 0 for a dot */
    float radius, d_radius;
} segment;

static float coverage(const segment *s, float x, float y) {
    float px = x - s->x, py = y - s->y;
    float t = (px * s->dx + py * s->dy) * s->inverse;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    float ex = px - t * s->dx, ey = py - t * s->dy;
    float c = s->radius + t * s->d_radius + 0.5f - sqrtf(ex * ex + ey * ey);
    return c < 0 ? 0 : c > 1 ? 1 : c;
}

static int clamp_pixel(float x, int size) {
    return x < 0 ? 0 : x > (float)size ? size : (int)x;
}

void data_pen_draw(const data_canvas *canvas, const data_pen *a, const data_pen *b, float ink) {
    float dx = b->x - a->x, dy = b->y - a->y, length2 = dx * dx + dy * dy;
    float reach = BASE_MAX(a->radius, b->radius) + 0.5f;
    segment s = {a->x, a->y, dx, dy, length2 > 0 ? 1 / length2 : 0, a->radius, b->radius - a->radius};
    int left = clamp_pixel(BASE_MIN(a->x, b->x) - reach, canvas->size);
    int right = clamp_pixel(BASE_MAX(a->x, b->x) + reach + 1, canvas->size);
    int top = clamp_pixel(BASE_MIN(a->y, b->y) - reach, canvas->size);
    int bottom = clamp_pixel(BASE_MAX(a->y, b->y) + reach + 1, canvas->size);
    for (int y = top; y < bottom; y++) {
        float *row = canvas->pixels + (long)y * canvas->size;
        for (int x = left; x < right; x++) {
            float value = ink * coverage(&s, (float)x + 0.5f, (float)y + 0.5f);
            row[x] = BASE_MAX(row[x], value);
        }
    }
}
