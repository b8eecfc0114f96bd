/* SPDX-License-Identifier: MIT */
/*
 * The filter of system calls (seccomp): what the daemon never does, and Landlock cannot forbid.
 */
#pragma once

/*
 * Refuse the calling thread, and all that it starts later, each system call that vhdfs does not
 * need and that reaches beyond the store: programs, sockets, other processes, mounts and
 * namespaces, files by handle, and the kernel itself. They fail with EPERM,
 * and with ENOSYS where a program then goes another way: clone3, and calls after Linux 6.12.
 *
 * The caller has set no_new_privs, see prctl(2).
 *
 * Returns 0; -ENOSYS on a processor that the filter does not know; or a negative errno of
 * seccomp(2).
 */
int fs_filter_install(void);
