/* SPDX-License-Identifier: MIT */
#include "tree/open_disk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/invalidate.h"
#include "process/log.h"
#include "tree/disk_state.h"

/*
 * How long an open waits for files that were flushed, because close(2) returns before RELEASE
 * arrives. No longer: a program may go on using a file that it has flushed.
 */
#define RELEASE_MS 100

/* How long an open or a truncation waits until the kernel has dropped its pages. */
#define DROP_MS 2000

struct fs_disk *fs_disk_new(void)
{
    struct fs_disk *disk = calloc(1, sizeof *disk);
    if (!disk)
        return NULL;
    pthread_mutex_init(&disk->lock, NULL);
    clock_cond_init(&disk->changed);
    return disk;
}

void fs_disk_free(struct fs_disk *disk)
{
    if (!disk)
        return;
    pthread_cond_destroy(&disk->changed);
    pthread_mutex_destroy(&disk->lock);
    free(disk);
}

struct vhd_disk *fs_open_disk_content(const struct fs_open_disk *open)
{
    return open->content;
}

void fs_open_disk_note_failure(struct fs_open_disk *open, int err)
{
    atomic_store(&open->failure, err);
}

int fs_open_disk_take_failure(struct fs_open_disk *open)
{
    return atomic_exchange(&open->failure, 0);
}

bool fs_open_disk_is_direct(const struct fs_open_disk *open)
{
    return open->is_direct;
}

/*
 * The kernel's pages.
 */

/* Few pages, so that they go at once. */
#define FEW 0u

/* The size that the kernel may know. */
static uint64_t known_size(struct fs_disk *disk)
{
    HOLD_LOCK(&disk->lock);
    return disk->seen.size;
}

/*
 * Have the kernel drop its pages of a node. Returns as fs_invalidate().
 *
 *   size  bytes that the pages may cover, or FEW
 */
static int drop(struct fs *fs, uint64_t node, struct fs_page_cache *cache, uint64_t size)
{
    const uint64_t reads = atomic_load(&cache->reads);

    int err = fs_invalidate(fs->invalidator, node, size, DROP_MS);
    if (err == 0)
        fs_page_cache_remove_strays(cache, reads);
    return err;
}

/* Refuse an open or a truncation because drop() has failed. */
static enum vhd_result refuse_drop(int err, const char *name, struct vhd_verdict *ret_why)
{
    if (err == -ETIMEDOUT)
        return vhd_verdict_set(ret_why, VHD_IN_USE,
                               "another program has unsaved changes of the disk \"%s\" in a "
                               "mapping; sync the mapping (msync), or end that program",
                               name);
    return vhd_verdict_set(ret_why, VHD_NO_DESCRIPTORS,
                           "cannot start a thread to drop the kernel's pages of the disk \"%s\"; "
                           "end other programs of this user, or raise its limit (ulimit -u)",
                           name);
}

void fs_disk_add_stray(struct fs_disk *disk, bool is_fixed)
{
    fs_page_cache_add_stray(is_fixed ? &disk->fixed : &disk->raw);
}

/* Drop the pages of raw. If that fails, they go before the reply to the next first open. */
static void drop_raw(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref,
                     uint64_t size)
{
    if (drop(fs, ref->raw, &disk->raw, size) == 0)
        return;
    HOLD_LOCK(&disk->lock);
    disk->raw.pages = FS_PAGES_SUSPECT;
}

void fs_disk_drop_strays(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref,
                         bool is_fixed)
{
    if (is_fixed && fs_page_cache_has_strays(&disk->fixed))
        drop(fs, ref->fixed, &disk->fixed, FEW); /* if that fails, they still count as strays */
    if (!is_fixed && fs_page_cache_has_strays(&disk->raw))
        drop_raw(disk, fs, ref, FEW);
}

void fs_disk_drop_pages(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref)
{
    drop_raw(disk, fs, ref, known_size(disk));
}

/*
 * Opening.
 */

/* If raw files of the other mode were all flushed, wait for their release. Under the lock. */
static void wait_for_releases(struct fs_disk *disk, const struct fs_access *access)
{
    const struct timespec until = clock_after(clock_monotonic(), RELEASE_MS);
    int err = 0;

    while (access->is_raw && err != ETIMEDOUT) {
        const struct fs_open_disk *open = disk->current;
        if (!open || open->raws == 0 || open->is_direct == access->is_direct ||
            open->flushed < open->raws)
            return;
        err = pthread_cond_timedwait(&disk->changed, &disk->lock, &until);
    }
}

/* Set the fingerprint of the image. If it has not changed, it stays as reliable as it was. */
static void leave_as(struct fs_disk *disk, struct vhd_fingerprint now)
{
    vhd_fingerprint_inherit(&now, &disk->left);
    disk->left = now;
}

/* Suspect the kernel's pages if the image is, or may be, another than at the last close. */
static enum vhd_result judge_pages(struct fs_disk *disk, struct fs *fs,
                                   const struct fs_disk_ref *ref, const struct fs_open_disk *open,
                                   struct vhd_verdict *ret_why)
{
    const uint64_t size = vhd_disk_size(open->content);

    if (!disk->is_left || !disk->left.is_reliable ||
        !vhd_fingerprint_is_same(&disk->left, &open->opened))
        fs_page_cache_suspect(&disk->raw);
    /* Without a new lookup, the kernel keeps the old size until it drops its pages. */
    if (disk->seen.is_known && disk->seen.size != size)
        disk->raw.pages = FS_PAGES_SUSPECT;
    disk->seen = (struct fs_seen){true, open->opened, size};
    leave_as(disk, open->opened);
    disk->is_left = true;
    if (!fs_page_cache_has_strays(&disk->fixed))
        return VHD_OK;
    pthread_mutex_unlock(&disk->lock);
    int err = drop(fs, ref->fixed, &disk->fixed, FEW);
    pthread_mutex_lock(&disk->lock);
    return err == 0 ? VHD_OK : refuse_drop(err, ref->name, ret_why);
}

/* Close an open disk without files. Under the lock, by the busy thread. */
static void close_open_disk(struct fs_disk *disk, const char *name, struct fs_open_disk *open)
{
    const bool is_current = disk->current == open;
    struct vhd_fingerprint left = {0};

    if (is_current)
        disk->current = NULL;
    pthread_mutex_unlock(&disk->lock);
    const bool has_failed = vhd_disk_has_failed(open->content);
    int err = vhd_disk_close(open->content, &left);
    if (err < 0)
        fs_log(LOG_WARNING, "the image of the disk \"%s\" was not closed cleanly: %s", name,
               err == -ESTALE ? "another program has changed or replaced it"
                              : strerrordesc_np(-err));
    free(open);
    pthread_mutex_lock(&disk->lock);
    if (!is_current)
        return;
    leave_as(disk, left);
    if (has_failed || err < 0)
        fs_page_cache_suspect(&disk->raw);
}

/*
 * Say it if our own files of a former open disk are why an image cannot be used now. Under the
 * lock.
 */
static enum vhd_result judge_former(const struct fs_disk *disk, enum vhd_result result,
                                    const char *name, struct vhd_verdict *ret_why)
{
    if (result != VHD_IN_USE || disk->former_raws == 0)
        return result;
    return vhd_verdict_set(ret_why, VHD_IN_USE,
                           "another program has changed the image of the disk \"%s\", or of a "
                           "parent, while it was open; close the disk in every program first",
                           name);
}

/* Open the image that has the name now. Under the lock, by the busy thread. */
static enum vhd_result open_current(struct fs_disk *disk, struct fs *fs,
                                    const struct fs_disk_ref *ref, struct vhd_verdict *ret_why)
{
    const char *name = ref->name;
    struct fs_open_disk *open = calloc(1, sizeof *open);
    if (!open)
        return vhd_verdict_set(ret_why, VHD_OUT_OF_MEMORY, NULL);

    /*
     * For reading, also if a writer comes: the fingerprint is then older than the changes that
     * opening for writing makes, so they do not count as changes by others.
     */
    pthread_mutex_unlock(&disk->lock);
    enum vhd_result result = vhd_disk_open(fs->catalogue, name, 0, &open->content, ret_why);
    int err = result == VHD_OK ? vhd_disk_fingerprint(open->content, &open->opened) : 0;
    pthread_mutex_lock(&disk->lock);
    if (result != VHD_OK) {
        free(open);
        return judge_former(disk, result, name, ret_why);
    }
    disk->current = open;
    result = err == 0 ? judge_pages(disk, fs, ref, open, ret_why)
                      : vhd_verdict_errno(ret_why, err, "cannot open the disk \"%s\"", name);
    if (result != VHD_OK)
        close_open_disk(disk, name, open);
    return result;
}

/* Let go of the open disk if others have replaced or changed its image. Its files keep it. */
static void detach_replaced(struct fs_disk *disk)
{
    pthread_mutex_unlock(&disk->lock);
    int err = vhd_disk_confirm(disk->current->content);
    pthread_mutex_lock(&disk->lock);
    if (err != -ESTALE)
        return;
    disk->former_raws += disk->current->raws;
    disk->current = NULL;
    fs_page_cache_suspect(&disk->raw);
}

/* Choose the mode for the first raw file of an open disk, and drop the kernel's pages if needed. */
static enum vhd_result choose_mode(struct fs_disk *disk, struct fs *fs,
                                   const struct fs_disk_ref *ref, const struct fs_access *access,
                                   struct vhd_verdict *ret_why)
{
    const bool is_direct = access->is_direct || disk->former_raws > 0;

    if (disk->former_raws == 0 && fs_page_cache_must_drop(&disk->raw, is_direct)) {
        pthread_mutex_unlock(&disk->lock);
        int err = drop(fs, ref->raw, &disk->raw, known_size(disk));
        pthread_mutex_lock(&disk->lock);
        if (err < 0)
            return refuse_drop(err, ref->name, ret_why);
        disk->raw.pages = FS_PAGES_EMPTY;
    }
    if (!is_direct)
        disk->raw.pages = FS_PAGES_VALID;
    disk->current->is_direct = is_direct;
    return VHD_OK;
}

static void count(struct fs_open_disk *open, const struct fs_access *access, int by)
{
    open->files += (unsigned)by;
    open->raws += access->is_raw ? (unsigned)by : 0;
    open->mappers += access->is_mapper ? (unsigned)by : 0;
}

/* Open or join. Under the lock, by the busy thread. */
static enum vhd_result join(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref,
                            const struct fs_access *access, struct fs_open_disk **ret,
                            struct vhd_verdict *ret_why)
{
    enum vhd_result result = VHD_OK;

    if (disk->current)
        detach_replaced(disk);
    if (!disk->current)
        result = open_current(disk, fs, ref, ret_why);
    struct fs_open_disk *open = disk->current;
    if (!open)
        return result;
    if (access->is_raw && open->raws == 0)
        result = choose_mode(disk, fs, ref, access, ret_why);
    if (result == VHD_OK && access->is_writer) {
        pthread_mutex_unlock(&disk->lock);
        result = vhd_disk_make_writable(open->content, ret_why);
        struct vhd_fingerprint now = open->opened;
        const bool is_kept = vhd_disk_fingerprint(open->content, &now) == 0;
        pthread_mutex_lock(&disk->lock);
        /* A failed attempt may have repaired the image before. */
        if (is_kept)
            open->opened = now;
        result = judge_former(disk, result, ref->name, ret_why);
    }
    if (result == VHD_OK) {
        count(open, access, 1);
        *ret = open;
    } else if (open->files == 0) {
        close_open_disk(disk, ref->name, open);
    }
    return result;
}

/* Take a file off its open disk. Under the lock, by the busy thread. */
static void leave(struct fs_disk *disk, const struct fs_disk_ref *ref, struct fs_open_disk *open,
                  const struct fs_access *access)
{
    count(open, access, -1);
    if (access->is_raw && open != disk->current)
        disk->former_raws--;
    /* Strays outlive the file that made them. */
    if (open->raws == 0 && fs_page_cache_has_strays(&disk->raw))
        disk->raw.pages = FS_PAGES_SUSPECT;
    if (open->files == 0)
        close_open_disk(disk, ref->name, open);
}

enum vhd_result fs_disk_open(struct fs_disk *disk, struct fs *fs, const struct fs_disk_ref *ref,
                             const struct fs_access *access, struct fs_open_disk **ret,
                             struct vhd_verdict *ret_why)
{
    HOLD_LOCK(&disk->lock);
    wait_for_releases(disk, access);
    fs_disk_begin_change(disk);
    enum vhd_result result = join(disk, fs, ref, access, ret, ret_why);
    fs_disk_end_change(disk);
    return result;
}

void fs_disk_close(struct fs_disk *disk, const struct fs_disk_ref *ref, struct fs_open_disk *open,
                   const struct fs_access *access, bool is_flushed)
{
    HOLD_LOCK(&disk->lock);
    fs_disk_begin_change(disk);
    open->flushed -= is_flushed;
    leave(disk, ref, open, access);
    fs_disk_end_change(disk);
}

void fs_open_disk_set_flushed(struct fs_disk *disk, struct fs_open_disk *open, bool is_flushed)
{
    HOLD_LOCK(&disk->lock);
    if (is_flushed)
        open->flushed++;
    else
        open->flushed--;
    pthread_cond_broadcast(&disk->changed);
}

/*
 * Truncation.
 */

/*
 * Discard the whole content of a disk, which then reads as zeros. The kernel drops its
 * pages before, so that none is written back over the zeros, and after. By the busy thread.
 */
static enum vhd_result discard_all(struct fs_disk *disk, struct fs *fs,
                                   const struct fs_disk_ref *ref, struct fs_open_disk *open,
                                   struct vhd_verdict *ret_why)
{
    const bool has_pages = !open->is_direct || fs_page_cache_has_strays(&disk->raw);
    const char *name = ref->name;

    int err = has_pages ? drop(fs, ref->raw, &disk->raw, known_size(disk)) : 0;
    if (err < 0)
        return refuse_drop(err, name, ret_why);
    err = vhd_disk_discard(open->content, vhd_disk_size(open->content), 0);
    /* A reader may have filled pages again before the discard. */
    if (has_pages)
        drop_raw(disk, fs, ref, known_size(disk));
    return err < 0 ? vhd_verdict_errno(ret_why, err,
                                       "cannot discard the content of the disk \"%s\"", name)
                   : VHD_OK;
}

enum vhd_result fs_disk_discard_all(struct fs_disk *disk, struct fs *fs,
                                    const struct fs_disk_ref *ref, const struct fs_open_disk *asked,
                                    struct vhd_verdict *ret_why)
{
    static const struct fs_access access = {.is_raw = true, .is_writer = true, .is_direct = true};
    struct fs_open_disk *open = NULL;

    HOLD_LOCK(&disk->lock);
    fs_disk_begin_change(disk);
    enum vhd_result result = join(disk, fs, ref, &access, &open, ret_why);
    if (open && asked && open != asked) {
        result = vhd_verdict_set(ret_why, VHD_IN_USE,
                                 "another program has replaced the image of the disk \"%s\" since "
                                 "this file was opened; open the file again",
                                 ref->name);
        leave(disk, ref, open, &access);
    } else if (open) {
        pthread_mutex_unlock(&disk->lock);
        result = discard_all(disk, fs, ref, open, ret_why);
        pthread_mutex_lock(&disk->lock);
        leave(disk, ref, open, &access);
    }
    fs_disk_end_change(disk);
    return result;
}

bool fs_open_disk_has_mapper(struct fs_disk *disk, const struct fs_open_disk *open)
{
    HOLD_LOCK(&disk->lock);
    return !open->is_direct && open->mappers > 0;
}
