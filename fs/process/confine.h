/* SPDX-License-Identifier: MIT */
/*
 * Confinement: a daemon that somebody has taken over, say by a hostile image, reaches the store and
 * nothing else of the machine.
 */
#pragma once

#include <stdbool.h>

/* Bytes of the text of fs_confine(). */
enum { FS_CONFINE_TEXT = 160 };

/*
 * Give up, for good, what the daemon does not need: new rights by programs that have them
 * (no_new_privs), files outside the store (Landlock), and system calls (seccomp). It holds for the
 * calling thread and all that it starts later. What the kernel lacks does not hold.
 *
 *   store_fd      of the store's directory
 *   is_read_only  nothing in the store changes
 *   ret           receives what holds: "landlock 7, seccomp, no-new-privs"; a part that does not
 *                 is there with the cause: "no landlock (Operation not supported), seccomp, ..."
 */
void fs_confine(int store_fd, bool is_read_only, char ret[FS_CONFINE_TEXT]);
