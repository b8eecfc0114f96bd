/* SPDX-License-Identifier: MIT */
/*
 * If this failed, remains of crashes would fill the store for ever, or the sweep would remove a
 * file that is being written.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gate.h"
#include "scratch.h"
#include "store/draft.h"
#include "store/lock.h"
#include "store/sweep.h"

static struct vhd_store *open_store(const char *path)
{
    struct vhd_store *store;
    assert_int_equal(vhd_store_open(path, 0, &store, NULL), VHD_OK);
    return store;
}

static void sweep(const struct vhd_store *store)
{
    struct vhd_verdict verdict;
    assert_int_equal(vhd_store_sweep(vhd_store_fd(store), vhd_store_path(store), &verdict), VHD_OK);
}

static void removes_abandoned_drafts_and_nothing_else(void **state)
{
    const char *const kept[] = {
        "a.vhd",        VHD_LOCK_FILE, ".vhdfs-draft", ".vhdfs-other", "x" VHD_DRAFT_PREFIX "1",
        "vhdfs-draft-1"};
    const char *const swept[] = {VHD_DRAFT_PREFIX "0123456789abcdef", VHD_DRAFT_PREFIX,
                                 VHD_DRAFT_PREFIX "2.vhd"};
    struct vhd_store *store = open_store(*state);

    sweep(store); /* an empty folder is fine */
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        scratch_put(*state, kept[i], "kept", 4);
    for (size_t i = 0; i < sizeof swept / sizeof *swept; i++)
        scratch_put(*state, swept[i], "half", 4);
    sweep(store);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        assert_true(scratch_has(*state, kept[i]));
    assert_int_equal(scratch_count(*state, ""), sizeof kept / sizeof *kept);
    vhd_store_unref(store);
}

static void leaves_a_draft_at_work(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_draft draft = VHD_DRAFT_NONE;

    assert_int_equal(vhd_draft_begin(store, true, &draft), 0);
    scratch_put(*state, VHD_DRAFT_PREFIX "1", "half", 4);
    sweep(store);
    assert_true(scratch_has(*state, draft.name));
    assert_int_equal(scratch_count(*state, ""), 1);
    assert_int_equal(vhd_draft_publish(store, &draft, "a.vhd"), 0);
    vhd_draft_end(store, &draft);
    sweep(store);
    assert_true(scratch_has(*state, "a.vhd"));
    vhd_store_unref(store);
}

/* A process that is killed amid a draft. */
struct maker {
    const char *path;
    int told[2];
};

static void draft_until_killed(void *arg)
{
    struct maker *maker = arg;
    struct vhd_store *store;
    struct vhd_draft draft;

    CHILD_EXPECT(vhd_store_open(maker->path, 0, &store, NULL) == VHD_OK);
    CHILD_EXPECT(vhd_draft_begin(store, true, &draft) == 0);
    CHILD_EXPECT(write(maker->told[1], "x", 1) == 1);
    for (;;)
        pause();
}

static void removes_the_draft_of_a_killed_process(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct maker maker = {.path = *state};
    char byte;

    assert_int_equal(pipe2(maker.told, O_CLOEXEC), 0);
    pid_t pid = child_begin(draft_until_killed, &maker);
    assert_int_equal(read(maker.told[0], &byte, 1), 1);
    sweep(store);
    assert_int_equal(scratch_count(*state, VHD_DRAFT_PREFIX), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(child_end(pid), -SIGKILL);
    sweep(store);
    assert_int_equal(scratch_count(*state, ""), 0);
    close(maker.told[0]);
    close(maker.told[1]);
    vhd_store_unref(store);
}

/* A file of others under such a name must neither hang the sweep nor block the store. */
static void survives_names_that_are_no_files(void **state)
{
    struct vhd_store *store = open_store(*state);

    scratch_put(*state, "a.vhd", "kept", 4);
    scratch_put(*state, VHD_DRAFT_PREFIX "1", "half", 4);
    assert_int_equal(mkfifo(scratch_path(*state, VHD_DRAFT_PREFIX "fifo"), 0666), 0);
    assert_int_equal(symlink("a.vhd", scratch_path(*state, VHD_DRAFT_PREFIX "link")), 0);
    assert_int_equal(mkdir(scratch_path(*state, VHD_DRAFT_PREFIX "folder"), 0777), 0);
    sweep(store);
    assert_true(scratch_has(*state, "a.vhd"));
    assert_false(scratch_has(*state, VHD_DRAFT_PREFIX "1"));
    vhd_store_unref(store);
}

/* Two threads sweep, again and again, while four make drafts with names: none may be lost. */
enum { MAKERS = 4, SWEEPERS = 2, DRAFTS = 25 };

struct crowd {
    struct vhd_store *store;
    unsigned done;   /* makers that have ended; atomic */
    unsigned faults; /* atomic */
    unsigned number; /* of the next maker; atomic */
};

static void *make_drafts(void *arg)
{
    struct crowd *crowd = arg;
    unsigned number = __atomic_fetch_add(&crowd->number, 1, __ATOMIC_SEQ_CST);

    for (unsigned i = 0; i < DRAFTS; i++) {
        struct vhd_draft draft = VHD_DRAFT_NONE;
        char file[32];

        snprintf(file, sizeof file, "%u-%u.vhd", number, i);
        if (vhd_draft_begin(crowd->store, true, &draft) < 0 || pwrite(draft.fd, "whole", 5, 0) != 5)
            COUNT(crowd->faults);
        else if (i % 5 == 0 && vhd_draft_publish(crowd->store, &draft, file) < 0)
            COUNT(crowd->faults);
        else if (i % 5 && faccessat(vhd_store_fd(crowd->store), draft.name, F_OK, 0) < 0)
            COUNT(crowd->faults);
        vhd_draft_end(crowd->store, &draft);
    }
    COUNT(crowd->done);
    return NULL;
}

static void *sweep_on(void *arg)
{
    struct crowd *crowd = arg;

    while (READ(crowd->done) < MAKERS) {
        if (vhd_store_sweep(vhd_store_fd(crowd->store), "store", NULL) != VHD_OK)
            COUNT(crowd->faults);
    }
    return NULL;
}

static void makers_and_sweepers_do_not_collide(void **state)
{
    struct crowd crowd = {.store = open_store(*state)};
    pthread_t threads[MAKERS + SWEEPERS];

    for (int i = 0; i < MAKERS + SWEEPERS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < MAKERS ? make_drafts : sweep_on, &crowd), 0);
    for (int i = 0; i < MAKERS + SWEEPERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.faults, 0);
    assert_int_equal(scratch_count(*state, ""), MAKERS * DRAFTS / 5);
    vhd_store_unref(crowd.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(removes_abandoned_drafts_and_nothing_else),
        SCRATCH_TEST(leaves_a_draft_at_work),
        SCRATCH_TEST(removes_the_draft_of_a_killed_process),
        SCRATCH_TEST(survives_names_that_are_no_files),
        SCRATCH_TEST(makers_and_sweepers_do_not_collide),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
