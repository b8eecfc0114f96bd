/* SPDX-License-Identifier: MIT */
/*
 * The command line, as a person, mount(8) or fstab gives it.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_opt.h>
#include <stdbool.h>
#include <sys/types.h>

#include "process/user.h"

/* Exit statuses; mount(8) passes them on. */
enum fs_exit {
    FS_EXIT_OK = 0,
    FS_EXIT_USAGE = 1,
    FS_EXIT_STORE = 2,
    FS_EXIT_MOUNT = 32,
};

/* The most of jobs=. */
enum { FS_JOBS_MAX = 64 };

struct fs_options {
    char *store;      /* absolute; without symlinks, unless it leads nowhere */
    char *mountpoint; /* the same; "/dev/fd/N" as given */
    int given_fd;     /* N: a descriptor of /dev/fuse that is mounted already; -1 for none */
    bool is_shared;   /* other users may enter: allow_other or allow_root */
    bool is_foreground;
    bool is_read_only;
    uid_t uid;
    gid_t gid;
    mode_t umask;
    bool has_uid, has_gid, has_umask; /* an option gave it */
    unsigned history;                 /* tasks to remember */
    unsigned jobs;                    /* long tasks at work at once, 1 to FS_JOBS_MAX */
    char *pidfile;                    /* as given; NULL for none */
    char *user_name;                  /* of user=; NULL for none */
    struct fs_user user;
    bool is_unsafe_store;  /* the store may be on a file system whose locks do not hold */
    struct fuse_args fuse; /* for libfuse */
};

/* The outcome of parsing a command line. */
enum fs_parsed {
    FS_PARSED_RUN,   /* go on with the options */
    FS_PARSED_DONE,  /* help or version has been printed: exit 0 */
    FS_PARSED_WRONG, /* a message was printed on stderr: exit 1 */
};

/*
 * The descriptor N of an argument "/dev/fd/N", if it is one of /dev/fuse: the caller has opened and
 * mounted it for us. N is above 2. Returns -1 when there is none.
 */
int fs_options_given_fd(int argc, char *const *argv);

/* Parse a command line. The caller frees the options, whatever this returns. */
enum fs_parsed fs_options_parse(int argc, char **argv, struct fs_options *ret);

/* Release the members of the options. */
void fs_options_free(struct fs_options *options);
