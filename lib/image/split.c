/* SPDX-License-Identifier: MIT */
#include "image/split.h"

#include <stdio.h>

#include "request/name.h"

bool vhd_split_judge(const struct vhd_store *store, const char *file, struct vhd_image *image)
{
    static const char *const endings[] = {".v01", ".V01"};
    const bool lacks_end = !image->has_footer || image->footer_at == image->length;
    char next[NAME_MAX + 1];

    for (size_t i = 0; lacks_end && i < sizeof endings / sizeof *endings; i++) {
        snprintf(next, sizeof next, "%.*s%s", (int)vhd_name_stem_length(file), file, endings[i]);
        if (vhd_store_has_other(store, next)) {
            vhd_fault_set(&image->fault, VHD_SPLIT, "\"%s\" is there", next);
            return true;
        }
    }
    return false;
}
