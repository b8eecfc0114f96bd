/* SPDX-License-Identifier: MIT */
#include "image/parent.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/utf.h"
#include "image/image.h"
#include "format/locator.h"
#include "request/name.h"

/* Copy a name if a file can have it, else an empty one. */
static void name_of_file(const char *file, char name[NAME_MAX + 1])
{
    size_t len = strlen(file);

    memcpy(name, file, len <= NAME_MAX ? len + 1 : 0);
    if (len > NAME_MAX)
        name[0] = 0;
}

/* Read the name in one platform's locator; empty if there is none, or it cannot be read. */
static void read_locator(int fd, const struct vhd_header *header, uint32_t platform,
                         char name[NAME_MAX + 1])
{
    char file[NAME_MAX + 2]; /* one byte more shows that it is too long */

    name[0] = 0;
    for (int i = 0; i < VHD_LOCATORS && !*name; i++) {
        const struct vhd_locator *locator = &header->locators[i];
        size_t have = 0;
        if (locator->platform != platform || locator->data_length > VHD_LOCATOR_MAX)
            continue;
        AUTO_FREE char *data = malloc(locator->data_length + 1u);
        if (!data || vhd_io_read(fd, data, locator->data_length, locator->data_offset, &have) < 0)
            continue;
        vhd_locator_file(platform, data, have, file, sizeof file);
        name_of_file(file, name);
    }
}

static void read_field(const struct vhd_header *header, char name[NAME_MAX + 1])
{
    char path[3 * VHD_NAME_UNITS + 1];

    vhd_utf16_to_utf8(header->parent_name, VHD_NAME_UNITS, path, sizeof path);
    vhd_path_to_file(path);
    name_of_file(path, name);
}

/* Find a file of the store by a name, and remove the ending ".vhd" of the name. */
static bool find_file(const struct vhd_store *store, char name[NAME_MAX + 1],
                      char ret_file[NAME_MAX + 1])
{
    const bool is_other = vhd_store_has_other(store, name);
    char file[NAME_MAX + 1];

    memcpy(file, name, sizeof file);
    name[vhd_name_stem_length(name)] = 0;
    if (!*name)
        return false;
    if (vhd_store_find(store, name, ret_file, NULL) == 0)
        return true;
    memcpy(ret_file, file, sizeof file);
    return is_other;
}

void vhd_parent_read_names(int fd, const struct vhd_header *header, struct vhd_parent_names *ret)
{
    read_locator(fd, header, VHD_PLATFORM_W2RU, ret->names[0]);
    read_field(header, ret->names[1]);
    read_locator(fd, header, VHD_PLATFORM_W2KU, ret->names[2]);
    read_locator(fd, header, VHD_PLATFORM_MACX, ret->names[3]);
}

/*
 * Names in another case.
 */

static locale_t unicode;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void load_unicode(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* Read one character, folded for a comparison; a byte that is no UTF-8 stands for itself. */
static int32_t next_folded(const char **text)
{
    int32_t character = vhd_utf8_next(text);

    if (character < 0)
        return -(int32_t)(unsigned char)*(*text)++;
    if (character < 0x80)
        return toupper((int)character);
    return unicode ? (int32_t)towupper_l((wint_t)character, unicode) : character;
}

/* Are the names equal but for the case of their letters? */
static bool is_same_name(const char *a, const char *b)
{
    int32_t one, other;

    pthread_once(&unicode_once, load_unicode);
    do {
        one = next_folded(&a);
        other = next_folded(&b);
    } while (one == other && one != 0);
    return one == other;
}

/* A search of the directory: the best file for each name so far. */
struct search {
    const struct vhd_store *store;
    const struct vhd_parent_names *names;
    const unsigned char *uuid;
    struct found {
        char name[NAME_MAX + 1], file[NAME_MAX + 1];
        bool has_uuid; /* the recorded one */
    } found[4];
};

/* Has a file the recorded identity? Returns 1, 0, or the negative errno of a passing shortage. */
static int has_uuid(const struct search *search, const char *file)
{
    struct vhd_image image;

    AUTO_CLOSE int fd = vhd_store_open_unlocked(search->store, file);
    if (fd < 0)
        return fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM ? fd : 0;
    return vhd_image_read(fd, &image) && uuid_compare(image.footer.uuid, search->uuid) == 0;
}

/* Could a name mean this entry of the directory? The name of a disk has no ending. */
static bool may_mean(const char *name, const char *entry)
{
    char stem[NAME_MAX + 1], wanted[NAME_MAX + 1];

    memcpy(stem, entry, strlen(entry) + 1);
    stem[vhd_name_stem_length(stem)] = 0;
    memcpy(wanted, name, strlen(name) + 1);
    wanted[vhd_name_stem_length(wanted)] = 0;
    /* A file that is no disk needs its whole name. */
    return *wanted &&
           (strcmp(stem, entry) == 0 ? is_same_name(name, entry) : is_same_name(wanted, stem));
}

/* Keep an entry as the parent of one name, if it is one and better than the one so far. */
static int consider(struct search *search, struct found *found, const char *entry)
{
    struct found other;

    memcpy(other.name, entry, strlen(entry) + 1);
    if (!find_file(search->store, other.name, other.file))
        return 0;
    const int has = has_uuid(search, other.file);
    if (has < 0)
        return has;
    other.has_uuid = has;
    bool is_better = !*found->file || (other.has_uuid && !found->has_uuid) ||
                     (other.has_uuid == found->has_uuid && strcmp(other.file, found->file) < 0);
    if (is_better)
        *found = other;
    return 0;
}

static int search_entry(void *arg, const struct vhd_file *file)
{
    struct search *search = arg;
    int err = 0;

    for (int i = 0; i < 4 && err == 0; i++) {
        if (may_mean(search->names->names[i], file->file))
            err = consider(search, &search->found[i], file->file);
    }
    return err;
}

/* Find the parent by a name in another case. Returns 0; *ret_file is empty without one. */
static int find_in_any_case(const struct vhd_store *store, const struct vhd_parent_names *names,
                            const uuid_t uuid, char ret_name[NAME_MAX + 1],
                            char ret_file[NAME_MAX + 1])
{
    AUTO_FREE struct search *search = calloc(1, sizeof *search);
    if (!search)
        return -ENOMEM;
    search->store = store;
    search->names = names;
    search->uuid = uuid;
    int err = vhd_store_each_entry(store, search_entry, search);
    for (int i = 0; i < 4 && err == 0; i++) {
        if (*search->found[i].file) {
            memcpy(ret_name, search->found[i].name, NAME_MAX + 1);
            memcpy(ret_file, search->found[i].file, NAME_MAX + 1);
            break;
        }
    }
    return err;
}

int vhd_parent_resolve(const struct vhd_store *store, const struct vhd_parent_names *names,
                       const uuid_t uuid, char ret_name[NAME_MAX + 1], char ret_file[NAME_MAX + 1])
{
    struct vhd_parent_names tried = *names;
    int best = 0;
    bool is_there = false;

    for (int i = 0; i < 4 && !is_there; i++) {
        is_there = find_file(store, tried.names[i], ret_file);
        if (is_there || !*tried.names[best])
            best = i;
    }
    memcpy(ret_name, tried.names[best], sizeof tried.names[best]);
    if (is_there)
        return 0;
    ret_file[0] = 0;
    return *ret_name ? find_in_any_case(store, names, uuid, ret_name, ret_file) : 0;
}

void vhd_parent_find(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret_name[NAME_MAX + 1], char ret_file[NAME_MAX + 1])
{
    struct vhd_parent_names names = {0};

    vhd_parent_read_names(fd, header, &names);
    (void)vhd_parent_resolve(store, &names, header->parent_uuid, ret_name, ret_file);
}

void vhd_parent_name(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret[NAME_MAX + 1])
{
    char file[NAME_MAX + 1];
    vhd_parent_find(store, fd, header, ret, file);
}
