/* SPDX-License-Identifier: MIT */
/*
 * If this fails, a change that another program made to an image goes unseen, and programs go on
 * with old data. Or an unchanged image counts as changed, and is read again for nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "scratch.h"
#include "store/fingerprint.h"

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

static int64_t passed_ms; /* beside the time that really passes */

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int err = __real_clock_gettime(clock, ret);
    *ret = clock_after(*ret, passed_ms);
    return err;
}

static const struct timespec seen = {.tv_sec = 2000000, .tv_nsec = 500000000};

/* A file that was last changed long ago. */
static struct stat old_file(void)
{
    return (struct stat){
        .st_dev = 1,
        .st_ino = 2,
        .st_size = 3,
        .st_mtim = {.tv_sec = 1000000, .tv_nsec = 1},
        .st_ctim = {.tv_sec = 1000000, .tv_nsec = 2},
    };
}

/*
 * A time so many nanoseconds before the stat; without a fraction of a second, if the host has none.
 */
static struct timespec ago(int64_t nanoseconds)
{
    const int64_t time = seen.tv_sec * INT64_C(1000000000) + seen.tv_nsec - nanoseconds;
    return (struct timespec){.tv_sec = time / 1000000000, .tv_nsec = time % 1000000000};
}

static bool is_reliable(struct timespec mtime, struct timespec ctime)
{
    struct stat attributes = old_file();

    attributes.st_mtim = mtime;
    attributes.st_ctim = ctime;
    return vhd_fingerprint_seen(&attributes, seen).is_reliable;
}

static void a_time_older_than_a_tick_is_reliable(void **state)
{
    const struct {
        int64_t ago;
        bool is_reliable;
    } cases[] = {
        {1, false},                        /* just now */
        {19999999, false},                 /* the slowest kernel's tick has not ended */
        {20000001, true},                  /* it has */
        {500000000, false},                /* a time without nanoseconds: half a second ago */
        {1500000000, false},               /* one and a half */
        {2500000000, true},                /* two and a half: vfat's tick has ended too */
        {-1, false},                       /* a server's clock is a little ahead */
        {-9999999, false},                 /* still a little */
        {-INT64_C(100000000001), true},    /* another program has set it to the future */
        {INT64_C(1000000000001), true},    /* long ago */
        {INT64_C(1999999500000000), true}, /* decades ago */
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (is_reliable(ago(cases[i].ago), old_file().st_ctim) != cases[i].is_reliable)
            print_error("mtime: %lld ns ago\n", (long long)cases[i].ago);
        assert_int_equal(is_reliable(ago(cases[i].ago), old_file().st_ctim), cases[i].is_reliable);
        assert_int_equal(is_reliable(old_file().st_mtim, ago(cases[i].ago)), cases[i].is_reliable);
    }
}

/* A real file: at first it is not reliable, two seconds later it is. */
static void a_fresh_file_becomes_reliable(void **state)
{
    struct stat attributes;

    scratch_put(*state, "a", "x", 1);
    assert_int_equal(stat(scratch_path(*state, "a"), &attributes), 0);
    assert_false(vhd_fingerprint_seen(&attributes, attributes.st_mtim).is_reliable);
    struct timespec later = clock_after(attributes.st_mtim, 2001);
    assert_true(vhd_fingerprint_seen(&attributes, later).is_reliable);
    passed_ms = 2020;
    assert_true(vhd_fingerprint_of(&attributes).is_reliable);
    passed_ms = 0;
}

static void each_part_counts(void **state)
{
    const struct stat same = old_file();
    struct stat others[7];
    (void)state;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        others[i] = same;
    others[0].st_dev++;
    others[1].st_ino++;
    others[2].st_size++;
    others[3].st_mtim.tv_sec++;
    others[4].st_mtim.tv_nsec++;
    others[5].st_ctim.tv_sec++;
    others[6].st_ctim.tv_nsec++;
    const struct vhd_fingerprint one = vhd_fingerprint_of(&same), two = vhd_fingerprint_of(&same);
    assert_true(vhd_fingerprint_is_same(&one, &two));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const struct vhd_fingerprint other = vhd_fingerprint_of(&others[i]);
        assert_false(vhd_fingerprint_is_same(&one, &other));
        assert_int_equal(vhd_fingerprint_is_file(&one, &others[i]), i >= 2);
    }
}

static void reliability_does_not_count(void **state)
{
    const struct stat same = old_file();
    (void)state;

    const struct vhd_fingerprint one = vhd_fingerprint_seen(&same, same.st_mtim);
    const struct vhd_fingerprint two = vhd_fingerprint_of(&same);
    assert_false(one.is_reliable);
    assert_true(two.is_reliable);
    assert_true(vhd_fingerprint_is_same(&one, &two));
}

/* The fingerprint of a chain of three, one of which is changed, and one may be unreliable. */
static struct vhd_fingerprint chain(int changed, int unreliable)
{
    struct vhd_fingerprint layers[3];

    for (int i = 0; i < 3; i++) {
        struct stat attributes = old_file();
        attributes.st_ino += (ino_t)i;
        attributes.st_ctim.tv_nsec += changed == i;
        layers[i] = vhd_fingerprint_of(&attributes);
        layers[i].is_reliable = unreliable != i;
    }
    vhd_fingerprint_add_parent(&layers[1], &layers[0]);
    vhd_fingerprint_add_parent(&layers[2], &layers[1]);
    return layers[2];
}

static void a_change_of_any_parent_shows(void **state)
{
    const struct vhd_fingerprint one = chain(-1, -1), two = chain(-1, -1);
    (void)state;

    assert_true(vhd_fingerprint_is_same(&one, &two));
    assert_true(one.is_reliable);
    assert_int_not_equal(one.parents, 0);
    for (int i = 0; i < 3; i++) {
        const struct vhd_fingerprint other = chain(i, -1), unsure = chain(-1, i);
        assert_false(vhd_fingerprint_is_same(&one, &other));
        assert_true(vhd_fingerprint_is_same(&one, &unsure));
        assert_false(unsure.is_reliable);
    }
}

/* A stat just after a close that left a certain stamp is as good as that stamp. */
static void a_reliable_fingerprint_stays_reliable(void **state)
{
    const struct stat attributes = old_file();
    const struct vhd_fingerprint earlier = vhd_fingerprint_of(&attributes);
    struct vhd_fingerprint same = earlier, other = earlier, unsure = earlier;
    (void)state;

    same.is_reliable = other.is_reliable = false;
    other.mtime.tv_nsec++;
    vhd_fingerprint_inherit(&same, &earlier);
    vhd_fingerprint_inherit(&other, &earlier);
    assert_true(same.is_reliable);
    assert_false(other.is_reliable);
    unsure.is_reliable = false;
    same.is_reliable = false;
    vhd_fingerprint_inherit(&same, &unsure);
    assert_false(same.is_reliable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_older_than_a_tick_is_reliable),
        SCRATCH_TEST(a_fresh_file_becomes_reliable),
        cmocka_unit_test(each_part_counts),
        cmocka_unit_test(reliability_does_not_count),
        cmocka_unit_test(a_change_of_any_parent_shows),
        cmocka_unit_test(a_reliable_fingerprint_stays_reliable),
    };
    return cmocka_run_group_tests_name("fingerprint", tests, NULL, NULL);
}
