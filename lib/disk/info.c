#include "disk/info.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "disk/chain.h"
#include "disk/parent.h"
#include "disk/split.h"

/*
 * What is wrong with the parents of a disk is its fault too. The image has been judged to be
 * readable, so that all but a remark on the parent is worse than what is wrong with it itself.
 * That the chain cannot be read just now is one of its parents' faults.
 */
static void judge_chain(const struct vhd_store *store, int fd, struct vhd_image *image)
{
    struct vhd_layer top = {.fd = fd, .image = *image};
    struct vhd_fault fault;

    vhd_chain_open(store, &top, VHD_LAYER_LOOK, &fault);
    vhd_layer_close(top.parent);
    if (image->fault.defect == VHD_SOUND ||
        (fault.defect != VHD_SOUND && !vhd_defect_is_remark(fault.defect)))
        image->fault = fault;
}

/* Judge all of an image. */
static bool judge_whole(const struct vhd_store *store, int fd, struct vhd_image *ret)
{
    if (!vhd_image_judge(fd, ret))
        return false;
    if (vhd_image_is_differencing(ret))
        judge_chain(store, fd, ret);
    return true;
}

static bool judge_outside(const struct vhd_store *store, int fd, struct vhd_image *ret)
{
    (void)store;
    return vhd_image_read(fd, ret);
}

/* Read about a disk, by judging its image in one way or the other. */
static int read_with(const struct vhd_store *store, const char *name,
                     bool (*judge)(const struct vhd_store *store, int fd, struct vhd_image *ret),
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

    AUTO_CLOSE int fd = vhd_store_open_to_look(store, ret->file);
    if (fd < 0) {
        ret->image.length = (uint64_t)attributes.st_size;
        vhd_fault_set(&ret->image.fault, VHD_UNREADABLE, "%s", strerrordesc_np(-fd));
        return 0;
    }
    judge(store, fd, &ret->image);
    vhd_split_judge(store, ret->file, &ret->image);
    if (vhd_image_is_differencing(&ret->image))
        vhd_parent_name(store, fd, &ret->image.header, ret->parent);
    return 0;
}

int vhd_info_look(const struct vhd_store *store, const char *name, struct vhd_info *ret)
{
    return read_with(store, name, judge_outside, ret);
}

int vhd_info_read(const struct vhd_store *store, struct vhd_children *children, const char *name,
                  struct vhd_info *ret)
{
    int err = read_with(store, name, judge_whole, ret);
    if (err == 0 && ret->image.has_footer)
        err = vhd_children_count(children, ret->file, ret->image.footer.uuid, &ret->children);
    return err;
}
