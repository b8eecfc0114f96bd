#include "store/owner.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * Which mounts a process sees: those of its mount namespace, below its root folder. A process in
 * another namespace or in a chroot sees other mounts, and misses ours.
 */
static void describe_view(char ret_view[80])
{
    struct stat namespace, root;

    snprintf(ret_view, 80, "-");
    if (stat("/proc/self/ns/mnt", &namespace) == 0 && stat("/", &root) == 0)
        snprintf(ret_view, 80, "%ju:%ju:%ju", (uintmax_t) namespace.st_ino, (uintmax_t)root.st_dev,
                 (uintmax_t)root.st_ino);
}

/*
 * Find the line of a mount and copy its device number. An id goes to another mount once it is free,
 * the device number tells the two apart.
 *
 * Returns false when the table has no such mount, or cannot be read: then *ret_is_read is false.
 */
static bool find_mount(const char *id, char ret_device[64], bool *ret_is_read)
{
    AUTO_FREE char *line = NULL;
    char line_id[64];
    size_t capacity = 0;
    bool is_found = false;

    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    *ret_is_read = mounts != NULL;
    if (!mounts)
        return false;
    while (!is_found && getline(&line, &capacity, mounts) >= 0)
        is_found =
            sscanf(line, "%63s %*s %63s", line_id, ret_device) == 2 && strcmp(line_id, id) == 0;
    fclose(mounts);
    return is_found;
}

void vhd_owner_describe(const char *mountpoint, int mount_id, struct vhd_owner *ret)
{
    bool is_read;

    *ret = (struct vhd_owner){.pid = getpid(), .mount = "-", .device = "-"};
    snprintf(ret->mountpoint, sizeof ret->mountpoint, "%s", mountpoint);
    describe_view(ret->view);
    if (mount_id < 0)
        return;
    snprintf(ret->mount, sizeof ret->mount, "%d", mount_id);
    if (!find_mount(ret->mount, ret->device, &is_read))
        snprintf(ret->mount, sizeof ret->mount, "-");
}

/* Blanks separate the words of the line, so a path has them as mountinfo does: \040. */
static void escape(const char *path, char *out)
{
    for (; *path; path++) {
        const unsigned char byte = (unsigned char)*path;
        if (byte <= ' ' || byte == '\\' || byte == 0x7F)
            out += sprintf(out, "\\%03o", byte);
        else
            *out++ = *path;
    }
    *out = 0;
}

static bool is_octal(char digit)
{
    return digit >= '0' && digit <= '7';
}

static bool unescape(const char *text, size_t len, char ret_path[PATH_MAX])
{
    size_t out = 0;

    for (size_t i = 0; i < len; out++) {
        if (out >= PATH_MAX - 1)
            return false;
        if (text[i] != '\\') {
            ret_path[out] = text[i++];
            continue;
        }
        if (len - i < 4 || !is_octal(text[i + 1]) || !is_octal(text[i + 2]) ||
            !is_octal(text[i + 3]))
            return false;
        ret_path[out] =
            (char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0'));
        i += 4;
    }
    ret_path[out] = 0;
    return out > 0;
}

size_t vhd_owner_print(const struct vhd_owner *owner, char ret_line[VHD_OWNER_LINE_SIZE])
{
    char path[4 * PATH_MAX];

    escape(owner->mountpoint, path);
    return (size_t)snprintf(ret_line, VHD_OWNER_LINE_SIZE, "%d %s %s %s %s\n", (int)owner->pid,
                            path, owner->view, owner->mount, owner->device);
}

bool vhd_owner_parse(const char *line, struct vhd_owner *ret)
{
    int pid, start, end;

    if (sscanf(line, "%9d %n%*s%n %79s %63s %63s", &pid, &start, &end, ret->view, ret->mount,
               ret->device) != 4 ||
        pid <= 0)
        return false;
    ret->pid = pid;
    return unescape(line + start, (size_t)(end - start), ret->mountpoint);
}

bool vhd_owner_has_unmounted(const struct vhd_owner *owner)
{
    char view[80], device[64];
    bool is_read;

    describe_view(view);
    if (strcmp(view, "-") == 0 || strcmp(view, owner->view) != 0 || strcmp(owner->mount, "-") == 0)
        return false;
    bool is_there = find_mount(owner->mount, device, &is_read);
    return is_read && (!is_there || strcmp(device, owner->device) != 0);
}
