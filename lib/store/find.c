/* SPDX-License-Identifier: MIT */
/*
 * The images of a store, found by name or listed.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/same_file.h"
#include "request/name.h"
#include "store/lock.h"
#include "store/store.h"

/* All cases of the ending, in the order of the search for a disk's image. */
static const char *const endings[] = {".vhd", ".VHD", ".Vhd", ".vHd",
                                      ".vhD", ".VHd", ".VhD", ".vHD"};

int vhd_store_find(const struct vhd_store *store, const char *name, char ret_file[NAME_MAX + 1],
                   struct stat *ret_stat)
{
    struct stat attributes;

    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/') ||
        strlen(name) > NAME_MAX - strlen(VHD_ENDING) ||
        strncmp(name, VHD_OWN_PREFIX, strlen(VHD_OWN_PREFIX)) == 0)
        return -ENOENT;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int len = snprintf(ret_file, NAME_MAX + 1, "%s%s", name, endings[i]);
        assert(len <= NAME_MAX);
        if (fstatat(vhd_store_fd(store), ret_file, &attributes, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno != ENOENT)
                return -errno;
        } else if (S_ISREG(attributes.st_mode)) {
            if (ret_stat)
                *ret_stat = attributes;
            return 0;
        }
    }
    return -ENOENT;
}

/* Is there a regular file of this name in the directory? */
static bool is_regular(const struct vhd_store *store, const char *file, struct stat *ret_attributes)
{
    return fstatat(vhd_store_fd(store), file, ret_attributes, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(ret_attributes->st_mode);
}

/* A directory that ignores case shows the image itself under the other names. */
bool vhd_store_find_rival(const struct vhd_store *store, const char *file,
                          char ret_other[NAME_MAX + 1])
{
    const size_t stem = strlen(file) - strlen(VHD_ENDING);
    struct stat image, other;

    if (!is_regular(store, file, &image))
        return false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(ret_other, NAME_MAX + 1, "%.*s%s", (int)stem, file, endings[i]);
        if (strcmp(ret_other, file) != 0 && is_regular(store, ret_other, &other) &&
            !is_same_file(&image, &other))
            return true;
    }
    return false;
}

bool vhd_store_has_other(const struct vhd_store *store, const char *file)
{
    struct stat attributes;

    return *file && *file != '.' && !strchr(file, '/') &&
           vhd_name_stem_length(file) == strlen(file) && is_regular(store, file, &attributes);
}

/*
 * Is this entry the image of a disk? Of two files whose endings differ only in case, it is the one
 * that vhd_store_find() finds.
 */
static bool is_listed(const struct vhd_store *store, const char *file, char name[NAME_MAX + 1],
                      struct stat *ret_attributes)
{
    char found[NAME_MAX + 1];
    size_t stem = vhd_name_stem_length(file);

    if (stem == 0 || stem == strlen(file))
        return false;
    memcpy(name, file, stem);
    name[stem] = 0;
    return vhd_store_find(store, name, found, ret_attributes) == 0 && strcmp(found, file) == 0;
}

/* Is this entry a snapshot? Its name is the file's name. */
static bool is_snapshot(const struct vhd_store *store, const char *file, char name[NAME_MAX + 1],
                        struct stat *ret_attributes)
{
    static const char ending[] = ".avhd";
    const size_t len = strlen(file), ending_len = strlen(ending);

    if (*file == '.' || len <= ending_len || strcasecmp(file + len - ending_len, ending) != 0)
        return false;
    memcpy(name, file, len + 1);
    return is_regular(store, file, ret_attributes);
}

static bool is_image(const struct vhd_store *store, const char *file, char name[NAME_MAX + 1],
                     struct stat *ret_attributes)
{
    return is_listed(store, file, name, ret_attributes) ||
           is_snapshot(store, file, name, ret_attributes);
}

/* Call visit() for the entries that is_such() accepts. */
static int each(const struct vhd_store *store,
                bool (*is_such)(const struct vhd_store *store, const char *file,
                                char name[NAME_MAX + 1], struct stat *ret_attributes),
                int (*visit)(void *arg, const struct vhd_file *file), void *arg)
{
    int fd = open_beneath(vhd_store_fd(store), ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return -errno;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return -ENOMEM;
    }
    int result = 0;
    while (result == 0) {
        char name[NAME_MAX + 1];
        struct vhd_file file = {.name = name};
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            result = -errno;
            break;
        }
        file.file = entry->d_name;
        if (is_such(store, file.file, name, &file.attributes))
            result = visit(arg, &file);
    }
    closedir(dir);
    return result;
}

int vhd_store_each(const struct vhd_store *store,
                   int (*visit)(void *arg, const struct vhd_file *file), void *arg)
{
    return each(store, is_listed, visit, arg);
}

int vhd_store_each_image(const struct vhd_store *store,
                         int (*visit)(void *arg, const struct vhd_file *file), void *arg)
{
    return each(store, is_image, visit, arg);
}

static bool is_any(const struct vhd_store *store, const char *file, char name[NAME_MAX + 1],
                   struct stat *ret_attributes)
{
    (void)store, (void)ret_attributes;
    memcpy(name, file, strlen(file) + 1);
    return true;
}

int vhd_store_each_entry(const struct vhd_store *store,
                         int (*visit)(void *arg, const struct vhd_file *file), void *arg)
{
    return each(store, is_any, visit, arg);
}
