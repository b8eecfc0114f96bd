/* SPDX-License-Identifier: MIT */
/*
 * The rules for every sentence that a user reads, as an assertion. A file that includes this has
 * included cmocka.h before.
 */
#pragma once

#include <string.h>

#include "base/utf.h"

/* One line of UTF-8, not empty, without a full stop and without the word "error". */
static inline void assert_sentence(const char *sentence)
{
    assert_non_null(sentence);
    size_t len = strlen(sentence);
    assert_true(len > 0);
    assert_int_not_equal(sentence[len - 1], '.');
    assert_null(strcasestr(sentence, "error"));
    for (const char *at = sentence; *at != '\0';) {
        int32_t c = vhd_utf8_next(&at);
        assert_true(c >= ' ' && c != 0x7F);
    }
}
