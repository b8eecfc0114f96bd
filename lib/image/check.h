/* SPDX-License-Identifier: MIT */
/*
 * The check of an image: everything in its file that a strict reader of VHD objects to. It reads
 * damaged images too, and writes nothing.
 *
 * A fact is a finding if the specification forbids it and a program that is in use refuses the
 * image for it, or shows another content or size: QEMU, libvhdi, 7-Zip, "vhd-util check", XO,
 * DiscUtils, Windows. All else is a remark. Findings, by the word that follows their place:
 *
 *   footer     lost, checksum, version, type, size (libvhdi uses the original one), short (511
 *              bytes), disabled, features, offset, geometry (above the specification's: vhd-util
 *              refuses it), state, reserved, id (null)
 *   copy       lost, checksum, differs
 *   header     outside, cookie, checksum, version, block, offset, reserved, parent (a dynamic disk
 *              names one)
 *   table      small, outside, surplus (7-Zip and DiscUtils want the exact number)
 *   block N    outside, overlap, data (under clear bits of a dynamic disk: QEMU shows it, others
 *              show zeros), batmap (blktap takes the block for full), unreadable
 *   batmap     outside, overlap, small, checksum
 *   locator N  outside, overlap, space, code (blktap refuses unknown ones)
 *   parent     lost, id, size, chain, bad, time (Windows refuses it)
 *   file       small (no place for a fixed disk's content), split, format, bitmaps (of blktap 0.1)
 *
 * Remarks: a geometry below the specification's, where a program may see a smaller disk; a
 * temporary, saved or hidden disk; a creation in the future, because a clock may be wrong; a disk
 * below 3 MB or above 2040 GB; blocks of other sizes than Windows makes; a header, or data of
 * blocks, at an unusual place; surplus entries of blktap, which has a batmap behind them; bits of
 * a differencing disk that are set in part of 4 KiB; a smaller parent; slack before the footer.
 *
 * These are not judged: the creator, padding of the table, gaps, locators that only other systems
 * use, and set bits behind the end of the disk, because QEMU and this library fill whole bitmaps.
 */
#pragma once

#include <stdint.h>

#include "image/finding.h"
#include "store/store.h"

/*
 * Check an image and its chain.
 *
 *   file          the image's file name in the store
 *   fd            open for reading, and claimed at least for reading
 *   ret_findings  receives their number, without remarks
 *
 * It reads the table, and the bitmaps of allocated blocks. It reads data only under clear bits of a
 * dynamic disk. The memory that it takes grows with the allocated blocks, 8 bytes each.
 *
 * Returns 0, -ECANCELED when goes_on() has ended it, or -ENOMEM.
 */
int vhd_check_image(const struct vhd_store *store, const char *file, int fd,
                    const struct vhd_checker *checker, uint64_t *ret_findings);
