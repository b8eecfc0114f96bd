/*
 * What remains of a store after a cut: the whole disk or nothing, and after its next owner's sweep
 * nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An image as it must be, read once from a disk that was made without a cut. */
struct image {
    uint8_t *bytes; /* what differs from disk to disk, identity and time, is zero */
    size_t len;
};

/*
 * Read the image that the maker has made in a folder.
 *
 *   size  bytes that the disk must have
 *
 * Returns NULL, or a sentence on what is wrong with it. ret->bytes is the caller's to free.
 */
const char *image_read(const char *folder, uint64_t size, struct image *ret);

/*
 * Judge what remains, and open the store as its owner to have it swept.
 *
 *   whole     the image as it must be
 *   size      bytes of the disk
 *   is_told   success has been told: the disk must be there
 *
 * Returns NULL, with *ret_is_there telling whether the disk is there, or a sentence on what is
 * wrong.
 */
const char *remains_judge(const char *folder, const struct image *whole, uint64_t size,
                          bool is_told, bool *ret_is_there);

/* Remove the folder with all that is in it; it may be missing. */
void remains_remove(const char *folder);
