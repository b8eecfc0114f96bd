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
 * Returns 0, -ENOENT when there is none, -EPERM when it is not the caller, who is not root; or
 * another negative errno of getpwnam(3).
 */
int fs_user_find(const char *name, struct fs_user *ret);

/*
 * Find the id of a user or a group, which is given by name or as a decimal number.
 *
 * Returns 0, -ENOENT when there is none of that name, or another negative errno of getpwnam(3) or
 * getgrnam(3).
 */
int fs_user_id(const char *text, uid_t *ret);
int fs_group_id(const char *text, gid_t *ret);

/*
 * Take on the user's rights over files, groups too; root's can be taken back. Nothing happens
 * when the caller is that user already.
 *
 * Returns 0, or the negative errno of setgroups(2), setegid(2) or seteuid(2).
 */
int fs_user_enter(const struct fs_user *user, const char *name);

/* Take root's rights back after fs_user_enter(). Returns 0 or a negative errno. */
int fs_user_leave(void);

/* Give up root's rights for good. Returns 0 or a negative errno. */
int fs_user_become(const struct fs_user *user);
