/* SPDX-License-Identifier: MIT */
#include "image/info.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "image/chain.h"
#include "image/layout.h"
#include "image/parent.h"
#include "image/split.h"

/*
 * Merge the fault of a disk's chain into its own. The image is readable, so its own fault is mild:
 * only a remark on a parent is milder. A chain that cannot be read now is a fault of one of its
 * parents.
 */
static void judge_chain(const struct vhd_store *store, struct vhd_layer *top, struct vhd_info *info)
{
    struct vhd_fault *fault = &info->image.fault, chain;

    if (vhd_chain_open(store, top, VHD_LAYER_HEADERS, &chain) == 0) {
        for (const struct vhd_layer *layer = top; layer; layer = layer->parent)
            info->depth++;
    }
    vhd_layer_close(top->parent);
    if (fault->defect == VHD_SOUND ||
        (chain.defect != VHD_SOUND && !vhd_defect_is_remark(chain.defect)))
        *fault = chain;
}

/* Measure the bytes between the last block and the footer; a failure is a fault. */
static void measure_slack(const struct vhd_layer *top, struct vhd_info *info)
{
    const struct vhd_image *image = &top->image;
    uint64_t end = image->footer.current_size;

    if (image->has_header) {
        int err = vhd_layout_end(top, &end);
        if (err < 0) {
            vhd_fault_set(&info->image.fault, VHD_UNREADABLE, "%s", strerrordesc_np(-err));
            return;
        }
    }
    info->slack = end < image->footer_at ? image->footer_at - end : 0;
    info->has_slack = true;
}

/* Judge all of an image and its chain. */
static void judge_whole(const struct vhd_store *store, int fd, struct vhd_info *info)
{
    struct vhd_layer top = {.fd = fd};

    if (!vhd_image_load(fd, &info->image, &top.table))
        return;
    top.image = info->image;
    measure_slack(&top, info);
    if (vhd_image_is_differencing(&info->image))
        judge_chain(store, &top, info);
    else
        info->depth = 1;
    free(top.table);
}

static void judge_outside(const struct vhd_store *store, int fd, struct vhd_info *info)
{
    (void)store;
    vhd_image_read(fd, &info->image);
}

/* Read about a disk; judge() reads its image. */
static int read_with(const struct vhd_store *store, const char *name,
                     void (*judge)(const struct vhd_store *store, int fd, struct vhd_info *info),
                     struct vhd_info *ret)
{
    struct stat attributes;

    memset(ret, 0, sizeof *ret);
    int err = vhd_store_find(store, name, ret->file, &attributes);
    if (err < 0)
        return err;
    snprintf(ret->name, sizeof ret->name, "%s", name);
    ret->used = (uint64_t)attributes.st_blocks * 512;
    ret->changed = attributes.st_mtim;

    AUTO_CLOSE int fd = vhd_store_open_unlocked(store, ret->file);
    if (fd < 0) {
        ret->image.length = (uint64_t)attributes.st_size;
        vhd_fault_set(&ret->image.fault, VHD_UNREADABLE, "%s", strerrordesc_np(-fd));
        return 0;
    }
    judge(store, fd, ret);
    vhd_split_judge(store, ret->file, &ret->image);
    if (vhd_image_is_differencing(&ret->image))
        vhd_parent_name(store, fd, &ret->image.header, ret->parent);
    return 0;
}

int vhd_info_read(const struct vhd_store *store, const char *name, struct vhd_info *ret)
{
    return read_with(store, name, judge_outside, ret);
}

int vhd_info_read_all(struct vhd_catalogue *catalogue, const char *name, struct vhd_info *ret)
{
    int err = read_with(vhd_catalogue_store(catalogue), name, judge_whole, ret);
    if (err == 0 && ret->image.has_footer)
        err = vhd_catalogue_count_children(catalogue, ret->file, ret->image.footer.uuid,
                                           &ret->children);
    return err;
}
