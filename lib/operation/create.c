#include "operation/create.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "format/footer.h"
#include "format/header.h"
#include "format/placement.h"
#include "operation/admit.h"
#include "request/name.h"
#include "request/size.h"

struct vhd_create {
    struct vhd_store *store;
    struct vhd_request request;
    struct vhd_placement placement;
    bool is_draft_named;
    struct vhd_draft draft;
    char file[NAME_MAX + 1];
};

struct vhd_create *vhd_create_new(struct vhd_store *store, const char *file,
                                  const struct vhd_request *request)
{
    struct vhd_create *create = calloc(1, sizeof *create);
    if (!create)
        return NULL;
    create->store = vhd_store_ref(store);
    create->request = *request;
    create->placement = vhd_placement_of(request->size);
    create->draft = VHD_DRAFT_NONE;
    if (uuid_is_null(create->request.uuid))
        uuid_generate_random(create->request.uuid);
    snprintf(create->file, sizeof create->file, "%s", file);
    return create;
}

void vhd_create_free(struct vhd_create *create)
{
    vhd_draft_end(create->store, &create->draft);
    vhd_store_remove_if_unused(create->store);
    vhd_store_unref(create->store);
    free(create);
}

void vhd_create_name_draft(struct vhd_create *create)
{
    create->is_draft_named = true;
}

enum vhd_result vhd_create_admit(struct vhd_create *create, struct vhd_verdict *ret)
{
    return vhd_admit_new(create->store, create->file, create->placement.full_length,
                         create->is_draft_named, &create->draft, ret);
}

void vhd_create_describe(const char *file, uint64_t size, char buf[VHD_DESCRIPTION_SIZE])
{
    char text[VHD_SIZE_TEXT];
    int stem = (int)vhd_name_stem_length(file);

    if (size == 0) {
        snprintf(buf, VHD_DESCRIPTION_SIZE, "Create dynamic virtual hard disk \"%.*s\"", stem,
                 file);
        return;
    }
    vhd_size_describe(size, text);
    snprintf(buf, VHD_DESCRIPTION_SIZE, "Create dynamic virtual hard disk \"%.*s\" (%s)", stem,
             file, text);
}

/*
 * Write the empty image in one stretch from byte 0: footer copy, header, table, footer. The table
 * and its padding are all ones, so the list repeats one small piece of ones.
 */
static int write_image(const struct vhd_create *create)
{
    enum { PIECE = 16384, PIECES_MAX = 256 };
    static_assert(VHD_SIZE_MAX / VHD_BLOCK_DEFAULT * 4 <= (uint64_t)PIECE * PIECES_MAX, "pieces");

    struct vhd_footer footer =
        vhd_footer_of(VHD_TYPE_DYNAMIC, create->request.size, (uint32_t)(time(NULL) - VHD_EPOCH));
    const struct vhd_header header = {
        .table_offset = VHD_TABLE_OFFSET,
        .max_entries = create->placement.entries,
        .block_size = VHD_BLOCK_DEFAULT,
    };
    struct vhd_footer_disk footer_disk;
    struct vhd_header_disk header_disk;
    uint8_t ones[PIECE];
    struct iovec iov[PIECES_MAX + 3];
    int count = 0;

    uuid_copy(footer.uuid, create->request.uuid);
    vhd_footer_encode(&footer, &footer_disk);
    vhd_header_encode(&header, &header_disk);
    iov[count++] = (struct iovec){&footer_disk, sizeof footer_disk};
    iov[count++] = (struct iovec){&header_disk, sizeof header_disk};
    size_t left = create->placement.table_length;
    memset(ones, 0xFF, left < PIECE ? left : PIECE);
    while (left > 0) {
        size_t len = left < PIECE ? left : PIECE;
        iov[count++] = (struct iovec){ones, len};
        left -= len;
    }
    iov[count++] = (struct iovec){&footer_disk, sizeof footer_disk};
    return vhd_io_write(create->draft.fd, iov, count, 0);
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

static enum vhd_result create_run(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    struct vhd_create *create = arg;
    const char *folder = vhd_store_path(create->store), *file = create->file;

    if (vhd_task_is_cancelled(task))
        return cancelled(ret);
    enum vhd_result result = create->draft.fd < 0 ? vhd_create_admit(create, ret) : VHD_OK;
    if (result != VHD_OK)
        return result;
    int err = write_image(create);
    if (err < 0)
        return vhd_verdict_errno(ret, err, "cannot write \"%s/%s\"", folder, file);
    vhd_task_progress(task, 50);
    if (vhd_task_is_cancelled(task))
        return cancelled(ret);
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
    static const struct vhd_work work = {VHD_CREATE_OPERATION, create_run, create_drop};
    char description[VHD_DESCRIPTION_SIZE];

    vhd_create_describe(create->file, create->request.size, description);
    return vhd_service_submit(service, &work, create, description, ret_task, ret);
}
