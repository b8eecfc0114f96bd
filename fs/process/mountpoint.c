/* SPDX-License-Identifier: MIT */
#include "process/mountpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/path.h"

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

/* A user that may not enter the mount cannot read its unique id; then the other id decides. */
bool fs_mount_is(const struct fs_mount *mount, const struct fs_mount *other)
{
    return mount->id >= 0 && mount->id == other->id &&
           (mount->unique_id == other->unique_id || mount->unique_id == 0 || other->unique_id == 0);
}

/* Decode the escapes of a path in mountinfo: a blank is \040 there. */
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
enum field {
    FIELD_ID,
    FIELD_PARENT,
    FIELD_DEVICE,
    FIELD_ROOT,
    FIELD_PATH,
    FIELD_TYPE,
    FIELD_SOURCE,
    FIELD_OPTIONS, /* of the file system */
    FIELD_COUNT
};

/* The mount table, a mount at a time. */
struct table {
    FILE *file;
    char *line;
    size_t capacity;
    char *fields[FIELD_COUNT]; /* of the mount; valid until the next one */
};

/* Split a line: five fields, options up to a hyphen, and three fields of the file system. */
static bool split(char *line, char *ret_fields[FIELD_COUNT])
{
    char *behind = strstr(line, " - ");

    line[strcspn(line, "\n")] = 0;
    if (!behind)
        return false;
    *behind = 0;
    behind += strlen(" - ");
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        ret_fields[i] = strsep(i < FIELD_TYPE ? &line : &behind, " ");
        if (!ret_fields[i])
            return false;
    }
    return true;
}

static bool next_mount(struct table *table)
{
    while (table->file && getline(&table->line, &table->capacity, table->file) >= 0) {
        if (split(table->line, table->fields))
            return true;
    }
    return false;
}

static struct table open_table(void)
{
    return (struct table){.file = fopen("/proc/self/mountinfo", "re")};
}

static void close_table(struct table *table)
{
    if (table->file)
        fclose(table->file);
    free(table->line);
}

/* A field of a mount's line, to be freed; NULL when no mount has the id. */
static char *mount_field(const struct fs_mount *mount, enum field field)
{
    struct table table = open_table();
    char *found = NULL;

    while (!found && next_mount(&table)) {
        if (strtol(table.fields[FIELD_ID], NULL, 10) == mount->id)
            found = strdup(table.fields[field]);
    }
    close_table(&table);
    return found;
}

static char *unescaped_field(const struct fs_mount *mount, enum field field)
{
    char *text = mount->id < 0 ? NULL : mount_field(mount, field);
    if (text)
        unescape(text);
    return text;
}

char *fs_mount_path(const struct fs_mount *mount)
{
    return unescaped_field(mount, FIELD_PATH);
}

char *fs_mount_store(const char *path)
{
    const struct fs_mount mount = fs_mount_of(path);
    AUTO_FREE char *mounted_on = unescaped_field(&mount, FIELD_PATH);
    AUTO_FREE char *type = unescaped_field(&mount, FIELD_TYPE);

    if (!mounted_on || !type || strcmp(mounted_on, path) != 0 || strcmp(type, "fuse.vhdfs") != 0)
        return NULL;
    return unescaped_field(&mount, FIELD_SOURCE);
}

bool fs_mount_is_dead(const char *path)
{
    struct statfs figures;
    return statfs(path, &figures) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

char *fs_mount_above(const char *path)
{
    struct table table = open_table();
    char *found = NULL;

    while (next_mount(&table)) {
        char *mounted_on = table.fields[FIELD_PATH];
        unescape(mounted_on);
        if (fs_path_is_inside(path, mounted_on) &&
            (!found || strlen(mounted_on) >= strlen(found))) {
            free(found);
            found = strdup(mounted_on);
        }
    }
    close_table(&table);
    return found;
}

/*
 * Source: Linux, fs/fuse/dev.c, fuse_dev_show_fdinfo(), since 6.17 or so: the connection's number
 * is the minor one of the mount's device, whose major one is 0.
 */
struct fs_mount fs_mount_of_fuse(int fd)
{
    struct fs_mount mount = {.id = -1};
    char name[48], line[128], device[32] = "";
    unsigned connection;

    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
    FILE *info = fopen(name, "re");
    while (info && fgets(line, sizeof line, info)) {
        if (sscanf(line, "fuse_connection: %u", &connection) == 1)
            snprintf(device, sizeof device, "0:%u", connection);
    }
    if (info)
        fclose(info);
    struct table table = open_table();
    while (*device && mount.id < 0 && next_mount(&table)) {
        if (strcmp(table.fields[FIELD_DEVICE], device) == 0)
            mount.id = (int)strtol(table.fields[FIELD_ID], NULL, 10);
    }
    close_table(&table);
    return mount;
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

bool fs_mount_is_guarded(const struct fs_mount *mount)
{
    AUTO_FREE char *options = mount->id < 0 ? NULL : mount_field(mount, FIELD_OPTIONS);
    char *rest = options;

    for (const char *option = strsep(&rest, ","); option; option = strsep(&rest, ",")) {
        if (strcmp(option, "default_permissions") == 0)
            return true;
    }
    return false;
}

int fs_mount_open_abort(const struct fs_mount *mount)
{
    AUTO_FREE char *device = mount->id < 0 ? NULL : mount_field(mount, FIELD_DEVICE);
    const char *minor = device ? strchr(device, ':') : NULL;
    char path[64];

    if (!minor)
        return -1;
    snprintf(path, sizeof path, "/sys/fs/fuse/connections/%s/abort", minor + 1);
    return open(path, O_WRONLY | O_CLOEXEC);
}
