/* SPDX-License-Identifier: MIT */
/*
 * If this fails, the message about a qcow2 image with the ending ".vhd" is that a footer is
 * missing, or a damaged VHD is reported as another format.
 */
#include "format/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "sentence.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* A file of so many bytes, zeros but for a few. */
static int file_of(const char *folder, size_t length, size_t at, const char *bytes, size_t len)
{
    int fd = open(scratch_path(folder, "f.vhd"), O_RDWR | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)length), 0);
    assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
    assert_int_equal(ftruncate(fd, (off_t)length), 0);
    return fd;
}

static void expect(const char *folder, size_t length, size_t at, const char *bytes, size_t len,
                   const char *what)
{
    struct vhd_fault fault = {.defect = VHD_FOOTER_MISSING, .sentence = "untouched"};
    int fd = file_of(folder, length, at, bytes, len);

    enum vhd_defect defect = vhd_foreign_judge(fd, &fault);
    close(fd);
    assert_int_equal(defect, what ? VHD_FOREIGN : VHD_SOUND);
    if (what) {
        char expected[256];
        snprintf(expected, sizeof expected, "this is %s; vhdfs reads VHD images only", what);
        assert_int_equal(fault.defect, VHD_FOREIGN);
        assert_sentence(fault.sentence);
        assert_string_equal(fault.sentence, expected);
    } else {
        assert_int_equal(fault.defect, VHD_FOOTER_MISSING);
        assert_string_equal(fault.sentence, "untouched");
    }
}

static const struct {
    size_t at;
    const char *bytes;
    size_t len;
    const char *what;
} formats[] = {
    {0, "vhdxfile", 8, "a VHDX image"},
    {0, "QFI\xfb\0\0\0\1", 8, "a qcow image"},
    {0, "QFI\xfb\0\0\0\2", 8, "a qcow2 image"},
    {0, "QFI\xfb\0\0\0\3", 8, "a qcow2 image"},
    {0, "QED\0", 4, "a QED image"},
    {0, "KDMV", 4, "a VMDK image"},
    {0, "COWD", 4, "a VMDK image"},
    {0, "# Disk DescriptorFile\n", 22, "a VMDK descriptor"},
    {64, "\x7f\x10\xda\xbe", 4, "a VDI image"},
    {0, "WithouFreSpacExt", 16, "a Parallels image"},
    {0, "\x1f\x8b\x08", 3, "a gzip file, which has to be unpacked first"},
    {0, "\xfd\x37zXZ\0", 6, "an xz file, which has to be unpacked first"},
    {0, "\x28\xb5\x2f\xfd", 4, "a zstd file, which has to be unpacked first"},
    {0, "PK\3\4", 4, "a zip file, which has to be unpacked first"},
    {0, "BZh91AY&SY", 10, "a bzip2 file, which has to be unpacked first"},
    {0, "7z\xbc\xaf\x27\x1c", 6, "a 7z file, which has to be unpacked first"},
    {257, "ustar", 5, "a tar archive, which has to be unpacked first"},
    {32769, "CD001", 5, "an ISO 9660 image"},
    {0, "LUKS\xba\xbe", 6, "a raw image of a LUKS volume"},
    {512, "EFI PART", 8, "a raw disk image with a GPT, or a fixed VHD without its footer"},
    {4096, "EFI PART", 8, "a raw disk image with a GPT, or a fixed VHD without its footer"},
    {1080, "\x53\xef", 2, "a raw image of an ext file system, or a fixed VHD without its footer"},
    {510, "\x55\xaa", 2,
     "a raw disk image with a boot sector (MBR), or a fixed VHD without its footer"},
};

static void each_format_is_known_by_its_magic_number(void **state)
{
    for (size_t i = 0; i < LENGTH(formats); i++)
        expect(*state, 64 << 10, formats[i].at, formats[i].bytes, formats[i].len, formats[i].what);
}

/* The magic number must be there whole, and in its place. */
static void a_similar_file_is_no_such_format(void **state)
{
    for (size_t i = 0; i < LENGTH(formats); i++) {
        expect(*state, 64 << 10, formats[i].at + 1, formats[i].bytes, formats[i].len, NULL);
        expect(*state, formats[i].at + 1, formats[i].at, formats[i].bytes, formats[i].len, NULL);
    }
    expect(*state, 64 << 10, 0, "BZh01AY&SY", 10, NULL);
    expect(*state, 64 << 10, 0, "BZhat is a text", 15, NULL);
    expect(*state, 64 << 10, 0, "Virtual disks", 13, NULL);
}

static void a_file_of_any_length_can_be_judged(void **state)
{
    const size_t lengths[] = {0, 1, 2, 511, 512, 2047, 2048, 2049, 32768, 32769, 32773, 65536};

    for (size_t i = 0; i < LENGTH(lengths); i++)
        expect(*state, lengths[i], 0, "", 0, NULL);
}

/* A hybrid image, which boots from a CD or a stick, has a boot sector as well. */
static void the_surest_sign_decides(void **state)
{
    char bytes[33000] = {0};

    memcpy(bytes + 510, "\x55\xaa", 2);
    memcpy(bytes + 32769, "CD001", 5);
    expect(*state, sizeof bytes, 0, bytes, sizeof bytes, "an ISO 9660 image");
    memcpy(bytes + 32769, "-----", 5);
    memcpy(bytes + 512, "EFI PART", 8);
    expect(*state, sizeof bytes, 0, bytes, sizeof bytes,
           "a raw disk image with a GPT, or a fixed VHD without its footer");
}

static void an_unreadable_file_is_no_such_format(void **state)
{
    (void)state;
    struct vhd_fault fault = {.sentence = "untouched"};

    assert_int_equal(vhd_foreign_judge(-1, &fault), VHD_SOUND);
    assert_string_equal(fault.sentence, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(each_format_is_known_by_its_magic_number),
        SCRATCH_TEST(a_similar_file_is_no_such_format),
        SCRATCH_TEST(a_file_of_any_length_can_be_judged),
        SCRATCH_TEST(the_surest_sign_decides),
        SCRATCH_TEST(an_unreadable_file_is_no_such_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
