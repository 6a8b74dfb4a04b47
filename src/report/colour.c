/*
 * Mixing in the Oklab space (Ottosson 2020, "A perceptual color space for image processing"), where equal
 * distances look equal, and contrast by the Web Content Accessibility Guidelines 2.2.
 */
#include "report/colour.h"

#include <math.h>

typedef struct triple {
    double a, b, c;
} triple;

static double to_linear(double s) {
    return s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4);
}
static double to_srgb(double l) {
    return l <= 0.0031308 ? l * 12.92 : 1.055 * pow(l, 1 / 2.4) - 0.055;
}

static triple linear_of(report_colour colour) {
    return (triple){to_linear((colour >> 16 & 0xFF) / 255.0), to_linear((colour >> 8 & 0xFF) / 255.0),
                    to_linear((colour & 0xFF) / 255.0)};
}

static triple multiply(const double m[9], triple v) {
    return (triple){m[0] * v.a + m[1] * v.b + m[2] * v.c, m[3] * v.a + m[4] * v.b + m[5] * v.c,
                    m[6] * v.a + m[7] * v.b + m[8] * v.c};
}

static triple oklab_of(report_colour colour) {
    static const double to_cones[] = {0.4122214708, 0.5363325363, 0.0514459929, 0.2119034982, 0.6806995451,
                                      0.1073969566, 0.0883024619, 0.2817188376, 0.6299787005};
    static const double to_lab[] = {0.2104542553, 0.7936177850, -0.0040720468, 1.9779984951, -2.4285922050,
                                    0.4505937099, 0.0259040371, 0.7827717662,  -0.8086757660};
    triple cones = multiply(to_cones, linear_of(colour));
    return multiply(to_lab, (triple){cbrt(cones.a), cbrt(cones.b), cbrt(cones.c)});
}

static report_colour byte_of(double linear) {
    double s = to_srgb(fmin(fmax(linear, 0), 1));
    return (report_colour)lround(s * 255);
}

static report_colour colour_of(triple lab) {
    static const double to_cones[] = {1, 0.3963377774,  0.2158037573, 1, -0.1055613458, -0.0638541728,
                                      1, -0.0894841775, -1.2914855480};
    static const double to_rgb[] = {4.0767416621,  -3.3077115913, 0.2309699292,  -1.2684380046, 2.6097574011,
                                    -0.3413193965, -0.0041960863, -0.7034186147, 1.7076147010};
    triple roots = multiply(to_cones, lab);
    triple rgb = multiply(to_rgb, (triple){pow(roots.a, 3), pow(roots.b, 3), pow(roots.c, 3)});
    return byte_of(rgb.a) << 16 | byte_of(rgb.b) << 8 | byte_of(rgb.c);
}

report_colour report_mix(report_colour from, report_colour to, double t) {
    triple a = oklab_of(from), b = oklab_of(to);
    return colour_of((triple){a.a + t * (b.a - a.a), a.b + t * (b.b - a.b), a.c + t * (b.c - a.c)});
}

static double luminance(report_colour colour) {
    triple l = linear_of(colour);
    return 0.2126 * l.a + 0.7152 * l.b + 0.0722 * l.c;
}

double report_contrast(report_colour a, report_colour b) {
    double x = luminance(a), y = luminance(b);
    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}
