#include "disk/info.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf.h"
#include "request/name.h"

/*
 * Open an image only to look at it: no lock is taken, so nobody who uses it is hindered, and
 * neither a FIFO nor a symlink put in its place leads anywhere.
 */
static int open_to_look(const struct vhd_store *store, const char *file)
{
    return openat(vhd_store_fd(store), file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/*
 * The parent's name in the store. Windows writes a whole path into the field and other programs
 * the bare file name, so whatever stands behind the last separator counts.
 */
static void read_parent(const struct vhd_header *header, char *buf, size_t size)
{
    vhd_utf16_to_utf8(header->parent_name, VHD_NAME_UNITS, buf, size);
    for (char *p = buf; *p; p++) {
        if (*p == '/' || *p == '\\') {
            memmove(buf, p + 1, strlen(p));
            p = buf - 1;
        }
    }
    buf[vhd_name_stem_length(buf)] = 0;
}

static bool is_differencing(const struct vhd_image *image)
{
    return image->has_header && image->footer.type == VHD_TYPE_DIFFERENCING;
}

int vhd_info_read(const struct vhd_store *store, const char *name, struct vhd_info *ret)
{
    struct stat attributes;
    memset(ret, 0, sizeof *ret);
    int err = vhd_store_find(store, name, ret->file, &attributes);
    if (err < 0)
        return err;
    snprintf(ret->name, sizeof ret->name, "%s", name);
    ret->used = (uint64_t)attributes.st_blocks * 512;
    ret->changed = attributes.st_mtim;

    AUTO_CLOSE int fd = open_to_look(store, ret->file);
    if (fd < 0) {
        ret->image.length = (uint64_t)attributes.st_size;
        vhd_fault_set(&ret->image.fault, VHD_UNREADABLE, "%s", strerrordesc_np(errno));
        return 0;
    }
    vhd_image_judge(fd, &ret->image);
    if (is_differencing(&ret->image))
        read_parent(&ret->image.header, ret->parent, sizeof ret->parent);
    if (ret->image.has_footer)
        return vhd_children_count(store, ret->image.footer.uuid, &ret->children);
    return 0;
}

/* What the count needs on its way through the store. */
struct count {
    const struct vhd_store *store;
    const unsigned char *parent;
    unsigned children;
};

/* Is this disk a child? What cannot be read is nobody's, and none is its own. */
static int count_one(void *arg, const char *name)
{
    struct count *count = arg;
    struct vhd_image image;
    char file[NAME_MAX + 1];

    if (vhd_store_find(count->store, name, file, NULL) < 0)
        return 0;
    AUTO_CLOSE int fd = open_to_look(count->store, file);
    if (fd >= 0 && vhd_image_read(fd, &image) && is_differencing(&image) &&
        uuid_compare(image.header.parent_uuid, count->parent) == 0 &&
        uuid_compare(image.footer.uuid, count->parent) != 0)
        count->children++;
    return 0;
}

int vhd_children_count(const struct vhd_store *store, const uuid_t parent, unsigned *ret)
{
    struct count count = {.store = store, .parent = parent};
    int err = vhd_store_each(store, count_one, &count);

    if (err == 0)
        *ret = count.children;
    return err;
}
