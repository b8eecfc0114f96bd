/* SPDX-License-Identifier: MIT */
#include "vhd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/same_file.h"
#include "operation/create.h"
#include "request/name.h"
#include "request/size.h"

/*
 * Split an absolute path behind its last slash. The folder keeps the slash only if it is the root.
 */
static const char *split(char *path, const char **ret_folder)
{
    char *slash = strrchr(path, '/');

    *ret_folder = slash == path ? "/" : path;
    *slash = 0;
    return slash + 1;
}

static enum vhd_result judge_name(const char *file, struct vhd_verdict *ret)
{
    AUTO_FREE char *stem = strndup(file, vhd_name_stem_length(file));
    return stem ? vhd_name_judge(stem, ret) : vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
}

/* Judge the path of an image alone, without the host. */
static enum vhd_result judge_path(const char *folder, const char *file, struct vhd_verdict *ret)
{
    enum vhd_result result = vhd_name_judge_length(folder, file, ret);
    return result == VHD_OK ? judge_name(file, ret) : result;
}

/* Judge by the host, then hand the work in. */
static enum vhd_result submit(struct vhd_service *service, struct vhd_store *store,
                              const char *file, const struct vhd_request *request,
                              struct vhd_task **ret_task, struct vhd_verdict *ret)
{
    struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
    struct vhd_create *create = catalogue ? vhd_create_new(catalogue, file, request) : NULL;

    vhd_catalogue_unref(catalogue);
    if (!create) {
        vhd_store_remove_if_unused(store);
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    }
    enum vhd_result result = vhd_create_admit(create, ret);
    if (result != VHD_OK) {
        vhd_create_free(create);
        return result;
    }
    return vhd_create_submit(service, create, ret_task, ret);
}

/* Judge the arguments that all calls have. */
static enum vhd_result judge_call(struct vhd_service *service, const char *image_path,
                                  struct vhd_task **ret_task, struct vhd_verdict *ret)
{
    if (service && vhd_service_is_stopping(service))
        return vhd_verdict_set(ret, VHD_SHUTTING_DOWN, NULL);
    if (!service || !image_path || !ret_task)
        return vhd_verdict_set(ret, VHD_NULL_POINTER, "%s is NULL",
                               !service      ? "service"
                               : !image_path ? "image_path"
                                             : "ret_task");
    return VHD_OK;
}

static enum vhd_result refuse_relative(const char *path, struct vhd_verdict *ret)
{
    return vhd_verdict_set(ret, VHD_BAD_PATHNAME,
                           "the path \"%s\" is not absolute; write a path that begins with /",
                           path);
}

/* Make a disk of a size. The request lacks only that. */
static enum vhd_result create_sized(struct vhd_service *service, const char *image_path,
                                    int64_t size_mb, struct vhd_request request,
                                    struct vhd_task **ret_task, struct vhd_verdict *ret)
{
    enum vhd_result result = judge_call(service, image_path, ret_task, ret);
    if (result != VHD_OK)
        return result;
    if (*image_path != '/')
        return refuse_relative(image_path, ret);
    AUTO_FREE char *path = strdup(image_path);
    if (!path)
        return vhd_verdict_set(ret, VHD_OUT_OF_MEMORY, NULL);
    const char *folder, *file = split(path, &folder);
    result = judge_path(folder, file, ret);
    if (result == VHD_OK)
        result = vhd_size_judge_mb(size_mb, ret);
    if (result != VHD_OK)
        return result;

    struct vhd_store *store;
    request.size = (uint64_t)size_mb * VHD_MB;
    result = vhd_store_open(folder, 0, &store, ret);
    if (result != VHD_OK)
        return result;
    result = submit(service, store, file, &request, ret_task, ret);
    vhd_store_unref(store);
    return result;
}

enum vhd_result vhd_create_dynamic(struct vhd_service *service, const char *image_path,
                                   int64_t size_mb, struct vhd_task **ret_task,
                                   struct vhd_verdict *ret_why)
{
    return create_sized(service, image_path, size_mb, (struct vhd_request){0}, ret_task, ret_why);
}

enum vhd_result vhd_create_fixed(struct vhd_service *service, const char *image_path,
                                 int64_t size_mb, struct vhd_task **ret_task,
                                 struct vhd_verdict *ret_why)
{
    return create_sized(service, image_path, size_mb, (struct vhd_request){.is_fixed = true},
                        ret_task, ret_why);
}

/*
 * Differencing disks.
 */

/* A copy of a path that is absolute, or relative to the folder of another one. NULL without memory.
 */
static char *absolute(const char *path, const char *other)
{
    const size_t folder_length = *path == '/' ? 0 : (size_t)(strrchr(other, '/') - other) + 1;
    char *joined;

    return asprintf(&joined, "%.*s%s", (int)folder_length, other, path) < 0 ? NULL : joined;
}

/* Does a path lead to the folder of a store? */
static enum vhd_result judge_folder(const struct vhd_store *store, const char *folder,
                                    struct vhd_verdict *ret)
{
    struct stat own, other;

    if (stat(folder, &other) < 0 || fstat(vhd_store_fd(store), &own) < 0)
        return vhd_verdict_errno(ret, errno, "cannot read the folder \"%s\" of the parent", folder);
    if (is_same_file(&own, &other))
        return VHD_OK;
    return vhd_verdict_set(ret, VHD_INVALID_ARGUMENT,
                           "the parent lies in \"%s\", not in the folder of the new disk; copy or "
                           "move it there",
                           folder);
}

/* Is a file the image of the disk of its name? Of two endings in other cases only one is. */
static enum vhd_result judge_is_disk(const struct vhd_store *store, const char *name,
                                     const char *file, struct vhd_verdict *ret)
{
    char found[NAME_MAX + 1];

    int err = vhd_store_find(store, name, found, NULL);
    if (err < 0 && err != -ENOENT)
        return vhd_verdict_errno(ret, err, "cannot find the parent \"%s\"", file);
    if (err == 0 && strcmp(found, file) == 0)
        return VHD_OK;
    return vhd_verdict_set(ret, VHD_PARENT_NOT_FOUND,
                           "\"%s\" is not the image of a disk; name a file that ends in .vhd",
                           file);
}

/* Make a differencing disk. Both paths are absolute, and are changed. */
static enum vhd_result create_child(struct vhd_service *service, char *image_path,
                                    char *parent_path, struct vhd_task **ret_task,
                                    struct vhd_verdict *ret)
{
    const char *folder, *file = split(image_path, &folder);
    const char *parent_folder, *parent = split(parent_path, &parent_folder);
    struct vhd_request request = {0};
    struct vhd_store *store;

    enum vhd_result result = judge_path(folder, file, ret);
    if (result == VHD_OK)
        result = judge_path(parent_folder, parent, ret);
    if (result == VHD_OK)
        result = vhd_store_open(folder, 0, &store, ret);
    if (result != VHD_OK)
        return result;
    memcpy(request.parent, parent, vhd_name_stem_length(parent));
    result = judge_folder(store, parent_folder, ret);
    if (result == VHD_OK)
        result = judge_is_disk(store, request.parent, parent, ret);
    if (result == VHD_OK)
        result = submit(service, store, file, &request, ret_task, ret);
    else
        vhd_store_remove_if_unused(store);
    vhd_store_unref(store);
    return result;
}

enum vhd_result vhd_create_differencing(struct vhd_service *service, const char *image_path,
                                        const char *parent_path, struct vhd_task **ret_task,
                                        struct vhd_verdict *ret_why)
{
    enum vhd_result result = judge_call(service, image_path, ret_task, ret_why);
    if (result != VHD_OK)
        return result;
    if (!parent_path)
        return vhd_verdict_set(ret_why, VHD_NULL_POINTER, "parent_path is NULL");
    if (*image_path != '/' && *parent_path != '/')
        return refuse_relative(image_path, ret_why);
    if (!*image_path || !*parent_path)
        return refuse_relative("", ret_why);
    AUTO_FREE char *image = absolute(image_path, parent_path);
    AUTO_FREE char *parent = absolute(parent_path, image_path);
    if (!image || !parent)
        return vhd_verdict_set(ret_why, VHD_OUT_OF_MEMORY, NULL);
    return create_child(service, image, parent, ret_task, ret_why);
}
