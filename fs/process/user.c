/* SPDX-License-Identifier: MIT */
#include "process/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fs_user_find(const char *name, struct fs_user *ret)
{
    errno = 0;
    const struct passwd *entry = getpwnam(name);
    if (!entry)
        return errno ? -errno : -ENOENT;
    if (geteuid() != 0 && entry->pw_uid != geteuid())
        return -EPERM;
    *ret = (struct fs_user){entry->pw_uid, entry->pw_gid};
    return 0;
}

/* Is this a decimal number that can be an id? The highest one means "unchanged" to chown(2). */
static bool is_id(const char *name, unsigned *ret)
{
    if (!*name || name[strspn(name, "0123456789")])
        return false;
    errno = 0;
    unsigned long number = strtoul(name, NULL, 10);
    if (errno || number >= (unsigned)-1)
        return false;
    *ret = (unsigned)number;
    return true;
}

int fs_user_id(const char *name, uid_t *ret)
{
    if (is_id(name, ret))
        return 0;
    errno = 0;
    const struct passwd *entry = getpwnam(name);
    if (!entry)
        return errno ? -errno : -ENOENT;
    *ret = entry->pw_uid;
    return 0;
}

int fs_group_id(const char *name, gid_t *ret)
{
    if (is_id(name, ret))
        return 0;
    errno = 0;
    const struct group *entry = getgrnam(name);
    if (!entry)
        return errno ? -errno : -ENOENT;
    *ret = entry->gr_gid;
    return 0;
}

int fs_user_enter(const struct fs_user *user, const char *name)
{
    if (geteuid() != 0)
        return 0;
    if (initgroups(name, user->gid) < 0 || setegid(user->gid) < 0 || seteuid(user->uid) < 0)
        return -errno;
    return 0;
}

int fs_user_leave(void)
{
    if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0))
        return -errno;
    return 0;
}

int fs_user_become(const struct fs_user *user)
{
    if (getuid() != 0)
        return 0;
    if (setresgid(user->gid, user->gid, user->gid) < 0 ||
        setresuid(user->uid, user->uid, user->uid) < 0)
        return -errno;
    return 0;
}
