/*
 * SVG elements. Nothing in a picture has an id, so that any number of them can stand in one page: parts are
 * clipped by nested <svg> elements, and hatching is drawn line by line.
 */
#include "report/svg.h"

#include "report/style.h"

#include <math.h>

bool report_box_holds(const report_box *box, report_point point) {
    return point.x >= box->left - 0.1 && point.x <= box->right + 0.1 && point.y >= box->top - 0.1 &&
           point.y <= box->bottom + 0.1;
}

double report_px(double value) {
    return round(value * 10) / 10 + 0.0;
}

void report_svg_open(report_pen pen, double width, double height, const char *title) {
    double w = ceil(width), h = ceil(height);
    report_put(pen, "<svg xmlns='http://www.w3.org/2000/svg' class='chart' role='img' ");
    report_put(pen, "width='%g' height='%g' viewBox='0 0 %g %g' style='min-width:%gpx'", w, h, w, h,
               round(0.7 * w));
    if (title) {
        report_put(pen, " aria-label='");
        report_put_text(pen, title);
        report_put(pen, "'");
    }
    report_put(pen, ">\n");
}

void report_svg_close(report_pen pen) {
    report_put(pen, "</svg>\n");
}

void report_svg_open_clip(report_pen pen, report_box box) {
    double x = report_px(box.left), y = report_px(box.top);
    double w = report_px(box.right) - x, h = report_px(box.bottom) - y;
    report_put(pen,
               "<svg x='%g' y='%g' width='%g' height='%g' viewBox='%g %g %g %g' "
               "preserveAspectRatio='none' overflow='hidden'>\n",
               x, y, w, h, x, y, w, h);
}

void report_svg_line(report_pen pen, const char *class, report_point from, report_point to) {
    report_put(pen, "<path class='%s' d='M%g %gL%g %g'/>\n", class, report_px(from.x), report_px(from.y),
               report_px(to.x), report_px(to.y));
}

void report_svg_rect(report_pen pen, const char *class, report_box box) {
    double x = report_px(box.left), y = report_px(box.top);
    report_put(pen, "<rect class='%s' x='%g' y='%g' width='%g' height='%g'/>\n", class, x, y,
               report_px(box.right - x), report_px(box.bottom - y));
}

double report_text_width(const char *text, double size) {
    return size * report_measure_text(text, report_measure_ems);
}

static void put_label_attributes(report_pen pen, const report_label *label, double size) {
    static const char *const anchors[] = {"", " text-anchor='middle'", " text-anchor='end'"};
    double radians = label->angle * (3.14159265358979323846 / 180), drop = 0.35 * size;
    double x = report_px(label->at.x - drop * sin(radians)), y = report_px(label->at.y + drop * cos(radians));
    if (label->class) report_put(pen, " class='%s'", label->class);
    report_put(pen, " x='%g' y='%g'%s", x, y, anchors[label->anchor]);
    if (label->angle != 0) report_put(pen, " transform='rotate(%g %g %g)'", report_px(label->angle), x, y);
}

void report_svg_label(report_pen pen, const report_label *label) {
    double size = label->size > 0 ? label->size : REPORT_TEXT_SIZE;
    bool is_cut = label->room > 0 && report_text_width(label->text, size) > label->room;
    report_put(pen, "<text");
    put_label_attributes(pen, label, size);
    report_put(pen, ">");
    if (is_cut)
        report_put_short(pen, label->text, label->room / size, report_measure_ems);
    else
        report_put_text(pen, label->text);
    if (is_cut) {
        report_put(pen, "<title>");
        report_put_text(pen, label->text);
        report_put(pen, "</title>");
    }
    report_put(pen, "</text>\n");
}

/* Corners of marks about the origin, for a radius of 1; none for the circle. */
static const struct {
    int n;
    report_point corners[4];
} marks[] = {
    {0, {{0, 0}}},
    {4, {{-0.88, -0.88}, {0.88, -0.88}, {0.88, 0.88}, {-0.88, 0.88}}},
    {3, {{0, -1.2}, {1.1, 0.8}, {-1.1, 0.8}}},
    {4, {{0, -1.3}, {1.3, 0}, {0, 1.3}, {-1.3, 0}}},
    {3, {{0, 1.2}, {1.1, -0.8}, {-1.1, -0.8}}},
    {4, {{-1.3, -0.5}, {1.3, -0.5}, {1.3, 0.5}, {-1.3, 0.5}}},
};

void report_svg_mark(report_pen pen, int shape, report_point at, double radius) {
    size_t k = (size_t)shape % BASE_COUNT(marks);
    double r = report_px(radius);
    report_svg_path(pen, "dot");
    if (marks[k].n == 0) {
        report_svg_move(pen, 'M', (report_point){at.x - r, at.y});
        report_put(pen, "a%g %g 0 1 0 %g 0a%g %g 0 1 0 %g 0", r, r, 2 * r, r, r, -2 * r);
    }
    for (int i = 0; i < marks[k].n; i++) {
        report_point corner = marks[k].corners[i];
        report_svg_move(pen, i ? 'L' : 'M', (report_point){at.x + r * corner.x, at.y + r * corner.y});
    }
    report_put(pen, "Z'");
}

void report_svg_path(report_pen pen, const char *class) {
    report_put(pen, "<path class='%s' d='", class);
}

void report_svg_move(report_pen pen, char verb, report_point to) {
    report_put(pen, "%c%g %g", verb, report_px(to.x), report_px(to.y));
}
