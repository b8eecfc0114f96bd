/* SPDX-License-Identifier: MIT */
/*
 * Serving: the threads that read requests from the kernel and carry them out.
 *
 * A thread that waits for the host cannot serve other requests, and a host may hang for minutes. So
 * requests have four classes, by the host's part in them:
 *
 *   MEMORY  they need nothing of the host: tasks, errors, version, forget
 *   NAMES   they ask for names in the store: ls, new requests
 *   INFO    they read an image: attributes of a disk's files, info
 *   WORK    they use or change a disk: open, read, write, sync, copy, delete, rename
 *
 * Each class has a limit of requests at work. A request above it waits in a queue of its class, and
 * its thread goes on reading. So no class ever waits for another. Before a thread runs a request,
 * it makes sure that another thread waits for the next.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

/*
 * Serve until the mount is gone or the session exits, and all requests are carried out.
 *
 *   fuse   mounted
 *   owner  the only user beside root that does not get EACCES; NULL: the kernel judges all users
 *
 * Returns 0; -ENOMEM or the negative errno of pthread_create(3) when not even one thread can run;
 * or the negative errno of a failed read from the kernel.
 */
int fs_serve(struct fuse_session *fuse, const uid_t *owner);
