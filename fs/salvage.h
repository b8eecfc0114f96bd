/*
 * Salvage: what is done for the disks that are being written to when the mount is to be detached.
 * Pages that a mapping has changed are known to the kernel alone. It hands them over when the file
 * is synced, so each of those files is opened, through the mount as by any program, while that can
 * still be done; and it stays open until nobody else writes to it, so that it can be synced again.
 *
 * For one thread alone, which must not be one that serves the kernel.
 */
#pragma once

#include <stdbool.h>

#include "fs.h"

struct fs_mount;
struct fs_salvage;

/*
 * Open the content of each disk that is open for writing. What cannot be opened is logged.
 *
 *   mount       ours, which answers
 *   session_fd  the connection to the kernel; what is opened gets higher numbers, so that it is
 *               closed later if the process is killed: before that, its close would wait for us
 *
 * Returns NULL when there is none, or memory is short.
 */
struct fs_salvage *fs_salvage_open(struct fs *fs, const struct fs_mount *mount, int session_fd);

/* Sync them: whatever had been written, also through mappings, is durable. Failures are logged. */
void fs_salvage_sync(struct fs_salvage *salvage);

/* Close those that nobody writes to any more. Are there others? */
bool fs_salvage_settle(struct fs_salvage *salvage);

/* Close all; NULL is allowed. The mount must still answer, or its connection be gone. */
void fs_salvage_close(struct fs_salvage *salvage);
