#include "base/rng.h"

#include <math.h>

#define TWO_PI 6.283185307179586476925

static void philox_round(uint32_t c[4], const uint32_t key[2]) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];
    uint32_t r0 = (uint32_t)(p1 >> 32) ^ c[1] ^ key[0], r2 = (uint32_t)(p0 >> 32) ^ c[3] ^ key[1];
    c[1] = (uint32_t)p1;
    c[3] = (uint32_t)p0;
    c[0] = r0;
    c[2] = r2;
}

void base_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
    uint32_t k[2] = {key[0], key[1]};
    for (int round = 0; round < 10; round++) {
        philox_round(c, k);
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    for (int i = 0; i < 4; i++) out[i] = c[i];
}

uint64_t base_mix(uint64_t a, uint64_t b) {
    uint64_t z = a + 0x9E3779B97F4A7C15u * (b + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t base_hash_text(const char *text) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001B3u;
    return hash;
}

base_rng base_rng_make(uint64_t seed, const char *purpose, uint64_t a, uint64_t b) {
    uint64_t key = base_mix(seed, base_hash_text(purpose)), stream = base_mix(a, b);
    return (base_rng){.key = {(uint32_t)key, (uint32_t)(key >> 32)},
                      .counter = {0, 0, (uint32_t)stream, (uint32_t)(stream >> 32)}};
}

uint32_t base_rng_u32(base_rng *rng) {
    if (rng->n_left == 0) {
        base_philox(rng->counter, rng->key, rng->block);
        if (++rng->counter[0] == 0) ++rng->counter[1];
        rng->n_left = 4;
    }
    return rng->block[--rng->n_left];
}

uint64_t base_rng_u64(base_rng *rng) {
    uint64_t high = base_rng_u32(rng);
    return high << 32 | base_rng_u32(rng);
}

double base_rng_uniform(base_rng *rng) {
    return (double)(base_rng_u64(rng) >> 11) * 0x1p-53;
}

double base_rng_normal(base_rng *rng) {
    double radius = sqrt(-2 * log(1 - base_rng_uniform(rng)));
    return radius * cos(TWO_PI * base_rng_uniform(rng));
}

uint64_t base_rng_below(base_rng *rng, uint64_t n) {
    uint64_t reject_below = (0 - n) % n; /* 2^64 mod n */
    for (;;) {
        uint64_t x = base_rng_u64(rng);
        if (x >= reject_below) return x % n;
    }
}

void base_rng_shuffle(base_rng *rng, int64_t *items, int64_t n) {
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)base_rng_below(rng, (uint64_t)i + 1), kept = items[i];
        items[i] = items[j];
        items[j] = kept;
    }
}
