/* SPDX-License-Identifier: MIT */
/*
 * Use a disk of a store through the library:
 *
 * flat STORE NAME read [BYTES]: write the content to standard output, read in pieces of BYTES or 1
 * MiB.
 *
 * flat STORE NAME data: write to standard output, a file, only the parts that SEEK_DATA finds.
 *
 * flat STORE NAME write: run the lines of standard input: "write OFFSET BYTES", which that many
 * bytes follow, "discard OFFSET BYTES", "flush"; and "resize BYTES", which comes alone, and
 * discards the content beyond a smaller size.
 *
 * Exits 0 after a success. Exits 1 if the disk cannot be opened, and prints errno, result and
 * sentence on standard error. Exits 2 after wrong arguments, 3 after a later failure.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/catalogue.h"
#include "disk/disk.h"
#include "reshape/resize.h"
#include "result/result.h"
#include "store/store.h"

#define PIECE ((size_t)1 << 20)

/*
 * If a call of the library has failed, end with a message. Nothing is freed then, so no search for
 * leaks may follow.
 */
static void must(int err, const char *what, uint64_t off)
{
    if (err == 0)
        return;
    fprintf(stderr, "%s at %" PRIu64 ": %s\n", what, off, strerrorname_np(-err));
    fflush(stdout);
    _exit(3);
}

static void *piece_of(size_t size)
{
    void *buf = malloc(size);
    if (!buf)
        must(-ENOMEM, "malloc", 0);
    return buf;
}

static void put(const char *buf, size_t len)
{
    if (fwrite(buf, 1, len, stdout) != len)
        must(-errno, "fwrite", 0);
}

static void print_all(struct vhd_disk *disk, size_t piece)
{
    AUTO_FREE char *buf = piece_of(piece), *zeros = calloc(piece, 1);
    const uint64_t size = vhd_disk_size(disk);

    for (uint64_t off = 0; off < size; off += piece) {
        size_t len = size - off < piece ? (size_t)(size - off) : piece;
        bool is_hole;
        memset(buf, 0xA5, piece);
        must(vhd_disk_read(disk, buf, len, off, &is_hole), "read", off);
        put(is_hole ? zeros : buf, len);
    }
}

static void print_data(struct vhd_disk *disk)
{
    AUTO_FREE char *buf = piece_of(PIECE);
    const uint64_t size = vhd_disk_size(disk);
    uint64_t end = 0, off;

    must(ftruncate(STDOUT_FILENO, (off_t)size) < 0 ? -errno : 0, "ftruncate", size);
    while (end < size && vhd_disk_seek(disk, end, false, &off) == 0) {
        must(vhd_disk_seek(disk, off, true, &end), "seek", off);
        must(fseeko(stdout, (off_t)off, SEEK_SET) < 0 ? -errno : 0, "fseeko", off);
        for (; off < end; off += PIECE) {
            size_t len = end - off < PIECE ? (size_t)(end - off) : PIECE;
            must(vhd_disk_read(disk, buf, len, off, NULL), "read", off);
            put(buf, len);
        }
    }
}

static void write_piece(struct vhd_disk *disk, uint64_t off, size_t len)
{
    AUTO_FREE char *buf = piece_of(len + 1);

    if (fread(buf, 1, len, stdin) != len)
        must(-EPIPE, "fread", off);
    must(vhd_disk_write(disk, buf, len, off), "write", off);
}

static void resize(struct vhd_disk *disk, uint64_t size)
{
    const uint64_t before = vhd_disk_size(disk);
    uint64_t length;
    int err;

    must(vhd_disk_judge_size(disk, size, &length), "judging", size);
    do
        err = size > before ? vhd_disk_make_way(disk, size) : 0;
    while (err > 0);
    must(err, "making way", size);
    if (size < before) {
        must(vhd_disk_discard(disk, before - size, size), "discard", size);
        must(vhd_disk_flush(disk), "flush", size);
    }
    must(vhd_disk_resize(disk, size), "resize", size);
}

static void carry_out(struct vhd_disk *disk)
{
    char line[128];
    uint64_t off, len;

    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "write %" SCNu64 " %" SCNu64, &off, &len) == 2)
            write_piece(disk, off, (size_t)len);
        else if (sscanf(line, "discard %" SCNu64 " %" SCNu64, &off, &len) == 2)
            must(vhd_disk_discard(disk, len, off), "discard", off);
        else if (sscanf(line, "resize %" SCNu64, &len) == 1)
            resize(disk, len);
        else if (strcmp(line, "flush\n") == 0)
            must(vhd_disk_flush(disk), "flush", 0);
        else
            must(-EINVAL, line, 0);
    }
}

static int refused(const struct vhd_verdict *why)
{
    const struct vhd_outcome *outcome = vhd_outcome(why->result);
    fprintf(stderr, "%s %s %s\n", outcome->err_name, outcome->name, why->sentence);
    return 1;
}

/* Use an open disk in this mode. */
static void use(struct vhd_disk *disk, const char *mode, size_t piece)
{
    if (strcmp(mode, "write") == 0)
        carry_out(disk);
    else if (strcmp(mode, "data") == 0)
        print_data(disk);
    else
        print_all(disk, piece);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 3 ? argv[3] : "";
    const bool is_read = strcmp(mode, "read") == 0, is_write = strcmp(mode, "write") == 0;
    const size_t piece = argc > 4 ? strtoul(argv[4], NULL, 10) : PIECE;
    struct vhd_verdict why;
    struct vhd_store *store;
    struct vhd_disk *disk;

    if (argc < 4 || argc > 5 || piece == 0 || (argc == 5 && !is_read) ||
        (!is_read && !is_write && strcmp(mode, "data") != 0)) {
        fprintf(stderr, "usage: flat STORE NAME read [BYTES] | flat STORE NAME data|write\n");
        return 2;
    }
    if (vhd_store_open(argv[1], 0, &store, &why) != VHD_OK)
        return refused(&why);
    struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
    if (!catalogue)
        must(-ENOMEM, "catalogue", 0);
    enum vhd_result result =
        vhd_disk_open(catalogue, argv[2], is_write ? VHD_DISK_WRITE : 0, &disk, &why);
    if (result == VHD_OK) {
        use(disk, mode, piece);
        must(fflush(stdout) != 0 ? -errno : 0, "fflush", 0);
        must(vhd_disk_close(disk, NULL), "close", 0);
    }
    vhd_catalogue_unref(catalogue);
    vhd_store_unref(store);
    return result == VHD_OK ? 0 : refused(&why);
}
