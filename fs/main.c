/* SPDX-License-Identifier: MIT */
/*
 * vhdfs STORE MOUNTPOINT: a directory of virtual hard disks as a tree of files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/daemon.h"
#include "tree/errors.h"
#include "tree/events.h"
#include "process/explain.h"
#include "process/resources.h"
#include "process/log.h"
#include "process/mountpoint.h"
#include "tree/entries.h"
#include "process/options.h"
#include "session.h"

/* Make the store if it is missing, lock it and sweep it. Prints a refusal on stderr. */
static enum fs_exit open_store(const struct fs_options *options, struct fs *fs)
{
    struct vhd_verdict verdict;
    unsigned flags = VHD_STORE_OWN | (options->is_read_only ? VHD_STORE_READ_ONLY : 0) |
                     (options->is_unsafe_store ? VHD_STORE_UNSAFE : 0);

    if (fs_mount_is_dead(options->store)) {
        fs_explain_path("use the store", options->store, -ENOTCONN);
        return FS_EXIT_STORE;
    }
    if (vhd_store_open(options->store, flags, &fs->store, &verdict) == VHD_OK) {
        fs->catalogue = vhd_catalogue_new(fs->store);
        return fs->catalogue ? FS_EXIT_OK : FS_EXIT_STORE;
    }
    fprintf(stderr, "vhdfs: %s\n", verdict.sentence);
    return FS_EXIT_STORE;
}

/* The same with the rights of the user of -o user=. */
static enum fs_exit open_store_as_user(const struct fs_options *options, struct fs *fs)
{
    int err = options->user_name ? fs_user_enter(&options->user, options->user_name) : 0;
    enum fs_exit status = err == 0 ? open_store(options, fs) : FS_EXIT_STORE;

    if (err == 0 && options->user_name)
        err = fs_user_leave();
    if (err < 0) {
        fprintf(stderr, "vhdfs: cannot run as \"%s\": %s\n", options->user_name,
                strerrordesc_np(-err));
        return FS_EXIT_STORE;
    }
    return status;
}

/* Go to the background, unless -f or -d was given, and serve. */
static enum fs_exit run(struct fs *fs, const struct fs_options *options, struct fs_session *session)
{
    if (!options->is_foreground) {
        int err = fs_daemon_fork(&fs->daemon);
        if (err < 0) {
            fprintf(stderr, "vhdfs: cannot go to the background: %s\n", strerrordesc_np(-err));
            return FS_EXIT_MOUNT;
        }
    }
    fs_log_open();
    fs_daemon_connect(&fs->daemon);
    return fs_session_serve(session);
}

/* The options are judged first, so that a wrong call makes nothing. The mount point comes last. */
static enum fs_exit mount_and_run(struct fs *fs, struct fs_options *options)
{
    struct fs_session *session;

    enum fs_exit status = fs_session_new(fs, options, &session);
    if (status != FS_EXIT_OK)
        return status;
    status = open_store_as_user(options, fs);
    if (status == FS_EXIT_OK)
        status = fs_session_mount(session);
    if (status == FS_EXIT_OK)
        status = run(fs, options, session);
    fs_session_end(session);
    return status;
}

/*
 * If the caller has closed its standard streams, the store or its lock would get their numbers. The
 * daemon, or a library that prints, would then write into them.
 */
static void secure_standard_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

/*
 * Close all descriptors of the caller: a lock on one, say, must not last as long as the mount. Only
 * a descriptor that is given as the mount point stays, and no program that we start gets it.
 */
static void close_inherited(int given_fd)
{
    const unsigned first = STDERR_FILENO + 1;

    if (given_fd < 0) {
        close_range(first, ~0U, 0);
        return;
    }
    if ((unsigned)given_fd > first)
        close_range(first, (unsigned)given_fd - 1, 0);
    close_range((unsigned)given_fd + 1, ~0U, 0);
    fcntl(given_fd, F_SETFD, FD_CLOEXEC);
}

int main(int argc, char **argv)
{
    secure_standard_streams();
    close_inherited(fs_options_given_fd(argc, argv));
    fs_resources_raise_files();
    fs_resources_keep_no_buffers();

    struct fs_options options;
    enum fs_parsed parsed = fs_options_parse(argc, argv, &options);
    enum fs_exit status = parsed == FS_PARSED_DONE ? FS_EXIT_OK : FS_EXIT_USAGE;

    if (parsed == FS_PARSED_RUN) {
        struct fs fs = {
            .entries = fs_entries_new(options.history),
            .errors = fs_errors_new(),
            .events = fs_events_new(),
            .opened.lock = PTHREAD_MUTEX_INITIALIZER,
            .numbers.lock = PTHREAD_MUTEX_INITIALIZER,
            .daemon = FS_DAEMON_NONE,
            .uid = options.uid,
            .gid = options.gid,
            .umask = options.umask,
            .has_uid = options.has_uid,
            .has_gid = options.has_gid,
            .has_umask = options.has_umask,
            .is_read_only = options.is_read_only,
        };
        clock_gettime(CLOCK_REALTIME, &fs.started);
        status =
            fs.entries && fs.errors && fs.events ? mount_and_run(&fs, &options) : FS_EXIT_MOUNT;
        fs_numbers_free(&fs.numbers);
        vhd_catalogue_unref(fs.catalogue);
        vhd_store_unref(fs.store);
        fs_events_free(fs.events);
        fs_errors_free(fs.errors);
        fs_entries_free(fs.entries);
    }
    fs_options_free(&options);
    return (int)status;
}
