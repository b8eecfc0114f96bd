/* SPDX-License-Identifier: MIT */
#include "disk/fixed.h"

#include <string.h>

#include "disk/state.h"

void vhd_disk_fixed_footer(const struct vhd_disk *disk, struct vhd_footer_disk *ret)
{
    static const char name[] = "fixed.vhd";
    const struct vhd_footer *own = &disk->top->image.footer;
    struct vhd_footer footer = vhd_footer_of(VHD_TYPE_FIXED, own->current_size, own->timestamp);

    uuid_generate_sha1(footer.uuid, own->uuid, name, strlen(name));
    vhd_footer_encode(&footer, ret);
}
