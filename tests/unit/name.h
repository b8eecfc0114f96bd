/* SPDX-License-Identifier: MIT */
/*
 * Names that are allowed or forbidden. A file that includes this has included cmocka.h before.
 */
#pragma once

#include "request/name.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static inline void assert_allowed(const char *name)
{
    struct vhd_verdict verdict;
    assert_int_equal(vhd_name_judge(name, &verdict), VHD_OK);
    assert_int_equal(vhd_name_judge(name, NULL), VHD_OK);
}
