/* SPDX-License-Identifier: MIT */
#include "process/confine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "process/filter.h"
#include "process/landlock.h"

/* Note that one part of the confinement holds, or why it does not. */
static void note(char text[FS_CONFINE_TEXT], const char *part, int err)
{
    const size_t len = strlen(text);

    if (err >= 0)
        snprintf(text + len, FS_CONFINE_TEXT - len, "%s%s", len > 0 ? ", " : "", part);
    else
        snprintf(text + len, FS_CONFINE_TEXT - len, "%sno %s (%s)", len > 0 ? ", " : "", part,
                 strerrordesc_np(-err));
}

void fs_confine(int store_fd, bool is_read_only, char ret[FS_CONFINE_TEXT])
{
    char landlock[32] = "landlock";

    *ret = 0;
    /* The other two need this first. */
    const int no_new_privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
    const int abi = fs_landlock_restrict(store_fd, is_read_only);
    if (abi > 0)
        snprintf(landlock, sizeof landlock, "landlock %d", abi);
    note(ret, landlock, abi);
    note(ret, "seccomp", fs_filter_install());
    note(ret, "no-new-privs", no_new_privileges);
}
