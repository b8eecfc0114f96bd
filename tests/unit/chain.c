/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a differencing disk would be read on top of a file that is not its parent, or its
 * opening would never end; or a sound disk would be refused.
 */
#include "image/chain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "sentence.h"

/* Open a file and its parents; a fault has a sentence with the name of the image. */
static int open_chain(const char *folder, const char *file, enum vhd_layer_use use,
                      struct vhd_fault *ret, unsigned *ret_layers)
{
    struct disks disks = disks_open(folder);
    struct vhd_layer *top;

    assert_int_equal(vhd_layer_open(disks.store, file, use, &top, NULL, ret), 0);
    memset(ret, 0xA5, sizeof *ret);
    int err = vhd_chain_open(disks.store, top, use, ret);
    assert_sentence(ret->sentence);
    *ret_layers = 0;
    for (const struct vhd_layer *layer = top; layer; layer = layer->parent)
        ++*ret_layers;
    vhd_layer_close(top);
    disks_close(disks);
    return err;
}

/* The chain for use and the chain without claims have the same parents. */
static void accepts(const char *folder, const char *file, unsigned layers, enum vhd_defect defect)
{
    for (int use = VHD_LAYER_HEADERS; use <= VHD_LAYER_READ; use++) {
        struct vhd_fault fault;
        unsigned found;
        assert_int_equal(open_chain(folder, file, (enum vhd_layer_use)use, &fault, &found), 0);
        assert_int_equal(fault.defect, defect);
        assert_int_equal(found, layers);
    }
}

static void refuses(const char *folder, const char *file, enum vhd_defect defect, const char *named)
{
    for (int use = VHD_LAYER_HEADERS; use <= VHD_LAYER_READ; use++) {
        struct vhd_fault fault;
        unsigned found;
        assert_int_equal(open_chain(folder, file, (enum vhd_layer_use)use, &fault, &found),
                         -EUCLEAN);
        if (fault.defect != defect)
            print_error("%s\n", fault.sentence);
        assert_int_equal(fault.defect, defect);
        assert_non_null(strstr(fault.sentence, named));
    }
}

/* A child without the time of its parent, which not all programs record. */
static struct sample timeless_child(uint8_t id, uint8_t parent, const char *name)
{
    struct sample sample = sample_child(id, parent, name);

    put32(sample.bytes + SAMPLE_HEADER + 56, 0);
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    return sample;
}

static void a_disk_without_parent_is_a_chain_of_one(void **state)
{
    put(*state, "fixed.vhd", sample_fixed(1));
    put(*state, "dynamic.vhd", sample_dynamic(2, 2));
    accepts(*state, "fixed.vhd", 1, VHD_SOUND);
    accepts(*state, "dynamic.vhd", 1, VHD_SOUND);
}

static void parents_are_found_down_to_the_base(void **state)
{
    put(*state, "base.vhd", sample_dynamic(1, 2));
    put(*state, "middle.vhd", timeless_child(2, 1, "base.vhd"));
    put(*state, "top.vhd", timeless_child(3, 2, "middle.vhd"));
    accepts(*state, "top.vhd", 3, VHD_SOUND);
    accepts(*state, "middle.vhd", 2, VHD_SOUND);
}

static void a_recorded_time_is_compared(void **state)
{
    struct sample child = sample_child(2, 1, "base.vhd");
    const struct timespec times[2] = {{.tv_sec = 946684800 + 0x11111111},
                                      {.tv_sec = 946684800 + 0x11111111}};

    put(*state, "base.vhd", sample_dynamic(1, 2));
    put(*state, "child.vhd", child); /* it says 0x11111111 seconds after 2000 */
    accepts(*state, "child.vhd", 2, VHD_PARENT_TOUCHED);
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(*state, "base.vhd"), times, 0), 0);
    accepts(*state, "child.vhd", 2, VHD_SOUND);
}

static void a_missing_parent_is_lost(void **state)
{
    put(*state, "child.vhd", sample_child(2, 1, "nobody.vhd"));
    put(*state, "nameless.vhd", sample_child(3, 1, ""));
    put(*state, "top.vhd", sample_child(4, 2, "child.vhd"));
    refuses(*state, "child.vhd", VHD_NO_PARENT, "nobody");
    refuses(*state, "nameless.vhd", VHD_NO_PARENT, "");
    refuses(*state, "top.vhd", VHD_NO_PARENT, "nobody");
}

static void a_parent_lies_in_the_store(void **state)
{
    const char *store = scratch_path(*state, "store");

    assert_int_equal(mkdir(store, 0777), 0);
    put(*state, "base.vhd", sample_dynamic(1, 2));
    put(store, "up.vhd", sample_child(2, 1, "../base.vhd"));
    put(store, "absolute.vhd", sample_child(3, 1, scratch_path(*state, "base.vhd")));
    assert_int_equal(symlink("../base.vhd", scratch_path(store, "link.vhd")), 0);
    put(store, "linked.vhd", sample_child(4, 1, "link.vhd"));
    refuses(store, "up.vhd", VHD_NO_PARENT, "base");
    refuses(store, "absolute.vhd", VHD_NO_PARENT, "base");
    refuses(store, "linked.vhd", VHD_NO_PARENT, "link");
}

static void another_identity_is_another_disk(void **state)
{
    put(*state, "base.vhd", sample_dynamic(9, 2));
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    refuses(*state, "child.vhd", VHD_OTHER_PARENT, "01010101-0101-0101-0101-010101010101");
    refuses(*state, "child.vhd", VHD_OTHER_PARENT, "09090909-0909-0909-0909-090909090909");
}

static void a_parent_is_not_larger(void **state)
{
    struct sample longer = sample_of(SAMPLE_SIZE + 1024);

    sample_footer(sample_end(&longer), SAMPLE_FIXED, SAMPLE_SIZE + 512, 1);
    put(*state, "base.vhd", longer);
    put(*state, "child.vhd", sample_child(2, 1, "base.vhd"));
    refuses(*state, "child.vhd", VHD_OTHER_SIZE, "16896");
}

/* XenServer enlarges a child alone. */
static void a_parent_may_be_smaller(void **state)
{
    struct sample shorter = sample_of(SAMPLE_SIZE);

    sample_footer(sample_end(&shorter), SAMPLE_FIXED, SAMPLE_SIZE - 512, 1);
    put(*state, "base.vhd", shorter);
    put(*state, "child.vhd", timeless_child(2, 1, "base.vhd"));
    put(*state, "touched.vhd", sample_child(3, 1, "base.vhd"));
    accepts(*state, "child.vhd", 2, VHD_PARENT_SMALLER);
    accepts(*state, "touched.vhd", 2, VHD_PARENT_TOUCHED);
}

static void a_ring_has_no_end(void **state)
{
    put(*state, "a.vhd", timeless_child(1, 2, "b.vhd"));
    put(*state, "b.vhd", timeless_child(2, 3, "c.vhd"));
    put(*state, "c.vhd", timeless_child(3, 1, "a.vhd"));
    refuses(*state, "a.vhd", VHD_CHAIN_TOO_LONG, "");
    put(*state, "self.vhd", timeless_child(4, 4, "self.vhd"));
    struct vhd_fault fault;
    unsigned found;
    assert_int_equal(open_chain(*state, "self.vhd", VHD_LAYER_READ, &fault, &found), -EUCLEAN);
}

static void a_chain_has_a_most_length(void **state)
{
    char file[16], parent[16];

    put(*state, "0.vhd", sample_dynamic(1, 1));
    for (unsigned i = 1; i <= VHD_CHAIN_MAX; i++) {
        snprintf(file, sizeof file, "%u.vhd", i);
        snprintf(parent, sizeof parent, "%u.vhd", i - 1);
        put(*state, file, timeless_child((uint8_t)(i + 1), (uint8_t)i, parent));
    }
    snprintf(file, sizeof file, "%u.vhd", VHD_CHAIN_MAX - 1);
    accepts(*state, file, VHD_CHAIN_MAX, VHD_SOUND);
    snprintf(file, sizeof file, "%u.vhd", VHD_CHAIN_MAX);
    refuses(*state, file, VHD_CHAIN_TOO_LONG, "64");
}

static void a_damaged_parent_is_reported_with_its_name(void **state)
{
    scratch_put(*state, "text.vhd", "text", 4);
    put(*state, "child.vhd", sample_child(2, 1, "text.vhd"));
    refuses(*state, "child.vhd", VHD_BAD_PARENT, "text");
}

static void a_parent_in_use_is_reported_with_its_name(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_layer *writer, *top;
    struct vhd_fault fault;
    int write_fd;

    put(*state, "base.vhd", sample_dynamic(1, 2));
    put(*state, "child.vhd", timeless_child(2, 1, "base.vhd"));
    assert_int_equal(
        vhd_layer_open(disks.store, "base.vhd", VHD_LAYER_WRITE, &writer, &write_fd, &fault), 0);
    assert_int_equal(vhd_layer_open(disks.store, "child.vhd", VHD_LAYER_READ, &top, NULL, &fault),
                     0);
    assert_int_equal(vhd_chain_open(disks.store, top, VHD_LAYER_READ, &fault), -EBUSY);
    assert_non_null(strstr(fault.sentence, "base"));
    vhd_layer_close(top);
    vhd_layer_close(writer);
    close(write_fd);
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_disk_without_parent_is_a_chain_of_one),
        SCRATCH_TEST(parents_are_found_down_to_the_base),
        SCRATCH_TEST(a_recorded_time_is_compared),
        SCRATCH_TEST(a_missing_parent_is_lost),
        SCRATCH_TEST(a_parent_lies_in_the_store),
        SCRATCH_TEST(another_identity_is_another_disk),
        SCRATCH_TEST(a_parent_is_not_larger),
        SCRATCH_TEST(a_parent_may_be_smaller),
        SCRATCH_TEST(a_ring_has_no_end),
        SCRATCH_TEST(a_chain_has_a_most_length),
        SCRATCH_TEST(a_damaged_parent_is_reported_with_its_name),
        SCRATCH_TEST(a_parent_in_use_is_reported_with_its_name),
    };
    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
