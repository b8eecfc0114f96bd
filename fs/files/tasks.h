/* SPDX-License-Identifier: MIT */
/*
 * tasks/: the latest task of each name, to be watched, waited for and cancelled.
 */
#pragma once

#include "tree/node.h"

extern const struct fs_row_ops fs_tasks_ops;       /* tasks/ */
extern const struct fs_row_ops fs_task_ops;        /* tasks/NAME/ */
extern const struct fs_row_ops fs_task_alias_ops;  /* tasks/NAME.vhd, a symlink to NAME */
extern const struct fs_row_ops fs_task_status_ops; /* in tasks/NAME/: */
extern const struct fs_row_ops fs_task_json_ops;
extern const struct fs_row_ops fs_task_value_ops;
extern const struct fs_row_ops fs_task_wait_ops;
extern const struct fs_row_ops fs_task_cancel_ops;
extern const struct fs_row_ops fs_task_report_ops;

/* Print the status of the task of a node's name. Returns 0 or -ENOENT. */
int fs_tasks_show_status(struct fs *fs, const struct fs_node *node, FILE *out,
                         struct timespec *ret_changed);

/* How a file shows a status. */
typedef void fs_tasks_print(FILE *out, const struct fs_node *node,
                            const struct vhd_task_status *status);

/* Print the task of a node's name by print(). Returns 0, or -ENOENT when it has none. */
int fs_tasks_show(struct fs *fs, const struct fs_node *node, FILE *out,
                  struct timespec *ret_changed, fs_tasks_print *print);

/* The size of a file whose read waits for the task. Some programs read no file of size 0. */
enum { FS_TASK_WAIT_SIZE = 10 };

/* Has the task ended? Only then a file whose read would wait for that is listed. */
bool fs_tasks_is_over(struct fs *fs, const struct fs_node *node);

/* Does the node's name have a task on record? */
bool fs_tasks_has_record(struct fs *fs, const struct fs_node *node);

/*
 * Claim a name for a new task, as fs_records_claim() does.
 *
 * Returns the entry, referenced, with a claim to end; or NULL with a sentence in *ret.
 */
struct fs_entry *fs_tasks_claim(struct fs *fs, const char *name, struct vhd_verdict *ret);

/* Refuse a call that must wait for the end of a name's task. Returns VHD_IN_USE. */
enum vhd_result fs_tasks_refuse_at_work(const char *name, struct vhd_verdict *ret);

/*
 * Forget the ended task of a name.
 *
 * Returns VHD_OK, VHD_PATH_NOT_FOUND when there is none, or VHD_IN_USE while it is at work.
 */
enum vhd_result fs_tasks_forget(struct fs *fs, const char *name, struct vhd_verdict *ret);
