/* SPDX-License-Identifier: MIT */
/*
 * A fault ends the test. It is printed with the latest deeds at that place.
 */
#pragma once

#include <stdint.h>

#include "ledger.h"

/* Start the record of deeds. Each fault prints the seed. */
void fault_begin(uint64_t seed);

/* A deed: one call on a range of a disk. */
struct deed {
    const char *what;
    const struct ledger *ledger;
    unsigned worker;
    int err; /* 0 or the negative errno */
    uint64_t off, len;
    uint64_t value;      /* stamp of a shared write without its sector; or 0 */
    uint64_t begin, end; /* by the ledger's clock; end is 0 while it runs */
};

/* Record a deed that begins now. The caller passes the result to deed_end(). */
struct deed *deed_begin(const struct deed *deed);

/* Record the end of a deed and its result. */
void deed_end(struct deed *deed, int err);

/* Print a fault at byte off of a disk, and end the test. */
_Noreturn void fault(const struct ledger *ledger, uint64_t off, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Two ranges differ that should be equal. */
_Noreturn void fault_of_content(const struct ledger *ledger, const uint8_t *got,
                                const uint8_t *expected, uint64_t len, uint64_t off);

/* After a failed deed, a sector or a part of one has neither its old content nor the new. */
_Noreturn void fault_of_mixture(const struct ledger *ledger, const uint8_t *got,
                                const uint8_t *before, const uint8_t *after, uint64_t len,
                                uint64_t off);

/* A shared sector holds a value that no order of the writes explains. */
_Noreturn void fault_of_sector(const struct ledger *ledger, const uint8_t *got, uint64_t off,
                               const char *wrong);
