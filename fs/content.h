/*
 * The content of a disk as the mount has it in use: one open disk for all files that are open of
 * it, opened for reading when the first comes and for writing when the first writer does, closed
 * with the last. And what the kernel may go on believing of it: as long as nobody else changes the
 * image while it is closed here, pages and attributes that the kernel has kept are right; else its
 * generation counts up, and with that the kernel gets a fresh node (ino.h).
 *
 * One belongs to each entry of the names whose disk has been looked at. Every function may be
 * called from any thread. Who opens or closes a disk waits for others who open or close the same,
 * for nobody else; a look waits for nobody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "disk/disk.h"
#include "fs.h"

struct fs_content;

/* Returns NULL when memory is short. */
struct fs_content *fs_content_new(void);

/* Release a content that nobody has open; NULL is allowed. */
void fs_content_free(struct fs_content *content);

/* What a look at a disk finds. */
struct fs_content_look {
    uint64_t size;           /* bytes of the disk; 0 where its image does not tell */
    blkcnt_t blocks;         /* of 512 bytes, that its image takes on the host */
    struct timespec changed; /* when the image last changed */
    uint32_t generation;
};

/*
 * Look at a disk, open or not.
 *
 *   name  the disk's name
 *
 * Returns 0, -ENOENT when there is no such disk, or another negative errno of fstat(2).
 */
int fs_content_look(struct fs_content *content, struct fs *fs, const char *name,
                    struct fs_content_look *ret);

/* What it is opened for. */
enum fs_content_use {
    FS_CONTENT_READ,
    FS_CONTENT_WRITE, /* to be written past the kernel's pages: all is told at once */
    FS_CONTENT_MAP,   /* to be written through the kernel's pages: a mapping may have more in them
                         than it has told */
};

struct fs_content_opened {
    struct vhd_disk *disk;
    uint32_t generation;
    bool is_stale; /* the kernel's pages are not right, or may not be: it is to drop them */
};

/*
 * Open a disk, or take part in the one that is open.
 *
 * Returns VHD_OK, or as vhd_disk_open(), with a sentence in *ret_why.
 */
enum vhd_result fs_content_open(struct fs_content *content, struct fs *fs, const char *name,
                                enum fs_content_use use, struct fs_content_opened *ret,
                                struct vhd_verdict *ret_why);

/* Undo it; the last one closes the disk. */
void fs_content_close(struct fs_content *content, struct fs *fs, const char *name,
                      enum fs_content_use use);

/* Is it open to be written to, and: so that a mapping may have more than has been told? */
bool fs_content_has_writer(struct fs_content *content);
bool fs_content_has_mapper(struct fs_content *content);

/* The kernel has been told to drop its pages, before anybody can read them by the open at hand. */
void fs_content_dropped(struct fs_content *content);

/*
 * The kernel has pages that are not right, which it is about to drop: while there is doubt, who
 * opens the disk has it drop them too. Begun and ended any number of times.
 */
void fs_content_doubt(struct fs_content *content, bool begins);

/* The disk, closed, has just been renamed by us: that has changed nothing. */
void fs_content_renamed(struct fs_content *content, struct fs *fs, const char *new_name);
