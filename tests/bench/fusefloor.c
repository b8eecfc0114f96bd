/* SPDX-License-Identifier: MIT */
/*
 * fusefloor FILE MOUNTPOINT: serve a flat file as MOUNTPOINT/raw, in the foreground, until it is
 * unmounted. It measures the least time that a disk in a file needs through FUSE. The kernel gets
 * the same options as from vhdfs: an open is cached and keeps its cache, or is direct with parallel
 * writes for O_WRONLY and O_DIRECT; no writeback cache, no splice, eight threads.
 *
 * Unwritten parts are answered from zeros in memory, as for a disk that has a table. Otherwise a
 * read of a hole would fill the host's cache, and that costs more than all the rest.
 *
 * Do not use this as a file system: it reads the file's size once, and a discard leaves the
 * kernel's cached pages.
 */
#define FUSE_USE_VERSION 314

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RAW_INO = FUSE_ROOT_ID + 1, THREADS = 8, REQUEST = 1 << 20, BLOCK = 2 << 20 };

#define LONG_TIME 3600.0

struct floor {
    int fd;
    off_t size;
    char *zeros;       /* REQUEST bytes */
    atomic_bool *used; /* for each block of the file: was a part of it written? */
};

static struct floor *floor_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static bool is_hole(struct floor *floor, off_t off, size_t len)
{
    for (off_t block = off / BLOCK; block <= (off + (off_t)len - 1) / BLOCK; block++) {
        if (floor->used[block])
            return false;
    }
    return true;
}

static void mark_used(struct floor *floor, off_t off, off_t len)
{
    for (off_t block = off / BLOCK; block <= (off + len - 1) / BLOCK; block++) {
        if (!floor->used[block])
            floor->used[block] = true;
    }
}

static void answer(fuse_req_t req, int result)
{
    fuse_reply_err(req, result < 0 ? errno : 0);
}

static struct stat attributes_of(fuse_req_t req, fuse_ino_t ino)
{
    if (ino == FUSE_ROOT_ID)
        return (struct stat){.st_ino = ino, .st_mode = S_IFDIR | 0755, .st_nlink = 2};
    return (struct stat){
        .st_ino = ino,
        .st_mode = S_IFREG | 0644,
        .st_nlink = 1,
        .st_uid = getuid(),
        .st_gid = getgid(),
        .st_size = floor_of(req)->size,
        .st_blksize = 4096,
    };
}

static void floor_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->want &=
        ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                    FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA);
}

static void floor_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param entry = {
        .ino = RAW_INO,
        .attr = attributes_of(req, RAW_INO),
        .attr_timeout = LONG_TIME,
    };

    if (parent == FUSE_ROOT_ID && strcmp(name, "raw") == 0)
        fuse_reply_entry(req, &entry);
    else
        fuse_reply_err(req, ENOENT);
}

static void floor_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat attributes = attributes_of(req, ino);

    (void)fi;
    fuse_reply_attr(req, &attributes, LONG_TIME);
}

static void punch(struct floor *floor, off_t off, off_t len)
{
    for (off_t block = off / BLOCK; block <= (off + len - 1) / BLOCK; block++) {
        off_t from = block * BLOCK > off ? block * BLOCK : off;
        off_t to = (block + 1) * BLOCK < off + len ? (block + 1) * BLOCK : off + len;
        if (floor->used[block])
            fallocate(floor->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, to - from);
        if (to - from == BLOCK)
            floor->used[block] = false;
    }
}

/* A truncation frees the space and keeps the size. */
static void floor_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attributes, int to_set,
                          struct fuse_file_info *fi)
{
    struct floor *floor = floor_of(req);

    if ((to_set & FUSE_SET_ATTR_SIZE) && attributes->st_size == 0)
        punch(floor, 0, floor->size);
    floor_getattr(req, ino, fi);
}

/* libfuse 3.14 has no field for parallel writes, so build the kernel's reply by hand. */
static void floor_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    bool is_direct = (fi->flags & O_ACCMODE) == O_WRONLY || (fi->flags & O_DIRECT);
    struct fuse_open_out out = {
        .open_flags = is_direct ? FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES : FOPEN_KEEP_CACHE,
    };

    (void)ino;
    fuse_reply_buf(req, (const char *)&out, sizeof out);
}

static void floor_read(fuse_req_t req, fuse_ino_t ino, size_t len, off_t off,
                       struct fuse_file_info *fi)
{
    static _Thread_local char buffer[REQUEST] __attribute__((aligned(4096)));
    struct floor *floor = floor_of(req);

    (void)ino, (void)fi;
    if (off >= floor->size)
        len = 0;
    else if ((off_t)len > floor->size - off)
        len = (size_t)(floor->size - off);
    bool is_in_memory = len == 0 || is_hole(floor, off, len);
    ssize_t got = is_in_memory ? (ssize_t)len : pread(floor->fd, buffer, len, off);
    if (got < 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_buf(req, is_in_memory ? floor->zeros : buffer, (size_t)got);
}

static void floor_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t len, off_t off,
                        struct fuse_file_info *fi)
{
    struct floor *floor = floor_of(req);

    (void)ino, (void)fi;
    if (off >= floor->size || (off_t)len > floor->size - off) {
        fuse_reply_err(req, ENOSPC);
        return;
    }
    mark_used(floor, off, (off_t)len);
    ssize_t put = pwrite(floor->fd, bytes, len, off);
    if (put < 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_write(req, (size_t)put);
}

static void floor_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino, (void)fi;
    fuse_reply_err(req, 0);
}

static void floor_fsync(fuse_req_t req, fuse_ino_t ino, int is_data, struct fuse_file_info *fi)
{
    (void)ino, (void)is_data, (void)fi;
    answer(req, fdatasync(floor_of(req)->fd));
}

/* Punching and zeroing are the same here, because no space is ever reserved. */
static void floor_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
                            struct fuse_file_info *fi)
{
    struct floor *floor = floor_of(req);
    const int known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;

    (void)ino, (void)fi;
    if (!(mode & FALLOC_FL_KEEP_SIZE) || mode == FALLOC_FL_KEEP_SIZE || (mode & ~known) ||
        off >= floor->size) {
        fuse_reply_err(req, EOPNOTSUPP);
        return;
    }
    punch(floor, off, len < floor->size - off ? len : floor->size - off);
    fuse_reply_err(req, 0);
}

static void floor_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
                        struct fuse_file_info *fi)
{
    off_t found = lseek(floor_of(req)->fd, off, whence);

    (void)ino, (void)fi;
    if (found < 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_lseek(req, found);
}

static const struct fuse_lowlevel_ops floor_ops = {
    .init = floor_init,
    .lookup = floor_lookup,
    .getattr = floor_getattr,
    .setattr = floor_setattr,
    .open = floor_open,
    .read = floor_read,
    .write = floor_write,
    .flush = floor_flush,
    .fsync = floor_fsync,
    .fallocate = floor_fallocate,
    .lseek = floor_lseek,
};

/* Open the file and find its written parts. Returns true on success. */
static bool floor_prepare(struct floor *floor, const char *path)
{
    floor->fd = open(path, O_RDWR | O_CLOEXEC);
    floor->size = floor->fd < 0 ? 0 : lseek(floor->fd, 0, SEEK_END);
    if (floor->size <= 0)
        return false;
    floor->zeros = mmap(NULL, REQUEST, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    floor->used = calloc((size_t)(floor->size / BLOCK) + 1, sizeof *floor->used);
    if (floor->zeros == MAP_FAILED || !floor->used)
        return false;
    for (off_t hole = 0, data; (data = lseek(floor->fd, hole, SEEK_DATA)) >= 0;) {
        hole = lseek(floor->fd, data, SEEK_HOLE);
        if (hole <= data)
            return false;
        mark_used(floor, data, hole - data);
    }
    return true;
}

/* Returns 0 or a negative errno, as the loops of libfuse do. */
static int serve(struct fuse_session *session)
{
    struct fuse_loop_config *config = fuse_loop_cfg_create();

    if (!config)
        return -ENOMEM;
    fuse_loop_cfg_set_max_threads(config, THREADS);
    fuse_loop_cfg_set_idle_threads(config, THREADS);
    int result = fuse_session_loop_mt(session, config);
    fuse_loop_cfg_destroy(config);
    return result;
}

int main(int argc, char **argv)
{
    struct floor floor;
    char switch_text[] = "-o", options[] = "default_permissions,fsname=fusefloor";
    char *words[] = {argv[0], switch_text, options, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, words);
    int status = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: fusefloor FILE MOUNTPOINT\n");
        return 2;
    }
    if (!floor_prepare(&floor, argv[1])) {
        perror(argv[1]);
        return 1;
    }
    struct fuse_session *session = fuse_session_new(&args, &floor_ops, sizeof floor_ops, &floor);
    if (!session)
        return 1;
    if (fuse_set_signal_handlers(session) == 0 && fuse_session_mount(session, argv[2]) == 0) {
        status = serve(session) < 0;
        fuse_session_unmount(session);
        fuse_remove_signal_handlers(session);
    }
    fuse_session_destroy(session);
    return status;
}
