/* SPDX-License-Identifier: MIT */
/*
 * A request: the line that a user writes to make a disk. The parser judges the line alone, nothing
 * of the host.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "format/fat.h"
#include "result/result.h"

struct vhd_request {
    uint64_t size;             /* bytes, within the limits of request/size.h; 0: the other disk's */
    bool is_fixed;             /* makes a fixed disk */
    char from[NAME_MAX + 1];   /* the disk whose content is copied; empty for none */
    uuid_t uuid;               /* of the new disk; null for a random one */
    char parent[NAME_MAX + 1]; /* makes a differencing disk; empty for none */
    uint32_t fat_bits;         /* makes a FAT file system, 16 or 32; 0 for none */
    char label[VHD_FAT_LABEL_MAX + 1]; /* of that file system; empty for none */
};

/*
 * Read a request.
 *
 *     request = SIZE {option} | option {option}
 *     option  = type=dynamic|fixed|differencing | parent=NAME | from=NAME | uuid=UUID |
 *               format=fat16|fat32 | label=TEXT
 *
 * Words are split by blanks; a CR is tolerated, and the final newline optional. SIZE is as in
 * request/size.h; its unit may be a word of its own. Only with parent= or from= it may be left out.
 * A pair of quotes, " or ', around the size, a value or the whole request is ignored. NAME may end
 * in ".vhd". TEXT is as in request/filesystem.h.
 *
 *   text, len  the line; not terminated
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_INVALID_ARGUMENT  too long, two lines, no size, not a size, an option that is unknown,
 *                         given twice or has no such value, or options that do not fit together
 *   VHD_SIZE_TOO_SMALL, VHD_SIZE_TOO_LARGE  as vhd_size_parse() and vhd_format_judge_size()
 */
enum vhd_result vhd_request_parse(const char *text, size_t len, struct vhd_request *ret_request,
                                  struct vhd_verdict *ret);
