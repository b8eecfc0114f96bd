/* SPDX-License-Identifier: MIT */
#include "format/foreign.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/io.h"

/*
 * Capacity for a magic number, and the length of the file's start that is read at once. Two magic
 * numbers lie behind it.
 */
enum { MAGIC_MAX = 24, HEAD = 2048 };

/* One row: the bytes at a place in files of one format. They may contain NULs. */
struct magic {
    unsigned at; /* byte in the file */
    unsigned len;
    const char *bytes;
    const char *what; /* as in "this is WHAT" */
};

#define MAGIC(at, bytes, what)                                                                     \
    {                                                                                              \
        at, sizeof(bytes) - 1, bytes, what                                                         \
    }

/*
 * The magic numbers, the surest first: the boot sector of a raw disk says least.
 *
 * Sources: MS-VHDX 2.2.1 (VHDX); QEMU, docs/interop/qcow2.rst, qed_spec.rst, parallels.rst and
 * block/qcow.c; VMware, "Virtual Disk Format 1.1" (VMDK, COWD); VirtualBox, VDICore.h (VDI, its
 * signature is little-endian 0xBEDA107F at 64); RFC 1952 (gzip), RFC 8878 (zstd), PKWARE APPNOTE
 * 4.3 (zip), "The .xz File Format", bzip2's decompress.c, 7-Zip's 7zFormat.txt; POSIX pax (tar);
 * ECMA-119 8.1 (ISO 9660, sector 16); cryptsetup's LUKS On-Disk Format; UEFI 5.3.2 (GPT, on sectors
 * of 512 and 4096 bytes) and 5.2.1 (MBR); Linux, fs/ext4/ext4.h, the superblock at 1024 with
 * s_magic at 56.
 */
static const struct magic magics[] = {
    MAGIC(0, "vhdxfile", "a VHDX image"),
    MAGIC(0, "QFI\xfb\0\0\0\1", "a qcow image"),
    MAGIC(0, "QFI\xfb", "a qcow2 image"),
    MAGIC(0, "QED\0", "a QED image"),
    MAGIC(0, "KDMV", "a VMDK image"),
    MAGIC(0, "COWD", "a VMDK image"),
    MAGIC(0, "# Disk DescriptorFile", "a VMDK descriptor"),
    MAGIC(64, "\x7f\x10\xda\xbe", "a VDI image"),
    MAGIC(0, "WithoutFreeSpace", "a Parallels image"),
    MAGIC(0, "WithouFreSpacExt", "a Parallels image"),
    MAGIC(0, "\x1f\x8b", "a gzip file, which has to be unpacked first"),
    MAGIC(0,
          "\xfd"
          "7zXZ\0",
          "an xz file, which has to be unpacked first"),
    MAGIC(0, "\x28\xb5\x2f\xfd", "a zstd file, which has to be unpacked first"),
    MAGIC(0, "PK\3\4", "a zip file, which has to be unpacked first"),
    MAGIC(0, "7z\xbc\xaf\x27\x1c", "a 7z file, which has to be unpacked first"),
    MAGIC(257, "ustar", "a tar archive, which has to be unpacked first"),
    MAGIC(32769, "CD001", "an ISO 9660 image"),
    MAGIC(0, "LUKS\xba\xbe", "a raw image of a LUKS volume"),
    MAGIC(512, "EFI PART", "a raw disk image with a GPT, or a fixed VHD without its footer"),
    MAGIC(4096, "EFI PART", "a raw disk image with a GPT, or a fixed VHD without its footer"),
    MAGIC(1080, "\x53\xef", "a raw image of an ext file system, or a fixed VHD without its footer"),
    MAGIC(510, "\x55\xaa",
          "a raw disk image with a boot sector (MBR), or a fixed VHD without its footer"),
};

/* The file and its start, which is read once. */
struct probe {
    int fd;
    char head[HEAD];
    size_t have; /* bytes read into head */
};

static bool has(const struct probe *probe, const struct magic *magic)
{
    char bytes[MAGIC_MAX];
    size_t have;

    if (magic->at + magic->len <= HEAD)
        return magic->at + magic->len <= probe->have &&
               memcmp(probe->head + magic->at, magic->bytes, magic->len) == 0;
    return probe->have == HEAD &&
           vhd_io_read(probe->fd, bytes, magic->len, magic->at, &have) == 0 && have == magic->len &&
           memcmp(bytes, magic->bytes, magic->len) == 0;
}

/*
 * A bzip2 file begins with "BZh", a digit for the block size, and pi in BCD. "BZh" alone may begin
 * a text.
 */
static bool is_bzip2(const struct probe *probe)
{
    return probe->have >= 10 && memcmp(probe->head, "BZh", 3) == 0 && probe->head[3] >= '1' &&
           probe->head[3] <= '9' && memcmp(probe->head + 4, "1AY&SY", 6) == 0;
}

static const char *find(const struct probe *probe)
{
    if (is_bzip2(probe))
        return "a bzip2 file, which has to be unpacked first";
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (has(probe, &magics[i]))
            return magics[i].what;
    }
    return NULL;
}

enum vhd_defect vhd_foreign_judge(int fd, struct vhd_fault *ret_fault)
{
    struct probe probe = {.fd = fd};

    if (vhd_io_read(fd, probe.head, sizeof probe.head, 0, &probe.have) < 0)
        return VHD_SOUND;
    const char *what = find(&probe);
    return what ? vhd_fault_set_whole(ret_fault, VHD_FOREIGN,
                                      "this is %s; vhdfs reads VHD images only", what)
                : VHD_SOUND;
}
