/* SPDX-License-Identifier: MIT */
/*
 * A target: the parts of an image that say where all else is. The first byte of an input chooses
 * between a footer ('f'), a header ('h'), a hop sector ('o') and the data of a locator ('l'). In
 * upper case the checksum is put right before.
 */
#include "target.h"

#include <ctype.h>
#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "format/footer.h"
#include "format/header.h"
#include "format/hop.h"
#include "format/locator.h"
#include "harness.h"

/* What is read and written again reads the same, and a strict reader's footer too. */
static void footer(const struct vhd_footer_disk *disk)
{
    struct vhd_footer footer, again, strict;
    struct vhd_footer_disk written, rewritten;
    struct vhd_fault fault;

    if (vhd_footer_decode(disk, &footer, &fault) != VHD_SOUND)
        return;
    vhd_footer_encode(&footer, &written);
    PROMISE(vhd_footer_decode(&written, &again, &fault) == VHD_SOUND);
    vhd_footer_encode(&again, &rewritten);
    PROMISE(memcmp(&written, &rewritten, sizeof written) == 0);
    strict = vhd_footer_strict(&footer);
    PROMISE(strict.original_size == strict.current_size);
    PROMISE(strict.current_size == footer.current_size && strict.type == footer.type);
    vhd_footer_encode(&strict, &written);
    PROMISE(vhd_footer_decode(&written, &again, &fault) == VHD_SOUND);
}

static void header(const struct vhd_header_disk *disk)
{
    struct vhd_header header, again;
    struct vhd_header_disk written, rewritten;
    struct vhd_fault fault;

    if (vhd_header_decode(disk, &header, &fault) != VHD_SOUND)
        return;
    PROMISE(header.block_size >= 512 && (header.block_size & (header.block_size - 1)) == 0);
    for (int i = 0; i < VHD_LOCATORS; i++)
        PROMISE(vhd_locator_space(&header.locators[i]) >= header.locators[i].data_length);
    vhd_header_encode(&header, &written);
    PROMISE(vhd_header_decode(&written, &again, &fault) == VHD_SOUND);
    vhd_header_encode(&again, &rewritten);
    PROMISE(memcmp(&written, &rewritten, sizeof written) == 0);
}

static void hop(const struct vhd_hop_disk *disk)
{
    struct vhd_hop hop, again;
    struct vhd_hop_disk written;

    if (!vhd_hop_decode(disk, &hop))
        return;
    vhd_hop_encode(&hop, &written);
    PROMISE(vhd_hop_decode(&written, &again));
    PROMISE(again.header == hop.header && again.locators == hop.locators &&
            again.far_locators == hop.far_locators && again.length == hop.length);
}

/* Two bytes choose platform and buffer; the rest is the path. The answer is a name in this folder.
 */
static void locator(const uint8_t *bytes, size_t len)
{
    static const uint32_t platforms[] = {VHD_PLATFORM_W2RU, VHD_PLATFORM_W2KU, VHD_PLATFORM_MACX,
                                         0x57696E69};

    if (len < 2)
        return;
    const size_t size = bytes[1] + 1u;
    char *buf = malloc(size);
    if (!buf)
        err(2, "malloc");
    memset(buf, 'X', size);
    vhd_locator_file(platforms[bytes[0] % 4], bytes + 2, len - 2, buf, size);
    PROMISE(strnlen(buf, size) < size && !strpbrk(buf, "/\\"));
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    union {
        struct vhd_footer_disk footer;
        struct vhd_header_disk header;
        struct vhd_hop_disk hop;
        uint8_t bytes[VHD_HEADER_SIZE];
    } part = {.bytes = {0}};

    if (len == 0)
        return 0;
    const char kind = (char)tolower(*bytes);
    if (kind == 'l') {
        locator(bytes + 1, len - 1);
        return 0;
    }
    memcpy(part.bytes, bytes + 1, len - 1 < sizeof part ? len - 1 : sizeof part);
    const size_t size = kind == 'h' ? VHD_HEADER_SIZE : VHD_FOOTER_SIZE;
    const size_t checksum_at = kind == 'f'   ? offsetof(struct vhd_footer_disk, checksum)
                               : kind == 'h' ? offsetof(struct vhd_header_disk, checksum)
                                             : offsetof(struct vhd_hop_disk, checksum);
    if (isupper(*bytes))
        harness_seal_part(part.bytes, size, checksum_at);
    switch (kind) {
    case 'f':
        footer(&part.footer);
        break;
    case 'h':
        header(&part.header);
        break;
    case 'o':
        hop(&part.hop);
        break;
    default:
        break;
    }
    return 0;
}
