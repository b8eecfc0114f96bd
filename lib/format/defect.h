/* SPDX-License-Identifier: MIT */
/*
 * Defects: the faults that an image can have. From VHD_NO_PARENT on they also depend on other files
 * of the store. Each defect has one sentence; a fault is a defect and the sentence with its
 * figures.
 *
 * Reading goes on with VHD_FOOTER_LOST, VHD_DISABLED, VHD_OLD_BITMAPS, VHD_PARENT_SMALLER and
 * VHD_PARENT_TOUCHED.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VHD_DEFECTS(DEFECT)                                                                        \
    DEFECT(VHD_SOUND, "nothing is wrong")                                                          \
    DEFECT(VHD_UNREADABLE, "the file cannot be read")                                              \
    DEFECT(VHD_FOOTER_MISSING, "the file has no VHD footer, neither at its end nor at its start")  \
    DEFECT(VHD_FOREIGN, "this is an image of another format; vhdfs reads VHD images only")         \
    DEFECT(VHD_FOOTER_LOST, "the footer at the end of the file is lost; its copy is used")         \
    DEFECT(VHD_DISABLED, "blktap has disabled the disk, so it opens for reading only")             \
    DEFECT(VHD_OLD_BITMAPS,                                                                        \
           "the bitmaps are those of blktap 0.1, so the disk opens for reading only")              \
    DEFECT(VHD_FOOTER_CHECKSUM, "the footer's checksum is wrong")                                  \
    DEFECT(VHD_FOOTER_VERSION, "the footer's format version is not 1.0")                           \
    DEFECT(VHD_FOOTER_TYPE, "the footer's disk type is not fixed, dynamic or differencing")        \
    DEFECT(VHD_FOOTER_CURRENT_SIZE,                                                                \
           "the footer's current size is 0 or not a multiple of 512 bytes")                        \
    DEFECT(VHD_FILE_TOO_SHORT, "the file is too short for its disk")                               \
    DEFECT(VHD_HEADER_OUTSIDE, "the dynamic header lies outside the file or over a footer")        \
    DEFECT(VHD_HEADER_COOKIE, "the dynamic header does not begin with \"cxsparse\"")               \
    DEFECT(VHD_HEADER_CHECKSUM, "the dynamic header's checksum is wrong")                          \
    DEFECT(VHD_HEADER_VERSION, "the dynamic header's version is not 1.0")                          \
    DEFECT(VHD_BLOCK_SIZE, "the block size is below 512 bytes or not a power of two")              \
    DEFECT(VHD_DISK_TOO_LARGE, "the disk is larger than 2 TiB")                                    \
    DEFECT(VHD_TOO_MANY_BLOCKS, "the disk has too many blocks")                                    \
    DEFECT(VHD_TABLE_TOO_SMALL, "the block allocation table has too few entries for the disk")     \
    DEFECT(VHD_TABLE_OUTSIDE, "the block allocation table lies outside the file or over metadata") \
    DEFECT(VHD_BLOCK_OUTSIDE, "a block lies outside the file or over metadata")                    \
    DEFECT(VHD_BLOCK_OVERLAP, "two blocks overlap")                                                \
    DEFECT(VHD_NO_PARENT, "the parent is not a disk of the store")                                 \
    DEFECT(VHD_OTHER_PARENT, "the parent's uuid is not the recorded one")                          \
    DEFECT(VHD_OTHER_SIZE, "the parent is larger than the disk")                                   \
    DEFECT(VHD_CHAIN_TOO_LONG, "the chain of parents has no end, or is too long")                  \
    DEFECT(VHD_BAD_PARENT, "a parent cannot be used")                                              \
    DEFECT(VHD_PARENT_SMALLER, "the parent is smaller than the disk; the rest reads as zeros")     \
    DEFECT(VHD_PARENT_TOUCHED, "the parent's time is not the recorded one")                        \
    DEFECT(VHD_SPLIT, "the disk is split into several files; join them first")

enum vhd_defect {
#define DEFECT(symbol, sentence) symbol,
    VHD_DEFECTS(DEFECT)
#undef DEFECT
        VHD_DEFECT_COUNT
};

/* Bytes of a sentence: enough for the names of two disks. */
#define VHD_FAULT_SIZE 768

struct vhd_fault {
    enum vhd_defect defect;
    char sentence[VHD_FAULT_SIZE];
};

/* Is this a remark: a note on a parent that keeps nobody from using its child? */
static inline bool vhd_defect_is_remark(enum vhd_defect defect)
{
    return defect == VHD_PARENT_SMALLER || defect == VHD_PARENT_TOUCHED;
}

/*
 * Append the place of the fault to its sentence: ", at byte N" after figures, else ": at byte N".
 */
void vhd_fault_locate(struct vhd_fault *fault, uint64_t at);

/* The sentence of a defect, without figures and full stop; always valid. */
const char *vhd_defect_sentence(enum vhd_defect defect);

/*
 * Fill in a fault: the defect's sentence, a colon and the figures.
 *
 *   figures  as printf; NULL adds none
 *
 * Returns defect, so that a caller can judge in one line.
 */
enum vhd_defect vhd_fault_set(struct vhd_fault *ret, enum vhd_defect defect, const char *figures,
                              ...) __attribute__((format(printf, 3, 4)));

/*
 * Fill in a fault with a sentence of its own, where figures after the usual one are not enough.
 *
 *   sentence  as printf; no full stop
 *
 * Returns defect.
 */
enum vhd_defect vhd_fault_set_whole(struct vhd_fault *ret, enum vhd_defect defect,
                                    const char *sentence, ...)
    __attribute__((format(printf, 3, 4)));
