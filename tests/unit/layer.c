/* SPDX-License-Identifier: MIT */
/*
 * If this failed: the library would take a damaged image for sound, or use one against another
 * program's claim; or it would read data as holes and holes as data.
 */
#include "image/layer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "format/block.h"

struct open_layer {
    struct disks disks;
    struct vhd_layer *layer;
    int write_fd;
};

static int open_file(const char *folder, const char *file)
{
    int fd = open(scratch_path(folder, file), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static struct open_layer layer_of(const char *folder, const char *file, enum vhd_layer_use use)
{
    struct open_layer open = {.disks = disks_open(folder), .write_fd = -1};
    struct vhd_fault fault;

    assert_int_equal(vhd_layer_open(open.disks.store, file, use, &open.layer,
                                    use == VHD_LAYER_WRITE ? &open.write_fd : NULL, &fault),
                     0);
    return open;
}

static void layer_end(struct open_layer open)
{
    vhd_layer_close(open.layer);
    if (open.write_fd >= 0)
        close(open.write_fd);
    disks_close(open.disks);
}

static int open_fails(struct disks disks, const char *file, enum vhd_layer_use use,
                      struct vhd_fault *ret)
{
    struct vhd_layer *layer = NULL;
    int write_fd = -1;

    int err = vhd_layer_open(disks.store, file, use, &layer, &write_fd, ret);
    assert_null(layer);
    assert_int_equal(write_fd, -1);
    return err;
}

static void a_layer_for_info_has_no_table_and_no_claim(void **state)
{
    put(*state, "a.vhd", sample_dynamic(1, 2));
    struct open_layer writer = layer_of(*state, "a.vhd", VHD_LAYER_WRITE);
    struct open_layer headers = layer_of(*state, "a.vhd", VHD_LAYER_HEADERS);

    assert_null(headers.layer->table);
    assert_int_equal(headers.layer->image.footer.uuid[0], 1);
    layer_end(headers);
    layer_end(writer);
}

static void a_layer_for_reading_has_both(void **state)
{
    struct sample sample = sample_dynamic(1, 2);
    const uint32_t first = get32(sample_entry(&sample, 0));

    put(*state, "a.vhd", sample);
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    assert_int_equal(open.layer->claim, VHD_CLAIM_READ);
    assert_int_equal(open.layer->bitmap_length, 512);
    assert_int_equal(vhd_layer_entry(open.layer, 0), first);
    assert_int_equal(vhd_layer_entry(open.layer, 3), VHD_UNALLOCATED);
    assert_int_equal(vhd_layer_data(open.layer, first), first * 512 + 512);
    assert_null(open.layer->parent);
    struct vhd_fault fault;
    assert_int_equal(open_fails(open.disks, "a.vhd", VHD_LAYER_WRITE, &fault), -EBUSY);
    layer_end(open);
}

static void a_layer_for_writing_has_a_descriptor(void **state)
{
    put(*state, "a.vhd", sample_fixed(1));
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_WRITE);

    assert_null(open.layer->table);
    assert_int_equal(open.layer->claim, VHD_CLAIM_WRITE);
    assert_int_equal(fcntl(open.write_fd, F_GETFL) & O_ACCMODE, O_RDWR);
    assert_int_equal(fcntl(open.write_fd, F_GETFD), FD_CLOEXEC);
    struct vhd_fault fault;
    assert_int_equal(open_fails(open.disks, "a.vhd", VHD_LAYER_READ, &fault), -EBUSY);
    layer_end(open);
}

static void an_image_that_cannot_be_opened_is_reported(void **state)
{
    struct disks disks = disks_open(*state);
    struct sample sample = sample_dynamic(1, 2);
    struct vhd_fault fault;

    put32(sample_entry(&sample, 0), 1 << 20);
    put(*state, "bad.vhd", sample);
    assert_int_equal(mkfifo(scratch_path(*state, "fifo.vhd"), 0666), 0);
    assert_int_equal(symlink("bad.vhd", scratch_path(*state, "link.vhd")), 0);
    for (int use = VHD_LAYER_READ; use <= VHD_LAYER_WRITE; use++) {
        assert_int_equal(open_fails(disks, "bad.vhd", (enum vhd_layer_use)use, &fault), -EUCLEAN);
        assert_int_equal(fault.defect, VHD_BLOCK_OUTSIDE);
        assert_int_equal(open_fails(disks, "none.vhd", (enum vhd_layer_use)use, &fault), -ENOENT);
        assert_int_equal(open_fails(disks, "fifo.vhd", (enum vhd_layer_use)use, &fault), -ENOENT);
        assert_int_equal(open_fails(disks, "link.vhd", (enum vhd_layer_use)use, &fault), -ELOOP);
    }
    disks_close(disks);
}

static void can_be_raised_and_lowered(void **state)
{
    put(*state, "a.vhd", sample_dynamic(1, 2));
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    struct open_layer other = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    struct vhd_fault fault;

    assert_int_equal(vhd_layer_make_writable(open.disks.store, open.layer, &open.write_fd, &fault),
                     -EBUSY);
    assert_int_equal(open.layer->claim, VHD_CLAIM_READ);
    assert_int_equal(open.write_fd, -1);
    layer_end(other);
    assert_int_equal(vhd_layer_make_writable(open.disks.store, open.layer, &open.write_fd, &fault),
                     0);
    assert_true(open.write_fd >= 0);
    assert_int_equal(open.layer->claim, VHD_CLAIM_WRITE);
    vhd_layer_make_read_only(open.layer);
    assert_int_equal(open.layer->claim, VHD_CLAIM_READ);
    layer_end(layer_of(*state, "a.vhd", VHD_LAYER_READ));
    layer_end(open);
}

/* The other program ignores claims. The bytes read before are out of date then. */
static void is_not_raised_once_the_image_was_changed(void **state)
{
    static const uint8_t nowhere[4] = {0xFF, 0xFF, 0xFF, 0xFF};
    struct vhd_fault fault;

    put(*state, "a.vhd", sample_dynamic(1, 2));
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    int fd = open_file(*state, "a.vhd");
    assert_int_equal(pwrite(fd, nowhere, 4, SAMPLE_TABLE), 4);
    assert_int_equal(vhd_layer_make_writable(open.disks.store, open.layer, &open.write_fd, &fault),
                     -ESTALE);
    assert_int_equal(pwrite(fd, "spoilt", 6, SAMPLE_HEADER), 6);
    assert_int_equal(vhd_layer_make_writable(open.disks.store, open.layer, &open.write_fd, &fault),
                     -EUCLEAN);
    assert_int_equal(fault.defect, VHD_HEADER_COOKIE);
    assert_int_equal(open.layer->claim, VHD_CLAIM_READ);
    close(fd);
    layer_end(open);
}

static struct vhd_run run_of(struct vhd_layer *layer, uint64_t off, uint64_t len)
{
    struct vhd_run run = {.len = 0};

    assert_int_equal(vhd_layer_run(layer, off, len, &run), 0);
    assert_in_range(run.len, 1, len);
    return run;
}

static void runs_of_a_fixed_disk_are_all_of_it(void **state)
{
    put(*state, "a.vhd", sample_fixed(1));
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    struct vhd_run run = run_of(open.layer, 777, DISK - 777);

    assert_true(run.is_here);
    assert_int_equal(run.len, DISK - 777);
    assert_int_equal(run.at, 777);
    layer_end(open);
}

static void runs_end_with_their_block(void **state)
{
    struct sample sample = sample_dynamic(1, 2);
    const uint64_t first = get32(sample_entry(&sample, 0));

    put(*state, "a.vhd", sample);
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    struct vhd_run run = run_of(open.layer, 100, DISK - 100);
    assert_true(run.is_here);
    assert_int_equal(run.at, first * 512 + 512 + 100);
    assert_int_equal(run.len, BLOCK - 100);
    run = run_of(open.layer, 2 * BLOCK + 1, DISK - 2 * BLOCK - 1);
    assert_false(run.is_here);
    assert_int_equal(run.len, DISK - 2 * BLOCK - 1); /* several unallocated blocks are one run */
    run = run_of(open.layer, 10, 20);
    assert_int_equal(run.len, 20);
    layer_end(open);
}

static void runs_follow_the_bits(void **state)
{
    struct sample sample = sample_dynamic(1, 1);
    const uint64_t at = (uint64_t)get32(sample_entry(&sample, 0)) * 512;

    sample.bytes[at] = 0xE5; /* 1110 0101 */
    put(*state, "a.vhd", sample);
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    static const struct {
        uint64_t off, len;
        bool is_here;
    } runs[] = {{0, 1536, true},
                {1536, 1024, false},
                {2560, 512, true},
                {3072, 512, false},
                {3584, 512, true}};
    for (size_t i = 0; i < 5; i++) {
        for (uint64_t into = 0; into < runs[i].len; into += 211) {
            struct vhd_run run = run_of(open.layer, runs[i].off + into, BLOCK - runs[i].off - into);
            assert_int_equal(run.is_here, runs[i].is_here);
            assert_int_equal(run.len, runs[i].len - into);
            if (run.is_here)
                assert_int_equal(run.at, at + 512 + runs[i].off + into);
        }
    }
    layer_end(open);
}

/* A bitmap that is known to be all ones is not read again. */
static void a_full_bitmap_is_remembered(void **state)
{
    put(*state, "a.vhd", sample_dynamic(1, 2));
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    const uint32_t entry = vhd_layer_entry(open.layer, 0);

    assert_false(vhd_layer_is_full(open.layer, 0, entry));
    run_of(open.layer, 0, BLOCK);
    assert_true(vhd_layer_is_full(open.layer, 0, entry));
    assert_false(vhd_layer_is_full(open.layer, 0, entry + 9));
    assert_false(vhd_layer_is_full(open.layer, 1, vhd_layer_entry(open.layer, 1)));
    layer_end(open);
}

static void a_block_gets_another_entry(void **state)
{
    put(*state, "a.vhd", sample_dynamic(1, 2));
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    struct vhd_layer *layer = open.layer;
    const uint32_t entry = vhd_layer_entry(layer, 0), other = entry + 100;

    run_of(layer, 0, BLOCK);
    vhd_layer_set_entry(layer, 0, VHD_UNALLOCATED, false);
    assert_int_equal(vhd_layer_entry(layer, 0), VHD_UNALLOCATED);
    assert_false(vhd_layer_is_full(layer, 0, entry));
    assert_false(run_of(layer, 0, BLOCK).is_here);
    vhd_layer_set_full(layer, 0, entry); /* too late: the entry has changed */
    vhd_layer_set_entry(layer, 0, other, false);
    assert_false(vhd_layer_is_full(layer, 0, other));
    vhd_layer_set_full(layer, 0, other);
    assert_true(vhd_layer_is_full(layer, 0, other));
    assert_int_equal(run_of(layer, 0, BLOCK).at, other * UINT64_C(512) + 512);
    vhd_layer_set_entry(layer, 0, entry, true);
    assert_true(vhd_layer_is_full(layer, 0, entry));
    layer_end(open);
}

static bool know_better(const struct vhd_bit_source *bit_source, uint32_t block, uint32_t entry,
                        uint32_t window, uint32_t first, uint32_t end, uint8_t *buf)
{
    (void)bit_source, (void)entry, (void)window, (void)first, (void)end;
    buf[0] = 0xF0;
    return block == 1;
}

static void a_bit_source_is_asked_for_newer_bits(void **state)
{
    static const struct vhd_bit_source bit_source = {.lookup = know_better};

    put(*state, "base.vhd", sample_dynamic(1, 2));
    struct open_layer open = layer_of(*state, "base.vhd", VHD_LAYER_READ);
    open.layer->bit_source = &bit_source;
    assert_int_equal(run_of(open.layer, 0, BLOCK).len, BLOCK); /* no block has newer bits */
    struct vhd_run run = run_of(open.layer, BLOCK, BLOCK);
    assert_true(run.is_here);
    assert_int_equal(run.len, 2048);
    run = run_of(open.layer, BLOCK + 2048, 2048);
    assert_false(run.is_here);
    open.layer->bit_source = NULL;
    layer_end(open);
}

static void an_unreadable_bitmap_is_reported(void **state)
{
    struct vhd_run run;

    put(*state, "a.vhd", sample_dynamic(1, 2));
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    assert_int_equal(truncate(scratch_path(*state, "a.vhd"), 2048), 0);
    assert_int_equal(vhd_layer_run(open.layer, 0, BLOCK, &run), -EIO);
    layer_end(open);
}

/* Bitmaps that are larger than one read. */
static void large_blocks_have_runs_too(void **state)
{
    enum { LARGE = 8 * MB, BITMAP = LARGE / 512 / 8 };
    struct sample sample = sample_dynamic(1, 0);
    const size_t at = 2048;

    sample_header(sample.bytes + SAMPLE_HEADER, SAMPLE_TABLE, 1, LARGE);
    put32(sample_entry(&sample, 0), at / 512);
    sample.len = at + BITMAP + LARGE + 512;
    sample.bytes = realloc(sample.bytes, sample.len);
    assert_non_null(sample.bytes);
    memset(sample.bytes + at, 0xFF, BITMAP + LARGE);
    sample.bytes[at + BITMAP - 1] = 0xFE; /* but the last sector */
    sample_footers(&sample, SAMPLE_DYNAMIC, LARGE, 1);
    put(*state, "a.vhd", sample);
    struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
    uint64_t off = 0;
    while (off < LARGE - 512) {
        struct vhd_run run = run_of(open.layer, off, LARGE - off);
        assert_true(run.is_here);
        assert_int_equal(run.at, at + BITMAP + off);
        off += run.len;
    }
    assert_int_equal(off, LARGE - 512);
    assert_false(run_of(open.layer, off, 512).is_here);
    layer_end(open);
}

/* chmod and a change of content set the ctime; so only reading tells them apart. */
static void only_a_change_of_the_content_is_noticed(void **state)
{
    struct sample sample = sample_dynamic(1, 2);
    const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    const uint8_t other = 0xFF;
    const size_t entry_at = (size_t)((uint8_t *)sample_entry(&sample, 0) - sample.bytes);

    for (int turn = 0; turn < 2; turn++) {
        struct sample copy = sample;
        copy.bytes = memcpy(malloc(sample.len), sample.bytes, sample.len);
        put(*state, "a.vhd", copy);
        int fd = open_file(*state, "a.vhd");
        assert_int_equal(futimens(fd, old), 0);
        struct open_layer open = layer_of(*state, "a.vhd", VHD_LAYER_READ);
        const struct vhd_store *store = open.disks.store;

        assert_int_equal(vhd_layer_confirm(store, open.layer), 0);
        assert_int_equal(fchmod(fd, 0600), 0);
        assert_int_equal(vhd_layer_confirm(store, open.layer), 0);
        /* Another table, under the same mtime. */
        if (turn == 0)
            assert_int_equal(pwrite(fd, &other, 1, (off_t)entry_at), 1);
        assert_int_equal(futimens(fd, turn == 0 ? old : NULL), 0);
        assert_int_equal(vhd_layer_confirm(store, open.layer), -ESTALE);
        layer_end(open);
        close(fd);
    }
    free(sample.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_layer_for_info_has_no_table_and_no_claim),
        SCRATCH_TEST(a_layer_for_reading_has_both),
        SCRATCH_TEST(a_layer_for_writing_has_a_descriptor),
        SCRATCH_TEST(an_image_that_cannot_be_opened_is_reported),
        SCRATCH_TEST(can_be_raised_and_lowered),
        SCRATCH_TEST(is_not_raised_once_the_image_was_changed),
        SCRATCH_TEST(runs_of_a_fixed_disk_are_all_of_it),
        SCRATCH_TEST(runs_end_with_their_block),
        SCRATCH_TEST(runs_follow_the_bits),
        SCRATCH_TEST(a_full_bitmap_is_remembered),
        SCRATCH_TEST(a_block_gets_another_entry),
        SCRATCH_TEST(a_bit_source_is_asked_for_newer_bits),
        SCRATCH_TEST(an_unreadable_bitmap_is_reported),
        SCRATCH_TEST(large_blocks_have_runs_too),
        SCRATCH_TEST(only_a_change_of_the_content_is_noticed),
    };
    return cmocka_run_group_tests_name("layer", tests, NULL, NULL);
}
