/* SPDX-License-Identifier: MIT */
/*
 * If this failed: a hundred children of one parent would need its descriptor and its table a
 * hundred times; or a child would read a wrong parent, or old data of its own.
 */
#include "image/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "image/chain.h"
#include "engine.h"
#include "gate.h"

/* Put an image, and wait until each later change of its file shows in its fingerprint. */
static void put_reliably(const char *folder, const char *file, struct sample sample)
{
    struct stat attributes;

    put(folder, file, sample);
    UNTIL((assert_int_equal(stat(scratch_path(folder, file), &attributes), 0),
           vhd_fingerprint_of(&attributes).is_reliable));
}

/* "base", "middle" on it, and "a" and "b" on that. */
static void put_family(const char *folder)
{
    put(folder, "a.vhd", sample_child(3, 2, "middle.vhd"));
    put(folder, "b.vhd", sample_child(4, 2, "middle.vhd"));
    put(folder, "base.vhd", sample_dynamic(1, 2));
    put_reliably(folder, "middle.vhd", sample_child(2, 1, "base.vhd"));
}

static int try_chain(struct disks disks, const char *file, enum vhd_layer_use use,
                     struct vhd_layer **ret, struct vhd_fault *ret_fault)
{
    assert_int_equal(vhd_layer_open(disks.store, file, use, ret, NULL, ret_fault), 0);
    return vhd_chain_open(disks.store, *ret, use, ret_fault);
}

static struct vhd_layer *open_chain(struct disks disks, const char *file)
{
    struct vhd_layer *top;
    struct vhd_fault fault;

    assert_int_equal(try_chain(disks, file, VHD_LAYER_READ, &top, &fault), 0);
    return top;
}

static void children_of_one_parent_share_its_layer(void **state)
{
    struct disks disks = disks_open(*state);

    put_family(*state);
    unsigned before = scratch_count("/proc/self/fd", "");
    struct vhd_layer *a = open_chain(disks, "a.vhd"), *b = open_chain(disks, "b.vhd");
    assert_ptr_equal(a->parent, b->parent);
    assert_int_equal(scratch_count("/proc/self/fd", ""), before + 4);
    /* The middle has its own layer opened beside the shared one; the layers below are shared. */
    struct vhd_layer *middle = open_chain(disks, "middle.vhd");
    assert_ptr_not_equal(middle, a->parent);
    assert_ptr_equal(middle->parent, a->parent->parent);
    vhd_layer_close(middle);
    vhd_layer_close(a);
    assert_int_equal(b->parent->parent->image.footer.uuid[0], 1);
    assert_int_equal(scratch_count("/proc/self/fd", ""), before + 3);
    vhd_layer_close(b);
    assert_int_equal(scratch_count("/proc/self/fd", ""), before);
    disks_close(disks);
}

/* A layer for info has neither claim nor table. */
static void a_layer_for_info_is_not_shared(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_layer *headers;
    struct vhd_fault fault;

    put_family(*state);
    assert_int_equal(try_chain(disks, "a.vhd", VHD_LAYER_HEADERS, &headers, &fault), 0);
    struct vhd_layer *b = open_chain(disks, "b.vhd");
    assert_ptr_not_equal(b->parent, headers->parent);
    assert_non_null(b->parent->table);
    vhd_layer_close(headers);
    assert_int_equal(try_chain(disks, "a.vhd", VHD_LAYER_HEADERS, &headers, &fault), 0);
    assert_ptr_not_equal(b->parent, headers->parent);
    vhd_layer_close(headers);
    vhd_layer_close(b);
    disks_close(disks);
}

/* At each layer: "a" keeps its own, "b" has the new file, and the next child shares that. */
static void a_changed_file_is_opened_beside_the_old_one(void **state)
{
    static const char *const files[] = {"middle.vhd", "base.vhd"};
    struct disks disks = disks_open(*state);

    put(*state, "c.vhd", sample_child(5, 2, "middle.vhd"));
    for (int i = 0; i < 2; i++) {
        put_family(*state);
        struct vhd_layer *a = open_chain(disks, "a.vhd");
        put_reliably(*state, files[i], i ? sample_dynamic(1, 3) : sample_child(2, 1, "base.vhd"));
        struct vhd_layer *b = open_chain(disks, "b.vhd"), *c = open_chain(disks, "c.vhd");
        assert_ptr_not_equal(a->parent, b->parent);
        assert_int_equal(a->parent->parent == b->parent->parent, i == 0);
        assert_ptr_equal(b->parent, c->parent);
        assert_int_equal(a->parent->parent->image.allocated, 2);
        assert_int_equal(b->parent->parent->image.allocated, i ? 3 : 2);
        vhd_layer_close(a);
        vhd_layer_close(b);
        vhd_layer_close(c);
    }
    disks_close(disks);
}

/* A change within the tick of the last one does not show. */
static void a_file_just_changed_is_not_shared(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_layer *a, *b;

    put_family(*state);
    /* On a machine that is too slow for this, the test tries again. */
    do {
        put(*state, "middle.vhd", sample_child(2, 1, "base.vhd"));
        a = open_chain(disks, "a.vhd");
        b = open_chain(disks, "b.vhd");
        assert_int_equal(a->parent == b->parent, a->parent->fingerprint.is_reliable);
        const bool is_tried = a->parent != b->parent;
        vhd_layer_close(a);
        vhd_layer_close(b);
        if (is_tried)
            break;
    } while (true);
    disks_close(disks);
}

/*
 * The file of the middle has not changed, but the name of its parent leads to another file by now.
 */
static void a_name_that_leads_elsewhere_is_followed(void **state)
{
    struct disks disks = disks_open(*state);

    put_family(*state);
    assert_int_equal(rename(scratch_path(*state, "base.vhd"), scratch_path(*state, "BASE.vhd")), 0);
    put_reliably(*state, "BASE.vhd", sample_dynamic(1, 2));
    struct vhd_layer *a = open_chain(disks, "a.vhd");
    assert_string_equal(a->parent->parent->file, "BASE.vhd");
    put(*state, "base.vhd", sample_dynamic(1, 3));
    struct vhd_layer *b = open_chain(disks, "b.vhd");
    assert_string_equal(b->parent->parent->file, "base.vhd");
    vhd_layer_close(a);
    vhd_layer_close(b);
    disks_close(disks);
}

static void a_parent_that_is_gone_is_not_shared(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_layer *b;
    struct vhd_fault fault;

    put_family(*state);
    struct vhd_layer *a = open_chain(disks, "a.vhd");
    assert_int_equal(unlink(scratch_path(*state, "base.vhd")), 0);
    assert_int_equal(try_chain(disks, "b.vhd", VHD_LAYER_READ, &b, &fault), -EUCLEAN);
    assert_int_equal(fault.defect, VHD_NO_PARENT);
    vhd_layer_close(b);
    assert_int_equal(a->parent->parent->image.footer.uuid[0], 1);
    vhd_layer_close(a);
    disks_close(disks);
}

/* It lacks its end, and the next part was put beside it in between. */
static void a_parent_that_turns_out_to_be_split_is_not_shared(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample base = sample_dynamic(1, 2);
    struct vhd_layer *b;
    struct vhd_fault fault;

    base.len -= 512;
    put_reliably(*state, "base.vhd", base);
    put(*state, "a.vhd", sample_child(3, 1, "base.vhd"));
    put(*state, "b.vhd", sample_child(4, 1, "base.vhd"));
    struct vhd_layer *a = open_chain(disks, "a.vhd");
    scratch_put(*state, "base.v01", "", 0);
    assert_int_equal(try_chain(disks, "b.vhd", VHD_LAYER_READ, &b, &fault), -EUCLEAN);
    assert_non_null(strstr(fault.sentence, "base.v01"));
    vhd_layer_close(a);
    vhd_layer_close(b);
    disks_close(disks);
}

/* Faults between a child and a shared parent, and faults below that parent. */
static void each_child_reports_each_fault(void **state)
{
    struct disks disks = disks_open(*state);
    struct vhd_layer *tops[3];
    struct vhd_fault fault;

    put_family(*state);
    put(*state, "stranger.vhd", sample_child(5, 9, "middle.vhd"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(try_chain(disks, i ? "b.vhd" : "a.vhd", VHD_LAYER_READ, &tops[i], &fault),
                         0);
        assert_int_equal(fault.defect, VHD_PARENT_TOUCHED);
        assert_non_null(strstr(fault.sentence, "middle"));
    }
    assert_ptr_equal(tops[0]->parent, tops[1]->parent);
    assert_int_equal(try_chain(disks, "stranger.vhd", VHD_LAYER_READ, &tops[2], &fault), -EUCLEAN);
    assert_int_equal(fault.defect, VHD_OTHER_PARENT);
    assert_non_null(strstr(fault.sentence, "middle"));
    for (int i = 0; i < 3; i++)
        vhd_layer_close(tops[i]);
    disks_close(disks);
}

static void a_fault_below_a_shared_parent_is_reported_by_each_child(void **state)
{
    static const char *const files[] = {"a.vhd", "b.vhd"};
    struct disks disks = disks_open(*state);
    struct vhd_layer *tops[2];
    struct vhd_fault fault;

    put_family(*state);
    for (int i = 0; i < 2; i++) {
        /* It has no time of its parent on record. */
        struct sample child = sample_child((uint8_t)(3 + i), 2, "middle.vhd");
        put32(child.bytes + SAMPLE_HEADER + 56, 0);
        sample_seal_header(child.bytes + SAMPLE_HEADER);
        put(*state, files[i], child);
        assert_int_equal(try_chain(disks, files[i], VHD_LAYER_READ, &tops[i], &fault), 0);
        assert_int_equal(fault.defect, VHD_PARENT_TOUCHED);
        assert_non_null(strstr(fault.sentence, "base"));
    }
    assert_ptr_equal(tops[0]->parent, tops[1]->parent);
    vhd_layer_close(tops[0]);
    vhd_layer_close(tops[1]);
    disks_close(disks);
}

/* A shared parent stays claimed until its last child is closed. */
static void a_shared_parent_is_claimed_to_the_last(void **state)
{
    struct disks disks = disks_open(*state);

    put_family(*state);
    struct vhd_disk *a = open_writable(disks, "a"), *b = open_disk(disks, "b", 0);
    struct vhd_disk *middle = open_disk(disks, "middle", 0);
    int fd = vhd_store_open_unlocked(disks.store, "middle.vhd");
    assert_true(fd >= 0);
    refuse_disk(disks, "middle", VHD_DISK_WRITE, VHD_READ_ONLY);
    close_disk(middle);
    close_disk(a);
    assert_int_equal(vhd_claim(fd, VHD_CLAIM_NONE, VHD_CLAIM_WRITE), -EBUSY);
    expect(b, 0, BLOCK, 0xEE);
    close_disk(b);
    assert_int_equal(vhd_claim(fd, VHD_CLAIM_NONE, VHD_CLAIM_WRITE), 0);
    close(fd);
    disks_close(disks);
}

/* A raw file and a VHD are two layers, even if they are one file. */
static void a_raw_file_is_shared_as_such_only(void **state)
{
    static const uint8_t nil[16];
    struct disks disks = disks_open(*state);
    struct sample raw = sample_child(3, 0, "base");

    put_reliably(*state, "base", sample_dynamic(1, 1));
    memcpy(raw.bytes + SAMPLE_HEADER + 40, nil, sizeof nil);
    sample_seal_header(raw.bytes + SAMPLE_HEADER);
    put(*state, "raw.vhd", raw);
    put(*state, "a.vhd", sample_child(4, 1, "base"));
    struct vhd_layer *a = open_chain(disks, "a.vhd"), *top = open_chain(disks, "raw.vhd");
    assert_true(top->parent->is_raw);
    assert_false(a->parent->is_raw);
    vhd_layer_close(a);
    vhd_layer_close(top);
    disks_close(disks);
}

/* A thread that opens and closes a child many times, and reads all data of its parents. */
struct opener {
    struct disks disks;
    const char *name;
    unsigned wrong;
};

static void *open_and_read(void *arg)
{
    struct opener *opener = arg;
    uint8_t buf[BLOCK];

    for (int i = 0; i < 300; i++) {
        struct vhd_disk *disk;
        if (vhd_disk_open(opener->disks.catalogue, opener->name, 0, &disk, NULL) != VHD_OK ||
            vhd_disk_read(disk, buf, BLOCK, 0, NULL) < 0 || buf[0] != 0xEE ||
            vhd_disk_read(disk, buf, BLOCK, BLOCK, NULL) < 0 || buf[BLOCK - 1] != 0xEE ||
            vhd_disk_close(disk, NULL) < 0)
            opener->wrong++;
    }
    return NULL;
}

/* A parent that is touched meanwhile, so that its layers change. */
static void threads_share_open_layers(void **state)
{
    enum { THREADS = 4 };
    struct opener openers[THREADS];
    pthread_t threads[THREADS];
    struct disks disks = disks_open(*state);

    put_family(*state);
    for (int i = 0; i < THREADS; i++) {
        openers[i] = (struct opener){.disks = disks, .name = i % 2 ? "a" : "b"};
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_read, &openers[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        const char *file = scratch_path(*state, i % 2 ? "middle.vhd" : "base.vhd");
        assert_int_equal(utimensat(AT_FDCWD, file, NULL, 0), 0);
        usleep(10000);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(openers[i].wrong, 0);
    }
    assert_null(vhd_share_get(disks.store, "middle.vhd", false));
    disks_close(disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(children_of_one_parent_share_its_layer),
        SCRATCH_TEST(a_layer_for_info_is_not_shared),
        SCRATCH_TEST(a_changed_file_is_opened_beside_the_old_one),
        SCRATCH_TEST(a_file_just_changed_is_not_shared),
        SCRATCH_TEST(a_name_that_leads_elsewhere_is_followed),
        SCRATCH_TEST(a_parent_that_is_gone_is_not_shared),
        SCRATCH_TEST(a_parent_that_turns_out_to_be_split_is_not_shared),
        SCRATCH_TEST(each_child_reports_each_fault),
        SCRATCH_TEST(a_fault_below_a_shared_parent_is_reported_by_each_child),
        SCRATCH_TEST(a_shared_parent_is_claimed_to_the_last),
        SCRATCH_TEST(a_raw_file_is_shared_as_such_only),
        SCRATCH_TEST(threads_share_open_layers),
    };
    return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
