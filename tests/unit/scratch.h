/* SPDX-License-Identifier: MIT */
/*
 * A folder for each test, with helpers: put files there, count them, try things in another process.
 * cmocka's setup and teardown give each test a fresh one as *state.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A test with a folder of its own. */
#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

static inline int scratch_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/vhdfs-unit-XXXXXX", base && *base ? base : "/tmp");
    /* Others may enter, for tests that go on as another user. */
    if (!mkdtemp(path) || chmod(path, 0755) < 0)
        return -1;
    *state = realpath(path, NULL);
    return *state ? 0 : -1;
}

static inline int scratch_remove_one(const char *path, const struct stat *attributes, int type,
                                     struct FTW *ftw)
{
    (void)attributes, (void)type, (void)ftw;
    return remove(path);
}

/* A path that was made for a test; it lasts to the test's end. */
struct scratch_note {
    struct scratch_note *next;
    char *path; /* to be freed */
};

static struct scratch_note *scratch_notes;

/* The path of a file there. */
static inline char *scratch_path(const char *folder, const char *file)
{
    struct scratch_note *note = malloc(sizeof *note);
    assert_non_null(note);
    assert_true(asprintf(&note->path, "%s/%s", folder, file) >= 0);
    note->next = scratch_notes;
    scratch_notes = note;
    return note->path;
}

static inline int scratch_teardown(void **state)
{
    int err = nftw(*state, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    while (scratch_notes) {
        struct scratch_note *note = scratch_notes;
        scratch_notes = note->next;
        free(note->path);
        free(note);
    }
    return err;
}

/* Make or replace a file. */
static inline void scratch_put(const char *folder, const char *file, const void *bytes, size_t len)
{
    int fd = open(scratch_path(folder, file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_true(write(fd, bytes, len) == (ssize_t)len);
    assert_int_equal(close(fd), 0);
}

static inline bool scratch_has(const char *folder, const char *file)
{
    struct stat attributes;
    return lstat(scratch_path(folder, file), &attributes) == 0;
}

/* The entries of a folder whose names begin so. */
static inline unsigned scratch_count(const char *folder, const char *prefix)
{
    unsigned count = 0;
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            count++;
    }
    closedir(dir);
    return count;
}

/*
 * Other processes. They report by their exit status, because cmocka's own asserts would go on with
 * the next test there.
 */
#define CHILD_EXPECT(claim)                                                                        \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fprintf(stderr, "%s:%d: in a child: not so: %s\n", __FILE__, __LINE__, #claim);        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* Exit status of a child that lacks something that its test needs. */
#define CHILD_SKIPS 77

/* Not inlined, so that a search for leaks in the child still sees the caller's memory. */
static __attribute__((noinline, unused)) pid_t child_begin(void (*body)(void *arg), void *arg)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        body(arg);
        _exit(0);
    }
    return pid;
}

static inline int child_end(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Have a child do it; skip, aloud, if it says that it cannot. */
static inline void in_child(void (*body)(void *arg), void *arg)
{
    int status = child_end(child_begin(body, arg));
    if (status == CHILD_SKIPS)
        skip();
    assert_int_equal(status, 0);
}

enum { NOBODY = 65534 };

/* In a child: become nobody, because permissions bind that user. */
static inline void child_drop_root(void)
{
    if (geteuid() == 0)
        CHILD_EXPECT(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

/* A subfolder that belongs to the user of child_drop_root(). */
static inline char *scratch_folder_of_nobody(const char *folder)
{
    char *path = scratch_path(folder, "store");
    assert_int_equal(mkdir(path, 0700), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    return path;
}

/* In a child: mount an empty file system over a folder, seen by this child alone; needs root. */
static inline void child_mount(const char *folder, const char *options)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0) {
        printf("skipped: needs root, to mount a file system of a certain size or state\n");
        fflush(stdout);
        _exit(CHILD_SKIPS);
    }
    if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 && errno == EINVAL) {
        printf("skipped: needs a root that is a mount point, to have mounts of its own\n");
        fflush(stdout);
        _exit(CHILD_SKIPS);
    }
    CHILD_EXPECT(mount("none", folder, "tmpfs", 0, options) == 0);
}

static inline void child_remount_read_only(const char *folder)
{
    CHILD_EXPECT(mount("none", folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) == 0);
}
