/*
 * A store: a directory of images, one file a disk. Everything is done relative to its descriptor,
 * with single names, so that nothing outside it can be reached.
 *
 * A store may be shared between threads. After it has been opened nothing in it changes but what
 * its open disks share, which has a lock.
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

/* What files of ours that are no images begin with; never a disk's name. */
#define VHD_OWN_PREFIX ".vhdfs-"

enum vhd_store_flags {
    VHD_STORE_OWN = 1,       /* be its one owner: lock it, and sweep what a crash has left */
    VHD_STORE_READ_ONLY = 2, /* owners that only read share it with each other */
    VHD_STORE_UNSAFE = 4,    /* be owner even where another host would not see the lock */
};

/*
 * Open a directory as a store. It is created, durably, if only its last component is missing.
 *
 *   path   absolute or relative
 *   flags  of enum vhd_store_flags
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_PATH_NOT_FOUND  a component above the last is missing, or one is no directory
 *   VHD_IN_USE          another owner has it, also after 5 s if that one is ending, or another
 *                       program holds a lock on the lock file (VHD_STORE_OWN)
 *   VHD_ACCESS_DENIED   it is on sshfs or rclone, whose locks do not hold between hosts
 *                       (VHD_STORE_OWN without VHD_STORE_READ_ONLY and VHD_STORE_UNSAFE)
 *   VHD_READ_ONLY, VHD_ACCESS_DENIED, VHD_DISK_FULL, VHD_UNEXPECTED  as the host answers
 */
enum vhd_result vhd_store_open(const char *path, unsigned flags, struct vhd_store **ret_store,
                               struct vhd_verdict *ret);

/* Take another reference; returns store. */
struct vhd_store *vhd_store_ref(struct vhd_store *store);

/* Drop a reference; the last one gives up ownership. NULL is allowed. */
void vhd_store_unref(struct vhd_store *store);

/* The directory's descriptor, for the rooms of the library; lives as long as the store. */
int vhd_store_fd(const struct vhd_store *store);

struct vhd_shared;

/* The layers that the open disks of a store share. Only lib/image/share.c looks into it. */
struct vhd_share {
    pthread_mutex_t lock;      /* innermost; guards the list, and how many use each layer */
    struct vhd_shared *newest; /* NULL: nothing is shared */
};

/* What the open disks of this store share; lives as long as the store. */
struct vhd_share *vhd_store_share(const struct vhd_store *store);

/* The directory's absolute path without symlinks, as it was when opened. */
const char *vhd_store_path(const struct vhd_store *store);

/*
 * Remove the directory again if vhd_store_open() had to create it, for one disk and not for an
 * owner, and it is still empty: the disk has come to nothing.
 */
void vhd_store_remove_if_unused(struct vhd_store *store);

/*
 * Tell the next vhdfs who owns this store: the calling process, and its mount. Called by the owner
 * once it is mounted; a store without a lock stays as it is.
 *
 *   mountpoint  absolute path
 *   mount_id    as /proc/self/mountinfo has it; -1 when unknown
 */
void vhd_store_describe_owner(const struct vhd_store *store, const char *mountpoint, int mount_id);

/*
 * Tell the next vhdfs that this owner is ending: it waits, 5 s at most, instead of being refused.
 * May be called more than once and from any thread.
 */
void vhd_store_mark_ending(const struct vhd_store *store);

/*
 * Find the image of a disk: the regular file NAME.vhd, or one with another case of the ending.
 *
 *   name      the disk's name
 *   ret_file  receives the file's name
 *   ret_stat  receives the file's attributes; may be NULL
 *
 * Returns 0, or -ENOENT, or another negative errno of fstatat(2).
 */
int vhd_store_find(const struct vhd_store *store, const char *name, char ret_file[NAME_MAX + 1],
                   struct stat *ret_stat);

/*
 * Find another file that would be the image of the same disk, did not one come before it: the case
 * of its ending is all that differs.
 *
 *   file       the image of the disk, from vhd_store_find()
 *   ret_other  receives the name of the other file
 */
bool vhd_store_find_rival(const struct vhd_store *store, const char *file,
                          char ret_other[NAME_MAX + 1]);

/*
 * Is there a file of this name that a disk can have as its parent without being a disk of the store
 * itself: a regular one that does not end in ".vhd"? What begins with a dot is none.
 */
bool vhd_store_has_other(const struct vhd_store *store, const char *file);

/* The image of a disk, as it was found in the directory. */
struct vhd_file {
    const char *name; /* the disk's */
    const char *file; /* the image's */
    struct stat attributes;
};

/*
 * Call visit() for each disk in the store, each once, in no order.
 *
 * Returns 0, the first value other than 0 that visit returns, or the negative errno of opendir(3)
 * or readdir(3).
 */
int vhd_store_each(const struct vhd_store *store,
                   int (*visit)(void *arg, const struct vhd_file *file), void *arg);

/*
 * The same for each image that may have a disk of the store as its parent: also files that end in
 * ".avhd", any case, which are no disks of the store, but Hyper-V's snapshots. The name of such a
 * one is that of its file.
 */
int vhd_store_each_image(const struct vhd_store *store,
                         int (*visit)(void *arg, const struct vhd_file *file), void *arg);

/*
 * Call visit() for each entry of the store's directory by its file name, in no order. The files
 * themselves are not looked at.
 *
 * Returns as vhd_store_each().
 */
int vhd_store_each_entry(const struct vhd_store *store,
                         int (*visit)(void *arg, const struct vhd_file *file), void *arg);

/*
 * Open an image only to look at it. No lock is taken, so nobody who uses it is hindered, and
 * neither a FIFO nor a symlink put in its place leads anywhere.
 *
 *   file  the image's file name
 *
 * Returns a descriptor to be closed, or the negative errno of open(2).
 */
int vhd_store_open_unlocked(const struct vhd_store *store, const char *file);

/*
 * The same to use the image. Another program may hold a lease on it, as samba and knfsd do, which
 * give way when they are asked: that is waited for, one second at most.
 *
 * Returns as vhd_store_open_unlocked(), -EAGAIN when the lease is still held.
 */
int vhd_store_open_to_use(const struct vhd_store *store, const char *file);

/*
 * Open an image that is open already in another way. A lease is waited for as by
 * vhd_store_open_to_use().
 *
 *   file   its file name
 *   fd     from vhd_store_open_unlocked()
 *   flags  of open(2): O_RDWR, O_WRONLY | O_DIRECT, ...
 *
 * Returns a descriptor to be closed, -ESTALE when the name leads to another file by now, -EAGAIN
 * when another program still holds a lease on it, or another negative errno of open(2).
 */
int vhd_store_open_again(const struct vhd_store *store, const char *file, int fd, int flags);

/*
 * Does a name lead to this file, rather than to another that has taken its place?
 *
 *   file  a file name in the store
 *   fd    of an open file
 *
 * Returns 0, -ESTALE when it leads to another file or to none, or another negative errno of
 * fstatat(2).
 */
int vhd_store_confirm(const struct vhd_store *store, const char *file, int fd);

/*
 * Give an image other permissions, or another owner, group.
 *
 *   file         the image's file name
 *   permissions  to read and to write, 0 to 0666; all other bits of the mode stay
 *   uid, gid     -1 leaves it as it is
 *
 * Returns 0, or the negative errno of fchmodat(2) or fchownat(2).
 */
int vhd_store_set_permissions(const struct vhd_store *store, const char *file, mode_t permissions);
int vhd_store_set_owner(const struct vhd_store *store, const char *file, uid_t uid, gid_t gid);

/*
 * Judge whether the owner of a store still has its lock: another program may have removed the lock
 * file, and then another vhdfs may be the owner of a new one. To be asked before a change.
 *
 * Returns VHD_OK, also where the store has no lock, or VHD_ACCESS_FAILED with a sentence.
 */
enum vhd_result vhd_store_judge_lock(const struct vhd_store *store, struct vhd_verdict *ret);

/*
 * Make what was linked, renamed or removed in the directory durable.
 *
 * Returns 0, or the negative errno of fsync(2).
 */
int vhd_store_sync(const struct vhd_store *store);

/* How files of the store grow. */
enum vhd_growth vhd_store_growth(const struct vhd_store *store);

/*
 * Ask the file system of the store for its figures.
 *
 * Returns 0, or the negative errno of fstatvfs(3).
 */
int vhd_store_statvfs(const struct vhd_store *store, struct statvfs *ret);
