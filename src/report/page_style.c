/*
 * The looks of pages: one column of text, wide enough for charts; the colours of charts (style.c) for the
 * rest, too. Tables and charts that are wider than the screen scroll inside their own boxes, never the page.
 */
#include "report/page_style.h"

#include "report/style.h"

static void put_colours(report_pen pen, const report_theme *theme, report_colour accent,
                        report_colour warning) {
    report_put(pen, "--paper:#%06X;--ink:#%06X;--soft:#%06X;--rule:#%06X;", theme->paper, theme->ink,
               theme->soft, theme->rule);
    report_put(pen, "--accent:#%06X;--warning:#%06X;--tint:#%06X", accent, warning,
               report_mix(theme->paper, theme->ink, 0.045));
}

/* One rule to a line; media queries last, since they override. */
static const char rules[] =
    "*{box-sizing:border-box}\n"
    "html{-webkit-text-size-adjust:100%}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.6 " REPORT_FONTS "}\n"
    "main,footer{max-width:60rem;margin:0 auto;padding:0 1.5rem}\n"
    "header{margin:3.5rem 0 2rem}\n"
    "h1,h2,h3,p{overflow-wrap:anywhere}\n"
    "h1{font-size:2rem;line-height:1.2;letter-spacing:-.015em;margin:0}\n"
    "h2{font-size:1.35rem;line-height:1.3;margin:3.5rem 0 1rem}\n"
    "h3{font-size:1.05rem;line-height:1.4;margin:2.25rem 0 .75rem}\n"
    "p{max-width:44rem;margin:.9rem 0}\n"
    ".subtitle{color:var(--soft);font-size:1.1rem;margin:.5rem 0 0}\n"
    "a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:.2em}\n"
    ".anchor{margin-left:.4em;text-decoration:none;color:var(--soft);opacity:0}\n"
    "h2:hover .anchor,h3:hover .anchor,.anchor:focus{opacity:1}\n"
    "nav ul{list-style:none;margin:0;padding:.75rem 0;border:solid var(--rule);border-width:1px 0}\n"
    "nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;font-size:.95rem}\n"
    "nav a{text-decoration:none}nav a:hover{text-decoration:underline}\n"
    "footer{margin-top:5rem;padding-bottom:3rem;color:var(--soft);font-size:.85rem}\n"
    "footer::before{content:'';display:block;border-top:1px solid var(--rule);margin-bottom:1rem}\n"

    ".note{background:var(--tint);border-left:3px solid var(--accent);padding:.7rem 1rem}\n"
    ".note{border-radius:0 4px 4px 0}.warning{border-color:var(--warning)}\n"
    ".note strong{margin-right:.4em;color:var(--accent)}.warning strong{color:var(--warning)}\n"
    "pre{background:var(--tint);border-radius:6px;padding:.9rem 1.1rem;margin:1.2rem 0}\n"
    "pre{overflow-x:auto;font-size:.85rem;line-height:1.5}\n"
    "code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace}\n"
    ".facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr))}\n"
    ".facts{gap:1rem 2rem;margin:1.5rem 0}\n"
    ".facts dt{color:var(--soft);font-size:.85rem}\n"
    ".facts dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}\n"
    "figure{margin:1.75rem 0}.picture{overflow-x:auto}\n"
    ".picture svg{display:block;max-width:100%;height:auto}\n"
    "figcaption,caption{color:var(--soft);font-size:.9rem;line-height:1.5}\n"
    "figcaption{max-width:44rem;margin-top:.6rem}\n"

    ".table{overflow-x:auto;margin:1.75rem 0}\n"
    "table{width:max-content;border-collapse:separate;border-spacing:0;font-size:.92rem;line-height:1.4}\n"
    "table{font-variant-numeric:tabular-nums}\n"
    "caption{caption-side:bottom;text-align:left;padding-top:.6rem}\n"
    "th,td{padding:.4rem .9rem;text-align:left;vertical-align:baseline}\n"
    "tr>:first-child{padding-left:0;position:sticky;left:0;background:var(--paper)}\n"
    "tr>:last-child{padding-right:.25rem}\n"
    "td{white-space:nowrap}\n"
    "th{max-width:11rem;overflow-wrap:break-word}\n"
    "thead th{vertical-align:bottom;font-weight:600;border-bottom:1.5px solid var(--ink)}\n"
    "tbody th{font-weight:inherit;max-width:20rem}\n"
    "tbody tr+tr>*{border-top:1px solid var(--rule)}\n"
    "tbody+tbody>tr:first-child>*{border-top:1.5px solid var(--soft)}\n"
    "tbody:last-of-type>tr:last-child>*{border-bottom:1.5px solid var(--ink)}\n"
    ".right{text-align:right}\n"
    ".unit,.spread,.missing{color:var(--soft);font-weight:400}\n"
    ".spread{display:inline-block;margin-left:.4em;text-align:right}\n"
    ".best{background:linear-gradient(var(--tint),var(--tint))}.best .value{font-weight:700}\n"
    ".reference>*{font-style:italic}\n"
    ".group>th{font-weight:600;max-width:none;padding-top:.9rem}\n"
    ".group span{position:sticky;left:0}\n"

    "@media (max-width:40rem){\n"
    "body{font-size:15px}main,footer{padding:0 1rem}header{margin-top:2rem}\n"
    "h1{font-size:1.6rem}h2{margin-top:2.5rem}\n"
    "th,td{padding:.4rem .6rem}tbody th{max-width:9rem}}\n"
    "@media print{\n"
    "body{font-size:10.5pt}main,footer{max-width:none;padding:0}header{margin-top:0}\n"
    "nav,.anchor{display:none}h2,h3{break-after:avoid}figure,tr,.note,pre{break-inside:avoid}\n"
    "pre{white-space:pre-wrap;font-size:7.5pt}.picture svg{min-width:0!important}\n"
    ".table,.picture{overflow:visible}table{width:auto;font-size:8.5pt}\n"
    "th,td{padding:.25rem .45rem}tr>:first-child{position:static;background:none}\n"
    "td{white-space:normal}.value,.spread{white-space:nowrap}\n"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}@page{margin:18mm}}\n";

void report_put_page_style(report_pen pen) {
    report_put(pen, ":root{color-scheme:light dark;");
    put_colours(pen, &report_light, 0x0B62A8, 0xB54708);
    report_put(pen, "}\n@media screen and (prefers-color-scheme:dark){:root{");
    put_colours(pen, &report_dark, 0x6CB4F0, 0xF0A050);
    report_put(pen, "}}\n%s", rules);
}
