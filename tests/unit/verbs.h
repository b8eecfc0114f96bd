/* SPDX-License-Identifier: MIT */
/*
 * Verbs, done by a service of their own. A file that includes this has included cmocka.h before.
 */
#pragma once

#include "engine.h"
#include "verb/verbs.h"
#include "sentence.h"

/* Have a verb done, and wait for its outcome. */
static inline enum vhd_result verb(struct disks disks, const char *name, const char *line)
{
    struct vhd_task_status status;
    struct vhd_command command;
    struct vhd_service *service;
    struct vhd_task *task;

    assert_int_equal(vhd_command_parse(line, strlen(line), &command, NULL), VHD_OK);
    assert_int_equal(vhd_service_new(1, 1, &service), 0);
    struct vhd_verb *work = vhd_verb_new(disks.catalogue, name, &command);
    assert_non_null(work);
    assert_int_equal(vhd_verb_submit(service, work, &task, NULL), VHD_OK);
    assert_int_equal(vhd_task_wait(task, -1), 0);
    vhd_task_status(task, &status);
    if (status.verdict.result != VHD_OK)
        assert_sentence(status.verdict.sentence);
    vhd_task_unref(task);
    vhd_service_free(service);
    return status.verdict.result;
}

/* A refused verb leaves the image as it was. */
static inline void refused(struct disks disks, const char *name, const char *line,
                           enum vhd_result expected)
{
    char file[NAME_MAX + 1];

    snprintf(file, sizeof file, "%s.vhd", name);
    struct kept kept = keep(vhd_store_path(disks.store), file);
    assert_int_equal(verb(disks, name, line), expected);
    expect_kept(vhd_store_path(disks.store), file, kept);
}
