#include "salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "content.h"
#include "log.h"
#include "mountpoint.h"
#include "names.h"

struct salvaged {
    struct fs_name *name; /* referenced; NULL: given up */
    int fd;               /* -1 until it is open */
};

struct fs_salvage {
    struct fs *fs;
    size_t count;
    struct salvaged disks[];
};

/*
 * Which disks.
 */

struct serials {
    uint32_t *all;
    size_t count, room;
};

/* Note a disk that is open for writing. Called under the names' lock, so by its number alone. */
static void note(void *arg, const struct fs_name *name, struct fs_content *content)
{
    struct serials *serials = arg;

    if (!fs_content_has_writer(content))
        return;
    if (serials->count == serials->room) {
        const size_t room = serials->room ? 2 * serials->room : 32;
        uint32_t *all = reallocarray(serials->all, room, sizeof *all);
        if (!all)
            return;
        serials->all = all;
        serials->room = room;
    }
    serials->all[serials->count++] = name->serial;
}

static struct fs_salvage *collect(struct fs *fs)
{
    struct serials serials = {0};

    fs_names_each_content(fs->names, note, &serials);
    struct fs_salvage *salvage =
        serials.count > 0 ? calloc(1, sizeof *salvage + serials.count * sizeof salvage->disks[0])
                          : NULL;
    if (salvage) {
        salvage->fs = fs;
        salvage->count = serials.count;
    }
    for (size_t i = 0; salvage && i < serials.count; i++)
        salvage->disks[i] = (struct salvaged){fs_names_by_serial(fs->names, serials.all[i]), -1};
    free(serials.all);
    return salvage;
}

/*
 * Opening.
 */

/* Open the root of our mount, as a place only. Returns a descriptor or a negative errno. */
static int open_root(const struct fs_mount *mount)
{
    AUTO_FREE char *path = fs_mount_path(mount);

    if (!path)
        return -ENOENT;
    const struct fs_mount top = fs_mount_of(path);
    if (!fs_mount_is(&top, mount))
        return -ENOENT;
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/*
 * Open one. For reading: that does to sync it, and hinders nobody.
 *
 * Returns a descriptor above another, or a negative errno.
 */
static int open_raw(int root, const char *name, int above)
{
    AUTO_FREE char *path = NULL;

    if (asprintf(&path, "disks/%s/raw", name) < 0)
        return -ENOMEM;
    int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fd > above)
        return fd;
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, above + 1);
    int err = higher < 0 ? -errno : 0;
    close(fd);
    return err < 0 ? err : higher;
}

static void give_up(struct fs_salvage *salvage, struct salvaged *disk)
{
    if (disk->fd >= 0)
        close(disk->fd);
    fs_name_put(salvage->fs->names, TAKE(disk->name));
    disk->fd = -1;
}

struct fs_salvage *fs_salvage_open(struct fs *fs, const struct fs_mount *mount, int session_fd)
{
    struct fs_salvage *salvage = collect(fs);
    if (!salvage)
        return NULL;
    AUTO_CLOSE int root = open_root(mount);

    for (struct salvaged *disk = salvage->disks; disk < salvage->disks + salvage->count; disk++) {
        if (!disk->name)
            continue;
        const char *name = fs_name_text(disk->name);
        disk->fd = root < 0 ? root : open_raw(root, name, session_fd);
        if (disk->fd >= 0)
            continue;
        fs_log(LOG_WARNING, "what is not synced of \"%s\" may be lost: %s", name,
               strerrordesc_np(-disk->fd));
        give_up(salvage, disk);
    }
    return salvage;
}

void fs_salvage_sync(struct fs_salvage *salvage)
{
    for (struct salvaged *disk = salvage->disks; disk < salvage->disks + salvage->count; disk++) {
        if (disk->name && fsync(disk->fd) < 0)
            fs_log(LOG_ERR, "cannot sync \"%s\": %s", fs_name_text(disk->name),
                   strerrordesc_np(errno));
    }
}

bool fs_salvage_settle(struct fs_salvage *salvage)
{
    bool is_left = false;

    for (struct salvaged *disk = salvage->disks; disk < salvage->disks + salvage->count; disk++) {
        if (!disk->name)
            continue;
        if (fs_content_has_writer(fs_name_content(salvage->fs->names, disk->name)))
            is_left = true;
        else
            give_up(salvage, disk);
    }
    return is_left;
}

void fs_salvage_close(struct fs_salvage *salvage)
{
    if (!salvage)
        return;
    for (struct salvaged *disk = salvage->disks; disk < salvage->disks + salvage->count; disk++)
        give_up(salvage, disk);
    free(salvage);
}
