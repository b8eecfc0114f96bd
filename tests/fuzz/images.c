/* SPDX-License-Identifier: MIT */
/*
 * A target: a whole image. The store is the folder in VHD_FUZZ_STORE, which may be good/ of the
 * corpus. The seeds are the images of the corpus.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "target.h"

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t capacity, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t capacity);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct harness *harness;

    if (!harness)
        harness = harness_new(getenv("VHD_FUZZ_STORE") ? getenv("VHD_FUZZ_STORE") : ".");
    harness_use(harness, bytes, len);
    return 0;
}

/* With wrong checksums the fuzzer would never reach the code behind their check. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t capacity, unsigned seed)
{
    len = LLVMFuzzerMutate(bytes, len, capacity);
    if (len >= 1024 && seed % 2 == 0)
        memcpy(bytes + len - 512, bytes, 512);
    if (seed % 8 != 0)
        harness_seal(bytes, len);
    return len;
}
