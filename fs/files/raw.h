/* SPDX-License-Identifier: MIT */
/*
 * disks/NAME/raw: the content of a disk, flat, to be read and written.
 */
#pragma once

#include "tree/node.h"

extern const struct fs_row_ops fs_raw_ops;
