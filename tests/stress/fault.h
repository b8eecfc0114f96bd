/*
 * What was found wrong: told with all that was done there lately, and the end of the test.
 */
#pragma once

#include <stdint.h>

#include "ledger.h"

/* Begin to keep what is done; the seed is printed with each fault. */
void fault_begin(uint64_t seed);

/* Something that is done to a range of a disk. */
struct deed {
    const char *what;
    const struct ledger *ledger;
    unsigned worker;
    int err; /* how it ended */
    uint64_t off, len;
    uint64_t value;      /* what a shared sector was stamped with, but for the sector; or 0 */
    uint64_t begin, end; /* of the ledger's clock; end is 0 while it goes on */
};

/* Remember a deed that begins now; returns where its end is to be noted. */
struct deed *deed_begin(const struct deed *deed);

/* It has ended. */
void deed_end(struct deed *deed, int err);

/* Tell what is wrong at a byte of a disk, and end the test. */
_Noreturn void fault(const struct ledger *ledger, uint64_t off, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Two stretches that should be the same are not. */
_Noreturn void fault_of_content(const struct ledger *ledger, const uint8_t *got,
                                const uint8_t *expected, uint64_t len, uint64_t off);

/* A sector, or a part of one, is neither as before a deed that has failed nor as after it. */
_Noreturn void fault_of_mixture(const struct ledger *ledger, const uint8_t *got,
                                const uint8_t *before, const uint8_t *after, uint64_t len,
                                uint64_t off);

/* A shared sector holds what it must not. */
_Noreturn void fault_of_sector(const struct ledger *ledger, const uint8_t *got, uint64_t off,
                               const char *wrong);
