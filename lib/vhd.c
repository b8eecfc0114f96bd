#include "vhd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
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

/* Judge the arguments alone, without the host. */
static enum vhd_result judge_arguments(const char *folder, const char *file, int64_t size_mb,
                                       struct vhd_verdict *ret)
{
    enum vhd_result result = vhd_name_judge_length(folder, file, ret);
    if (result == VHD_OK)
        result = judge_name(file, ret);
    if (result == VHD_OK)
        result = vhd_size_judge_mb(size_mb, ret);
    return result;
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

enum vhd_result vhd_create_dynamic(struct vhd_service *service, const char *image_path,
                                   int64_t size_mb, struct vhd_task **ret_task,
                                   struct vhd_verdict *ret_why)
{
    if (service && vhd_service_is_stopping(service))
        return vhd_verdict_set(ret_why, VHD_SHUTTING_DOWN, NULL);
    if (!service || !image_path || !ret_task)
        return vhd_verdict_set(ret_why, VHD_NULL_POINTER, "%s is NULL",
                               !service      ? "service"
                               : !image_path ? "image_path"
                                             : "ret_task");
    if (*image_path != '/')
        return vhd_verdict_set(ret_why, VHD_BAD_PATHNAME,
                               "the path \"%s\" is not absolute; write a path that begins with /",
                               image_path);

    AUTO_FREE char *path = strdup(image_path);
    if (!path)
        return vhd_verdict_set(ret_why, VHD_OUT_OF_MEMORY, NULL);
    const char *folder, *file = split(path, &folder);
    enum vhd_result result = judge_arguments(folder, file, size_mb, ret_why);
    if (result != VHD_OK)
        return result;

    struct vhd_store *store;
    const struct vhd_request request = {.size = (uint64_t)size_mb * VHD_MB};
    result = vhd_store_open(folder, 0, &store, ret_why);
    if (result != VHD_OK)
        return result;
    result = submit(service, store, file, &request, ret_task, ret_why);
    vhd_store_unref(store);
    return result;
}
