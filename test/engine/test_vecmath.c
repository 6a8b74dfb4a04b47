/*
 * Elementary functions in single precision, as the operators of every backend compute them, against the C
 * library in double: over every STEP-th bit pattern of all floats, in units in the last place of the result.
 */
#include "support/test.h"

#include "base/memory.h"
#include "support/op_cases.h"

#include <math.h>

enum { STEP = 2503, CHUNK = 1 << 16 };

static double softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
static double sigmoid(double x) {
    return x > 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}
static double gelu(double x) {
    return 0.5 * x * erfc(-x / sqrt(2));
}
/* The most that each may be wrong, in units in the last place. gelu keeps its digits in the lower tail, where
 * it is a small difference. */
static const struct {
    op_case c;
    double (*exact)(double x);
    double most_ulp;
} functions[] = {
    {{"exp", "r65536", b_exp, {0}}, exp, 1.2},
    {{"log", "r65536", b_log, {0}}, log, 1.2},
    {{"tanh", "r65536", b_tanh, {0}}, tanh, 1.6},
    {{"sigmoid", "r65536", b_sigmoid, {0}}, sigmoid, 2.5},
    {{"softplus", "r65536", b_softplus, {0}}, softplus, 2.5},
    {{"gelu", "r65536", b_gelu, {0}}, gelu, 10},
};

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Distance of two floats around the float nearest to x. */
static double ulp(double x) {
    int exponent;
    frexp(x, &exponent);
    return ldexp(1, exponent < -125 ? -149 : exponent - 24);
}

/* Error of one value in units in the last place; what is not finite must be the same. */
static double error_of(float found, double exact) {
    if (isnan(exact)) return isnan(found) ? 0 : INFINITY;
    if (isinf((float)exact) || isinf(found)) return found == (float)exact ? 0 : INFINITY;
    return fabs((double)found - exact) / ulp(exact);
}

/* Fills in one chunk of the sweep; false after the last. */
static bool next_chunk(float *x, uint64_t *bits) {
    if (*bits > UINT32_MAX) return false;
    for (int i = 0; i < CHUNK; i++) {
        x[i] = from_bits((uint32_t)*bits);
        if (*bits <= UINT32_MAX) *bits += STEP;
    }
    return true;
}

static double largest_error(op_call *call, double (*exact)(double x), float *at) {
    uint64_t bits = 0;
    double worst = 0;
    float *x = call->in[0];
    const float *y = call->call.out;
    while (next_chunk(x, &bits)) {
        op_forward(call);
        for (int i = 0; i < CHUNK; i++) {
            double error = error_of(y[i], exact((double)x[i]));
            if (!(error <= worst)) worst = error, *at = x[i];
        }
    }
    return worst;
}

static void functions_are_as_exact_as_stated(void **state) {
    for (int b = 0; engine_backend_name_at(b); b++) {
        const engine_backend *backend = engine_backend_named(engine_backend_name_at(b));
        if (!backend || backend->dtype != TRUCE_FLOAT32) continue;
        for (size_t f = 0; f < BASE_COUNT(functions); f++) {
            op_call call;
            float at = 0;
            op_manner manner = {.backend = backend, .n_rows = 1};
            assert_ok(*state, op_open(*state, &functions[f].c, &manner, &call));
            double worst = largest_error(&call, functions[f].exact, &at);
            printf("%s %s: %.2f ulp at %.9g\n", backend->name, functions[f].c.op, worst, (double)at);
            assert_true(worst <= functions[f].most_ulp);
            op_close(&call);
        }
    }
}

/* Values where functions often fail. */
static void special_values_are_exact(void **state) {
    static const float x[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-45f, -1e-45f, 3.4e38f, -3.4e38f};
    for (int b = 0; engine_backend_name_at(b); b++) {
        const engine_backend *backend = engine_backend_named(engine_backend_name_at(b));
        if (!backend || backend->dtype != TRUCE_FLOAT32) continue;
        for (size_t f = 0; f < BASE_COUNT(functions); f++) {
            op_call call;
            op_manner manner = {.backend = backend, .n_rows = 1};
            assert_ok(*state, op_open(*state, &functions[f].c, &manner, &call));
            memcpy(call.in[0], x, sizeof x);
            op_forward(&call);
            for (size_t i = 0; i < BASE_COUNT(x); i++) {
                float found = ((const float *)call.call.out)[i];
                double exact = functions[f].exact((double)x[i]);
                if (isnan(exact) && isinf(x[i])) continue; /* 0 times infinity in gelu */
                if (!(error_of(found, exact) <= 1))
                    fail_msg("%s %s(%g) is %g, not %g", backend->name, functions[f].c.op, (double)x[i],
                             (double)found, exact);
            }
            op_close(&call);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(functions_are_as_exact_as_stated),
        TEST(special_values_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
