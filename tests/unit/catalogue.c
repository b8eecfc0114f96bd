/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a disk could be deleted or renamed although it has children, or could not be
 * although it has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "catalogue.h"
#include "disks.h"
#include "gate.h"
#include "image/info.h"

static unsigned children_of_file(struct disks disks, const char *file, uint8_t id)
{
    return count_with(vhd_catalogue_count_children, disks, file, id);
}

static void counts_children(void **state)
{
    struct disks disks = store_of(*state);

    assert_int_equal(children_of(disks, 2), 0);
    put(*state, "base.vhd", sample_dynamic(2, 1));
    put(*state, "one.vhd", sample_child(11, 2, "base.vhd"));
    put(*state, "two.VHD", sample_child(12, 2, "C:\\elsewhere\\base.vhd"));
    put(*state, "grandchild.vhd", sample_child(13, 11, "one.vhd"));
    put(*state, "stranger.vhd", sample_child(14, 99, "base.vhd"));
    scratch_put(*state, "text.vhd", "no VHD", 6);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(children_of(disks, 2), 2);
        assert_int_equal(children_of_file(disks, "one.vhd", 11), 1);
        assert_int_equal(children_of_file(disks, "two.VHD", 12), 0);
        assert_int_equal(children_of(disks, 99), 1);
        assert_int_equal(children_now(disks, 2), 2);
        assert_int_equal(children_now(disks, 12), 0);
    }
    disks_close(disks);
}

/* A child whose header does not stand where most programs put it. */
static void counts_a_child_with_its_header_elsewhere(void **state)
{
    struct disks disks = store_of(*state);
    struct sample sample = sample_child(11, 2, "base.vhd");
    const uint32_t header = (uint32_t)sample.len - 512;
    struct vhd_info info;

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
    assert_int_equal(vhd_info_read_all(disks.catalogue, "child", &info), 0);
    assert_int_equal(info.image.fault.defect, VHD_BAD_PARENT);
    assert_int_equal(children_of(disks, 2), 1);
    disks_close(disks);
}

/*
 * The footer at the end decides the type of a disk: its copy may be lost, or hold bytes of a guest.
 */
static void counts_children_by_the_footer_at_the_end(void **state)
{
    struct disks disks = store_of(*state);
    struct sample lost = sample_child(11, 2, "base.vhd"), fixed = sample_fixed(12);
    struct sample child = sample_child(13, 3, "other.vhd");
    struct vhd_info info;

    memset(lost.bytes, 0, 512);
    put(*state, "lost.vhd", lost);
    assert_int_equal(vhd_info_read_all(disks.catalogue, "lost", &info), 0);
    assert_int_equal(info.image.fault.defect, VHD_BAD_PARENT);
    assert_int_equal(children_of(disks, 2), 1);

    memcpy(fixed.bytes, child.bytes, 2048); /* the guest writes this */
    free(child.bytes);
    put(*state, "fixed.vhd", fixed);
    assert_int_equal(vhd_info_read_all(disks.catalogue, "fixed", &info), 0);
    assert_int_equal(info.image.footer.type, VHD_TYPE_FIXED);
    assert_int_equal(children_of(disks, 3), 0);
    disks_close(disks);
}

/* The header alone makes a disk a child, whatever the state of the rest. */
static void counts_damaged_children(void **state)
{
    struct disks disks = store_of(*state);
    struct sample table = sample_child(11, 2, "base.vhd"), end = sample_child(12, 2, "base.vhd");
    struct sample header = sample_child(13, 2, "base.vhd");

    put32(sample_entry(&table, 2), 0x00FFFFFF);
    memset(sample_end(&end), 0, 512);
    header.bytes[SAMPLE_HEADER + 45] ^= 1;
    put(*state, "table.vhd", table);
    assert_int_equal(children_of(disks, 2), 1);
    put(*state, "end.vhd", end);
    assert_int_equal(children_of(disks, 2), 2);
    put(*state, "header.vhd", header);
    assert_int_equal(children_of(disks, 2), 2);
    disks_close(disks);
}

static void counts_nothing_but_disks(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "child.vhd", sample_child(11, 2, "base.vhd"));
    put(*state, "child", sample_child(12, 2, "base.vhd"));
    put(*state, "child.vhdx", sample_child(13, 2, "base.vhd"));
    put(*state, "child.VHD", sample_child(14, 2, "base.vhd")); /* hidden by child.vhd */
    put(*state, VHD_OWN_PREFIX "x.vhd", sample_child(15, 2, "base.vhd"));
    assert_int_equal(symlink("child.vhd", scratch_path(*state, "link.vhd")), 0);
    assert_int_equal(mkfifo(scratch_path(*state, "fifo.vhd"), 0666), 0);
    assert_int_equal(mkdir(scratch_path(*state, "folder.vhd"), 0777), 0);
    put(scratch_path(*state, "folder.vhd"), "inside.vhd", sample_child(16, 2, "base.vhd"));
    assert_int_equal(children_of(disks, 2), 1);
    assert_int_equal(children_now(disks, 2), 1);
    disks_close(disks);
}

/* Snapshots of Hyper-V are no disks of the store, but they need their parents as disks do. */
static void counts_snapshots(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "child.avhd", sample_child(11, 2, "base.vhd"));
    put(*state, "child.avhd.vhd", sample_child(12, 2, "base.vhd")); /* a disk of nearly that name */
    put(*state, "other.AVHD", sample_child(13, 2, "base.vhd"));
    put(*state, ".avhd", sample_child(14, 2, "base.vhd"));
    put(*state, ".hidden.avhd", sample_child(15, 2, "base.vhd"));
    put(*state, "child.avhdx", sample_child(16, 2, "base.vhd"));
    assert_int_equal(mkfifo(scratch_path(*state, "fifo.avhd"), 0666), 0);
    assert_int_equal(children_of(disks, 2), 3);
    assert_int_equal(children_now(disks, 2), 3);
    disks_close(disks);
}

/* A copy has the same identity. Writing, renaming or deleting it harms no child. */
static void a_copy_of_a_parent_has_no_children(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "child.vhd", sample_child(11, 2, "base.vhd"));
    put(*state, "copy of base.vhd", sample_dynamic(2, 1));
    assert_int_equal(children_of_file(disks, "base.vhd", 2), 1);
    assert_int_equal(children_of_file(disks, "copy of base.vhd", 2), 0);
    put(*state, "copy of child.vhd", sample_child(11, 2, "base.vhd"));
    assert_int_equal(children_of_file(disks, "base.vhd", 2), 2);
    /* Other files may get the names without any change of the child. */
    assert_int_equal(rename(scratch_path(*state, "base.vhd"), scratch_path(*state, "b.vhd")), 0);
    assert_int_equal(children_of_file(disks, "b.vhd", 2), 0);
    assert_int_equal(
        rename(scratch_path(*state, "copy of base.vhd"), scratch_path(*state, "base.vhd")), 0);
    assert_int_equal(children_of_file(disks, "base.vhd", 2), 2);
    disks_close(disks);
}

/* A write to one name of a file is a write to all of them. */
static void a_hard_link_to_a_parent_has_its_children(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "child.vhd", sample_child(11, 2, "base.vhd"));
    assert_int_equal(link(scratch_path(*state, "base.vhd"), scratch_path(*state, "link.vhd")), 0);
    assert_int_equal(children_of_file(disks, "link.vhd", 2), 1);
    disks_close(disks);
}

/* Programs on Windows find a parent in any case of its name, so it must stay there for them. */
static void a_parent_named_in_another_case_has_its_children(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "child.vhd", sample_child(11, 2, "BASE.vhd"));
    assert_int_equal(children_of_file(disks, "base.vhd", 2), 1);
    put(*state, "BASE.vhd", sample_dynamic(2, 1));
    assert_int_equal(children_of_file(disks, "base.vhd", 2), 0);
    assert_int_equal(children_of_file(disks, "BASE.vhd", 2), 1);
    disks_close(disks);
}

static void none_is_its_own_child(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "ring.vhd", sample_child(2, 2, "ring.vhd"));
    assert_int_equal(children_of_file(disks, "ring.vhd", 2), 0);
    put(*state, "child.vhd", sample_child(3, 2, "ring.vhd"));
    assert_int_equal(children_of_file(disks, "ring.vhd", 2), 1);
    /* Two disks that name each other as parent have one child each. */
    put(*state, "ring.vhd", sample_child(2, 3, "child.vhd"));
    assert_int_equal(children_of_file(disks, "ring.vhd", 2), 1);
    assert_int_equal(children_of_file(disks, "child.vhd", 3), 1);
    disks_close(disks);
}

/* An image that nobody may read is no child until it can be read. */
static void count_what_cannot_be_read(void *path)
{
    child_drop_root();
    struct disks disks = store_of(path);
    put(path, "child.vhd", sample_child(11, 2, "base.vhd"));
    CHILD_EXPECT(chmod(scratch_path(path, "child.vhd"), 0) == 0);
    CHILD_EXPECT(children_of(disks, 2) == 0);
    CHILD_EXPECT(chmod(scratch_path(path, "child.vhd"), 0600) == 0);
    CHILD_EXPECT(children_now(disks, 2) == 1);
    disks_close(disks);
}

static void an_image_that_cannot_be_read_has_no_parent(void **state)
{
    in_child(count_what_cannot_be_read, scratch_folder_of_nobody(*state));
}

static void count_in_a_folder_that_cannot_be_listed(void *path)
{
    uuid_t parent;
    unsigned children = 42;

    memset(parent, 2, sizeof parent);
    child_drop_root();
    struct disks disks = store_of(path);
    put(path, "child.vhd", sample_child(11, 2, "base.vhd"));
    CHILD_EXPECT(children_of(disks, 2) == 1);
    for (int i = 0; i < 2; i++) {
        CHILD_EXPECT(chmod(path, 0300) == 0);
        CHILD_EXPECT(vhd_catalogue_count_children(disks.catalogue, "base.vhd", parent, &children) ==
                     -EACCES);
        CHILD_EXPECT(vhd_catalogue_count_children_now(disks.catalogue, "base.vhd", parent,
                                                      &children) == -EACCES);
        CHILD_EXPECT(children == 42);
        CHILD_EXPECT(chmod(path, 0700) == 0);
        CHILD_EXPECT(children_of(disks, 2) == 1);
    }
    disks_close(disks);
}

static void reports_a_folder_that_cannot_be_listed(void **state)
{
    in_child(count_in_a_folder_that_cannot_be_listed, scratch_folder_of_nobody(*state));
}

/* With few descriptors left: first there is none for the folder, then none for an image. */
static void count_without_descriptors(void *path)
{
    struct rlimit limit;
    uuid_t parent;

    memset(parent, 2, sizeof parent);
    put(path, "child.vhd", sample_child(11, 2, "base.vhd"));
    for (unsigned spare = 0; spare < 2; spare++) {
        struct disks disks = store_of(path);
        CHILD_EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
        CHILD_EXPECT(next >= 0 && close(next) == 0);
        struct rlimit low = {(rlim_t)next + spare, limit.rlim_max};
        for (int i = 0; i < 2; i++) {
            unsigned children = 42;
            CHILD_EXPECT(setrlimit(RLIMIT_NOFILE, &low) == 0);
            int err =
                i ? vhd_catalogue_count_children_now(disks.catalogue, "base.vhd", parent, &children)
                  : vhd_catalogue_count_children(disks.catalogue, "base.vhd", parent, &children);
            CHILD_EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
            CHILD_EXPECT(spare > 0 || err == -EMFILE);
            CHILD_EXPECT(err < 0 ? children == 42 : children == 1);
        }
        CHILD_EXPECT(children_now(disks, 2) == 1);
        disks_close(disks);
    }
}

static void a_lack_of_descriptors_hides_no_child(void **state)
{
    in_child(count_without_descriptors, *state);
}

static void outlives_the_owner_of_the_store(void **state)
{
    struct disks disks = store_of(*state);

    put(*state, "child.vhd", sample_child(11, 2, "base.vhd"));
    vhd_store_unref(disks.store);
    disks.store = NULL;
    assert_int_equal(children_of(disks, 2), 1);
    disks_close(disks);
    vhd_catalogue_unref(NULL);
}

/*
 * Stress: some threads count, in both ways, while others add, remove, replace and change disks.
 * Some children stay all the time. No count is above the number of names.
 */
enum { STAYING = 1200, MOVING = 4, COUNTERS = 3, MOVES = 60 };

struct stress {
    struct disks disks;
    const char *folder;
    unsigned moving, low, high, failed; /* atomic */
};

static void *count_much(void *arg)
{
    struct stress *stress = arg;
    uuid_t parent;

    memset(parent, 2, sizeof parent);
    for (unsigned i = 0; READ(stress->moving) > 0; i++) {
        unsigned children;
        int err = i % 3 ? vhd_catalogue_count_children(stress->disks.catalogue, "base.vhd", parent,
                                                       &children)
                        : vhd_catalogue_count_children_now(stress->disks.catalogue, "base.vhd",
                                                           parent, &children);
        if (err < 0)
            COUNT(stress->failed);
        else if (children < STAYING)
            COUNT(stress->low);
        else if (children > STAYING + MOVING)
            COUNT(stress->high);
    }
    return NULL;
}

static void save(const char *path, struct sample sample)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, sample.bytes, sample.len) != (ssize_t)sample.len)
        abort();
    close(fd);
    free(sample.bytes);
}

static void *move_much(void *arg)
{
    struct stress *stress = arg;
    char paths[MOVING][PATH_MAX + 16], spare[PATH_MAX + 16];

    for (int i = 0; i < MOVING; i++)
        snprintf(paths[i], sizeof paths[i], "%s/moving-%d.vhd", stress->folder, i);
    snprintf(spare, sizeof spare, "%s/spare", stress->folder);
    for (unsigned i = 0; i < MOVES; i++) {
        for (unsigned j = 0; j < MOVING; j++) {
            if (j % 2) {
                save(spare, sample_child(11, 2, "base.vhd"));
                rename(spare, paths[j]);
            } else {
                save(paths[j], sample_child(11, (uint8_t)(2 + i % 2), "base.vhd"));
            }
            if ((i + j) % 3 == 0)
                unlink(paths[j]);
        }
    }
    for (int i = 0; i < MOVING; i++)
        unlink(paths[i]);
    __atomic_sub_fetch(&stress->moving, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void counts_while_disks_come_and_go(void **state)
{
    struct stress stress = {.disks = store_of(*state), .folder = *state, .moving = 1};
    struct sample child = sample_child(12, 2, "base.vhd");
    pthread_t threads[COUNTERS + 1];
    char file[32];

    for (int i = 0; i < STAYING; i++) {
        snprintf(file, sizeof file, "staying-%d.vhd", i);
        scratch_put(*state, file, child.bytes, child.len);
    }
    free(child.bytes);
    assert_int_equal(children_of(stress.disks, 2), STAYING);
    for (int i = 0; i < COUNTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, &stress), 0);
    assert_int_equal(pthread_create(&threads[COUNTERS], NULL, move_much, &stress), 0);
    for (int i = 0; i <= COUNTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(stress.failed, 0);
    assert_int_equal(stress.low, 0);
    assert_int_equal(stress.high, 0);
    assert_int_equal(children_of(stress.disks, 2), STAYING);
    disks_close(stress.disks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(counts_children),
        SCRATCH_TEST(counts_a_child_with_its_header_elsewhere),
        SCRATCH_TEST(counts_children_by_the_footer_at_the_end),
        SCRATCH_TEST(counts_damaged_children),
        SCRATCH_TEST(counts_nothing_but_disks),
        SCRATCH_TEST(counts_snapshots),
        SCRATCH_TEST(a_copy_of_a_parent_has_no_children),
        SCRATCH_TEST(a_hard_link_to_a_parent_has_its_children),
        SCRATCH_TEST(a_parent_named_in_another_case_has_its_children),
        SCRATCH_TEST(none_is_its_own_child),
        SCRATCH_TEST(an_image_that_cannot_be_read_has_no_parent),
        SCRATCH_TEST(reports_a_folder_that_cannot_be_listed),
        SCRATCH_TEST(a_lack_of_descriptors_hides_no_child),
        SCRATCH_TEST(outlives_the_owner_of_the_store),
        SCRATCH_TEST(counts_while_disks_come_and_go),
    };
    return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
