/* SPDX-License-Identifier: MIT */
#include "process/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/mountpoint.h"
#include "process/options.h"
#include "process/resources.h"

/* Advice for a container. */
#define IN_A_CONTAINER                                                                             \
    "in a container, add --device /dev/fuse, and if that is not enough, --cap-add SYS_ADMIN or a " \
    "user namespace"

int fs_explain_device(void)
{
    AUTO_CLOSE int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    int err = fd < 0 ? -errno : 0;

    if (err == -EACCES || err == -EPERM)
        fprintf(stderr, "vhdfs: not permitted to open /dev/fuse; let this user read and write it "
                        "(chmod 666 /dev/fuse); " IN_A_CONTAINER "\n");
    else if (err == -ENOENT || err == -ENODEV || err == -ENXIO)
        fprintf(stderr, "vhdfs: /dev/fuse is missing; load the kernel module (modprobe "
                        "fuse); " IN_A_CONTAINER "\n");
    else if (err < 0)
        fprintf(stderr, "vhdfs: cannot open /dev/fuse: %s\n", strerrordesc_np(-err));
    return err;
}

/* Find a program as a shell does. */
static bool has_program(const char *name)
{
    const char *path = getenv("PATH");
    AUTO_FREE char *folders = strdup(path ? path : "/usr/bin:/bin");
    char *rest = folders, *folder;

    while ((folder = strsep(&rest, ":"))) {
        AUTO_FREE char *program = NULL;
        if (asprintf(&program, "%s/%s", folder, name) >= 0 && access(program, X_OK) == 0)
            return true;
    }
    return false;
}

/* Does /etc/fuse.conf have the line "user_allow_other"? */
static bool may_share(void)
{
    char line[256];
    bool found = false;

    FILE *file = fopen("/etc/fuse.conf", "re");
    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file)) {
        line[strcspn(line, " \t\r\n")] = 0;
        found = strcmp(line, "user_allow_other") == 0;
    }
    fclose(file);
    return found;
}

void fs_explain_mount(const struct fs_options *options)
{
    const char *path = options->mountpoint;

    /* Begins with a newline: libfuse 3.17 does not end its own line about the program. */
    if (geteuid() != 0 && !has_program("fusermount3"))
        fprintf(stderr,
                "\nvhdfs: cannot mount on \"%s\": users other than root need the program "
                "fusermount3; install the package fuse3\n",
                path);
    else if (geteuid() != 0 && options->is_shared && !may_share())
        fprintf(stderr,
                "vhdfs: cannot mount on \"%s\": for users other than root, allow_other needs the "
                "line \"user_allow_other\" in /etc/fuse.conf\n",
                path);
    else if (geteuid() == 0 && !fs_has_capability(CAP_SYS_ADMIN))
        fprintf(stderr,
                "vhdfs: cannot mount on \"%s\": root has no right to mount "
                "here; " IN_A_CONTAINER "\n",
                path);
    else
        fprintf(stderr, "vhdfs: cannot mount on \"%s\"; the lines above say why\n", path);
}

void fs_explain_path(const char *doing, const char *path, int err)
{
    AUTO_FREE char *mount = err == -ENOTCONN ? fs_mount_above(path) : NULL;

    if (mount)
        fprintf(stderr,
                "vhdfs: cannot %s \"%s\": the file system mounted on \"%s\" is dead; unmount "
                "it first: umount %s (or fusermount3 -u %s)\n",
                doing, path, mount, mount, mount);
    else if (err == -ENOENT)
        fprintf(stderr,
                "vhdfs: cannot %s \"%s\": the folder above it is missing; make that first\n", doing,
                path);
    else
        fprintf(stderr, "vhdfs: cannot %s \"%s\": %s\n", doing, path, strerrordesc_np(-err));
}
