/* SPDX-License-Identifier: MIT */
/*
 * A target uses one input and aborts if that does harm, or if a promise of the library is broken.
 * libFuzzer, AFL++ and drive.c call it by the names that libFuzzer gives.
 */
#pragma once

#include <err.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A promise of the library; the program aborts where it is broken. */
#define PROMISE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            warnx("%s, line %d: %s", __FILE__, __LINE__, #condition);                              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
