/* SPDX-License-Identifier: MIT */
#include "store/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * Escape blanks, backslashes and control bytes as mountinfo does, \040, because a blank ends a word
 * of the line.
 */
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
    return (size_t)snprintf(ret_line, VHD_OWNER_LINE_SIZE, "%d %s\n", (int)owner->pid, path);
}

bool vhd_owner_parse(const char *line, struct vhd_owner *ret)
{
    int pid, start, end = 0;

    if (sscanf(line, "%9d %n%*s%n", &pid, &start, &end) != 1 || pid <= 0 || end == 0)
        return false;
    ret->pid = pid;
    return strcmp(line + end, "\n") == 0 &&
           unescape(line + start, (size_t)(end - start), ret->mountpoint);
}

/* The parts of a number, in bits. Two mounts with the same number only cost a wait. */
#define VIEW_BITS   20
#define DEVICE_BITS 20 /* as many as in a device's minor number */
#define ID_BITS     22

static uint64_t low_bits(uint64_t number, unsigned count)
{
    return number & ((UINT64_C(1) << count) - 1);
}

/*
 * A number for the mounts that this process sees: those of its mount namespace, below its root
 * folder. A process in another namespace or in a chroot sees other mounts.
 */
static bool find_view(uint64_t *ret)
{
    struct stat namespace, root;

    if (stat("/proc/self/ns/mnt", &namespace) < 0 || stat("/", &root) < 0)
        return false;
    uint64_t hash = namespace.st_ino;
    hash = hash * UINT64_C(0x9E3779B97F4A7C15) + root.st_dev;
    hash = hash * UINT64_C(0x9E3779B97F4A7C15) + root.st_ino;
    hash *= UINT64_C(0x9E3779B97F4A7C15);
    *ret = hash >> (64 - VIEW_BITS);
    return true;
}

/*
 * Find a mount in the table, by its id, or with id -1 by its number.
 *
 * Returns 1 and its number, 0 if it is absent, or -1 if the table cannot be read. The kernel reuses
 * ids, so the number also has the device.
 */
static int find_mount(uint64_t view, int id, uint64_t token, uint64_t *ret)
{
    AUTO_FREE char *line = NULL;
    size_t capacity = 0;
    int line_id, found = 0;
    unsigned minor;

    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (!mounts)
        return -1;
    while (!found && getline(&line, &capacity, mounts) >= 0) {
        if (sscanf(line, "%d %*d %*u:%u", &line_id, &minor) != 2)
            continue;
        *ret = view << (DEVICE_BITS + ID_BITS) | low_bits(minor, DEVICE_BITS) << ID_BITS |
               low_bits((uint64_t)line_id, ID_BITS);
        found = id >= 0 ? line_id == id : *ret == token;
    }
    fclose(mounts);
    return found;
}

bool vhd_mount_token(int mount_id, uint64_t *ret)
{
    uint64_t view;
    return mount_id >= 0 && find_view(&view) && find_mount(view, mount_id, 0, ret) == 1;
}

bool vhd_mount_is_gone(uint64_t token)
{
    uint64_t view, found;
    return find_view(&view) && token >> (DEVICE_BITS + ID_BITS) == view &&
           find_mount(view, -1, token, &found) == 0;
}
