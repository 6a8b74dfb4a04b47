/*
 * Ticks by the 1-2-5 rule: of all steps 1, 2, 5 x 10^k the smallest whose multiples cover the range with few
 * enough ticks. Logarithmic axes carry powers of ten where the range spans them, 1-2-5 in between where it is
 * short, and plain multiples where it is shorter still.
 */
#include "report/ticks.h"

#include <assert.h>
#include <math.h>

/* 1, 2 or 5 times 10^exponent. */
typedef struct step {
    int mantissa, exponent;
} step;

/* Whole powers are exact one way only: 3 x 0.1 is not 0.3, but 3 / 10 is. */
static double times_power(double value, int exponent) {
    if (exponent < -300) return value / 1e300 / pow(10, -exponent - 300);
    return exponent < 0 ? value / pow(10, -exponent) : value * pow(10, exponent);
}

static double step_size(step s) {
    return times_power(s.mantissa, s.exponent);
}

static step next_step(step s) {
    if (s.mantissa == 5) return (step){1, s.exponent + 1};
    return (step){s.mantissa == 1 ? 2 : 5, s.exponent};
}

/* Multiples of the step that enclose the range; a tick is not missed for a rounding error. */
static double first_multiple(double low, double size) {
    return floor(low / size + 1e-6);
}
static double last_multiple(double high, double size) {
    return ceil(high / size - 1e-6);
}

static bool covers(step s, double low, double high, int n_most) {
    double size = step_size(s);
    return last_multiple(high, size) - first_multiple(low, size) + 1 <= n_most;
}

static step choose_step(double low, double high, int n_most, bool whole) {
    double ideal = high / (n_most - 1) - low / (n_most - 1);
    step s = {1, (int)floor(log10(ideal)) - 1};
    if (whole && s.exponent < 0) s.exponent = 0;
    while (!covers(s, low, high, n_most)) s = next_step(s);
    return s;
}

report_ticks report_ticks_linear(double low, double high, int n_most, bool whole) {
    assert(n_most >= 3 && n_most <= REPORT_MAX_TICKS && low < high);
    step s = choose_step(low, high, n_most, whole);
    report_ticks ticks = {.step = step_size(s)};
    double first = first_multiple(low, ticks.step), last = last_multiple(high, ticks.step);
    for (int i = 0; first + i <= last && i < REPORT_MAX_TICKS; i++)
        ticks.at[ticks.n++] = times_power((first + i) * s.mantissa, s.exponent) + 0.0;
    return ticks;
}

void report_ticks_clip(report_ticks *ticks, double low, double high) {
    double slack = 1e-9 * (high - low);
    int n = 0;
    for (int i = 0; i < ticks->n; i++)
        if (ticks->at[i] >= low - slack && ticks->at[i] <= high + slack) ticks->at[n++] = ticks->at[i];
    ticks->n = n;
}

/* Powers of ten inside the range, every one or every 2nd, 3rd, 5th, 10th, ... */
static report_ticks powers(double low, double high, int n_most) {
    static const int strides[] = {1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300};
    report_ticks ticks = {0};
    int first = (int)ceil(log10(low) - 1e-9), last = (int)floor(log10(high) + 1e-9), k = 0;
    for (size_t i = 0; i < BASE_COUNT(strides); i++) {
        k = strides[i];
        if ((last - first) / k + 1 <= n_most) break;
    }
    for (int e = first + (k - first % k) % k; e <= last; e += k) ticks.at[ticks.n++] = times_power(1, e);
    return ticks;
}

/* 1, 2 and 5 times the powers of ten inside the range; n = 0 where these are too many. */
static report_ticks ones_twos_fives(double low, double high, int n_most) {
    report_ticks ticks = {0};
    for (step s = {1, (int)floor(log10(low)) - 1}; step_size(s) <= high; s = next_step(s)) {
        if (step_size(s) < low) continue;
        if (ticks.n == n_most) return (report_ticks){0};
        ticks.at[ticks.n++] = step_size(s);
    }
    return ticks;
}

report_ticks report_ticks_log(double low, double high, int n_most) {
    assert(n_most >= 3 && n_most <= REPORT_MAX_TICKS && low > 0 && low < high);
    report_ticks ticks = {0};
    if (high / low < 1e4) ticks = ones_twos_fives(low, high, n_most);
    if (ticks.n < 3) ticks = powers(low, high, n_most);
    if (ticks.n >= 3 || high / low >= 100) return ticks;
    ticks = report_ticks_linear(low, high, n_most, false);
    report_ticks_clip(&ticks, low, high);
    return ticks;
}

/* 10^exponent in raised figures. */
static void add_power(char *out, int exponent) {
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char digits[16], *end = out;
    base_print(digits, sizeof digits, "%d", exponent < 0 ? -exponent : exponent);
    end += base_print(end, 16, "10%s", exponent < 0 ? "⁻" : "");
    for (const char *d = digits; *d; d++) end += base_print(end, 8, "%s", raised[*d - '0']);
}

static double largest(const report_ticks *ticks) {
    return fmax(fabs(ticks->at[0]), fabs(ticks->at[ticks->n - 1]));
}

/* The power of ten that the numbers of an axis are divided by, and its name. */
typedef struct unit {
    int exponent;
    char name[REPORT_TICK_BYTES];
} unit;

static unit unit_of(double size) {
    static const struct {
        double from;
        unit unit;
    } named[] = {{1e15, {0, ""}}, {1e12, {12, "T"}}, {1e9, {9, "G"}},
                 {1e6, {6, "M"}}, {1.5e4, {3, "k"}}, {1e-3, {0, ""}}};
    if (size == 0) return (unit){0};
    for (size_t i = 1; i < BASE_COUNT(named); i++)
        if (size < named[i - 1].from && size >= named[i].from * (1 - 1e-9)) return named[i].unit;
    unit u = {.exponent = (int)floor(log10(size) + 1e-9)};
    base_print(u.name, sizeof u.name, "×");
    add_power(u.name + sizeof "×" - 1, u.exponent);
    return u;
}

/* Decimals that tell multiples of a step apart. */
static int decimals_of(double step_in_units) {
    int exponent = (int)floor(log10(step_in_units) + 1e-9);
    return exponent < 0 ? BASE_MIN(-exponent, 15) : 0;
}

static void print_tick(double value, double spacing, unit u, char out[REPORT_TICK_BYTES]) {
    double scaled = times_power(fabs(value), -u.exponent);
    int decimals = decimals_of(times_power(spacing, -u.exponent));
    if (decimals > 6 && u.exponent > 0 && u.exponent <= 12) {
        print_tick(value, spacing, (unit){0}, out);
        return;
    }
    base_print(out, REPORT_TICK_BYTES, "%s%.*f%s", value < 0 ? "−" : "", decimals, scaled,
               value == 0 ? "" : u.name);
}

/* 1, 2 or 5 times a power of ten, which needs no other number to be told apart from. */
static void print_lone_tick(double value, char out[REPORT_TICK_BYTES]) {
    int exponent = (int)floor(log10(value) + 1e-9);
    double mantissa = times_power(value, -exponent);
    if (exponent >= -3 && exponent < 4) {
        base_print(out, REPORT_TICK_BYTES, "%.5g", value);
        return;
    }
    if (mantissa > 1.5) out += base_print(out, 16, "%.0f×", mantissa);
    add_power(out, exponent);
}

void report_tick_text(const report_ticks *ticks, int i, char out[REPORT_TICK_BYTES]) {
    if (ticks->step == 0)
        print_lone_tick(ticks->at[i], out);
    else
        print_tick(ticks->at[i], ticks->step, unit_of(largest(ticks)), out);
}
