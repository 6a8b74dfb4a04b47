/*
 * The looks of charts. The seven colours of series are those of Okabe and Ito (2008, "Color universal
 * design") but yellow, which is too pale for lines on white. In dark surroundings they are lighter, and
 * chosen so that they stay apart for people who lack one kind of cone as well. Cells run through stations
 * that are mixed in Oklab. Rules hold plain colours rather than variables, since many programs that show .svg
 * files know no variables; `color` carries a series' colour to its parts.
 */
#include "report/style.h"

const report_theme report_light = {
    .paper = 0xFFFFFF,
    .ink = 0x1B1F24,
    .soft = 0x59636E,
    .rule = 0xE4E7EB,
    .series = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x1B1F24},
    .muted = 0xA9B1BA,
    .sequential = {0xF1F5FA, 0x5E9BCB, 0x0B3C6B},
    .diverging = {0xA84300, 0xF0A561, 0xF6F6F4, 0x7DB2DB, 0x0B5394},
    .on_light = 0x14171A,
    .on_dark = 0xFFFFFF,
};

const report_theme report_dark = {
    .paper = 0x14181D,
    .ink = 0xE6E9ED,
    .soft = 0x9AA5B1,
    .rule = 0x2B323A,
    .series = {0x2C7CD2, 0xE06A1A, 0x18B271, 0xD98BB8, 0xE6BA2E, 0x77C5F7, 0xF2F4F6},
    .muted = 0x5F6A76,
    .sequential = {0x1D2630, 0x2F78B3, 0xCFE6F8},
    .diverging = {0xFFB068, 0xA8561C, 0x23282E, 0x2A6DA3, 0x8CC8F2},
    .on_light = 0x0C0F12,
    .on_dark = 0xFFFFFF,
};

static report_colour between(const report_colour *stations, int n, double t) {
    double at = t * (n - 1);
    int i = BASE_MIN((int)at, n - 2);
    return report_mix(stations[i], stations[i + 1], at - i);
}

report_colour report_level_colour(const report_theme *theme, report_palette palette, int level) {
    double t = level / (REPORT_N_LEVELS - 1.0);
    return palette == REPORT_SIGNED ? between(theme->diverging, 5, t) : between(theme->sequential, 3, t);
}

report_colour report_level_ink(const report_theme *theme, report_palette palette, int level) {
    report_colour cell = report_level_colour(theme, palette, level);
    bool on_light = report_contrast(cell, theme->on_light) >= report_contrast(cell, theme->on_dark);
    return on_light ? theme->on_light : theme->on_dark;
}

static void put_series_colours(report_pen pen, const report_theme *theme) {
    for (int i = 0; i < REPORT_N_COLOURS; i++)
        report_put(pen, ".chart .s%d{color:#%06X}", i, theme->series[i]);
    report_put(pen, ".chart .muted{color:#%06X}\n", theme->muted);
}

static void put_level(report_pen pen, const report_theme *theme, report_palette palette, int level) {
    char name = palette == REPORT_SIGNED ? 'd' : 'q';
    report_put(pen, ".chart .%c%d{fill:#%06X}.chart .%c%d+text{fill:#%06X}", name, level,
               report_level_colour(theme, palette, level), name, level,
               report_level_ink(theme, palette, level));
}

static void put_levels(report_pen pen, const report_theme *theme) {
    for (int i = 0; i < REPORT_N_LEVELS; i++) put_level(pen, theme, REPORT_SEQUENTIAL, i);
    report_put(pen, "\n");
    for (int i = 0; i < REPORT_N_LEVELS; i++) put_level(pen, theme, REPORT_SIGNED, i);
    report_put(pen, "\n");
}

static void put_theme(report_pen pen, const report_theme *theme) {
    report_put(pen, ".chart .paper{fill:#%06X}.chart text{fill:#%06X}", theme->paper, theme->soft);
    report_put(pen, ".chart .title,.chart .name{fill:#%06X}", theme->ink);
    report_put(pen, ".chart .grid{stroke:#%06X}.chart .axis{stroke:#%06X}", theme->rule, theme->soft);
    report_put(pen, ".chart .dot,.chart .halo{stroke:#%06X}.chart .over{stroke:#%06X}", theme->paper,
               theme->ink);
    report_put(pen, ".chart .hatch{stroke:#%06X}.chart .hole{stroke:#%06X}\n", theme->muted, theme->rule);
    put_series_colours(pen, theme);
    put_levels(pen, theme);
}

/* What is the same in light and dark. */
static const char shapes[] =
    ".chart{font-family:" REPORT_FONTS ";font-variant-numeric:tabular-nums}\n"
    ".chart text{font-size:12px}.chart .small{font-size:10px}\n"
    ".chart .title{font-size:15px;font-weight:600}\n"
    ".chart .grid,.chart .axis{fill:none;stroke-width:1;shape-rendering:crispEdges}\n"
    ".chart .line{fill:none;stroke:currentColor;stroke-width:1.75}\n"
    ".chart .line{stroke-linejoin:round;stroke-linecap:round}.chart .muted .line{stroke-width:1.25}\n"
    ".chart .lead,.chart .whisker{fill:none;stroke:currentColor;stroke-width:1}\n"
    ".chart .far{stroke-dasharray:1 4;stroke-opacity:.7}.chart .whisker{stroke-width:1.25}\n"
    ".chart .halo{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}\n"
    ".chart .band{fill:currentColor;fill-opacity:.16}.chart .bar{fill:currentColor}\n"
    ".chart .dot{fill:currentColor;stroke-width:1}\n"
    ".chart .hit{fill:currentColor;fill-opacity:0}.chart .hit:hover{fill-opacity:.2}\n"
    ".chart .hatch,.chart .hole{fill:none;stroke-width:1}\n"
    ".chart .dash1{stroke-dasharray:7 4}.chart .dash2{stroke-dasharray:2 4}\n"
    ".chart .dash3{stroke-dasharray:9 3 2 3}.chart .dash4{stroke-dasharray:14 4}\n"
    ".chart .dash5{stroke-dasharray:9 3 2 3 2 3}\n";

void report_put_chart_style(report_pen pen) {
    report_put(pen, "%s", shapes);
    put_theme(pen, &report_light);
    report_put(pen, "@media screen and (prefers-color-scheme:dark){\n");
    put_theme(pen, &report_dark);
    report_put(pen, "}\n");
}
