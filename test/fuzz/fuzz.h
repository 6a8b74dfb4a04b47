/*
 * What the fuzzers share: a context that lives as long as the process, and the input as a file.
 */
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include "base/text.h"

/* libFuzzer calls this with every input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

truce_context *fuzz_context(void);

/* Path of a file in memory that holds the input, until the next call. */
const char *fuzz_file(const uint8_t *data, size_t n);

/* Stops the process if a property does not hold; the fuzzer then keeps the input. */
void fuzz_check(bool holds, const char *property);

#endif
