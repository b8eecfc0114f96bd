/*
 * A target for libFuzzer, built with -Dfuzz=true by clang: what is done with an image. The store is
 * the folder that VHD_FUZZ_STORE names, which may be the corpus' good/; seeds are its images.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t room);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct harness *harness;

    if (!harness)
        harness = harness_new(getenv("VHD_FUZZ_STORE") ? getenv("VHD_FUZZ_STORE") : ".");
    harness_use(harness, bytes, len);
    return 0;
}

/* Checksums would keep it from ever seeing more than they guard. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed)
{
    len = LLVMFuzzerMutate(bytes, len, room);
    if (len >= 1024 && seed % 2 == 0)
        memcpy(bytes + len - 512, bytes, 512);
    if (seed % 8 != 0)
        harness_seal(bytes, len);
    return len;
}
