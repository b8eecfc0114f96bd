/* SPDX-License-Identifier: MIT */
/*
 * Limits and rights of the process, as far as the host allows.
 */
#pragma once

#include <stdbool.h>

/* Does this process have a capability now? See capabilities(7): CAP_SYS_ADMIN, ... */
bool fs_has_capability(unsigned capability);

/*
 * Give up, for good, all capabilities but those over the owner, mode and content of files, over
 * locked memory, and over space that the host reserves. Nothing happens to a process without any.
 *
 * Returns 0 or a negative errno of prctl(2) or capset(2).
 */
int fs_resources_keep_file_rights(void);

/* Raise the limit on open files: each open disk and each of its parents takes one. */
void fs_resources_raise_files(void);

/*
 * Give the memory of large buffers back to the host when they are freed. By default, malloc(3) soon
 * keeps that of every such buffer, for each thread. Call it before there are threads.
 */
void fs_resources_keep_no_buffers(void);

/*
 * Keep working when the host's memory runs out. The kernel may then wait for us to write, so we
 * must not wait for the kernel to free memory. Call it in the daemon, with root's rights if it has
 * them, before it starts threads.
 *
 *   keeps_rights  the process gives up no rights later
 *
 * Allocations then start no writeback (PR_SET_IO_FLUSHER), and no page of ours that was once
 * touched leaves memory (mlockall). Both need rights; without them nothing changes.
 */
void fs_resources_protect_memory(bool keeps_rights);
