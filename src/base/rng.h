/*
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011).
 *
 * Nothing random has hidden state. A stream is named by (seed, purpose, a, b), for example ("shuffle",
 * epoch), so a run that resumes at an epoch or a step draws the same numbers as one that was never
 * interrupted.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

typedef struct base_rng {
    uint32_t key[2];
    uint32_t counter[4]; /* [0..1] count blocks, [2..3] name the stream */
    uint32_t block[4];
    unsigned n_left; /* unused words of block */
} base_rng;

/* One block: out = Philox4x32-10(counter, key). */
void base_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The stream of `seed` that serves `purpose`, told apart further by two numbers (epoch, step, row, ...). */
base_rng base_rng_make(uint64_t seed, const char *purpose, uint64_t a, uint64_t b);

uint32_t base_rng_u32(base_rng *rng);
uint64_t base_rng_u64(base_rng *rng);

/* Uniform in [0, 1), 53 random bits. */
double base_rng_uniform(base_rng *rng);

/* Standard normal (Box-Muller, one of the pair). */
double base_rng_normal(base_rng *rng);

/* Uniform in 0 .. n-1 without bias; n > 0. */
uint64_t base_rng_below(base_rng *rng, uint64_t n);

/* Fisher-Yates. */
void base_rng_shuffle(base_rng *rng, int64_t *items, int64_t n);

/* Mixes two numbers into one: for seeds derived from seeds (SplitMix64's finaliser). */
uint64_t base_mix(uint64_t a, uint64_t b);

/* FNV-1a of a text. */
uint64_t base_hash_text(const char *text);

#endif
