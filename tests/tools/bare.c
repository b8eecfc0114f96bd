/* SPDX-License-Identifier: MIT */
/*
 * bare MOUNTPOINT SUBTYPE: mount a file system with an empty root, and the type fuse.SUBTYPE. Tests
 * use it for decisions by the type of a file system. It serves until SIGTERM. Exits 1 if the mount
 * fails, 2 after wrong arguments.
 */
#define FUSE_USE_VERSION 314

#include <errno.h>
#include <fuse_lowlevel.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

static void bare_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    const struct stat attributes = {.st_ino = ino, .st_mode = S_IFDIR | 0755, .st_nlink = 2};

    (void)fi;
    if (ino == FUSE_ROOT_ID)
        fuse_reply_attr(req, &attributes, 1.0);
    else
        fuse_reply_err(req, ENOENT);
}

static void bare_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    (void)parent, (void)name;
    fuse_reply_err(req, ENOENT);
}

static void bare_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                         struct fuse_file_info *fi)
{
    (void)ino, (void)size, (void)off, (void)fi;
    fuse_reply_buf(req, NULL, 0);
}

static const struct fuse_lowlevel_ops bare_ops = {
    .getattr = bare_getattr,
    .lookup = bare_lookup,
    .readdir = bare_readdir,
};

int main(int argc, char **argv)
{
    char options[128];
    int status = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: bare MOUNTPOINT SUBTYPE\n");
        return 2;
    }
    snprintf(options, sizeof options, "ro,fsname=bare,subtype=%s", argv[2]);
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    if (fuse_opt_add_arg(&args, argv[0]) < 0 || fuse_opt_add_arg(&args, "-o") < 0 ||
        fuse_opt_add_arg(&args, options) < 0)
        return 1;
    struct fuse_session *session = fuse_session_new(&args, &bare_ops, sizeof bare_ops, NULL);
    if (!session)
        return 1;
    if (fuse_set_signal_handlers(session) == 0 && fuse_session_mount(session, argv[1]) == 0) {
        status = fuse_session_loop(session) < 0;
        fuse_session_unmount(session);
        fuse_remove_signal_handlers(session);
    }
    fuse_session_destroy(session);
    fuse_opt_free_args(&args);
    return status;
}
