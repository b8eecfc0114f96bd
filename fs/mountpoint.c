#include "mountpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

int fs_mount_id(const char *path)
{
    char name[48], line[128];
    int id = -1;

    AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
    FILE *info = fd < 0 ? NULL : fopen(name, "re");
    if (!info)
        return -1;
    while (id < 0 && fgets(line, sizeof line, info)) {
        if (sscanf(line, "mnt_id: %d", &id) != 1)
            id = -1;
    }
    fclose(info);
    return id;
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

/* A field of the line of the mount of an id, to be freed; NULL when there is no such mount. */
static char *mount_field(int id, enum field field)
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
        if (fields[FIELD_PATH] && strtol(fields[FIELD_ID], NULL, 10) == id)
            found = strdup(fields[field]);
    }
    fclose(mounts);
    return found;
}

char *fs_mount_path(int id)
{
    char *path = mount_field(id, FIELD_PATH);
    if (path)
        unescape(path);
    return path;
}

void fs_mount_read_ahead(int id, unsigned kib)
{
    AUTO_FREE char *device = mount_field(id, FIELD_DEVICE);
    char path[64];

    snprintf(path, sizeof path, "/sys/class/bdi/%s/read_ahead_kb", device ? device : "-");
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    fprintf(file, "%u\n", kib);
    fclose(file);
}
