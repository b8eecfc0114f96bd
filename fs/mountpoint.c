#include "mountpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#ifndef STATX_MNT_ID_UNIQUE
#    define STATX_MNT_ID_UNIQUE 0x4000U
#endif

/* The id of the mount that a descriptor leads to; see proc(5), fdinfo. */
static int id_of(int fd)
{
    char name[48], line[128];
    int id = -1;

    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
    FILE *info = fopen(name, "re");
    if (!info)
        return -1;
    while (id < 0 && fgets(line, sizeof line, info)) {
        if (sscanf(line, "mnt_id: %d", &id) != 1)
            id = -1;
    }
    fclose(info);
    return id;
}

static uint64_t unique_id_of(int fd)
{
    struct statx found;

    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID_UNIQUE, &found) < 0 ||
        !(found.stx_mask & STATX_MNT_ID_UNIQUE))
        return 0;
    return found.stx_mnt_id;
}

struct fs_mount fs_mount_of(const char *path)
{
    AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return (struct fs_mount){.id = -1};
    return (struct fs_mount){id_of(fd), unique_id_of(fd)};
}

/* Who may not look into the mount is not told its unique id: then the other has to do. */
bool fs_mount_is(const struct fs_mount *mount, const struct fs_mount *other)
{
    return mount->id >= 0 && mount->id == other->id &&
           (mount->unique_id == other->unique_id || mount->unique_id == 0 || other->unique_id == 0);
}

/* Take the escapes out of a path in mountinfo: a blank is \040 there. */
static void unescape(char *path)
{
    char *out = path;

    for (const char *in = path; *in; out++) {
        if (in[0] == '\\' && in[1] && in[2] && in[3]) {
            *out = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
            in += 4;
        } else {
            *out = *in++;
        }
    }
    *out = 0;
}

/* Fields of a line of mountinfo; see proc(5). */
enum field { FIELD_ID, FIELD_PARENT, FIELD_DEVICE, FIELD_ROOT, FIELD_PATH, FIELD_COUNT };

/* A field of the line of a mount, to be freed; NULL when there is none of its id. */
static char *mount_field(const struct fs_mount *mount, enum field field)
{
    AUTO_FREE char *line = NULL;
    char *found = NULL;
    size_t room = 0;

    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (!mounts)
        return NULL;
    while (!found && getline(&line, &room, mounts) >= 0) {
        char *rest = line, *fields[FIELD_COUNT] = {NULL};
        for (size_t i = 0; i < FIELD_COUNT; i++)
            fields[i] = strsep(&rest, " ");
        if (fields[FIELD_PATH] && strtol(fields[FIELD_ID], NULL, 10) == mount->id)
            found = strdup(fields[field]);
    }
    fclose(mounts);
    return found;
}

char *fs_mount_path(const struct fs_mount *mount)
{
    char *path = mount->id < 0 ? NULL : mount_field(mount, FIELD_PATH);
    if (path)
        unescape(path);
    return path;
}

void fs_mount_read_ahead(const struct fs_mount *mount, unsigned kib)
{
    AUTO_FREE char *device = mount_field(mount, FIELD_DEVICE);
    char path[64];

    snprintf(path, sizeof path, "/sys/class/bdi/%s/read_ahead_kb", device ? device : "-");
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    fprintf(file, "%u\n", kib);
    fclose(file);
}
