/* SPDX-License-Identifier: MIT */
#include "operation/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "format/placement.h"
#include "image/chain.h"
#include "request/size.h"

/* Note the parent's own file, which comes first, and count those of its chain. */
static int visit_file(void *arg, const char *file, const struct stat *attributes)
{
    struct vhd_link *link = arg;

    if (link->files++ == 0) {
        const int64_t changed = attributes->st_mtim.tv_sec - VHD_EPOCH;
        link->timestamp = changed < 0 ? 0 : changed > UINT32_MAX ? UINT32_MAX : (uint32_t)changed;
        snprintf(link->file, sizeof link->file, "%s", file);
    }
    return 0;
}

enum vhd_result vhd_link_refuse_name(const char *name, struct vhd_verdict *ret)
{
    return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                           "the name of the disk \"%s\" is not UTF-8 or holds a backslash, "
                           "so no child can record it; rename the disk first",
                           name);
}

/* Judge whether a new child can have this parent, and its size. Fills in the locators. */
static enum vhd_result place(struct vhd_link *link, const char *name, struct vhd_verdict *ret)
{
    const uint64_t size = vhd_disk_size(link->parent);
    char text[VHD_SIZE_TEXT];
    uuid_t uuid = {0};

    vhd_disk_uuid(link->parent, uuid);
    if (uuid_is_null(uuid))
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the disk \"%s\" has no UUID by which a child could know it", name);
    if (size > VHD_SIZE_MAX) {
        vhd_size_describe(size, text);
        return vhd_verdict_set(ret, VHD_SIZE_TOO_LARGE,
                               "the parent \"%s\" has %s, more than the 2088960 MB of the largest "
                               "new disk",
                               name, text);
    }
    int err = vhd_locators_encode(link->file, vhd_placement_of(size, 0).locators, &link->locators);
    return err < 0 ? vhd_link_refuse_name(name, ret) : VHD_OK;
}

/* Link to a disk that is open. The link does not own it on failure. */
static enum vhd_result link_to(struct vhd_disk *parent, const char *name, struct vhd_link *ret_link,
                               struct vhd_verdict *ret)
{
    struct vhd_link link = {.parent = parent};

    int err = vhd_disk_each_file(parent, visit_file, &link);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot read the parent \"%s\"", name);
    if (link.files >= VHD_CHAIN_MAX)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the chain of \"%s\" has %u files already, which is the most; merge "
                               "some of them first",
                               name, link.files);
    *ret_link = link;
    return VHD_OK;
}

enum vhd_result vhd_link_open(struct vhd_catalogue *catalogue, const char *name,
                              struct vhd_task *task, struct vhd_link *ret_link,
                              struct vhd_verdict *ret)
{
    static const struct vhd_source_role role = {VHD_PARENT_NOT_FOUND, "to be the parent", "parent"};
    struct vhd_disk *parent;

    enum vhd_result result = vhd_source_open(catalogue, name, &role, task, &parent, ret);
    if (result != VHD_OK)
        return result;
    result = link_to(parent, name, ret_link, ret);
    if (result != VHD_OK)
        (void)vhd_disk_close(parent, NULL);
    return result;
}

enum vhd_result vhd_link_begin(struct vhd_catalogue *catalogue, const char *name,
                               struct vhd_task *task, struct vhd_link *ret_link,
                               struct vhd_verdict *ret)
{
    struct vhd_link link = VHD_LINK_NONE;

    enum vhd_result result = vhd_link_open(catalogue, name, task, &link, ret);
    if (result == VHD_OK)
        result = place(&link, name, ret);
    if (result == VHD_OK)
        *ret_link = link;
    else
        vhd_link_end(&link);
    return result;
}

enum vhd_result vhd_link_rename(struct vhd_disk *parent, const char *name, const char *file,
                                struct vhd_link *ret_link, struct vhd_verdict *ret)
{
    enum vhd_result result = link_to(parent, name, ret_link, ret);
    if (result != VHD_OK)
        return result;
    snprintf(ret_link->file, sizeof ret_link->file, "%s", file);
    return place(ret_link, name, ret);
}

void vhd_link_record(const struct vhd_link *link, struct vhd_header *header)
{
    vhd_disk_uuid(link->parent, header->parent_uuid);
    header->parent_timestamp = link->timestamp;
    memcpy(header->parent_name, link->locators.parent_name, sizeof header->parent_name);
    memcpy(header->locators, link->locators.entries, sizeof header->locators);
}

void vhd_link_end(struct vhd_link *link)
{
    (void)vhd_disk_close(link->parent, NULL);
    *link = VHD_LINK_NONE;
}
