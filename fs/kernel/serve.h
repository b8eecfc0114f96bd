/*
 * Serving: the threads that read requests from the kernel and carry them out.
 *
 * A thread that waits for the host cannot serve anybody else, and a host may not answer for
 * minutes. So requests are of four classes, by the host's part in them:
 *
 *   MEMORY  they need nothing of the host: tasks, errors, version, what the kernel forgets
 *   NAMES   they ask for names in the store: ls, new requests
 *   LOOK    they look into an image: attributes of a disk's files, info
 *   WORK    they use or change a disk: open, close, read, write, sync, discard, copy, delete,
 * rename
 *
 * Each class has a limit of requests at work. A request above it waits in a queue of its class, and
 * its thread goes on reading. So no class ever waits for another. A thread that takes a request
 * first makes sure that another one waits for the next.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

/*
 * Serve until the mount has gone or the session is told to exit, and all requests are carried out.
 *
 *   fuse   mounted
 *   owner  the only user, beside root, whom this answers other than EACCES; NULL for all
 *
 * Returns 0, -ENOMEM or the negative errno of pthread_create(3) when not even one thread can run,
 * or the negative errno with which reading from the kernel has failed.
 */
int fs_serve(struct fuse_session *fuse, const uid_t *owner);
