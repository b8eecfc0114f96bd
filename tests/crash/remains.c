/* SPDX-License-Identifier: MIT */
#include "remains.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/image.h"
#include "request/size.h"
#include "store/lock.h"
#include "store/store.h"
#include "verbs.h"

/* Clear the fields in which any two disks differ: time stamp, UUID, and the checksum over them. */
static void blank(struct vhd_footer_disk *footer)
{
    memset(&footer->timestamp, 0, sizeof footer->timestamp);
    memset(&footer->checksum, 0, sizeof footer->checksum);
    memset(footer->uuid, 0, sizeof footer->uuid);
}

/* A number of the image, high byte first. */
static uint64_t number_at(const uint8_t *bytes, size_t len)
{
    uint64_t number = 0;

    for (size_t i = 0; i < len; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* Judge the image by the library's reader. */
static const char *judge_soundness(const char *folder)
{
    char path[PATH_MAX];
    struct vhd_image judged;

    file_path(folder, MAKER_FILE, path);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "the image cannot be opened";
    return vhd_image_judge(fd, &judged) && judged.fault.defect == VHD_SOUND
               ? NULL
               : "the image is not sound";
}

/* Is the content of a fixed disk all zeros, and as long as the disk? */
static bool is_blank(const struct image *image, uint64_t size)
{
    return image->len == size + VHD_FOOTER_SIZE && image->bytes[0] == 0 &&
           memcmp(image->bytes, image->bytes + 1, size - 1) == 0;
}

/*
 * Judge the type, the size and the parent by places of the specification, because the library wrote
 * them by its own types.
 */
static const char *judge_fields(const struct maker *maker, const struct image *image)
{
    enum { SIZE = 48, TYPE = 60, FIXED = 2, DYNAMIC = 3, DIFFERENCING = 4 };
    const struct way *way = maker->way;
    const uint64_t type = way->is_fixed ? FIXED : way->is_child ? DIFFERENCING : DYNAMIC;
    const uint64_t size = maker->size_mb * VHD_MB;

    if (image->len < 2 * (size_t)VHD_FOOTER_SIZE)
        return "the image is too short";
    const uint8_t *tail = image->bytes + image->len - VHD_FOOTER_SIZE;
    if (memcmp(tail, "conectix", 8) != 0 || number_at(tail + TYPE, 4) != type)
        return "the image has another type";
    if (number_at(tail + SIZE, 8) != size)
        return "the image has another size";
    if (way->is_fixed)
        return is_blank(image, size) ? NULL : "the image is not blank";
    if (memcmp(image->bytes, tail, VHD_FOOTER_SIZE) != 0)
        return "the two footers differ";
    return !way->is_child || parent_is_of(&maker->parent, image) ? NULL
                                                                 : "the image has another parent";
}

const char *image_read(const struct maker *maker, struct image *ret)
{
    if (maker->way->verb) {
        bool is_done;
        *ret = (struct image){NULL, 0};
        return verb_judge(maker, &is_done);
    }
    const char *fault = judge_soundness(maker->folder);
    if (!fault)
        fault = file_load(maker->folder, MAKER_FILE, ret);
    if (fault)
        return fault;
    fault = judge_fields(maker, ret);
    if (fault) {
        free(TAKE(ret->bytes));
        return fault;
    }
    blank((struct vhd_footer_disk *)(ret->bytes + ret->len - VHD_FOOTER_SIZE));
    if (!maker->way->is_fixed)
        blank((struct vhd_footer_disk *)ret->bytes);
    return NULL;
}

static bool exists(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat attributes;

    file_path(folder, name, path);
    if (lstat(path, &attributes) == 0)
        return true;
    if (errno != ENOENT && errno != ENOTDIR)
        err(EXIT_BROKEN, "%s", path);
    return false;
}

static const char *judge_image(const struct maker *maker, const struct image *whole)
{
    struct image image;

    const char *fault = image_read(maker, &image);
    if (fault)
        return fault;
    if (image.len != whole->len || memcmp(image.bytes, whole->bytes, whole->len) != 0)
        fault = "the image differs from one made without a cut";
    free(image.bytes);
    return fault;
}

/* Open the store as its next owner, which sweeps it. */
static const char *sweep(const char *folder)
{
    struct vhd_store *store;
    static struct vhd_verdict why;

    if (vhd_store_open(folder, VHD_STORE_OWN, &store, &why) != VHD_OK)
        return why.sentence;
    vhd_store_unref(store);
    return NULL;
}

/* Only the disk, its parent and the lock file, which stays by design, may be in the folder. */
static const char *judge_rest(const struct maker *maker)
{
    const char *folder = maker->folder;
    static char fault[NAME_MAX + 32];
    const struct dirent *entry;

    DIR *dir = opendir(folder);
    if (!dir)
        err(EXIT_BROKEN, "%s", folder);
    *fault = 0;
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, MAKER_FILE) != 0 &&
            strcmp(name, VHD_LOCK_FILE) != 0 &&
            (!maker->way->is_child || strcmp(name, PARENT_FILE) != 0))
            snprintf(fault, sizeof fault, "\"%s\" is left behind", name);
    }
    closedir(dir);
    return *fault ? fault : NULL;
}

/* Judge the disk if it is there, and the parent of a differencing disk, which always is. */
static const char *judge_disks(const struct maker *maker, const struct image *whole, bool is_there)
{
    const char *fault = is_there ? judge_image(maker, whole) : NULL;

    if (!fault && maker->way->is_child)
        fault = parent_judge(&maker->parent, maker->folder, PARENT_FILE);
    return fault;
}

/*
 * The same for a verb, which is done or not. It is judged before the sweep, because the disk must
 * be whole for any reader, and after it.
 */
static const char *judge_verb(const struct maker *maker, bool is_told, bool *ret_is_done)
{
    bool is_done;

    const char *fault = verb_judge(maker, ret_is_done);
    if (!fault && is_told && !*ret_is_done)
        return "success was reported, and the verb is not done";
    if (!fault)
        fault = sweep(maker->folder);
    if (!fault)
        fault = verb_judge(maker, &is_done);
    if (!fault && is_done != *ret_is_done)
        fault = "the sweep has changed the disk";
    return fault ? fault : verb_judge_rest(maker, is_done);
}

const char *remains_judge(const struct maker *maker, const struct image *whole, bool is_told,
                          bool *ret_is_there)
{
    if (maker->way->verb)
        return judge_verb(maker, is_told, ret_is_there);
    const char *folder = maker->folder;
    bool is_there = exists(folder, MAKER_FILE);

    if (is_told && !is_there)
        return "success was reported, and the disk is not there";
    const char *fault = judge_disks(maker, whole, is_there);
    if (!fault && exists(folder, "."))
        fault = sweep(folder);
    if (!fault && exists(folder, "."))
        fault = judge_rest(maker);
    if (!fault)
        fault = judge_disks(maker, whole, is_there);
    if (!fault)
        *ret_is_there = is_there;
    return fault;
}

void remains_remove(const char *folder)
{
    const struct dirent *entry;
    char path[PATH_MAX];

    DIR *dir = opendir(folder);
    if (!dir && errno == ENOENT)
        return;
    if (!dir)
        err(EXIT_BROKEN, "%s", folder);
    while ((entry = readdir(dir))) {
        file_path(folder, entry->d_name, path);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlink(path) < 0)
            err(EXIT_BROKEN, "%s", path);
    }
    closedir(dir);
    if (rmdir(folder) < 0)
        err(EXIT_BROKEN, "%s", folder);
}
