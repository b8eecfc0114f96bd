/* SPDX-License-Identifier: MIT */
/*
 * Sound images, and the findings of a check. A file that includes this has included cmocka.h
 * before.
 */
#pragma once

#include <stdio.h>

#include "disks.h"
#include "image/check.h"

/* The places and words of all findings, "footer lost; copy differs", and remarks by their place. */
struct told {
    char text[2000];
    unsigned remarks, calls, calls_max; /* of goes_on(); 0 for no limit */
};

static inline void tell(void *arg, const struct vhd_finding *finding)
{
    struct told *told = arg;
    const size_t len = strlen(told->text);

    told->remarks += finding->is_remark;
    assert_true(strlen(finding->sentence) > 5);
    if (!finding->is_remark)
        snprintf(told->text + len, sizeof told->text - len, "%s%s %s", len > 0 ? "; " : "",
                 finding->where, finding->kind);
}

static inline bool goes_on(void *arg, unsigned percent)
{
    struct told *told = arg;

    assert_true(percent < 100);
    return told->calls_max == 0 || ++told->calls < told->calls_max;
}

/* Check an image of a store. Returns the result of the check. */
static inline int check(const char *folder, const char *file, struct told *ret_told,
                        uint64_t *ret_count)
{
    const struct vhd_checker checker = {tell, goes_on, ret_told};
    struct disks disks = disks_open(folder);

    int fd = vhd_store_open_unlocked(disks.store, file);
    assert_true(fd >= 0);
    int err = vhd_check_image(disks.store, file, fd, &checker, ret_count);
    close(fd);
    disks_close(disks);
    return err;
}

/* The check of an image has these findings; releases it. */
static inline void expect_findings(const char *folder, struct sample sample, const char *wanted)
{
    struct told told = {0};
    uint64_t count;
    unsigned wanted_count = *wanted ? 1 : 0;

    put(folder, "d.vhd", sample);
    assert_int_equal(check(folder, "d.vhd", &told, &count), 0);
    assert_string_equal(told.text, wanted);
    for (const char *p = wanted; *p; p++)
        wanted_count += *p == ';';
    assert_int_equal(count, wanted_count);
}

/* Give a footer the geometry of the specification for the size of a sample: 32 sectors. */
static inline void set_geometry(uint8_t *footer)
{
    put16(footer + 56, 0);
    sample_seal_footer(footer);
}

/* A sound dynamic disk with its first blocks; each sector of a block has bytes of its own. */
static inline struct sample sound(unsigned allocated)
{
    struct sample sample = sample_dynamic(7, allocated);

    set_geometry(sample.bytes);
    set_geometry(sample_end(&sample));
    for (size_t at = SAMPLE_DATA; at < SAMPLE_DATA + allocated * SAMPLE_STRIDE; at += 512) {
        if ((at - SAMPLE_DATA) % SAMPLE_STRIDE != 0)
            memset(sample.bytes + at, (int)(at / 512), 512);
    }
    return sample;
}

static inline struct sample sound_fixed(void)
{
    struct sample sample = sample_fixed(7);
    set_geometry(sample_end(&sample));
    for (size_t at = 0; at < SAMPLE_SIZE; at += 512)
        memset(sample.bytes + at, (int)(1 + at / 512), 512);
    return sample;
}

/* Seal the header after a change. */
static inline struct sample sealed(struct sample sample)
{
    sample_seal_header(sample.bytes + SAMPLE_HEADER);
    return sample;
}

/* A sound child of a disk with the ID 7. */
static inline struct sample sound_child(void)
{
    struct sample sample = sample_child(8, 7, "parent.vhd");
    set_geometry(sample.bytes);
    set_geometry(sample_end(&sample));
    put32(sample.bytes + SAMPLE_HEADER + 56, 0); /* time of the parent: unknown */
    return sealed(sample);
}
