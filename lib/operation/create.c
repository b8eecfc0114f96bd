/* SPDX-License-Identifier: MIT */
#include "operation/create.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "operation/admit.h"
#include "operation/blank.h"
#include "operation/fill.h"
#include "operation/link.h"
#include "operation/partition.h"
#include "request/name.h"
#include "request/size.h"

struct vhd_create {
    struct vhd_catalogue *catalogue;
    struct vhd_store *store; /* of the catalogue */
    struct vhd_request request;
    char file[NAME_MAX + 1];
    bool is_draft_named;
    const struct vhd_formatter *formatter; /* for a file system */
    struct vhd_task *task;                 /* that makes it; NULL before */

    /* after the admission */
    struct vhd_draft draft;
    struct vhd_link link;
    struct vhd_disk *source; /* the content that is copied, open; NULL for none */
    struct vhd_blank blank;
};

struct vhd_create *vhd_create_new(struct vhd_catalogue *catalogue, const char *file,
                                  const struct vhd_request *request)
{
    struct vhd_create *create = calloc(1, sizeof *create);
    if (!create)
        return NULL;
    create->catalogue = vhd_catalogue_ref(catalogue);
    create->store = vhd_catalogue_store(catalogue);
    create->request = *request;
    create->draft = VHD_DRAFT_NONE;
    create->link = VHD_LINK_NONE;
    create->formatter = &vhd_formatter_direct;
    if (uuid_is_null(create->request.uuid))
        uuid_generate_random(create->request.uuid);
    snprintf(create->file, sizeof create->file, "%s", file);
    return create;
}

void vhd_create_free(struct vhd_create *create)
{
    vhd_link_end(&create->link);
    (void)vhd_disk_close(create->source, NULL);
    vhd_draft_end(create->store, &create->draft);
    vhd_store_remove_if_unused(create->store);
    vhd_catalogue_unref(create->catalogue);
    free(create);
}

void vhd_create_name_draft(struct vhd_create *create)
{
    create->is_draft_named = true;
}

void vhd_create_set_formatter(struct vhd_create *create, const struct vhd_formatter *formatter)
{
    create->formatter = formatter;
}

void vhd_create_describe(const char *file, const struct vhd_request *request,
                         char buf[VHD_DESCRIPTION_SIZE])
{
    const bool is_child = *request->parent, is_copy = *request->from;
    char size[VHD_SIZE_TEXT];

    int len = snprintf(buf, VHD_DESCRIPTION_SIZE, "Create %s virtual hard disk \"%.*s\"",
                       is_child            ? "differencing"
                       : request->is_fixed ? "fixed"
                                           : "dynamic",
                       (int)vhd_name_stem_length(file), file);
    char *rest = buf + len;
    const size_t left = VHD_DESCRIPTION_SIZE - (size_t)len;
    if (is_child || is_copy) {
        snprintf(rest, left, " %s \"%s\"", is_child ? "on" : "from",
                 is_child ? request->parent : request->from);
    } else if (request->size > 0) {
        vhd_size_describe(request->size, size);
        len = snprintf(rest, left, " (%s", size);
        if (request->fat_bits != 0)
            len += snprintf(rest + len, left - (size_t)len, ", FAT%" PRIu32, request->fat_bits);
        snprintf(rest + len, left - (size_t)len, ")");
    }
}

/* The new disk gets sectors of another one, so it has no more readers than that. */
static enum vhd_result limit_readers(const struct vhd_create *create, const struct vhd_disk *disk,
                                     struct vhd_verdict *ret)
{
    struct stat draft;
    mode_t mode;

    int err = fstat(create->draft.fd, &draft) < 0 ? -errno : 0;
    if (err == 0)
        err = vhd_source_mode(disk, draft.st_gid, &mode);
    if (err == 0)
        err = vhd_draft_limit_readers(&create->draft, mode);
    return err < 0 ? vhd_verdict_errno(ret, err, "cannot set the mode of \"%s/%s\"",
                                       vhd_store_path(create->store), create->file)
                   : VHD_OK;
}

/* Open the parent. The child has its size. */
static enum vhd_result link_parent(struct vhd_create *create, struct vhd_verdict *ret)
{
    struct vhd_request *request = &create->request;
    char asked[VHD_SIZE_TEXT], found[VHD_SIZE_TEXT];

    enum vhd_result result =
        vhd_link_begin(create->catalogue, request->parent, create->task, &create->link, ret);
    if (result != VHD_OK)
        return result;
    const uint64_t size = vhd_disk_size(create->link.parent);
    if (request->size != 0 && request->size != size) {
        vhd_size_describe(request->size, asked);
        vhd_size_describe(size, found);
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the size is %s, but the parent \"%s\" has %s; leave the size out",
                               asked, request->parent, found);
    }
    request->size = size;
    return limit_readers(create, create->link.parent, ret);
}

/*
 * Judge whether the new disk can hold the one that is copied.
 *
 *   size  bytes of that disk
 */
static enum vhd_result judge_source_size(const struct vhd_request *request, uint64_t size,
                                         struct vhd_verdict *ret)
{
    char asked[VHD_SIZE_TEXT], found[VHD_SIZE_TEXT];

    vhd_size_describe(size, found);
    vhd_size_describe(request->size, asked);
    if (size > VHD_SIZE_MAX)
        return vhd_verdict_set(
            ret, VHD_SIZE_TOO_LARGE,
            "the disk \"%s\" has %s, more than the 2088960 MB of the largest new "
            "disk",
            request->from, found);
    if (request->size == 0 && size < VHD_SIZE_MIN_MB * VHD_MB)
        return vhd_verdict_set(ret, VHD_SIZE_TOO_SMALL,
                               "the disk \"%s\" has %s, less than the smallest new disk; write a "
                               "size of at least 3 MB in front of from=",
                               request->from, found);
    if (request->size != 0 && request->size < size)
        return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                               "the size is %s, but the disk \"%s\" has %s; write at least that, "
                               "or leave the size out",
                               asked, request->from, found);
    return VHD_OK;
}

/* Open the disk that is copied. The new one has its size, or is larger. */
static enum vhd_result open_source(struct vhd_create *create, struct vhd_verdict *ret)
{
    static const struct vhd_source_role role = {VHD_FILE_NOT_FOUND, "to be copied", "disk"};
    struct vhd_request *request = &create->request;

    enum vhd_result result = vhd_source_open(create->catalogue, request->from, &role, create->task,
                                             &create->source, ret);
    if (result != VHD_OK)
        return result;
    result = judge_source_size(request, vhd_disk_size(create->source), ret);
    if (result != VHD_OK)
        return result;
    if (request->size == 0)
        request->size = vhd_disk_size(create->source);
    return limit_readers(create, create->source, ret);
}

/* The type of the new disk, after link_parent(). */
static enum vhd_disk_type type_of(const struct vhd_create *create)
{
    if (create->link.parent)
        return VHD_TYPE_DIFFERENCING;
    return create->request.is_fixed ? VHD_TYPE_FIXED : VHD_TYPE_DYNAMIC;
}

/* Lay out the image that will be written. */
static void lay_out(struct vhd_create *create)
{
    const bool is_child = create->link.parent;

    create->blank = vhd_blank_of(type_of(create), create->request.size, create->request.uuid,
                                 is_child ? &create->link.locators : NULL);
    if (is_child)
        vhd_link_record(&create->link, &create->blank.header);
}

/* The file system that the request asks for. */
static struct vhd_fat fat_of(const struct vhd_create *create)
{
    const struct vhd_request *request = &create->request;
    return vhd_fat_of(request->fat_bits, request->size, request->label);
}

enum vhd_result vhd_create_admit(struct vhd_create *create, struct vhd_verdict *ret)
{
    enum vhd_result result =
        vhd_admit_draft(create->store, create->file, create->is_draft_named, &create->draft, ret);
    if (result == VHD_OK && *create->request.parent)
        result = link_parent(create, ret);
    if (result == VHD_OK && *create->request.from)
        result = open_source(create, ret);
    if (result != VHD_OK)
        return result;
    lay_out(create);
    const uint64_t full_length = vhd_blank_full_length(&create->blank);
    const bool is_fixed = create->request.is_fixed;
    result = vhd_admit_length(create->store, &create->draft, full_length, is_fixed, ret);
    if (result != VHD_OK || create->request.fat_bits == 0)
        return result;
    const struct vhd_fat fat = fat_of(create);
    return vhd_partition_admit(create->store, &fat, is_fixed ? full_length : 0, ret);
}

static enum vhd_result cancelled(struct vhd_verdict *ret)
{
    return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
}

/* Remove a published disk, because a cancel came at the last moment. */
static enum vhd_result withdraw(const struct vhd_create *create, struct vhd_verdict *ret)
{
    int err = vhd_draft_withdraw(create->store, &create->draft, create->file);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cancelled, but cannot remove \"%s/%s\"",
                                 vhd_store_path(create->store), create->file);
    return cancelled(ret);
}

/* Make the content that the request asks for, if it asks for a file system. */
static enum vhd_result make_content(struct vhd_create *create, struct vhd_verdict *ret)
{
    const struct vhd_request *request = &create->request;

    if (request->fat_bits == 0)
        return VHD_OK;
    /* The space of a fixed disk may take much longer. */
    const unsigned percent = request->is_fixed ? 5 : 50;
    const struct vhd_fat fat = fat_of(create);
    return vhd_partition_make(create->catalogue, create->formatter, create->is_draft_named, &fat,
                              percent, create->task, &create->source, ret);
}

static enum vhd_result create_admit(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    struct vhd_create *create = arg;

    create->task = task;
    if (vhd_task_is_cancelled(task))
        return cancelled(ret);
    return create->draft.fd < 0 ? vhd_create_admit(create, ret) : VHD_OK;
}

static enum vhd_result create_run(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    struct vhd_create *create = arg;
    const char *folder = vhd_store_path(create->store), *file = create->file;

    enum vhd_result result = create_admit(create, task, ret);
    if (result == VHD_OK)
        result = make_content(create, ret);
    if (result != VHD_OK)
        return result;
    int err = vhd_fill(create->draft.fd, &create->blank, create->source, task);
    if (vhd_task_is_cancelled(task))
        return cancelled(ret);
    /* Claims bind only programs that honour them. */
    if (*create->request.from && vhd_disk_confirm(create->source) == -ESTALE)
        return vhd_verdict_set(ret, VHD_IN_USE,
                               "another program has changed the disk \"%s\", or a parent, while it "
                               "was copied; copy it again",
                               create->request.from);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot write \"%s/%s\"", folder, file);
    vhd_task_progress(task, 50);
    err = vhd_draft_publish(create->store, &create->draft, file);
    if (err == -EEXIST)
        return vhd_admit_refuse_existing(create->store, file, ret);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot make \"%s/%s\"", folder, file);
    return vhd_task_commit(task) ? VHD_OK : withdraw(create, ret);
}

static void create_drop(void *arg)
{
    vhd_create_free(arg);
}

enum vhd_result vhd_create_submit(struct vhd_service *service, struct vhd_create *create,
                                  struct vhd_task **ret_task, struct vhd_verdict *ret)
{
    static const struct vhd_work quick = {
        .operation = VHD_CREATE_OPERATION,
        .run = create_run,
        .drop = create_drop,
    };
    static const struct vhd_work slow = {
        .operation = VHD_CREATE_OPERATION,
        .admit = create_admit,
        .run = create_run,
        .drop = create_drop,
    };
    const struct vhd_request *request = &create->request;
    const bool is_long = request->is_fixed || *request->from || request->fat_bits != 0;
    char description[VHD_DESCRIPTION_SIZE], name[NAME_MAX + 1];

    vhd_create_describe(create->file, request, description);
    snprintf(name, sizeof name, "%.*s", (int)vhd_name_stem_length(create->file), create->file);
    return vhd_service_submit(service, is_long ? &slow : &quick, create, name, description,
                              ret_task, ret);
}
