/* SPDX-License-Identifier: MIT */
#include "repair/backup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "repair/changes.h"
#include "store/draft.h"

#define ENDING ".before-repair"

/* The name of the file. Returns false if it is too long. */
static bool name_of(const char *file, char ret[NAME_MAX + 1])
{
    return snprintf(ret, NAME_MAX + 1, ".%s" ENDING, file) <= NAME_MAX;
}

/* A file that is written from its start on. */
struct output {
    int fd;
    uint64_t at;
};

static int put(struct output *output, const void *bytes, size_t len)
{
    int err = vhd_io_put(output->fd, bytes, len, output->at);
    output->at += len;
    return err;
}

static int __attribute__((format(printf, 2, 3)))
put_line(struct output *output, const char *format, ...)
{
    char line[80];
    va_list args;

    va_start(args, format);
    const int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return put(output, line, (size_t)len);
}

/* Copy one stretch. A part behind the end of the file has no bytes. */
static int put_stretch(struct output *output, int fd, const struct vhd_repair_stretch *stretch,
                       uint64_t length)
{
    const uint64_t end = stretch->end < length ? stretch->end : length;
    uint8_t bytes[4096];

    if (stretch->at >= end)
        return 0;
    int err = put_line(output, "%" PRIu64 " %" PRIu64 "\n", stretch->at, end - stretch->at);
    for (uint64_t at = stretch->at; at < end && err == 0; at += sizeof bytes) {
        const size_t len = end - at < sizeof bytes ? (size_t)(end - at) : sizeof bytes;
        err = vhd_io_get(fd, bytes, len, at);
        if (err == 0)
            err = put(output, bytes, len);
    }
    return err;
}

static int put_all(int to, int fd, const struct vhd_repair_plan *plan)
{
    AUTO_FREE struct vhd_repair_stretch *stretches = NULL;
    struct output output = {.fd = to};

    const ssize_t count = vhd_repair_changes_list(plan, &stretches);
    if (count < 0)
        return (int)count;
    int err = put_line(&output, "vhdfs before-repair %" PRIu64 "\n", plan->length);
    for (ssize_t i = 0; i < count && err == 0; i++)
        err = put_stretch(&output, fd, &stretches[i], plan->length);
    return err;
}

int vhd_backup_write(const struct vhd_store *store, const char *file, int fd,
                     const struct vhd_repair_plan *plan)
{
    struct vhd_draft draft = VHD_DRAFT_NONE;
    char name[NAME_MAX + 1];

    if (!name_of(file, name))
        return -ENAMETOOLONG;
    int err = vhd_draft_begin(store, false, &draft);
    if (err < 0)
        return err;
    /* The metadata says where data lies, so nobody reads it who may not read the image. */
    err = vhd_draft_copy_attributes(&draft, fd);
    if (err == -EPERM)
        err = vhd_draft_limit_readers(&draft, 0600);
    if (err == 0)
        err = put_all(draft.fd, fd, plan);
    if (err == 0 && unlinkat(vhd_store_fd(store), name, 0) < 0 && errno != ENOENT)
        err = -errno;
    if (err == 0)
        err = vhd_draft_publish(store, &draft, name);
    vhd_draft_end(store, &draft);
    return err;
}

void vhd_backup_remove(const struct vhd_store *store, const char *file)
{
    char name[NAME_MAX + 1];

    if (name_of(file, name))
        (void)unlinkat(vhd_store_fd(store), name, 0);
}

void vhd_backup_rename(const struct vhd_store *store, const char *file, const char *new_file)
{
    const int dir_fd = vhd_store_fd(store);
    char name[NAME_MAX + 1], new_name[NAME_MAX + 1];

    if (!name_of(file, name))
        return;
    if (!name_of(new_file, new_name))
        (void)unlinkat(dir_fd, name, 0);
    else if (renameat(dir_fd, name, dir_fd, new_name) < 0 && errno == ENOENT)
        (void)unlinkat(dir_fd, new_name, 0); /* of another image that had this name */
}
