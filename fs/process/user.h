/* SPDX-License-Identifier: MIT */
/*
 * Running as another user: -o user=NAME.
 */
#pragma once

#include <sys/types.h>

struct fs_user {
    uid_t uid;
    gid_t gid;
};

/*
 * Find a user by name.
 *
 * Returns 0; -ENOENT when there is none; -EPERM when it is another user than the caller, and the
 * caller is not root; or another negative errno of getpwnam(3).
 */
int fs_user_find(const char *name, struct fs_user *ret);

/*
 * Find the id of a user or a group by its name or its decimal number.
 *
 * Returns 0, -ENOENT when there is none of that name, or another negative errno of getpwnam(3) or
 * getgrnam(3).
 */
int fs_user_id(const char *name, uid_t *ret);
int fs_group_id(const char *name, gid_t *ret);

/*
 * Take the user's rights over files, with all its groups, until fs_user_leave(). Nothing changes
 * when the caller is not root: it is that user already.
 *
 * Returns 0, or the negative errno of initgroups(3), setegid(2) or seteuid(2).
 */
int fs_user_enter(const struct fs_user *user, const char *name);

/* Take root's rights back after fs_user_enter(). Returns 0 or a negative errno of seteuid(2). */
int fs_user_leave(void);

/* Give up root's rights for good. Returns 0 or a negative errno of setresuid(2). */
int fs_user_become(const struct fs_user *user);
