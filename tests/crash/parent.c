/* SPDX-License-Identifier: MIT */
#include "parent.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "format/footer.h"
#include "format/header.h"
#include "format/placement.h"
#include "tracer.h"

struct image parent_of(uint64_t size)
{
    const struct vhd_placement placement = vhd_placement_of(size, 0);
    const struct vhd_header header = {
        .table_offset = VHD_TABLE_OFFSET,
        .max_entries = placement.entries,
        .block_size = VHD_BLOCK_DEFAULT,
    };
    struct vhd_footer footer = vhd_footer_of(VHD_TYPE_DYNAMIC, size, PARENT_TIME);
    struct image parent = {.bytes = malloc(placement.empty_length), .len = placement.empty_length};

    if (!parent.bytes)
        err(EXIT_BROKEN, "malloc");
    memset(footer.uuid, 0x5A, sizeof footer.uuid);
    memset(parent.bytes, 0xFF, parent.len);
    vhd_footer_encode(&footer, (struct vhd_footer_disk *)parent.bytes);
    vhd_header_encode(&header, (struct vhd_header_disk *)(parent.bytes + VHD_HEADER_OFFSET));
    memcpy(parent.bytes + parent.len - VHD_FOOTER_SIZE, parent.bytes, VHD_FOOTER_SIZE);
    return parent;
}

void parent_put(const struct image *parent, const char *folder, const char *name)
{
    const struct timespec time = {.tv_sec = VHD_EPOCH + PARENT_TIME}, times[] = {time, time};
    char path[PATH_MAX];

    file_path(folder, name, path);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, parent->bytes, parent->len) != (ssize_t)parent->len ||
        futimens(fd, times) < 0 || fsync(fd) < 0)
        err(EXIT_BROKEN, "%s", path);
    AUTO_CLOSE int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fsync(dir) < 0)
        err(EXIT_BROKEN, "%s", folder);
}

const char *parent_judge(const struct image *parent, const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat attributes;
    struct image found;

    const char *fault = file_load(folder, name, &found);
    if (fault)
        return "the parent cannot be read";
    file_path(folder, name, path);
    if (stat(path, &attributes) < 0)
        err(EXIT_BROKEN, "%s", path);
    if (found.len != parent->len || memcmp(found.bytes, parent->bytes, parent->len) != 0)
        fault = "the parent has other bytes than before";
    else if (attributes.st_mtim.tv_sec != VHD_EPOCH + PARENT_TIME)
        fault = "the parent's file has another time than before";
    free(found.bytes);
    return fault;
}

bool parent_is_of(const struct image *parent, const struct image *child)
{
    /* Bytes by the specification, because the library wrote the header by its own types. */
    enum { HEADER = 512, UUID = 40, TIME = 56, NAME = 64, NAME_LENGTH = 512, FOOTER_UUID = 68 };
    const uint8_t *header = child->bytes + HEADER;
    const uint8_t time[] = {PARENT_TIME >> 24, PARENT_TIME >> 16 & 0xFF, PARENT_TIME >> 8 & 0xFF,
                            PARENT_TIME & 0xFF};
    uint8_t name[NAME_LENGTH] = {0};

    for (size_t i = 0; i < strlen(PARENT_FILE); i++)
        name[2 * i + 1] = (uint8_t)PARENT_FILE[i];
    return child->len >= HEADER + VHD_HEADER_SIZE && memcmp(header, "cxsparse", 8) == 0 &&
           memcmp(header + UUID, parent->bytes + FOOTER_UUID, sizeof(uuid_t)) == 0 &&
           memcmp(header + TIME, time, sizeof time) == 0 &&
           memcmp(header + NAME, name, sizeof name) == 0;
}
