/*
 * A drawn chart as a file of its own. (What a chart is made of is in plot.c, grid.c, bars.c and heat.c.)
 */
#include "report/chart.h"

#include "report/style.h"

#include <assert.h>
#include <string.h>

#define MARGIN 16 /* px about the chart */

/* The number behind an attribute of the first element. */
static double attribute(const char *svg, const char *name) {
    const char *at = strstr(svg, name);
    return base_strtod(at + strlen(name), NULL);
}

truce_status report_chart_alone(truce_context *context, const char *svg, base_text *out) {
    assert(strncmp(svg, "<svg ", 5) == 0);
    base_text text = {0};
    report_pen pen = {context, &text};
    double width = attribute(svg, " width='") + 2 * MARGIN, height = attribute(svg, " height='") + 2 * MARGIN;
    report_put(pen, "<?xml version='1.0' encoding='UTF-8'?>\n<svg xmlns='http://www.w3.org/2000/svg' ");
    report_put(pen, "class='chart' width='%g' height='%g' viewBox='%d %d %g %g'>\n<style>\n", width, height,
               -MARGIN, -MARGIN, width, height);
    report_put_chart_style(pen);
    report_put(pen, "</style>\n<rect class='paper' x='%d' y='%d' width='%g' height='%g'/>\n", -MARGIN,
               -MARGIN, width, height);
    report_put(pen, "%s</svg>\n", svg);
    return report_deliver(pen, out);
}
