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
#include "maker.h"
#include "store/lock.h"
#include "store/store.h"

static void path_in(const char *folder, const char *name, char ret[PATH_MAX])
{
    if (snprintf(ret, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        errx(EXIT_BROKEN, "\"%s\" is too long a path", folder);
}

/* Clear the fields in which any two disks differ: time stamp, UUID, and the checksum over them. */
static void blank(struct vhd_footer_disk *footer)
{
    memset(&footer->timestamp, 0, sizeof footer->timestamp);
    memset(&footer->checksum, 0, sizeof footer->checksum);
    memset(footer->uuid, 0, sizeof footer->uuid);
}

/* Read a whole file, which has two footers at least. */
static const char *read_file(int fd, struct image *ret)
{
    struct stat attributes;

    if (fstat(fd, &attributes) < 0)
        err(EXIT_BROKEN, "fstat");
    if (attributes.st_size < (off_t)(2 * VHD_FOOTER_SIZE))
        return "the image is too short";
    size_t len = (size_t)attributes.st_size;
    AUTO_FREE uint8_t *bytes = malloc(len);
    if (!bytes)
        err(EXIT_BROKEN, "malloc");
    if (pread(fd, bytes, len, 0) != (ssize_t)len)
        return "the image cannot be read";
    ret->bytes = TAKE(bytes);
    ret->len = len;
    return NULL;
}

const char *image_read(const char *folder, uint64_t size, struct image *ret)
{
    char path[PATH_MAX];
    struct vhd_image judged;

    path_in(folder, MAKER_FILE, path);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "the image cannot be opened";
    if (!vhd_image_judge(fd, &judged) || judged.fault.defect != VHD_SOUND)
        return "the image is not sound";
    if (judged.footer.current_size != size)
        return "the image has another size";
    const char *fault = read_file(fd, ret);
    if (fault)
        return fault;
    uint8_t *tail = ret->bytes + ret->len - VHD_FOOTER_SIZE;
    if (memcmp(ret->bytes, tail, VHD_FOOTER_SIZE) != 0)
        fault = "the two footers differ";
    blank((struct vhd_footer_disk *)ret->bytes);
    blank((struct vhd_footer_disk *)tail);
    if (fault)
        free(TAKE(ret->bytes));
    return fault;
}

static bool exists(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat attributes;

    path_in(folder, name, path);
    if (lstat(path, &attributes) == 0)
        return true;
    if (errno != ENOENT && errno != ENOTDIR)
        err(EXIT_BROKEN, "%s", path);
    return false;
}

static const char *judge_image(const char *folder, const struct image *whole, uint64_t size)
{
    struct image image;

    const char *fault = image_read(folder, size, &image);
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

/* Only the lock file, which stays by design, and the disk may be in the folder. */
static const char *judge_rest(const char *folder)
{
    static char fault[NAME_MAX + 32];
    const struct dirent *entry;

    DIR *dir = opendir(folder);
    if (!dir)
        err(EXIT_BROKEN, "%s", folder);
    *fault = 0;
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, MAKER_FILE) != 0 &&
            strcmp(name, VHD_LOCK_FILE) != 0)
            snprintf(fault, sizeof fault, "\"%s\" is left behind", name);
    }
    closedir(dir);
    return *fault ? fault : NULL;
}

const char *remains_judge(const char *folder, const struct image *whole, uint64_t size,
                          bool is_told, bool *ret_is_there)
{
    bool is_there = exists(folder, MAKER_FILE);
    const char *fault = NULL;

    if (is_told && !is_there)
        return "success was reported, and the disk is not there";
    if (is_there)
        fault = judge_image(folder, whole, size);
    if (!fault && exists(folder, "."))
        fault = sweep(folder);
    if (!fault && exists(folder, "."))
        fault = judge_rest(folder);
    if (!fault && is_there)
        fault = judge_image(folder, whole, size);
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
        path_in(folder, entry->d_name, path);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlink(path) < 0)
            err(EXIT_BROKEN, "%s", path);
    }
    closedir(dir);
    if (rmdir(folder) < 0)
        err(EXIT_BROKEN, "%s", folder);
}
