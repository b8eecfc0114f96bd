/* SPDX-License-Identifier: MIT */
#include "process/mount_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Words for libfuse and the kernel. One that ends in '=' or '-' stands for all that begin so. */
static const char *const passed[] = {
    "rw",
    "dev",
    "nodev",
    "suid",
    "nosuid",
    "exec",
    "noexec",
    "atime",
    "noatime",
    "sync",
    "async",
    "dirsync",
    "context=",
    "fscontext=",
    "defcontext=",
    "rootcontext=",
    "default_permissions",
};

/*
 * Words of mount(8) that change nothing here. mount(8) handles most of them itself, but users copy
 * lines of fstab. The helper does the work of auto_unmount, and never detaches another mount.
 */
static const char *const ignored[] = {
    "",           "defaults",     "auto",       "noauto",      "nofail",
    "_netdev",    "user",         "nouser",     "users",       "owner",
    "group",      "comment=",     "x-",         "X-",          "diratime",
    "nodiratime", "relatime",     "norelatime", "strictatime", "nostrictatime",
    "lazytime",   "nolazytime",   "silent",     "loud",        "iversion",
    "noiversion", "auto_unmount", "symfollow",  "nosymfollow",
};

static bool is_among(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(list[i]);
        bool is_start = len > 0 && (list[i][len - 1] == '=' || list[i][len - 1] == '-');
        if (is_start ? strncmp(word, list[i], len) == 0 : strcmp(word, list[i]) == 0)
            return true;
    }
    return false;
}

enum fs_mount_word fs_mount_word(const char *word)
{
    if (is_among(word, passed, sizeof passed / sizeof *passed))
        return FS_MOUNT_WORD_PASSED;
    if (is_among(word, ignored, sizeof ignored / sizeof *ignored))
        return FS_MOUNT_WORD_IGNORED;
    return FS_MOUNT_WORD_UNKNOWN;
}
