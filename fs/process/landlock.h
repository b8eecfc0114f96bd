/* SPDX-License-Identifier: MIT */
/*
 * Landlock: the files that the daemon can reach.
 */
#pragma once

#include <stdbool.h>

/*
 * Let the calling thread, and all that it starts later, reach the files of the store, and /proc for
 * reading. It opens no other file and makes no TCP connection (since ABI 4). It sends signals and
 * connects to abstract sockets of its own processes alone (since ABI 6). Descriptors that are open
 * keep what they allow.
 *
 * The caller has set no_new_privs, see prctl(2).
 *
 *   store_fd      of the store's directory
 *   is_read_only  nothing in the store changes
 *
 * Returns the version of the kernel's interface (ABI, 1 and up); -ENOSYS or -EOPNOTSUPP where the
 * kernel lacks Landlock or has switched it off; or another negative errno of landlock_add_rule(2)
 * or landlock_restrict_self(2).
 *
 * Source: Linux, Documentation/userspace-api/landlock.rst.
 */
int fs_landlock_restrict(int store_fd, bool is_read_only);
