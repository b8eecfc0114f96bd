/*
 * If this failed, a user would be told wrong things about a disk, or a file put into the store
 * would hang whoever looks at it.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "disk/info.h"
#include "sample.h"
#include "scratch.h"

static struct vhd_store *open_store(const char *path)
{
    struct vhd_store *store;
    assert_int_equal(vhd_store_open(path, 0, &store, NULL), VHD_OK);
    return store;
}

/* Put an image into the store and release it. */
static void put(const char *folder, const char *file, struct sample sample)
{
    scratch_put(folder, file, sample.bytes, sample.len);
    free(sample.bytes);
}

static struct vhd_info look(const struct vhd_store *store, const char *name)
{
    struct vhd_info info;
    memset(&info, 0xA5, sizeof info);
    assert_int_equal(vhd_info_read(store, name, &info), 0);
    assert_string_equal(info.name, name);
    return info;
}

static void tells_about_each_type(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct stat attributes;

    put(*state, "fixed.vhd", sample_fixed(1));
    put(*state, "dynamic.VHD", sample_dynamic(2, 3));
    put(*state, "child.vhd", sample_child(3, 2, "dynamic.VHD"));
    struct vhd_info info = look(store, "fixed");
    assert_string_equal(info.file, "fixed.vhd");
    assert_int_equal(info.image.fault.defect, VHD_SOUND);
    assert_int_equal(info.image.footer.type, VHD_TYPE_FIXED);
    assert_int_equal(info.image.length, SAMPLE_SIZE + 512);
    assert_string_equal(info.parent, "");
    assert_int_equal(info.children, 0);
    assert_int_equal(stat(scratch_path(*state, "fixed.vhd"), &attributes), 0);
    assert_int_equal(info.used, attributes.st_blocks * 512);
    assert_int_equal(info.changed.tv_sec, attributes.st_mtim.tv_sec);
    assert_int_equal(info.changed.tv_nsec, attributes.st_mtim.tv_nsec);

    info = look(store, "dynamic");
    assert_string_equal(info.file, "dynamic.VHD");
    assert_int_equal(info.image.footer.type, VHD_TYPE_DYNAMIC);
    assert_int_equal(info.image.allocated, 3);
    assert_string_equal(info.parent, "");
    assert_int_equal(info.children, 1);

    info = look(store, "child");
    assert_int_equal(info.image.footer.type, VHD_TYPE_DIFFERENCING);
    assert_string_equal(info.parent, "dynamic");
    assert_int_equal(info.children, 0);
    vhd_store_unref(store);
}

static void tells_what_it_uses_on_the_host(void **state)
{
    struct vhd_store *store = open_store(*state);

    put(*state, "sparse.vhd", sample_dynamic(2, 0));
    assert_int_equal(truncate(scratch_path(*state, "sparse.vhd"), 1 << 30), 0);
    struct vhd_info info = look(store, "sparse");
    assert_int_equal(info.image.length, 1 << 30);
    assert_true(info.used < 1 << 20);
    assert_int_equal(info.image.fault.defect, VHD_FOOTER_LOST);
    vhd_store_unref(store);
}

static void names_the_parent_however_it_is_written(void **state)
{
    static const struct {
        const char *written, *name;
    } parents[] = {
        {"base.vhd", "base"},
        {"base.VHD", "base"},
        {"base", "base"},
        {"C:\\Disks\\base.vhd", "base"},
        {"\\\\server\\share\\a b.vhd", "a b"},
        {"..\\base.vhd", "base"},
        {"/srv/disks/base.vhd", "base"},
        {"C:\\mixed/ways\\base.vhd", "base"},
        {"base.v1.vhd", "base.v1"},
        {"base.avhd", "base.avhd"},
        {"C:\\Disks\\", ""},
        {"", ""},
        {"\xE4.vhd", "\xC3\xA4"}, /* U+00E4: one unit in the header, two bytes here */
    };
    struct vhd_store *store = open_store(*state);

    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        put(*state, "child.vhd", sample_child(3, 2, parents[i].written));
        struct vhd_info info = look(store, "child");
        assert_int_equal(info.image.fault.defect, VHD_SOUND);
        assert_string_equal(info.parent, parents[i].name);
    }
    vhd_store_unref(store);
}

static void a_parent_name_without_end_is_cut(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct sample sample = sample_child(3, 2, "");

    for (int i = 0; i < 256; i++)
        put16(sample.bytes + SAMPLE_HEADER + 64 + 2 * i, 0x20AC); /* three bytes each in UTF-8 */
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    put(*state, "child.vhd", sample);
    struct vhd_info info = look(store, "child");
    assert_int_equal(strlen(info.parent), 3 * 256);
    vhd_store_unref(store);
}

static void tells_what_is_wrong_with_a_disk(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct sample sample = sample_dynamic(2, 1);

    put32(sample_entry(&sample, 2), 0x00FFFFFF);
    put(*state, "damaged.vhd", sample);
    struct vhd_info info = look(store, "damaged");
    assert_int_equal(info.image.fault.defect, VHD_BLOCK_OUTSIDE);
    assert_true(info.image.has_footer);
    scratch_put(*state, "text.vhd", "no VHD", 6);
    info = look(store, "text");
    assert_int_equal(info.image.fault.defect, VHD_FOOTER_MISSING);
    assert_false(info.image.has_footer);
    assert_int_equal(info.image.length, 6);
    assert_string_equal(info.parent, "");
    assert_int_equal(info.children, 0);
    vhd_store_unref(store);
}

static void what_is_no_disk_is_not_there(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_info info;

    put(*state, "real.vhd", sample_fixed(1));
    assert_int_equal(mkfifo(scratch_path(*state, "fifo.vhd"), 0666), 0);
    assert_int_equal(symlink("real.vhd", scratch_path(*state, "link.vhd")), 0);
    assert_int_equal(mkdir(scratch_path(*state, "folder.vhd"), 0777), 0);
    const char *const names[] = {"fifo", "link", "folder", "none", "real.vhd"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(vhd_info_read(store, names[i], &info), -ENOENT);
    unsigned children = 42;
    uuid_t parent = {1};
    assert_int_equal(vhd_children_count(store, parent, &children), 0);
    assert_int_equal(children, 0);
    vhd_store_unref(store);
}

static void look_without_permission(void *arg)
{
    const struct vhd_store *store = arg;
    struct vhd_info info;

    child_drop_root();
    CHILD_EXPECT(vhd_info_read(store, "secret", &info) == 0);
    CHILD_EXPECT(info.image.fault.defect == VHD_UNREADABLE);
    CHILD_EXPECT(info.image.length == SAMPLE_SIZE + 512);
    CHILD_EXPECT(!info.image.has_footer);
}

static void tells_that_it_may_not_read(void **state)
{
    struct vhd_store *store = open_store(*state);

    put(*state, "secret.vhd", sample_fixed(1));
    assert_int_equal(chmod(scratch_path(*state, "secret.vhd"), 0), 0);
    in_child(look_without_permission, store);
    vhd_store_unref(store);
}

static unsigned children_of(const struct vhd_store *store, uint8_t id)
{
    uuid_t parent;
    unsigned children = 42;
    memset(parent, id, sizeof parent);
    assert_int_equal(vhd_children_count(store, parent, &children), 0);
    return children;
}

static void counts_children(void **state)
{
    struct vhd_store *store = open_store(*state);

    assert_int_equal(children_of(store, 2), 0);
    put(*state, "base.vhd", sample_dynamic(2, 1));
    put(*state, "one.vhd", sample_child(11, 2, "base.vhd"));
    put(*state, "two.VHD", sample_child(12, 2, "C:\\elsewhere\\other.vhd"));
    put(*state, "grandchild.vhd", sample_child(13, 11, "one.vhd"));
    put(*state, "stranger.vhd", sample_child(14, 99, "base.vhd"));
    scratch_put(*state, "text.vhd", "no VHD", 6);
    assert_int_equal(children_of(store, 2), 2);
    assert_int_equal(children_of(store, 11), 1);
    assert_int_equal(children_of(store, 12), 0);
    assert_int_equal(look(store, "base").children, 2);
    vhd_store_unref(store);
}

/* A child whose header does not stand where most programs put it. */
static void counts_a_child_with_its_header_elsewhere(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct sample sample = sample_child(11, 2, "base.vhd");
    const uint32_t header = (uint32_t)sample.len - 512;

    sample.len += 1024;
    memcpy(sample.bytes + header, sample.bytes + SAMPLE_HEADER, 1024);
    memset(sample.bytes + SAMPLE_HEADER, 0, 1024);
    for (int i = 0; i < 2; i++) {
        uint8_t *footer = i ? sample_end(&sample) : sample.bytes;
        sample_footer(footer, SAMPLE_DIFFERENCING, SAMPLE_SIZE, 11);
        put64(footer + 16, header);
        sample_seal_footer(footer);
    }
    put(*state, "child.vhd", sample);
    assert_int_equal(look(store, "child").image.fault.defect, VHD_SOUND);
    assert_int_equal(children_of(store, 2), 1);
    vhd_store_unref(store);
}

/* The footer at the end decides what a disk is: its copy may be lost, or be a guest's bytes. */
static void counts_children_by_the_footer_at_the_end(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct sample lost = sample_child(11, 2, "base.vhd"), fixed = sample_fixed(12);
    struct sample child = sample_child(13, 3, "other.vhd");

    memset(lost.bytes, 0, 512);
    put(*state, "lost.vhd", lost);
    assert_int_equal(look(store, "lost").image.fault.defect, VHD_SOUND);
    assert_int_equal(children_of(store, 2), 1);

    memcpy(fixed.bytes, child.bytes, 2048); /* its guest writes this */
    free(child.bytes);
    put(*state, "fixed.vhd", fixed);
    assert_int_equal(look(store, "fixed").image.footer.type, VHD_TYPE_FIXED);
    assert_int_equal(children_of(store, 3), 0);
    vhd_store_unref(store);
}

static void a_spoilt_image_is_looked_at_all_the_same(void **state)
{
    enum { TIMES = 400 };
    uint64_t seed = UINT64_C(0xC0FFEE);
    struct vhd_store *store = open_store(*state);

    print_message("seed 0x%" PRIX64 ", %d images\n", seed, TIMES);
    for (int i = 0; i < TIMES; i++) {
        struct sample sample = sample_child(3, 3, "C:\\a\\b.vhd");
        sample_spoil(&sample, &seed);
        put(*state, "spoilt.vhd", sample);
        struct vhd_info info = look(store, "spoilt");
        assert_true(strnlen(info.parent, sizeof info.parent) < sizeof info.parent);
        assert_null(strpbrk(info.parent, "/\\"));
        assert_true(info.children <= 1);
    }
    vhd_store_unref(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(tells_about_each_type),
        SCRATCH_TEST(tells_what_it_uses_on_the_host),
        SCRATCH_TEST(names_the_parent_however_it_is_written),
        SCRATCH_TEST(a_parent_name_without_end_is_cut),
        SCRATCH_TEST(tells_what_is_wrong_with_a_disk),
        SCRATCH_TEST(what_is_no_disk_is_not_there),
        SCRATCH_TEST(tells_that_it_may_not_read),
        SCRATCH_TEST(counts_children),
        SCRATCH_TEST(counts_a_child_with_its_header_elsewhere),
        SCRATCH_TEST(counts_children_by_the_footer_at_the_end),
        SCRATCH_TEST(a_spoilt_image_is_looked_at_all_the_same),
    };
    return cmocka_run_group_tests_name("info", tests, NULL, NULL);
}
