/* SPDX-License-Identifier: MIT */
/*
 * disks/NAME/fixed.vhd: the disk as a fixed VHD, made while it is read.
 */
#pragma once

#include "tree/node.h"

extern const struct fs_row_ops fs_fixed_ops;
