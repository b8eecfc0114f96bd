/* SPDX-License-Identifier: MIT */
#include "operation/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "format/placement.h"
#include "image/chain.h"
#include "request/size.h"

/* A visit of all files of the parent. */
struct visit {
    struct vhd_link *link;
    unsigned files;
};

static int visit_file(void *arg, const char *file, const struct stat *attributes)
{
    struct visit *visit = arg;

    if (visit->files++ == 0) {
        const int64_t changed = attributes->st_mtim.tv_sec - VHD_EPOCH;
        visit->link->timestamp = changed < 0            ? 0
                                 : changed > UINT32_MAX ? UINT32_MAX
                                                        : (uint32_t)changed;
        snprintf(visit->link->file, sizeof visit->link->file, "%s", file);
    }
    return 0;
}

/* Can a child of this disk record it? Fills in the locators. */
static enum vhd_result judge(struct vhd_link *link, const char *name, unsigned files,
                             struct vhd_verdict *ret)
{
    const uint64_t size = vhd_disk_size(link->parent);
    char text[VHD_SIZE_TEXT];
    uuid_t uuid = {0};

    if (files >= VHD_CHAIN_MAX)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the chain of \"%s\" has %u files already, which is the most; merge "
                               "some of them first",
                               name, files);
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
    if (vhd_locators_encode(link->file, vhd_placement_of(size, 0).locators, &link->locators) < 0)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the name of the disk \"%s\" is not UTF-8 or holds a backslash, "
                               "so no child can record it; rename the disk first",
                               name);
    return VHD_OK;
}

enum vhd_result vhd_link_begin(struct vhd_catalogue *catalogue, const char *name,
                               struct vhd_task *task, struct vhd_link *ret_link,
                               struct vhd_verdict *ret)
{
    static const struct vhd_source_role role = {VHD_PARENT_NOT_FOUND, "to be the parent", "parent"};
    struct vhd_link link = VHD_LINK_NONE;
    struct visit visit = {.link = &link};

    enum vhd_result result = vhd_source_open(catalogue, name, &role, task, &link.parent, ret);
    if (result != VHD_OK)
        return result;
    int err = vhd_disk_each_file(link.parent, visit_file, &visit);
    result = err < 0 ? vhd_verdict_errno(ret, err, "cannot read the parent \"%s\"", name)
                     : judge(&link, name, visit.files, ret);
    if (result == VHD_OK)
        *ret_link = link;
    else
        vhd_link_end(&link);
    return result;
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
