/* SPDX-License-Identifier: MIT */
#include "image/chain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "image/parent.h"
#include "image/split.h"
#include "request/name.h"

/*
 * Judge whether this is the parent that the child was made from. Block sizes may differ, and
 * XenServer enlarges children.
 *
 * Source: VHD specification 1.0, "Splitting Hard Disk Images" and "Differencing Hard Disks".
 */
static enum vhd_defect judge_parent(const struct vhd_image *child, const struct vhd_image *parent,
                                    const char *name, struct vhd_fault *ret)
{
    char recorded[UUID_STR_LEN], found[UUID_STR_LEN];

    if (uuid_compare(child->header.parent_uuid, parent->footer.uuid) != 0) {
        uuid_unparse_lower(child->header.parent_uuid, recorded);
        uuid_unparse_lower(parent->footer.uuid, found);
        return vhd_fault_set(ret, VHD_OTHER_PARENT, "\"%s\" is %s, expected %s", name, found,
                             recorded);
    }
    if (child->footer.current_size < parent->footer.current_size)
        return vhd_fault_set(ret, VHD_OTHER_SIZE, "\"%s\" has %" PRIu64 " bytes, expected %" PRIu64,
                             name, parent->footer.current_size, child->footer.current_size);
    return VHD_SOUND;
}

/* Add to the fault that a parent is smaller than its child, behind an earlier remark. */
static void judge_size(const struct vhd_image *child, const struct vhd_image *parent,
                       const char *name, struct vhd_fault *ret)
{
    struct vhd_fault smaller, told = *ret;

    if (child->footer.current_size == parent->footer.current_size)
        return;
    vhd_fault_set(&smaller, VHD_PARENT_SMALLER, "\"%s\" has %" PRIu64 " bytes of %" PRIu64, name,
                  parent->footer.current_size, child->footer.current_size);
    if (told.defect == VHD_SOUND)
        *ret = smaller;
    else
        vhd_fault_set_whole(ret, told.defect, "%s; %s", told.sentence, smaller.sentence);
}

static void format_time(int64_t seconds, char ret[32])
{
    const time_t time = (time_t)seconds;
    struct tm tm;

    if (!gmtime_r(&time, &tm) || strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(ret, 32, "%" PRId64, seconds);
}

/* Note a parent's mtime that differs from the child's record; some programs record none. */
static void judge_time(const struct vhd_image *child, int parent_fd, const char *name,
                       struct vhd_fault *ret)
{
    const int64_t recorded = VHD_EPOCH + child->header.parent_timestamp;
    struct stat attributes;
    char changed[32], expected[32];

    if (child->header.parent_timestamp == 0 || fstat(parent_fd, &attributes) < 0 ||
        attributes.st_mtim.tv_sec == recorded)
        return;
    format_time(attributes.st_mtim.tv_sec, changed);
    format_time(recorded, expected);
    vhd_fault_set(ret, VHD_PARENT_TOUCHED, "\"%s\" was last changed at %s, expected %s", name,
                  changed, expected);
}

/* Is this file a layer of the chain already? Then the chain has no end. */
static bool is_in_chain(const struct vhd_store *store, const struct vhd_layer *top,
                        const char *file)
{
    for (const struct vhd_layer *layer = top; layer; layer = layer->parent) {
        if (vhd_store_confirm(store, file, layer->fd) == 0)
            return true;
    }
    return false;
}

/* Find the parent's name and file, and refuse one that is in the chain already. */
static int find_parent(const struct vhd_store *store, const struct vhd_layer *top,
                       struct vhd_layer *child, char file[NAME_MAX + 1], struct vhd_fault *ret)
{
    const char *name = child->parent_name;

    vhd_parent_find(store, child->fd, &child->image.header, child->parent_name, file);
    if (!*name)
        vhd_fault_set(ret, VHD_NO_PARENT, "no name is recorded");
    else if (!*file)
        vhd_fault_set(ret, VHD_NO_PARENT, "\"%s\"", name);
    else if (is_in_chain(store, top, file))
        vhd_fault_set(ret, VHD_CHAIN_TOO_LONG, "it comes back to \"%s\"", name);
    return ret->defect == VHD_SOUND ? 0 : -EUCLEAN;
}

/*
 * A parent without identity is a raw file, unless its name is that of a VHD.
 *
 * Source: blktap, vhd/lib/libvhd.c, vhd_parent_raw().
 */
static bool is_raw(const struct vhd_layer *child, const char *file)
{
    return uuid_is_null(child->image.header.parent_uuid) &&
           vhd_name_stem_length(file) == strlen(file);
}

/* The words for an errno of vhd_layer_open(). */
static const char *why_not_open(int err)
{
    switch (err) {
    case -EBUSY:
        return "another program holds a lock on it";
    case -EAGAIN:
        return "another program holds a lease on it";
    case -ESTALE:
        return "another program is changing it";
    default:
        return strerrordesc_np(-err);
    }
}

/* Would opening a shared layer now, and all below it, give the same layers? */
static bool is_current(const struct vhd_store *store, struct vhd_layer *layer)
{
    char name[NAME_MAX + 1], file[NAME_MAX + 1];

    for (; layer; layer = layer->parent) {
        struct vhd_image image = layer->image;
        if (vhd_layer_confirm(store, layer) < 0 || !vhd_layer_fingerprint(layer).is_reliable ||
            (!layer->is_raw && vhd_split_judge(store, layer->file, &image)))
            return false;
        if (!layer->parent)
            break;
        vhd_parent_find(store, layer->fd, &layer->image.header, name, file);
        if (strcmp(file, layer->parent->file) != 0)
            return false;
    }
    return true;
}

/* Use the layer of a file that another chain has open. Returns NULL if none fits. */
static struct vhd_layer *share_layer(const struct vhd_store *store, const char *file, bool is_raw)
{
    struct vhd_layer *layer = vhd_share_get(store, file, is_raw);

    if (!layer || is_current(store, layer))
        return layer;
    vhd_layer_close(layer);
    return NULL;
}

/* Share the parents of a layer. Below a shared one, all are shared or about to be. */
static void share_parents(const struct vhd_store *store, const struct vhd_layer *top)
{
    for (struct vhd_layer *layer = top->parent; layer && !layer->shared.share;
         layer = layer->parent) {
        layer->shared.layer = layer;
        layer->shared.file = layer->file;
        layer->shared.is_raw = layer->is_raw;
        vhd_share_add(store, &layer->shared);
    }
}

/* Add the parent of a layer: shared with other chains, or newly opened. */
static int add_parent(const struct vhd_store *store, const struct vhd_layer *top,
                      struct vhd_layer *child, enum vhd_layer_use use, struct vhd_fault *ret)
{
    char file[NAME_MAX + 1];
    struct vhd_fault fault;

    int err = find_parent(store, top, child, file, ret);
    if (err < 0)
        return err;
    const bool is_parent_raw = is_raw(child, file);
    if (use == VHD_LAYER_READ)
        child->parent = share_layer(store, file, is_parent_raw);
    if (child->parent)
        return 0;
    err = is_parent_raw ? vhd_layer_open_raw(store, file, use, &child->parent)
                        : vhd_layer_open(store, file, use, &child->parent, NULL, &fault);
    if (err < 0)
        vhd_fault_set(ret, VHD_BAD_PARENT, "\"%s\": %s", child->parent_name,
                      err == -EUCLEAN ? fault.sentence : why_not_open(err));
    return err;
}

/* Judge a layer with its parent, even if other chains have judged the parent. */
static int judge_pair(const struct vhd_layer *child, struct vhd_fault *ret)
{
    const struct vhd_layer *parent = child->parent;

    if (judge_parent(&child->image, &parent->image, child->parent_name, ret) != VHD_SOUND)
        return -EUCLEAN;
    judge_time(&child->image, parent->fd, child->parent_name, ret);
    judge_size(&child->image, &parent->image, child->parent_name, ret);
    return 0;
}

int vhd_chain_open(const struct vhd_store *store, struct vhd_layer *top, enum vhd_layer_use use,
                   struct vhd_fault *ret_fault)
{
    struct vhd_fault fault, touched;
    int err = 0, depth = 1;

    vhd_fault_set(&touched, VHD_SOUND, NULL);
    for (struct vhd_layer *layer = top; vhd_image_is_differencing(&layer->image) && err == 0;
         layer = layer->parent) {
        vhd_fault_set(&fault, VHD_SOUND, NULL);
        if (depth++ == VHD_CHAIN_MAX) {
            vhd_fault_set(ret_fault, VHD_CHAIN_TOO_LONG, "it has more than %d layers",
                          VHD_CHAIN_MAX);
            return -EUCLEAN;
        }
        if (!layer->parent)
            err = add_parent(store, top, layer, use, &fault);
        if (err == 0)
            err = judge_pair(layer, &fault);
        if (err < 0) {
            *ret_fault = fault;
            return err;
        }
        if (touched.defect == VHD_SOUND)
            touched = fault;
    }
    if (use == VHD_LAYER_READ)
        share_parents(store, top);
    *ret_fault = touched;
    return 0;
}
