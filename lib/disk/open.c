/* SPDX-License-Identifier: MIT */
/*
 * Opening a disk, and its parts.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "image/chain.h"
#include "disk/confirm.h"
#include "disk/recover.h"
#include "disk/state.h"
#include "store/reserve.h"

/* The outcome of an open that a fault of the image or of its parents refuses. */
static enum vhd_result result_of(const struct vhd_fault *fault)
{
    switch (fault->defect) {
    case VHD_NO_PARENT:
        return VHD_PARENT_LOST;
    case VHD_OTHER_PARENT:
        return VHD_PARENT_IDENTITY;
    case VHD_OTHER_SIZE:
        return VHD_PARENT_MODIFIED;
    case VHD_CHAIN_TOO_LONG:
        return VHD_CHAIN_ENDLESS;
    default:
        return VHD_NOT_A_DISK;
    }
}

/* The outcome of an open that an errno refuses: mostly, another program is in the way. */
static enum vhd_result result_of_open(int err, const struct vhd_fault *fault)
{
    if (err == -EUCLEAN)
        return result_of(fault);
    return err == -EAGAIN || err == -ESTALE ? VHD_IN_USE : vhd_result_of_errno(err);
}

static enum vhd_result refuse_for_descriptors(struct vhd_verdict *ret, const char *name)
{
    const struct vhd_reserve reserve = vhd_reserve_now();

    return vhd_verdict_set(ret, VHD_NO_DESCRIPTORS,
                           "cannot open the disk \"%s\": vhdfs may open %" PRIu64
                           " files and keeps %" PRIu64
                           " of them for other work; close some disks, or "
                           "raise the limit (ulimit -n) and start vhdfs again",
                           name, reserve.limit, reserve.kept);
}

static enum vhd_result refuse_for_change(struct vhd_verdict *ret, const char *name)
{
    return vhd_verdict_set(
        ret, VHD_IN_USE, "another program is changing the disk \"%s\"; try again when it has ended",
        name);
}

/*
 * Say why a layer, or one below it, could not be opened.
 *
 *   file  the top layer's file
 */
static enum vhd_result refuse(struct vhd_verdict *ret, int err, const struct vhd_fault *fault,
                              const char *name, const char *file)
{
    enum vhd_result result = result_of_open(err, fault);

    if (err == -EMFILE)
        return refuse_for_descriptors(ret, name);
    if (fault->defect != VHD_SOUND)
        return vhd_verdict_set(ret, result, "the disk \"%s\": %s", name, fault->sentence);
    if (err == -EBUSY)
        return vhd_verdict_set(
            ret, result,
            "the disk \"%s\" is in use: another program holds a lock on \"%s\"; end "
            "that program (probably QEMU or another vhdfs), wait for tasks that copy the disk, or "
            "try again",
            name, file);
    if (err == -EAGAIN)
        return vhd_verdict_set(
            ret, result,
            "the disk \"%s\" is in use: another program holds a lease on \"%s\"; "
            "end that program, or try again",
            name, file);
    if (err == -ESTALE)
        return refuse_for_change(ret, name);
    return vhd_verdict_errno(ret, err, "cannot open the disk \"%s\"", name);
}

/*
 * Judge whether a disk may be written to: not if its image forbids it, nor if it has children.
 *
 *   is_claimed  for writing, so this judgement is the last
 */
static enum vhd_result judge_writable(const struct vhd_disk *disk, const struct vhd_image *image,
                                      const char *file, bool is_claimed, struct vhd_verdict *ret)
{
    const enum vhd_defect reason = vhd_image_read_only_reason(image);
    const unsigned allowed = disk->flags & VHD_DISK_FOR_MERGE ? 1 : 0;
    unsigned count = 0;

    if (reason != VHD_SOUND)
        return vhd_verdict_set(ret, VHD_READ_ONLY, "the disk \"%s\": %s", disk->name,
                               vhd_defect_sentence(reason));
    if (disk->flags & VHD_DISK_ALONE)
        return VHD_OK;
    int err = (is_claimed ? vhd_catalogue_count_children_now : vhd_catalogue_count_children)(
        disk->catalogue, file, image->footer.uuid, &count);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot find the differencing disks of \"%s\"",
                                 disk->name);
    if (count > allowed)
        return vhd_verdict_set(ret, VHD_READ_ONLY,
                               "the disk \"%s\" has %u differencing disk%s on it, so it opens for "
                               "reading only",
                               disk->name, count, count == 1 ? "" : "s");
    return VHD_OK;
}

/*
 * A disk and its parts.
 */

static struct vhd_disk *disk_new(struct vhd_catalogue *catalogue, const char *name, unsigned flags)
{
    struct vhd_disk *disk = calloc(1, sizeof *disk);
    if (!disk)
        return NULL;
    disk->name = strdup(name);
    if (!disk->name) {
        free(disk);
        return NULL;
    }
    disk->catalogue = vhd_catalogue_ref(catalogue);
    disk->flags = flags;
    disk->write_fd = disk->direct_fd = -1;
    vhd_epoch_init(&disk->epoch);
    pthread_mutex_init(&disk->sync_lock, NULL);
    pthread_mutex_init(&disk->flush_lock, NULL);
    pthread_mutex_init(&disk->fill_lock, NULL);
    pthread_mutex_init(&disk->growth_lock, NULL);
    pthread_cond_init(&disk->slots_changed, NULL);
    return disk;
}

/* Release all that only a writable disk has. */
static void end_writing(struct vhd_disk *disk)
{
    vhd_flusher_free(TAKE(disk->flusher));
    if (disk->top)
        disk->top->bit_source = NULL;
    vhd_subblocks_free(TAKE(disk->subblocks));
    free(TAKE(disk->slot_was_ready));
    vhd_slots_free(&disk->slots);
    if (disk->direct_fd >= 0)
        close(disk->direct_fd);
    if (disk->write_fd >= 0)
        close(disk->write_fd);
    disk->direct_fd = disk->write_fd = -1;
}

void vhd_disk_free(struct vhd_disk *disk)
{
    end_writing(disk);
    vhd_layer_close(disk->top);
    pthread_cond_destroy(&disk->slots_changed);
    pthread_mutex_destroy(&disk->growth_lock);
    pthread_mutex_destroy(&disk->fill_lock);
    pthread_mutex_destroy(&disk->flush_lock);
    pthread_mutex_destroy(&disk->sync_lock);
    vhd_epoch_destroy(&disk->epoch);
    vhd_catalogue_unref(disk->catalogue);
    free(disk->name);
    free(disk);
}

/*
 * Open a descriptor that writes footers past the page cache, on a host where that helps. It may not
 * use the reserve: without it, footers go through the page cache.
 */
static void open_direct(struct vhd_disk *disk)
{
    disk->growth = vhd_store_growth(vhd_disk_store(disk));
    if (disk->growth == VHD_GROWTH_ANY || vhd_disk_is_fixed(disk))
        return;
    int fd = vhd_reserve_spare(vhd_store_open_again(vhd_disk_store(disk), disk->top->file,
                                                    disk->top->fd, O_WRONLY | O_DIRECT));
    disk->direct_fd = fd < 0 ? -1 : fd;
}

/* Add the parts that only a writable differencing disk has. */
static int begin_subblocks(struct vhd_disk *disk)
{
    disk->slot_was_ready = bits_new(disk->top->image.blocks);
    disk->subblocks = vhd_subblocks_new(disk->top, disk->write_fd);
    if (!disk->slot_was_ready || !disk->subblocks)
        return -ENOMEM;
    disk->top->bit_source = vhd_subblocks_bit_source(disk->subblocks);
    return 0;
}

/* Repair the image and make the disk writable. The image is claimed and write_fd open. */
static int begin_writing(struct vhd_disk *disk)
{
    open_direct(disk);
    int err = vhd_disk_recover(disk);
    if (err == 0 && !(disk->flags & (VHD_DISK_NO_FLUSHER | VHD_DISK_ALONE))) {
        disk->flusher = vhd_flusher_new(vhd_disk_flush_behind, disk);
        err = disk->flusher ? 0 : -ENOMEM;
    }
    /* This comes last, because concurrent reads use the subblocks from here on. */
    if (err == 0 && vhd_disk_is_differencing(disk))
        err = begin_subblocks(disk);
    if (err == 0)
        disk->is_writable = true;
    return err;
}

static enum vhd_result judge_top(const struct vhd_disk *disk, bool is_claimed,
                                 struct vhd_verdict *ret)
{
    return judge_writable(disk, &disk->top->image, disk->top->file, is_claimed, ret);
}

/*
 * Judge a disk before the claim for writing, because even a short claim refuses openings of its
 * children. An image that cannot be judged here is judged under the claim.
 */
static enum vhd_result judge_unclaimed(const struct vhd_disk *disk, struct vhd_verdict *ret)
{
    char file[NAME_MAX + 1];
    struct vhd_image image;

    if (vhd_store_find(vhd_disk_store(disk), disk->name, file, NULL) < 0)
        return VHD_OK;
    AUTO_CLOSE int fd = vhd_store_open_unlocked(vhd_disk_store(disk), file);
    if (fd < 0 || !vhd_image_read(fd, &image))
        return VHD_OK;
    return judge_writable(disk, &image, file, false, ret);
}

/*
 * Judge the disk under the claim, where no program that honours it makes a child, then begin. After
 * a failure the caller undoes the beginning.
 */
static enum vhd_result judge_and_begin(struct vhd_disk *disk, struct vhd_verdict *ret)
{
    enum vhd_result result = judge_top(disk, true, ret);
    if (result != VHD_OK)
        return result;
    int err = begin_writing(disk);
    if (err == -ESTALE)
        return refuse_for_change(ret, disk->name);
    return err == 0 ? VHD_OK
                    : vhd_verdict_errno(ret, err, "cannot put \"%s\" in order", disk->name);
}

/*
 * Opening.
 */

/* How often an open tries, if another program replaces the file under it. */
#define TRIES 3

static int open_top(struct vhd_disk *disk, enum vhd_layer_use use, char file[NAME_MAX + 1],
                    struct vhd_fault *ret_fault)
{
    int err = -ESTALE;

    for (int tries = 0; err == -ESTALE && tries < TRIES; tries++) {
        err = vhd_store_find(vhd_disk_store(disk), disk->name, file, NULL);
        if (err == 0)
            err = vhd_layer_open(vhd_disk_store(disk), file, use, &disk->top, &disk->write_fd,
                                 ret_fault);
    }
    return err;
}

static enum vhd_result open_layers(struct vhd_disk *disk, enum vhd_layer_use use,
                                   struct vhd_verdict *ret)
{
    struct vhd_fault fault = {0};
    char file[NAME_MAX + 1] = "";

    int err = open_top(disk, use, file, &fault);
    if (err == 0 && !(disk->flags & VHD_DISK_ALONE))
        err = vhd_chain_open(vhd_disk_store(disk), disk->top, VHD_LAYER_READ, &fault);
    return err == 0 ? VHD_OK : refuse(ret, err, &fault, disk->name, file);
}

enum vhd_result vhd_disk_open(struct vhd_catalogue *catalogue, const char *name, unsigned flags,
                              struct vhd_disk **ret, struct vhd_verdict *ret_why)
{
    const bool is_writer = flags & VHD_DISK_WRITE;
    struct vhd_disk *disk = disk_new(catalogue, name, flags);
    if (!disk)
        return vhd_verdict_set(ret_why, VHD_OUT_OF_MEMORY, NULL);

    enum vhd_result result = is_writer ? judge_unclaimed(disk, ret_why) : VHD_OK;
    if (result == VHD_OK)
        result = open_layers(disk, is_writer ? VHD_LAYER_WRITE : VHD_LAYER_READ, ret_why);
    if (result == VHD_OK && is_writer)
        result = judge_and_begin(disk, ret_why);
    if (result == VHD_OK)
        *ret = disk;
    else
        vhd_disk_free(disk);
    return result;
}

int vhd_disk_open_scratch(struct vhd_catalogue *catalogue, int fd, struct vhd_disk **ret)
{
    struct vhd_disk *disk = disk_new(catalogue, "", 0);
    if (!disk)
        return -ENOMEM;
    int err = vhd_layer_open_scratch(fd, &disk->top);
    if (err == 0)
        *ret = disk;
    else
        vhd_disk_free(disk);
    return err;
}

/*
 * Undo a failed attempt to make a disk writable. It wrote no data, so a failed sync of the recovery
 * lost nothing, and the next attempt reads the file again. Changes by the recovery are ours, unless
 * another program has changed the file too.
 */
static void undo_attempt(struct vhd_disk *disk, bool is_ours)
{
    end_writing(disk);
    disk->has_failed = false;
    disk->has_unsure_entry = false;
    disk->has_freed = false;
    if (disk->has_written && is_ours)
        (void)vhd_layer_keep_fingerprint(disk->top);
    vhd_layer_make_read_only(disk->top);
}

enum vhd_result vhd_disk_refuse_failed(const struct vhd_disk *disk, struct vhd_verdict *ret)
{
    if (disk->is_lost)
        return vhd_verdict_set(ret, VHD_ACCESS_FAILED,
                               "another program has changed the file of the disk \"%s\" while it "
                               "was open for writing; close it everywhere and open it again",
                               disk->name);
    return vhd_verdict_set(
        ret, VHD_ACCESS_FAILED,
        "a sync of the disk \"%s\" has failed, so writes since the last good sync may "
        "be lost; close it everywhere and open it again",
        disk->name);
}

enum vhd_result vhd_disk_make_writable(struct vhd_disk *disk, struct vhd_verdict *ret_why)
{
    struct vhd_fault fault = {0};

    if (vhd_disk_has_failed(disk))
        return vhd_disk_refuse_failed(disk, ret_why);
    /* Judge before the claim, as in judge_unclaimed(), and again under it. */
    enum vhd_result result = judge_top(disk, false, ret_why);
    if (result != VHD_OK || vhd_disk_is_writable(disk))
        return result;
    int err = vhd_layer_make_writable(vhd_disk_store(disk), disk->top, &disk->write_fd, &fault);
    if (err < 0)
        return refuse(ret_why, err, &fault, disk->name, disk->top->file);
    result = judge_and_begin(disk, ret_why);
    if (result != VHD_OK)
        undo_attempt(disk, result != VHD_IN_USE);
    return result;
}
