/* SPDX-License-Identifier: MIT */
/*
 * A store full of disks, and its catalogue. A file that includes this has included cmocka.h before.
 */
#pragma once

#include "image/catalogue.h"
#include "sample.h"
#include "scratch.h"

struct disks {
    struct vhd_store *store;
    struct vhd_catalogue *catalogue;
};

static inline struct disks disks_open(const char *path)
{
    struct disks disks;
    assert_int_equal(vhd_store_open(path, 0, &disks.store, NULL), VHD_OK);
    disks.catalogue = vhd_catalogue_new(disks.store);
    assert_non_null(disks.catalogue);
    return disks;
}

static inline void disks_close(struct disks disks)
{
    vhd_catalogue_unref(disks.catalogue);
    vhd_store_unref(disks.store);
}

/* Put an image into a folder and release it. */
static inline void put(const char *folder, const char *file, struct sample sample)
{
    scratch_put(folder, file, sample.bytes, sample.len);
    free(sample.bytes);
}
