/* SPDX-License-Identifier: MIT */
/*
 * If this failed, users could see a half-written disk, one disk could silently replace another, or
 * remains of creations that failed would fill the store.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scratch.h"
#include "store/draft.h"
#include "store/sweep.h"

static struct vhd_store *open_store(const char *path)
{
    struct vhd_store *store;
    assert_int_equal(vhd_store_open(path, 0, &store, NULL), VHD_OK);
    return store;
}

static struct vhd_draft begin(const struct vhd_store *store, bool is_named, const char *content)
{
    struct vhd_draft draft = VHD_DRAFT_NONE;
    assert_int_equal(vhd_draft_begin(store, is_named, &draft), 0);
    assert_true(draft.fd >= 0);
    assert_int_equal(pwrite(draft.fd, content, strlen(content), 0), strlen(content));
    return draft;
}

static void expect_content(const char *folder, const char *file, const char *content)
{
    char buf[64] = "";
    int fd = open(scratch_path(folder, file), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, buf, sizeof buf), strlen(content));
    assert_memory_equal(buf, content, strlen(content));
    close(fd);
}

static void nobody_sees_it_before_it_is_published(void **state)
{
    struct vhd_store *store = open_store(*state);

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_draft draft = begin(store, is_named, "whole");
        if (is_named) {
            assert_int_equal(strncmp(draft.name, VHD_DRAFT_PREFIX, strlen(VHD_DRAFT_PREFIX)), 0);
            assert_true(scratch_has(*state, draft.name));
        }
        assert_int_equal(scratch_count(*state, ""), *draft.name ? 1 : 0);
        assert_false(scratch_has(*state, "a.vhd"));
        assert_int_equal(vhd_draft_publish(store, &draft, "a.vhd"), 0);
        expect_content(*state, "a.vhd", "whole");
        assert_int_equal(scratch_count(*state, ""), 1);
        vhd_draft_end(store, &draft);
        assert_int_equal(draft.fd, -1);
        expect_content(*state, "a.vhd", "whole");
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    }
    vhd_store_unref(store);
}

static void an_unpublished_draft_is_gone(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct vhd_draft none = VHD_DRAFT_NONE;

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_draft draft = begin(store, is_named, "half");
        vhd_draft_end(store, &draft);
        assert_int_equal(draft.fd, -1);
        vhd_draft_end(store, &draft); /* now it is none */
        assert_int_equal(scratch_count(*state, ""), 0);
    }
    vhd_draft_end(store, &none);
    vhd_store_unref(store);
}

static void never_takes_the_place_of_another(void **state)
{
    struct vhd_store *store = open_store(*state);

    scratch_put(*state, "file.vhd", "old", 3);
    assert_int_equal(mkdir(scratch_path(*state, "folder.vhd"), 0777), 0);
    assert_int_equal(symlink("nowhere", scratch_path(*state, "link.vhd")), 0);
    const char *const taken[] = {"file.vhd", "folder.vhd", "link.vhd"};
    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_draft draft = begin(store, is_named, "new");
        for (int i = 0; i < 3; i++)
            assert_int_equal(vhd_draft_publish(store, &draft, taken[i]), -EEXIST);
        vhd_draft_end(store, &draft);
        expect_content(*state, "file.vhd", "old");
        assert_int_equal(scratch_count(*state, ""), 3);
    }
    vhd_store_unref(store);
}

static void has_the_permissions_of_a_new_file(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct stat attributes;
    mode_t before = umask(027);

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_draft draft = begin(store, is_named, "whole");
        assert_int_equal(vhd_draft_publish(store, &draft, "a.vhd"), 0);
        vhd_draft_end(store, &draft);
        assert_int_equal(stat(scratch_path(*state, "a.vhd"), &attributes), 0);
        assert_int_equal(attributes.st_mode & 07777, 0640);
        assert_int_equal(attributes.st_nlink, 1);
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
    }
    umask(before);
    vhd_store_unref(store);
}

static void withdraws_a_published_file(void **state)
{
    struct vhd_store *store = open_store(*state);

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_draft draft = begin(store, is_named, "whole");
        assert_int_equal(vhd_draft_publish(store, &draft, "a.vhd"), 0);
        assert_int_equal(vhd_draft_withdraw(store, &draft, "a.vhd"), 0);
        assert_int_equal(scratch_count(*state, ""), 0);
        assert_int_equal(vhd_draft_withdraw(store, &draft, "a.vhd"), 0);
        vhd_draft_end(store, &draft);
    }
    vhd_store_unref(store);
}

static void withdraws_only_its_own_file(void **state)
{
    struct vhd_store *store = open_store(*state);

    for (int is_named = 0; is_named < 2; is_named++) {
        struct vhd_draft draft = begin(store, is_named, "ours");
        assert_int_equal(vhd_draft_publish(store, &draft, "a.vhd"), 0);
        /* Another program renames it and makes another of the old name. */
        assert_int_equal(rename(scratch_path(*state, "a.vhd"), scratch_path(*state, "b.vhd")), 0);
        scratch_put(*state, "a.vhd", "theirs", 6);
        assert_int_equal(vhd_draft_withdraw(store, &draft, "a.vhd"), 0);
        vhd_draft_end(store, &draft);
        expect_content(*state, "a.vhd", "theirs");
        expect_content(*state, "b.vhd", "ours");
        assert_int_equal(unlink(scratch_path(*state, "a.vhd")), 0);
        assert_int_equal(unlink(scratch_path(*state, "b.vhd")), 0);
    }
    vhd_store_unref(store);
}

static void needs_a_folder(void **state)
{
    const char *folder = scratch_path(*state, "store");
    struct vhd_store *store = open_store(folder);
    struct vhd_draft draft = VHD_DRAFT_NONE;

    assert_int_equal(rmdir(folder), 0);
    for (int is_named = 0; is_named < 2; is_named++) {
        assert_int_equal(vhd_draft_begin(store, is_named, &draft), -ENOENT);
        assert_int_equal(draft.fd, -1);
    }
    vhd_store_unref(store);
}

static void begin_without_permission(void *store)
{
    struct vhd_draft draft = VHD_DRAFT_NONE;

    child_drop_root();
    for (int is_named = 0; is_named < 2; is_named++) {
        CHILD_EXPECT(vhd_draft_begin(store, is_named, &draft) == -EACCES);
        CHILD_EXPECT(draft.fd == -1);
    }
}

static void needs_permission(void **state)
{
    const char *folder = scratch_path(*state, "store");
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    struct vhd_store *store = open_store(folder);
    in_child(begin_without_permission, store);
    vhd_store_unref(store);
    assert_int_equal(chmod(folder, 0755), 0);
}

/* Eight make the same names at the same moment. */
enum { MAKERS = 8, NAMES = 12 };

struct maker {
    struct vhd_store *store;
    pthread_barrier_t *barrier;
    int number;
    int answers[NAMES];
    int begun[NAMES];
};

static void make_name(struct maker *maker, int i)
{
    struct vhd_draft draft = VHD_DRAFT_NONE;
    char file[16], content[16];

    snprintf(file, sizeof file, "%d.vhd", i);
    int len = snprintf(content, sizeof content, "maker %d", maker->number);
    maker->begun[i] = vhd_draft_begin(maker->store, (maker->number + i) % 2, &draft);
    if (maker->begun[i] < 0)
        return;
    if (pwrite(draft.fd, content, (size_t)len, 0) != len)
        maker->begun[i] = -EIO;
    if (maker->barrier)
        pthread_barrier_wait(maker->barrier);
    maker->answers[i] = vhd_draft_publish(maker->store, &draft, file);
    vhd_draft_end(maker->store, &draft);
}

static void *make_all(void *arg)
{
    for (int i = 0; i < NAMES; i++)
        make_name(arg, i);
    return NULL;
}

static void of_threads_that_make_one_name_one_succeeds(void **state)
{
    struct vhd_store *store = open_store(*state);
    struct maker makers[MAKERS] = {0};
    pthread_t threads[MAKERS];
    pthread_barrier_t barrier;
    char file[16], content[16];

    pthread_barrier_init(&barrier, NULL, MAKERS);
    for (int i = 0; i < MAKERS; i++) {
        makers[i].store = store;
        makers[i].barrier = &barrier;
        makers[i].number = i;
        assert_int_equal(pthread_create(&threads[i], NULL, make_all, &makers[i]), 0);
    }
    for (int i = 0; i < MAKERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    for (int name = 0; name < NAMES; name++) {
        int winners = 0;
        for (int i = 0; i < MAKERS; i++) {
            assert_int_equal(makers[i].begun[name], 0);
            if (makers[i].answers[name] != 0) {
                assert_int_equal(makers[i].answers[name], -EEXIST);
                continue;
            }
            winners++;
            snprintf(file, sizeof file, "%d.vhd", name);
            snprintf(content, sizeof content, "maker %d", i);
            expect_content(*state, file, content);
        }
        assert_int_equal(winners, 1);
    }
    assert_int_equal(scratch_count(*state, ""), NAMES);
    vhd_store_unref(store);
}

/* A child that waits for the start and exits with the number of names that it got. */
struct racer {
    const char *path;
    int number;
    int start[2]; /* pipe: closed by the parent to start */
};

static void race(void *arg)
{
    struct racer *racer = arg;
    struct maker maker = {.number = racer->number};
    char byte;
    int won = 0;

    CHILD_EXPECT(vhd_store_open(racer->path, 0, &maker.store, NULL) == VHD_OK);
    close(racer->start[1]);
    CHILD_EXPECT(read(racer->start[0], &byte, 1) == 0);
    for (int i = 0; i < NAMES; i++) {
        make_name(&maker, i);
        CHILD_EXPECT(maker.begun[i] == 0);
        CHILD_EXPECT(maker.answers[i] == 0 || maker.answers[i] == -EEXIST);
        won += maker.answers[i] == 0;
    }
    vhd_store_unref(maker.store);
    _exit(100 + won);
}

static void of_processes_that_make_one_name_one_succeeds(void **state)
{
    struct racer racer = {.path = *state};
    pid_t pids[MAKERS];
    int won = 0;

    assert_int_equal(pipe2(racer.start, O_CLOEXEC), 0);
    for (racer.number = 0; racer.number < MAKERS; racer.number++)
        pids[racer.number] = child_begin(race, &racer);
    close(racer.start[1]);
    for (int i = 0; i < MAKERS; i++) {
        int status = child_end(pids[i]);
        assert_true(status >= 100);
        won += status - 100;
    }
    close(racer.start[0]);
    assert_int_equal(won, NAMES);
    assert_int_equal(scratch_count(*state, ""), NAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(nobody_sees_it_before_it_is_published),
        SCRATCH_TEST(an_unpublished_draft_is_gone),
        SCRATCH_TEST(never_takes_the_place_of_another),
        SCRATCH_TEST(has_the_permissions_of_a_new_file),
        SCRATCH_TEST(withdraws_a_published_file),
        SCRATCH_TEST(withdraws_only_its_own_file),
        SCRATCH_TEST(needs_a_folder),
        SCRATCH_TEST(needs_permission),
        SCRATCH_TEST(of_threads_that_make_one_name_one_succeeds),
        SCRATCH_TEST(of_processes_that_make_one_name_one_succeeds),
    };
    return cmocka_run_group_tests_name("draft", tests, NULL, NULL);
}
