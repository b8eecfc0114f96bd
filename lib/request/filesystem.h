/* SPDX-License-Identifier: MIT */
/*
 * The file system that a request asks for, format= and label=, and its limits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "format/fat.h"
#include "result/result.h"

/*
 * Read a format: "fat16" or "fat32".
 *
 *   text, len  not terminated
 *   ret_bits   receives 16 or 32
 *
 * Returns VHD_OK or VHD_INVALID_ARGUMENT, with a sentence in *ret.
 */
enum vhd_result vhd_format_parse(const char *text, size_t len, uint32_t *ret_bits,
                                 struct vhd_verdict *ret);

/*
 * Read a label: 1 to 11 characters, which are ASCII letters, digits, inner blanks, or one of
 *
 *     ! # $ % & ' ( ) - @ ^ _ ` { } ~
 *
 * Small letters become capitals, as FAT stores them.
 *
 *   text, len  not terminated
 *
 * Returns VHD_OK or VHD_INVALID_ARGUMENT, with a sentence in *ret.
 */
enum vhd_result vhd_label_parse(const char *text, size_t len, char ret_label[VHD_FAT_LABEL_MAX + 1],
                                struct vhd_verdict *ret);

/*
 * Judge the size of a disk with such a file system.
 *
 *   bits  16 or 32
 *   size  bytes of the disk, within the limits of request/size.h
 *
 * Returns VHD_OK, or with a sentence in *ret VHD_SIZE_TOO_SMALL or VHD_SIZE_TOO_LARGE.
 */
enum vhd_result vhd_format_judge_size(uint32_t bits, uint64_t size, struct vhd_verdict *ret);
