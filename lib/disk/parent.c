#include "disk/parent.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/utf.h"
#include "format/locator.h"
#include "request/name.h"

/* Take over a name that a file can have; another is as good as none. */
static void take_name(const char *file, char name[NAME_MAX + 1])
{
    size_t len = strlen(file);

    memcpy(name, file, len <= NAME_MAX ? len + 1 : 0);
    if (len > NAME_MAX)
        name[0] = 0;
}

/* What the locator of one platform names; empty where there is none, or it cannot be read. */
static void read_locator(int fd, const struct vhd_header *header, uint32_t platform,
                         char name[NAME_MAX + 1])
{
    char file[NAME_MAX + 2]; /* one more shows that it is too long */

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
        take_name(file, name);
    }
}

static void read_field(const struct vhd_header *header, char name[NAME_MAX + 1])
{
    char path[3 * VHD_NAME_UNITS + 1];

    vhd_utf16_to_utf8(header->parent_name, VHD_NAME_UNITS, path, sizeof path);
    vhd_path_to_file(path);
    take_name(path, name);
}

/* Find a file of the store by a name, which loses its ending ".vhd". */
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

void vhd_parent_find(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret_name[NAME_MAX + 1], char ret_file[NAME_MAX + 1])
{
    char names[4][NAME_MAX + 1];
    int best = 0;
    bool is_there = false;

    read_locator(fd, header, VHD_PLATFORM_W2RU, names[0]);
    read_field(header, names[1]);
    read_locator(fd, header, VHD_PLATFORM_W2KU, names[2]);
    read_locator(fd, header, VHD_PLATFORM_MACX, names[3]);
    for (int i = 0; i < 4 && !is_there; i++) {
        is_there = find_file(store, names[i], ret_file);
        if (is_there || !*names[best])
            best = i;
    }
    if (!is_there)
        ret_file[0] = 0;
    memcpy(ret_name, names[best], sizeof names[best]);
}

void vhd_parent_name(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret[NAME_MAX + 1])
{
    char file[NAME_MAX + 1];
    vhd_parent_find(store, fd, header, ret, file);
}
