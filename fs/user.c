#include "user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
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
