/*
 * A request: the line that a user writes to make a disk. The parser judges the line alone, nothing
 * of the host.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "result/result.h"

/* The longest request in bytes. One write(2) sends all of it. */
#define VHD_REQUEST_MAX 4096

struct vhd_request {
    uint64_t size; /* bytes, within the limits of request/size.h */
    uuid_t uuid;   /* of the new disk; null for a random one */
};

/*
 * Read a request.
 *
 *     request = SIZE {option}      words split by blanks; CR tolerated, final newline optional
 *     option  = type=dynamic | uuid=UUID
 *
 * SIZE is as in request/size.h; its unit may be a word of its own. A pair of quotes, " or ', around
 * the size or around the whole request is ignored.
 *
 *   text, len  the line; not terminated
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_INVALID_ARGUMENT  too long, two lines, no size, not a size, an option that is unknown,
 *                         given
 *                         twice or has no such value
 *   VHD_SIZE_TOO_SMALL, VHD_SIZE_TOO_LARGE  as vhd_size_parse()
 */
enum vhd_result vhd_request_parse(const char *text, size_t len, struct vhd_request *ret_request,
                                  struct vhd_verdict *ret);

/* Does a text contain blanks alone? Line ends count as blanks. */
bool vhd_request_is_blank(const char *text, size_t len);
