/*
 * Which library multiplies matrices fastest here?
 *
 *     bench_blas [LIBRARY.so ...]
 *
 * Loads each library (default: OpenBLAS, BLIS and oneDNN by their usual names; what is not installed is
 * skipped), and times single-precision products of the shapes that training makes, on one thread, library
 * after library in turn. Prints GFLOP/s: the median over repeats, with the extremes.
 */
#include "bench.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

typedef void (*sgemm_fn)(const char *ta, const char *tb, const int *m, const int *n, const int *k,
                         const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
                         const float *beta, float *c, const int *ldc);
typedef int (*dnnl_sgemm_fn)(char ta, char tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                             int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

typedef struct library {
    const char *name;
    sgemm_fn blas;
    dnnl_sgemm_fn dnnl;
} library;

/* C [m][n] = op(A) op(B), row-major. */
typedef struct shape {
    int m, n, k;
    bool ta, tb;
    const char *what;
} shape;

static const shape shapes[] = {
    {32, 32, 16, false, true, "tiny layer, forward"},
    {128, 128, 64, false, true, "small layer, forward"},
    {128, 128, 128, true, false, "small layer, weight gradient"},
    {128, 10, 128, false, true, "narrow head, forward"},
    {256, 512, 512, false, true, "layer, forward"},
    {512, 512, 256, true, false, "layer, weight gradient"},
    {256, 512, 512, false, false, "layer, input gradient"},
    {64, 1024, 576, false, false, "convolution, one picture"},
    {1024, 1024, 1024, false, false, "square"},
};

typedef struct product {
    const library *library;
    const shape *shape;
    float *a, *b, *c;
} product;

static void multiply(void *arg) {
    const product *p = arg;
    const shape *s = p->shape;
    float one = 1, zero = 0;
    int lda = s->ta ? s->m : s->k, ldb = s->tb ? s->k : s->n;
    if (p->library->dnnl)
        p->library->dnnl(s->ta ? 'T' : 'N', s->tb ? 'T' : 'N', s->m, s->n, s->k, 1, p->a, lda, p->b, ldb, 0,
                         p->c, s->n);
    else
        p->library->blas(s->tb ? "T" : "N", s->ta ? "T" : "N", &s->n, &s->m, &s->k, &one, p->b, &ldb, p->a,
                         &lda, &zero, p->c, &s->n);
}

static bool load(const char *name, library *out) {
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return false;
    *out = (library){.name = name};
    void *dnnl = dlsym(handle, "dnnl_sgemm"), *blas = dlsym(handle, "sgemm_"), *threads;
    memcpy(&out->dnnl, &dnnl, sizeof dnnl);
    memcpy(&out->blas, &blas, sizeof blas);
    void (*set_threads)(int);
    threads = dlsym(handle, "openblas_set_num_threads");
    memcpy(&set_threads, &threads, sizeof threads);
    if (set_threads) set_threads(1);
    return dnnl || blas;
}

static float *matrix(int rows, int columns) {
    size_t n = (size_t)rows * (size_t)columns;
    float *values = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64);
    if (!values) exit(1);
    bench_fill(values, (int64_t)n);
    return values;
}

static void measure(const shape *s, const library *libraries, int n) {
    enum { MOST = 8 };
    double rates[MOST][BENCH_REPEATS];
    product p = {.shape = s, .a = matrix(s->m, s->k), .b = matrix(s->k, s->n), .c = matrix(s->m, s->n)};
    for (int r = 0; r < BENCH_REPEATS; r++)
        for (int i = 0; i < n; i++) {
            p.library = &libraries[i];
            rates[i][r] = 2e-9 * s->m * s->n * s->k / bench_time(multiply, &p, 0.02);
        }
    for (int i = 0; i < n; i++) {
        double middle = bench_median(rates[i], BENCH_REPEATS);
        printf("{\"case\": \"%s\", \"m\": %d, \"n\": %d, \"k\": %d, \"library\": \"%s\", \"gflops\": %.1f, "
               "\"low\": %.1f, \"high\": %.1f}\n",
               s->what, s->m, s->n, s->k, libraries[i].name, middle, rates[i][0],
               rates[i][BENCH_REPEATS - 1]);
    }
    free(p.c);
    free(p.b);
    free(p.a);
}

int main(int argc, char **argv) {
    static const char *const usual[] = {"libopenblas.so.0", "libblis.so.4", "libdnnl.so.2"};
    library libraries[8];
    int n = 0, n_names = argc > 1 ? argc - 1 : (int)BASE_COUNT(usual);
    setenv("OMP_NUM_THREADS", "1", 1);
    for (int i = 0; i < n_names && n < 8; i++) {
        const char *name = argc > 1 ? argv[i + 1] : usual[i];
        if (load(name, &libraries[n]))
            n++;
        else
            fprintf(stderr, "%s is not there\n", name);
    }
    for (size_t i = 0; i < BASE_COUNT(shapes); i++) measure(&shapes[i], libraries, n);
    return 0;
}
