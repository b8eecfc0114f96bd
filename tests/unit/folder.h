/* SPDX-License-Identifier: MIT */
/*
 * The folder of a store. A file that includes this has included cmocka.h before.
 */
#pragma once

#include "scratch.h"
#include "store/store.h"

static inline struct vhd_store *open_store(const char *path, unsigned flags)
{
    struct vhd_store *store;
    struct vhd_verdict verdict;
    assert_int_equal(vhd_store_open(path, flags, &store, &verdict), VHD_OK);
    return store;
}

static inline void refuses(const char *path, unsigned flags, enum vhd_result result)
{
    struct vhd_store *store = NULL;
    struct vhd_verdict verdict = {0};

    assert_int_equal(vhd_store_open(path, flags, &store, &verdict), result);
    assert_null(store);
    assert_int_equal(verdict.result, result);
    assert_true(*verdict.sentence);
}
