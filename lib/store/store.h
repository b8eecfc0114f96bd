/* SPDX-License-Identifier: MIT */
/*
 * A store: a directory of images, one file a disk. All calls use the directory's descriptor and
 * single names, so they reach nothing outside it.
 *
 * Threads may share a store. It is constant after vhd_store_open(), except the list of shared
 * layers, which has a lock.
 */
#pragma once

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "result/result.h"
#include "store/volume.h"

struct vhd_store;

/* The prefix of our own files that are no images. No disk's name begins so. */
#define VHD_OWN_PREFIX ".vhdfs-"

enum vhd_store_flags {
    VHD_STORE_OWN = 1, /* be the one owner: lock the store, and sweep the remains of a crash */
    VHD_STORE_READ_ONLY = 2, /* share the store with other owners that only read */
    VHD_STORE_UNSAFE = 4,    /* own it even where other hosts would not see the lock */
};

/*
 * Open a directory as a store. If only its last component is missing, it is made, durably.
 *
 *   path   absolute or relative
 *   flags  of enum vhd_store_flags
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_PATH_NOT_FOUND  a component above the last is missing, or one is no directory
 *   VHD_IN_USE          it has another owner (one that is ending gets 5 s), or another program
 *                       holds a
 *                       lock on the lock file (VHD_STORE_OWN)
 *   VHD_ACCESS_DENIED   no permission; or it is on sshfs or rclone, whose locks do not hold between
 *                       hosts (VHD_STORE_OWN without VHD_STORE_READ_ONLY and VHD_STORE_UNSAFE)
 *   VHD_OUT_OF_MEMORY
 *   another             vhd_result_of_errno() of the host's answer
 */
enum vhd_result vhd_store_open(const char *path, unsigned flags, struct vhd_store **ret_store,
                               struct vhd_verdict *ret);

/* Take another reference; returns store. */
struct vhd_store *vhd_store_ref(struct vhd_store *store);

/* Drop a reference; the last one ends the ownership. NULL is allowed. */
void vhd_store_unref(struct vhd_store *store);

/* The directory's descriptor, for the folders of the library; valid as long as the store. */
int vhd_store_fd(const struct vhd_store *store);

struct vhd_shared;

/* The layers that the open disks of a store share. Only lib/image/share.c uses it. */
struct vhd_share {
    pthread_mutex_t lock;      /* a leaf; guards the list and the users of each layer */
    struct vhd_shared *newest; /* NULL if nothing is shared */
};

/* The shared layers of this store; valid as long as the store. */
struct vhd_share *vhd_store_share(const struct vhd_store *store);

/* The absolute path of the directory, without symlinks, at the time of opening. */
const char *vhd_store_path(const struct vhd_store *store);

/*
 * Remove the directory if it is empty and vhd_store_open() made it for one disk, not for an owner.
 * Called when that disk was not made.
 */
void vhd_store_remove_if_unused(struct vhd_store *store);

/*
 * Describe the owner of this store, the calling process and its mount, for the next vhdfs. The
 * owner calls this after mounting; a store without a lock stays as it is.
 *
 *   mountpoint  absolute path
 *   mount_id    as in /proc/self/mountinfo; -1 when unknown
 */
void vhd_store_describe_owner(const struct vhd_store *store, const char *mountpoint, int mount_id);

/*
 * Mark this owner as ending. So the next vhdfs waits, 5 s at most, and is not refused at once. Any
 * thread may call this, more than once.
 */
void vhd_store_mark_ending(const struct vhd_store *store);

/*
 * Find the image of a disk: the regular file NAME.vhd, or one with another case of the ending.
 *
 *   name      the disk's name
 *   ret_file  receives the file's name
 *   ret_stat  receives the file's attributes; may be NULL
 *
 * Returns 0, -ENOENT if there is none, or another negative errno of fstatat(2).
 */
int vhd_store_find(const struct vhd_store *store, const char *name, char ret_file[NAME_MAX + 1],
                   struct stat *ret_stat);

/*
 * Find a rival: another file for the same disk, whose ending differs in case alone.
 *
 *   file       the image of the disk, from vhd_store_find()
 *   ret_other  receives the name of the other file; unspecified if there is none
 *
 * Returns whether there is one.
 */
bool vhd_store_find_rival(const struct vhd_store *store, const char *file,
                          char ret_other[NAME_MAX + 1]);

/*
 * Is there a regular file of this name that can be a parent, but is no disk of the store? Such a
 * name does not end in ".vhd" and does not begin with a dot.
 */
bool vhd_store_has_other(const struct vhd_store *store, const char *file);

/* The image of a disk, as found in the directory. */
struct vhd_file {
    const char *name; /* the disk's */
    const char *file; /* the image's */
    struct stat attributes;
};

/*
 * Call visit() once for each disk in the store, in no order.
 *
 * Returns 0, the first value other than 0 that visit returns, -ENOMEM, or the negative errno of
 * openat(2) or readdir(3).
 */
int vhd_store_each(const struct vhd_store *store,
                   int (*visit)(void *arg, const struct vhd_file *file), void *arg);

/*
 * The same for each image that may have a disk of the store as its parent. That includes Hyper-V's
 * snapshots, files that end in ".avhd" in any case, which are no disks of the store. The name of a
 * snapshot is its file's name.
 */
int vhd_store_each_image(const struct vhd_store *store,
                         int (*visit)(void *arg, const struct vhd_file *file), void *arg);

/*
 * Call visit() for each entry of the directory by its file name, in no order. Attributes are not
 * read.
 *
 * Returns as vhd_store_each().
 */
int vhd_store_each_entry(const struct vhd_store *store,
                         int (*visit)(void *arg, const struct vhd_file *file), void *arg);

/*
 * Open an image for reading without a lock, so that the call disturbs no user of the image. A FIFO
 * cannot block it, and it follows no symlink.
 *
 *   file  the image's file name
 *
 * Returns a descriptor, which the caller closes, or the negative errno of open(2).
 */
int vhd_store_open_unlocked(const struct vhd_store *store, const char *file);

/*
 * Open an image for use. The call waits up to one second until another program, such as samba or
 * knfsd, gives up its lease on the image.
 *
 * Returns as vhd_store_open_unlocked(), or -EAGAIN if the lease is still held.
 */
int vhd_store_open_to_use(const struct vhd_store *store, const char *file);

/*
 * Open an image once more, with other flags. Waits for a lease as vhd_store_open_to_use() does.
 *
 *   file   its file name
 *   fd     an open descriptor of the image
 *   flags  of open(2): O_RDWR, O_WRONLY | O_DIRECT, ...
 *
 * Returns a descriptor, which the caller closes; -ESTALE if the name now leads to another file;
 * -EAGAIN if another program still holds a lease on it; or another negative errno of open(2).
 */
int vhd_store_open_again(const struct vhd_store *store, const char *file, int fd, int flags);

/*
 * Confirm that a name leads to this file, not to a successor.
 *
 *   file  a file name in the store
 *   fd    of an open file
 *
 * Returns 0, -ESTALE if it leads to another file or to none, or another negative errno of fstat(2).
 */
int vhd_store_confirm(const struct vhd_store *store, const char *file, int fd);

/*
 * Give an image a second name, which no other file has.
 *
 *   file  its file name
 *   fd    of the image
 *
 * Returns 0; -EEXIST; -ESTALE if the first name leads to another file now; or another negative
 * errno of linkat(2): -EPERM where the file system has no links.
 */
int vhd_store_link(const struct vhd_store *store, const char *file, int fd, const char *new_file);

/*
 * Change the permissions, or the owner and group, of an image.
 *
 *   file         the image's file name
 *   permissions  read and write bits, 0 to 0666; all other bits of the mode stay
 *   uid, gid     -1 leaves it as it is
 *
 * Return 0, or the negative errno of fstatat(2), fchmodat(2) or fchownat(2).
 */
int vhd_store_set_permissions(const struct vhd_store *store, const char *file, mode_t permissions);
int vhd_store_set_owner(const struct vhd_store *store, const char *file, uid_t uid, gid_t gid);

/*
 * Judge whether the owner of a store still has its lock. If another program has removed the lock
 * file, another vhdfs can lock a new one and own the store too. Ask this before a change.
 *
 * Returns VHD_OK, also for a store without a lock or a removed store, or VHD_ACCESS_FAILED with a
 * sentence.
 */
enum vhd_result vhd_store_judge_lock(const struct vhd_store *store, struct vhd_verdict *ret);

/*
 * Sync the directory: links, renames and removals in it become durable.
 *
 * Returns 0, or the negative errno of fsync(2).
 */
int vhd_store_sync(const struct vhd_store *store);

/* The way in which files of the store grow, as vhd_volume_growth(). */
enum vhd_growth vhd_store_growth(const struct vhd_store *store);

/*
 * Read the figures of the store's file system.
 *
 * Returns 0, or the negative errno of fstatvfs(3).
 */
int vhd_store_statvfs(const struct vhd_store *store, struct statvfs *ret);
