/* SPDX-License-Identifier: MIT */
/*
 * disks/NAME/info: what is known of a disk, as one text, as JSON, and as one value a file.
 */
#pragma once

#include "tree/node.h"

/* The fields of a disk's info, in their order. */
enum fs_disk_field {
    FS_DISK_FIELD_name,
    FS_DISK_FIELD_path,
    FS_DISK_FIELD_type,
    FS_DISK_FIELD_size,
    FS_DISK_FIELD_bytes,
    FS_DISK_FIELD_used,
    FS_DISK_FIELD_length,
    FS_DISK_FIELD_uuid,
    FS_DISK_FIELD_created,
    FS_DISK_FIELD_creator,
    FS_DISK_FIELD_geometry,
    FS_DISK_FIELD_blocks,
    FS_DISK_FIELD_allocated,
    FS_DISK_FIELD_parent,
    FS_DISK_FIELD_parent_uuid,
    FS_DISK_FIELD_children,
    FS_DISK_FIELD_depth,
    FS_DISK_FIELD_slack,
    FS_DISK_FIELD_human,
    FS_DISK_FIELD_fault,
    FS_DISK_FIELD_END,
};

extern const struct fs_field fs_disk_fields[]; /* of a disk's info; ends in a NULL key */

extern const struct fs_row_ops fs_disk_info_ops; /* in disks/NAME/: */
extern const struct fs_row_ops fs_disk_json_ops;
extern const struct fs_row_ops fs_disk_value_ops;
