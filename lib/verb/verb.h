/* SPDX-License-Identifier: MIT */
/*
 * A verb at work: what all operations share that ctl starts. It is judged first (admit), then done
 * (run). From its admission to its end it holds the disk, so that no program opens it meanwhile in
 * a way that the verb does not allow. verbs.h has the list of all.
 */
#pragma once

#include <limits.h>

#include "disk/disk.h"
#include "image/catalogue.h"
#include "request/command.h"
#include "task/task.h"

struct vhd_verb_ops;

/* One verb at work on one disk: the arg of its task. */
struct vhd_verb {
    struct vhd_catalogue *catalogue; /* referenced */
    struct vhd_store *store;         /* of the catalogue */
    char name[NAME_MAX + 1];         /* the disk */
    struct vhd_command command;
    const struct vhd_verb_ops *ops;
    struct vhd_task *task; /* that does it; NULL before */
    bool is_admitted;

    /* what the verb holds from its admission on; released at its end */
    struct vhd_disk *disk; /* open as the verb needs it; NULL for none */
    void *state;           /* of the verb; freed by its end() */
};

#define VHD_VERB_FITS(type) (1u << (type))

/* All types, and images without a footer too. */
#define VHD_VERB_FITS_ALL                                                                          \
    (VHD_VERB_FITS(0) | VHD_VERB_FITS(VHD_TYPE_FIXED) | VHD_VERB_FITS(VHD_TYPE_DYNAMIC) |          \
     VHD_VERB_FITS(VHD_TYPE_DIFFERENCING))

/* What is known of a verb, and its functions: one constant of each operation/VERB.c. */
struct vhd_verb_ops {
    unsigned types; /* the types of disks that it fits: VHD_VERB_FITS() of each */

    /* Judge the verb, and hold the disk. Absent: nothing but the type of the disk is judged. */
    enum vhd_result (*admit)(struct vhd_verb *verb, struct vhd_verdict *ret);

    /* Do it, as run() of struct vhd_work. It calls vhd_task_commit() itself. */
    enum vhd_result (*run)(struct vhd_verb *verb, struct vhd_verdict *ret);

    /* Release verb->state, if it is not NULL. Absent: there is none. */
    void (*end)(struct vhd_verb *verb);
};
