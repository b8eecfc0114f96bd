/* SPDX-License-Identifier: MIT */
/*
 * Words that are sizes or not. A file that includes this has included cmocka.h before.
 */
#pragma once

#include "request/size.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const uint64_t untouched = UINT64_C(0x5A5A5A5A5A5A5A5A);
