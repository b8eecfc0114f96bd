/*
 * The remains of a store after a cut: the whole disk or none, and nothing else after the next
 * owner's sweep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The reference image, read once from a disk that was made without a cut. */
struct image {
    uint8_t *bytes; /* fields that differ between disks, UUID and time, are zero */
    size_t len;
};

/*
 * Read the image that the maker has made in a folder.
 *
 *   size  bytes that the disk must have
 *
 * Returns NULL, or a sentence about the fault. The caller frees ret->bytes.
 */
const char *image_read(const char *folder, uint64_t size, struct image *ret);

/*
 * Judge the remains, and open the store as its owner, which sweeps it.
 *
 *   whole     the reference image
 *   size      bytes of the disk
 *   is_told   the child reported success, so the disk must be there
 *
 * Returns NULL, with the presence of the disk in *ret_is_there, or a sentence about the fault.
 */
const char *remains_judge(const char *folder, const struct image *whole, uint64_t size,
                          bool is_told, bool *ret_is_there);

/* Remove the folder and its files; it may be missing. */
void remains_remove(const char *folder);
