/* SPDX-License-Identifier: MIT */
/*
 * Texts that are requests or not. A file that includes this has included cmocka.h before.
 */
#pragma once

#include <string.h>

#include "request/request.h"
#include "sentence.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])
#define UUID          "8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6"

static const uint64_t four_gb = UINT64_C(4294967296);
static const uint8_t uuid_bytes[16] = {0x8F, 0x2B, 0x6A, 0x1C, 0x52, 0xDE, 0x4C, 0x11,
                                       0x9D, 0x0E, 0x3B, 0x7A, 0x90, 0xC4, 0xD5, 0xE6};
static const uint8_t no_uuid[16];

static inline void assert_read_bytes(const char *text, size_t len, uint64_t size,
                                     const uint8_t uuid[16])
{
    struct vhd_request request;
    struct vhd_verdict verdict;

    memset(&request, 0x5A, sizeof request);
    assert_int_equal(vhd_request_parse(text, len, &request, &verdict), VHD_OK);
    assert_int_equal(request.size, size);
    assert_memory_equal(request.uuid, uuid, 16);
    assert_int_equal(vhd_request_parse(text, len, &request, NULL), VHD_OK);
}

static inline void assert_refused_bytes(const char *text, size_t len, enum vhd_result expected)
{
    struct vhd_request request, before;
    struct vhd_verdict verdict;

    memset(&request, 0x5A, sizeof request);
    memcpy(&before, &request, sizeof before);
    memset(&verdict, '#', sizeof verdict);
    assert_int_equal(vhd_request_parse(text, len, &request, &verdict), expected);
    assert_int_equal(verdict.result, expected);
    assert_sentence(verdict.sentence);
    assert_int_equal(vhd_request_parse(text, len, &request, NULL), expected);
    assert_memory_equal(&request, &before, sizeof before);
}

static inline void assert_refused(const char *text, enum vhd_result expected)
{
    assert_refused_bytes(text, strlen(text), expected);
}

static inline void assert_invalid(const char *text)
{
    assert_refused(text, VHD_INVALID_ARGUMENT);
}
