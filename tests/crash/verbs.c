/* SPDX-License-Identifier: MIT */
#include "verbs.h"

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "disk/disk.h"
#include "image/image.h"
#include "image/parent.h"
#include "operation/create.h"
#include "store/lock.h"

static bool is_snapshot(const struct maker *maker)
{
    return strcmp(maker->way->name, "snapshot") == 0;
}

/* Make the child on the first parent, by the library. */
static void make_child(const struct maker *maker)
{
    const struct vhd_request request = {.parent = "parent1"};
    struct vhd_service *service;
    struct vhd_task *task;
    struct vhd_store *store;

    if (vhd_service_new(1, 1, &service) < 0 ||
        vhd_store_open(maker->folder, 0, &store, NULL) != VHD_OK)
        errx(EXIT_BROKEN, "no child");
    struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
    struct vhd_create *create = catalogue ? vhd_create_new(catalogue, MAKER_FILE, &request) : NULL;
    if (!create || vhd_create_submit(service, create, &task, NULL) != VHD_OK)
        errx(EXIT_BROKEN, "no child");
    vhd_task_wait(task, -1);
    vhd_task_unref(task);
    vhd_service_free(service);
    vhd_catalogue_unref(catalogue);
    vhd_store_unref(store);
}

void verb_prepare(const struct maker *maker)
{
    if (is_snapshot(maker)) {
        parent_put(&maker->parent, maker->folder, MAKER_FILE);
        return;
    }
    parent_put(&maker->parent, maker->folder, PARENT_FILE);
    parent_put(&maker->parent, maker->folder, OTHER_FILE);
    make_child(maker);
}

/*
 * Open the disk by the library, for reading or writing, and close it. An opening judges all of the
 * chain.
 */
static const char *open_once(const struct maker *maker, unsigned flags)
{
    static struct vhd_verdict why;
    struct vhd_store *store;
    struct vhd_disk *disk = NULL;

    if (vhd_store_open(maker->folder, 0, &store, &why) != VHD_OK)
        return why.sentence;
    struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
    enum vhd_result result = vhd_disk_open(catalogue, MAKER_DISK, flags, &disk, &why);
    if (result == VHD_OK && vhd_disk_close(disk, NULL) < 0)
        result = vhd_verdict_set(&why, VHD_UNEXPECTED, "the disk is not closed cleanly");
    vhd_catalogue_unref(catalogue);
    vhd_store_unref(store);
    return result == VHD_OK ? NULL : why.sentence;
}

/* Read the name of the disk's parent; empty for none. */
static const char *read_parent(const struct maker *maker, struct vhd_image *ret_image,
                               char ret[NAME_MAX + 1])
{
    char path[PATH_MAX];
    struct vhd_parent_names names = {0};

    file_path(maker->folder, MAKER_FILE, path);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "the disk is gone";
    if (!vhd_image_judge(fd, ret_image) || ret_image->fault.defect != VHD_SOUND)
        return "the image is not sound";
    *ret = 0;
    if (!vhd_image_is_differencing(ret_image))
        return NULL;
    vhd_parent_read_names(fd, &ret_image->header, &names);
    for (int i = 0; i < 4; i++) {
        if (strcmp(names.names[i], names.names[0]) != 0)
            return "the names of the parent differ";
    }
    memcpy(ret, names.names[0], sizeof names.names[0]);
    return NULL;
}

const char *verb_judge(const struct maker *maker, bool *ret_is_done)
{
    const char *done = is_snapshot(maker) ? PARENT_FILE : OTHER_FILE;
    const char *before = is_snapshot(maker) ? "" : PARENT_FILE;
    char parent[NAME_MAX + 1];
    struct vhd_image image;

    const char *fault = read_parent(maker, &image, parent);
    if (fault)
        return fault;
    *ret_is_done = strcmp(parent, done) == 0;
    if (!*ret_is_done && strcmp(parent, before) != 0)
        return "the disk has another parent";
    fault = parent_judge(&maker->parent, maker->folder, *parent ? parent : MAKER_FILE);
    return fault ? fault : open_once(maker, 0);
}

/* Is this file one of those that the verb leaves? */
static bool is_expected(const struct maker *maker, bool is_done, const char *name)
{
    if (strcmp(name, MAKER_FILE) == 0 || strcmp(name, VHD_LOCK_FILE) == 0)
        return true;
    if (is_snapshot(maker))
        return is_done && strcmp(name, PARENT_FILE) == 0;
    return strcmp(name, PARENT_FILE) == 0 || strcmp(name, OTHER_FILE) == 0;
}

static const char *judge_folder(const struct maker *maker, bool is_done)
{
    static char fault[NAME_MAX + 32];
    const struct dirent *entry;
    struct stat attributes;

    DIR *dir = opendir(maker->folder);
    if (!dir)
        err(EXIT_BROKEN, "%s", maker->folder);
    *fault = 0;
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!is_expected(maker, is_done, entry->d_name))
            snprintf(fault, sizeof fault, "\"%s\" is left behind", entry->d_name);
        if (fstatat(dirfd(dir), entry->d_name, &attributes, AT_SYMLINK_NOFOLLOW) == 0 &&
            attributes.st_nlink > 1)
            snprintf(fault, sizeof fault, "\"%s\" has two names", entry->d_name);
    }
    closedir(dir);
    return *fault ? fault : NULL;
}

const char *verb_judge_rest(const struct maker *maker, bool is_done)
{
    char parent[NAME_MAX + 1];
    struct vhd_image image;
    bool is_done_now;

    const char *fault = judge_folder(maker, is_done);
    if (!fault)
        fault = open_once(maker, VHD_DISK_WRITE);
    if (!fault)
        fault = verb_judge(maker, &is_done_now);
    if (!fault && is_done_now != is_done)
        fault = "an opening for writing has changed the parent";
    if (!fault)
        fault = read_parent(maker, &image, parent);
    if (!fault && image.footer.data_offset != VHD_HEADER_OFFSET)
        fault = "the header is not at home";
    return fault;
}
