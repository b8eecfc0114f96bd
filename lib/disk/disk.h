/*
 * A disk of a store, open: its content, flat, to be read and written whatever the image behind it
 * looks like. It knows nothing of who uses it; that an image has one writer, and a parent none, its
 * locks see to, which QEMU and every other vhdfs honour.
 *
 * Every function but vhd_disk_close() may be called from any thread at any time; reads and
 * overwrites take no lock. Of two writes to the same sector at the same time one follows the other.
 * A read at the same time as a write may see a sector half as it was and half as it will be: no
 * file of the host promises more.
 *
 * Locks are taken and left within a call (state.h), so for a caller there is no order to keep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "image/children.h"
#include "result/result.h"
#include "store/fingerprint.h"
#include "store/store.h"

struct vhd_disk;

enum vhd_disk_flags {
    VHD_DISK_WRITE = 1,      /* to be written to as well */
    VHD_DISK_NO_FLUSHER = 2, /* without the thread that flushes every 5 seconds: for tests that
                                decide themselves what happens when */
};

/*
 * Open a disk. Opened for reading nothing is ever written to its image, whatever state that is in.
 * Opened for writing, what a crash has left is put in order first (recover.h).
 *
 *   store     stays referenced while the disk is open
 *   children  the index of that store; may be NULL where flags do not say VHD_DISK_WRITE
 *   name      the disk's name
 *   flags     of enum vhd_disk_flags
 *
 * Returns VHD_OK, or with a sentence in *ret_why:
 *   VHD_PATH_NOT_FOUND  there is no such disk
 *   VHD_IN_USE          another program has it open in a way that does not go with this one, holds
 *                       a lease on its image, or is changing it
 *   VHD_NOT_A_DISK      it or a parent is no VHD, or damaged, or the chain has no end; the
 *                       sentence says what and where
 *   VHD_PARENT_LOST, VHD_PARENT_IDENTITY, VHD_PARENT_MODIFIED  a parent down the chain is missing,
 *                       another disk, or of another size
 *   VHD_READ_ONLY       it is to be written to, and it has children, or its image is for reading
 *                       only (image.h), or the host's file system is
 *   VHD_NO_DESCRIPTORS  so many files are open that only the reserve for other work is left
 *   VHD_ACCESS_DENIED, VHD_OUT_OF_MEMORY, VHD_UNEXPECTED  as the host answers
 */
enum vhd_result vhd_disk_open(struct vhd_store *store, struct vhd_children *children,
                              const char *name, unsigned flags, struct vhd_disk **ret,
                              struct vhd_verdict *ret_why);

/*
 * Have a disk that was opened for reading be open for writing too. Where it is, nothing happens,
 * but it is judged anew whether another may write: by now it may have children. Reads go on
 * meanwhile. Not to be called by two threads at once.
 *
 * Returns as vhd_disk_open(), or VHD_ACCESS_FAILED on a disk that has failed
 * (vhd_disk_has_failed()); after a failure the disk is open as before.
 */
enum vhd_result vhd_disk_make_writable(struct vhd_disk *disk, struct vhd_children *children,
                                       struct vhd_verdict *ret_why);

/*
 * Close a disk, after the last call that uses it has returned. Its image is left clean: without
 * slot that was made ahead. What was written since the last flush is in the host's hands, as with
 * any file. NULL is allowed.
 *
 * Where something was written since the disk was opened, its last change sets the file's mtime to
 * the present, between two ticks of the host's clock. The host stamps with ticks, so each later
 * write of another program gives the file another mtime than this one.
 *
 *   ret_left  receives the fingerprint of the file as it was left, parents included; all zero, and
 *             so no file's, when the close fails, or another program has changed the file; NULL is
 *             allowed
 *
 * Returns 0, or the negative errno with which leaving it clean has failed: then the next who opens
 * it for writing puts it in order. -ESTALE means that another program has overwritten, replaced or
 * removed the file since it was opened: that is left as it is. The disk is closed either way.
 */
int vhd_disk_close(struct vhd_disk *disk, struct vhd_fingerprint *ret_left);

/*
 * Confirm that the name of each layer still leads to the file that is open, and that nobody else
 * has changed that. A layer that is only read has the fingerprint that it had when it was opened.
 * The top of a writable disk has the length, the footer and the footer's copy that we left. Not to
 * be called while vhd_disk_make_writable() or vhd_disk_close() is at work.
 *
 * Returns 0; -ESTALE when a layer is another file, changed or gone; another negative errno of
 * fstatat(2) or pread(2).
 */
int vhd_disk_confirm(const struct vhd_disk *disk);

/*
 * We have changed owner or mode of the disk's file ourselves: that is no change by others. Not to
 * be called while vhd_disk_confirm() is at work.
 *
 * Returns 0, or the negative errno of fstat(2).
 */
int vhd_disk_accept_change(struct vhd_disk *disk);

/*
 * Take the fingerprint of a disk: of its own file as it is now, and of its parents as they were
 * when they were opened. It is reliable if all of these are.
 *
 * Returns 0, or the negative errno of fstat(2).
 */
int vhd_disk_fingerprint(const struct vhd_disk *disk, struct vhd_fingerprint *ret);

/*
 * Visit each file that a disk is made of, its own first, then each parent's, until visit() returns
 * other than 0.
 *
 *   visit  receives a file's name in the store, and the attributes of the file that is open
 *
 * Returns 0, what visit() has returned, or the negative errno of fstat(2).
 */
int vhd_disk_each_file(const struct vhd_disk *disk,
                       int (*visit)(void *arg, const char *file, const struct stat *attributes),
                       void *arg);

/*
 * Has a sync of the disk failed, or does its file no longer belong to it? Reads go on then. Writes
 * and flushes are -EIO, and vhd_disk_make_writable() is VHD_ACCESS_FAILED, until the disk has been
 * closed and opened again.
 */
bool vhd_disk_has_failed(const struct vhd_disk *disk);

/* Bytes of the disk: constant while it is open, a multiple of 512. */
uint64_t vhd_disk_size(const struct vhd_disk *disk);

/* May it be written to? */
bool vhd_disk_is_writable(const struct vhd_disk *disk);

/* The attributes of the image's file. Returns 0, or the negative errno of fstat(2). */
int vhd_disk_stat(const struct vhd_disk *disk, struct stat *ret);

/*
 * Read a range.
 *
 *   buf          receives exactly len bytes; unspecified after a failure
 *   len, off     bytes, any; the range lies inside the disk
 *   ret_is_hole  receives true when nothing in the range was ever written: buf has then not been
 *                touched, and is to be taken for zeros. NULL: buf is filled with them
 *
 * Returns 0, or
 *   -ERANGE  the range ends beyond the disk
 *   -EIO     the image's file has become shorter, or another negative errno of pread(2)
 *
 * Source: VHD specification 1.0, "Mapping a Disk Sector to a Sector in the Block".
 */
int vhd_disk_read(struct vhd_disk *disk, void *buf, size_t len, uint64_t off, bool *ret_is_hole);

/*
 * Write a range. Zeros written where nothing was ever written take no space.
 *
 *   len, off  bytes, any; the range lies inside the disk
 *
 * Returns 0: every later read sees it, in this process or the next, and after vhd_disk_flush() also
 * after a power loss. Or, and then each sector is as before or as written:
 *   -ERANGE  the range ends beyond the disk
 *   -EROFS   the disk is open for reading only
 *   -ENOSPC  the host is full; the image is whole, and a later write may succeed
 *   -EFBIG   the host does not take a file as long as that would need
 *   -EIO     an earlier flush has failed; or another negative errno of pwrite(2)
 */
int vhd_disk_write(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off);

/*
 * Have a range read as zeros, and give its space back: to the image where whole blocks are covered
 * and no parent has data there, and to the host where its file system can. Costs by the blocks that
 * hold data, not by len.
 *
 * Returns as vhd_disk_write().
 */
int vhd_disk_discard(struct vhd_disk *disk, uint64_t len, uint64_t off);

/*
 * Make durable all that was written and discarded before the call. Nothing to do, and no failure,
 * on a disk open for reading only.
 *
 * Returns 0, or the negative errno of fdatasync(2). That failure is final: the host may have
 * dropped what it could not write, so the disk is not written to any more, and every later flush
 * fails with -EIO, until it has been closed and opened anew.
 *
 * Source: durability: "fsync, dynamic", "Differencing".
 */
int vhd_disk_flush(struct vhd_disk *disk);

/*
 * Find where data begins, or where a hole does, as lseek(2) with SEEK_DATA and SEEK_HOLE: the first
 * byte from off on that is so. The end of the disk counts as a hole.
 *
 *   off       bytes
 *   for_hole  a hole is looked for, else data
 *
 * Returns 0, -ENXIO when off is at or beyond the end, or no data follows; or another negative
 * errno.
 */
int vhd_disk_seek(struct vhd_disk *disk, uint64_t off, bool for_hole, uint64_t *ret);

/*
 * Copy a range of one disk to another, or to where it does not overlap in the same; holes become
 * holes.
 *
 *   len  bytes, any; both ranges lie inside their disks
 *
 * Returns as vhd_disk_write() for the target, or as vhd_disk_read() for the source; part of the
 * range may then have been copied.
 */
int vhd_disk_copy(struct vhd_disk *source, uint64_t source_off, struct vhd_disk *target,
                  uint64_t target_off, uint64_t len);
