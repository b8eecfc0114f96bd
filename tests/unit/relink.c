/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a differencing disk would lose its content when its parent is renamed, or its
 * parent would stay unknown.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "format/hop.h"
#include "image/parent.h"

enum { PARENT = 7, CHILD = 9, HEADER_TIME = SAMPLE_HEADER + 56 };

static const uuid_t parent_id = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

/* A child with one block, and the parent under its new name. */
static struct disks put_family(const char *folder, const char *recorded, const char *file)
{
    put(folder, "child.vhd", sample_child(CHILD, PARENT, recorded));
    put(folder, file, sample_dynamic(PARENT, 2));
    return disks_open(folder);
}

static int relink(struct disks disks, const char *name, const char *file, uint32_t time,
                  bool keeps_second)
{
    struct vhd_disk *disk = open_disk(disks, name, VHD_DISK_WRITE | VHD_DISK_ALONE);
    int err = vhd_disk_relink(disk, parent_id, time, file, keeps_second);
    close_disk(disk);
    return err;
}

/* The child names this file alone, and knows its identity. */
static void expect_parent(const char *folder, const char *child, const char *file)
{
    struct vhd_parent_names names = {0};
    struct vhd_image image = expect_clean(folder, child);

    int fd = open(scratch_path(folder, child), O_RDONLY | O_CLOEXEC);
    vhd_parent_read_names(fd, &image.header, &names);
    for (int i = 0; i < 4; i++)
        assert_string_equal(names.names[i], file);
    close(fd);
    assert_memory_equal(image.header.parent_uuid, parent_id, sizeof parent_id);
    assert_int_equal(image.footer.data_offset, SAMPLE_HEADER);
}

/* The content of put_family()'s child: its own block, then the parent's. */
static void expect_content(struct disks disks, const char *name)
{
    struct vhd_disk *disk = open_disk(disks, name, 0);

    expect(disk, 0, BLOCK, 0xEE);
    expect(disk, BLOCK, BLOCK, 0xEE);
    expect(disk, 2 * (uint64_t)BLOCK, (size_t)2 * BLOCK, 0);
    close_disk(disk);
}

static void a_renamed_parent_is_found_again(void **state)
{
    struct disks disks = put_family(*state, "gone.vhd", "other.vhd");
    size_t len;

    refuse_disk(disks, "child", 0, VHD_PARENT_LOST);
    assert_int_equal(relink(disks, "child", "other.vhd", 5, false), 0);
    expect_parent(*state, "child.vhd", "other.vhd");
    uint8_t *bytes = file_bytes(*state, "child.vhd", &len);
    assert_int_equal(get32(bytes + HEADER_TIME), 5);
    assert_memory_equal(bytes, bytes + len - 512, 512);
    free(bytes);
    expect_content(disks, "child");
    disks_close(disks);
}

/* Its first record needs space behind the blocks; all later ones have the same place. */
static void locators_have_one_place(void **state)
{
    struct disks disks = put_family(*state, "gone.vhd", "other.vhd");

    assert_int_equal(relink(disks, "child", "other.vhd", 5, false), 0);
    const uint64_t length = file_length(*state, "child.vhd");
    struct vhd_image first = expect_clean(*state, "child.vhd");
    for (int i = 0; i < 3; i++) {
        put(*state, i % 2 ? "odd.vhd" : "even.vhd", sample_dynamic(PARENT, 2));
        assert_int_equal(relink(disks, "child", i % 2 ? "odd.vhd" : "even.vhd", 5, false), 0);
        assert_int_equal(file_length(*state, "child.vhd"), length);
    }
    struct vhd_image last = expect_clean(*state, "child.vhd");
    for (int i = 0; i < 3; i++)
        assert_int_equal(last.header.locators[i].data_offset, first.header.locators[i].data_offset);
    expect_content(disks, "child");
    disks_close(disks);
}

/* A name of many bytes has locators of more sectors, which find no place between the old ones. */
static void a_longer_name_gets_a_longer_place(void **state)
{
    struct disks disks = put_family(*state, "gone.vhd", "other.vhd");
    char file[NAME_MAX + 1];

    assert_int_equal(relink(disks, "child", "other.vhd", 5, false), 0);
    for (size_t i = 0; i < 80; i++)
        snprintf(file + 3 * i, sizeof file - 3 * i, "\xE3\x81\x82.vhd");
    put(*state, file, sample_dynamic(PARENT, 2));
    assert_int_equal(relink(disks, "child", file, 5, false), 0);
    expect_parent(*state, "child.vhd", file);
    expect_content(disks, "child");

    /* Blocks that come later spare it. */
    struct vhd_disk *disk = open_writable(disks, "child");
    fill(disk, BLOCK, (size_t)3 * BLOCK, 0x11);
    close_disk(disk);
    expect_parent(*state, "child.vhd", file);
    disk = open_disk(disks, "child", 0);
    expect(disk, 0, BLOCK, 0xEE);
    expect(disk, BLOCK, (size_t)3 * BLOCK, 0x11);
    close_disk(disk);
    disks_close(disks);
}

/* Names of another program, with folders of its own, stay as they are. */
static void a_time_alone_changes_one_sector(void **state)
{
    struct disks disks = put_family(*state, "C:\\images\\base.vhd", "base.vhd");
    struct kept kept = keep(*state, "child.vhd");
    size_t len;

    assert_int_equal(relink(disks, "child", "base.vhd", 0x22222222, false), 0);
    uint8_t *bytes = file_bytes(*state, "child.vhd", &len);
    assert_int_equal(len, kept.len);
    assert_int_equal(get32(bytes + HEADER_TIME), 0x22222222);
    assert_memory_equal(bytes, kept.bytes, SAMPLE_HEADER);
    assert_memory_equal(bytes + SAMPLE_HEADER + 512, kept.bytes + SAMPLE_HEADER + 512,
                        len - SAMPLE_HEADER - 512);
    free(bytes);
    free(kept.bytes);
    expect_clean(*state, "child.vhd");

    /* The same record once more writes nothing. */
    kept = keep(*state, "child.vhd");
    assert_int_equal(relink(disks, "child", "base.vhd", 0x22222222, false), 0);
    expect_kept(*state, "child.vhd", kept);
    disks_close(disks);
}

/* A child records the second of its parent's mtime. */
static void the_second_is_kept_for_children(void **state)
{
    const struct timespec old = {1000000002, 999999999}, times[] = {old, old};
    struct disks disks = put_family(*state, "gone.vhd", "other.vhd");
    struct stat attributes;

    put(*state, "grandchild.vhd", sample_child(3, CHILD, "child.vhd"));
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(*state, "child.vhd"), times, 0), 0);
    assert_int_equal(relink(disks, "child", "other.vhd", 5, true), 0);
    assert_int_equal(stat(scratch_path(*state, "child.vhd"), &attributes), 0);
    assert_int_equal(attributes.st_mtim.tv_sec, 1000000002);
    assert_int_not_equal(attributes.st_mtim.tv_nsec, 999999999);
    expect_content(disks, "grandchild");
    assert_int_equal(relink(disks, "child", "other.vhd", 6, false), 0);
    assert_int_equal(stat(scratch_path(*state, "child.vhd"), &attributes), 0);
    assert_int_not_equal(attributes.st_mtim.tv_sec, 1000000002);
    disks_close(disks);
}

/* A header behind the blocks, put there by another program, is as good as any. */
static void a_header_elsewhere_stays_there(void **state)
{
    struct sample sample = sample_child(CHILD, PARENT, "gone.vhd");
    const size_t at = sample.len - 512;

    memcpy(sample.bytes + at, sample.bytes + SAMPLE_HEADER, 1024);
    memset(sample.bytes + SAMPLE_HEADER, 0, 1024);
    sample.len += 1024;
    sample_footers(&sample, SAMPLE_DIFFERENCING, SAMPLE_SIZE, CHILD);
    put64(sample.bytes + 16, at);
    sample_seal_footer(sample.bytes);
    memcpy(sample_end(&sample), sample.bytes, 512);
    put(*state, "child.vhd", sample);
    put(*state, "other.vhd", sample_dynamic(PARENT, 2));
    struct disks disks = disks_open(*state);

    assert_int_equal(relink(disks, "child", "other.vhd", 5, false), 0);
    close_disk(open_writable(disks, "child"));
    struct vhd_image image = expect_clean(*state, "child.vhd");
    assert_int_equal(image.footer.data_offset, at);
    expect_content(disks, "child");
    disks_close(disks);
}

/* An image at the far place of a hop, as a crash leaves it. Its home is where hop says. */
static void put_hopped(const char *folder, struct vhd_hop hop)
{
    struct sample sample = sample_child(CHILD, PARENT, "other.vhd");
    const size_t at = sample.len;
    struct vhd_hop_disk sector;

    hop.far_locators = at;
    memset(hop.uuid, CHILD, sizeof hop.uuid);
    vhd_hop_encode(&hop, &sector);
    sample.bytes = realloc(sample.bytes, at + 8192);
    assert_non_null(sample.bytes);
    memset(sample.bytes + at - 512, 0, 512);
    memset(sample.bytes + at, 0, hop.length);
    memcpy(sample.bytes + at + hop.length, &sector, sizeof sector);
    const size_t header = at + hop.length + sizeof sector;
    memcpy(sample.bytes + header, sample.bytes + SAMPLE_HEADER, 1024);
    memset(sample.bytes + SAMPLE_HEADER, 0xEE, 1024);
    sample.len = header + 1024 + 512;
    sample_footers(&sample, SAMPLE_DIFFERENCING, SAMPLE_SIZE, CHILD);
    put64(sample.bytes + 16, header);
    sample_seal_footer(sample.bytes);
    memcpy(sample_end(&sample), sample.bytes, 512);
    put(folder, "child.vhd", sample);
}

static uint64_t header_place(const char *folder)
{
    return expect_clean(folder, "child.vhd").footer.data_offset;
}

static void a_crash_amid_a_hop_is_repaired(void **state)
{
    /* Without locators, which stay where they are. */
    const struct vhd_hop hop = {.header = SAMPLE_HEADER,
                                .locators = SAMPLE_DATA + SAMPLE_STRIDE + 512};

    put(*state, "other.vhd", sample_dynamic(PARENT, 2));
    put_hopped(*state, hop);
    struct disks disks = disks_open(*state);
    const struct kept kept = keep(*state, "child.vhd");
    expect_content(disks, "child"); /* a reader changes nothing */
    expect_kept(*state, "child.vhd", kept);
    close_disk(open_writable(disks, "child"));
    assert_int_equal(header_place(*state), SAMPLE_HEADER);
    expect_content(disks, "child");
    disks_close(disks);
}

/* A hop sector that a hostile image carries must not lead a header over data. */
static void a_home_that_is_taken_is_not_used(void **state)
{
    const uint64_t far = SAMPLE_DATA + SAMPLE_STRIDE + 512;
    const struct vhd_hop bad[] = {
        {.header = 0},
        {.header = SAMPLE_TABLE},
        {.header = SAMPLE_DATA},
        {.header = SAMPLE_HEADER + 1},
        {.header = SAMPLE_HEADER, .length = 512, .locators = SAMPLE_DATA + 512},
        {.header = SAMPLE_HEADER, .length = 512, .locators = far + 4096},
        {.header = far},
        {.header = UINT64_MAX - 511},
        {.header = SAMPLE_HEADER, .length = 512, .locators = UINT64_MAX - 511},
    };

    put(*state, "other.vhd", sample_dynamic(PARENT, 2));
    struct disks disks = disks_open(*state);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_hopped(*state, bad[i]);
        const uint64_t at = header_place(*state);
        close_disk(open_writable(disks, "child"));
        assert_int_equal(header_place(*state), at);
        expect_content(disks, "child");
    }
    disks_close(disks);
}

static void what_cannot_be_recorded_is_refused(void **state)
{
    struct disks disks = put_family(*state, "gone.vhd", "other.vhd");

    put(*state, "plain.vhd", sample_dynamic(1, 1));
    struct kept kept = keep(*state, "child.vhd"), plain = keep(*state, "plain.vhd");
    assert_int_equal(relink(disks, "child", "a\\b.vhd", 5, false), -EILSEQ);
    assert_int_equal(relink(disks, "child", "\xFF.vhd", 5, false), -EILSEQ);
    assert_int_equal(relink(disks, "plain", "other.vhd", 5, false), -EINVAL);
    struct vhd_disk *reader = open_disk(disks, "child", VHD_DISK_ALONE);
    assert_int_equal(vhd_disk_relink(reader, parent_id, 5, "other.vhd", false), -EROFS);
    close_disk(reader);
    expect_kept(*state, "child.vhd", kept);
    expect_kept(*state, "plain.vhd", plain);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_renamed_parent_is_found_again),
        SCRATCH_TEST(locators_have_one_place),
        SCRATCH_TEST(a_longer_name_gets_a_longer_place),
        SCRATCH_TEST(a_time_alone_changes_one_sector),
        SCRATCH_TEST(the_second_is_kept_for_children),
        SCRATCH_TEST(a_header_elsewhere_stays_there),
        SCRATCH_TEST(a_crash_amid_a_hop_is_repaired),
        SCRATCH_TEST(a_home_that_is_taken_is_not_used),
        SCRATCH_TEST(what_cannot_be_recorded_is_refused),
    };
    return cmocka_run_group_tests_name("relink", tests, NULL, NULL);
}
