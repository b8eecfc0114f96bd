/* SPDX-License-Identifier: MIT */
/*
 * An open disk of a store: flat content to read and write, behind any type of image. The disk does
 * not know its users. Locks that QEMU and every other vhdfs honour give an image one writer, and a
 * parent none.
 *
 * Any thread may call any function at any time, but for vhd_disk_close() and the limits stated
 * below. Reads and overwrites take no lock. Of two writes to the same sector, one follows the
 * other. A read that overlaps a write may see a torn sector, as on any file of the host.
 *
 * Each call releases the locks that it takes (state.h), so a caller has no lock order to keep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <uuid/uuid.h>

#include "image/catalogue.h"
#include "result/result.h"
#include "store/fingerprint.h"
#include "store/store.h"

struct vhd_disk;

enum vhd_disk_flags {
    VHD_DISK_WRITE = 1,      /* open for writing too */
    VHD_DISK_NO_FLUSHER = 2, /* no thread flushes: the caller chooses the time of each flush */
    VHD_DISK_ALONE = 4,      /* without its parents, which may be missing, and in spite of children:
                                for vhd_disk_relink(), and neither to read nor to write data */
    VHD_DISK_FOR_MERGE = 8,  /* for writing although it has a child, which the caller holds */
};

/*
 * Open a disk. An opening for reading never writes to the image, whatever its state. An opening for
 * writing first repairs the leftovers of a crash (recover.h).
 *
 *   catalogue  of the disk's store; stays referenced while the disk is open
 *   name       the disk's name
 *   flags      of enum vhd_disk_flags
 *
 * Returns VHD_OK, or with a sentence in *ret_why:
 *   VHD_PATH_NOT_FOUND  there is no such disk
 *   VHD_IN_USE          another program uses the image in a way that excludes this one, holds a
 *                       lease on it, or is changing it
 *   VHD_NOT_A_DISK      the image or a parent is no VHD, or is damaged; the sentence says which,
 *                       and how
 *   VHD_CHAIN_ENDLESS   the chain of parents comes back to itself, or is longer than VHD_CHAIN_MAX
 *   VHD_PARENT_LOST, VHD_PARENT_IDENTITY, VHD_PARENT_MODIFIED  a parent down the chain is missing,
 *                       is another disk, or is larger than its child
 *   VHD_READ_ONLY       for writing: the disk has children, its image allows only reading
 *                       (image.h), or the host's file system is read-only
 *   VHD_NO_DESCRIPTORS  only the reserve of descriptors for other work is left
 *   VHD_ACCESS_DENIED, VHD_OUT_OF_MEMORY, VHD_UNEXPECTED  as the host answers
 */
enum vhd_result vhd_disk_open(struct vhd_catalogue *catalogue, const char *name, unsigned flags,
                              struct vhd_disk **ret, struct vhd_verdict *ret_why);

/*
 * Open a scratch file, flat content that only this process knows, as a fixed disk for reading.
 *
 *   catalogue  stays referenced while the disk is open
 *   fd         of the file, open for reading; stays the caller's
 *
 * Returns 0, -ENOMEM, -EMFILE if only the reserve of descriptors is left, or another negative errno
 * of fcntl(2) or fstat(2).
 */
int vhd_disk_open_scratch(struct vhd_catalogue *catalogue, int fd, struct vhd_disk **ret);

/*
 * Make a disk that is open for reading writable too. Reads go on meanwhile. A writable disk stays
 * as it is, and the call only judges again whether its image and children allow writing. Only one
 * thread may call this at a time.
 *
 * Returns as vhd_disk_open(), or VHD_ACCESS_FAILED on a disk that has failed
 * (vhd_disk_has_failed()); after a failure the disk is open as before.
 */
enum vhd_result vhd_disk_make_writable(struct vhd_disk *disk, struct vhd_verdict *ret_why);

/*
 * Close a disk, after the last call that uses it has returned. Its image is left clean, without
 * slack. Writes since the last flush are in the host's cache, as with any file. NULL is allowed.
 *
 * A disk that was written to gets an mtime between two ticks of the host's clock. The host stamps
 * with ticks, so each later write of another program gives the file another mtime.
 *
 *   ret_left  receives the fingerprint of the closed file, parents included; all zero, which no
 *             file has, when the close fails, or another program has changed the file or given its
 *             name to another; NULL is allowed
 *
 * Returns 0, or the negative errno that kept the image from being left clean: the next opening for
 * writing repairs it. After a failed sync it is -EIO, or 0 for a fixed disk. -ESTALE means that
 * another program has overwritten the file: it stays as it is. A file that was renamed or removed
 * is left clean all the same. The disk is closed in any case.
 */
int vhd_disk_close(struct vhd_disk *disk, struct vhd_fingerprint *ret_left);

/*
 * Confirm that the name of each layer still leads to the open file, and that no other program has
 * changed its content. For a parent, or a disk open for reading, length and mtime tell. If only the
 * ctime has changed, as by chmod or link, the metadata is compared. The top of a writable disk must
 * have our length, footer and copy of the footer. Not to be called during vhd_disk_make_writable()
 * or vhd_disk_close().
 *
 * Returns 0; -ESTALE when a layer is another file, changed or gone; another negative errno of
 * fstatat(2) or pread(2).
 */
int vhd_disk_confirm(const struct vhd_disk *disk);

/*
 * Take the fingerprint of a disk: of its own file now, and of its parents when they were opened. It
 * is reliable if all of these are.
 *
 * Returns 0, or the negative errno of fstat(2).
 */
int vhd_disk_fingerprint(const struct vhd_disk *disk, struct vhd_fingerprint *ret);

/*
 * Visit each file of a disk, its own first, then each parent's, until visit() returns other than 0.
 *
 *   visit  receives a file's name in the store, and the attributes of the open file
 *
 * Returns 0, the value of visit(), or the negative errno of fstat(2).
 */
int vhd_disk_each_file(const struct vhd_disk *disk,
                       int (*visit)(void *arg, const char *file, const struct stat *attributes),
                       void *arg);

/*
 * The file of a disk's parent.
 *
 *   ret  receives its attributes
 *
 * Returns its name in the store, which lives as long as the disk; NULL without a parent, or where
 * the attributes cannot be read.
 */
const char *vhd_disk_parent(const struct vhd_disk *disk, struct stat *ret);

/*
 * Has a sync of the disk failed, or is its file no longer ours? Then reads go on, writes and
 * flushes are -EIO, and vhd_disk_make_writable() is VHD_ACCESS_FAILED, until the disk is closed and
 * opened again.
 */
bool vhd_disk_has_failed(const struct vhd_disk *disk);

/* Say in *ret why a failed disk refuses writes. Returns VHD_ACCESS_FAILED. */
enum vhd_result vhd_disk_refuse_failed(const struct vhd_disk *disk, struct vhd_verdict *ret);

/* Bytes of the disk, a multiple of 512: constant while it is open, but for resize.h. */
uint64_t vhd_disk_size(const struct vhd_disk *disk);

/* The identity in the disk's footer; a raw file has none, and gives a null UUID. */
void vhd_disk_uuid(const struct vhd_disk *disk, uuid_t ret);

/* The type in the disk's footer; a raw file counts as fixed. */
enum vhd_disk_type vhd_disk_type(const struct vhd_disk *disk);

/*
 * The image's file, without its parents'.
 *
 *   ret_name  receives its name in the store when it was opened; it lives as long as the disk
 *
 * Returns a descriptor that is open for reading; it stays the disk's.
 */
int vhd_disk_file(const struct vhd_disk *disk, const char **ret_name);

/* Is the disk open for writing? */
bool vhd_disk_is_writable(const struct vhd_disk *disk);

/* Get the attributes of the image's file. Returns 0, or the negative errno of fstat(2). */
int vhd_disk_stat(const struct vhd_disk *disk, struct stat *ret);

/*
 * Read a range.
 *
 *   buf          receives exactly len bytes; unspecified after a failure
 *   len, off     bytes, any; the range lies inside the disk
 *   ret_is_hole  receives true when all of the range is a hole: buf is then unchanged, and stands
 *                for zeros. NULL: buf is filled with them
 *
 * Returns 0, or
 *   -ERANGE  the range ends beyond the disk
 *   -EIO     the image's file has become shorter, or another negative errno of pread(2)
 *
 * Source: VHD specification 1.0, "Mapping a Disk Sector to a Sector in the Block".
 */
int vhd_disk_read(struct vhd_disk *disk, void *buf, size_t len, uint64_t off, bool *ret_is_hole);

/*
 * Write a range. Zeros in a hole take no space.
 *
 *   len, off  bytes, any; the range lies inside the disk
 *
 * Returns 0: every later read sees the data, in this process or the next, and after
 * vhd_disk_flush() also after a power loss. After a failure each sector is as before or as written:
 *   -ERANGE  the range ends beyond the disk
 *   -EROFS   the disk is open for reading only
 *   -ENOSPC  the host is full; the image is sound, and a later write may succeed
 *   -EFBIG   the file would be too long for the host, or for an entry of the table
 *   -ENOMEM  memory is short
 *   -EIO     the disk has failed (vhd_disk_has_failed()); or another negative errno of pread(2),
 *            pwrite(2) or fdatasync(2)
 */
int vhd_disk_write(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off);

/*
 * Make a range read as zeros and free its space: in the image for whole blocks that no parent holds
 * data for, and on the host if its file system can. The cost grows with the blocks that hold data,
 * not with len.
 *
 * Returns as vhd_disk_write().
 */
int vhd_disk_discard(struct vhd_disk *disk, uint64_t len, uint64_t off);

/*
 * Make all writes and discards before the call durable. On a disk open for reading this does
 * nothing and succeeds.
 *
 * Returns 0, or a negative errno of fdatasync(2), pwrite(2), pread(2) or fstat(2). A failed sync is
 * final, because the host may have dropped data that it could not write. Then the disk has failed
 * (vhd_disk_has_failed()), as when another program has changed the file, and each later flush is
 * -EIO.
 *
 * See README.md, "A flush".
 */
int vhd_disk_flush(struct vhd_disk *disk);

/*
 * Give a differencing disk another record of its parent, durably. No data moves. The disk was
 * opened by VHD_DISK_WRITE and VHD_DISK_ALONE, and the caller calls nothing else at the same time.
 *
 *   parent        the parent's identity
 *   timestamp     of its file's last change, seconds since VHD_EPOCH
 *   file          its file name in the store
 *   keeps_second  the close sets an mtime in the second of the former one
 *
 * Returns 0. After a failure the disk has the old record, or after -EIO perhaps the new one:
 *   -EINVAL  it is no differencing disk
 *   -EROFS   it is open for reading only
 *   -EILSEQ  the name of the file cannot be recorded (vhd_locators_encode())
 *   -ENOSPC  the host has no space for a second header
 *   -ENOMEM
 *   -EIO     the disk has failed (vhd_disk_has_failed()); or another negative errno of pread(2),
 *            pwrite(2) or fdatasync(2)
 *
 * See README.md, "Another parent".
 */
int vhd_disk_relink(struct vhd_disk *disk, const uuid_t parent, uint32_t timestamp,
                    const char *file, bool keeps_second);

/*
 * Find the first byte from off on that is data, or that is a hole, as lseek(2) with SEEK_DATA and
 * SEEK_HOLE. The end of the disk counts as a hole.
 *
 *   off       bytes
 *   for_hole  find a hole, else data
 *
 * Returns 0, -ENXIO when off is at or beyond the end or no data follows, or another negative errno.
 */
int vhd_disk_seek(struct vhd_disk *disk, uint64_t off, bool for_hole, uint64_t *ret);

/*
 * Find where a range of a disk lies, if all of it lies in one stretch of one file. The answer holds
 * until the disk is written to.
 *
 *   ret_fd  receives the file, open for reading; it stays the disk's
 *   ret_at  receives the byte offset in it
 *
 * Returns false where it lies in several places, in a hole, or cannot be read; and for a scratch
 * file, which is short-lived and may be full of zeros.
 */
bool vhd_disk_locate(struct vhd_disk *disk, uint64_t off, uint64_t len, int *ret_fd,
                     uint64_t *ret_at);

/*
 * Have the host drop a range from its cache, after it was read once, with up to 2 MiB in front of
 * it in the file. So ranges that follow each other leave nothing but the end of the last.
 */
void vhd_disk_uncache(struct vhd_disk *disk, uint64_t off, uint64_t len);

/*
 * Copy a range from one disk to another, or within one disk if the ranges do not overlap. Holes
 * become holes.
 *
 *   len  bytes, any; both ranges lie inside their disks
 *
 * Returns as vhd_disk_read() for the source or vhd_disk_write() for the target. After a failure
 * part of the range may be copied.
 */
int vhd_disk_copy(struct vhd_disk *source, uint64_t source_off, struct vhd_disk *target,
                  uint64_t target_off, uint64_t len);
