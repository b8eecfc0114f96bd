/* SPDX-License-Identifier: MIT */
/*
 * Tasks that make a disk in a store. A file that includes this has included cmocka.h before.
 */
#pragma once

#include <stdlib.h>

#include "gate.h"
#include "operation/create.h"
#include "sample.h"
#include "scratch.h"

#define MB (UINT64_C(1) << 20)

static inline struct vhd_store *open_store(const char *path)
{
    struct vhd_store *store;
    assert_int_equal(vhd_store_open(path, 0, &store, NULL), VHD_OK);
    return store;
}

static inline struct vhd_service *service_with(unsigned workers)
{
    struct vhd_service *service;
    assert_int_equal(vhd_service_new(workers, 1, &service), 0);
    return service;
}

static inline struct vhd_create *create_new(struct vhd_store *store, const char *file,
                                            const struct vhd_request *request)
{
    struct vhd_catalogue *catalogue = vhd_catalogue_new(store);
    struct vhd_create *create = catalogue ? vhd_create_new(catalogue, file, request) : NULL;

    vhd_catalogue_unref(catalogue);
    return create;
}

static inline struct vhd_create *creation(struct vhd_store *store, const char *file, uint64_t size,
                                          bool is_named)
{
    const struct vhd_request request = {.size = size};
    struct vhd_create *create = create_new(store, file, &request);
    assert_non_null(create);
    if (is_named)
        vhd_create_name_draft(create);
    return create;
}

static inline struct vhd_task *submit(struct vhd_service *service, struct vhd_create *create)
{
    struct vhd_task *task = NULL;
    assert_int_equal(vhd_create_submit(service, create, &task, NULL), VHD_OK);
    assert_non_null(task);
    return task;
}

/* Wait for a task's outcome, and drop it. */
static inline enum vhd_result outcome(struct vhd_task *task)
{
    struct vhd_task_status status;
    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_status(task, &status);
    vhd_task_unref(task);
    return status.verdict.result;
}

static inline struct sample contents(const char *folder, const char *file)
{
    int fd = open(scratch_path(folder, file), O_RDONLY | O_CLOEXEC);
    struct stat attributes;
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &attributes), 0);
    struct sample sample = {malloc((size_t)attributes.st_size), (size_t)attributes.st_size};
    assert_non_null(sample.bytes);
    assert_int_equal(read(fd, sample.bytes, sample.len), sample.len);
    close(fd);
    return sample;
}
